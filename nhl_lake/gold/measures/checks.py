"""What counts must hold in every table that has them."""

import polars as pl


def adds_up(total: str, *parts: str) -> pl.Expr:
    """Whether a count is the sum of others, or one of them is not known."""
    return pl.any_horizontal(pl.col(total, *parts).is_null()) | (pl.col(total) == pl.sum_horizontal(parts))


ATTEMPTS = {
    "a goal has one strength": pl.sum_horizontal(
        "even_strength_goals", "power_play_goals", "shorthanded_goals", "penalty_shot_goals"
    )
    <= pl.col("goals"),
}
# counts of a game: in a season, what one count is known of may be more games than another
GOALS = {
    "attempts are unblocked or blocked": adds_up("attempts", "unblocked_attempts", "blocked_attempts"),
    "unblocked attempts are shots on goal, misses, and goals that nobody shot": adds_up(
        "unblocked_attempts", "shots_on_goal", "missed_shots", "unshot_goals"
    ),
    "shots on goal are saved, or goals that were shot": pl.col("shots_on_goal").is_null()
    | (pl.col("shots_on_goal") + pl.col("unshot_goals") == pl.col("saved_shots") + pl.col("goals")),
    "unblocked attempts are goals or not": adds_up("unblocked_attempts", "goals", "saved_unblocked_attempts"),
    "one thing came of every unblocked attempt": adds_up(
        "unblocked_attempts",
        "goals",
        "rebounds_generated",
        "frozen_attempts",
        "stopped_attempts",
        "attempts_continued_in_zone",
        "attempts_continued_outside_zone",
    ),
}
BY_STRENGTH = ("even_strength_time_on_ice_s", "power_play_time_on_ice_s", "shorthanded_time_on_ice_s")
# a box score may tell the time and not its strengths
TIME = {
    "time on the ice has one strength": adds_up("time_on_ice_s", *BY_STRENGTH),
}
# so that in a season there may be more of it
TIME_OF_SEASON = {
    "no more time at the strengths than on the ice": pl.col("time_on_ice_s").is_null()
    | (pl.sum_horizontal(BY_STRENGTH) <= pl.col("time_on_ice_s")),
}
SKATERS = {
    "points are goals and assists": adds_up("points", "goals", "assists"),
    "an assist is the first, the second or a third": pl.col("assists")
    >= pl.sum_horizontal("primary_assists", "secondary_assists"),
    "nobody plays longer than his team": pl.col("time_on_bench_s").is_null() | (pl.col("time_on_bench_s") >= 0),
}
SHIFT_KINDS = ("offensive_zone", "neutral_zone", "defensive_zone", "on_the_fly")
STARTS, ENDS = (tuple(f"{kind}_{side}s" for kind in SHIFT_KINDS) for side in ("start", "end"))
# of a game without shifts the box score tells their number, and not where they began: likewise
SHIFTS = {f"every shift {side}s once": adds_up("shifts", *kinds) for side, kinds in (("start", STARTS), ("end", ENDS))}
SHIFTS_OF_SEASON = {
    f"no shift {side}s twice": pl.col("shifts").is_null() | (pl.sum_horizontal(kinds) <= pl.col("shifts"))
    for side, kinds in (("start", STARTS), ("end", ENDS))
}
GOALIES = {
    "unblocked attempts are shots, misses, and goals that nobody shot": adds_up(
        "unblocked_attempts_against", "shots_against", "missed_shots_against", "unshot_goals_against"
    ),
    "a shot is saved, or a goal that was shot": pl.col("saves").is_null()
    | (pl.col("shots_against") + pl.col("unshot_goals_against") == pl.col("saves") + pl.col("goals_against")),
    "attempts are unblocked or blocked": adds_up(
        "attempts_against", "unblocked_attempts_against", "blocked_attempts_against"
    ),
    "one thing came of every unblocked attempt": adds_up(
        "unblocked_attempts_against",
        "goals_against",
        "rebounds_generated_against",
        "frozen_attempts_against",
        "stopped_attempts_against",
        "attempts_continued_in_zone_against",
        "attempts_continued_outside_zone_against",
    ),
}
