"""Import files of other places into `external.*`: every row is checked first, and one commit writes all of them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars.selectors as cs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from nhl_lake import layout
from nhl_lake.errors import BadInput, summarize_error
from nhl_lake.schema import external
from nhl_lake.schema.external import PLAYOFFS, SEASON, SEASON_SOURCES, ExternalFile
from nhl_lake.store import delta_tables, locks
from nhl_lake.store.location import Location
from nhl_lake.text import format_count

CSV_ENDINGS = (".csv", ".csv.gz")
MAX_SHOWN = 3
ADDED = ("source_file", "source_sha256", "imported_at")
LINE = "_line"


class Import(NamedTuple):
    """What an import did. rows_before: of the same seasons (and player or team) before it. is_same: it was there."""

    table: str
    file: str
    sha256: str
    rows: int
    seasons: list[int]
    rows_before: int
    is_same: bool


class ReadFile(NamedTuple):
    """A file that was read and checked: its kind, its digest, and its rows."""

    kind: ExternalFile
    sha256: str
    rows: pl.DataFrame


def import_file(
    root: Location, source: str, path: Path, *, is_playoffs: bool, now: datetime, command: str, kind: str | None = None
) -> Import:
    """Import a CSV file, a Parquet file or folder, or a Delta table. The same file again changes nothing."""
    layout.require_readable_lake(root)
    read = read_file(source, path, is_playoffs=is_playoffs, kind=kind)
    table, scope = read.kind.table, list(read.kind.scope)
    seasons = sorted(read.rows[SEASON].unique().to_list())
    with locks.hold_lock(root, command, now=now):
        stored = read_stored(root, read.kind, seasons)
        replaced = stored.join(read.rows.select(scope).unique(), on=scope, how="semi", nulls_equal=True)
        is_same = replaced.height == read.rows.height and replaced["source_sha256"].unique().to_list() == [read.sha256]
        if not is_same:
            rows = fit_stored_types(read.rows, stored.schema, table.name, path).with_columns(
                source_file=pl.lit(path.name), source_sha256=pl.lit(read.sha256), imported_at=pl.lit(now)
            )
            kept = stored.join(read.rows.select(scope).unique(), on=scope, how="anti", nulls_equal=True)
            both = pl.concat([rows, kept], how="diagonal")
            firsts = [name for name in table.schema if name not in ADDED]
            both = both.select(*firsts, pl.exclude(*firsts, *ADDED), *ADDED)
            delta_tables.replace_external_rows(root, table, both, seasons)
    return Import(table.name, path.name, read.sha256, read.rows.height, seasons, replaced.height, is_same)


def read_stored(root: Location, kind: ExternalFile, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the rows of seasons that the lake has of a table; none if it has no such table yet."""
    rows = delta_tables.scan_table_or_empty(root, kind.table)
    return rows.filter(pl.col(SEASON).is_in(seasons)).collect()


def read_file(source: str, path: Path, *, is_playoffs: bool, kind: str | None = None) -> ReadFile:
    """Read a file, find its kind, and check the key of each row. Raise if a row has none, or one twice."""
    rows = read_rows(path)
    found = find_kind(source, path, rows.columns, kind)
    if taken := [name for name in (SEASON, PLAYOFFS, *ADDED) if name in rows.columns]:
        raise BadInput(f"{path.name} has a column {taken[0]}, which the import adds.", "Rename the column in a copy.")
    checked = check_rows(found, path, rows, is_playoffs=is_playoffs)
    return ReadFile(found, hash_files(path), checked)


def read_rows(path: Path) -> pl.DataFrame:
    """Return the rows of a file or folder under its own names. Numbers of a CSV are floats, unless they are a key."""
    if not path.exists():
        raise BadInput(
            f"There is no file or folder {path}.", "Give the file that you downloaded, or the table's folder."
        )
    try:
        if path.name.lower().endswith(CSV_ENDINGS):
            rows = pl.read_csv(path, infer_schema_length=None, null_values=["", "NA", "NaN"])
        elif (path / "_delta_log").is_dir():
            rows = pl.read_delta(str(path))
        else:
            rows = pl.read_parquet(path / "**/*.parquet" if path.is_dir() else path)
    except (pl.exceptions.PolarsError, DeltaError, OSError) as error:
        raise BadInput(
            f"{path} cannot be read: {summarize_error(error)}.",
            "It must be a .csv or .csv.gz file, a .parquet file, a folder of Parquet files, or a Delta table.",
        ) from error
    for name in [name for name in rows.columns if name.endswith("_duplicated_0")]:
        if rows[name].equals(rows[name.removesuffix("_duplicated_0")]):
            rows = rows.drop(name)  # MoneyPuck's file of teams has the same column twice
    return rows.with_columns(cs.by_dtype(pl.Null).cast(pl.Float64), cs.decimal().cast(pl.Float64))


def find_kind(source: str, path: Path, columns: Sequence[str], name: str | None) -> ExternalFile:
    """Return the kind of a file, by its columns."""
    kinds = [kind for kind in external.FILES if kind.source == source]
    if name is not None:
        kinds = [kind for kind in kinds if kind.kind == name]
        if kinds and (missing := sorted(kinds[0].marks - set(columns))):
            raise BadInput(f"{path.name} has no column {missing[0]}.", f"It is no file of {name}; leave out --kind.")
    for kind in kinds:
        if kind.marks <= set(columns) and any(one in columns for one in SEASON_SOURCES):
            return kind
    names = ", ".join(kind.kind for kind in external.FILES if kind.source == source)
    raise BadInput(
        f"{path.name} is no file of {source} that is known: its columns are {', '.join(columns[:6])} …",
        f"Kinds are {names}.",
    )


def check_rows(kind: ExternalFile, path: Path, rows: pl.DataFrame, *, is_playoffs: bool) -> pl.DataFrame:
    """Return rows with a key of the declared types. Raise with the first lines whose key is invalid or there twice."""
    year = next(name for name in SEASON_SOURCES if name in rows.columns)
    number = pl.col(year).cast(pl.Int64, strict=False)
    if year in {"gameId", "GAME_ID"}:
        number = number // 1_000_000
    names = [name for name in kind.table.key if name in rows.columns]
    keys = [pl.col(name).cast(kind.table.schema[name], strict=False).alias(name) for name in names]
    season = pl.when(number > 10_000).then(number // 10_000).otherwise(number).alias(SEASON)
    floats = cs.numeric() - cs.by_name(*names, year)
    is_csv = path.name.lower().endswith(CSV_ENDINGS)
    found = rows.with_columns(
        season, *([floats.cast(pl.Float64)] if is_csv else []), *([pl.lit(is_playoffs).alias(PLAYOFFS)] if
        PLAYOFFS in kind.table.key else [])
    ).with_columns(keys)  # fmt: skip
    is_invalid = ~pl.col(SEASON).is_between(1917, 2199).fill_null(value=False)
    for name in names:
        is_invalid |= pl.col(name).is_null() | (pl.col(name).cast(pl.String).str.strip_chars() == "")
    shown = rows.with_row_index(LINE, offset=2 if is_csv else 1).select(LINE, *dict.fromkeys([year, *names]))
    invalid = shown.filter(found.select(is_invalid).to_series())
    refuse(path, invalid, "have a key that cannot be read")
    refuse(path, shown.filter(found.select(kind.table.key).is_duplicated()), "have a key that is there twice")
    if found.is_empty():
        raise BadInput(f"{path.name} has no rows.", "No changes were made. Download the file again.")
    return found


def refuse(path: Path, rows: pl.DataFrame, why: str) -> None:
    """Raise if there are rows that cannot be imported, and name the first."""
    if rows.is_empty():
        return
    shown = [
        f"{line} ({', '.join(f'{name} {value}' for name, value in zip(rows.columns[1:], key, strict=True))})"
        for line, *key in rows.cast(pl.String).fill_null("empty").head(MAX_SHOWN).iter_rows()
    ]
    more = f" and {rows.height - MAX_SHOWN:,} more" if rows.height > MAX_SHOWN else ""
    count = format_count(rows.height, "row")
    verb = why.replace("have", "has", 1) if rows.height == 1 else why
    raise BadInput(
        f"{path.name}: {count} {verb}: row {', '.join(shown)}{more}.",
        "Nothing of the file was imported. Correct or remove these rows in a copy, and import that.",
    )


def fit_stored_types(rows: pl.DataFrame, stored: pl.Schema, table: str, path: Path) -> pl.DataFrame:
    """Return rows with the types that the columns have in the lake. Raise if a value does not fit."""
    for name, dtype in stored.items():
        if name in rows.columns and rows.schema[name] != dtype:
            fitted = rows[name].cast(dtype, strict=False)
            if fitted.null_count() != rows[name].null_count() or (dtype.is_integer() and (fitted != rows[name]).any()):
                raise BadInput(
                    f"{path.name}: the column {name} is {rows.schema[name]}; in {table} it is {dtype}.",
                    "Nothing of the file was imported. Correct the column in a copy, and import that.",
                )
            rows = rows.with_columns(fitted)
    return rows


def hash_files(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of its data files in the order of their names."""
    if path.is_file():
        files = [path]
    elif (path / "_delta_log").is_dir():
        files = [path / name for name in sorted(DeltaTable(path).file_uris())]
    else:
        files = sorted(path.rglob("*.parquet"))
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            one = hashlib.file_digest(opened, "sha256")
        if path.is_file():
            return one.hexdigest()
        digest.update(one.digest())
    return digest.hexdigest()
