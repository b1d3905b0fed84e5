"""Upkeep: small files become few, logs get checkpoints, and what nobody needs any more is removed, within floors.

Nothing here changes a row, and the commits say nothing of what a table was made of. A run does the small part itself
(`tidy`), so that a lake that nobody tends stays fast.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, Broken
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location
from nhl_lake.store.commits import committing
from nhl_lake.store.delta import AFTERWARDS, LOG, PARQUET, adds
from nhl_lake.store.handles import commit
from nhl_lake.store.location import Place
from nhl_lake.store.locks import OWN

KEEP_DAYS = 90
FLOORS = {"bronze": 30, "lake": 30, "silver": 7, "gold": 7}  # days; of made tables, so that no reader loses its files
TIERS = (2**19, 2**23)  # a file is merged with others below its tier: few bytes are written more than twice
CROWD, FEW = 12, 4  # so many files in a tier are merged by a run, and by upkeep that was asked for
DRAFT = re.compile(r".+#\d+|_commit_.+\.json\.tmp|probe-[0-9a-f]+|lease\.json-[0-9a-f]+")
DRAFTS_FOR = timedelta(days=1)

Pins = Mapping[str, Collection[int]]  # by table, the versions that backups under way read


class Heap(NamedTuple):
    """Small files of one partition of a table (None: it has none) that are to become few."""

    part: int | None
    tier: int
    files: int
    size: int


class Tended(NamedTuple):
    """What upkeep did, or would do, for a table: its live files and their bytes, before and after; what is removed."""

    table: str
    files: int
    files_after: int
    bytes: int
    bytes_after: int
    removed: int
    removed_bytes: int


class Swept(NamedTuple):
    """Drafts that killed runs have left: how many, and their bytes."""

    files: int
    bytes: int


def tables_in(root: Place, names: Sequence[str]) -> list[Table]:
    """Return the tables of the lake that are named, alone or by layer; all by default."""
    known = {table.name for table in TABLES} | {table.layer for table in TABLES}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(
            f"There is no table and no layer '{unknown[0]}'.", "`nhl-lake tables` lists them; layers: bronze, silver."
        )
    chosen = [table for table in TABLES if not names or {table.name, table.layer} & set(names)]
    return [table for table in chosen if delta_tables.is_table(root, table)]


def check_days(tables: Sequence[Table], days: int) -> None:
    """Raise if removed files are to be kept for less than the floor of a table."""
    low = max(tables, key=lambda table: FLOORS[table.layer], default=None)
    if low is None or days >= (floor := FLOORS[low.layer]):
        return
    shorter = f"`nhl-lake maintain silver gold --keep-days {max(days, FLOORS['gold'])}` leaves the pages alone."
    raise BadInput(
        f"{low.name} keeps what was replaced for {floor} days at the least, not for {days}: backups and older "
        "versions rest on it.",
        f"Nothing was done. {shorter if low.layer in {'bronze', 'lake'} else f'Give --keep-days {floor} or more.'}",
    )


def maintain(root: Place, tables: Sequence[Table], *, days: int, pinned: Pins) -> Iterator[Tended]:
    """Tend tables, one after the other: merge small files, remove old ones, write a checkpoint, clean the log."""
    check_days(tables, days)
    for table in tables:
        before = delta_tables.size(root, table)
        for _ in merged(root, table, FEW):
            pass
        delta = delta_tables.handle(root, table)
        removed, removed_bytes = vacuum(root, table, delta, days=days, keep=pinned.get(table.name, ()), dry_run=False)
        checkpoint(root, table, delta)
        after = delta_tables.size(root, table)
        sizes = (before["files"], after["files"], before["bytes"], after["bytes"])
        yield Tended(table.name, *sizes, removed, removed_bytes)


def foresee(root: Place, tables: Sequence[Table], *, days: int, pinned: Pins) -> Iterator[Tended]:
    """Tell what `maintain` would do; change nothing."""
    check_days(tables, days)
    for table in tables:
        delta = delta_tables.handle(root, table)
        before = delta_tables.size(root, table)
        # a heap of the higher tier has that of the lower one in it
        heaps = {heap.part: heap for tier in TIERS for heap in crowded(delta, table, tier, FEW)}
        fewer = sum(heap.files - -(-heap.size // heap.tier) for heap in heaps.values())
        removed = vacuum(root, table, delta, days=days, keep=pinned.get(table.name, ()), dry_run=True)
        sizes = (before["files"], before["files"] - fewer, before["bytes"], before["bytes"])
        yield Tended(table.name, *sizes, *removed)


def tidy(root: Place, tables: Sequence[Table]) -> None:
    """Merge the small files of tables where there are many: what a run does of upkeep when it ends."""
    for table in tables:
        for _ in merged(root, table, CROWD):
            pass


def merged(root: Place, table: Table, at_least: int) -> Iterator[Heap]:
    """Merge the small files of each partition that has so many of a tier, and yield what was merged."""
    delta = delta_tables.handle(root, table)
    for tier in TIERS:
        heaps = crowded(delta, table, tier, at_least)
        for heap in heaps:
            for attempt in delta_tables.tries():
                with attempt:
                    merge(root, table, heap)
            yield heap
        if heaps:
            delta = delta_tables.handle(root, table)


def crowded(delta: DeltaTable, table: Table, tier: int, at_least: int) -> list[Heap]:
    """Return the partitions of a table with so many files smaller than a tier."""
    live = adds(delta)
    if live.height < at_least:
        return []
    part = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None, pl.Int32)
    small = live.filter(pl.col("size_bytes") < tier).group_by(part.alias("part"))
    heaps = small.agg(files=pl.len(), size=pl.col("size_bytes").sum()).filter(pl.col("files") >= at_least).sort("part")
    return [Heap(part, tier, files, size) for part, files, size in heaps.iter_rows()]


def merge(root: Place, table: Table, heap: Heap) -> None:
    """Merge the small files of one partition, in the order in which they came."""
    delta = delta_tables.handle(root, table)
    version = delta.version()
    rows = dict(adds(delta).select("path", "num_records").iter_rows())
    with committing(root, table, delta) as properties:
        delta.optimize.compact(
            partition_filters=[(str(table.partition), "=", str(heap.part))] if heap.part is not None else None,
            target_size=heap.tier,
            writer_properties=PARQUET,
            commit_properties=properties,
            post_commithook_properties=AFTERWARDS,
        )
    if delta.version() == version:
        return  # another run has merged them; or the store has, and its answer was lost
    entries = [
        json.loads(line) for line in (commit(delta_tables.path(root, table), delta.version()) or "").splitlines()
    ]
    before = sum(rows[entry["remove"]["path"]] for entry in entries if "remove" in entry)
    after = sum(json.loads(entry["add"]["stats"])["numRecords"] for entry in entries if "add" in entry)
    if before != after:
        raise Broken(
            f"{table.name}: {before:,} rows were {after:,} after their files were merged.",
            "No file was removed: `nhl-lake restore --from-backup`. This is a defect: please report it.",
        )


def vacuum(
    root: Place, table: Table, delta: DeltaTable, *, days: int, keep: Collection[int], dry_run: bool
) -> tuple[int, int]:
    """Remove files that no version of the last days needs, nor any pinned one; return how many, and their bytes."""
    hours = max(days, FLOORS[table.layer]) * 24
    versions = sorted(version for version in keep if version <= delta.version()) or None  # of a lake put back since

    def gone(*, dry_run: bool) -> list[str]:
        return delta.vacuum(
            hours,
            dry_run,
            enforce_retention_duration=False,
            full=True,
            keep_versions=versions,
            post_commithook_properties=AFTERWARDS,
        )

    names = gone(dry_run=True)
    if not names:
        return 0, 0
    sizes: Mapping[str, int] = {file.name: file.size for file in location.files(delta_tables.path(root, table))}
    if not dry_run:
        names = gone(dry_run=False)
        delta_tables.sync(root, table, delta)
    return len(names), sum(sizes.get(name, 0) for name in names)


def checkpoint(root: Place, table: Table, delta: DeltaTable) -> None:
    """Write a checkpoint of the newest version if there is none, and remove what is older than the log is kept."""
    if location.has(delta_tables.path(root, table), f"{LOG}/{delta.version():020d}.checkpoint.parquet"):
        return
    delta.create_checkpoint()
    delta_tables.sync(root, table, delta)
    delta.cleanup_metadata()


def sweep(root: Place, *, now: datetime, dry_run: bool) -> Swept:
    """Remove the drafts of killed runs that are older than a day: the engine does not know them."""
    old = [file for file in drafts(root) if now - file.at > DRAFTS_FOR]
    if not dry_run:
        location.remove(root, (file.name for file in old))
    return Swept(len(old), sum(file.size for file in old))


def drafts(root: Place) -> Iterator[location.File]:
    """Yield the files that are written before they get their name, or for a moment only; what is not ours stays."""
    if not isinstance(root, Path):
        yield from (file for file in location.files(root, OWN) if DRAFT.fullmatch(file.name.rpartition("/")[2]))
        return
    for folder in (root / OWN, *(root / layer for layer in FLOORS)):
        for file in folder.rglob("*"):
            if DRAFT.fullmatch(file.name) and file.is_file():
                about = file.stat()
                at = datetime.fromtimestamp(about.st_mtime, UTC)
                yield location.File(file.relative_to(root).as_posix(), about.st_size, at)
