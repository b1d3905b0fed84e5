"""What comes before a shot attempt: the previous event, the last stop of play, and the earlier shots of its flurry."""

import polars as pl

from nhl_lake.hockey.sequence import DEAD_PLAY_EVENTS

PERIOD_KEY = ("game_id", "period")
FLURRY_SECONDS = 10  # between two attempts of a flurry
FLURRY_KEY = ("game_id", "period", "acting_team_id", "play_number", "flurry")


def add_shot_context(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add the previous events, the time since the last stop, and the flurry of each attempt. Rows must be in order.

    Nothing that happens after an event is read: all of it is known when the puck leaves the stick.
    """
    stops = pl.col("event").is_in(DEAD_PLAY_EVENTS)
    return (
        plays.with_columns(
            is_own_previous_event=get_previous("acting_team_id") == pl.col("acting_team_id"),
            second_previous_event=get_previous("event", 2),
            seconds_since_stop=pl.col("period_seconds")
            - pl.when(stops).then("period_seconds").shift(1).forward_fill().over(PERIOD_KEY),
            # a goal stops play too, but for what follows: its own row must look like that of any other attempt
            play_number=stops.shift(1, fill_value=False).cum_sum().over(PERIOD_KEY),
        )
        .pipe(add_previous_location)
        .pipe(number_flurries)
    )


def get_previous(name: str, back: int = 1) -> pl.Expr:
    """Return a value of an earlier event of the period."""
    return pl.col(name).shift(back).over(PERIOD_KEY)


def add_previous_location(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add the location of the previous event, from the view of the acting team, and the way from there."""
    turned = pl.when("is_own_previous_event").then(1).when(~pl.col("is_own_previous_event")).then(-1)
    return plays.with_columns(
        previous_x_ft=get_previous("x_ft") * turned + 0.0,  # no -0.0
        previous_y_ft=get_previous("y_ft") * turned + 0.0,
    ).with_columns(
        feet_from_previous_event=(
            (pl.col("x_ft") - pl.col("previous_x_ft")) ** 2 + (pl.col("y_ft") - pl.col("previous_y_ft")) ** 2
        ).sqrt(),
    )


def number_flurries(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Add the flurry of each unblocked attempt, and its number in it, from 1.

    A flurry is a series of unblocked attempts of one team, each within ten seconds of the one before, without a stop.
    """
    is_in_flurry = pl.col("is_unblocked_attempt") & ~pl.col("is_penalty_shot")
    key = (*FLURRY_KEY[:-1], is_in_flurry)
    gap = pl.col("period_seconds") - pl.col("period_seconds").shift(1).over(key)
    is_first = gap.is_null() | ~gap.is_between(0, FLURRY_SECONDS)
    return plays.with_columns(flurry=pl.when(is_in_flurry).then(is_first.cum_sum().over(key))).with_columns(
        flurry_number=pl.when(is_in_flurry).then(pl.int_range(1, pl.len() + 1).over(FLURRY_KEY))
    )
