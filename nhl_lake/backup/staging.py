"""Write objects to the backup repository. In a folder, files are staged, then synced and renamed many at once.

A file gets the name of its hash only after its bytes are on disk. So every object is complete, even after a kill.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import obstore

from nhl_lake.backup.repository import OBJECTS_FOLDER, list_objects, object_name
from nhl_lake.store import location
from nhl_lake.store.location import Location

SPOOL_BYTES = 32 * 2**20


@dataclass
class Staging:
    """The staging area of a repository: stored objects by hash and size, and staged files that wait for their name."""

    backups: Location
    stored: dict[str, int]
    pending: dict[str, Path] = field(default_factory=dict)


def open_staging(backups: Location) -> Staging:
    """Open the staging area of a repository."""
    return Staging(backups, list_objects(backups))


def store_object(staging: Staging, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Store bytes under their hash unless they are already stored; return hash and size.

    In a folder they are only staged: `finalize_staged_files` gives them their name.
    """
    if isinstance(staging.backups, Path):
        return stage_file(staging, staging.backups, chunks)
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        sha256, size = write_and_hash(chunks, spool)
        if staging.stored.get(sha256) != size:
            spool.seek(0)
            obstore.put(location.open_store(staging.backups), object_name(sha256), spool)
            staging.stored[sha256] = size
    return sha256, size


def stage_file(staging: Staging, backups: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write bytes to a staged file in a folder."""
    (backups / OBJECTS_FOLDER).mkdir(parents=True, exist_ok=True)
    file = backups / OBJECTS_FOLDER / f"{secrets.token_hex(8)}#{os.getpid()}"
    is_new = False
    try:
        with file.open("wb", buffering=0) as out:
            sha256, size = write_and_hash(chunks, out)
        is_new = staging.stored.get(sha256) != size and staging.pending.setdefault(sha256, file) is file
    finally:
        if not is_new:
            file.unlink(missing_ok=True)
    return sha256, size


def write_and_hash(chunks: Iterable[bytes], out: IO[bytes]) -> tuple[str, int]:
    """Write chunks, and return their SHA-256 and total size in bytes."""
    found, size = hashlib.sha256(), 0
    for chunk in chunks:
        found.update(chunk)
        size += len(chunk)
        remaining = memoryview(chunk)
        while remaining:
            remaining = remaining[out.write(remaining) :]  # a nearly full disk may accept only some of the bytes
    return found.hexdigest(), size


def finalize_staged_files(staging: Staging) -> None:
    """Sync staged files to disk, rename them to their hashes, and sync the folders."""
    staged = dict(staging.pending)
    if not isinstance(staging.backups, Path) or not staged:
        return
    location.fsync_many(staging.backups, list(staged.values()))
    folders = {staging.backups, staging.backups / OBJECTS_FOLDER}
    for sha256, file in staged.items():
        target = staging.backups / object_name(sha256)
        target.parent.mkdir(exist_ok=True)
        staging.stored[sha256] = file.stat().st_size
        file.replace(target)
        folders.add(target.parent)
        del staging.pending[sha256]
    location.fsync_many(staging.backups, sorted(folders))


def discard_staged_files(staging: Staging) -> None:
    """Remove the staged files that have no name yet."""
    for file in staging.pending.values():
        file.unlink(missing_ok=True)
