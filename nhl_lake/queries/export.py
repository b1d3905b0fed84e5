"""Tables of the lake as files that other programs read: Parquet, CSV, JSON, SQLite, Excel, DuckDB.

A file is written whole or not at all. What a format cannot hold is said, never cut: nested columns become JSON text
where there are none.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import polars.selectors as cs

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.queries import duckdb_views, sql
from nhl_lake.queries.moneypuck import Named
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

SHEET_ROWS, CELL = 1_048_575, 32_767
SQLITE = {
    pl.Float64: "REAL",
    pl.String: "TEXT",
    pl.Date: "TEXT",
    pl.Datetime: "TEXT",
}  # whole numbers and yes or no: INTEGER
PLAIN: dict[Any, str] = dict.fromkeys((pl.Int16, pl.Int32, pl.Int64), "0")
Rows = Callable[[Named], pl.LazyFrame]


class Exported(NamedTuple):
    """A table that was exported: its rows, and the file that they are in."""

    table: str
    rows: int
    file: Path


def save(rows: pl.LazyFrame, file: Path, kind: str) -> None:
    """Write rows into a file of one of the formats for rows: parquet, csv, json."""
    with whole(file) as draft:
        SINKS[kind](rows, draft)


def export(root: Place, tables: Sequence[Named], kind: str, to: Path, *, seasons: Sequence[int]) -> Iterator[Exported]:
    """Write tables into a folder, a file each, or all into one file, by the format; of all seasons or of some."""

    def rows(table: Named) -> pl.LazyFrame:
        found = delta_tables.scan(root, table) if isinstance(table, Table) else sql.viewed(root, table)
        return found.filter(pl.col(table.partition).is_in(list(seasons))) if seasons and table.partition else found

    if kind in BOOKS:
        with whole(to) as draft:
            made = [Exported(table.name, count, to) for table, count in BOOKS[kind](draft, tables, rows)]
        yield from made
        return
    for table in tables:
        file = to if to.suffix == f".{kind}" else to / f"{table.name}.{kind}"
        save(rows(table), file, kind)
        yield Exported(table.name, rows(table).select(pl.len()).collect().item(), file)


def require_new(files: Sequence[Path], *, replace: bool) -> None:
    """Raise if files that are to be written are there already, unless they may be replaced."""
    there = [file for file in files if file.exists()]
    if there and (not replace or there[0].is_dir()):
        raise BadInput(f"{there[0]} is there already.", "Give another name, or say --replace if the file may go.")


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Give a draft to write into, which becomes the file if all goes well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        yield draft
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def flat(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Put nested columns into JSON text."""
    return rows.with_columns(cs.nested().map_batches(texts, return_dtype=pl.String))


def texts(column: pl.Series) -> pl.Series:
    """Return a nested column as JSON text; null stays null."""
    values = (value.to_list() if isinstance(value, pl.Series) else value for value in column)
    found = [None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in values]
    return pl.Series(column.name, found, dtype=pl.String)


def as_json(rows: pl.LazyFrame, file: Path) -> None:
    """Write rows as a list of objects; days and instants as text."""
    file.write_text(json.dumps(rows.collect().to_dicts(), indent=2, default=str, ensure_ascii=False) + "\n")


def sheets(file: Path, tables: Sequence[Named], rows: Rows) -> Iterator[tuple[Named, int]]:
    """Write a sheet a table. Instants lose their zone, which is UTC; ids are shown without separators."""
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415 - only who wants Excel waits for it

    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for table in tables:
            found = flat(rows(table)).with_columns(cs.datetime().dt.replace_time_zone(None)).collect()
            require_fits(table, found)
            found.write_excel(book, table.name, dtype_formats=PLAIN, autofit=found.height < 10_000)
            yield table, found.height


def require_fits(table: Named, rows: pl.DataFrame) -> None:
    """Raise if Excel would leave something out."""
    longest = rows.select(pl.max_horizontal(0, cs.string().str.len_chars().max())).item()
    if rows.height > SHEET_ROWS or longest > CELL:
        what = f"{rows.height:,} rows" if rows.height > SHEET_ROWS else f"texts of {longest:,} characters"
        raise LakeError(
            f"{table.name} has {what}: a sheet of Excel takes {SHEET_ROWS:,} rows, a cell {CELL:,} characters.",
            "Take fewer seasons (--season 2025), or --format csv, sqlite or duckdb.",
        )


def database(file: Path, tables: Sequence[Named], rows: Rows) -> Iterator[tuple[Named, int]]:
    """Write an SQLite table for each: `gold.skater_game` as gold_skater_game. Days and instants (UTC) are text."""
    with closing(sqlite3.connect(file)) as connection:
        for table in tables:
            name = table.name.replace(".", "_")
            schema = flat(rows(table)).collect_schema()
            columns = ", ".join(f'"{column}" {SQLITE.get(type(dtype), "INTEGER")}' for column, dtype in schema.items())
            keyed = (
                f", PRIMARY KEY ({', '.join(table.key)})" if set(table.key) <= set(schema) else ""
            )  # not of old rows
            connection.execute(f'CREATE TABLE "{name}" ({columns}{keyed})')
            count = 0
            for part in parts(table, rows(table)):
                plain = flat(part).with_columns(
                    cs.datetime().dt.strftime("%Y-%m-%d %H:%M:%S%.6f"), cs.date().dt.strftime("%Y-%m-%d")
                )
                found = plain.collect()
                slots = ", ".join("?" * found.width)
                connection.executemany(f'INSERT INTO "{name}" VALUES ({slots})', found.iter_rows())
                count += found.height
            yield table, count
        connection.commit()


def parts(table: Named, rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield rows season by season, so that memory holds one of them."""
    if table.partition is None:
        yield rows
        return
    for season in rows.select(table.partition).unique().sort(table.partition).collect()[table.partition]:
        yield rows.filter(pl.col(table.partition).eq_missing(season))


SINKS: Mapping[str, Callable[[pl.LazyFrame, Path], object]] = {
    "parquet": lambda rows, file: rows.sink_parquet(file),
    "csv": lambda rows, file: flat(rows).sink_csv(file),
    "json": as_json,
}
BOOKS: Mapping[str, Callable[[Path, Sequence[Named], Rows], Iterator[tuple[Named, int]]]] = {
    "duckdb": duckdb_views.copies,
    "sqlite": database,
    "xlsx": sheets,
}
FORMATS = ("parquet", "csv", *BOOKS)
