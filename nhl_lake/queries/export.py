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
from nhl_lake.queries.moneypuck import TableOrView
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MAX_SHEET_ROWS, MAX_CELL_LENGTH = 1_048_575, 32_767
SQLITE_TYPES = {
    pl.Float64: "REAL",
    pl.String: "TEXT",
    pl.Date: "TEXT",
    pl.Datetime: "TEXT",
}  # whole numbers and yes or no: INTEGER
NUMBER_FORMATS: dict[Any, str] = dict.fromkeys((pl.Int16, pl.Int32, pl.Int64), "0")
RowReader = Callable[[TableOrView], pl.LazyFrame]


class ExportedTable(NamedTuple):
    """A table that was exported: its rows, and the file that they are in."""

    table: str
    row_count: int
    file: Path


def save_rows(rows: pl.LazyFrame, file: Path, file_format: str) -> None:
    """Write rows into a file of one of the formats for rows: parquet, csv, json."""
    with write_atomically(file) as draft:
        ROW_WRITERS[file_format](rows, draft)


def export_tables(
    root: Location, tables: Sequence[TableOrView], file_format: str, target: Path, *, seasons: Sequence[int]
) -> Iterator[ExportedTable]:
    """Write tables into a folder, a file each, or all into one file, by the format; of all seasons or of some."""

    def rows(table: TableOrView) -> pl.LazyFrame:
        found = delta_tables.scan_table(root, table) if isinstance(table, Table) else sql.scan_view(root, table)
        return found.filter(pl.col(table.partition).is_in(list(seasons))) if seasons and table.partition else found

    if file_format in FILE_WRITERS:
        with write_atomically(target) as draft:
            made = [
                ExportedTable(table.name, count, target)
                for table, count in FILE_WRITERS[file_format](draft, tables, rows)
            ]
        yield from made
        return
    for table in tables:
        file = target if target.suffix == f".{file_format}" else target / f"{table.name}.{file_format}"
        save_rows(rows(table), file, file_format)
        yield ExportedTable(table.name, rows(table).select(pl.len()).collect().item(), file)


def require_new(files: Sequence[Path], *, replace: bool) -> None:
    """Raise if files that are to be written are there already, unless they may be replaced."""
    there = [file for file in files if file.exists()]
    if there and (not replace or there[0].is_dir()):
        raise BadInput(f"{there[0]} is there already.", "Give another name, or say --replace if the file may go.")


@contextmanager
def write_atomically(file: Path) -> Iterator[Path]:
    """Give a draft to write into, which becomes the file if all goes well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        yield draft
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def flatten_nested(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Put nested columns into JSON text."""
    return rows.with_columns(cs.nested().map_batches(encode_json, return_dtype=pl.String))


def encode_json(column: pl.Series) -> pl.Series:
    """Return a nested column as JSON text; null stays null."""
    values = (value.to_list() if isinstance(value, pl.Series) else value for value in column)
    found = [None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in values]
    return pl.Series(column.name, found, dtype=pl.String)


def write_json(rows: pl.LazyFrame, file: Path) -> None:
    """Write rows as a list of objects; days and instants as text."""
    file.write_text(json.dumps(rows.collect().to_dicts(), indent=2, default=str, ensure_ascii=False) + "\n")


def write_workbook(file: Path, tables: Sequence[TableOrView], rows: RowReader) -> Iterator[tuple[TableOrView, int]]:
    """Write a sheet a table. Instants lose their zone, which is UTC; ids are shown without separators."""
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415 - only who wants Excel waits for it

    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for table in tables:
            found = flatten_nested(rows(table)).with_columns(cs.datetime().dt.replace_time_zone(None)).collect()
            require_fits(table, found)
            found.write_excel(book, table.name, dtype_formats=NUMBER_FORMATS, autofit=found.height < 10_000)
            yield table, found.height


def require_fits(table: TableOrView, rows: pl.DataFrame) -> None:
    """Raise if Excel would leave something out."""
    longest = rows.select(pl.max_horizontal(0, cs.string().str.len_chars().max())).item()
    if rows.height > MAX_SHEET_ROWS or longest > MAX_CELL_LENGTH:
        what = f"{rows.height:,} rows" if rows.height > MAX_SHEET_ROWS else f"texts of {longest:,} characters"
        raise LakeError(
            f"{table.name} has {what}: a sheet of Excel takes {MAX_SHEET_ROWS:,} rows, "
            f"a cell {MAX_CELL_LENGTH:,} characters.",
            "Take fewer seasons (--season 2025), or --format csv, sqlite or duckdb.",
        )


def write_sqlite(file: Path, tables: Sequence[TableOrView], rows: RowReader) -> Iterator[tuple[TableOrView, int]]:
    """Write an SQLite table for each: `gold.skater_game` as gold_skater_game. Days and instants (UTC) are text."""
    with closing(sqlite3.connect(file)) as connection:
        for table in tables:
            name = table.name.replace(".", "_")
            schema = flatten_nested(rows(table)).collect_schema()
            columns = ", ".join(
                f'"{column}" {SQLITE_TYPES.get(type(dtype), "INTEGER")}' for column, dtype in schema.items()
            )
            keyed = (
                f", PRIMARY KEY ({', '.join(table.key)})" if set(table.key) <= set(schema) else ""
            )  # not of old rows
            connection.execute(f'CREATE TABLE "{name}" ({columns}{keyed})')
            count = 0
            for part in split_by_season(table, rows(table)):
                plain = flatten_nested(part).with_columns(
                    cs.datetime().dt.strftime("%Y-%m-%d %H:%M:%S%.6f"), cs.date().dt.strftime("%Y-%m-%d")
                )
                found = plain.collect()
                slots = ", ".join("?" * found.width)
                connection.executemany(f'INSERT INTO "{name}" VALUES ({slots})', found.iter_rows())
                count += found.height
            yield table, count
        connection.commit()


def split_by_season(table: TableOrView, rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield rows season by season, so that memory holds one of them."""
    if table.partition is None:
        yield rows
        return
    for season in rows.select(table.partition).unique().sort(table.partition).collect()[table.partition]:
        yield rows.filter(pl.col(table.partition).eq_missing(season))


ROW_WRITERS: Mapping[str, Callable[[pl.LazyFrame, Path], object]] = {
    "parquet": lambda rows, file: rows.sink_parquet(file),
    "csv": lambda rows, file: flatten_nested(rows).sink_csv(file),
    "json": write_json,
}
FILE_WRITERS: Mapping[str, Callable[[Path, Sequence[TableOrView], RowReader], Iterator[tuple[TableOrView, int]]]] = {
    "duckdb": duckdb_views.copy_tables,
    "sqlite": write_sqlite,
    "xlsx": write_workbook,
}
FORMATS = ("parquet", "csv", *FILE_WRITERS)
