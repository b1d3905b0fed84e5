"""What came just before: rebounds and rushes."""

import polars as pl

REBOUND_S, RUSH_S = 3, 4
SHOTS = ("shot-on-goal", "missed-shot")
DEAD = ("faceoff", "penalty", "stoppage", "goal", "period-start", "period-end")  # play had stopped


def in_sequence(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Look at the event before each, of the same period; a raised arm (delayed-penalty) is passed over."""
    row = pl.when(pl.col("event") != "delayed-penalty").then("row")
    return (
        plays.sort("game_id", "event_number")
        .with_row_index("row")
        .with_columns(before=row.forward_fill().shift(1))
        .with_columns(before=pl.when(same("game_id") & same("period")).then("before"))
        .with_columns(
            previous_event=previous("event"),
            seconds_since_previous_event=pl.col("period_seconds") - previous("period_seconds"),
        )
        .with_columns(is_rebound=is_rebound(SHOTS), is_rebound_incl_block=is_rebound((*SHOTS, "blocked-shot")))
        .with_columns(
            has_rebound=pl.col("row").is_in(pl.col("before").filter("is_rebound").implode()),
            is_rush=is_rush(),
        )
    )


def previous(name: str) -> pl.Expr:
    """Return what the row before says."""
    return pl.col(name).gather(pl.col("before"))


def same(name: str) -> pl.Expr:
    """Whether the row before is of the same."""
    return pl.col(name) == previous(name)


def is_within(seconds: int) -> pl.Expr:
    """Whether the event before is not longer ago. Clocks of old games run backwards here and there: not known."""
    return pl.col("seconds_since_previous_event").is_between(0, seconds)


def is_shot() -> pl.Expr:
    """Whether a row can be a rebound or a rush: an unblocked attempt in play."""
    return pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot")


def is_rebound(shots: tuple[str, ...]) -> pl.Expr:
    """Whether a shot follows an attempt of the same team by three seconds at most."""
    after = previous("event").is_in(shots) & same("acting_team_id") & ~previous("is_penalty_shot")
    return (is_shot() & after & is_within(REBOUND_S)).fill_null(value=False)


def is_rush() -> pl.Expr:
    """Whether a shot follows an event outside the shooters' offensive zone by four seconds at most, in live play."""
    theirs = pl.when(same("is_home")).then(previous("zone") != "O").otherwise(previous("zone") != "D")
    return (is_shot() & ~previous("event").is_in(DEAD) & theirs & is_within(RUSH_S)).fill_null(value=False)
