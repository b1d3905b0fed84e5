"""What came just before: rebounds and rushes."""

import polars as pl

REBOUND_S, RUSH_S = 3, 4
REBOUND_SOURCES = ("shot-on-goal", "missed-shot")
DEAD_PLAY_EVENTS = ("faceoff", "penalty", "stoppage", "goal", "period-start", "period-end")  # play had stopped


def add_rebounds_and_rushes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Look at the event before each, of the same period; a raised arm (delayed-penalty) is passed over."""
    row = pl.when(pl.col("event") != "delayed-penalty").then("row")
    return (
        plays.sort("game_id", "event_number")
        .with_row_index("row")
        .with_columns(before=row.forward_fill().shift(1))
        .with_columns(before=pl.when(is_same_as_previous("game_id") & is_same_as_previous("period")).then("before"))
        .with_columns(
            previous_event=get_previous("event"),
            seconds_since_previous_event=pl.col("period_seconds") - get_previous("period_seconds"),
        )
        .with_columns(
            is_rebound=is_rebound(REBOUND_SOURCES), is_rebound_incl_block=is_rebound((*REBOUND_SOURCES, "blocked-shot"))
        )
        .with_columns(
            has_rebound=pl.col("row").is_in(pl.col("before").filter("is_rebound").implode()),
            is_rush=is_rush(),
        )
    )


def get_previous(name: str) -> pl.Expr:
    """Return what the row before says."""
    return pl.col(name).gather(pl.col("before"))


def is_same_as_previous(name: str) -> pl.Expr:
    """Whether the row before is of the same."""
    return pl.col(name) == get_previous(name)


def is_within_seconds(seconds: int) -> pl.Expr:
    """Whether the event before is not longer ago. Clocks of old games run backwards here and there: not known."""
    return pl.col("seconds_since_previous_event").is_between(0, seconds)


def is_live_attempt() -> pl.Expr:
    """Whether a row can be a rebound or a rush: an unblocked attempt in play."""
    return pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot")


def is_rebound(shots: tuple[str, ...]) -> pl.Expr:
    """Whether a shot follows an attempt of the same team by three seconds at most."""
    after = (
        get_previous("event").is_in(shots) & is_same_as_previous("acting_team_id") & ~get_previous("is_penalty_shot")
    )
    return (is_live_attempt() & after & is_within_seconds(REBOUND_S)).fill_null(value=False)


def is_rush() -> pl.Expr:
    """Whether a shot follows an event outside the shooters' offensive zone by four seconds at most, in live play."""
    theirs = (
        pl.when(is_same_as_previous("is_home")).then(get_previous("zone") != "O").otherwise(get_previous("zone") != "D")
    )
    return (
        is_live_attempt() & ~get_previous("event").is_in(DEAD_PLAY_EVENTS) & theirs & is_within_seconds(RUSH_S)
    ).fill_null(value=False)
