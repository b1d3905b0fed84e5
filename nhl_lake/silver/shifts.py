"""Shifts: who was on the ice, from when to when."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.silver.listed_shifts import CHART, LISTED_SHIFTS, LONGEST_PERIOD
from nhl_lake.silver.reports import SHIFT
from nhl_lake.table import Column, Table

REPORT = "report"
WHOLE = 0.95  # a chart with less ice time than this share of what the reports have is cut off
STAY = ("game_id", "shift_source", "player_id", "period")


def shifts(listed_shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row a stay on the ice of a dressed player in a final game: from a second of a period until before another.

    Left out: goals among the shifts, repeats, rows without an end, rows of strangers; what overlaps is one shift. From
    the shift chart; from the HTML reports of both teams where the chart has no shifts or is cut off.
    """
    clean = merged(listed_shifts).cache()
    return clean.join(sources(clean), on=["game_id", "shift_source"], how="semi").select(list(SHIFTS.schema))


def merged(listed: pl.LazyFrame) -> pl.LazyFrame:
    """Make one shift of those of a player that overlap; a shift that begins as another ends is another shift."""
    source = pl.when(pl.col("page") == CHART).then(pl.lit(CHART)).otherwise(pl.lit(REPORT))
    latest = pl.col("end_seconds").cum_max().shift(1).over(STAY)
    return (
        listed.filter((pl.col("line") == SHIFT) & pl.col("fault").is_null())
        .with_columns(shift_source=source)
        .sort(*STAY, "start_seconds")
        .with_columns(shift=(pl.col("start_seconds") < latest).fill_null(value=False).not_().cum_sum().over(STAY))
        .group_by(*STAY, "shift")
        .agg(pl.first("season", "team_id"), pl.min("start_seconds"), pl.max("end_seconds"), listed_rows=pl.len())
    )


def sources(clean: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game: the source of its shifts. The reports, if the chart has no shifts, or is cut off beside them."""
    seconds_in = {
        source: (pl.col("end_seconds") - pl.col("start_seconds")).filter(pl.col("shift_source") == source).sum()
        for source in (CHART, REPORT)
    }
    is_whole = pl.col(CHART) >= WHOLE * pl.col(REPORT)
    return (
        clean.group_by("game_id")
        .agg(**seconds_in)
        .select("game_id", shift_source=pl.when(is_whole).then(pl.lit(CHART)).otherwise(pl.lit(REPORT)))
    )


SHIFTS = Table(
    name="silver.shifts",
    grain="one stay of a player on the ice",
    key=("game_id", "player_id", "period", "start_seconds"),
    columns=(
        c.season,
        c.game_id,
        c.player_id,
        c.team_id,
        c.period,
        c.start_seconds,
        c.end_seconds,
        Column("shift_source", pl.String, "The shift chart, or the HTML reports", values=(CHART, REPORT)),
        Column("listed_rows", pl.Int16, "Rows of the source that are this shift; they overlap if there are several"),
    ),
    by="game_id",
    reads=(LISTED_SHIFTS,),
    source=shifts,
    checks={
        "a shift lasts, inside its period": (pl.col("start_seconds") >= 0)
        & (pl.col("start_seconds") < pl.col("end_seconds"))
        & (pl.col("end_seconds") <= LONGEST_PERIOD),
    },
)
