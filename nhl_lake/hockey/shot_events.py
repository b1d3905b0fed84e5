"""Which events count as what."""

import polars as pl

from nhl_lake.hockey.strength import ONE_ON_ONE

UNBLOCKED_ATTEMPTS = ("goal", "shot-on-goal", "missed-shot")
ATTEMPTS = (*UNBLOCKED_ATTEMPTS, "blocked-shot")
LAST_UNTYPED_SHOT_SEASON = 20212022
SHOOTER_LOCATION_EVENTS = (*UNBLOCKED_ATTEMPTS, "failed-shot-attempt")  # its coordinates are the shooter's


def is_penalty_shot() -> pl.Expr:
    """Whether a row is an attempt of a shoot-out, or a penalty shot: awarded in its second, and one against one.

    The code alone does not tell: the last rows of an overtime bear that of the shoot-out that follows.
    """
    awarded = (pl.col("penalty_type_code") == "PS").any().over("game_id", "period", "period_seconds")
    alone = pl.col("situation_code").is_in(ONE_ON_ONE).fill_null(value=True)
    is_shoot_out = pl.col("period_type") == "SO"
    return pl.col("event").is_in(SHOOTER_LOCATION_EVENTS) & (is_shoot_out | (awarded & alone))


def classify_attempts() -> dict[str, pl.Expr]:
    """Return what a row counts as. Nothing in a shoot-out counts.

    A goal that nobody shot (put in by the defenders, or awarded) is a goal without a shot type, and for the officials
    no shot on goal. Until 2021-22 they took such a goal for a shot if a goalie was in the net. Where shots have no
    types at all, every goal was shot.
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
    """Whether an attempt was at a net with a goalie: a named one, or by the situation code where none is named."""
    code = pl.col("situation_code")
    by_code = pl.when("is_home").then(code.str.starts_with("1")).otherwise(code.str.ends_with("1"))
    return pl.col("goalie_player_id").is_not_null() | by_code.fill_null(value=False)


def count_goals_before() -> dict[str, pl.Expr]:
    """Return the goals of both teams before each row, of rows in order."""
    home, away = pl.col("is_home") & pl.col("is_goal"), ~pl.col("is_home") & pl.col("is_goal")
    return {
        name: goal.fill_null(value=False).cast(pl.Int64).cum_sum().over("game_id") - goal.fill_null(value=False)
        for name, goal in (("home_score_before", home), ("away_score_before", away))
    }
