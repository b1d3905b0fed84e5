"""What came of an unblocked attempt: one thing of six, told by the very next event of the period."""

import polars as pl

OUTCOMES = ("goal", "rebound", "frozen", "stopped", "in zone", "outside zone")
MAX_FREEZE_SECONDS = 3
STOPPAGE_EVENTS = ("stoppage", "penalty", "period-end", "game-end", "faceoff", "period-start")
PERIOD_KEY = ("game_id", "period")


def add_outcomes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add what came of each unblocked attempt; raised arms (delayed-penalty) are passed over."""
    seen = plays.filter(pl.col("event") != "delayed-penalty").sort("game_id", "event_number")
    return seen.with_columns(outcome=pl.when("is_unblocked_attempt").then(classify_outcome()))


def classify_outcome() -> pl.Expr:
    """Return a goal, a rebound within 3 s, a puck frozen by the goalie, another stop, or play that goes on somewhere.

    Where no place is told of what came next, play is not taken to go on in the zone.
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
    """Return what the next event of the period says."""
    return value.shift(-1).over(PERIOD_KEY)


def is_frozen() -> pl.Expr:
    """Whether the goalie held the puck: the page says so, or it was frozen by anybody right after."""
    reason = get_next(pl.col("reason"))
    soon = get_next(pl.col("period_seconds")) - pl.col("period_seconds") <= MAX_FREEZE_SECONDS
    return (reason == "goalie-stopped-after-sog") | ((reason == "puck-frozen") & soon)


def is_in_the_zone() -> pl.Expr:
    """Whether the next event is in the shooters' offensive zone, whoever acts in it."""
    said = pl.when(pl.col("event") != "blocked-shot").then("zone_code_raw")  # of a block it is the blocker's
    zone = get_next(pl.coalesce("zone", said))
    is_same = get_next(pl.col("is_home")) == pl.col("is_home")
    return pl.when(is_same).then(zone == "O").otherwise(zone == "D")
