"""The order of the events of a game."""

import polars as pl

FIRST_ORDERED_SEASON = 20192020  # older pages do not follow the clock
PERIOD_KEY = ("game_id", "period")
WHISTLE_EVENTS = ("goal", "penalty", "stoppage")
PERIOD_START, BEFORE_FACEOFF, FACEOFF, PERIOD_END, GAME_END = range(5)


def number_events(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sort the events of each game and number them from 1 (`event_number`).

    Since 2019-20 the order is the page's own (`sort_order`). On older pages rows were often entered late: there the
    period comes first, then the clock, then, within a second, the page's order. Two exceptions are true of all newer
    games. First, events that stop play come before the faceoff of the same second, because the clock stands still in
    between. Second, the start of a period comes first and its end comes last. An event without a time follows the
    previous event of the page. A shootout has no clock.
    """
    return (
        events.sort("game_id", "sort_order", "event_id")
        .with_columns(clock=pl.when(is_out_of_order()).then(fill_unknown_seconds()))
        .with_columns(rank=pl.when(is_out_of_order()).then(rank_in_second()))
        .with_columns(sorted_period=pl.when(is_out_of_order()).then("period"))
        .sort("game_id", "sorted_period", "clock", "rank", "sort_order", "event_id")
        .with_columns(event_number=pl.int_range(1, pl.len() + 1).over("game_id"))
        .drop("sorted_period", "clock", "rank")
    )


def is_out_of_order() -> pl.Expr:
    """Whether an event is from a season whose pages do not follow the clock."""
    return pl.col("season") < FIRST_ORDERED_SEASON


def fill_unknown_seconds() -> pl.Expr:
    """Return the second of each row; if unknown, that of the previous row in the period. The rows must be in order."""
    known = pl.when(pl.col("period_type") != "SO").then("period_seconds")
    return known.forward_fill().over(PERIOD_KEY).fill_null(0)


def rank_in_second() -> pl.Expr:
    """Return the rank of an event within its second (`clock`). Rows of the same rank keep the page's order."""
    event, order = pl.col("event"), pl.col("sort_order")
    faceoff = order.filter(event == "faceoff")
    only_faceoff = pl.when(faceoff.len() == 1).then(faceoff.min()).over(*PERIOD_KEY, "clock")
    return (
        pl.when(event == "period-start")
        .then(PERIOD_START)
        .when(event == "game-end")
        .then(GAME_END)
        .when(event.is_in(("period-end", "shootout-complete")))
        .then(PERIOD_END)
        .when((order >= only_faceoff) & ~(event.is_in(WHISTLE_EVENTS) & pl.col("period_seconds").is_not_null()))
        .then(FACEOFF)
        .otherwise(BEFORE_FACEOFF)
    )
