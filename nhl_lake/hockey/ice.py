"""Who is on the ice: stretches without a change, and on which side of a change an event stands.

A shift is the seconds from its start until before its end. Players who change at a whistle end and begin in the same
second, that of the whistle; what happened before it belongs to those who leave, the faceoff to those who come.
"""

import polars as pl

STOPS = ("goal", "penalty", "stoppage", "period-end", "game-end")
OF_THE_OLD = (*STOPS, "delayed-penalty")  # the arm goes up, and only then a goalie leaves for an extra skater
PERIOD = ("game_id", "period")


def presence(shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player and stretch of his period in which nobody comes or goes: `start_seconds` to `end_seconds`.

    Stretches in which nobody at all is on the ice have no rows. `stretch` numbers those of a period, as in `stretches`.
    """
    parts = stretches(shifts)
    first = parts.select(*PERIOD, start_seconds="from_seconds", first="stretch")
    last = parts.select(*PERIOD, end_seconds="from_seconds", last="stretch")
    return (
        shifts.join(first, on=[*PERIOD, "start_seconds"], validate="m:1")
        .join(last, on=[*PERIOD, "end_seconds"], validate="m:1")
        .select(*PERIOD, "player_id", "team_id", stretch=pl.int_ranges("first", "last"))
        .explode("stretch")
        .join(parts, on=[*PERIOD, "stretch"], validate="m:1")
        .rename({"from_seconds": "start_seconds", "until_seconds": "end_seconds"})
    )


def stretches(shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Cut each period wherever a shift starts or ends: one row a stretch, in order; the last one has no end."""
    return (
        shifts.select(*PERIOD, from_seconds=pl.concat_list("start_seconds", "end_seconds"))
        .explode("from_seconds")
        .unique()
        .sort(*PERIOD, "from_seconds")
        .with_columns(
            until_seconds=pl.col("from_seconds").shift(-1).over(PERIOD),
            stretch=pl.int_range(pl.len()).over(PERIOD),
        )
    )


def before_the_change() -> pl.Expr:
    """Whether an event of `plays` belongs to those who were on until its second, not to those who come on in it.

    So it is with what stops play, with a referee's raised arm, and with all that stands before the second's faceoff, or
    before its last stop where no faceoff follows. Nobody is on the ice before a period.
    """
    second, order = (*PERIOD, "period_seconds"), pl.col("sort_order")
    faceoff = order.filter(pl.col("event") == "faceoff").min().over(second)
    last_stop = order.filter(pl.col("event").is_in(STOPS)).max().over(second)
    before = pl.col("event").is_in(OF_THE_OLD) | (order < pl.coalesce(faceoff, last_stop)).fill_null(value=False)
    return before & (pl.col("period_seconds") > 0)
