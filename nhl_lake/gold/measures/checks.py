"""What counts must hold in every table that has them."""

import polars as pl


def is_sum_of(total: str, *parts: str) -> pl.Expr:
    """Whether a count is the sum of others, or one of them is not known."""
    return pl.any_horizontal(pl.col(total, *parts).is_null()) | (pl.col(total) == pl.sum_horizontal(parts))


STRENGTH_CHECKS = {
    "a goal has one strength": pl.sum_horizontal(
        "even_strength_goals", "power_play_goals", "shorthanded_goals", "penalty_shot_goals"
    )
    <= pl.col("goals"),
}
# counts of a game: in a season, what one count is known of may be more games than another
ATTEMPT_CHECKS = {
    "attempts are unblocked or blocked": is_sum_of("attempts", "unblocked_attempts", "blocked_attempts"),
    "unblocked attempts are shots on goal, misses, and goals that nobody shot": is_sum_of(
        "unblocked_attempts", "shots_on_goal", "missed_shots", "goals_without_shot"
    ),
    "shots on goal are saved, or goals that were shot": pl.col("shots_on_goal").is_null()
    | (pl.col("shots_on_goal") + pl.col("goals_without_shot") == pl.col("saved_shots") + pl.col("goals")),
    "unblocked attempts are goals or not": is_sum_of("unblocked_attempts", "goals", "saved_unblocked_attempts"),
    "one thing came of every unblocked attempt": is_sum_of(
        "unblocked_attempts",
        "goals",
        "rebounds_generated",
        "frozen_attempts",
        "stopped_attempts",
        "attempts_continued_in_zone",
        "attempts_continued_outside_zone",
    ),
}
STRENGTH_TIMES = ("even_strength_time_on_ice_s", "power_play_time_on_ice_s", "shorthanded_time_on_ice_s")
# a box score may tell the time and not its strengths
TIME_CHECKS = {
    "time on the ice has one strength": is_sum_of("time_on_ice_s", *STRENGTH_TIMES),
}
# so that in a season there may be more of it
SEASON_TIME_CHECKS = {
    "no more time at the strengths than on the ice": pl.col("time_on_ice_s").is_null()
    | (pl.sum_horizontal(STRENGTH_TIMES) <= pl.col("time_on_ice_s")),
}
SKATER_CHECKS = {
    "points are goals and assists": is_sum_of("points", "goals", "assists"),
    "an assist is the first, the second or a third": pl.col("assists")
    >= pl.sum_horizontal("primary_assists", "secondary_assists"),
    "nobody plays longer than his team": pl.col("time_on_bench_s").is_null() | (pl.col("time_on_bench_s") >= 0),
}
SHIFT_KINDS = ("offensive_zone", "neutral_zone", "defensive_zone", "on_the_fly")
START_COUNTS, END_COUNTS = (tuple(f"{kind}_{side}s" for kind in SHIFT_KINDS) for side in ("start", "end"))
# of a game without shifts the box score tells their number, and not where they began: likewise
SHIFT_CHECKS = {
    f"every shift {side}s once": is_sum_of("shifts", *kinds)
    for side, kinds in (("start", START_COUNTS), ("end", END_COUNTS))
}
SEASON_SHIFT_CHECKS = {
    f"no shift {side}s twice": pl.col("shifts").is_null() | (pl.sum_horizontal(kinds) <= pl.col("shifts"))
    for side, kinds in (("start", START_COUNTS), ("end", END_COUNTS))
}
GOALIE_CHECKS = {
    "unblocked attempts are shots, misses, and goals that nobody shot": is_sum_of(
        "unblocked_attempts_against", "shots_against", "missed_shots_against", "goals_without_shot_against"
    ),
    "a shot is saved, or a goal that was shot": pl.col("saves").is_null()
    | (pl.col("shots_against") + pl.col("goals_without_shot_against") == pl.col("saves") + pl.col("goals_against")),
    "attempts are unblocked or blocked": is_sum_of(
        "attempts_against", "unblocked_attempts_against", "blocked_attempts_against"
    ),
    "one thing came of every unblocked attempt": is_sum_of(
        "unblocked_attempts_against",
        "goals_against",
        "rebounds_generated_against",
        "frozen_attempts_against",
        "stopped_attempts_against",
        "attempts_continued_in_zone_against",
        "attempts_continued_outside_zone_against",
    ),
}
