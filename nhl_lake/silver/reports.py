"""Shift reports: HTML pages with every shift of a team's players, read cell by cell.

A report is a table: a cell "97 SURNAME, FIRST" over each player, then a row of six cells for each shift, then a row of
seven cells for each period and one for the game.
"""

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from nhl_lake import columns as c
from nhl_lake.hockey.clock_text import seconds

SHIFT_CELLS, SUM_CELLS = 6, 7
SHIFT, PERIOD, GAME = "shift", "period", "game"
LINES = pl.List(pl.Struct({"player": pl.String, "cells": pl.List(pl.String)}))


def report_lines(report: pl.LazyFrame) -> pl.LazyFrame:
    """One row a line: a shift, or what is printed under a player's shifts of a period or of the game.

    Players by sweater number; `row` is the number of the line on its page. Seconds of a shift are those since its
    period began; `printed_seconds` is its length, or the time on ice in that period or game, which is also split by
    strength. Null where the text is not a clock.
    """
    shift = pl.col("cells").list.len() == SHIFT_CELLS
    label = pl.when(shift).then(cell(1)).otherwise(cell(0))
    return (
        report.select("season", "game_id", line=pl.col("body").map_batches(read, return_dtype=LINES))
        .with_columns(row=pl.int_ranges(pl.col("line").list.len()))
        .explode("line", "row")
        .unnest("line")
        .filter(shift & cell(0).str.contains(r"^\d+$") | seconds(cell(3)).is_not_null())
        .select(
            "season",
            "game_id",
            "row",
            line=pl.when(shift).then(pl.lit(SHIFT)).when(label == "TOT").then(pl.lit(GAME)).otherwise(pl.lit(PERIOD)),
            sweater_number=pl.col("player").str.extract(r"^(\d+) ").cast(c.sweater_number.dtype),
            period=period_number(label),
            start_seconds=pl.when(shift).then(seconds(elapsed(cell(2)))),
            end_seconds=pl.when(shift).then(seconds(elapsed(cell(3)))),
            printed_seconds=seconds(pl.when(shift).then(cell(4)).otherwise(cell(3))),
            even_strength_s=pl.when(~shift).then(seconds(cell(4))),
            power_play_s=pl.when(~shift).then(seconds(cell(5))),
            shorthanded_s=pl.when(~shift).then(seconds(cell(6))),
        )
    )


def read(bodies: pl.Series) -> pl.Series:
    """Read the lines of reports."""
    return pl.Series(bodies.name, [lines(body) for body in bodies], LINES)


def lines(body: str) -> list[dict[str, object]]:
    """Read the lines of a report, each with the heading of its player."""
    found: list[dict[str, object]] = []
    player = None
    for row in LexborHTMLParser(body).css("tr"):
        cells = [node for node in row.iter() if node.tag == "td"]
        if len(cells) == 1 and "playerHeading" in (cells[0].attributes.get("class") or ""):
            player = words(cells[0])
        elif player is not None and len(cells) in {SHIFT_CELLS, SUM_CELLS}:
            found.append({"player": player, "cells": [words(node) for node in cells]})
    return found


def words(node: LexborNode) -> str:
    """Return the text of a cell; spaces of any kind and number are one."""
    return " ".join(node.text().split())


def cell(number: int) -> pl.Expr:
    """Return the text of a cell of a line."""
    return pl.col("cells").list.get(number, null_on_oob=True)


def elapsed(times: pl.Expr) -> pl.Expr:
    """Return the clock text that counts up, of "elapsed / left"."""
    return times.str.split("/").list.first()


def period_number(label: pl.Expr) -> pl.Expr:
    """Return the number of a period; OT is the fourth, 2OT the fifth; null for a shoot-out."""
    overtime = label.str.extract(r"^(\d*)OT$")
    return pl.coalesce(
        label.str.extract(r"^(\d+)$").cast(pl.Int64),
        3 + pl.when(overtime == "").then(1).otherwise(overtime.cast(pl.Int64, strict=False)),
    )
