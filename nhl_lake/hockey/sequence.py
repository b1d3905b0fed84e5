"""Rebounds and rushes: attempts that follow soon after another event."""

import polars as pl

REBOUND_S, RUSH_S = 3, 4
REBOUND_SOURCES = ("shot-on-goal", "missed-shot")
DEAD_PLAY_EVENTS = ("faceoff", "penalty", "stoppage", "goal", "period-start", "period-end")  # play was stopped


def add_rebounds_and_rushes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add rebounds, rushes and the previous event of the period; delayed penalties are skipped."""
    row = pl.when(pl.col("event") != "delayed-penalty").then("row")
    return (
        plays.sort("game_id", "event_number")
        .with_row_index("row")
        .with_columns(previous_row=row.forward_fill().shift(1))
        .with_columns(
            previous_row=pl.when(is_same_as_previous("game_id") & is_same_as_previous("period")).then("previous_row")
        )
        .with_columns(
            previous_event=get_previous("event"),
            seconds_since_previous_event=pl.col("period_seconds") - get_previous("period_seconds"),
        )
        .with_columns(
            is_rebound=is_rebound(REBOUND_SOURCES), is_rebound_incl_block=is_rebound((*REBOUND_SOURCES, "blocked-shot"))
        )
        .with_columns(
            has_rebound=pl.col("row").is_in(pl.col("previous_row").filter("is_rebound").implode()),
            is_rush=is_rush(),
        )
    )


def get_previous(name: str) -> pl.Expr:
    """Return a value of the previous event."""
    return pl.col(name).gather(pl.col("previous_row"))


def is_same_as_previous(name: str) -> pl.Expr:
    """Whether a value is the same as in the previous event."""
    return pl.col(name) == get_previous(name)


def is_within_seconds(seconds: int) -> pl.Expr:
    """Whether the previous event is at most so many seconds earlier. False if the clock runs backwards (old games)."""
    return pl.col("seconds_since_previous_event").is_between(0, seconds)


def is_live_attempt() -> pl.Expr:
    """Whether an event can be a rebound or a rush: an unblocked attempt, not a penalty shot."""
    return pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot")


def is_rebound(shots: tuple[str, ...]) -> pl.Expr:
    """Whether an attempt follows an attempt of the same team within three seconds."""
    after = (
        get_previous("event").is_in(shots) & is_same_as_previous("acting_team_id") & ~get_previous("is_penalty_shot")
    )
    return (is_live_attempt() & after & is_within_seconds(REBOUND_S)).fill_null(value=False)


def is_rush() -> pl.Expr:
    """Whether an attempt follows an event outside the team's offensive zone within four seconds, without a stoppage."""
    is_outside = (
        pl.when(is_same_as_previous("is_home")).then(get_previous("zone") != "O").otherwise(get_previous("zone") != "D")
    )
    return (
        is_live_attempt() & ~get_previous("event").is_in(DEAD_PLAY_EVENTS) & is_outside & is_within_seconds(RUSH_S)
    ).fill_null(value=False)
