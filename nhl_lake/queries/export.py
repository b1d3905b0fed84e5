"""Tables of the lake as files that other programs read: Parquet, CSV, JSON, SQLite, Excel, DuckDB.

A file is written completely or not at all. Nothing is cut: data that a format cannot hold is an error, and nested
columns become JSON text in formats without them.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import polars.selectors as cs

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.queries import duckdb_views, sql
from nhl_lake.queries.targets import is_folder, write_atomically
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.queries.moneypuck import TableOrView

MAX_SHEET_ROWS, MAX_CELL_LENGTH = 1_048_575, 32_767
SQLITE_TYPES = {
    pl.Float64: "REAL",
    pl.String: "TEXT",
    pl.Date: "TEXT",
    pl.Datetime: "TEXT",
}  # integers and booleans: INTEGER
FORMULA_START = r"^[=+\-@\t\r\n＝＋－＠]"  # the wide signs too: some spreadsheets take them for the others
SIGNED_NUMBER = r"^[+-]\d[\d.:%]*$"
NUMBER_FORMATS: dict[Any, str] = dict.fromkeys((pl.Int16, pl.Int32, pl.Int64), "0")
RowReader = Callable[["TableOrView"], pl.LazyFrame]


class ExportedTable(NamedTuple):
    """An exported table: its rows, and the file that has them; None is standard output."""

    table: str
    row_count: int
    file: Location | None


def save_rows(rows: pl.LazyFrame, target: Location | None, file_format: str, *, raw_text: bool = False) -> None:
    """Write rows to a file or to standard output, as parquet, csv or json.

    In a csv file no text is a formula, unless it is to be raw; other programs read standard output, which is raw.
    """
    is_raw = raw_text or target is None or file_format != "csv"
    with write_atomically(target) as draft:
        ROW_WRITERS[file_format](rows if is_raw else quote_formulas(rows), draft)


def export_tables(
    root: Location,
    tables: "Sequence[TableOrView]",
    file_format: str,
    target: Location | None,
    *,
    seasons: Sequence[int],
    raw_text: bool = False,
) -> Iterator[ExportedTable]:
    """Write tables to a folder, one file each, or all to one file, depending on the format; all seasons or some.

    raw_text: write texts to CSV as they are, also those that a spreadsheet would run.
    """
    files = list_files(tables, file_format, target)

    def rows(table: "TableOrView") -> pl.LazyFrame:
        found = delta_tables.scan_table(root, table) if isinstance(table, Table) else sql.scan_view(root, table)
        return found.filter(pl.col(table.partition).is_in(list(seasons))) if seasons and table.partition else found

    if file_format in FILE_WRITERS:
        with write_atomically(target) as draft:
            exported = [
                ExportedTable(table.name, count, target)
                for table, count in FILE_WRITERS[file_format](draft, tables, rows)
            ]
        yield from exported
        return
    for table, file in zip(tables, files, strict=True):
        save_rows(rows(table), file, file_format, raw_text=raw_text)
        yield ExportedTable(table.name, rows(table).select(pl.len()).collect().item(), file)


def list_files(tables: "Sequence[TableOrView]", file_format: str, target: Location | None) -> Sequence[Location | None]:
    """Return the files of an export: one for all tables, or one for each table in a folder."""
    if file_format in FILE_WRITERS:
        if target is not None and not target.suffix:
            raise BadInput(
                f"--format {file_format} writes one file.", f"Name it: --to {target / f'lake.{file_format}'}."
            )
        return [target]
    if target is None or not is_folder(target):
        if len(tables) > 1:
            name = "Standard output" if target is None else target
            raise BadInput(f"{name} is one file for {format_count(len(tables), 'table')}.", "Give a folder: --to DIR.")
        return [target]
    return [target / f"{table.name}.{file_format}" for table in tables]


def quote_formulas(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Spreadsheets open CSV without asking, and names come from outside. A text that is only a number, a time or an offset
    from UTC stays as it is.
    """
    texts = [pl.col(name) for name, dtype in rows.collect_schema().items() if dtype == pl.String]
    return rows.with_columns(
        pl.when(text.str.contains(FORMULA_START) & ~text.str.contains(SIGNED_NUMBER))
        .then(pl.lit("'") + text)
        .otherwise(text)
        .name.keep()
        for text in texts
    )


def flatten_nested(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Convert nested columns to JSON text."""
    return rows.with_columns(cs.nested().map_batches(encode_json, return_dtype=pl.String))


def encode_json(column: pl.Series) -> pl.Series:
    """Return a nested column as JSON text; nulls stay null."""
    values = (value.to_list() if isinstance(value, pl.Series) else value for value in column)
    found = [None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in values]
    return pl.Series(column.name, found, dtype=pl.String)


def write_json(rows: pl.LazyFrame, file: Path) -> None:
    """Write rows as a JSON list of objects; dates and times are text."""
    file.write_text(json.dumps(rows.collect().to_dicts(), indent=2, default=str, ensure_ascii=False) + "\n")


def write_workbook(file: Path, tables: "Sequence[TableOrView]", rows: RowReader) -> "Iterator[tuple[TableOrView, int]]":
    """Write one sheet per table. Times lose their zone, which is UTC; ids have no separators."""
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415 - slow to import, and only Excel needs it

    options = {"strings_to_formulas": False, "strings_to_urls": False, "tmpdir": str(file.parent)}
    with xlsxwriter.Workbook(file, options) as book:
        for table in tables:
            found = flatten_nested(rows(table)).with_columns(cs.datetime().dt.replace_time_zone(None)).collect()
            require_fits(table, found)
            found.write_excel(book, table.name, dtype_formats=NUMBER_FORMATS, autofit=found.height < 10_000)
            yield table, found.height


def require_fits(table: "TableOrView", rows: pl.DataFrame) -> None:
    """Raise if a sheet cannot hold all rows or texts."""
    longest = rows.select(pl.max_horizontal(0, cs.string().str.len_chars().max())).item()
    if rows.height > MAX_SHEET_ROWS or longest > MAX_CELL_LENGTH:
        what = format_count(rows.height, "row") if rows.height > MAX_SHEET_ROWS else f"texts of {longest:,} characters"
        fewer = "Export fewer seasons (--season 2025), or use" if rows.height > MAX_SHEET_ROWS else "Use"
        raise LakeError(
            f"{table.name} has {what}: an Excel sheet holds {MAX_SHEET_ROWS:,} rows, "
            f"a cell {MAX_CELL_LENGTH:,} characters.",
            f"{fewer} --format csv, sqlite or duckdb.",
        )


def write_sqlite(file: Path, tables: "Sequence[TableOrView]", rows: RowReader) -> "Iterator[tuple[TableOrView, int]]":
    """Write one SQLite table per table: `gold.skater_game` as gold_skater_game. Dates and times (UTC) are text."""
    with closing(sqlite3.connect(file)) as connection:
        for table in tables:
            name = table.name.replace(".", "_")
            schema = flatten_nested(rows(table)).collect_schema()
            columns = ", ".join(
                f'"{column}" {SQLITE_TYPES.get(type(dtype), "INTEGER")}' for column, dtype in schema.items()
            )
            keyed = (
                ", PRIMARY KEY ({})".format(", ".join(f'"{key}"' for key in table.key))
                if set(table.key) <= set(schema)
                else ""
            )  # an old table may lack them
            connection.execute(f'CREATE TABLE "{name}" ({columns}{keyed})')
            count = 0
            for season in split_by_season(table, rows(table)):
                plain = flatten_nested(season).with_columns(
                    cs.datetime().dt.strftime("%Y-%m-%d %H:%M:%S%.6f"), cs.date().dt.strftime("%Y-%m-%d")
                )
                found = plain.collect()
                slots = ", ".join("?" * found.width)
                connection.executemany(f'INSERT INTO "{name}" VALUES ({slots})', found.iter_rows())
                count += found.height
            yield table, count
        connection.commit()


def split_by_season(table: "TableOrView", rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield rows season by season, to hold one season in memory at a time."""
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
FILE_WRITERS: "Mapping[str, Callable[[Path, Sequence[TableOrView], RowReader], Iterator[tuple[TableOrView, int]]]]" = {
    "duckdb": duckdb_views.copy_tables,
    "sqlite": write_sqlite,
    "xlsx": write_workbook,
}
FORMATS = (*ROW_WRITERS, *FILE_WRITERS)
