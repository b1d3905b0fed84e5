"""A backup: every table at one version, taken while runs go on writing; what an earlier backup has is not copied again.

Data files of Delta tables never change, and are copied under their SHA-256; then the logs; the manifest comes last.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake import catalog, layout
from nhl_lake.backup import log_packs, repository, staging
from nhl_lake.backup.manifest import FORMAT, Manifest, StoredFile, TableBackup
from nhl_lake.backup.objects import BackupReport, DataFileMissing, Objects, SourceTable, copy_data_files, open_objects
from nhl_lake.backup.pins import pin_versions
from nhl_lake.backup.snapshot import take_snapshot
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.rebuild.lineage import hash_code
from nhl_lake.schema import ledger
from nhl_lake.schema.digest import compute_key_digest
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location, locks
from nhl_lake.store.delta import read_add_actions
from nhl_lake.store.location import Bucket, Location

MAX_WORKERS = 8
MAX_ATTEMPTS = 3
APPEND_ONLY_PREFIXES = ("bronze.", "lake.")


class BackupSummary(NamedTuple):
    """What a backup did: files and bytes that were copied, and all that it holds."""

    manifest: Manifest
    new_files: int
    new_bytes: int
    seconds: float

    @property
    def files(self) -> int:
        """Return how many data files the backup holds."""
        return sum(len(table.files) for table in self.manifest.tables)

    @property
    def bytes(self) -> int:
        """Return the bytes of the data files that the backup holds."""
        return sum(file.size for table in self.manifest.tables for file in table.files)


def create_backup(
    root: Location, backups: Location, *, clock: Clock, report: BackupReport, command: str, allow_row_loss: bool = False
) -> BackupSummary:
    """Back up the whole lake. `accept`: also one that has lost rows of tables that only grow."""
    require_separate_locations(root, backups)
    layout.check_layout_version(root)
    layout.require_lake_exists(root)
    with locks.hold_lock(backups, command, now=clock(), label=locks.BACKUPS_LABEL):
        for _ in range(MAX_ATTEMPTS - 1):
            with suppress(DataFileMissing):
                return try_backup(root, backups, clock=clock, report=report, allow_row_loss=allow_row_loss)
        return try_backup(root, backups, clock=clock, report=report, allow_row_loss=allow_row_loss)


def try_backup(
    root: Location, backups: Location, *, clock: Clock, report: BackupReport, allow_row_loss: bool
) -> BackupSummary:
    """Back up the lake as it is now; raise Gone if files of a version were cleaned up before it was pinned."""
    began = time.monotonic()
    before = repository.read_newest_manifest(backups)
    about = start_manifest(root, before, clock())
    at = take_snapshot(root)
    delta_tables.open_tables(
        root, (table for table in catalog.TABLES if table.name not in at.versions)
    )  # one may lack its log
    with (
        pin_versions(root, about.name, at.versions, clock) as renew,
        open_objects(backups) as stock,
        ThreadPoolExecutor(MAX_WORKERS) as workers,
    ):
        tables = list(workers.map(lambda name: open_source_table(root, name, at.versions[name]), at.versions))
        if before is not None and not allow_row_loss:
            require_no_row_loss(tables, about, before)
        resumed = len(stock.copies)
        saved = back_up_tables(tables, before, objects=stock, workers=workers, report=report, renew=renew)
        manifest = msgspec.structs.replace(about, is_of_a_moment=at.is_consistent, tables=saved)
        finish_backup(stock, manifest)
    new = stock.copies[resumed:]
    return BackupSummary(manifest, len(new), sum(copy.size for copy in new), time.monotonic() - began)


def require_separate_locations(root: Location, backups: Location) -> None:
    """Raise for backups inside the lake, which would go with it, or a lake among its backups."""
    if isinstance(root, Path) and isinstance(backups, Path):
        one, other = root.resolve(), backups.resolve()
        is_apart = not one.is_relative_to(other) and not other.is_relative_to(one)
    elif isinstance(root, Bucket) and isinstance(backups, Bucket):
        one_address, other_address = f"{root}/", f"{backups}/"
        is_apart = not one_address.startswith(other_address) and not other_address.startswith(one_address)
    else:
        return
    if not is_apart:
        raise BadInput(
            f"The lake at {root} and its backups at {backups} are one inside the other: they would be lost together.",
            "Give backups a place of their own: --to or NHL_LAKE_BACKUPS.",
        )


def start_manifest(root: Location, before: Manifest | None, now: datetime) -> Manifest:
    """Return a manifest that has all but the tables."""
    meta = delta_tables.scan_table(root, ledger.META).sort("layout").select("layout", "source").tail(1).collect()
    layout, source = meta.row(0)
    if before is not None and before.source != source:
        raise BadInput(
            f"The backups there are of the {before.source}; the lake at {root} keeps pages of the {source}.",
            "Give this lake's backups a place of their own: --to or NHL_LAKE_BACKUPS.",
        )
    return Manifest(
        format=FORMAT,
        number=before.number + 1 if before else 1,
        name=repository.choose_backup_name(before.name if before else None, now),
        made_at=now,
        of=str(root),
        layout=layout,
        source=source,
        made_by=version("nhl-lake"),
        code=hash_code(),
        is_of_a_moment=False,
        tables=(),
    )


def open_source_table(root: Location, name: str, version: int) -> SourceTable:
    """Open a table at a version, and list its data files."""
    delta = delta_tables.open_table(root, find_table(name), version=version)
    found = read_add_actions(delta)
    files = tuple(found.select("path", "size_bytes").iter_rows()) if found.height else ()
    rows = int(found["num_records"].sum()) if found.height else 0
    return SourceTable(name, root.joinpath(*name.split(".")), str(delta.metadata().id), version, rows, files, delta)


def find_table(name: str) -> Table:
    """Return the table of a name; one that this program does not know has a name only."""
    known = {table.name: table for table in catalog.TABLES}
    return known.get(name) or Table(name=name, grain="", key=(), columns=(), source=None, partition=None)


def require_no_row_loss(tables: Sequence[SourceTable], about: Manifest, before: Manifest) -> None:
    """Raise if tables that only grow have fewer rows than in the last backup: it is not to be the newest one."""
    rows = {table.name: table.rows for table in tables}
    for table in before.tables:
        if table.name.startswith(APPEND_ONLY_PREFIXES) and rows.get(table.name, -1) < table.rows:
            has = f"has {rows[table.name]:,} rows" if table.name in rows else "is gone"
            raise LakeError(
                f"{table.name} of {about.of} {has}; the backup {before.name} has {table.rows:,}, and it only grows.",
                "No backup was made. `nhl-lake restore --from-backup` brings them back; "
                "`nhl-lake backup create --allow-row-loss` backs up what is left.",
            )


def back_up_tables(
    tables: Sequence[SourceTable],
    before: Manifest | None,
    *,
    objects: Objects,
    workers: Executor,
    report: BackupReport,
    renew: Callable[[], None],
) -> tuple[TableBackup, ...]:
    """Save tables: data files first, then logs; keys are read while files are copied."""
    earlier = {(table.name, table.id): table for table in before.tables} if before else {}
    was = {table.name: earlier.get((table.name, table.id)) for table in tables}
    read = {table.name: workers.submit(digest_keys, table, was[table.name]) for table in tables}
    files = copy_data_files(tables, objects, workers=workers, report=report, renew=renew)
    return tuple(
        back_up_table(
            table, files[table.name], was[table.name], keys=read[table.name].result(), objects=objects, workers=workers
        )
        for table in tables
    )


def back_up_table(
    table: SourceTable,
    files: tuple[StoredFile, ...],
    before: TableBackup | None,
    *,
    keys: str,
    objects: Objects,
    workers: Executor,
) -> TableBackup:
    """Save a table's log, and describe the table; its files are copied."""
    log = log_packs.save_log(table.folder, table.version, before, staging=objects.staging_area, workers=workers)
    return TableBackup(
        name=table.name,
        id=table.id,
        version=table.version,
        rows=table.rows,
        keys=keys,
        head=log.head,
        log=log.packs,
        checkpoint=log.checkpoint,
        files=files,
    )


def digest_keys(table: SourceTable, before: TableBackup | None) -> str:
    """Return a table's key and the digest of its keys; those of the last backup if its files are the same.

    Of tables that can be made again rows are counted only: to read the keys of some takes longer than to copy the lake.
    """
    if before is not None and {(file.name, file.size) for file in before.files} == set(table.files):
        return before.keys
    key, frame = find_table(table.name).key, pl.scan_delta(table.delta)
    if not key or not set(key) <= set(frame.collect_schema()):
        return ""  # of a table that another release made, or that nobody here knows
    is_kept = table.name.startswith(APPEND_ONLY_PREFIXES)
    try:
        found = compute_key_digest(frame, key) if is_kept else f"{frame.select(pl.len()).collect().item()}-"
    except FileNotFoundError as error:
        raise DataFileMissing(table, "a data file", "is gone") from error
    if not found.startswith(f"{table.rows}-"):
        raise UnreadableData(
            f"{table.name}: its log says {table.rows:,} rows, its files hold {found.partition('-')[0]}.",
            "Earlier backups are as they were, this one was not made. `nhl-lake doctor` finds the damage.",
        )
    return f"{','.join(key)}:{found}" if is_kept else ""


def finish_backup(objects: Objects, manifest: Manifest) -> None:
    """Bring what was copied to the disk, hold the backup against it, and write its manifest, which makes it one."""
    backups = objects.staging_area.backups
    staging.finalize_staged_files(objects.staging_area)
    there = repository.list_objects(backups)
    if missing := [
        name for name, sha256, size in repository.list_manifest_objects(manifest) if there.get(sha256) != size
    ]:
        raise UnreadableData(
            f"{len(missing)} files of the backup are not at {backups}, though they were copied: {missing[0]} …",
            "No backup was made. Look at that disk or store; then run again.",
        )
    repository.write_manifest(backups, manifest)
    location.remove_files(backups, [repository.PROGRESS_FILE])
