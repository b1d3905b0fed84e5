"""Create a backup: every table at one version, while runs may go on writing.

Backups are incremental: files that an earlier backup holds are not copied again. Data files of Delta tables never
change and are stored by their SHA-256. Then come the logs, and the manifest last.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from functools import cache, partial
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
from nhl_lake.store import checksums, delta_tables, location, locks
from nhl_lake.store.delta import read_add_actions
from nhl_lake.store.location import Bucket, Location
from nhl_lake.text import format_count

MAX_WORKERS = 8
MAX_ATTEMPTS = 3
APPEND_ONLY_PREFIXES = ("bronze.", "lake.")


class BackupSummary(NamedTuple):
    """The result of a backup: the manifest, and the number and bytes of newly copied files."""

    manifest: Manifest
    new_files: int
    new_bytes: int
    seconds: float

    @property
    def files(self) -> int:
        """Return the number of data files in the backup."""
        return sum(len(table.files) for table in self.manifest.tables)

    @property
    def bytes(self) -> int:
        """Return the total bytes of the data files in the backup."""
        return sum(file.size for table in self.manifest.tables for file in table.files)


def create_backup(
    root: Location, backups: Location, *, clock: Clock, report: BackupReport, command: str, allow_row_loss: bool = False
) -> BackupSummary:
    """Back up the lake.

    allow_row_loss: also back up a lake whose append-only tables have fewer rows than in the last backup.
    """
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
    """Back up the lake once. Raises DataFileMissing if files were cleaned up before their version was pinned."""
    started_at = time.monotonic()
    previous = find_previous(root, backups)
    draft = start_manifest(root, backups, previous, clock())
    snapshot = take_snapshot(root)
    # raises for a table whose log is missing
    delta_tables.open_tables(root, (table for table in catalog.TABLES if table.name not in snapshot.versions))
    with (
        pin_versions(root, draft.name, snapshot.versions, clock) as renew,
        open_objects(backups) as objects,
        ThreadPoolExecutor(MAX_WORKERS) as workers,
    ):
        tables = list(
            workers.map(lambda name: open_source_table(root, name, snapshot.versions[name]), snapshot.versions)
        )
        if previous is not None and not allow_row_loss:
            require_no_row_loss(tables, draft, previous)
        resumed = len(objects.copies)
        entries = back_up_tables(tables, previous, objects=objects, workers=workers, report=report, renew=renew)
        manifest = msgspec.structs.replace(
            draft,
            is_consistent=snapshot.is_consistent,
            tables=entries,
            last_game=find_last_game(tables),
            last_run_at=find_last_run(tables),
        )
        finish_backup(objects, manifest)
    copied = objects.copies[resumed:]
    return BackupSummary(manifest, len(copied), sum(copy.size for copy in copied), time.monotonic() - started_at)


def find_previous(root: Location, backups: Location) -> Manifest | None:
    """Return the newest backup of this lake; without one, that of an earlier lake of its league at the same place.

    A lake that was lost and begun again must not look backed up: its rows are compared with those of the lost one.
    """
    source = read_layout_and_source(root)[1]
    ids = layout.read_lake_ids(root)
    if (found := next(repository.read_trusted_manifests(backups, ids), None)) is not None:
        return found
    return next(
        (m for m in repository.read_trusted_manifests(backups, None) if is_same_place(m, root) and m.source == source),
        None,
    )


def is_same_place(manifest: Manifest, root: Location) -> bool:
    """Return whether a backup is of a lake at this location."""
    return manifest.of == name_place(root)


def name_place(root: Location) -> str:
    """Return a lake's location as a manifest names it: a folder with its full path."""
    return str(root.absolute() if isinstance(root, Path) else root)


def read_layout_and_source(root: Location) -> tuple[int, str]:
    """Return a lake's layout version and the league of its pages."""
    meta = delta_tables.scan_table(root, ledger.META).sort("layout").select("layout", "source").tail(1).collect()
    number, source = meta.row(0)
    return number, source


def require_separate_locations(root: Location, backups: Location) -> None:
    """Raise if the backups are inside the lake or the lake is inside its backups: both would be lost together."""
    if isinstance(root, Path) and isinstance(backups, Path):
        one, other = root.resolve(), backups.resolve()
        is_separate = not one.is_relative_to(other) and not other.is_relative_to(one)
    elif isinstance(root, Bucket) and isinstance(backups, Bucket):
        one_address, other_address = f"{root}/", f"{backups}/"
        is_separate = not one_address.startswith(other_address) and not other_address.startswith(one_address)
    else:
        return
    if not is_separate:
        raise BadInput(
            f"The lake at {root} and its backups at {backups} are inside each other: both could be lost together.",
            "Use a separate location for backups: --to or NHL_LAKE_BACKUPS.",
        )


def start_manifest(root: Location, backups: Location, previous: Manifest | None, now: datetime) -> Manifest:
    """Return a manifest without tables."""
    number, source = read_layout_and_source(root)
    return Manifest(
        format=FORMAT,
        number=previous.number + 1 if previous else 1,
        name=repository.choose_backup_name(next(iter(repository.list_backups(backups)), None), now),
        made_at=now,
        of=name_place(root),
        layout=number,
        source=source,
        made_by=version("nhl-lake"),
        code=hash_code(),
        is_consistent=False,
        tables=(),
    )


def open_source_table(root: Location, name: str, version: int) -> SourceTable:
    """Open a table at a version, and list its data files."""
    delta = delta_tables.open_table(root, find_table(name), version=version)
    found = read_add_actions(delta)
    files = tuple(found.select("path", "size_bytes").iter_rows()) if found.height else ()
    rows = int(found["num_records"].sum()) if found.height else 0
    folder = root.joinpath(*name.split("."))
    read_checksums = cache(partial(checksums.read_checksums, folder))
    return SourceTable(name, folder, str(delta.metadata().id), version, rows, files, delta, read_checksums)


def find_last_game(tables: Sequence[SourceTable]) -> date | None:
    """Return the day of the newest game with plays, as the log has it; None if the log has none."""
    plays = next((table for table in tables if table.name == repository.PLAYS_NAME and table.files), None)
    if plays is None:
        return None
    found: date | None = read_add_actions(plays.delta).select(pl.col("^max.game_date$").max()).to_series().max()  # type: ignore[assignment]
    return found


def find_last_run(tables: Sequence[SourceTable]) -> datetime | None:
    """Return when the newest run began; None if there was none, or if the ledger cannot be read."""
    runs = next((table for table in tables if table.name == ledger.RUNS.name and table.files), None)
    if runs is None:
        return None
    try:
        found: datetime | None = pl.scan_delta(runs.delta).select(pl.col("started_at").max()).collect().item()
    except (OSError, pl.exceptions.PolarsError):
        return None  # copying the file tells what is wrong with it
    return found


def find_table(name: str) -> Table:
    """Return the table with this name; for an unknown table, one without columns."""
    known = {table.name: table for table in catalog.ALL_TABLES}
    return known.get(name) or Table(name=name, grain="", key=(), columns=(), source=None, partition=None)


def require_no_row_loss(tables: Sequence[SourceTable], draft: Manifest, previous: Manifest) -> None:
    """Raise if append-only tables have fewer rows than in the last backup: such a backup must not be the newest one."""
    rows = {table.name: table.rows for table in tables}
    for table in previous.tables:
        name = ledger.FORMER_NAMES.get(table.name, table.name)
        if name.startswith(APPEND_ONLY_PREFIXES) and rows.get(name, -1) < table.rows:
            state = f"has {format_count(rows[name], 'row')}" if name in rows else "is missing"
            raise LakeError(
                f"Lost rows: {name} of {draft.of} {state}; the backup {previous.name} has "
                f"{format_count(table.rows, 'row')}.",
                "No backup was created. Run `nhl-lake restore --from-backup` to restore them, or "
                "`nhl-lake backup create --allow-row-loss` to back up the rest.",
            )


def back_up_tables(
    tables: Sequence[SourceTable],
    previous: Manifest | None,
    *,
    objects: Objects,
    workers: Executor,
    report: BackupReport,
    renew: Callable[[], None],
) -> tuple[TableBackup, ...]:
    """Back up tables: data files first, then logs. Keys are read while files are copied."""
    earlier = {(table.name, table.id): table for table in previous.tables} if previous else {}
    entries = {table.name: earlier.get((table.name, table.id)) for table in tables}
    digests = {table.name: workers.submit(digest_keys, table, entries[table.name]) for table in tables}
    files = copy_data_files(tables, objects, workers=workers, report=report, renew=renew)
    return tuple(
        back_up_table(
            table,
            files[table.name],
            entries[table.name],
            keys=digests[table.name].result(),
            objects=objects,
            workers=workers,
        )
        for table in tables
    )


def back_up_table(
    table: SourceTable,
    files: tuple[StoredFile, ...],
    previous: TableBackup | None,
    *,
    keys: str,
    objects: Objects,
    workers: Executor,
) -> TableBackup:
    """Back up a table's log, and return the table's manifest entry. Its data files are already copied."""
    log = log_packs.save_log(
        table.folder,
        table.version,
        previous,
        read_checksums=table.read_checksums,
        staging=objects.staging_area,
        workers=workers,
    )
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


def digest_keys(table: SourceTable, previous: TableBackup | None) -> str:
    """Return a table's key columns and the digest of its keys; reuse the last backup's if the files are the same.

    For tables that can be rebuilt, only count the rows: reading their keys can take longer than copying the lake.
    """
    if previous is not None and {(file.name, file.size) for file in previous.files} == set(table.files):
        return previous.keys
    key, frame = find_table(table.name).key, pl.scan_delta(table.delta)
    if not key or not set(key) <= set(frame.collect_schema()):
        return ""  # an unknown table, or one of another release
    is_append_only = table.name.startswith(APPEND_ONLY_PREFIXES)
    try:
        found = compute_key_digest(frame, key) if is_append_only else f"{frame.select(pl.len()).collect().item()}-"
    except FileNotFoundError as error:
        raise DataFileMissing(table, "a data file", "is missing") from error
    if not found.startswith(f"{table.rows}-"):
        raise UnreadableData(
            f"{table.name}: the log records {format_count(table.rows, 'row')}, but the files have "
            f"{found.partition('-')[0]}.",
            "No backup was created; earlier backups are unchanged. Run `nhl-lake doctor` to find the damage.",
        )
    return f"{','.join(key)}:{found}" if is_append_only else ""


def finish_backup(objects: Objects, manifest: Manifest) -> None:
    """Sync the copied files, check that all objects are there, and write the manifest, which completes the backup."""
    backups = objects.staging_area.backups
    staging.finalize_staged_files(objects.staging_area)
    stored = repository.list_objects(backups)
    if missing := [
        name for name, sha256, size in repository.list_manifest_objects(manifest) if stored.get(sha256) != size
    ]:
        raise UnreadableData(
            f"{format_count(len(missing), 'file', 'were')} copied to {backups} but are missing there: {missing[0]} …",
            "No backup was created. Check that disk or store, then run the same command again.",
        )
    repository.write_manifest(backups, manifest)
    repository.write_index(backups)
    location.remove_files(backups, [repository.PROGRESS_FILE])
