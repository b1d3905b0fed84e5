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

from nhl_lake.backup.repository import OBJECTS, object_name, objects
from nhl_lake.store import location
from nhl_lake.store.location import Place

IN_MEMORY = 32 * 2**20


@dataclass
class Drafts:
    """What is put into a place of backups: what is there by hash and size, and what waits for its name."""

    backups: Place
    there: dict[str, int]
    waiting: dict[str, Path] = field(default_factory=dict)


def drafts(backups: Place) -> Drafts:
    """Begin to put something into a place of backups."""
    return Drafts(backups, objects(backups))


def deposit(into: Drafts, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Put bytes into the place under their hash, unless they are there; return hash and size.

    In a folder they get their name with `settle`.
    """
    if isinstance(into.backups, Path):
        return draft(into, into.backups, pieces)
    with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        sha256, size = poured(pieces, spool)
        if into.there.get(sha256) != size:
            spool.seek(0)
            obstore.put(location.store(into.backups), object_name(sha256), spool)
            into.there[sha256] = size
    return sha256, size


def draft(into: Drafts, backups: Path, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Write bytes into a folder, to be named when they are on the disk."""
    (backups / OBJECTS).mkdir(parents=True, exist_ok=True)
    file = backups / OBJECTS / f"{secrets.token_hex(8)}#{os.getpid()}"
    is_wanted = False
    try:
        with file.open("wb", buffering=0) as out:
            sha256, size = poured(pieces, out)
        is_wanted = into.there.get(sha256) != size and into.waiting.setdefault(sha256, file) is file
    finally:
        if not is_wanted:
            file.unlink(missing_ok=True)
    return sha256, size


def poured(pieces: Iterable[bytes], out: IO[bytes]) -> tuple[str, int]:
    """Write pieces out, and return the hash and the number of their bytes."""
    found, size = hashlib.sha256(), 0
    for piece in pieces:
        found.update(piece)
        size += len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[out.write(rest) :]  # a disk that is nearly full takes a part
    return found.hexdigest(), size


def settle(into: Drafts) -> None:
    """Bring drafts to the disk, then give them their names, and bring these to the disk."""
    some = dict(into.waiting)
    if not isinstance(into.backups, Path) or not some:
        return
    location.sync_many(into.backups, list(some.values()))
    folders = {into.backups, into.backups / OBJECTS}
    for sha256, file in some.items():
        named = into.backups / object_name(sha256)
        named.parent.mkdir(exist_ok=True)
        into.there[sha256] = file.stat().st_size
        file.replace(named)
        folders.add(named.parent)
        del into.waiting[sha256]
    location.sync_many(into.backups, sorted(folders))


def discard(into: Drafts) -> None:
    """Remove the drafts that got no name."""
    for file in into.waiting.values():
        file.unlink(missing_ok=True)
