"""Goals and shots of skaters, game by game."""

from dataclasses import replace

import polars as pl

from nhl_lake import columns as c
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.table import Table


def skater_game(lineups: pl.LazyFrame, plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater dressed for a final game, with his goals and shots on goal.

    A goal is also a shot, but for one that nobody shot: put in by the defenders, or awarded. Left out: shoot-outs,
    which count for nobody's record, goalies, and games whose plays are not there.
    """
    counted = plays.group_by("game_id", player_id="shooter_player_id").agg(
        goals=pl.col("is_goal").sum().cast(pl.Int16), shots_on_goal=pl.col("is_shot_on_goal").sum().cast(pl.Int16)
    )
    # a dressed skater without a shot has counted zeros, not unknown ones: his game's plays were all read
    return (
        lineups.filter(~pl.col("is_scratched") & (pl.col("position") != "G"))
        .join(plays, on="game_id", how="semi")
        .join(counted, on=["game_id", "player_id"], how="left", validate="1:1")
        .with_columns(pl.col("goals", "shots_on_goal").fill_null(0))
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    c.goals,
    replace(c.shots_on_goal, nullable=False),
)

SKATER_GAME = Table(
    name="gold.skater_game",
    grain="one skater dressed for a final game",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    by="game_id",
    reads=(LINEUPS, PLAYS),
    source=skater_game,
)
