"""Where a lake or its backups are: a folder, or a bucket of an S3-compatible store with a prefix; and its files.

Files are written whole or not at all, and are on the disk when a caller is told so. Names are relative to the place,
with `/` between their parts.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, S3Store

from nhl_lake.errors import BadInput

S3 = "s3://"
BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w.=-]+)*)/?")
ATTEMPTS = 6
CONNECT, WAIT, PATIENCE_S = "10s", "60s", 120
PIECE = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with a prefix: `s3://bucket/prefix`. Credentials and endpoint are what the AWS variables say."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{S3}{self.bucket}/{self.prefix}".rstrip("/")

    def __truediv__(self, name: str) -> "Bucket":
        return Bucket(self.bucket, f"{self.prefix}/{name}".strip("/"))

    def joinpath(self, *names: str) -> "Bucket":
        """Return the place below this one."""
        return self / "/".join(names)

    @property
    def name(self) -> str:
        """Return the last part of the address."""
        return (self.prefix or self.bucket).rpartition("/")[2]

    def with_name(self, name: str) -> "Bucket":
        """Return the place beside this one."""
        if not self.prefix:
            raise BadInput(f"{self} has no place beside it.", f"Give the lake a prefix in its bucket: {self}/lake.")
        return Bucket(self.bucket, f"{self.prefix.rpartition('/')[0]}/{name}".strip("/"))


Place = Path | Bucket


class File(NamedTuple):
    """A file of a place: its name in it, its size in bytes, when it was last changed."""

    name: str
    size: int
    at: datetime


def place_from(text: str | Place) -> Place:
    """Return the place that an address names."""
    if not isinstance(text, str) or not text.startswith(S3):
        return Path(text) if isinstance(text, str) else text
    found = BUCKET.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{text} is no place in a bucket.",
            "Write s3://bucket/prefix, with letters, digits and . _ = - in its parts.",
        )
    return Bucket(found[1], found[2].strip("/"))


def options(place: Place) -> dict[str, str] | None:
    """Return what delta-rs is told about a place: how long to wait, how often to try."""
    if isinstance(place, Path):
        return None
    retries = {"max_retries": str(ATTEMPTS), "retry_timeout": f"{PATIENCE_S}s"}
    return {"connect_timeout": CONNECT, "timeout": WAIT, "allow_http": "true", **retries}


@cache
def store(place: Place) -> ObjectStore:
    """Open a place for whole files; a folder is made if it is not there."""
    if isinstance(place, Path):
        return LocalStore(place.absolute(), mkdir=True)
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        client_options={"connect_timeout": CONNECT, "timeout": WAIT, "allow_http": True},
        retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=PATIENCE_S)},
    )


def files(place: Place, under: str = "") -> Iterator[File]:
    """Yield the files of a place, those of staging left out."""
    if isinstance(place, Path) and not (place / under).is_dir():
        return
    for some in obstore.list(store(place), prefix=under or None):
        for found in some:
            yield File(found["path"], found["size"], found["last_modified"])


def is_empty(place: Place) -> bool:
    """Whether a place holds no file."""
    return next(files(place), None) is None


def has(place: Place, name: str) -> bool:
    """Whether a place holds a file of that name."""
    if isinstance(place, Path):
        return (place / name).is_file()
    try:
        obstore.head(store(place), name)
    except FileNotFoundError:
        return False
    return True


def read(place: Place, name: str) -> bytes:
    """Return what a file holds; raise FileNotFoundError."""
    if isinstance(place, Path):
        return (place / name).read_bytes()
    return bytes(obstore.get(store(place), name).bytes())


def pieces(place: Place, name: str) -> Iterator[bytes]:
    """Yield what a file holds, some megabytes at a time; raise FileNotFoundError."""
    if isinstance(place, Path):
        with (place / name).open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
        return
    for piece in obstore.get(store(place), name).stream(min_chunk_size=PIECE):
        yield bytes(piece)


def write(place: Place, name: str, body: bytes | Iterable[bytes], *, new: bool = False) -> None:
    """Write a file whole; raise FileExistsError if it must be new and is not."""
    if isinstance(place, Bucket):
        try:
            whole = body if isinstance(body, bytes) else iter(body)
            obstore.put(store(place), name, whole, mode="create" if new else "overwrite")
        except AlreadyExistsError as error:
            raise FileExistsError(f"{place}/{name}") from error
        return
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}#{os.getpid()}")
    try:
        with draft.open("wb") as out:
            for piece in [body] if isinstance(body, bytes) else body:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if new:
            os.link(draft, file)  # raises FileExistsError; to rename would replace
        else:
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    sync([file.parent])


def remove(place: Place, names: Iterable[str]) -> None:
    """Remove files; those that are gone already are no error."""
    if isinstance(place, Path):
        for name in names:
            (place / name).unlink(missing_ok=True)
        return
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(store(place), name)


def sync(paths: Iterable[Path]) -> None:
    """Bring files and folders to the disk: delta-rs never does, and a power cut would leave empty files."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
