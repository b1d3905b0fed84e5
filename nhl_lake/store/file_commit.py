"""Commit data files that worker processes have written, all files of a table in one commit.

delta-rs does not check such files. A file that is missing, has other columns or belongs to another season would end up
in the log and make the table unreadable. So every file is checked before the commit. Readers do not see it until then,
and `nhl-lake maintain` removes what a killed rebuild leaves.
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
from nhl_lake.text import format_count

# the protocol of all our tables: a newer one may have features that are not checked here
MAX_READER_VERSION, MAX_WRITER_VERSION = 1, 2


class PartitionSize(NamedTuple):
    """The size of a partition, from the log: rows (None: a file has no row count) and bytes."""

    rows: int | None
    size_bytes: int


def read_season_sizes(delta: DeltaTable, table: Table) -> dict[str | None, PartitionSize]:
    """Return the size of each season that has files; the key is None for a table that has no seasons."""
    files = read_add_actions(delta)
    if files.is_empty():
        return {}
    partition = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None)
    rows = pl.when(pl.col("num_records").is_not_null().all()).then(pl.col("num_records").sum())
    sizes = files.group_by(partition.cast(pl.String).alias("partition")).agg(rows, pl.col("size_bytes").sum())
    return {name: PartitionSize(row_count, size) for name, row_count, size in sizes.iter_rows()}


def publish_files(
    root: Location,
    table: Table,
    files: Sequence[DataFile],
    *,
    seasons: Sequence[str] | None,
    metadata: Mapping[str, str],
) -> None:
    """Overwrite seasons of a table by files, in one commit (None: all rows and the schema)."""
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
    """Raise for a table with Delta features that are not supported: constraints, change data feed, column mapping."""
    protocol, settings = delta.protocol(), delta.metadata().configuration
    unknown = sorted(set(settings) - set(get_table_properties(table)))
    if protocol.min_reader_version > MAX_READER_VERSION or protocol.min_writer_version > MAX_WRITER_VERSION or unknown:
        raise rejected_files_error(
            table,
            f"its protocol is {protocol.min_reader_version}/{protocol.min_writer_version}"
            + (f", with the settings {', '.join(unknown)}" if unknown else ""),
        )


def require_valid_files(root: Location, table: Table, files: Sequence[DataFile], seasons: Sequence[str] | None) -> None:
    """Raise unless each file exists as reported, has the table's columns, and belongs to a season being replaced."""
    folder = locate_table(root, table)
    sizes = {file.name: file.size for file in location.list_files(folder)} if files else {}
    if repeated := [name for name, count in Counter(file.name for file in files).items() if count > 1]:
        raise rejected_files_error(table, f"{repeated[0]} is listed twice")
    for file in files:
        if sizes.get(file.name) != file.size:
            problem = f"has {sizes[file.name]:,} bytes of {file.size:,}" if file.name in sizes else "is missing"
            raise rejected_files_error(table, f"{file.name} {problem}")
        require_partition(table, file, seasons)
        require_matching_content(folder, table, file)


def require_partition(table: Table, file: DataFile, seasons: Sequence[str] | None) -> None:
    """Raise unless a file belongs to one of the seasons, and is in that season's folder."""
    if (file.partition is None) != (table.partition is None):
        raise rejected_files_error(table, f"{file.name} has season {file.partition}")
    if file.partition is None:
        return
    if not file.name.startswith(f"{table.partition}={file.partition}/") or (
        seasons is not None and file.partition not in seasons
    ):
        raise rejected_files_error(table, f"{file.name} does not belong to the seasons {', '.join(seasons or ['?'])}")


def require_matching_content(folder: Location, table: Table, file: DataFile) -> None:
    """Raise unless a file has the table's columns and as many rows as reported."""
    frame = pl.scan_parquet(str(folder / file.name), hive_partitioning=False, storage_options=get_read_options(folder))
    try:
        schema, rows = frame.collect_schema(), frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise rejected_files_error(table, f"{file.name} cannot be read ({summarize_error(error)})") from error
    expected = {name: table.schema[name] for name in list_file_columns(table, file.partition)}
    if dict(schema) != expected:
        differences = [f"{n} {d}" for n, d in schema.items() if expected.get(n) != d]
        differences += [f"no {n}" for n in expected if n not in schema]
        raise rejected_files_error(table, f"{file.name} has other columns: {', '.join(differences)}")
    if rows != file.rows or json.loads(file.stats).get("numRecords") != file.rows:
        raise rejected_files_error(table, f"{file.name} has {format_count(rows, 'row')}, not {file.rows:,}")


def get_read_options(folder: Location) -> dict[str, Any] | None:
    """Return the storage options that Polars needs to read a file's footer."""
    return None if isinstance(folder, Path) else dict(location.POLARS_OPTIONS)


def rejected_files_error(table: Table, reason: str) -> ValidationFailed:
    """Return the error for files that must not be committed to a table."""
    return ValidationFailed(
        f"{table.name}: cannot commit the new files: {reason}.",
        "No changes were made. Run `nhl-lake rebuild` to build the table on this machine.",
    )
