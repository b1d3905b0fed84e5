"""The order of the events of a game."""

import polars as pl

FIRST_IN_ORDER = 20192020  # pages before that are not in the order of the clock
PERIOD = ("game_id", "period")
STOPS = ("goal", "penalty", "stoppage")
START, BEFORE, FACEOFF, END, GAME_END = range(5)


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
        .with_columns(clock=pl.when(is_out_of_order()).then(known_seconds()))
        .with_columns(place=pl.when(is_out_of_order()).then(place_in_second()))
        .with_columns(of_period=pl.when(is_out_of_order()).then("period"))
        .sort("game_id", "of_period", "clock", "place", "sort_order", "event_id")
        .with_columns(event_number=pl.int_range(1, pl.len() + 1).over("game_id"))
        .drop("of_period", "clock", "place")
    )


def is_out_of_order() -> pl.Expr:
    """Whether an event's page is of a season whose pages do not follow the clock."""
    return pl.col("season") < FIRST_IN_ORDER


def known_seconds() -> pl.Expr:
    """Return the second of each row of frames in order; where it is unknown, that of the row before in its period."""
    known = pl.when(pl.col("period_type") != "SO").then("period_seconds")
    return known.forward_fill().over(PERIOD).fill_null(0)


def place_in_second() -> pl.Expr:
    """Return where in its second (`clock`) an event belongs: rows of one place keep the page's order."""
    event, order = pl.col("event"), pl.col("sort_order")
    faceoff = order.filter(event == "faceoff")
    only = pl.when(faceoff.len() == 1).then(faceoff.min()).over(*PERIOD, "clock")
    return (
        pl.when(event == "period-start")
        .then(START)
        .when(event == "game-end")
        .then(GAME_END)
        .when(event.is_in(("period-end", "shootout-complete")))
        .then(END)
        .when((order >= only) & ~(event.is_in(STOPS) & pl.col("period_seconds").is_not_null()))
        .then(FACEOFF)
        .otherwise(BEFORE)
    )
