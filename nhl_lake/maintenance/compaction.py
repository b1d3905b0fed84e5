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
from nhl_lake.errors import BadInput, ValidationFailed
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location
from nhl_lake.store.commits import begin_commit
from nhl_lake.store.delta import DELTA_LOG, POST_COMMIT, WRITER_PROPERTIES, read_add_actions
from nhl_lake.store.handles import read_commit
from nhl_lake.store.location import Location
from nhl_lake.store.locks import STATE_FOLDER

KEEP_DAYS = 90
MIN_KEEP_DAYS = {
    "bronze": 30,
    "lake": 30,
    "silver": 7,
    "gold": 7,
}  # days; of made tables, so that no reader loses its files
TARGET_SIZES = (2**19, 2**23)  # a file is merged with others below its tier: few bytes are written more than twice
MIN_FILES_IN_RUN, MIN_FILES = 12, 4  # so many files in a tier are merged by a run, and by upkeep that was asked for
ORPHAN_NAME = re.compile(r".+#\d+|_commit_.+\.json\.tmp|probe-[0-9a-f]+|lease\.json-[0-9a-f]+")
MIN_ORPHAN_AGE = timedelta(days=1)

PinnedVersions = Mapping[str, Collection[int]]  # by table, the versions that backups under way read


class FileGroup(NamedTuple):
    """Small files of one partition of a table (None: it has none) that are to become few."""

    partition: int | None
    target_size: int
    files: int
    size_bytes: int


class MaintenanceResult(NamedTuple):
    """What upkeep did, or would do, for a table: its live files and their bytes, before and after; what is removed."""

    table: str
    files: int
    files_after: int
    bytes: int
    bytes_after: int
    removed: int
    removed_bytes: int


class OrphanCleanup(NamedTuple):
    """Drafts that killed runs have left: how many, and their bytes."""

    files: int
    bytes: int


def select_tables(root: Location, names: Sequence[str]) -> list[Table]:
    """Return the tables of the lake that are named, alone or by layer; all by default."""
    known = {table.name for table in TABLES} | {table.layer for table in TABLES}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(
            f"There is no table and no layer '{unknown[0]}'.", "`nhl-lake tables` lists them; layers: bronze, silver."
        )
    chosen = [table for table in TABLES if not names or {table.name, table.layer} & set(names)]
    return [table for table in chosen if delta_tables.has_table(root, table)]


def require_keep_days(tables: Sequence[Table], days: int) -> None:
    """Raise if removed files are to be kept for less than the floor of a table."""
    low = max(tables, key=lambda table: MIN_KEEP_DAYS[table.layer], default=None)
    if low is None or days >= (floor := MIN_KEEP_DAYS[low.layer]):
        return
    shorter = f"`nhl-lake maintain silver gold --keep-days {max(days, MIN_KEEP_DAYS['gold'])}` leaves the pages alone."
    raise BadInput(
        f"{low.name} keeps what was replaced for {floor} days at the least, not for {days}: backups and older "
        "versions rest on it.",
        f"Nothing was done. {shorter if low.layer in {'bronze', 'lake'} else f'Give --keep-days {floor} or more.'}",
    )


def maintain_tables(
    root: Location, tables: Sequence[Table], *, days: int, pins: PinnedVersions
) -> Iterator[MaintenanceResult]:
    """Tend tables, one after the other: merge small files, remove old ones, write a checkpoint, clean the log."""
    require_keep_days(tables, days)
    for table in tables:
        before = delta_tables.read_table_size(root, table)
        for _ in compact_file_groups(root, table, MIN_FILES):
            pass
        delta = delta_tables.open_table(root, table)
        removed, removed_bytes = vacuum_table(
            root, table, delta, days=days, keep=pins.get(table.name, ()), dry_run=False
        )
        checkpoint_table(root, table, delta)
        after = delta_tables.read_table_size(root, table)
        sizes = (before["files"], after["files"], before["bytes"], after["bytes"])
        yield MaintenanceResult(table.name, *sizes, removed, removed_bytes)


def preview_maintenance(
    root: Location, tables: Sequence[Table], *, days: int, pins: PinnedVersions
) -> Iterator[MaintenanceResult]:
    """Tell what `maintain` would do; change nothing."""
    require_keep_days(tables, days)
    for table in tables:
        delta = delta_tables.open_table(root, table)
        before = delta_tables.read_table_size(root, table)
        # a heap of the higher tier has that of the lower one in it
        heaps = {
            heap.partition: heap for tier in TARGET_SIZES for heap in find_file_groups(delta, table, tier, MIN_FILES)
        }
        fewer = sum(heap.files - -(-heap.size_bytes // heap.target_size) for heap in heaps.values())
        removed = vacuum_table(root, table, delta, days=days, keep=pins.get(table.name, ()), dry_run=True)
        sizes = (before["files"], before["files"] - fewer, before["bytes"], before["bytes"])
        yield MaintenanceResult(table.name, *sizes, *removed)


def compact_crowded_tables(root: Location, tables: Sequence[Table]) -> None:
    """Merge the small files of tables where there are many: what a run does of upkeep when it ends."""
    for table in tables:
        for _ in compact_file_groups(root, table, MIN_FILES_IN_RUN):
            pass


def compact_file_groups(root: Location, table: Table, at_least: int) -> Iterator[FileGroup]:
    """Merge the small files of each partition that has so many of a tier, and yield what was merged."""
    delta = delta_tables.open_table(root, table)
    for tier in TARGET_SIZES:
        heaps = find_file_groups(delta, table, tier, at_least)
        for heap in heaps:
            for attempt in delta_tables.retry_commits():
                with attempt:
                    compact_file_group(root, table, heap)
            yield heap
        if heaps:
            delta = delta_tables.open_table(root, table)


def find_file_groups(delta: DeltaTable, table: Table, tier: int, at_least: int) -> list[FileGroup]:
    """Return the partitions of a table with so many files smaller than a tier."""
    live = read_add_actions(delta)
    if live.height < at_least:
        return []
    part = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None, pl.Int32)
    small = live.filter(pl.col("size_bytes") < tier).group_by(part.alias("part"))
    heaps = small.agg(files=pl.len(), size=pl.col("size_bytes").sum()).filter(pl.col("files") >= at_least).sort("part")
    return [FileGroup(part, tier, files, size) for part, files, size in heaps.iter_rows()]


def compact_file_group(root: Location, table: Table, heap: FileGroup) -> None:
    """Merge the small files of one partition, in the order in which they came."""
    delta = delta_tables.open_table(root, table)
    version = delta.version()
    rows = dict(read_add_actions(delta).select("path", "num_records").iter_rows())
    with begin_commit(root, table, delta) as properties:
        delta.optimize.compact(
            partition_filters=[(str(table.partition), "=", str(heap.partition))]
            if heap.partition is not None
            else None,
            target_size=heap.target_size,
            writer_properties=WRITER_PROPERTIES,
            commit_properties=properties,
            post_commithook_properties=POST_COMMIT,
        )
    if delta.version() == version:
        return  # another run has merged them; or the store has, and its answer was lost
    entries = [
        json.loads(line)
        for line in (read_commit(delta_tables.locate_table(root, table), delta.version()) or "").splitlines()
    ]
    before = sum(rows[entry["remove"]["path"]] for entry in entries if "remove" in entry)
    after = sum(json.loads(entry["add"]["stats"])["numRecords"] for entry in entries if "add" in entry)
    if before != after:
        raise ValidationFailed(
            f"{table.name}: {before:,} rows were {after:,} after their files were merged.",
            "No file was removed: `nhl-lake restore --from-backup`. This is a defect: please report it.",
        )


def vacuum_table(
    root: Location, table: Table, delta: DeltaTable, *, days: int, keep: Collection[int], dry_run: bool
) -> tuple[int, int]:
    """Remove files that no version of the last days needs, nor any pinned one; return how many, and their bytes."""
    hours = max(days, MIN_KEEP_DAYS[table.layer]) * 24
    versions = sorted(version for version in keep if version <= delta.version()) or None  # of a lake put back since

    def gone(*, dry_run: bool) -> list[str]:
        return delta.vacuum(
            hours,
            dry_run,
            enforce_retention_duration=False,
            full=True,
            keep_versions=versions,
            post_commithook_properties=POST_COMMIT,
        )

    names = gone(dry_run=True)
    if not names:
        return 0, 0
    sizes: Mapping[str, int] = {
        file.name: file.size for file in location.list_files(delta_tables.locate_table(root, table))
    }
    if not dry_run:
        names = gone(dry_run=False)
        delta_tables.sync_commits(root, table, delta)
    return len(names), sum(sizes.get(name, 0) for name in names)


def checkpoint_table(root: Location, table: Table, delta: DeltaTable) -> None:
    """Write a checkpoint of the newest version if there is none, and remove what is older than the log is kept."""
    if location.has_file(
        delta_tables.locate_table(root, table), f"{DELTA_LOG}/{delta.version():020d}.checkpoint.parquet"
    ):
        return
    delta.create_checkpoint()
    delta_tables.sync_commits(root, table, delta)
    delta.cleanup_metadata()


def remove_orphan_files(root: Location, *, now: datetime, dry_run: bool) -> OrphanCleanup:
    """Remove the drafts of killed runs that are older than a day: the engine does not know them."""
    old = [file for file in find_orphan_files(root) if now - file.modified_at > MIN_ORPHAN_AGE]
    if not dry_run:
        location.remove_files(root, (file.name for file in old))
    return OrphanCleanup(len(old), sum(file.size for file in old))


def find_orphan_files(root: Location) -> Iterator[location.FileInfo]:
    """Yield the files that are written before they get their name, or for a moment only; what is not ours stays."""
    if not isinstance(root, Path):
        yield from (
            file
            for file in location.list_files(root, STATE_FOLDER)
            if ORPHAN_NAME.fullmatch(file.name.rpartition("/")[2])
        )
        return
    for folder in (root / STATE_FOLDER, *(root / layer for layer in MIN_KEEP_DAYS)):
        for file in folder.rglob("*"):
            if ORPHAN_NAME.fullmatch(file.name) and file.is_file():
                about = file.stat()
                at = datetime.fromtimestamp(about.st_mtime, UTC)
                yield location.FileInfo(file.relative_to(root).as_posix(), about.st_size, at)
