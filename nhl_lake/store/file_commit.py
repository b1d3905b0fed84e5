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

from nhl_lake.errors import ValidationFailed, summarize_error
from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.commits import begin_commit, commit_files, retry_commits
from nhl_lake.store.delta import get_table_properties, read_add_actions
from nhl_lake.store.files import DataFile, list_file_columns
from nhl_lake.store.handles import locate_table, open_handle
from nhl_lake.store.location import Location

MAX_READER_VERSION, MAX_WRITER_VERSION = (
    1,
    2,
)  # the protocol of all our tables: a newer one may promise what is not looked at here


class PartitionSize(NamedTuple):
    """How large a slice of a table is, as its log says: rows (None: a file does not say) and bytes."""

    rows: int | None
    size_bytes: int


def read_season_sizes(delta: DeltaTable, table: Table) -> dict[str | None, PartitionSize]:
    """Return how large each season of a table is that has files; None is all of a table without seasons."""
    files = read_add_actions(delta)
    if files.is_empty():
        return {}
    part = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None)
    rows = pl.when(pl.col("num_records").is_not_null().all()).then(pl.col("num_records").sum())
    found = files.group_by(part.cast(pl.String).alias("part")).agg(rows, pl.col("size_bytes").sum())
    return {part: PartitionSize(rows, size) for part, rows, size in found.iter_rows()}


def publish_files(
    root: Location,
    table: Table,
    files: Sequence[DataFile],
    *,
    seasons: Sequence[str] | None,
    metadata: Mapping[str, str],
) -> None:
    """Put files in the place of seasons of a table (None: of all that it has, and of its columns), in one commit."""
    if table.layer not in {"silver", "gold"}:
        raise TypeError(f"{table.name} is never replaced")
    for attempt in retry_commits():
        with attempt:
            delta = open_handle(locate_table(root, table))
            require_supported_protocol(table, delta)
            require_valid_files(root, table, files, seasons)
            with begin_commit(root, table, delta, metadata) as commit:
                commit_files(delta, table, files, commit, mode="overwrite", seasons=seasons)


def require_supported_protocol(table: Table, delta: DeltaTable) -> None:
    """Raise for a table that promises what is not held here: constraints, a feed of changes, renamed columns."""
    protocol, settings = delta.protocol(), delta.metadata().configuration
    strange = sorted(set(settings) - set(get_table_properties(table)))
    if protocol.min_reader_version > MAX_READER_VERSION or protocol.min_writer_version > MAX_WRITER_VERSION or strange:
        raise rejected_files_error(
            table,
            f"its protocol is {protocol.min_reader_version}/{protocol.min_writer_version}"
            + (f", with the settings {', '.join(strange)}" if strange else ""),
        )


def require_valid_files(root: Location, table: Table, files: Sequence[DataFile], seasons: Sequence[str] | None) -> None:
    """Raise unless each file is there as it was told, with the table's columns, and of the seasons that it replaces."""
    folder = locate_table(root, table)
    there = {file.name: file.size for file in location.list_files(folder)} if files else {}
    if twice := [name for name, count in Counter(file.name for file in files).items() if count > 1]:
        raise rejected_files_error(table, f"{twice[0]} is given twice")
    for file in files:
        if there.get(file.name) != file.size:
            found = f"has {there[file.name]:,} bytes of {file.size:,}" if file.name in there else "is not there"
            raise rejected_files_error(table, f"{file.name} {found}")
        require_partition(table, file, seasons)
        require_matching_content(folder, table, file)


def require_partition(table: Table, file: DataFile, seasons: Sequence[str] | None) -> None:
    """Raise unless a file is of one of the seasons, and stands where files of that season do."""
    if (file.partition is None) != (table.partition is None):
        raise rejected_files_error(table, f"{file.name} is of season {file.partition}")
    if file.partition is None:
        return
    if not file.name.startswith(f"{table.partition}={file.partition}/") or (
        seasons is not None and file.partition not in seasons
    ):
        raise rejected_files_error(table, f"{file.name} is not of the seasons {', '.join(seasons or ['?'])}")


def require_matching_content(folder: Location, table: Table, file: DataFile) -> None:
    """Raise unless the file itself has the table's columns, and the rows that are told of."""
    rows_of = pl.scan_parquet(
        str(folder / file.name), hive_partitioning=False, storage_options=get_read_options(folder)
    )
    try:
        schema, rows = rows_of.collect_schema(), rows_of.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise rejected_files_error(table, f"{file.name} cannot be read ({summarize_error(error)})") from error
    expected = {name: table.schema[name] for name in list_file_columns(table, file.partition)}
    if dict(schema) != expected:
        wrong = [f"{n} {d}" for n, d in schema.items() if expected.get(n) != d]
        wrong += [f"no {n}" for n in expected if n not in schema]
        raise rejected_files_error(table, f"{file.name} has other columns: {', '.join(wrong)}")
    if rows != file.rows or json.loads(file.stats).get("numRecords") != file.rows:
        raise rejected_files_error(table, f"{file.name} has {rows:,} rows, and {file.rows:,} were told of")


def get_read_options(folder: Location) -> dict[str, Any] | None:
    """Return what Polars is told about a place, to read the end of a file, where its columns and rows are told."""
    return None if isinstance(folder, Path) else dict(location.POLARS_OPTIONS)


def rejected_files_error(table: Table, why: str) -> ValidationFailed:
    """Return the error of files that must not be put into a table."""
    return ValidationFailed(
        f"{table.name}: {why}: such files are not put into it.",
        "Nothing was written; the table is as before. `nhl-lake rebuild` makes it on this machine alone.",
    )
