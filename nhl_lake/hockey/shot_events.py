"""Classify events as goals, shots on goal, unblocked attempts (Fenwick) and shot attempts (Corsi)."""

import polars as pl

from nhl_lake.hockey.strength import ONE_ON_ONE

UNBLOCKED_ATTEMPTS = ("goal", "shot-on-goal", "missed-shot")
ATTEMPTS = (*UNBLOCKED_ATTEMPTS, "blocked-shot")
LAST_UNTYPED_SHOT_SEASON = 20212022
SHOOTER_LOCATION_EVENTS = (*UNBLOCKED_ATTEMPTS, "failed-shot-attempt")  # its coordinates are the shooter's


def is_penalty_shot() -> pl.Expr:
    """Whether an event is a shootout attempt or a penalty shot: awarded in the same second, and one on one.

    The situation code alone is not enough: the last rows of an overtime have the code of the shootout that follows.
    """
    awarded = (pl.col("penalty_type_code") == "PS").any().over("game_id", "period", "period_seconds")
    is_one_on_one = pl.col("situation_code").is_in(ONE_ON_ONE).fill_null(value=True)
    is_shootout = pl.col("period_type") == "SO"
    return pl.col("event").is_in(SHOOTER_LOCATION_EVENTS) & (is_shootout | (awarded & is_one_on_one))


def classify_attempts() -> dict[str, pl.Expr]:
    """Return the flags of an event: goal, shot on goal, unblocked attempt, attempt. All are false in a shootout.

    A goal without a shot (put in by a defender, or awarded) has no shot type, and the NHL does not count it as a shot
    on goal. Until 2021-22 it did, if a goalie was in the net. In games without shot types every goal is a shot.
    """
    event, in_play = pl.col("event"), pl.col("period_type") != "SO"
    goal, saved = event == "goal", event == "shot-on-goal"
    has_types = pl.col("shot_type").filter(saved).is_not_null().any().over("game_id")
    was_shot = pl.col("shot_type").is_not_null() | ~has_types
    is_old_shot = (pl.col("season") <= LAST_UNTYPED_SHOT_SEASON) & is_goalie_in_net()
    is_shot = saved | (goal & (was_shot | is_old_shot))
    return {
        "is_goal": in_play & goal,
        "is_shot_on_goal": in_play & is_shot,
        "is_unblocked_attempt": in_play & event.is_in(UNBLOCKED_ATTEMPTS),
        "is_attempt": in_play & event.is_in(ATTEMPTS),
    }


def is_goalie_in_net() -> pl.Expr:
    """Whether an attempt faced a goalie: one who is named, or one by the situation code."""
    code = pl.col("situation_code")
    by_code = pl.when("is_home").then(code.str.starts_with("1")).otherwise(code.str.ends_with("1"))
    return pl.col("goalie_player_id").is_not_null() | by_code.fill_null(value=False)


def count_goals_before() -> dict[str, pl.Expr]:
    """Return the goals of both teams before each event. The rows must be in order."""
    home, away = pl.col("is_home") & pl.col("is_goal"), ~pl.col("is_home") & pl.col("is_goal")
    return {
        name: goal.fill_null(value=False).cast(pl.Int64).cum_sum().over("game_id") - goal.fill_null(value=False)
        for name, goal in (("home_score_before", home), ("away_score_before", away))
    }
