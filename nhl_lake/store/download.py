"""Fetch files of a web host to the disk. A file that was fetched in part, by this run or a killed one, continues."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nhl_lake.store import website
from nhl_lake.store.location import LOCAL_CHUNK_BYTES, fsync_paths, require_no_links
from nhl_lake.store.web_address import Website
from nhl_lake.store.website import Wait

OPEN_PART = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
OnBytes = Callable[[int], object]


class WrongContent(Exception):
    """A file of a web host is not the one that was asked for: its SHA-256 differs."""


def name_part(name: str, sha256: str) -> str:
    """Return the name of a file while it is being fetched: always the same, and one that listings leave out."""
    return f"{name}#{int(sha256[:15], 16)}"


def download_file(
    site: Website,
    source: str,
    folder: Path,
    name: str,
    *,
    sha256: str,
    size: int,
    wait: Wait,
    on_bytes: OnBytes,
) -> None:
    """Fetch a file of a web host into a folder, and give it its name when its SHA-256 is right.

    Raises FileNotFoundError and WrongContent. on_bytes: called with the number of each few bytes that arrive.
    """
    require_no_links(folder, name)
    part, target = folder / name_part(name, sha256), folder / name
    part.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(part, OPEN_PART, 0o666), "r+b") as file:
        begin = fetch_rest(site, source, file, sha256=sha256, size=size, wait=wait, on_bytes=on_bytes)
        if begin is not None:  # what a killed run has left may be damaged
            on_bytes(-begin)
            file.truncate(0)
            begin = fetch_rest(site, source, file, sha256=sha256, size=size, wait=wait, on_bytes=on_bytes)
        os.fsync(file.fileno())
    if begin is not None:
        part.unlink()
        raise WrongContent(source)
    part.replace(target)
    fsync_paths([target.parent])


def fetch_rest(
    site: Website, source: str, file: IO[bytes], *, sha256: str, size: int, wait: Wait, on_bytes: OnBytes
) -> int | None:
    """Append what a file lacks. Return None if its SHA-256 is right then, else how many bytes it has."""
    found, position = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(LOCAL_CHUNK_BYTES):
        found.update(chunk)
        position += len(chunk)
    on_bytes(position)
    if position < size:
        for chunk in website.read_chunks(site, source, max_bytes=size, begin=position, size=size, wait=wait):
            file.write(chunk)
            file.flush()  # a kill loses nothing that has arrived
            found.update(chunk)
            position += len(chunk)
            on_bytes(len(chunk))
    return None if found.hexdigest() == sha256 else position
