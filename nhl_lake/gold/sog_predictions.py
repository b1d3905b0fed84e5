"""Predictions of shots on goal, as made before the games, with the actual shots."""

import polars as pl

from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import PREDICTIONS
from nhl_lake.schema.table import Column, Table


def sog_predictions(predictions: pl.LazyFrame, skater_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per prediction; `shots_on_goal` is null until the game is final, and if the skater did not play.

    Predictions are only added. A new prediction for the same game does not replace an earlier one.
    """
    shots = skater_game.filter(pl.col("situation") == ALL_SITUATIONS).select("game_id", "player_id", "shots_on_goal")
    played = skater_game.select("game_id", is_played=pl.lit(value=True)).unique()
    return (
        predictions.join(shots, on=["game_id", "player_id"], how="left", validate="m:1")
        .join(played, on="game_id", how="left", validate="m:1")
        .with_columns(pl.col("is_played").fill_null(value=False))
    )


SOG_PREDICTIONS = Table(
    name="gold.sog_predictions",
    grain=PREDICTIONS.grain,
    key=PREDICTIONS.key,
    columns=(
        *PREDICTIONS.columns,
        Column("is_played", pl.Boolean, "Whether the game is over, even if the skater did not play"),
        c.shots_on_goal,
    ),
    source=sog_predictions,
    chunk_key="game_id",
    inputs=(PREDICTIONS, SKATER_GAME),
    checks=PREDICTIONS.checks,
)
