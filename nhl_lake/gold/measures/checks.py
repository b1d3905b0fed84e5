"""Row checks that several gold tables share."""

import polars as pl


def is_sum_of(total: str, *parts: str) -> pl.Expr:
    """Whether a count is the sum of others, or one of them is null."""
    return pl.any_horizontal(pl.col(total, *parts).is_null()) | (pl.col(total) == pl.sum_horizontal(parts))


STRENGTH_CHECKS = {
    "goals by strength do not exceed goals": pl.sum_horizontal(
        "even_strength_goals", "power_play_goals", "shorthanded_goals", "penalty_shot_goals"
    )
    <= pl.col("goals"),
}
# only in a game: in a season, one count may cover more games than another
ATTEMPT_CHECKS = {
    "attempts are unblocked plus blocked attempts": is_sum_of("attempts", "unblocked_attempts", "blocked_attempts"),
    "unblocked attempts are shots on goal, missed shots and goals without a shot": is_sum_of(
        "unblocked_attempts", "shots_on_goal", "missed_shots", "goals_without_shot"
    ),
    "shots on goal are saved shots plus goals with a shot": pl.col("shots_on_goal").is_null()
    | (pl.col("shots_on_goal") + pl.col("goals_without_shot") == pl.col("saved_shots") + pl.col("goals")),
    "unblocked attempts are goals plus other unblocked attempts": is_sum_of(
        "unblocked_attempts", "goals", "saved_unblocked_attempts"
    ),
    "every unblocked attempt has one outcome": is_sum_of(
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
# in a game
TIME_CHECKS = {
    "ice time is the sum over strengths": is_sum_of("time_on_ice_s", *STRENGTH_TIMES),
}
# in a season: the box score of some games has ice time, but not by strength
SEASON_TIME_CHECKS = {
    "ice time by strength does not exceed ice time": pl.col("time_on_ice_s").is_null()
    | (pl.sum_horizontal(STRENGTH_TIMES) <= pl.col("time_on_ice_s")),
}
SKATER_CHECKS = {
    "points are goals plus assists": is_sum_of("points", "goals", "assists"),
    "primary and secondary assists do not exceed assists": pl.col("assists")
    >= pl.sum_horizontal("primary_assists", "secondary_assists"),
    "no skater plays longer than their team": pl.col("time_on_bench_s").is_null() | (pl.col("time_on_bench_s") >= 0),
}
SHIFT_KINDS = ("offensive_zone", "neutral_zone", "defensive_zone", "on_the_fly")
START_COUNTS, END_COUNTS = (tuple(f"{kind}_{side}s" for kind in SHIFT_KINDS) for side in ("start", "end"))
# in a game; in a season, games without shifts add only the box score's number of shifts
SHIFT_CHECKS = {
    f"every shift {side} is counted once": is_sum_of("shifts", *kinds)
    for side, kinds in (("start", START_COUNTS), ("end", END_COUNTS))
}
SEASON_SHIFT_CHECKS = {
    f"no shift {side} is counted twice": pl.col("shifts").is_null() | (pl.sum_horizontal(kinds) <= pl.col("shifts"))
    for side, kinds in (("start", START_COUNTS), ("end", END_COUNTS))
}
GOALIE_CHECKS = {
    "unblocked attempts are shots, missed shots and goals without a shot": is_sum_of(
        "unblocked_attempts_against", "shots_against", "missed_shots_against", "goals_without_shot_against"
    ),
    "shots are saves plus goals with a shot": pl.col("saves").is_null()
    | (pl.col("shots_against") + pl.col("goals_without_shot_against") == pl.col("saves") + pl.col("goals_against")),
    "attempts are unblocked plus blocked attempts": is_sum_of(
        "attempts_against", "unblocked_attempts_against", "blocked_attempts_against"
    ),
    "every unblocked attempt has one outcome": is_sum_of(
        "unblocked_attempts_against",
        "goals_against",
        "rebounds_generated_against",
        "frozen_attempts_against",
        "stopped_attempts_against",
        "attempts_continued_in_zone_against",
        "attempts_continued_outside_zone_against",
    ),
}
