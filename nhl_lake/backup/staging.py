"""Bytes on their way into the place of backups: in a folder they are drafts until they are on the disk, many at once.

Nothing has the name of its hash before its bytes are on the disk: what is found under one is whole, whoever was killed.
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
    """What is put into a place of backups: what is there by hash and size, and what waits for its name."""

    backups: Location
    stored: dict[str, int]
    pending: dict[str, Path] = field(default_factory=dict)


def open_staging(backups: Location) -> Staging:
    """Begin to put something into a place of backups."""
    return Staging(backups, list_objects(backups))


def store_object(into: Staging, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Put bytes into the place under their hash, unless they are there; return hash and size.

    In a folder they get their name with `settle`.
    """
    if isinstance(into.backups, Path):
        return stage_file(into, into.backups, pieces)
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        sha256, size = write_and_hash(pieces, spool)
        if into.stored.get(sha256) != size:
            spool.seek(0)
            obstore.put(location.open_store(into.backups), object_name(sha256), spool)
            into.stored[sha256] = size
    return sha256, size


def stage_file(into: Staging, backups: Path, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Write bytes into a folder, to be named when they are on the disk."""
    (backups / OBJECTS_FOLDER).mkdir(parents=True, exist_ok=True)
    file = backups / OBJECTS_FOLDER / f"{secrets.token_hex(8)}#{os.getpid()}"
    is_wanted = False
    try:
        with file.open("wb", buffering=0) as out:
            sha256, size = write_and_hash(pieces, out)
        is_wanted = into.stored.get(sha256) != size and into.pending.setdefault(sha256, file) is file
    finally:
        if not is_wanted:
            file.unlink(missing_ok=True)
    return sha256, size


def write_and_hash(pieces: Iterable[bytes], out: IO[bytes]) -> tuple[str, int]:
    """Write pieces out, and return the hash and the number of their bytes."""
    found, size = hashlib.sha256(), 0
    for piece in pieces:
        found.update(piece)
        size += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[out.write(rest) :]  # a disk that is nearly full takes a part
    return found.hexdigest(), size


def finalize_staged_files(into: Staging) -> None:
    """Bring drafts to the disk, then give them their names, and bring these to the disk."""
    some = dict(into.pending)
    if not isinstance(into.backups, Path) or not some:
        return
    location.fsync_many(into.backups, list(some.values()))
    folders = {into.backups, into.backups / OBJECTS_FOLDER}
    for sha256, file in some.items():
        named = into.backups / object_name(sha256)
        named.parent.mkdir(exist_ok=True)
        into.stored[sha256] = file.stat().st_size
        file.replace(named)
        folders.add(named.parent)
        del into.pending[sha256]
    location.fsync_many(into.backups, sorted(folders))


def discard_staged_files(into: Staging) -> None:
    """Remove the drafts that got no name."""
    for file in into.pending.values():
        file.unlink(missing_ok=True)
