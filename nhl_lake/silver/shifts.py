"""Shifts: who was on the ice, from when to when."""

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import CHART, LISTED_SHIFTS, MAX_PERIOD_S
from nhl_lake.silver.parsing.shift_reports import PERIOD, SHIFT

REPORT = "report"
FULL_STRENGTH_SKATERS = 5
MIN_CHART_SHARE = 0.95  # a chart with less ice time than this share of what the reports have is cut off
MAX_CHART_GAP_S = 60  # and so is one that lacks more than this over all players
SHIFT_KEY = ("game_id", "shift_source", "player_id", "period")


def shifts(listed_shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row a stay on the ice of a dressed player in a final game: from a second of a period until before another.

    Left out: goals among the shifts, repeats, rows without an end, rows of strangers; what overlaps is one shift. From
    the shift chart; from the HTML reports of both teams where the chart has no shifts or is cut off. A goalie whose
    time in a period is printed there, but none of its shifts, was in from its start, and out before its end or before
    they came back for a sixth skater (`listed_rows` is 0).
    """
    listed = listed_shifts.with_columns(listed_rows=pl.lit(1)).cache()
    found = pl.concat(
        [listed.filter(pl.col("line") == SHIFT), infer_shifts_from_sums(listed, lineups)], how="diagonal_relaxed"
    )
    clean = merge_overlaps(found).cache()
    return clean.join(choose_shift_sources(clean), on=["game_id", "shift_source"], how="semi").select(
        list(SHIFTS.schema)
    )


def merge_overlaps(listed: pl.LazyFrame) -> pl.LazyFrame:
    """Make one shift of those of a player that overlap; a shift that begins as another ends is another shift."""
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
    """One row a shift of a player whose time in a period is printed in a report, but none of its shifts.

    A sum that is all of the period is one shift, whoever played it. A goalie may have played less: between the shifts
    of the team's other goalies, but for one stretch without him, which ends as the last sixth skater left, or with the
    period.
    """
    line = pl.col("line")
    report = listed.filter(pl.col("page") != CHART).join(
        lineups.select("game_id", "player_id", is_goalie=pl.col("position").eq_missing("G")),
        on=["game_id", "player_id"],
        validate="m:1",
    )
    good = report.filter((line == SHIFT) & pl.col("fault").is_null()).cache()
    whole = good.group_by("game_id", "period").agg(whole=pl.max("end_seconds"))
    sums = (
        report.filter((line == PERIOD) & (pl.col("printed_seconds") > 0))
        .join(good, on=["game_id", "player_id", "period"], how="anti")
        .join(whole, on=["game_id", "period"], validate="m:1")
        .filter(pl.col("is_goalie") | (pl.col("printed_seconds") == pl.col("whole")))
        .cache()
    )
    team = ["game_id", "team_id", "period"]
    others = good.filter("is_goalie").group_by(team).agg(came=pl.min("start_seconds"), left=pl.max("end_seconds"))
    first = pl.when(pl.col("came") == 0).then("left").otherwise(0)
    last = pl.when(pl.col("came") > 0).then("came").otherwise("whole")
    out = pl.max_horizontal(last - first - pl.col("printed_seconds"), 0)
    back = pl.max_horizontal(pl.min_horizontal(pl.col("back").fill_null(last), last), first + out)
    stays = (pl.struct(start_seconds=first, end_seconds=back - out), pl.struct(start_seconds=back, end_seconds=last))
    return (
        sums.join(others, on=team, how="left", validate="m:1")
        .join(find_sixth_skaters(good, sums, team), on=team, how="left", validate="m:1")
        .with_columns(line=pl.lit(SHIFT), listed_rows=pl.lit(0), stay=pl.concat_list(stays))
        .drop("start_seconds", "end_seconds")
        .explode("stay")
        .unnest("stay")
        .filter(pl.col("start_seconds") < pl.col("end_seconds"))
    )


def find_sixth_skaters(good: pl.LazyFrame, sums: pl.LazyFrame, team: list[str]) -> pl.LazyFrame:
    """One row a team and period with six skaters on the ice at once: when the last time ended."""
    skaters = good.filter(~pl.col("is_goalie")).join(sums, on=team, how="semi")
    moves = pl.concat(
        skaters.select(*team, second=side, more=pl.lit(more))
        for side, more in (("start_seconds", 1), ("end_seconds", -1))
    )
    return (
        moves.group_by(*team, "second")
        .agg(pl.sum("more"))
        .sort(*team, "second")
        .with_columns(skaters=pl.col("more").cum_sum().over(team))
        .with_columns(before=pl.col("skaters").shift(1).over(team))
        .filter((pl.col("before") > FULL_STRENGTH_SKATERS) & (pl.col("skaters") <= FULL_STRENGTH_SKATERS))
        .group_by(team)
        .agg(back=pl.max("second"))
    )


def choose_shift_sources(clean: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game: the source of its shifts. The reports, if the chart has no shifts, or is cut off beside them."""
    seconds_in = {
        source: (pl.col("end_seconds") - pl.col("start_seconds")).filter(pl.col("shift_source") == source).sum()
        for source in (CHART, REPORT)
    }
    is_whole = pl.col(CHART) >= pl.max_horizontal(MIN_CHART_SHARE * pl.col(REPORT), pl.col(REPORT) - MAX_CHART_GAP_S)
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
        Column(
            "listed_rows",
            pl.Int16,
            "Rows of the source that are this shift; they overlap if several are, and 0 is of a sum",
        ),
    ),
    chunk_key="game_id",
    inputs=(LISTED_SHIFTS, LINEUPS),
    source=shifts,
    checks={
        "a shift lasts, inside its period": (pl.col("start_seconds") >= 0)
        & (pl.col("start_seconds") < pl.col("end_seconds"))
        & (pl.col("end_seconds") <= MAX_PERIOD_S),
    },
)
