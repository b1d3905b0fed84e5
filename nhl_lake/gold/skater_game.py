"""Goals and shots of skaters, game by game."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.table import Column, Table


def skater_game(lineups: pl.LazyFrame, plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater dressed for a final game, with his goals and shots on goal.

    A goal is also a shot. Left out: shoot-outs, which count for nobody's record, and goalies.
    """
    in_play = pl.col("period_type") != "SO"
    goal = pl.col("event") == "goal"
    shot = pl.col("event").is_in(["goal", "shot-on-goal"])
    counted = (
        plays.filter(in_play & shot)
        .group_by("game_id", player_id="shooter_player_id")
        .agg(goals=goal.sum().cast(pl.Int16), shots_on_goal=pl.len().cast(pl.Int16))
    )
    # a dressed skater without a shot has counted zeros, not unknown ones: his game's plays were all read
    return (
        lineups.filter(pl.col("position") != "G")
        .join(counted, on=["game_id", "player_id"], how="left")
        .with_columns(pl.col("goals", "shots_on_goal").fill_null(0))
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    Column("goals", pl.Int16, "Goals; none of a shoot-out"),
    Column("shots_on_goal", pl.Int16, "Shots on goal, goals among them; none of a shoot-out"),
)

SKATER_GAME = Table(
    name="gold.skater_game",
    grain="one skater dressed for a final game",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    by="game_id",
    reads=(LINEUPS, PLAYS),
    source=skater_game,
    checks={"no more goals than shots": pl.col("goals") <= pl.col("shots_on_goal")},
)
