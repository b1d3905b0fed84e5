"""Shift reports: HTML pages with every shift of a team's players.

A report is a table. Each player has a heading cell "97 SURNAME, FIRST", then a row of six cells for each shift, then a
row of seven cells for each period and one for the game.
"""

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.hockey.names import parse_listed_name
from nhl_lake.schema import columns as c

SHIFT_CELLS, SUM_CELLS = 6, 7
SHIFT, PERIOD, GAME = "shift", "period", "game"
ROUNDING_S = 1
LINES_DTYPE = pl.List(pl.Struct({"player": pl.String, "cells": pl.List(pl.String)}))


def parse_report_lines(report: pl.LazyFrame) -> pl.LazyFrame:
    """One row per line: a shift, or the printed total of a player's period or game.

    `player` is the heading, with `sweater_number` and `listed_name` parsed from it; `row` is the number of the line on
    its page. Seconds of a shift count from the start of its period. `printed_seconds` is the length of a shift, or the
    time on ice of a period or game, which is also split by strength. A text that is not a clock is null. A shift with a
    blank period gets the period that the lines around it imply, if only one is possible.
    """
    shift = pl.col("cells").list.len() == SHIFT_CELLS
    label = pl.when(shift).then(get_cell(1)).otherwise(get_cell(0))
    return (
        report.select("season", "game_id", line=pl.col("body").map_batches(parse_reports, return_dtype=LINES_DTYPE))
        .with_columns(row=pl.int_ranges(pl.col("line").list.len()))
        .explode("line", "row")
        .unnest("line")
        .filter(shift & get_cell(0).str.contains(r"^\d+$") | parse_clock(get_cell(3)).is_not_null())
        .select(
            "season",
            "game_id",
            "row",
            "player",
            line=pl.when(shift).then(pl.lit(SHIFT)).when(label == "TOT").then(pl.lit(GAME)).otherwise(pl.lit(PERIOD)),
            sweater_number=pl.col("player").str.extract(r"^(\d+) ").cast(c.sweater_number.dtype),
            listed_name=parse_listed_name(pl.col("player")),
            period=parse_period(label),
            is_blank=shift & (label == ""),
            start_seconds=pl.when(shift).then(parse_clock(get_elapsed_clock(get_cell(2)))),
            end_seconds=pl.when(shift).then(parse_clock(get_elapsed_clock(get_cell(3)))),
            printed_seconds=parse_clock(pl.when(shift).then(get_cell(4)).otherwise(get_cell(3))),
            even_strength_s=pl.when(~shift).then(parse_clock(get_cell(4))),
            power_play_s=pl.when(~shift).then(parse_clock(get_cell(5))),
            shorthanded_s=pl.when(~shift).then(parse_clock(get_cell(6))),
        )
        .pipe(fill_blank_periods)
    )


def fill_blank_periods(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Fill the period of each shift that has a blank one, if only one period is possible.

    That is the only period whose printed total has room for the shift, or the only one that it fits exactly. Otherwise
    it follows from the shifts around it, because their clocks count up within a period.
    """
    lines = lines.cache()
    blank = lines.filter("is_blank").select("game_id", "player", "row", length="printed_seconds").cache()
    fits = (
        blank.join(compute_unlisted_time(lines), on=["game_id", "player"])
        .filter(pl.col("room") >= pl.col("length") - ROUNDING_S)
        .with_columns(is_exact=pl.col("room") <= pl.col("length") + ROUNDING_S)
        .group_by("game_id", "row")
        .agg(get_only_value("period").alias("by_room"), get_only_value("period", "is_exact").alias("by_sum"))
    )
    around = infer_periods_from_neighbours(lines).filter("is_blank").select("game_id", "row", "by_order")
    by = ("by_room", "by_sum", "by_order")
    return (
        lines.join(fits, on=["game_id", "row"], how="left", validate="m:1", maintain_order="left")
        .join(around, on=["game_id", "row"], how="left", validate="m:1", maintain_order="left")
        .with_columns(period=pl.coalesce("period", *(pl.when("is_blank").then(name) for name in by)))
        .drop("is_blank", *by)
    )


def compute_unlisted_time(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player and period with a printed total: how much of it is not listed (`room`)."""
    period = ("game_id", "player", "period")
    totals = lines.filter(pl.col("line") == PERIOD).group_by(period).agg(pl.first("printed_seconds").alias("total"))
    listed = lines.filter(pl.col("line") == SHIFT).group_by(period).agg(pl.sum("printed_seconds").alias("listed"))
    found = totals.join(listed, on=period, how="left", validate="1:1")
    return found.select(*period, room=pl.col("total") - pl.col("listed").fill_null(0))


def get_only_value(name: str, condition: str | None = None) -> pl.Expr:
    """Return the value of a group if it has only one distinct value (among the rows that meet a condition)."""
    values = pl.col(name).filter(condition) if condition else pl.col(name)
    return pl.when(values.n_unique() == 1).then(values.first())


def infer_periods_from_neighbours(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Add to each shift the period that the player's shifts above and below it imply; null if several are possible."""
    player, columns = ("game_id", "player"), ("period", "start_seconds")
    shifts = lines.filter(pl.col("line") == SHIFT).sort("game_id", "row")
    known = {name: pl.when(pl.col("period").is_not_null()).then(name) for name in columns}
    above, below = (
        {name: fill(value).over(player) for name, value in known.items()}
        for fill in (pl.Expr.forward_fill, pl.Expr.backward_fill)
    )
    # within a period the clock counts up
    first = above["period"] + (pl.col("start_seconds") <= above["start_seconds"]).cast(pl.Int64)
    last = below["period"] - (pl.col("start_seconds") >= below["start_seconds"]).cast(pl.Int64)
    return shifts.with_columns(by_order=pl.when(first.fill_null(1) == last).then(last))


def parse_reports(bodies: pl.Series) -> pl.Series:
    """Return the lines of each report."""
    return pl.Series(bodies.name, [parse_report(body) for body in bodies], LINES_DTYPE)


def parse_report(body: str) -> list[dict[str, object]]:
    """Return the lines of a report, each with its player's heading."""
    found: list[dict[str, object]] = []
    player = None
    for row in LexborHTMLParser(body).css("tr"):
        cells = [node for node in row.iter() if node.tag == "td"]
        if len(cells) == 1 and "playerHeading" in (cells[0].attributes.get("class") or ""):
            player = get_cell_text(cells[0])
        elif player is not None and len(cells) in {SHIFT_CELLS, SUM_CELLS}:
            found.append({"player": player, "cells": [get_cell_text(node) for node in cells]})
    return found


def get_cell_text(node: LexborNode) -> str:
    """Return the text of a cell, with each run of whitespace as one space."""
    return " ".join(node.text().split())


def get_cell(number: int) -> pl.Expr:
    """Return the text of a line's cell."""
    return pl.col("cells").list.get(number, null_on_oob=True)


def get_elapsed_clock(times: pl.Expr) -> pl.Expr:
    """Return the elapsed time of "elapsed / remaining"."""
    return times.str.split("/").list.first()


def parse_period(label: pl.Expr) -> pl.Expr:
    """Return the number of a period: OT is 4, 2OT is 5; null for a shootout."""
    overtime = label.str.extract(r"^(\d*)OT$")
    return pl.coalesce(
        label.str.extract(r"^(\d+)$").cast(pl.Int64),
        3 + pl.when(overtime == "").then(1).otherwise(overtime.cast(pl.Int64, strict=False)),
    )
