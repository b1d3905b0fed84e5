"""Appearances: the teams of a game, and the players who dressed for them."""

from dataclasses import replace

import polars as pl

from nhl_lake.hockey.calendar import UNDECIDED_TEAM
from nhl_lake.hockey.names import format_full_name
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

opponent_abbrev = Column("opponent_abbrev", pl.String, "Three-letter code of the opponent at that time")

TEAM_COLUMNS = (c.season, c.game_id, c.game_type, c.game_date, c.team_id, c.team_abbrev)
OPPONENT_COLUMNS = (c.opponent_team_id, opponent_abbrev, c.is_home)
COLUMNS = (
    *TEAM_COLUMNS[:4],
    c.player_id,
    c.player,
    *TEAM_COLUMNS[4:],
    *OPPONENT_COLUMNS,
    replace(c.position, nullable=True),
)


def list_game_teams(games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game and team, with the opponent. Undecided teams are left out."""
    return pl.concat(
        games.filter(pl.col(f"{side}_team_abbrev") != UNDECIDED_TEAM).select(
            "season",
            "game_id",
            "game_type",
            "game_date",
            team_id=f"{side}_team_id",
            team_abbrev=f"{side}_team_abbrev",
            opponent_team_id=f"{other}_team_id",
            opponent_abbrev=f"{other}_team_abbrev",
            is_home=pl.lit(value=side == "home"),
        )
        for side, other in (("home", "away"), ("away", "home"))
    )


def select_appearances(games: pl.LazyFrame, lineups: pl.LazyFrame, plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player dressed for a game that has plays. Players of teams that do not play in it are left out."""
    teams = list_game_teams(games).drop("season", "game_type")
    return (
        lineups.filter(~pl.col("is_scratched"))
        .join(plays, on="game_id", how="semi")
        .join(teams, on=["game_id", "team_id"], validate="m:1")
        .with_columns(player=format_full_name())
        .select(column.name for column in COLUMNS)
    )
