"""Restore a lake: fetch a backup next to the lake, check it against the manifest, then swap the two in one step.

The previous lake is kept as `NAME.before-restore-TIME`. If the restore is killed at any step, the same command
continues: files that were fetched completely are not fetched again.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import polars as pl

from nhl_lake import catalog
from nhl_lake.backup import log_packs, repository
from nhl_lake.backup.manifest import Manifest, TableBackup, is_data_file_name
from nhl_lake.backup.preflight import check_disk_space, check_restore, is_occupied
from nhl_lake.backup.repository import IndexMissing, object_name
from nhl_lake.errors import LakeError, UnreadableData, raise_shortage
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.rebuild import run
from nhl_lake.schema.digest import compute_key_digest
from nhl_lake.store import atomic_swap, checksums, delta_tables, handles, location, locks
from nhl_lake.store.delta import commit_name, read_add_actions
from nhl_lake.store.download import WrongContent, download_file
from nhl_lake.store.location import Location, Source
from nhl_lake.store.web_address import Website
from nhl_lake.store.website import MAX_CONNECTIONS

MAX_WORKERS = 8
CHECKPOINT_AFTER = 20
RESTORE_NOTE = f"{atomic_swap.STATE_FOLDER}/restored.json"
OTHER_BACKUP_HINT = "No changes were made. Restore another backup: `nhl-lake backup list` lists them."
OnProgress = Callable[[int], None]


class RestoreResult(NamedTuple):
    """The result of a restore: the backup's name, the lake, where the previous lake is, and the rebuilt tables."""

    name: str
    root: str
    tables: int
    rows: int
    kept_as: str | None
    rebuilt: list[str]


class FileToFetch(NamedTuple):
    """A file to fetch: its target folder and name, its size in bytes and its SHA-256."""

    folder: Location
    name: str
    size: int
    sha256: str


class RestoreNote(NamedTuple):
    """A lake's record of its last restore: the backup's name, and the newest backup at that time."""

    name: str
    newest: str


class FetchStopped(Exception):
    """Another file could not be fetched, or the user stopped the restore."""


@dataclass(frozen=True)
class Fetch:
    """The fetching of files: where from, how progress is reported, and whether it has to stop."""

    backups: Source
    on_progress: OnProgress
    is_stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, size: int) -> None:
        """Report that bytes have arrived, from any thread; raise if the fetching has to stop."""
        if self.is_stopped.is_set():
            raise FetchStopped
        with self.lock:
            self.on_progress(size)

    def wait(self, seconds: float) -> None:
        """Wait before another attempt; raise if the fetching has to stop."""
        if self.is_stopped.wait(seconds):
            raise FetchStopped


def ignore_progress(_: int) -> None:
    """Ignore progress reports."""


def restore_lake(
    root: Location,
    backups: Source,
    manifest: Manifest,
    *,
    now: datetime,
    command: str,
    rebuilds: bool,
    on_progress: OnProgress = ignore_progress,
) -> RestoreResult:
    """Restore a lake from a backup, in place of what is at `root`.

    rebuilds: rebuild silver and gold from bronze instead of fetching them from the backup.
    """
    check_restore(root, backups, manifest)
    with locks.hold_lock(root, command, now=now):
        atomic_swap.finish_swap(root)
        handles.clear_handles()
        staged = locate_staging(root, manifest)
        tables = select_tables(manifest, rebuilds=rebuilds)
        check_disk_space(root, staged, manifest)
        fetch_tables(backups, manifest, staged, tables=tables, on_progress=on_progress)
        verify_tables(staged, tables)
        rebuilt = rebuild_tables(staged, now) if rebuilds else []
        copy_user_files(root, staged)
        had_lake = is_occupied(root)
        kept_as = choose_aside_location(root, now)
        # a folder's lock moves with it, so after the swap the new folder's lock is the lake's
        with locks.hold_lock(staged, command, now=now) if isinstance(staged, Path) else nullcontext():
            note = msgspec.json.encode(RestoreNote(manifest.name, find_newest_name(backups, manifest)))
            # whoever finishes an interrupted swap needs this record
            location.write_file(staged, RESTORE_NOTE, note)
            atomic_swap.swap_into_place(staged, root, kept_as, command=command)
        handles.clear_handles()
        location.write_file(root, RESTORE_NOTE, note)
    rows = sum(table.rows for table in tables)
    return RestoreResult(manifest.name, str(root), len(tables), rows, str(kept_as) if had_lake else None, rebuilt)


def find_newest_name(backups: Source, manifest: Manifest) -> str:
    """Return the name of the newest backup of a backup's lake that can be read."""
    try:
        names = repository.list_backups(backups)
    except IndexMissing:
        return manifest.name  # the user has named it
    for name in names:
        with suppress(UnreadableData):
            if repository.read_manifest(backups, name).lake_id == manifest.lake_id:
                return name
    return manifest.name


def locate_staging(root: Location, manifest: Manifest) -> Location:
    """Return the location next to a lake into which a backup is fetched."""
    resolved = root.resolve() if isinstance(root, Path) else root
    return resolved.with_name(f"{resolved.name}.restoring-{manifest.name}")


def choose_aside_location(root: Location, now: datetime) -> Location:
    """Return an unused location next to a lake, to move the previous lake to."""
    resolved = root.resolve() if isinstance(root, Path) else root
    name = f"{resolved.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(
        candidate for candidate in (resolved.with_name(each) for each in names) if atomic_swap.is_free(candidate)
    )


def locate_table_by_name(root: Location, name: str) -> Location:
    """Return the location of a table by its name; the table may be unknown to this program."""
    return root.joinpath(*name.split("."))


def sum_restore_bytes(manifest: Manifest, *, rebuilds: bool = False) -> int:
    """Return the bytes of the data files that a restore fetches."""
    return sum(file.size for table in select_tables(manifest, rebuilds=rebuilds) for file in table.files)


def select_tables(manifest: Manifest, *, rebuilds: bool) -> list[TableBackup]:
    """Return the tables of a backup; with `rebuilds`, without silver and gold."""
    return [table for table in manifest.tables if not rebuilds or table.name.split(".")[0] not in {"silver", "gold"}]


def fetch_tables(
    backups: Source,
    manifest: Manifest,
    into: Location,
    *,
    tables: Sequence[TableBackup] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> None:
    """Fetch a backup's tables: data first, logs last. Each file's SHA-256 is checked while it is written."""
    selected = manifest.tables if tables is None else tables
    if isinstance(into, Path):
        for table in selected:
            location.require_no_links(into.parent, f"{into.name}/{table.name.replace('.', '/')}/_")
    data = [
        FileToFetch(locate_table_by_name(into, table.name), file.name, file.size, file.sha256)
        for table in selected
        for file in table.files
    ]
    fetch = Fetch(backups, on_progress)
    with start_workers(fetch) as pool:
        list(pool.map(lambda file: fetch_file(backups, file, fetch), data))
        list(pool.map(lambda table: fetch_log(backups, locate_table_by_name(into, table.name), table), selected))


@contextmanager
def start_workers(fetch: Fetch) -> Iterator[ThreadPoolExecutor]:
    """Start threads that fetch files. If one of them or the block fails, the others stop at once."""
    most = MAX_CONNECTIONS if isinstance(fetch.backups, Website) else MAX_WORKERS
    with ThreadPoolExecutor(most) as pool:
        try:
            yield pool
        except BaseException:
            fetch.is_stopped.set()
            raise


def fetch_file(backups: Source, file: FileToFetch, fetch: Fetch | None = None) -> None:
    """Fetch a file unless it is already complete."""
    fetch = fetch or Fetch(backups, ignore_progress)
    if is_intact(file.folder, file.name, file.sha256):
        fetch.report(file.size)
    elif isinstance(backups, Website) and isinstance(file.folder, Path):
        download(backups, file, file.folder, fetch)
    else:
        location.write_file(file.folder, file.name, read_verified_chunks(backups, file))
        fetch.report(file.size)


def download(backups: Website, file: FileToFetch, folder: Path, fetch: Fetch) -> None:
    """Fetch a file of a web host; one that was fetched in part continues."""
    try:
        download_file(
            backups,
            object_name(file.sha256),
            folder,
            file.name,
            sha256=file.sha256,
            size=file.size,
            wait=fetch.wait,
            on_bytes=fetch.report,
        )
    except FileNotFoundError as error:
        raise damaged_object_error(backups, file.sha256, file.name, "is missing") from error
    except WrongContent as error:
        raise damaged_object_error(backups, file.sha256, file.name, "is damaged") from error


def is_intact(folder: Location, name: str, sha256: str) -> bool:
    """Return whether a file exists and has the right SHA-256."""
    if isinstance(folder, Path) and (folder / name).is_symlink():
        return False  # a file takes the place of the link
    try:
        return checksums.hash_file(folder, name) == sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def read_verified_chunks(backups: Source, file: FileToFetch) -> Iterator[bytes]:
    """Yield the content of an object; raise at the end if its SHA-256 differs."""
    found = hashlib.sha256()
    try:
        for chunk in location.read_chunks(backups, object_name(file.sha256), size=file.size):
            found.update(chunk)
            yield chunk
    except FileNotFoundError as error:
        raise damaged_object_error(backups, file.sha256, file.name, "is missing") from error
    if found.hexdigest() != file.sha256:
        raise damaged_object_error(backups, file.sha256, file.name, "is damaged")


def damaged_object_error(backups: Source, sha256: str, what: str, problem: str) -> LakeError:
    """Return the error for an object that is missing or damaged."""
    on_web_host = (
        "No changes were made. Tell whoever keeps that host; `nhl-lake backup list --from URL` lists other backups."
    )
    return UnreadableData(
        f"{backups}: {object_name(sha256)} ({what}) {problem}.",
        on_web_host
        if isinstance(backups, Website)
        else "No changes were made. Run `nhl-lake backup verify --deep` to find an undamaged backup, then restore that "
        "one.",
    )


def fetch_log(backups: Source, folder: Location, table: TableBackup) -> None:
    """Write a table's log, newest commit last, and remove files that are not part of the backup."""
    expected = {file.name for file in (*table.files, *table.checkpoint)}
    commits = read_saved_commits(backups, table)
    stray = [f.name for f in location.list_files(folder) if f.name not in expected | {commit_name(v) for v in commits}]
    location.remove_files(folder, stray)
    for file in table.checkpoint:
        fetch_file(backups, FileToFetch(folder, file.name, file.size, file.sha256))
    for version, text in sorted(commits.items()):
        if not is_intact(folder, commit_name(version), hashlib.sha256(text).hexdigest()):
            location.write_file(folder, commit_name(version), text)
        if isinstance(folder, Path):
            set_commit_time(folder / commit_name(version), text)
    hashes = {file.name: file.sha256 for file in (*table.files, *table.checkpoint)}
    hashes |= {commit_name(version): hashlib.sha256(text).hexdigest() for version, text in commits.items()}
    checksums.write_checksums(folder, table.version, hashes.items())


def set_commit_time(file: Path, commit: bytes) -> None:
    """Set the modification time of a commit file to the commit's time: Delta's time travel uses it."""
    for line in commit.splitlines():
        if "commitInfo" in (entry := json.loads(line)):
            timestamp_s = entry["commitInfo"]["timestamp"] / 1000
            os.utime(file, (timestamp_s, timestamp_s))


def read_saved_commits(backups: Source, table: TableBackup) -> dict[int, bytes]:
    """Return the commits of a table's log in a backup, by version."""
    try:
        found = dict(log_packs.read_packed_commits(backups, table))
    except FileNotFoundError as error:
        raise UnreadableData(f"{backups}: the log of {table.name} is missing.", OTHER_BACKUP_HINT) from error
    if hashlib.sha256(found.get(table.version, b"")).hexdigest() != table.head:
        raise UnreadableData(
            f"{backups}: the log of {table.name} does not end with the backed-up commit {table.version}.",
            OTHER_BACKUP_HINT,
        )
    paths = (path for text in found.values() for path in list_paths(text))
    if (unsafe := next((path for path in paths if not is_data_file_name(path)), None)) is not None:
        raise UnreadableData(
            f"{backups}: the log of {table.name} names a file outside the table's folder: {unsafe!a}.",
            OTHER_BACKUP_HINT,
        )
    return found


def list_paths(commit: bytes) -> Iterator[str]:
    """Yield the paths of the files that a commit adds or removes."""
    for line in commit.splitlines():
        for action in json.loads(line).values():
            if isinstance(action, dict) and "path" in action:
                yield unquote(str(action["path"]))


def verify_tables(root: Location, tables: Sequence[TableBackup]) -> None:
    """Open every table of a fetched backup, and check its version, files, rows and keys against the manifest."""
    for table in tables:
        verify_table(root, table)


def verify_table(root: Location, table: TableBackup) -> None:
    """Check one table against the manifest; add a checkpoint to a long log."""
    folder = locate_table_by_name(root, table.name)
    try:
        delta = handles.open_uncached(folder)
        files = set(read_add_actions(delta)["path"])
        if files != {file.name for file in table.files}:  # before any is opened: a checkpoint may name others
            raise mismatch_error(table, "it has other data files")
        rows = pl.scan_delta(delta)
        count: int = rows.select(pl.len()).collect().item()
        columns, _, _ = table.keys.partition(":")
        keys = f"{columns}:{compute_key_digest(rows, columns.split(','))}" if table.keys else ""
    except LakeError:
        raise
    except Exception as error:  # delta-rs raises bare Exceptions for a damaged log
        raise_shortage(error)
        raise mismatch_error(table, " ".join(str(error).split())[:200]) from error
    comparisons = {
        "version": (delta.version(), table.version),
        "id": (delta.metadata().id, table.id),
        "rows": (count, table.rows),
        "keys": (keys, table.keys),
    }
    if differences := [
        f"{name}: {found}, not {expected}" for name, (found, expected) in comparisons.items() if found != expected
    ]:
        raise mismatch_error(table, "; ".join(differences)[:300])
    if table.version >= CHECKPOINT_AFTER and not table.checkpoint:
        delta.create_checkpoint()
        checksums.record_files(folder, table.version, checksums.list_checkpoints(folder, table.version))


def mismatch_error(table: TableBackup, problem: str) -> LakeError:
    """Return the error for a fetched table that differs from the manifest."""
    return UnreadableData(
        f"{table.name}: the fetched table differs from the backup's manifest: {problem}", OTHER_BACKUP_HINT
    )


def rebuild_tables(root: Location, now: datetime) -> list[str]:
    """Rebuild silver and gold from the fetched bronze."""
    delta_tables.create_tables(root, catalog.BUILT_TABLES)
    return list(dict.fromkeys(result.table for result in run.rebuild(root, day=get_eastern_day(now))))


def copy_user_files(root: Location, staged: Location) -> None:
    """Copy the user's files in the lake's folder, such as its settings."""
    if isinstance(root, Path) and isinstance(staged, Path) and root.is_dir():
        for file in root.iterdir():
            if file.is_file():
                shutil.copy2(file, staged / file.name, follow_symlinks=False)
