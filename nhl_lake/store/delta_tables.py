"""The one door to disk and S3: tables are made, read, appended to, merged and replaced here, and nowhere else.

Bronze and the ledger have no function that deletes, overwrites or truncates: `replace` refuses them, and the engine
does too (`delta.appendOnly`). What is written is synced before a caller is told so.
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

from nhl_lake.errors import Missing, Unreadable, brief, is_panic
from nhl_lake.schema.table import Keeps, Table
from nhl_lake.store import atomic_swap, location
from nhl_lake.store.commits import committing, last_commit, renew, sync, tries, write
from nhl_lake.store.delta import AFTERWARDS, LOG, PARQUET, adds, commit_name, gate, plain, properties
from nhl_lake.store.handles import AT_ONCE, Opened, notes, opened, path
from nhl_lake.store.location import Bucket, Place
from nhl_lake.store.s3_errors import outage
from nhl_lake.store.versions import Kept, Same, news

__all__ = ["Opened", "path", "sync", "tries", "write"]

T = TypeVar("T")


def create(root: Place, tables: Sequence[Table]) -> list[Table]:
    """Make the tables that the lake does not have, and return them. Nothing is written into them here.

    Making a table apart from writing to it is what keeps two first runs from writing into two different tables.
    """
    return [table for table, is_new in zip(tables, at_once(root, create_one, tables), strict=True) if is_new]


def create_one(root: Place, table: Table) -> bool:
    """Make a table if the lake does not have it; return whether it was made."""
    if is_table(root, table):
        return False
    folder = path(root, table)
    if holds_files(folder) and not is_table(root, table):
        unreadable(root, table, f"it holds files but no log in `{LOG}`")
    if isinstance(root, Path) and isinstance(folder, Path):
        folder.mkdir(parents=True, exist_ok=True)
        location.require_links(root)
    try:
        delta = DeltaTable.create(
            str(folder),
            schema=table.schema,
            mode="ignore",
            partition_by=partition_columns(table) or None,
            name=table.name,
            description=f"One row is {table.grain}.",
            configuration=properties(table),
            storage_options=location.options(folder),
        )
    except DeltaError:
        if isinstance(folder, Path) or not is_table(root, table):
            raise
        return True  # made just now by another run, or by this one, and the answer was lost
    sync(root, table, delta)
    return True


def at_once(root: Place, do: Callable[[Place, Table], T], tables: Iterable[Table]) -> list[T]:
    """Do something for many tables, some at once: most of the time is waiting, for a store or for the disk."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(do, root), tables))


def open_all(root: Place, tables: Iterable[Table]) -> list[Table]:
    """Open the tables that are there, and return the others; raise if one cannot be read."""
    some = list(tables)
    return [table for table, is_there in zip(some, at_once(root, open_one, some), strict=True) if not is_there]


def open_one(root: Place, table: Table) -> bool:
    """Open a table if it is there; return whether it is."""
    if isinstance(root, Path) and not is_table(root, table) and not holds_files(path(root, table)):
        return False
    try:
        handle(root, table)
    except Missing:
        return False
    return True


def is_table(root: Place, table: Table) -> bool:
    """Whether the table is in the lake."""
    folder = path(root, table)
    if isinstance(folder, Path):
        # asked hundreds of times a run: nearly always the first commit is there, and a year of them takes long to list
        return (folder / commit_name(0)).exists() or any((folder / LOG).glob("*.json"))
    return any(file.name.endswith(".json") for file in location.files(folder, LOG))


def holds_files(folder: Place) -> bool:
    """Whether a table's place holds files; a run killed as it makes a table leaves folders and staging files.

    Asked before `is_table`: of a table that another run makes just now, the log is there first.
    """
    if isinstance(folder, Path):
        return any(file.is_file() and "#" not in file.name for file in folder.rglob("*"))
    return not location.is_empty(folder)


def holds_data(root: Place, table: Table) -> bool:
    """Whether there are data files in a table's place."""
    folder = path(root, table)
    if isinstance(folder, Path):
        return any(folder.rglob("*.parquet"))
    return any(file.name.endswith(".parquet") for file in location.files(folder))


def unreadable(root: Place, table: Table, why: object) -> NoReturn:
    """Raise what a damaged table calls for: nothing is guessed, nothing is fetched again behind the user's back."""
    raise Unreadable(
        f"{table.name} cannot be read at {path(root, table)}: {brief(why)}",
        "Nothing was changed. `nhl-lake doctor` says what mends it: a newer program, a backup, or to ask again.",
    )


def handle(root: Place, table: Table, *, version: int | None = None) -> DeltaTable:
    """Open a table at its newest version, or at one that it had."""
    folder = path(root, table)
    if isinstance(folder, Path) and not is_table(root, table):
        missing(root, table)
    try:
        delta = opened(folder, version)
    except BaseException as error:  # delta-rs raises bare Exceptions for a damaged log, and panics
        if isinstance(folder, Bucket) and isinstance(error, TableNotFoundError) and not is_table(root, table):
            missing(root, table)
        if isinstance(error, Exception) or is_panic(error):
            if isinstance(folder, Bucket) and (trouble := outage(error, root)):
                raise trouble from error
            unreadable(root, table, error)
        raise
    if isinstance(folder, Path):
        # what a power cut can leave of a last commit: delta-rs reads an empty one as a version without rows
        log = last_commit(delta, folder)
        if log.is_file() and not log.stat().st_size:
            unreadable(root, table, f"its last commit, {delta.version()}, is an empty file")
    return delta


def missing(root: Place, table: Table) -> NoReturn:
    """Raise what a table calls for that has no log."""
    if holds_files(path(root, table)) and not is_table(root, table):
        unreadable(root, table, f"it holds files but no log in `{LOG}`")
    atomic_swap.require_finished(root)
    raise Missing(f"{table.name} is not in the lake at {root}.", "`nhl-lake ingest` makes it.")


def scan(root: Place, table: Table, *, version: int | None = None) -> pl.LazyFrame:
    """Read a table, pinned at its newest version, or at one that it had."""
    return pl.scan_delta(handle(root, table, version=version))


def by_season(root: Place, table: Table) -> Iterator[pl.LazyFrame]:
    """Yield the rows of a table season by season, so that memory holds one of them; a key has one season."""
    rows = scan(root, table)
    if table.partition is None:
        yield rows
        return
    for season in rows.select(table.partition).unique().collect()[table.partition]:
        yield rows.filter(pl.col(table.partition).eq_missing(season))


def newest(root: Place, table: Table, *, seasons: Sequence[int] | None = None) -> pl.LazyFrame:
    """Read the newest version of each page of a bronze table, of all seasons or of some."""
    return newest_of(scan(root, table), table, seasons)


def newest_of(pages: pl.LazyFrame, table: Table, seasons: Sequence[int] | None = None) -> pl.LazyFrame:
    """Leave the newest version of each page. Keys first, then bodies: half the time and 300 MB less than at once."""
    if seasons is not None and table.partition:
        pages = pages.filter(pl.col(table.partition).is_in(list(seasons)))
    if table.keeps is Keeps.NEWEST:
        return pages
    page = list(table.page_key)
    last = pages.select(*page, "fetched_at").group_by(page).agg(pl.col("fetched_at").max())
    return pages.join(last, on=[*page, "fetched_at"], how="semi")


def keep(root: Place, table: Table, rows: pl.DataFrame, same: Same) -> Kept:
    """Keep pages: append those that differ from the newest kept one of their key, or merge them by key.

    `same` says whether two different bodies say the same. Two writers at once lose and double nothing: the commit
    carries an application transaction, so that one of two conflicts, reads again and decides again.
    """
    for attempt in tries():
        with attempt:
            delta = handle(root, table)
            fresh, kept = news(table, rows, pl.scan_delta(delta), same)
            if fresh.is_empty():
                return kept
            with committing(root, table, delta) as properties:
                if table.keeps is Keeps.NEWEST and kept.changed:
                    renew(delta, table, fresh, properties)
                else:
                    write(root, table, delta, fresh, properties)
            return kept
    raise AssertionError("unreachable: the last attempt raises")


def append(root: Place, table: Table, rows: pl.DataFrame) -> None:
    """Append rows to a table of the ledger."""
    if table.layer != "lake":
        raise TypeError(f"{table.name} is not of the ledger")
    gate(table, rows)
    if rows.is_empty():
        return
    for attempt in tries():
        with attempt, committing(root, table, delta := handle(root, table)) as properties:
            write(root, table, delta, rows, properties)


def replace(root: Place, table: Table, rows: pl.DataFrame, *, where: str | None, metadata: Mapping[str, str]) -> None:
    """Replace the rows of a silver or gold table that a predicate picks, or all and their schema, in one commit."""
    if table.layer not in {"silver", "gold"}:
        raise TypeError(f"{table.name} is never replaced")
    gate(table, rows)
    for attempt in tries():
        with attempt, committing(root, table, delta := handle(root, table), metadata) as properties:
            write_deltalake(
                delta,
                plain(rows),
                mode="overwrite",
                predicate=where,
                schema_mode="overwrite" if where is None else None,
                partition_by=partition_columns(table) if where is None else None,
                writer_properties=PARQUET,
                commit_properties=properties,
                post_commithook_properties=AFTERWARDS,
            )


def repartition(root: Place, table: Table) -> None:
    """Write a silver or gold table of an earlier release anew, if that release partitioned it by other columns."""
    if handle(root, table).metadata().partition_columns != partition_columns(table):
        replace(root, table, scan(root, table).collect(), where=None, metadata={})


def partition_columns(table: Table) -> list[str]:
    """Return the columns that a table is partitioned by, of which there is one or none."""
    return [table.partition] if table.partition else []


def metadata(root: Place, table: Table, key: str, *, version: int | None = None) -> dict[str, Any]:
    """Return what the last commit, up to a version or the newest, says under a key; commits of upkeep say nothing."""
    for said in notes(path(root, table), handle(root, table).version() if version is None else version):
        if key in said:
            found: dict[str, Any] = json.loads(said[key])
            return found
    return {}


def size(root: Place, table: Table) -> dict[str, Any]:
    """Return rows, files, bytes on disk and the version of a table, from its log."""
    delta = handle(root, table)
    files = adds(delta)
    rows, size_bytes = (int(files[name].sum()) if files.height else 0 for name in ("num_records", "size_bytes"))
    return {"rows": rows, "files": files.height, "bytes": size_bytes, "version": delta.version()}


def sizes(root: Place, tables: Iterable[Table]) -> list[tuple[Table, dict[str, Any]]]:
    """Return the sizes of those tables that are there."""

    def of(root: Place, table: Table) -> tuple[Table, dict[str, Any]] | None:
        try:
            return table, size(root, table)
        except Missing:
            return None

    return [found for found in at_once(root, of, tables) if found is not None]


def scan_or_empty(root: Place, table: Table) -> pl.LazyFrame:
    """Read a table; one that is not there yet, because the first run is under way, has no rows."""
    try:
        return scan(root, table)
    except Missing:
        return pl.LazyFrame(schema=table.schema)
