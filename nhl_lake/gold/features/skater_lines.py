"""The lines of skaters in played games, from which form is computed."""

import polars as pl

from nhl_lake.gold.features.upcoming import PLAYED
from nhl_lake.gold.measures.situations import ALL_SITUATIONS

GAME_KEY = ("game_id", "player_id")
SITUATION_PREFIXES = {"5on5": "five_on_five", "5on4": "power_play"}


def classify_position() -> pl.Expr:
    """Return F for forwards and D for defensemen; their shot rates differ by nearly a quarter."""
    return pl.when(pl.col("position") == "D").then(pl.lit("D")).otherwise(pl.lit("F"))


def build_skater_lines(
    skater_game: pl.LazyFrame, plays: pl.LazyFrame, games: pl.LazyFrame, keys: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per skater and played game, with its start and the `team_key`."""
    lines = skater_game.filter(pl.col("situation") == ALL_SITUATIONS).with_columns(
        has_shifts=pl.col("on_ice_attempts_for").is_not_null()
    )
    for columns in (*(select_situation(skater_game, s) for s in SITUATION_PREFIXES), sum_shot_distances(plays)):
        lines = lines.join(columns, on=GAME_KEY, how="left", validate="1:1")
    return (
        lines.join(games.select("game_id", "start_at", "order", "venue_offset"), on="game_id", validate="m:1")
        .join(keys, on="team_id", how="left", validate="m:1")
        .with_columns(group=classify_position(), is_upcoming=pl.lit(value=False), projection_basis=pl.lit(PLAYED))
    )


def select_situation(skater_game: pl.LazyFrame, situation: str) -> pl.LazyFrame:
    """One row per skater and game: attempts and ice time in a situation, and the team's time."""
    name = SITUATION_PREFIXES[situation]
    return skater_game.filter(pl.col("situation") == situation).select(
        *GAME_KEY,
        pl.col("attempts").alias(f"{name}_attempts"),
        pl.col("unblocked_attempts").alias(f"{name}_unblocked_attempts"),
        pl.col("time_on_ice_s").alias(f"{name}_time_s"),
        (pl.col("time_on_ice_s") + pl.col("time_on_bench_s")).alias(f"team_{name}_time_s"),
    )


def sum_shot_distances(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater and game: total distance and number of unblocked attempts at a goalie with a location."""
    is_at_goalie = (
        pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot") & pl.col("goalie_player_id").is_not_null()
    )
    return (
        plays.filter(is_at_goalie, pl.col("distance_ft").is_not_null(), pl.col("shooter_player_id").is_not_null())
        .group_by("game_id", player_id="shooter_player_id")
        .agg(distance_ft=pl.col("distance_ft").sort().sum().round(6), located_attempts=pl.len())
    )
