"""Who is on the ice: stretches without a change, and on which side of a change an event stands.

A shift is the seconds from its start until before its end. Players who change at a whistle end and begin in the same
second, that of the whistle; what happened before it belongs to those who leave, the faceoff to those who come.
"""

import polars as pl

STOPPAGE_EVENTS = ("goal", "penalty", "stoppage", "period-end", "game-end")
EVENTS_BEFORE_CHANGE = (
    *STOPPAGE_EVENTS,
    "delayed-penalty",
)  # the arm goes up, and only then a goalie leaves for an extra skater
PERIOD_KEY = ("game_id", "period")


def split_at_changes(shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Cut each period wherever a shift starts or ends: one row a stretch, in order and numbered; the last has no end.

    A number is that of one stretch of all, so that joins and groups by it are of one column.
    """
    bounds = pl.concat(shifts.select(*PERIOD_KEY, start_seconds=second) for second in ("start_seconds", "end_seconds"))
    # no windows: that takes four times as long
    is_same_period = pl.all_horizontal(pl.col(PERIOD_KEY).shift(-1) == pl.col(PERIOD_KEY))
    end_seconds = pl.when(is_same_period).then(pl.col("start_seconds").shift(-1))
    return (
        bounds.unique()
        .sort(*PERIOD_KEY, "start_seconds")
        .with_columns(end_seconds=end_seconds)
        .with_row_index("stretch")
    )


def expand_shifts(shifts: pl.LazyFrame, stretches: pl.LazyFrame, *beside: str) -> pl.LazyFrame:
    """One row a stretch of a shift, by its number, with columns of the shift beside it; in the order of the shifts."""
    first = stretches.select(*PERIOD_KEY, "start_seconds", first="stretch")
    last = stretches.select(*PERIOD_KEY, end_seconds="start_seconds", last="stretch")
    return (
        shifts.join(first, on=[*PERIOD_KEY, "start_seconds"], validate="m:1", maintain_order="left")
        .join(last, on=[*PERIOD_KEY, "end_seconds"], validate="m:1", maintain_order="left")
        .select(*beside, stretch=pl.int_ranges("first", "last", dtype=pl.get_index_type()))
        .explode("stretch")
    )


def is_before_change() -> pl.Expr:
    """Whether an event of `plays` belongs to those who were on until its second, not to those who come on in it.

    So it is with what stops play, with a referee's raised arm, and with all that stands before the second's faceoff, or
    before its last stop where no faceoff follows. Nobody is on the ice before a period. Unknown without a time.
    """
    second, order = (*PERIOD_KEY, "period_seconds"), pl.col("event_number")
    faceoff = order.filter(pl.col("event") == "faceoff").min().over(second)
    last_stop = order.filter(pl.col("event").is_in(STOPPAGE_EVENTS)).max().over(second)
    before = pl.col("event").is_in(EVENTS_BEFORE_CHANGE) | (order < pl.coalesce(faceoff, last_stop)).fill_null(
        value=False
    )
    return before & (pl.col("period_seconds") > 0)


def count_players_on_ice(plays: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Add to each event the players on the ice by the shifts: `home_skaters_on`, `home_goalies_on`, … of away.

    They are null where the shifts have nobody on the ice yet. `shifts` have `is_home` and `is_goalie`.
    """
    is_home, is_goalie = pl.col("is_home"), pl.col("is_goalie")
    groups = {
        "home_skaters_on": is_home & ~is_goalie,
        "home_goalies_on": is_home & is_goalie,
        "away_skaters_on": ~is_home & ~is_goalie,
        "away_goalies_on": ~is_home & is_goalie,
    }
    steps = (
        shifts.select(
            *(pl.col(name).cast(pl.Int64) for name in PERIOD_KEY), moment=2 * pl.col(second), by=pl.lit(step), **groups
        )
        for second, step in (("start_seconds", 1), ("end_seconds", -1))
    )
    changes = (
        pl.concat(steps)
        .group_by(*PERIOD_KEY, "moment")
        .agg((pl.col("by") * pl.col(name)).sum().alias(name) for name in groups)
        .sort(*PERIOD_KEY, "moment")
        .with_columns(pl.col(*groups).cum_sum().over(PERIOD_KEY))
        .sort("moment")
    )
    # halves: an event before the change of its second is of those whose shifts end there
    moment = 2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32)
    return (
        plays.with_columns(pl.col(PERIOD_KEY).cast(pl.Int64), moment=moment.cast(pl.Int32))
        .sort("moment")
        .join_asof(
            changes.with_columns(pl.col("moment").cast(pl.Int32)), on="moment", by=PERIOD_KEY, check_sortedness=False
        )
        .drop("moment")
    )
