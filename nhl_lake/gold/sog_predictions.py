"""Predictions of shots on goal, as made before the games, with the actual shots."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams
from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.hockey.names import format_full_name
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import PREDICTIONS
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.rosters import ROSTERS


def sog_predictions(
    predictions: pl.LazyFrame, skater_game: pl.LazyFrame, rosters: pl.LazyFrame, games: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per prediction; `shots_on_goal` is null until the game is final, and if the skater did not play.

    Predictions are only added. A new prediction for the same game does not replace an earlier one. The name of a skater
    who did not play is that of the season's newest roster page.
    """
    key = ["game_id", "player_id"]
    shots = skater_game.filter(pl.col("situation") == ALL_SITUATIONS).select(*key, "shots_on_goal", "player")
    played = skater_game.select("game_id", is_played=pl.lit(value=True)).unique()
    newest_name = format_full_name().sort_by("fetched_at").drop_nulls().last()
    names = rosters.group_by("season", "player_id").agg(listed=newest_name)
    teams = list_game_teams(games).select("game_id", "team_id", "team_abbrev")
    return (
        predictions.join(shots, on=key, how="left", validate="m:1")
        .join(played, on="game_id", how="left", validate="m:1")
        .join(names, on=["season", "player_id"], how="left", validate="m:1")
        .join(teams, on=["game_id", "team_id"], how="left", validate="m:1")
        .with_columns(pl.col("is_played").fill_null(value=False), player=pl.coalesce("player", "listed"))
        .select(column.name for column in COLUMNS)
    )


NAME_COLUMNS = {
    "player_id": replace(c.player, description="Full name, as on the game's page, or else on the newest roster page"),
    "team_id": replace(c.team_abbrev, nullable=True),
}
COLUMNS = (
    *(
        column
        for known in PREDICTIONS.columns
        for column in (known, NAME_COLUMNS.get(known.name))
        if column is not None
    ),
    Column("is_played", pl.Boolean, "Whether the game is over, even if the skater did not play"),
    c.shots_on_goal,
)

SOG_PREDICTIONS = Table(
    name="gold.sog_predictions",
    grain=PREDICTIONS.grain,
    key=PREDICTIONS.key,
    columns=COLUMNS,
    source=sog_predictions,
    chunk_key="game_id",
    inputs=(PREDICTIONS, SKATER_GAME, ROSTERS, GAMES),
    checks=PREDICTIONS.checks,
)
