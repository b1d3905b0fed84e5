"""Shot attempts: the counts of each attempt, for shooters, teams, players on the ice and goalies."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.expected_goals import DANGER_CLASSES
from nhl_lake.gold.measures.score_adjustment import ATTEMPT_WEIGHTS, UNBLOCKED_WEIGHTS, adjust_for_score
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

STRENGTH_NAMES = {"EV": "even_strength", "PP": "power_play", "SH": "shorthanded"}


def declare_count(name: str, description: str) -> Column:
    """Declare a count that is null if the pages do not record such events."""
    return Column(name, pl.Int16, description, nullable=True)


def declare_sum(name: str, description: str) -> Column:
    """Declare a sum of expected goals."""
    return Column(name, pl.Float64, description, nullable=True)


RESULT_COUNTS = (
    c.shots_on_goal,
    declare_count("missed_shots", "Missed shots"),
    declare_count("blocked_attempts", "Shot attempts that were blocked, including by teammates"),
    declare_count("unblocked_attempts", "Unblocked attempts (Fenwick): goals, saved and missed shots"),
    declare_count("attempts", "Shot attempts (Corsi): goals, saved, missed and blocked shots"),
    declare_count(
        "goals_without_shot", "Goals without a shot: put in by a defender, or awarded; attempts, but not shots on goal"
    ),
    declare_count("saved_shots", "Shots on goal that were saved"),
    declare_count("saved_unblocked_attempts", "Unblocked attempts (Fenwick) that were not goals"),
)
REBOUND_COUNTS = (
    declare_count(
        "rebounds_generated", "Attempts that led to a rebound: an unblocked attempt of the same team within 3 s"
    ),
    declare_count("rebound_shots", "Unblocked attempts that were rebounds"),
    declare_count("rebound_goals", "Goals on rebounds"),
)
OUTCOME_COUNTS = (
    declare_count("rush_shots", "Rush shots: unblocked attempts within 4 s of an event outside the offensive zone"),
    declare_count("frozen_attempts", "Unblocked attempts after which the goalie froze the puck"),
    declare_count(
        "stopped_attempts", "Unblocked attempts after which play stopped for another reason, before any other event"
    ),
    declare_count(
        "attempts_continued_in_zone", "Unblocked attempts after which the next event was in the offensive zone"
    ),
    declare_count("attempts_continued_outside_zone", "Unblocked attempts after which the next event was elsewhere"),
)
ADJUSTED_COUNTS = (
    Column(
        "adjusted_attempts", pl.Float64, "Shot attempts (Corsi), adjusted for score and home ice at 5on5", nullable=True
    ),
    Column(
        "adjusted_unblocked_attempts",
        pl.Float64,
        "Unblocked attempts (Fenwick), adjusted in the same way",
        nullable=True,
    ),
)
STRENGTH_COUNTS = (
    replace(c.even_strength_goals, nullable=True),
    replace(c.power_play_goals, nullable=True),
    replace(c.shorthanded_goals, nullable=True),
    replace(c.penalty_shot_goals, nullable=False),
    declare_count("even_strength_shots_on_goal", "Shots on goal at even strength, by players on the ice"),
    declare_count("power_play_shots_on_goal", "Shots on goal on the power play, by players on the ice"),
    declare_count("shorthanded_shots_on_goal", "Shots on goal while shorthanded, by players on the ice"),
)
# sums of xG of attempts; null in a game without xG
XG_COUNTS = (
    declare_sum("xg", "Expected goals (xG) of unblocked attempts"),
    declare_sum("xg_flurry_adjusted", "Expected goals, with the shots of a flurry weighted as one chance"),
    declare_sum("xg_score_adjusted", "Expected goals, adjusted for score and home ice at 5on5"),
    declare_sum("xg_flurry_score_adjusted", "Expected goals with both adjustments"),
    declare_sum("rebound_xg", "Expected goals of rebounds"),
    declare_sum("xg_variance", "Variance of goals by xG: the sum of xG (1 - xG)"),
    declare_sum("goals_above_expected", "Goals minus expected goals, over the attempts with xG"),
    *(declare_count(f"{danger}_danger_attempts", f"Unblocked attempts of {danger} danger, by xG")
      for danger in DANGER_CLASSES),
    *(declare_sum(f"{danger}_danger_xg", f"Expected goals, of {danger} danger") for danger in DANGER_CLASSES),
    *(declare_count(f"{danger}_danger_goals", f"Goals on attempts of {danger} danger") for danger in DANGER_CLASSES),
)  # fmt: skip
COLUMNS = (
    c.goals,
    *STRENGTH_COUNTS[:4],
    *RESULT_COUNTS,
    *STRENGTH_COUNTS[4:],
    *REBOUND_COUNTS,
    *OUTCOME_COUNTS,
    *ADJUSTED_COUNTS,
    *XG_COUNTS,
)
NAMES = tuple(column.name for column in COLUMNS)
EVENT_COLUMNS = ("game_id", "event_id", "period", "period_seconds", "acting_team_id", "situation", "is_penalty_shot")
ROLE_COLUMNS = ("shooter_player_id", "goalie_player_id", "is_teammate_block")


def count_attempts(shots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shot attempt, including penalty shots but not shootouts, with what it adds to each count."""
    return (
        shots.rename({"team_id": "acting_team_id"})
        .select(
            *EVENT_COLUMNS, *ROLE_COLUMNS,
            **flag_attempt_types(), **flag_rebounds_and_outcomes(), **adjust_attempts(), **sum_expected_goals(),
        )
    )  # fmt: skip


def flag_attempt_types() -> dict[str, pl.Expr]:
    """Return what an attempt adds to the counts by result and strength."""
    goal, shot, unblocked = pl.col("is_goal"), pl.col("is_shot_on_goal"), pl.col("is_unblocked_attempt")
    found = {
        "goals": goal,
        "shots_on_goal": shot,
        "missed_shots": pl.col("event") == "missed-shot",
        "blocked_attempts": pl.col("event") == "blocked-shot",
        "unblocked_attempts": unblocked,
        "attempts": pl.lit(value=True),
        "goals_without_shot": goal & ~shot,
        "saved_shots": shot & ~goal,
        "saved_unblocked_attempts": unblocked & ~goal,
        "penalty_shot_goals": goal & (pl.col("strength_state") == "PS"),
    }
    for state, strength in STRENGTH_NAMES.items():
        found[f"{strength}_goals"] = goal & (pl.col("strength_state") == state)
        found[f"{strength}_shots_on_goal"] = shot & (pl.col("strength_state") == state)
    return {name: cast_to_count(kind) for name, kind in found.items()}


def flag_rebounds_and_outcomes() -> dict[str, pl.Expr]:
    """Return what an attempt adds to the counts of rebounds, rushes and outcomes."""
    outcome = pl.col("outcome")
    found = {
        "rebounds_generated": outcome == "rebound",
        "rebound_shots": pl.col("is_rebound"),
        "rebound_goals": pl.col("is_rebound") & pl.col("is_goal"),
        "rush_shots": pl.col("is_rush"),
        "frozen_attempts": outcome == "frozen",
        "stopped_attempts": outcome == "stopped",
        "attempts_continued_in_zone": outcome == "in zone",
        "attempts_continued_outside_zone": outcome == "outside zone",
    }
    return {name: cast_to_count(kind) for name, kind in found.items()}


def adjust_attempts() -> dict[str, pl.Expr]:
    """Return the weight of an attempt, adjusted for score and home ice."""
    unblocked = pl.when("is_unblocked_attempt").then(adjust_for_score(UNBLOCKED_WEIGHTS)).otherwise(0.0)
    return {"adjusted_attempts": adjust_for_score(ATTEMPT_WEIGHTS), "adjusted_unblocked_attempts": unblocked}


def sum_expected_goals() -> dict[str, pl.Expr]:
    """Return what an attempt adds to the sums of expected goals: nothing where its xG is unknown."""
    xg, flurry = pl.col("xg").fill_null(0.0), pl.col("xg_flurry_adjusted").fill_null(0.0)
    weight, goal, danger = adjust_for_score(UNBLOCKED_WEIGHTS), pl.col("is_goal"), pl.col("danger_xg")
    above = pl.when(pl.col("xg").is_not_null()).then(goal.cast(pl.Float64) - pl.col("xg"))
    return {
        "xg": xg,
        "xg_flurry_adjusted": flurry,
        "xg_score_adjusted": (xg * weight).round(5),
        "xg_flurry_score_adjusted": (flurry * weight).round(5),
        "rebound_xg": pl.when("is_rebound").then(xg).otherwise(0.0),
        "xg_variance": (xg * (1 - xg)).round(5),
        "goals_above_expected": above.fill_null(0.0),
        **{f"{name}_danger_attempts": cast_to_count(danger == name) for name in DANGER_CLASSES},
        **{f"{name}_danger_xg": pl.when(danger == name).then(xg).otherwise(0.0) for name in DANGER_CLASSES},
        **{f"{name}_danger_goals": cast_to_count((danger == name) & goal) for name in DANGER_CLASSES},
    }


def cast_to_count(condition: pl.Expr) -> pl.Expr:
    """Return 1 where a condition is true, else 0 (also if unknown)."""
    return condition.fill_null(value=False).cast(pl.Int32)
