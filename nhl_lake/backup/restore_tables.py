"""Restore single tables from a backup.

A readable bronze or ledger table that continues the backup's history only gets its missing rows. A table that is
missing, cannot be read or has another history is replaced by the backup's and moved aside. Rows of its readable files
that the backup lacks are added again.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from nhl_lake.backup import log_packs, restore
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.backup.preflight import check_restore
from nhl_lake.backup.restore import OnProgress, ignore_progress
from nhl_lake.errors import BadInput, is_panic, raise_shortage
from nhl_lake.schema.digest import hash_texts
from nhl_lake.schema.table import Table, VersionPolicy
from nhl_lake.store import atomic_swap, checksums, delta_tables, handles, location, locks
from nhl_lake.store.commits import begin_commit, overwrite_by_key
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Location, Source

BATCH_ROWS = 500


class RestoredTable(NamedTuple):
    """The result for one table: the rows added; and, if it was replaced, where the previous table is."""

    table: str
    added: int
    is_replaced: bool
    kept_as: str | None


def restore_tables(
    root: Location,
    backups: Source,
    manifest: Manifest,
    tables: Sequence[Table],
    *,
    now: datetime,
    command: str,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[RestoredTable]:
    """Restore tables of a backup into an existing lake."""
    check_restore(root, backups, manifest)
    entries = [find_table_backup(manifest, table) for table in tables]
    with locks.hold_lock(root, command, now=now):
        atomic_swap.finish_swap(root)
        handles.clear_handles()
        staged = restore.locate_staging(root, manifest)
        restore.fetch_tables(backups, manifest, staged, tables=entries, on_progress=on_progress)
        restore.verify_tables(staged, entries)
        aside_location = restore.choose_aside_location(root, now)
        for table, table_backup in zip(tables, entries, strict=True):
            if (
                table.layer in {"bronze", "lake"}
                and is_readable(root, table)
                and is_continuation(root, table, table_backup)
            ):
                yield RestoredTable(
                    table.name,
                    add_missing_rows(root, table, delta_tables.scan_table(staged, table)),
                    is_replaced=False,
                    kept_as=None,
                )
            else:
                yield replace_table(root, staged, table, aside_location=aside_location, command=command)
        remove_staging(staged)


def find_table_backup(manifest: Manifest, table: Table) -> TableBackup:
    """Return a table's entry in a backup."""
    for table_backup in manifest.tables:
        if table_backup.name == table.name:
            return table_backup
    raise BadInput(
        f"The backup {manifest.name} has no table {table.name}.", "Run `nhl-lake backup list` for other backups."
    )


def is_readable(root: Location, table: Table) -> bool:
    """Return whether every file of a table can be opened."""
    try:
        delta_tables.scan_table(root, table).select(pl.exclude("body").null_count()).collect()
    except BaseException as error:
        raise_shortage(error)
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def is_continuation(root: Location, table: Table, table_backup: TableBackup) -> bool:
    """Return whether a table's history continues the one in a backup."""
    delta = delta_tables.open_table(root, table)
    if str(delta.metadata().id) != table_backup.id or delta.version() < table_backup.version:
        return False
    folder = delta_tables.locate_table(root, table)
    has_commit = location.has_file(folder, commit_name(table_backup.version))
    return not has_commit or log_packs.hash_commit(folder, table_backup.version) == table_backup.head


def add_missing_rows(root: Location, table: Table, rows: pl.LazyFrame) -> int:
    """Add the rows that a table lacks, in batches; rows with existing keys are not changed.

    In a table that stores only the newest version of a page, a newer version replaces an older one.
    """
    if table.version_policy is VersionPolicy.LATEST:
        return add_newer_pages(root, table, rows)
    key = list(table.key)
    keys = find_missing_keys(rows, delta_tables.scan_table(root, table), table)
    for batch in keys.iter_slices(BATCH_ROWS):
        missing = rows.join(batch.lazy(), on=key, how="semi").unique(key, keep="first").collect()
        for attempt in delta_tables.retry_commits():
            with attempt, begin_commit(root, table, delta := delta_tables.open_table(root, table)) as properties:
                delta_tables.append_rows(root, table, delta, missing, properties)
    return keys.height


def add_newer_pages(root: Location, table: Table, rows: pl.LazyFrame) -> int:
    """Add or replace missing and older pages in a table that stores only the newest version; return how many."""
    key = list(table.key)
    newest = rows.sort("fetched_at").unique(key, keep="last").collect()
    for attempt in delta_tables.retry_commits():
        with attempt:
            delta = delta_tables.open_table(root, table)
            stored = pl.scan_delta(delta).select(*key, stored_at="fetched_at").collect()
            newer = newest.join(stored, on=key, how="left").filter(
                pl.col("stored_at").is_null() | (pl.col("fetched_at") > pl.col("stored_at"))
            )
            if newer.height:
                pages = newer.select(table.schema.names())
                with begin_commit(root, table, delta) as properties:
                    overwrite_by_key(root, delta, table, pages, properties)
            return newer.height
    raise AssertionError("unreachable: the last attempt raises")


def find_missing_keys(rows: pl.LazyFrame, stored: pl.LazyFrame, table: Table) -> pl.DataFrame:
    """Return the keys of rows that a table lacks. A page equal to the version before it is not a new version."""
    key = list(table.key)
    missing = rows.join(stored.select(key), on=key, how="anti")
    if "fetched_at" not in key:
        return missing.select(key).unique().sort(key).collect()
    columns = [*key, "sha256"]
    combined = pl.concat([stored.select(columns, is_new=False), missing.select(columns, is_new=True).unique()])
    before = pl.col("sha256").shift().over(table.page_key)
    new_versions = combined.sort(key).filter(pl.col("is_new"), before.is_null() | (before != pl.col("sha256")))
    return new_versions.select(key).unique().sort(key).collect()


def replace_table(
    root: Location, staged: Location, table: Table, *, aside_location: Location, command: str
) -> RestoredTable:
    """Replace an unreadable table by the backup's, and add the rows that can still be read."""
    folder = delta_tables.locate_table(root, table)
    had_files = delta_tables.has_files(folder)
    count = 0
    if had_files and table.layer in {"bronze", "lake"}:
        count = sum(add_missing_rows(staged, table, rows.lazy()) for rows in salvage_rows(folder, table))
    keep_as = delta_tables.locate_table(aside_location, table)
    atomic_swap.swap_into_place(delta_tables.locate_table(staged, table), folder, keep_as, lake=root, command=command)
    handles.clear_handles()
    return RestoredTable(table.name, count, is_replaced=True, kept_as=str(keep_as) if had_files else None)


def salvage_rows(folder: Location, table: Table) -> Iterator[pl.DataFrame]:
    """Yield the intact rows of a table that cannot be opened, file by file."""
    names = list_data_files(folder)
    damaged = set(checksums.list_damaged_files(folder, names))
    found = (read_intact_rows(folder, table, name) for name in names if name not in damaged)
    yield from (rows for rows in found if rows is not None)


def read_intact_rows(folder: Location, table: Table, name: str) -> pl.DataFrame | None:
    """Return the intact rows of a data file; None if the file is missing or cannot be read."""
    try:
        rows = pl.read_parquet(b"".join(location.read_chunks(folder, name)))
        return filter_intact_rows(table, add_partition_column(table, rows, name))
    except BaseException as error:
        raise_shortage(error)
        if isinstance(error, OSError | pl.exceptions.PolarsError) or is_panic(error):
            return None
        raise


def list_data_files(folder: Location) -> list[str]:
    """Return the data files in a table's log; all files of its folder if commits are missing or damaged."""
    stored = {file.name for file in location.list_files(folder) if file.name.endswith(".parquet")}
    stored -= {name for name in stored if name.startswith(DELTA_LOG)}
    commits = log_packs.list_log(folder).commits
    in_log: set[str] = set()
    is_complete = bool(commits) and len(commits) == max(commits) + 1
    for version in commits:
        try:
            entries = [json.loads(line) for line in log_packs.read_commit_bytes(folder, version).splitlines()]
            in_log |= {entry["add"]["path"] for entry in entries if "add" in entry}
            is_complete = is_complete and bool(entries)
        except (ValueError, KeyError, TypeError):
            is_complete = False
    return sorted(stored & in_log if is_complete else stored)


def add_partition_column(table: Table, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Add the partition column, which is only in the folder's name."""
    if table.partition is None or table.partition in rows.columns:
        return rows
    value = name.partition("=")[2].partition("/")[0]
    partition_value = pl.lit(None if value == "__HIVE_DEFAULT_PARTITION__" else value).cast(
        table.schema[table.partition]
    )
    return rows.with_columns(partition_value.alias(table.partition))


def filter_intact_rows(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Filter to the rows whose body matches its SHA-256, and select the table's columns."""
    rows = rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns)
    if table.layer != "bronze":
        return rows
    return rows.filter(rows["sha256"] == hash_texts(rows["body"]))


def remove_staging(staged: Location) -> None:
    """Remove the fetched files."""
    if isinstance(staged, Path):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        atomic_swap.remove_objects(staged, list(location.list_files(staged)))
