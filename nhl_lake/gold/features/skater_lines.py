"""What form is made of: a skater's line in each game that was played."""

import polars as pl

from nhl_lake.gold.features.upcoming import PLAYED
from nhl_lake.gold.measures.situations import ALL_SITUATIONS

GAME_KEY = ("game_id", "player_id")
SITUATION_PREFIXES = {"5on5": "five_on_five", "5on4": "power_play"}


def classify_position() -> pl.Expr:
    """Return F for forwards and D for defencemen: how often they shoot differs by nearly a quarter."""
    return pl.when(pl.col("position") == "D").then(pl.lit("D")).otherwise(pl.lit("F"))


def build_skater_lines(
    skater_game: pl.LazyFrame, plays: pl.LazyFrame, games: pl.LazyFrame, keys: pl.LazyFrame
) -> pl.LazyFrame:
    """One row a skater and game that was played, with when it began and for which team over time he played."""
    whole = skater_game.filter(pl.col("situation") == ALL_SITUATIONS).with_columns(
        has_shifts=pl.col("on_ice_attempts_for").is_not_null()
    )
    for beside in (*(select_situation(skater_game, s) for s in SITUATION_PREFIXES), sum_shot_distances(plays)):
        whole = whole.join(beside, on=GAME_KEY, how="left", validate="1:1")
    return (
        whole.join(games.select("game_id", "start_at", "order", "venue_offset"), on="game_id", validate="m:1")
        .join(keys, on="team_id", how="left", validate="m:1")
        .with_columns(group=classify_position(), is_upcoming=pl.lit(value=False), projection_basis=pl.lit(PLAYED))
    )


def select_situation(skater_game: pl.LazyFrame, situation: str) -> pl.LazyFrame:
    """One row a skater and game: his attempts and his time in a situation, and that of his team."""
    name = SITUATION_PREFIXES[situation]
    return skater_game.filter(pl.col("situation") == situation).select(
        *GAME_KEY,
        pl.col("attempts").alias(f"{name}_attempts"),
        pl.col("unblocked_attempts").alias(f"{name}_unblocked_attempts"),
        pl.col("time_on_ice_s").alias(f"{name}_time_s"),
        (pl.col("time_on_ice_s") + pl.col("time_on_bench_s")).alias(f"team_{name}_time_s"),
    )


def sum_shot_distances(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater and game in which he shot at a goalie from a known place: feet in all, and such attempts."""
    at_a_goalie = pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot") & pl.col("goalie_player_id").is_not_null()
    return (
        plays.filter(at_a_goalie, pl.col("distance_ft").is_not_null(), pl.col("shooter_player_id").is_not_null())
        .group_by("game_id", player_id="shooter_player_id")
        .agg(distance_ft=pl.col("distance_ft").sort().sum().round(6), placed_attempts=pl.len())
    )
