"""Maintenance: compact small files, write checkpoints, and vacuum old files after a minimum retention.

No row changes, and the commits carry no lineage. Every ingest run compacts crowded tables itself
(`compact_crowded_tables`), so a lake without scheduled maintenance stays fast.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.catalog import ALL_TABLES
from nhl_lake.errors import BadInput, ValidationFailed
from nhl_lake.schema.table import Table
from nhl_lake.store import checksums, delta_tables, location
from nhl_lake.store.commits import begin_commit
from nhl_lake.store.delta import DELTA_LOG, POST_COMMIT, WRITER_PROPERTIES, read_add_actions
from nhl_lake.store.handles import read_commit
from nhl_lake.store.location import Location
from nhl_lake.store.locks import STATE_FOLDER
from nhl_lake.text import format_count

KEEP_DAYS = 90
MIN_KEEP_DAYS = {
    "bronze": 30,
    "lake": 30,
    "silver": 7,
    "gold": 7,
    "external": 7,
}  # days; built tables have a minimum too, so running readers keep their files
TARGET_SIZES = (2**19, 2**23)  # files below a tier are merged; few bytes are written more than twice
MIN_FILES_IN_RUN, MIN_FILES = 12, 4  # merge at least this many files of a tier: after an ingest run, in `maintain`
# the names that this program and its engine give to files of a table; all others are the user's
RANDOM_ID = r"(?:[0-9a-f]{32}|\d{5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
DATA_FILE = rf"(?:\w+=[^/]*/)?part-{RANDOM_ID}-c\d{{3}}[\w.]*\.parquet"
LOG_FILE = r"_delta_log/(?:\d{20}\.json|\d{20}\.checkpoint\.[\w.-]*parquet|_last_checkpoint)"
DATA_NAME = re.compile(DATA_FILE, re.ASCII)
TABLE_FILE = re.compile(rf"{DATA_FILE}|{LOG_FILE}|{checksums.FOLDER}/\d{{20}}-[0-9a-f]{{8}}\.sha256", re.ASCII)
STAGED_NAME = re.compile(
    rf"(?:{DATA_FILE}|{LOG_FILE}|{checksums.FOLDER}/[\w.-]+|link)#\d+(?:\.2)?|_delta_log/_commit_[\w-]+\.json\.tmp",
    re.ASCII,
)
STATE_NAME = re.compile(r".+#\d+|probe-[0-9a-f]+|lease\.json-[0-9a-f]+")
MIN_ORPHAN_AGE = timedelta(days=1)

PinnedVersions = Mapping[str, Collection[int]]  # by table, the versions that running backups read


class FileGroup(NamedTuple):
    """Small files of one partition (None: the table has no partitions) to merge."""

    partition: int | None
    target_size: int
    files: int
    size_bytes: int


class MaintenanceResult(NamedTuple):
    """Maintenance of one table, done or planned: live files and bytes before and after, and what is removed."""

    table: str
    files: int
    files_after: int
    bytes: int
    bytes_after: int
    removed: int
    removed_bytes: int
    left_alone: tuple[str, ...] = ()  # files and links in its folder that nhl-lake did not write


class OrphanCleanup(NamedTuple):
    """The number and bytes of files that killed runs have left."""

    files: int
    bytes: int


def select_tables(root: Location, names: Sequence[str]) -> list[Table]:
    """Return the lake's tables with these names or layers; all by default."""
    known = {table.name for table in ALL_TABLES} | {table.layer for table in ALL_TABLES}
    if unknown := [name for name in names if name not in known]:
        raise BadInput(f"There is no table or layer '{unknown[0]}'.", "Run `nhl-lake tables` to list them.")
    chosen = [table for table in ALL_TABLES if not names or {table.name, table.layer} & set(names)]
    return [table for table in chosen if delta_tables.has_table(root, table)]


def require_keep_days(tables: Sequence[Table], days: int) -> None:
    """Raise if `days` is below the minimum retention of a table."""
    strictest = max(tables, key=lambda table: MIN_KEEP_DAYS[table.layer], default=None)
    if strictest is None or days >= (minimum := MIN_KEEP_DAYS[strictest.layer]):
        return
    hint = f"Use --keep-days {minimum} or more."
    if strictest.layer in {"bronze", "lake"}:
        hint = (
            f"`nhl-lake maintain silver gold --keep-days {max(days, MIN_KEEP_DAYS['gold'])}` leaves bronze unchanged."
        )
    raise BadInput(
        f"{strictest.name} must keep replaced files for at least {minimum} days, not {days}: "
        "backups and older versions need them.",
        f"No changes were made. {hint}",
    )


def maintain_tables(
    root: Location, tables: Sequence[Table], *, days: int, pins: PinnedVersions
) -> Iterator[MaintenanceResult]:
    """Maintain tables one by one: compact small files, vacuum old ones, write a checkpoint, clean the log."""
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
        delta = delta_tables.open_table(root, table)
        checksums.complete_checksums(delta_tables.locate_table(root, table), delta.version())
        yield MaintenanceResult(table.name, *sizes, removed, removed_bytes, find_foreign_files(root, table, delta))


def preview_maintenance(
    root: Location, tables: Sequence[Table], *, days: int, pins: PinnedVersions
) -> Iterator[MaintenanceResult]:
    """Yield what `maintain_tables` would do, without changes."""
    require_keep_days(tables, days)
    for table in tables:
        delta = delta_tables.open_table(root, table)
        before = delta_tables.read_table_size(root, table)
        # the group of the higher tier includes that of the lower one
        groups = {
            group.partition: group for tier in TARGET_SIZES for group in find_file_groups(delta, table, tier, MIN_FILES)
        }
        fewer = sum(group.files - -(-group.size_bytes // group.target_size) for group in groups.values())
        removed = vacuum_table(root, table, delta, days=days, keep=pins.get(table.name, ()), dry_run=True)
        sizes = (before["files"], before["files"] - fewer, before["bytes"], before["bytes"])
        yield MaintenanceResult(table.name, *sizes, *removed, find_foreign_files(root, table, delta))


def compact_crowded_tables(root: Location, tables: Sequence[Table]) -> None:
    """Merge the small files of tables that have many. Every ingest run ends with this."""
    for table in tables:
        for _ in compact_file_groups(root, table, MIN_FILES_IN_RUN):
            pass
        folder = delta_tables.locate_table(root, table)
        if isinstance(folder, Path) and len(checksums.list_checksum_files(folder)) > checksums.MAX_FILES:
            delta = delta_tables.open_table(root, table)
            checksums.complete_checksums(folder, delta.version())


def compact_file_groups(root: Location, table: Table, at_least: int) -> Iterator[FileGroup]:
    """Merge the small files of each partition that has at least `at_least` below a tier, and yield the groups."""
    delta = delta_tables.open_table(root, table)
    for tier in TARGET_SIZES:
        groups = find_file_groups(delta, table, tier, at_least)
        for group in groups:
            for attempt in delta_tables.retry_commits():
                with attempt:
                    compact_file_group(root, table, group)
            yield group
        if groups:
            delta = delta_tables.open_table(root, table)


def find_file_groups(delta: DeltaTable, table: Table, tier: int, at_least: int) -> list[FileGroup]:
    """Return the partitions of a table that have at least `at_least` files smaller than a tier."""
    live = read_add_actions(delta)
    if live.height < at_least:
        return []
    partition = pl.col(f"partition.{table.partition}") if table.partition else pl.lit(None, pl.Int32)
    small = live.filter(pl.col("size_bytes") < tier).group_by(partition.alias("value"))
    large = small.agg(files=pl.len(), size=pl.col("size_bytes").sum()).filter(pl.col("files") >= at_least)
    return [FileGroup(value, tier, files, size) for value, files, size in large.sort("value").iter_rows()]


def compact_file_group(root: Location, table: Table, group: FileGroup) -> None:
    """Merge the small files of one partition, in the order of their commits."""
    delta = delta_tables.open_table(root, table)
    version = delta.version()
    live = read_add_actions(delta)
    rows = dict(live.select("path", "num_records").iter_rows())
    small = live.filter(pl.col("size_bytes") < group.target_size)
    if group.partition is not None:
        small = small.filter(pl.col(f"partition.{table.partition}") == group.partition)
    checksums.require_intact_files(root, table, small["path"])
    with begin_commit(root, table, delta) as properties:
        delta.optimize.compact(
            partition_filters=[(str(table.partition), "=", str(group.partition))]
            if group.partition is not None
            else None,
            target_size=group.target_size,
            writer_properties=WRITER_PROPERTIES,
            commit_properties=properties,
            post_commithook_properties=POST_COMMIT,
        )
    if delta.version() == version:
        return  # another run has merged them, or this one has and the response was lost
    entries = [
        json.loads(line)
        for line in (read_commit(delta_tables.locate_table(root, table), delta.version()) or "").splitlines()
    ]
    before = sum(rows[entry["remove"]["path"]] for entry in entries if "remove" in entry)
    after = sum(json.loads(entry["add"]["stats"])["numRecords"] for entry in entries if "add" in entry)
    if before != after:
        raise ValidationFailed(
            f"{table.name}: compaction turned {format_count(before, 'row')} into {after:,}.",
            "No file was removed. Run `nhl-lake restore --from-backup`. This is a bug: please report it.",
        )


def vacuum_table(
    root: Location, table: Table, delta: DeltaTable, *, days: int, keep: Collection[int], dry_run: bool
) -> tuple[int, int]:
    """Remove the files that no version of the last `days` and no pinned version needs; return number and bytes.

    Delta's own vacuum would also remove the user's files, and those behind symbolic links. Here it only lists the files
    that no version needs. Of these, the ones with a name that this program gives are removed.
    """
    hours = max(days, MIN_KEEP_DAYS[table.layer]) * 24
    # a restored lake may have fewer versions
    versions = sorted(version for version in keep if version <= delta.version()) or None

    unneeded = delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True, keep_versions=versions)
    if not unneeded:
        return 0, 0
    folder = delta_tables.locate_table(root, table)
    sizes = {file.name: file.size for file in location.list_files(folder)}  # without links and what is behind them
    names = [name for name in unneeded if name in sizes and DATA_NAME.fullmatch(name)]
    if not dry_run:
        location.remove_files(folder, names)
    return len(names), sum(sizes[name] for name in names)


def find_foreign_files(root: Location, table: Table, delta: DeltaTable) -> tuple[str, ...]:
    """Return the files and symbolic links in a table's folder that neither this program nor its log names."""
    folder = delta_tables.locate_table(root, table)
    live = read_add_actions(delta)
    known = set(live["path"]) if live.height else set()
    files = (file.name for file in location.list_files(folder))
    found = {name for name in files if not TABLE_FILE.fullmatch(name) and name not in known}
    if isinstance(folder, Path):
        found |= {link.relative_to(folder).as_posix() for link in location.find_links(folder)}
    return tuple(sorted(found))


def checkpoint_table(root: Location, table: Table, delta: DeltaTable) -> None:
    """Write a checkpoint of the newest version if there is none, and remove expired log entries."""
    if location.has_file(
        delta_tables.locate_table(root, table), f"{DELTA_LOG}/{delta.version():020d}.checkpoint.parquet"
    ):
        return
    delta.create_checkpoint()
    delta_tables.sync_commits(root, table, delta)  # also records its checksum
    delta.cleanup_metadata()


def remove_orphan_files(root: Location, *, now: datetime, dry_run: bool) -> OrphanCleanup:
    """Remove staging files of killed runs that are older than a day: Delta's vacuum does not know them."""
    old = [file for file in find_orphan_files(root) if now - file.modified_at > MIN_ORPHAN_AGE]
    if not dry_run:
        location.remove_files(root, (file.name for file in old))
    return OrphanCleanup(len(old), sum(file.size for file in old))


def find_orphan_files(root: Location) -> Iterator[location.FileInfo]:
    """Yield staging and probe files. Files of other programs are left out."""
    if not isinstance(root, Path):
        yield from (
            file
            for file in location.list_files(root, STATE_FOLDER)
            if STATE_NAME.fullmatch(file.name.rpartition("/")[2])
        )
        return
    yield from find_staged_files(root, STATE_FOLDER, STATE_NAME)
    for table in ALL_TABLES:
        yield from find_staged_files(root, table.name.replace(".", "/"), STAGED_NAME)


def find_staged_files(root: Path, under: str, name: re.Pattern[str]) -> Iterator[location.FileInfo]:
    """Yield the files below a folder of a lake whose name in that folder matches a pattern. No link is followed."""
    for file in location.walk_folder(root, under, staged=True):
        if name.fullmatch(file.name.removeprefix(f"{under}/")):
            yield file
