"""Single tables from a backup: bronze only grows, so that a table that goes on from it gets the rows that it lacks.

A table that is missing, cannot be read or has another history gives way to the backup's, and is kept beside; of what
can be read of it, file by file, the rows that the backup has not are added again.
"""

import hashlib
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
from nhl_lake.errors import BadInput, is_panic
from nhl_lake.schema.table import Table, VersionPolicy
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.commits import begin_commit, overwrite_by_key
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Location

BATCH_ROWS = 500


class RestoredTable(NamedTuple):
    """What became of a table: rows that were added to it; or, where it was replaced, the place of what was there."""

    table: str
    added: int
    is_replaced: bool
    kept_as: str | None


def restore_tables(
    root: Location,
    backups: Location,
    manifest: Manifest,
    tables: Sequence[Table],
    *,
    now: datetime,
    command: str,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[RestoredTable]:
    """Bring tables of a backup back into a lake that is otherwise there."""
    check_restore(root, backups, manifest)
    some = [find_table_backup(manifest, table) for table in tables]
    with locks.hold_lock(root, command, now=now):
        atomic_swap.finish_swap(root)
        handles.clear_handles()
        staged = restore.locate_staging(root, manifest)
        restore.fetch_tables(backups, manifest, staged, tables=some, on_progress=on_progress)
        restore.verify_tables(staged, some)
        aside = restore.choose_aside_location(root, now)
        for table, saved in zip(tables, some, strict=True):
            if table.layer in {"bronze", "lake"} and is_readable(root, table) and is_continuation(root, table, saved):
                yield RestoredTable(
                    table.name,
                    add_missing_rows(root, table, delta_tables.scan_table(staged, table)),
                    is_replaced=False,
                    kept_as=None,
                )
            else:
                yield replace_table(root, staged, table, aside_location=aside, command=command)
        remove_staging(staged)


def find_table_backup(wanted: Manifest, table: Table) -> TableBackup:
    """Return what a backup has of a table."""
    for saved in wanted.tables:
        if saved.name == table.name:
            return saved
    raise BadInput(f"The backup {wanted.name} has no {table.name}.", "`nhl-lake backup list` names other backups.")


def is_readable(root: Location, table: Table) -> bool:
    """Whether every file of a table can be opened."""
    try:
        delta_tables.scan_table(root, table).select(pl.exclude("body").null_count()).collect()
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def is_continuation(root: Location, table: Table, saved: TableBackup) -> bool:
    """Whether the history of a table goes on from what a backup has of it."""
    delta = delta_tables.open_table(root, table)
    if str(delta.metadata().id) != saved.id or delta.version() < saved.version:
        return False
    folder = delta_tables.locate_table(root, table)
    has = location.has_file(folder, commit_name(saved.version))
    return not has or log_packs.hash_commit(folder, saved.version) == saved.head


def add_missing_rows(root: Location, table: Table, rows: pl.LazyFrame) -> int:
    """Add the rows that a table lacks, some at a time; those of its keys that it has are left as they are.

    Where only the newest version of a page is kept, a newer one takes the place of an older.
    """
    if table.version_policy is VersionPolicy.LATEST:
        return add_newer_pages(root, table, rows)
    key = list(table.key)
    keys = find_missing_keys(rows, delta_tables.scan_table(root, table), table)
    for some in keys.iter_slices(BATCH_ROWS):
        lacking = rows.join(some.lazy(), on=key, how="semi").unique(key, keep="first").collect()
        for attempt in delta_tables.retry_commits():
            with attempt, begin_commit(root, table, delta := delta_tables.open_table(root, table)) as properties:
                delta_tables.append_rows(root, table, delta, lacking, properties)
    return keys.height


def add_newer_pages(root: Location, table: Table, rows: pl.LazyFrame) -> int:
    """Put pages in a table of newest pages that it lacks, or has older ones of; return how many."""
    key = list(table.key)
    newest = rows.sort("fetched_at").unique(key, keep="last").collect()
    for attempt in delta_tables.retry_commits():
        with attempt:
            delta = delta_tables.open_table(root, table)
            was = pl.scan_delta(delta).select(*key, was="fetched_at").collect()
            both = newest.join(was, on=key, how="left").filter(
                pl.col("was").is_null() | (pl.col("fetched_at") > pl.col("was"))
            )
            if both.height:
                fresh = both.select(table.schema.names())
                with begin_commit(root, table, delta) as properties:
                    overwrite_by_key(delta, table, fresh, properties)
            return both.height
    raise AssertionError("unreachable: the last attempt raises")


def find_missing_keys(rows: pl.LazyFrame, there: pl.LazyFrame, table: Table) -> pl.DataFrame:
    """Return the keys of rows that a table lacks; a page that says what the version before it said is no version."""
    key = list(table.key)
    lacking = rows.join(there.select(key), on=key, how="anti")
    if "fetched_at" not in key:
        return lacking.select(key).unique().sort(key).collect()
    about = [*key, "sha256"]
    both = pl.concat([there.select(about, is_new=False), lacking.select(about, is_new=True).unique()])
    before = pl.col("sha256").shift().over(table.page_key)
    news = both.sort(key).filter(pl.col("is_new"), before.is_null() | (before != pl.col("sha256")))
    return news.select(key).unique().sort(key).collect()


def replace_table(
    root: Location, staged: Location, table: Table, *, aside_location: Location, command: str
) -> RestoredTable:
    """Put a table of a backup in the place of one that cannot be read, with what can be read of that one."""
    folder = delta_tables.locate_table(root, table)
    was_there = delta_tables.has_files(folder)
    count = 0
    if was_there and table.layer in {"bronze", "lake"}:
        count = sum(add_missing_rows(staged, table, rows.lazy()) for rows in salvage_rows(folder, table))
    keep_as = delta_tables.locate_table(aside_location, table)
    atomic_swap.swap_into_place(delta_tables.locate_table(staged, table), folder, keep_as, lake=root, command=command)
    handles.clear_handles()
    return RestoredTable(table.name, count, is_replaced=True, kept_as=str(keep_as) if was_there else None)


def salvage_rows(folder: Location, table: Table) -> Iterator[pl.DataFrame]:
    """Yield what can be read of a table that cannot be opened, file by file: whole rows, whose pages are as kept."""
    yield from (rows for name in list_data_files(folder) if (rows := read_intact_rows(folder, table, name)) is not None)


def read_intact_rows(folder: Location, table: Table, name: str) -> pl.DataFrame | None:
    """Return the whole rows of a data file; None if it is gone, or cannot be read."""
    try:
        rows = pl.read_parquet(b"".join(location.read_chunks(folder, name)))
        return filter_intact_rows(table, add_partition_column(table, rows, name))
    except BaseException as error:
        if isinstance(error, OSError | pl.exceptions.PolarsError) or is_panic(error):
            return None
        raise


def list_data_files(folder: Location) -> list[str]:
    """Return the data files that the log of a table names; all that are there if commits of it are gone or broken."""
    there = {file.name for file in location.list_files(folder) if file.name.endswith(".parquet")}
    there -= {name for name in there if name.startswith(DELTA_LOG)}
    commits = log_packs.list_log(folder).commits
    named: set[str] = set()
    is_whole = bool(commits) and len(commits) == max(commits) + 1
    for version in commits:
        try:
            said = [json.loads(line) for line in log_packs.read_commit_bytes(folder, version).splitlines()]
            named |= {entry["add"]["path"] for entry in said if "add" in entry}
            is_whole = is_whole and bool(said)
        except (ValueError, KeyError, TypeError):
            is_whole = False
    return sorted(there & named if is_whole else there)


def add_partition_column(table: Table, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give the rows of a file the column that only its folder says."""
    if table.partition is None or table.partition in rows.columns:
        return rows
    value = name.partition("=")[2].partition("/")[0]
    part = pl.lit(None if value == "__HIVE_DEFAULT_PARTITION__" else value).cast(table.schema[table.partition])
    return rows.with_columns(part.alias(table.partition))


def filter_intact_rows(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave the rows whose body is the one that was kept, in the table's columns."""
    rows = rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns)
    if table.layer != "bronze":
        return rows
    is_kept = [
        hashlib.sha256(body.encode()).hexdigest() == sha256
        for body, sha256 in rows.select("body", "sha256").iter_rows()
    ]
    return rows.filter(pl.Series(is_kept, dtype=pl.Boolean))


def remove_staging(staged: Location) -> None:
    """Remove what was fetched."""
    if isinstance(staged, Path):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        atomic_swap.remove_objects(staged, list(location.list_files(staged)))
