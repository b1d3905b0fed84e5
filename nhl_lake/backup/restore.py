"""A lake from a backup: fetched into a place beside, held against the manifest, then put in place in one step.

What is there is kept beside as `NAME.before-restore-TIME`. Killed at any step, the same command goes on: files that
were fetched whole are not fetched again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake import catalog
from nhl_lake.backup import log_packs, repository
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.backup.preflight import check_disk_space, check_restore, is_occupied
from nhl_lake.backup.repository import object_name
from nhl_lake.errors import LakeError, UnreadableData
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.rebuild import run
from nhl_lake.schema.digest import compute_key_digest
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.delta import commit_name, read_add_actions
from nhl_lake.store.location import Location

MAX_WORKERS = 8
CHECKPOINT_AFTER = 20
RESTORE_NOTE = f"{atomic_swap.STATE_FOLDER}/restored.json"
OTHER_BACKUP_HINT = "The lake was not changed. `nhl-lake backup list` names other backups: restore one of them."
OnProgress = Callable[[int], None]


class RestoreResult(NamedTuple):
    """What a restore did: of which backup, into which place, what was there and is kept beside, and what was made."""

    name: str
    root: str
    tables: int
    rows: int
    kept_as: str | None
    rebuilt: list[str]


class FileToFetch(NamedTuple):
    """A file to fetch: into which folder, under which name, its bytes and their SHA-256."""

    folder: Location
    name: str
    size: int
    sha256: str


class RestoreNote(NamedTuple):
    """What a lake knows of its last restore: of which backup, and which was the newest one then."""

    name: str
    newest: str


def ignore_progress(_: int) -> None:
    """Tell nobody of bytes that were fetched."""


def restore_lake(
    root: Location,
    backups: Location,
    manifest: Manifest,
    *,
    now: datetime,
    command: str,
    rebuilds: bool,
    on_progress: OnProgress = ignore_progress,
) -> RestoreResult:
    """Put a backup's lake in place of what is at `root`; silver and gold come from it too, or are made again."""
    check_restore(root, backups, manifest)
    with locks.hold_lock(root, command, now=now):
        atomic_swap.finish_swap(root)
        handles.clear_handles()
        staged = locate_staging(root, manifest)
        check_disk_space(root, manifest)
        tables = select_tables(manifest, rebuilds=rebuilds)
        fetch_tables(backups, manifest, staged, tables=tables, on_progress=on_progress)
        verify_tables(staged, tables)
        made = rebuild_tables(staged, now) if rebuilds else []
        copy_user_files(root, staged)
        is_there = is_occupied(root)
        kept_as = choose_aside_location(root, now)
        # the lock of a folder goes with it: that of the new one is the lake's when it is in
        with locks.hold_lock(staged, command, now=now) if isinstance(staged, Path) else nullcontext():
            note = msgspec.json.encode(
                RestoreNote(manifest.name, next(iter(repository.list_backups(backups)), manifest.name))
            )
            location.write_file(
                staged, RESTORE_NOTE, note
            )  # so that whoever finishes the exchange knows what was wanted
            atomic_swap.swap_into_place(staged, root, kept_as, command=command)
        handles.clear_handles()
        location.write_file(root, RESTORE_NOTE, note)
    rows = sum(saved.rows for saved in tables)
    return RestoreResult(manifest.name, str(root), len(tables), rows, str(kept_as) if is_there else None, made)


def locate_staging(root: Location, manifest: Manifest) -> Location:
    """Return the place beside a lake into which a backup is fetched."""
    whole = root.resolve() if isinstance(root, Path) else root
    return whole.with_name(f"{whole.name}.restoring-{manifest.name}")


def choose_aside_location(root: Location, now: datetime) -> Location:
    """Return a place beside a lake, where there is nothing yet, to keep what was there."""
    whole = root.resolve() if isinstance(root, Path) else root
    name = f"{whole.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(kept for kept in (whole.with_name(each) for each in names) if atomic_swap.is_free(kept))


def locate_table_by_name(root: Location, name: str) -> Location:
    """Return the place of a table by its name; it may be one that this program does not know."""
    return root.joinpath(*name.split("."))


def sum_restore_bytes(manifest: Manifest, *, rebuilds: bool = False) -> int:
    """Return the bytes that a restore fetches."""
    return sum(file.size for saved in select_tables(manifest, rebuilds=rebuilds) for file in saved.files)


def select_tables(manifest: Manifest, *, rebuilds: bool) -> list[TableBackup]:
    """Return the tables of a backup, or those of them that cannot be made again."""
    return [saved for saved in manifest.tables if not rebuilds or saved.name.split(".")[0] not in {"silver", "gold"}]


def fetch_tables(
    backups: Location,
    manifest: Manifest,
    into: Location,
    *,
    tables: Sequence[TableBackup] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> None:
    """Fetch a backup's tables: data first, logs last, every file held against its SHA-256 as it is written."""
    some = manifest.tables if tables is None else tables
    data = [
        FileToFetch(locate_table_by_name(into, saved.name), file.name, file.size, file.sha256)
        for saved in some
        for file in saved.files
    ]
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        for size in pool.map(partial(fetch_file, backups), data):
            on_progress(size)
        list(pool.map(lambda saved: fetch_log(backups, locate_table_by_name(into, saved.name), saved), some))


def fetch_file(backups: Location, file: FileToFetch) -> int:
    """Fetch a file, unless it is there whole; return its bytes."""
    if not is_intact(file.folder, file.name, file.sha256):
        location.write_file(file.folder, file.name, read_verified_chunks(backups, file.sha256, file.name))
    return file.size


def is_intact(folder: Location, name: str, sha256: str) -> bool:
    """Whether a file is there, with the bytes that it must have."""
    found = hashlib.sha256()
    try:
        for piece in location.read_chunks(folder, name):
            found.update(piece)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return found.hexdigest() == sha256


def read_verified_chunks(backups: Location, sha256: str, what: str) -> Iterator[bytes]:
    """Yield what a backup holds under a SHA-256; raise at the end if it is something else."""
    found = hashlib.sha256()
    try:
        for piece in location.read_chunks(backups, object_name(sha256)):
            found.update(piece)
            yield piece
    except FileNotFoundError as error:
        raise damaged_object_error(backups, sha256, what, "is gone") from error
    if found.hexdigest() != sha256:
        raise damaged_object_error(backups, sha256, what, "is damaged")


def damaged_object_error(backups: Location, sha256: str, what: str, how: str) -> LakeError:
    """Say which object of the backups is not what it must be."""
    return UnreadableData(
        f"{backups}: {object_name(sha256)}, which holds {what}, {how}.",
        "The lake was not changed. `nhl-lake backup verify --deep` tells which backups are whole: restore one of them.",
    )


def fetch_log(backups: Location, folder: Location, saved: TableBackup) -> None:
    """Write a table's log, its newest commit last, and take away what is no part of the backup."""
    expected = {file.name for file in (*saved.files, *saved.checkpoint)}
    commits = read_saved_commits(backups, saved)
    stray = [f.name for f in location.list_files(folder) if f.name not in expected | {commit_name(v) for v in commits}]
    location.remove_files(folder, stray)
    for file in saved.checkpoint:
        fetch_file(backups, FileToFetch(folder, file.name, file.size, file.sha256))
    for version, text in sorted(commits.items()):
        if not is_intact(folder, commit_name(version), hashlib.sha256(text).hexdigest()):
            location.write_file(folder, commit_name(version), text)
        if isinstance(folder, Path):
            set_commit_time(folder / commit_name(version), text)


def set_commit_time(file: Path, commit: bytes) -> None:
    """Give a commit's file the time of the commit: Delta's travel in time goes by that of the file."""
    for line in commit.splitlines():
        if "commitInfo" in (said := json.loads(line)):
            at = said["commitInfo"]["timestamp"] / 1000
            os.utime(file, (at, at))


def read_saved_commits(backups: Location, saved: TableBackup) -> dict[int, bytes]:
    """Return the commits of a table's log as a backup holds them."""
    try:
        found = dict(log_packs.read_packed_commits(backups, saved))
    except FileNotFoundError as error:
        raise UnreadableData(f"{backups}: the log of {saved.name} is gone.", OTHER_BACKUP_HINT) from error
    if hashlib.sha256(found.get(saved.version, b"")).hexdigest() != saved.head:
        raise UnreadableData(
            f"{backups}: the log of {saved.name} does not end with the commit {saved.version} that was saved.",
            OTHER_BACKUP_HINT,
        )
    return found


def verify_tables(root: Location, tables: Sequence[TableBackup]) -> None:
    """Open every table of a fetched backup, and hold its version, files, rows and keys against the manifest."""
    for saved in tables:
        verify_table(root, saved)


def verify_table(root: Location, saved: TableBackup) -> None:
    """Hold one table against the manifest; give a long log a checkpoint."""
    folder = locate_table_by_name(root, saved.name)
    try:
        delta = handles.open_uncached(folder)
        rows = pl.scan_delta(delta)
        count: int = rows.select(pl.len()).collect().item()
        columns, _, _ = saved.keys.partition(":")
        keys = f"{columns}:{compute_key_digest(rows, columns.split(','))}" if saved.keys else ""
        files = set(read_add_actions(delta)["path"])
    except Exception as error:  # delta-rs raises bare Exceptions for a damaged log
        raise mismatch_error(saved, " ".join(str(error).split())[:200]) from error
    said = {
        "version": (delta.version(), saved.version),
        "id": (delta.metadata().id, saved.id),
        "rows": (count, saved.rows),
        "keys": (keys, saved.keys),
        "files": (files, {file.name for file in saved.files}),
    }
    if wrong := [f"{name}: {found}, not {kept}" for name, (found, kept) in said.items() if found != kept]:
        raise mismatch_error(saved, "; ".join(wrong)[:300])
    if saved.version >= CHECKPOINT_AFTER and not saved.checkpoint:
        delta.create_checkpoint()


def mismatch_error(saved: TableBackup, how: str) -> LakeError:
    """Say that what was fetched is not what was saved."""
    return UnreadableData(
        f"{saved.name} as it was fetched is not what the backup's manifest says: {how}", OTHER_BACKUP_HINT
    )


def rebuild_tables(root: Location, now: datetime) -> list[str]:
    """Make silver and gold from the bronze that was fetched."""
    delta_tables.create_tables(root, catalog.BUILT_TABLES)
    return list(dict.fromkeys(made.table for made in run.rebuild(root, day=get_eastern_day(now))))


def copy_user_files(root: Location, staged: Location) -> None:
    """Copy the files that a user keeps in the lake's folder beside its tables: its settings."""
    if isinstance(root, Path) and isinstance(staged, Path) and root.is_dir():
        for file in root.iterdir():
            if file.is_file():
                shutil.copy2(file, staged / file.name)
