"""Data files that are written apart, by whoever has the rows, and put into a table together, in one commit.

delta-rs takes what it is told of such files: one that is not there, of other columns, or of another season would stand
in the log, and close the table. So each is held against the table, and against itself, before there is a commit.
Until then nobody sees it; what a killed rebuild leaves, `nhl-lake maintain` removes.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.errors import Broken, brief
from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.commits import committing, put, tries
from nhl_lake.store.delta import adds, properties
from nhl_lake.store.files import File, names_in_file
from nhl_lake.store.handles import opened, path
from nhl_lake.store.location import Place

READER, WRITER = 1, 2  # the protocol of all our tables: a newer one may promise what is not looked at here


class Size(NamedTuple):
    """How large a slice of a table is, as its log says: rows (None: a file does not say) and bytes."""

    rows: int | None
    size: int


def season_sizes(delta: DeltaTable, table: Table) -> dict[str | None, Size]:
    """Return how large each season of a table is that has files; None is all of a table without seasons."""
    files = adds(delta)
    if files.is_empty():
        return {}
    part = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None)
    rows = pl.when(pl.col("num_records").is_not_null().all()).then(pl.col("num_records").sum())
    found = files.group_by(part.cast(pl.String).alias("part")).agg(rows, pl.col("size_bytes").sum())
    return {part: Size(rows, size) for part, rows, size in found.iter_rows()}


def publish(
    root: Place,
    table: Table,
    files: Sequence[File],
    *,
    seasons: Sequence[str] | None,
    metadata: Mapping[str, str],
) -> None:
    """Put files in the place of seasons of a table (None: of all that it has, and of its columns), in one commit."""
    if table.layer not in {"silver", "gold"}:
        raise TypeError(f"{table.name} is never replaced")
    for attempt in tries():
        with attempt:
            delta = opened(path(root, table))
            require_plain(table, delta)
            require_fit(root, table, files, seasons)
            with committing(root, table, delta, metadata) as commit:
                put(delta, table, files, commit, mode="overwrite", seasons=seasons)


def require_plain(table: Table, delta: DeltaTable) -> None:
    """Raise for a table that promises what is not held here: constraints, a feed of changes, renamed columns."""
    protocol, settings = delta.protocol(), delta.metadata().configuration
    strange = sorted(set(settings) - set(properties(table)))
    if protocol.min_reader_version > READER or protocol.min_writer_version > WRITER or strange:
        raise refused(
            table,
            f"its protocol is {protocol.min_reader_version}/{protocol.min_writer_version}"
            + (f", with the settings {', '.join(strange)}" if strange else ""),
        )


def require_fit(root: Place, table: Table, files: Sequence[File], seasons: Sequence[str] | None) -> None:
    """Raise unless each file is there as it was told, with the table's columns, and of the seasons that it replaces."""
    folder = path(root, table)
    there = {file.name: file.size for file in location.files(folder)} if files else {}
    if twice := [name for name, count in Counter(file.name for file in files).items() if count > 1]:
        raise refused(table, f"{twice[0]} is given twice")
    for file in files:
        if there.get(file.name) != file.size:
            found = f"has {there[file.name]:,} bytes of {file.size:,}" if file.name in there else "is not there"
            raise refused(table, f"{file.name} {found}")
        require_of(table, file, seasons)
        require_as_told(folder, table, file)


def require_of(table: Table, file: File, seasons: Sequence[str] | None) -> None:
    """Raise unless a file is of one of the seasons, and stands where files of that season do."""
    if (file.part is None) != (table.partition is None):
        raise refused(table, f"{file.name} is of season {file.part}")
    if file.part is None:
        return
    if not file.name.startswith(f"{table.partition}={file.part}/") or (
        seasons is not None and file.part not in seasons
    ):
        raise refused(table, f"{file.name} is not of the seasons {', '.join(seasons or ['?'])}")


def require_as_told(folder: Place, table: Table, file: File) -> None:
    """Raise unless the file itself has the table's columns, and the rows that are told of."""
    rows_of = pl.scan_parquet(str(folder / file.name), hive_partitioning=False, storage_options=reading(folder))
    try:
        schema, rows = rows_of.collect_schema(), rows_of.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise refused(table, f"{file.name} cannot be read ({brief(error)})") from error
    expected = {name: table.schema[name] for name in names_in_file(table, file.part)}
    if dict(schema) != expected:
        wrong = [f"{n} {d}" for n, d in schema.items() if expected.get(n) != d]
        wrong += [f"no {n}" for n in expected if n not in schema]
        raise refused(table, f"{file.name} has other columns: {', '.join(wrong)}")
    if rows != file.rows or json.loads(file.stats).get("numRecords") != file.rows:
        raise refused(table, f"{file.name} has {rows:,} rows, and {file.rows:,} were told of")


def reading(folder: Place) -> dict[str, Any] | None:
    """Return what Polars is told about a place, to read the end of a file, where its columns and rows are told."""
    return None if isinstance(folder, Path) else dict(location.READING)


def refused(table: Table, why: str) -> Broken:
    """Return the error of files that must not be put into a table."""
    return Broken(
        f"{table.name}: {why}: such files are not put into it.",
        "Nothing was written; the table is as before. `nhl-lake rebuild` makes it on this machine alone.",
    )
