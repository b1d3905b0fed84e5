"""Line changes: stretches without one, and whether an event is before or after one.

A shift covers the seconds from its start to its end, exclusive. At a whistle some shifts end and others start in the
same second. The events before the whistle belong to the players who leave, the faceoff to those who come on.
"""

import polars as pl

STOPPAGE_EVENTS = ("goal", "penalty", "stoppage", "period-end", "game-end")
EVENTS_BEFORE_CHANGE = (*STOPPAGE_EVENTS, "delayed-penalty")  # a goalie leaves only after the delayed penalty
PERIOD_KEY = ("game_id", "period")


def split_at_changes(shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Cut each period wherever a shift starts or ends: one row per stretch, in order and numbered; the last has no end.

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


def expand_shifts(shifts: pl.LazyFrame, stretches: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """One row per shift and stretch within it (`stretch`), with some columns of the shift, in their order."""
    first = stretches.select(*PERIOD_KEY, "start_seconds", first="stretch")
    last = stretches.select(*PERIOD_KEY, end_seconds="start_seconds", last="stretch")
    return (
        shifts.join(first, on=[*PERIOD_KEY, "start_seconds"], validate="m:1", maintain_order="left")
        .join(last, on=[*PERIOD_KEY, "end_seconds"], validate="m:1", maintain_order="left")
        .select(*columns, stretch=pl.int_ranges("first", "last", dtype=pl.get_index_type()))
        .explode("stretch")
    )


def is_before_change() -> pl.Expr:
    """Whether an event of `plays` belongs to the players who leave in its second, not to those who come on.

    True for events that stop play, for delayed penalties, and for events before the faceoff of the second, or before
    its last stoppage if no faceoff follows. False in second 0 of a period. Null without a time.
    """
    second, order = (*PERIOD_KEY, "period_seconds"), pl.col("event_number")
    faceoff = order.filter(pl.col("event") == "faceoff").min().over(second)
    last_stop = order.filter(pl.col("event").is_in(STOPPAGE_EVENTS)).max().over(second)
    before = pl.col("event").is_in(EVENTS_BEFORE_CHANGE) | (order < pl.coalesce(faceoff, last_stop)).fill_null(
        value=False
    )
    return before & (pl.col("period_seconds") > 0)


def count_players_on_ice(plays: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Add the number of players on the ice by the shifts: `home_skaters_on`, `home_goalies_on`, and those of away.

    The numbers are null before the first shift of the period. `shifts` have `is_home` and `is_goalie`.
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
    # time in half seconds: an event before the line change of its second belongs to the shifts that end there
    moment = 2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32)
    return (
        plays.with_columns(pl.col(PERIOD_KEY).cast(pl.Int64), moment=moment.cast(pl.Int32))
        .sort("moment")
        .join_asof(
            changes.with_columns(pl.col("moment").cast(pl.Int32)), on="moment", by=PERIOD_KEY, check_sortedness=False
        )
        .drop("moment")
    )
