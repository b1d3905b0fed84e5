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
from nhl_lake.backup.manifest import Manifest, Saved
from nhl_lake.backup.preflight import check
from nhl_lake.backup.restore import Told, silent
from nhl_lake.errors import BadInput, is_panic
from nhl_lake.schema.table import Keeps, Table
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.commits import committing, renew
from nhl_lake.store.delta import LOG, commit_name
from nhl_lake.store.location import Place

ROWS_AT_ONCE = 500


class Regained(NamedTuple):
    """What became of a table: rows that were added to it; or, where it was replaced, the place of what was there."""

    table: str
    added: int
    is_replaced: bool
    kept_as: str | None


def regain(
    root: Place,
    backups: Place,
    wanted: Manifest,
    tables: Sequence[Table],
    *,
    now: datetime,
    command: str,
    told: Told = silent,
) -> Iterator[Regained]:
    """Bring tables of a backup back into a lake that is otherwise there."""
    check(root, backups, wanted)
    some = [saved_of(wanted, table) for table in tables]
    with locks.locked(root, command, now=now):
        atomic_swap.finish(root)
        handles.forget()
        staged = restore.staging(root, wanted)
        restore.fetch(backups, wanted, staged, tables=some, told=told)
        restore.verify(staged, some)
        aside = restore.put_aside(root, now)
        for table, saved in zip(tables, some, strict=True):
            if table.layer in {"bronze", "lake"} and is_whole(root, table) and goes_on(root, table, saved):
                yield Regained(
                    table.name, added(root, table, delta_tables.scan(staged, table)), is_replaced=False, kept_as=None
                )
            else:
                yield replaced(root, staged, table, aside=aside, command=command)
        discard(staged)


def saved_of(wanted: Manifest, table: Table) -> Saved:
    """Return what a backup has of a table."""
    for saved in wanted.tables:
        if saved.name == table.name:
            return saved
    raise BadInput(f"The backup {wanted.name} has no {table.name}.", "`nhl-lake backup list` names other backups.")


def is_whole(root: Place, table: Table) -> bool:
    """Whether every file of a table can be opened."""
    try:
        delta_tables.scan(root, table).select(pl.exclude("body").null_count()).collect()
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def goes_on(root: Place, table: Table, saved: Saved) -> bool:
    """Whether the history of a table goes on from what a backup has of it."""
    delta = delta_tables.handle(root, table)
    if str(delta.metadata().id) != saved.id or delta.version() < saved.version:
        return False
    folder = delta_tables.path(root, table)
    has = location.has(folder, commit_name(saved.version))
    return not has or log_packs.head(folder, saved.version) == saved.head


def added(root: Place, table: Table, rows: pl.LazyFrame) -> int:
    """Add the rows that a table lacks, some at a time; those of its keys that it has are left as they are.

    Where only the newest version of a page is kept, a newer one takes the place of an older.
    """
    if table.keeps is Keeps.NEWEST:
        return renewed(root, table, rows)
    key = list(table.key)
    keys = lacking_keys(rows, delta_tables.scan(root, table), table)
    for some in keys.iter_slices(ROWS_AT_ONCE):
        lacking = rows.join(some.lazy(), on=key, how="semi").unique(key, keep="first").collect()
        for attempt in delta_tables.tries():
            with attempt, committing(root, table, delta := delta_tables.handle(root, table)) as properties:
                delta_tables.write(root, table, delta, lacking, properties)
    return keys.height


def renewed(root: Place, table: Table, rows: pl.LazyFrame) -> int:
    """Put pages in a table of newest pages that it lacks, or has older ones of; return how many."""
    key = list(table.key)
    newest = rows.sort("fetched_at").unique(key, keep="last").collect()
    for attempt in delta_tables.tries():
        with attempt:
            delta = delta_tables.handle(root, table)
            was = pl.scan_delta(delta).select(*key, was="fetched_at").collect()
            both = newest.join(was, on=key, how="left").filter(
                pl.col("was").is_null() | (pl.col("fetched_at") > pl.col("was"))
            )
            if both.height:
                fresh = both.select(table.schema.names())
                with committing(root, table, delta) as properties:
                    renew(delta, table, fresh, properties)
            return both.height
    raise AssertionError("unreachable: the last attempt raises")


def lacking_keys(rows: pl.LazyFrame, there: pl.LazyFrame, table: Table) -> pl.DataFrame:
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


def replaced(root: Place, staged: Place, table: Table, *, aside: Place, command: str) -> Regained:
    """Put a table of a backup in the place of one that cannot be read, with what can be read of that one."""
    folder = delta_tables.path(root, table)
    was_there = delta_tables.holds_files(folder)
    count = 0
    if was_there and table.layer in {"bronze", "lake"}:
        count = sum(added(staged, table, rows.lazy()) for rows in salvaged(folder, table))
    keep_as = delta_tables.path(aside, table)
    atomic_swap.swap(delta_tables.path(staged, table), folder, keep_as, of=root, command=command)
    handles.forget()
    return Regained(table.name, count, is_replaced=True, kept_as=str(keep_as) if was_there else None)


def salvaged(folder: Place, table: Table) -> Iterator[pl.DataFrame]:
    """Yield what can be read of a table that cannot be opened, file by file: whole rows, whose pages are as kept."""
    yield from (rows for name in data_files(folder) if (rows := rows_of(folder, table, name)) is not None)


def rows_of(folder: Place, table: Table, name: str) -> pl.DataFrame | None:
    """Return the whole rows of a data file; None if it is gone, or cannot be read."""
    try:
        rows = pl.read_parquet(b"".join(location.pieces(folder, name)))
        return whole_rows(table, with_partition(table, rows, name))
    except BaseException as error:
        if isinstance(error, OSError | pl.exceptions.PolarsError) or is_panic(error):
            return None
        raise


def data_files(folder: Place) -> list[str]:
    """Return the data files that the log of a table names; all that are there if commits of it are gone or broken."""
    there = {file.name for file in location.files(folder) if file.name.endswith(".parquet")}
    there -= {name for name in there if name.startswith(LOG)}
    commits = log_packs.listed(folder).commits
    named: set[str] = set()
    is_whole = bool(commits) and len(commits) == max(commits) + 1
    for version in commits:
        try:
            said = [json.loads(line) for line in log_packs.commit(folder, version).splitlines()]
            named |= {entry["add"]["path"] for entry in said if "add" in entry}
            is_whole = is_whole and bool(said)
        except (ValueError, KeyError, TypeError):
            is_whole = False
    return sorted(there & named if is_whole else there)


def with_partition(table: Table, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give the rows of a file the column that only its folder says."""
    if table.partition is None or table.partition in rows.columns:
        return rows
    value = name.partition("=")[2].partition("/")[0]
    part = pl.lit(None if value == "__HIVE_DEFAULT_PARTITION__" else value).cast(table.schema[table.partition])
    return rows.with_columns(part.alias(table.partition))


def whole_rows(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave the rows whose body is the one that was kept, in the table's columns."""
    rows = rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns)
    if table.layer != "bronze":
        return rows
    is_kept = [
        hashlib.sha256(body.encode()).hexdigest() == sha256
        for body, sha256 in rows.select("body", "sha256").iter_rows()
    ]
    return rows.filter(pl.Series(is_kept, dtype=pl.Boolean))


def discard(staged: Place) -> None:
    """Remove what was fetched."""
    if isinstance(staged, Path):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        atomic_swap.drop(staged, list(location.files(staged)))
