"""Shifts: when each player was on the ice."""

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import CHART, LISTED_SHIFTS, MAX_PERIOD_S
from nhl_lake.silver.parsing.shift_reports import PERIOD, SHIFT

REPORT = "report"
FULL_STRENGTH_SKATERS = 5
MIN_CHART_SHARE = 0.95  # a chart with a smaller share of the reports' ice time is incomplete
MAX_CHART_GAP_S = 60  # so is a chart that lacks more ice time than this, over all players
SHIFT_KEY = ("game_id", "shift_source", "player_id", "period")


def shifts(listed_shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shift of a dressed player in a final game, with its start and its exclusive end in the period.

    From the shift chart, or from both teams' HTML reports if the chart is empty or incomplete. Goals among the shifts,
    repeated rows, rows without an end, and rows of unknown players are left out; overlapping rows are one shift. If a
    report has only the total of a goalie's period, the shift is inferred (`listed_rows` is 0): the goalie played from
    the start of the period, and the time without the goalie is the end of the period or the last extra attacker.
    """
    listed = listed_shifts.with_columns(listed_rows=pl.lit(1)).cache()
    candidates = pl.concat(
        [listed.filter(pl.col("line") == SHIFT), infer_shifts_from_sums(listed, lineups)], how="diagonal_relaxed"
    )
    merged = merge_overlaps(candidates).cache()
    return merged.join(choose_shift_sources(merged), on=["game_id", "shift_source"], how="semi").select(
        list(SHIFTS.schema)
    )


def merge_overlaps(listed: pl.LazyFrame) -> pl.LazyFrame:
    """Merge overlapping shifts of a player. A shift that starts when another ends stays separate."""
    source = pl.when(pl.col("page") == CHART).then(pl.lit(CHART)).otherwise(pl.lit(REPORT))
    latest = pl.col("end_seconds").cum_max().shift(1).over(SHIFT_KEY)
    return (
        listed.filter((pl.col("line") == SHIFT) & pl.col("fault").is_null())
        .with_columns(shift_source=source)
        .sort(*SHIFT_KEY, "start_seconds")
        .with_columns(shift=(pl.col("start_seconds") < latest).fill_null(value=False).not_().cum_sum().over(SHIFT_KEY))
        .group_by(*SHIFT_KEY, "shift")
        .agg(pl.first("season", "team_id"), pl.min("start_seconds"), pl.max("end_seconds"), pl.sum("listed_rows"))
    )


def infer_shifts_from_sums(listed: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shift inferred from the total of a period in a report, for players without listed shifts in it.

    A total that is the full period is one shift, for any player. A goalie may have played less: between the shifts of
    the team's other goalies, except for one stretch without a goalie. That stretch ends when the last sixth skater
    leaves, or with the period.
    """
    line = pl.col("line")
    report = listed.filter(pl.col("page") != CHART).join(
        lineups.select("game_id", "player_id", is_goalie=pl.col("position").eq_missing("G")),
        on=["game_id", "player_id"],
        validate="m:1",
    )
    valid = report.filter((line == SHIFT) & pl.col("fault").is_null()).cache()
    lengths = valid.group_by("game_id", "period").agg(period_end=pl.max("end_seconds"))
    totals = (
        report.filter((line == PERIOD) & (pl.col("printed_seconds") > 0))
        .join(valid, on=["game_id", "player_id", "period"], how="anti")
        .join(lengths, on=["game_id", "period"], validate="m:1")
        .filter(pl.col("is_goalie") | (pl.col("printed_seconds") == pl.col("period_end")))
        .cache()
    )
    team = ["game_id", "team_id", "period"]
    other_goalies = (
        valid.filter("is_goalie")
        .group_by(team)
        .agg(others_start=pl.min("start_seconds"), others_end=pl.max("end_seconds"))
    )
    first = pl.when(pl.col("others_start") == 0).then("others_end").otherwise(0)
    last = pl.when(pl.col("others_start") > 0).then("others_start").otherwise("period_end")
    out = pl.max_horizontal(last - first - pl.col("printed_seconds"), 0)
    back = pl.max_horizontal(pl.min_horizontal(pl.col("back").fill_null(last), last), first + out)
    inferred = (pl.struct(start_seconds=first, end_seconds=back - out), pl.struct(start_seconds=back, end_seconds=last))
    return (
        totals.join(other_goalies, on=team, how="left", validate="m:1")
        .join(find_sixth_skaters(valid, totals, team), on=team, how="left", validate="m:1")
        .with_columns(line=pl.lit(SHIFT), listed_rows=pl.lit(0), inferred=pl.concat_list(inferred))
        .drop("start_seconds", "end_seconds")
        .explode("inferred")
        .unnest("inferred")
        .filter(pl.col("start_seconds") < pl.col("end_seconds"))
    )


def find_sixth_skaters(valid: pl.LazyFrame, totals: pl.LazyFrame, team: list[str]) -> pl.LazyFrame:
    """One row per team and period with six skaters on the ice at once: when the last such stretch ended (`back`)."""
    skaters = valid.filter(~pl.col("is_goalie")).join(totals, on=team, how="semi")
    changes = pl.concat(
        skaters.select(*team, second=side, step=pl.lit(step))
        for side, step in (("start_seconds", 1), ("end_seconds", -1))
    )
    return (
        changes.group_by(*team, "second")
        .agg(pl.sum("step"))
        .sort(*team, "second")
        .with_columns(skaters=pl.col("step").cum_sum().over(team))
        .with_columns(before=pl.col("skaters").shift(1).over(team))
        .filter((pl.col("before") > FULL_STRENGTH_SKATERS) & (pl.col("skaters") <= FULL_STRENGTH_SKATERS))
        .group_by(team)
        .agg(back=pl.max("second"))
    )


def choose_shift_sources(found: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game: the source of its shifts. The reports are used if the chart is empty or incomplete."""
    seconds_in = {
        source: (pl.col("end_seconds") - pl.col("start_seconds")).filter(pl.col("shift_source") == source).sum()
        for source in (CHART, REPORT)
    }
    is_complete = pl.col(CHART) >= pl.max_horizontal(MIN_CHART_SHARE * pl.col(REPORT), pl.col(REPORT) - MAX_CHART_GAP_S)
    return (
        found.group_by("game_id")
        .agg(**seconds_in)
        .select("game_id", shift_source=pl.when(is_complete).then(pl.lit(CHART)).otherwise(pl.lit(REPORT)))
    )


SHIFTS = Table(
    name="silver.shifts",
    grain="one shift of a player",
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
        Column(
            "listed_rows",
            pl.Int16,
            "Number of rows of the source merged into this shift; 0 if inferred from a total",
        ),
    ),
    chunk_key="game_id",
    inputs=(LISTED_SHIFTS, LINEUPS),
    source=shifts,
    checks={
        "a shift ends after it starts, within its period": (pl.col("start_seconds") >= 0)
        & (pl.col("start_seconds") < pl.col("end_seconds"))
        & (pl.col("end_seconds") <= MAX_PERIOD_S),
    },
)
