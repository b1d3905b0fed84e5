"""Create, read, append to and replace the lake's Delta tables. No other module writes table rows.

No function deletes, overwrites or truncates bronze or the ledger: `replace_rows` rejects them, and so does delta-rs
(`delta.appendOnly`). Functions that write return only after the data is synced to disk.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import polars as pl
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from nhl_lake.errors import TableNotFound, UnreadableData, is_panic, raise_shortage, summarize_error
from nhl_lake.schema import external
from nhl_lake.schema.table import Table, TableName, VersionPolicy
from nhl_lake.store import atomic_swap, location
from nhl_lake.store.commits import (
    append_rows,
    begin_commit,
    locate_last_commit,
    overwrite_by_key,
    retry_commits,
    sync_commits,
)
from nhl_lake.store.delta import (
    DELTA_LOG,
    POST_COMMIT,
    WRITER_PROPERTIES,
    commit_name,
    get_table_properties,
    read_add_actions,
    require_schema,
    to_arrow,
)
from nhl_lake.store.handles import MAX_WORKERS, TableHandle, locate_table, open_handle, read_commit_infos
from nhl_lake.store.location import Bucket, Location
from nhl_lake.store.page_versions import SameContent, StoreResult, find_new_versions
from nhl_lake.store.s3_errors import explain_s3_error

__all__ = ["TableHandle", "append_rows", "locate_table", "retry_commits", "sync_commits"]

T = TypeVar("T")


def create_tables(root: Location, tables: Sequence[Table]) -> list[Table]:
    """Create the missing tables, empty, and return them.

    Creating and writing are separate steps, so two first runs cannot write to two different tables.
    """
    return [table for table, is_new in zip(tables, map_tables(root, create_table, tables), strict=True) if is_new]


def create_table(root: Location, table: Table) -> bool:
    """Create a table if it is missing; return whether it was created."""
    if has_table(root, table):
        return False
    folder = locate_table(root, table)
    if has_files(folder) and not has_table(root, table):
        raise_unreadable(root, table, f"it has files but no log in `{DELTA_LOG}`")
    if isinstance(root, Path) and isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)
        location.require_hard_links(root)
    try:
        delta = DeltaTable.create(
            str(folder),
            schema=table.schema,
            mode="ignore",
            partition_by=list_partition_columns(table) or None,
            name=table.name,
            description=f"One row is {table.grain}.",
            configuration=get_table_properties(table),
            storage_options=location.get_storage_options(folder),
        )
    except DeltaError:
        if isinstance(folder, Path) or not has_table(root, table):
            raise
        return True  # another run has just created it, or this one did and the response was lost
    sync_commits(root, table, delta)
    return True


def map_tables(root: Location, do: Callable[[Location, Table], T], tables: Iterable[Table]) -> list[T]:
    """Call a function for many tables in parallel: most of the time is spent waiting for the store or disk."""
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        return list(pool.map(partial(do, root), tables))


def open_tables(root: Location, tables: Iterable[Table]) -> list[Table]:
    """Open the tables that exist, and return the missing ones; raise if a table cannot be read."""
    checked = list(tables)
    found = map_tables(root, open_if_exists, checked)
    return [table for table, is_found in zip(checked, found, strict=True) if not is_found]


def open_if_exists(root: Location, table: Table) -> bool:
    """Open a table if it exists; return whether it does."""
    if isinstance(root, Path) and not has_table(root, table) and not has_files(locate_table(root, table)):
        return False
    try:
        open_table(root, table)
    except TableNotFound:
        return False
    return True


def has_table(root: Location, table: Table | TableName) -> bool:
    """Return whether the table is in the lake."""
    folder = locate_table(root, table)
    if isinstance(folder, Path):
        # called hundreds of times a run: look for the first commit, because listing a year of commits is slow
        return (folder / commit_name(0)).exists() or any((folder / DELTA_LOG).glob("*.json"))
    return any(file.name.endswith(".json") for file in location.list_files(folder, DELTA_LOG))


def has_files(folder: Location) -> bool:
    """Return whether a table's folder holds files. Folders and staging files of a killed run do not count.

    Call it before `has_table`: when another run creates the table at this moment, its log appears first.
    """
    if isinstance(folder, Path):
        return any(file.is_file() and "#" not in file.name for file in folder.rglob("*"))
    return not location.is_empty(folder)


def has_data_files(root: Location, table: Table) -> bool:
    """Return whether there are data files in a table's folder."""
    folder = locate_table(root, table)
    if isinstance(folder, Path):
        return any(folder.rglob("*.parquet"))
    return any(file.name.endswith(".parquet") for file in location.list_files(folder))


def raise_unreadable(root: Location, table: Table | TableName, why: object) -> NoReturn:
    """Raise the error for a damaged table. Nothing is guessed, and nothing is fetched again silently."""
    raise UnreadableData(
        f"{table.name} cannot be read at {locate_table(root, table)}: {summarize_error(why)}",
        "No changes were made. Run `nhl-lake doctor` to see how to repair it.",
    )


def open_table(root: Location, table: Table | TableName, *, version: int | None = None) -> DeltaTable:
    """Open a table at its newest version, or at `version`."""
    folder = locate_table(root, table)
    if isinstance(folder, Path) and not has_table(root, table):
        raise_missing(root, table)
    try:
        delta = open_handle(folder, version)
    except BaseException as error:  # delta-rs raises bare Exceptions for a damaged log, and panics
        raise_shortage(error)
        if isinstance(folder, Bucket) and isinstance(error, TableNotFoundError) and not has_table(root, table):
            raise_missing(root, table)
        if isinstance(error, Exception) or is_panic(error):
            if isinstance(folder, Bucket) and (explained := explain_s3_error(error, root)):
                raise explained from error
            raise_unreadable(root, table, error)
        raise
    if isinstance(folder, Path):
        # a power cut can leave the last commit empty; delta-rs would read that as a version without rows
        log = locate_last_commit(delta, folder)
        if log.is_file() and not log.stat().st_size:
            raise_unreadable(root, table, f"its last commit, {delta.version()}, is an empty file")
    return delta


def raise_missing(root: Location, table: Table | TableName) -> NoReturn:
    """Raise the error for a table without a log."""
    if has_files(locate_table(root, table)) and not has_table(root, table):
        raise_unreadable(root, table, f"it has files but no log in `{DELTA_LOG}`")
    atomic_swap.require_no_unfinished_swap(root)
    raise TableNotFound(f"{table.name} is not in the lake at {root}.", "Run `nhl-lake ingest` to create it.")


def scan_table(root: Location, table: Table | TableName, *, version: int | None = None) -> pl.LazyFrame:
    """Scan a table, pinned at its newest version, or at `version`."""
    return pl.scan_delta(open_table(root, table, version=version))


def scan_by_season(root: Location, table: Table) -> Iterator[pl.LazyFrame]:
    """Yield the rows of a table season by season, to hold one season in memory. Each key belongs to one season."""
    rows = scan_table(root, table)
    if table.partition is None:
        yield rows
        return
    for season in rows.select(table.partition).unique().collect()[table.partition]:
        yield rows.filter(pl.col(table.partition).eq_missing(season))


def scan_newest_pages(root: Location, table: Table, *, seasons: Sequence[int] | None = None) -> pl.LazyFrame:
    """Scan the newest version of each page of a bronze table, for all seasons or some."""
    return filter_newest_pages(scan_table(root, table), table, seasons)


def filter_newest_pages(pages: pl.LazyFrame, table: Table, seasons: Sequence[int] | None = None) -> pl.LazyFrame:
    """Filter to the newest version of each page. Keys first, then bodies: half the time, and 300 MB less memory."""
    if seasons is not None and table.partition:
        pages = pages.filter(pl.col(table.partition).is_in(list(seasons)))
    if table.version_policy is VersionPolicy.LATEST:
        return pages
    page = list(table.page_key)
    last = pages.select(*page, "fetched_at").group_by(page).agg(pl.col("fetched_at").max())
    return pages.join(last, on=[*page, "fetched_at"], how="semi")


def store_pages(root: Location, table: Table, rows: pl.DataFrame, is_same: SameContent) -> StoreResult:
    """Store pages that differ from the newest stored version of their key: append them, or overwrite by key.

    is_same: whether two different bodies have the same content. Two concurrent writers lose or duplicate nothing: each
    commit carries an application transaction, so one of them conflicts, reads again and decides again.
    """
    for attempt in retry_commits():
        with attempt:
            delta = open_table(root, table)
            fresh, result = find_new_versions(table, rows, pl.scan_delta(delta), is_same)
            if fresh.is_empty():
                return result
            with begin_commit(root, table, delta) as properties:
                if table.version_policy is VersionPolicy.LATEST and result.changed:
                    overwrite_by_key(root, delta, table, fresh, properties)
                else:
                    append_rows(root, table, delta, fresh, properties)
            return result
    raise AssertionError("unreachable: the last attempt raises")


def append_to_ledger(root: Location, table: Table, rows: pl.DataFrame) -> None:
    """Append rows to a table of the ledger."""
    if table.layer != "lake":
        raise TypeError(f"{table.name} is not a ledger table")
    require_schema(table, rows)
    if rows.is_empty():
        return
    for attempt in retry_commits():
        with attempt, begin_commit(root, table, delta := open_table(root, table)) as properties:
            append_rows(root, table, delta, rows, properties)


def replace_rows(
    root: Location, table: Table, rows: pl.DataFrame, *, where: str | None, metadata: Mapping[str, str]
) -> None:
    """Replace the rows of a silver or gold table that match `where` (None: all, and the schema), in one commit."""
    if table.layer not in {"silver", "gold"}:
        raise TypeError(f"{table.name} is never replaced")
    require_schema(table, rows)
    for attempt in retry_commits():
        with attempt, begin_commit(root, table, delta := open_table(root, table), metadata) as properties:
            write_deltalake(
                delta,
                to_arrow(rows),
                mode="overwrite",
                predicate=where,
                schema_mode="overwrite" if where is None else None,
                partition_by=list_partition_columns(table) if where is None else None,
                writer_properties=WRITER_PROPERTIES,
                commit_properties=properties,
                post_commithook_properties=POST_COMMIT,
            )


def replace_external_rows(root: Location, table: Table, rows: pl.DataFrame, seasons: Sequence[int]) -> None:
    """Replace the rows of seasons in a table of another place, in one commit. New columns of a file are added."""
    if table.layer != "external":
        raise TypeError(f"{table.name} is not imported")
    require_schema(table, rows.select(list(table.schema)))
    create_table(root, external.add_file_columns(table, rows.schema))
    for attempt in retry_commits():
        with attempt, begin_commit(root, table, delta := open_table(root, table)) as properties:
            write_deltalake(
                delta,
                to_arrow(rows),
                mode="overwrite",
                predicate=f"{table.partition} IN ({', '.join(str(int(season)) for season in seasons)})",
                schema_mode="merge",
                writer_properties=WRITER_PROPERTIES,
                commit_properties=properties,
                post_commithook_properties=POST_COMMIT,
            )


def repartition_table(root: Location, table: Table) -> None:
    """Rewrite a silver or gold table if an earlier release partitioned it by other columns."""
    if open_table(root, table).metadata().partition_columns != list_partition_columns(table):
        replace_rows(root, table, scan_table(root, table).collect(), where=None, metadata={})


def list_partition_columns(table: Table) -> list[str]:
    """Return the partition columns of a table: one or none."""
    return [table.partition] if table.partition else []


def read_commit_metadata(root: Location, table: Table, key: str, *, version: int | None = None) -> dict[str, Any]:
    """Return the newest metadata under a key, up to `version`. Maintenance commits carry none."""
    for commit in read_commit_infos(
        locate_table(root, table), open_table(root, table).version() if version is None else version
    ):
        if key in commit:
            found: dict[str, Any] = json.loads(commit[key])
            return found
    return {}


def read_table_size(root: Location, table: Table) -> dict[str, Any]:
    """Return a table's rows, files, bytes on disk and version, from its log."""
    delta = open_table(root, table)
    files = read_add_actions(delta)
    rows, size_bytes = (int(files[name].sum()) if files.height else 0 for name in ("num_records", "size_bytes"))
    return {"rows": rows, "files": files.height, "bytes": size_bytes, "version": delta.version()}


def read_table_sizes(root: Location, tables: Iterable[Table]) -> list[tuple[Table, dict[str, Any]]]:
    """Return the sizes of the tables that exist."""

    def read_size(root: Location, table: Table) -> tuple[Table, dict[str, Any]] | None:
        try:
            return table, read_table_size(root, table)
        except TableNotFound:
            return None

    return [found for found in map_tables(root, read_size, tables) if found is not None]


def scan_table_or_empty(root: Location, table: Table) -> pl.LazyFrame:
    """Scan a table; a table that does not exist yet, because the first run is still going, has no rows."""
    try:
        return scan_table(root, table)
    except TableNotFound:
        return pl.LazyFrame(schema=table.schema)
