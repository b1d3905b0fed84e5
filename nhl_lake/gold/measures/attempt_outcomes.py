"""Outcomes of unblocked attempts: one of six, by the next event of the period."""

import polars as pl

OUTCOMES = ("goal", "rebound", "frozen", "stopped", "in zone", "outside zone")
MAX_FREEZE_SECONDS = 3
STOPPAGE_EVENTS = ("stoppage", "penalty", "period-end", "game-end", "faceoff", "period-start")
PERIOD_KEY = ("game_id", "period")


def add_outcomes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add the outcome of each unblocked attempt; delayed penalties are skipped."""
    events = plays.filter(pl.col("event") != "delayed-penalty").sort("game_id", "event_number")
    return events.with_columns(outcome=pl.when("is_unblocked_attempt").then(classify_outcome()))


def classify_outcome() -> pl.Expr:
    """Return goal, rebound (within 3 s), frozen (by the goalie), stopped, in zone or outside zone.

    The last two mean that play continued. If the next event has no location, the outcome is outside zone.
    """
    return (
        pl.when("is_goal")
        .then(pl.lit("goal"))
        .when("has_rebound")
        .then(pl.lit("rebound"))
        .when(is_frozen())
        .then(pl.lit("frozen"))
        .when(get_next(pl.col("event")).is_in(STOPPAGE_EVENTS) | get_next(pl.col("event")).is_null())
        .then(pl.lit("stopped"))
        .when(is_in_the_zone())
        .then(pl.lit("in zone"))
        .otherwise(pl.lit("outside zone"))
    )


def get_next(value: pl.Expr) -> pl.Expr:
    """Return a value of the next event of the period."""
    return value.shift(-1).over(PERIOD_KEY)


def is_frozen() -> pl.Expr:
    """Whether the goalie froze the puck: the stoppage says so, or the puck was frozen within 3 s."""
    reason = get_next(pl.col("reason"))
    is_soon = get_next(pl.col("period_seconds")) - pl.col("period_seconds") <= MAX_FREEZE_SECONDS
    return (reason == "goalie-stopped-after-sog") | ((reason == "puck-frozen") & is_soon)


def is_in_the_zone() -> pl.Expr:
    """Whether the next event of either team is in the shooting team's offensive zone."""
    raw_zone = pl.when(pl.col("event") != "blocked-shot").then("zone_code_raw")  # for a block it is the blocker's
    zone = get_next(pl.coalesce("zone", raw_zone))
    is_same_team = get_next(pl.col("is_home")) == pl.col("is_home")
    return pl.when(is_same_team).then(zone == "O").otherwise(zone == "D")
