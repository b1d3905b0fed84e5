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
from nhl_lake.backup.manifest import Manifest, Saved
from nhl_lake.backup.preflight import check, check_room, is_taken
from nhl_lake.backup.repository import object_name
from nhl_lake.errors import LakeError, Unreadable
from nhl_lake.hockey.calendar import eastern_day
from nhl_lake.rebuild import run
from nhl_lake.schema.digest import digest
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.delta import adds, commit_name
from nhl_lake.store.location import Place

AT_ONCE = 8
LONG_LOG = 20
NOTE = f"{atomic_swap.OWN}/restored.json"
ANOTHER = "The lake was not changed. `nhl-lake backup list` names other backups: restore one of them."
Told = Callable[[int], None]


class Restored(NamedTuple):
    """What a restore did: of which backup, into which place, what was there and is kept beside, and what was made."""

    name: str
    root: str
    tables: int
    rows: int
    kept_as: str | None
    rebuilt: list[str]


class Fetched(NamedTuple):
    """A file to fetch: into which folder, under which name, its bytes and their SHA-256."""

    folder: Place
    name: str
    size: int
    sha256: str


class Note(NamedTuple):
    """What a lake knows of its last restore: of which backup, and which was the newest one then."""

    name: str
    newest: str


def silent(_: int) -> None:
    """Tell nobody of bytes that were fetched."""


def restore(
    root: Place, backups: Place, wanted: Manifest, *, now: datetime, command: str, rebuilds: bool, told: Told = silent
) -> Restored:
    """Put a backup's lake in place of what is at `root`; silver and gold come from it too, or are made again."""
    check(root, backups, wanted)
    with locks.locked(root, command, now=now):
        atomic_swap.finish(root)
        handles.forget()
        staged = staging(root, wanted)
        check_room(root, wanted)
        tables = chosen(wanted, rebuilds=rebuilds)
        fetch(backups, wanted, staged, tables=tables, told=told)
        verify(staged, tables)
        made = remade(staged, now) if rebuilds else []
        take_along(root, staged)
        is_there = is_taken(root)
        kept_as = put_aside(root, now)
        # the lock of a folder goes with it: that of the new one is the lake's when it is in
        with locks.locked(staged, command, now=now) if isinstance(staged, Path) else nullcontext():
            note = msgspec.json.encode(Note(wanted.name, next(iter(repository.names(backups)), wanted.name)))
            location.write(staged, NOTE, note)  # so that whoever finishes the exchange knows what was wanted
            atomic_swap.swap(staged, root, kept_as, command=command)
        handles.forget()
        location.write(root, NOTE, note)
    rows = sum(saved.rows for saved in tables)
    return Restored(wanted.name, str(root), len(tables), rows, str(kept_as) if is_there else None, made)


def staging(root: Place, wanted: Manifest) -> Place:
    """Return the place beside a lake into which a backup is fetched."""
    whole = root.resolve() if isinstance(root, Path) else root
    return whole.with_name(f"{whole.name}.restoring-{wanted.name}")


def put_aside(root: Place, now: datetime) -> Place:
    """Return a place beside a lake, where there is nothing yet, to keep what was there."""
    whole = root.resolve() if isinstance(root, Path) else root
    name = f"{whole.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(kept for kept in (whole.with_name(each) for each in names) if atomic_swap.is_free(kept))


def folder_of(root: Place, name: str) -> Place:
    """Return the place of a table by its name; it may be one that this program does not know."""
    return root.joinpath(*name.split("."))


def size(wanted: Manifest, *, rebuilds: bool = False) -> int:
    """Return the bytes that a restore fetches."""
    return sum(file.size for saved in chosen(wanted, rebuilds=rebuilds) for file in saved.files)


def chosen(wanted: Manifest, *, rebuilds: bool) -> list[Saved]:
    """Return the tables of a backup, or those of them that cannot be made again."""
    return [saved for saved in wanted.tables if not rebuilds or saved.name.split(".")[0] not in {"silver", "gold"}]


def fetch(
    backups: Place, wanted: Manifest, into: Place, *, tables: Sequence[Saved] | None = None, told: Told = silent
) -> None:
    """Fetch a backup's tables: data first, logs last, every file held against its SHA-256 as it is written."""
    some = wanted.tables if tables is None else tables
    data = [
        Fetched(folder_of(into, saved.name), file.name, file.size, file.sha256)
        for saved in some
        for file in saved.files
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for size in pool.map(partial(fetch_one, backups), data):
            told(size)
        list(pool.map(lambda saved: fetch_log(backups, folder_of(into, saved.name), saved), some))


def fetch_one(backups: Place, file: Fetched) -> int:
    """Fetch a file, unless it is there whole; return its bytes."""
    if not is_whole(file.folder, file.name, file.sha256):
        location.write(file.folder, file.name, checked(backups, file.sha256, file.name))
    return file.size


def is_whole(folder: Place, name: str, sha256: str) -> bool:
    """Whether a file is there, with the bytes that it must have."""
    found = hashlib.sha256()
    try:
        for piece in location.pieces(folder, name):
            found.update(piece)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return found.hexdigest() == sha256


def checked(backups: Place, sha256: str, what: str) -> Iterator[bytes]:
    """Yield what a backup holds under a SHA-256; raise at the end if it is something else."""
    found = hashlib.sha256()
    try:
        for piece in location.pieces(backups, object_name(sha256)):
            found.update(piece)
            yield piece
    except FileNotFoundError as error:
        raise damaged(backups, sha256, what, "is gone") from error
    if found.hexdigest() != sha256:
        raise damaged(backups, sha256, what, "is damaged")


def damaged(backups: Place, sha256: str, what: str, how: str) -> LakeError:
    """Say which object of the backups is not what it must be."""
    return Unreadable(
        f"{backups}: {object_name(sha256)}, which holds {what}, {how}.",
        "The lake was not changed. `nhl-lake backup verify --deep` tells which backups are whole: restore one of them.",
    )


def fetch_log(backups: Place, folder: Place, saved: Saved) -> None:
    """Write a table's log, its newest commit last, and take away what is no part of the backup."""
    expected = {file.name for file in (*saved.files, *saved.checkpoint)}
    commits = commits_of(backups, saved)
    stray = [f.name for f in location.files(folder) if f.name not in expected | {commit_name(v) for v in commits}]
    location.remove(folder, stray)
    for file in saved.checkpoint:
        fetch_one(backups, Fetched(folder, file.name, file.size, file.sha256))
    for version, text in sorted(commits.items()):
        if not is_whole(folder, commit_name(version), hashlib.sha256(text).hexdigest()):
            location.write(folder, commit_name(version), text)
        if isinstance(folder, Path):
            date_back(folder / commit_name(version), text)


def date_back(file: Path, commit: bytes) -> None:
    """Give a commit's file the time of the commit: Delta's travel in time goes by that of the file."""
    for line in commit.splitlines():
        if "commitInfo" in (said := json.loads(line)):
            at = said["commitInfo"]["timestamp"] / 1000
            os.utime(file, (at, at))


def commits_of(backups: Place, saved: Saved) -> dict[int, bytes]:
    """Return the commits of a table's log as a backup holds them."""
    try:
        found = dict(log_packs.commits(backups, saved))
    except FileNotFoundError as error:
        raise Unreadable(f"{backups}: the log of {saved.name} is gone.", ANOTHER) from error
    if hashlib.sha256(found.get(saved.version, b"")).hexdigest() != saved.head:
        raise Unreadable(
            f"{backups}: the log of {saved.name} does not end with the commit {saved.version} that was saved.", ANOTHER
        )
    return found


def verify(root: Place, tables: Sequence[Saved]) -> None:
    """Open every table of a fetched backup, and hold its version, files, rows and keys against the manifest."""
    for saved in tables:
        verify_one(root, saved)


def verify_one(root: Place, saved: Saved) -> None:
    """Hold one table against the manifest; give a long log a checkpoint."""
    folder = folder_of(root, saved.name)
    try:
        delta = handles.at(folder)
        rows = pl.scan_delta(delta)
        count: int = rows.select(pl.len()).collect().item()
        columns, _, _ = saved.keys.partition(":")
        keys = f"{columns}:{digest(rows, columns.split(','))}" if saved.keys else ""
        files = set(adds(delta)["path"])
    except Exception as error:  # delta-rs raises bare Exceptions for a damaged log
        raise differs(saved, " ".join(str(error).split())[:200]) from error
    said = {
        "version": (delta.version(), saved.version),
        "id": (delta.metadata().id, saved.id),
        "rows": (count, saved.rows),
        "keys": (keys, saved.keys),
        "files": (files, {file.name for file in saved.files}),
    }
    if wrong := [f"{name}: {found}, not {kept}" for name, (found, kept) in said.items() if found != kept]:
        raise differs(saved, "; ".join(wrong)[:300])
    if saved.version >= LONG_LOG and not saved.checkpoint:
        delta.create_checkpoint()


def differs(saved: Saved, how: str) -> LakeError:
    """Say that what was fetched is not what was saved."""
    return Unreadable(f"{saved.name} as it was fetched is not what the backup's manifest says: {how}", ANOTHER)


def remade(root: Place, now: datetime) -> list[str]:
    """Make silver and gold from the bronze that was fetched."""
    delta_tables.create(root, catalog.MADE)
    return list(dict.fromkeys(made.table for made in run.rebuild(root, day=eastern_day(now))))


def take_along(root: Place, staged: Place) -> None:
    """Copy the files that a user keeps in the lake's folder beside its tables: its settings."""
    if isinstance(root, Path) and isinstance(staged, Path) and root.is_dir():
        for file in root.iterdir():
            if file.is_file():
                shutil.copy2(file, staged / file.name)
