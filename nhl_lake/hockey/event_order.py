"""The order of the events of a game."""

import polars as pl

FIRST_ORDERED_SEASON = 20192020  # pages before that are not in the order of the clock
PERIOD_KEY = ("game_id", "period")
WHISTLE_EVENTS = ("goal", "penalty", "stoppage")
PERIOD_START, BEFORE_FACEOFF, FACEOFF, PERIOD_END, GAME_END = range(5)


def number_events(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sort events into the order of the game, and number those of each game from 1 (`event_number`).

    Since 2019-20 that is the page's own order (`sort_order`). Before, rows were often entered late: what counts is the
    period, then the clock, then in one second the page's own order, with two exceptions that hold in all games since.
    What stops play comes before the faceoff of its second, since the clock stands still in between; a period's start
    comes first, its end last. An event whose clock is unknown follows the one that is before it on the page. A
    shoot-out has no clock.
    """
    return (
        events.sort("game_id", "sort_order", "event_id")
        .with_columns(clock=pl.when(is_out_of_order()).then(fill_unknown_seconds()))
        .with_columns(place=pl.when(is_out_of_order()).then(rank_in_second()))
        .with_columns(of_period=pl.when(is_out_of_order()).then("period"))
        .sort("game_id", "of_period", "clock", "place", "sort_order", "event_id")
        .with_columns(event_number=pl.int_range(1, pl.len() + 1).over("game_id"))
        .drop("of_period", "clock", "place")
    )


def is_out_of_order() -> pl.Expr:
    """Whether an event's page is of a season whose pages do not follow the clock."""
    return pl.col("season") < FIRST_ORDERED_SEASON


def fill_unknown_seconds() -> pl.Expr:
    """Return the second of each row of frames in order; where it is unknown, that of the row before in its period."""
    known = pl.when(pl.col("period_type") != "SO").then("period_seconds")
    return known.forward_fill().over(PERIOD_KEY).fill_null(0)


def rank_in_second() -> pl.Expr:
    """Return where in its second (`clock`) an event belongs: rows of one place keep the page's order."""
    event, order = pl.col("event"), pl.col("sort_order")
    faceoff = order.filter(event == "faceoff")
    only = pl.when(faceoff.len() == 1).then(faceoff.min()).over(*PERIOD_KEY, "clock")
    return (
        pl.when(event == "period-start")
        .then(PERIOD_START)
        .when(event == "game-end")
        .then(GAME_END)
        .when(event.is_in(("period-end", "shootout-complete")))
        .then(PERIOD_END)
        .when((order >= only) & ~(event.is_in(WHISTLE_EVENTS) & pl.col("period_seconds").is_not_null()))
        .then(FACEOFF)
        .otherwise(BEFORE_FACEOFF)
    )
