"""Where a lake or its backups are: a folder, or a bucket of an S3-compatible store with a prefix; and its files.

Files are written whole or not at all, and are on the disk when a caller is told so. Names are relative to the place,
with `/` between their parts.
"""

import contextlib
import ctypes
import errno
import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, S3Store

from nhl_lake.errors import BadInput, redact_secrets

S3_SCHEME = "s3://"
NO_HARD_LINK_ERRNOS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}
FORBIDDEN_CHARACTERS = set("#%?*[]{}^|\\")  # delta-rs and Polars take paths for addresses and patterns
BUCKET_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w.=-]+)*)/?")
MAX_RETRIES = 10
CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S, RETRY_TIMEOUT_S = 5, 60, 120
CLIENT_OPTIONS = {"connect_timeout": f"{CONNECT_TIMEOUT_S}s", "timeout": f"{REQUEST_TIMEOUT_S}s", "allow_http": "true"}
# what Polars is told about a bucket: what delta-rs is, under its own names
POLARS_OPTIONS: dict[str, Any] = {
    **CLIENT_OPTIONS,
    "max_retries": MAX_RETRIES,
    "retry_timeout_ms": RETRY_TIMEOUT_S * 1000,
}
CHUNK_BYTES = 8 * 2**20
LOCAL_CHUNK_BYTES = 2**20  # of a folder: what fits near a processor is read, hashed and written in half the time
SYNC_WORKERS = 16  # so many files are synced one by one; of more, all that waits for their disk is
SPOOL_BYTES = 32 * 2**20  # of what is put piece by piece; the rest goes by way of a temporary file


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with a prefix: `s3://bucket/prefix`. Credentials and endpoint are what the AWS variables say."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{S3_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

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


Location = Path | Bucket


class FileInfo(NamedTuple):
    """A file of a place: its name in it, its size in bytes, when it was last changed."""

    name: str
    size: int
    modified_at: datetime


def parse_location(text: str | Location) -> Location:
    """Return the place that an address names."""
    if not isinstance(text, str):
        return text
    if "://" not in text:
        return expand_home(Path(text))
    found = BUCKET_URL.fullmatch(text)
    if found is None:
        raise BadInput(
            f"{redact_secrets(text)} is neither a folder nor a place in a bucket.",
            "Write s3://bucket/prefix, with letters, digits and . _ = - in its parts.",
        )
    return Bucket(found[1], found[2].strip("/"))


def expand_home(path: Path) -> Path:
    """Return a path with `~` and `~user` as the home folders that they stand for."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInput(
            f"{path} is in the home folder of nobody.", "Write ~ for your own, or the whole path."
        ) from error


def require_lake_name(root: Location) -> Location:
    """Return the place of a lake; BadInput if delta-rs or Polars would read its name as a pattern or a partition."""
    return require_valid_name(root, "a lake", FORBIDDEN_CHARACTERS | {"="})


def require_backups_name(backups: Location) -> Location:
    """Return the place of backups; BadInput if its name would be read as a pattern."""
    return require_valid_name(backups, "backups", FORBIDDEN_CHARACTERS)


def require_valid_name(place: Location, of: str, refused: Set[str]) -> Location:
    """Return a place; BadInput if there are signs in its name that are refused, or characters that control."""
    name = str(place.absolute()) if isinstance(place, Path) else place.prefix
    if found := sorted({sign for sign in name if sign in refused or unicodedata.category(sign) in {"Cc", "Cs"}}):
        signs = " ".join(sign if sign in refused else ascii(sign)[1:-1] for sign in found)
        raise BadInput(
            f"{str(place)!a} cannot be the place of {of}: folder names may not contain {signs}.",
            "Give it a folder of another name.",
        )
    return place


def get_storage_options(place: Location) -> dict[str, str] | None:
    """Return what delta-rs is told about a place: how long to wait, how often to try."""
    if isinstance(place, Path):
        return None
    return {**CLIENT_OPTIONS, "max_retries": str(MAX_RETRIES), "retry_timeout": f"{RETRY_TIMEOUT_S}s"}


@cache
def open_store(place: Location, patience_s: int = RETRY_TIMEOUT_S) -> ObjectStore:
    """Open a place for whole files; a folder is made if it is not there."""
    if isinstance(place, Path):
        return LocalStore(place.absolute(), mkdir=True)
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        client_options={
            "connect_timeout": f"{CONNECT_TIMEOUT_S}s",
            "timeout": f"{min(REQUEST_TIMEOUT_S, patience_s)}s",
            "allow_http": True,
        },
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=patience_s)},
    )


def list_files(place: Location, under: str = "") -> Iterator[FileInfo]:
    """Yield the files of a place, those of staging left out."""
    if isinstance(place, Path) and not (place / under).is_dir():
        return
    for some in obstore.list(open_store(place), prefix=under or None):
        for found in some:
            yield FileInfo(found["path"], found["size"], found["last_modified"])


def is_empty(place: Location) -> bool:
    """Whether a place holds no file."""
    return next(list_files(place), None) is None


def has_file(place: Location, name: str) -> bool:
    """Whether a place holds a file of that name."""
    if isinstance(place, Path):
        return (place / name).is_file()
    try:
        obstore.head(open_store(place), name)
    except FileNotFoundError:
        return False
    return True


def read_file(place: Location, name: str) -> bytes:
    """Return what a file holds; raise FileNotFoundError."""
    if isinstance(place, Path):
        return (place / name).read_bytes()
    return bytes(obstore.get(open_store(place), name).bytes())


def read_chunks(place: Location, name: str) -> Iterator[bytes]:
    """Yield what a file holds, some megabytes at a time; raise FileNotFoundError."""
    if isinstance(place, Path):
        with (place / name).open("rb", buffering=0) as file:
            while piece := file.read(LOCAL_CHUNK_BYTES):
                yield piece
        return
    for piece in obstore.get(open_store(place), name).stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(piece)


def write_file(place: Location, name: str, body: bytes | Iterable[bytes], *, new: bool = False) -> None:
    """Write a file whole; raise FileExistsError if it must be new and is not."""
    if isinstance(place, Bucket):
        put_object(place, name, body, new=new)
        return
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}#{secrets.randbelow(2**63)}")  # as obstore names them, to be listed by nobody
    try:
        with draft.open("wb") as out:
            for piece in [body] if isinstance(body, bytes) else body:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if new:
            rename_if_absent(draft, file)
        else:
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    fsync_paths([file.parent])


def rename_if_absent(draft: Path, file: Path) -> None:
    """Give a draft its name if nothing has that; raise FileExistsError. To rename it would replace what is there."""
    try:
        os.link(draft, file)
    except OSError as error:
        if error.errno not in NO_HARD_LINK_ERRNOS:
            raise
        file.open("xb").close()  # a disk without hard links, as USB sticks are
        draft.replace(file)


def require_hard_links(folder: Path) -> None:
    """Raise if the disk of a folder has no hard links: without them no commit can be made that nobody overwrites."""
    probe = folder / f"link#{secrets.randbelow(2**63)}"
    probe.touch()
    try:
        os.link(probe, probe.with_name(f"{probe.name}.2"))
    except OSError as error:
        if error.errno not in NO_HARD_LINK_ERRNOS:
            raise
        raise no_hard_links_error(folder) from error
    finally:
        for file in (probe, probe.with_name(f"{probe.name}.2")):
            file.unlink(missing_ok=True)


def no_hard_links_error(where: object) -> BadInput:
    """Return the error for a lake on a disk without hard links."""
    return BadInput(
        f"The disk of {where} has no hard links, as exFAT, SMB and some FUSE disks have none: a lake cannot be there.",
        "Put it on a disk of this machine, or in a bucket (NHL_LAKE_ROOT); backups may stay on such a disk.",
    )


def put_object(place: Bucket, name: str, body: bytes | Iterable[bytes], *, new: bool) -> None:
    """Put an object; one whose answer is lost is put again, finds itself there, and knows itself by its mark."""
    if not isinstance(body, bytes):
        # pieces that come from a bucket cannot be read from within a put: obstore panics
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            spool.writelines(body)
            spool.seek(0)
            put_buffer(place, name, spool, new=new)
        return
    put_buffer(place, name, body, new=new)


def put_buffer(place: Bucket, name: str, whole: bytes | IO[bytes], *, new: bool) -> None:
    """Put what a buffer or a file holds."""
    if not new:
        obstore.put(open_store(place), name, whole)
        return
    mark = secrets.token_hex(8)
    try:
        obstore.put(open_store(place), name, whole, mode="create", attributes={"mark": mark})
    except AlreadyExistsError as error:
        if obstore.get(open_store(place), name, options={"head": True}).attributes.get("mark") != mark:
            raise FileExistsError(f"{place}/{name}") from error


def remove_files(place: Location, names: Iterable[str]) -> None:
    """Remove files; those that are gone already are no error."""
    if isinstance(place, Path):
        for name in names:
            (place / name).unlink(missing_ok=True)
        return
    if gone := list(names):
        with contextlib.suppress(FileNotFoundError):  # one alone; of many the store names none
            obstore.delete(open_store(place), gone[0] if len(gone) == 1 else gone)


def fsync_paths(paths: Iterable[Path]) -> None:
    """Bring files and folders to the disk: delta-rs never does, and a power cut would leave empty files."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def fsync_many(folder: Path, paths: Sequence[Path]) -> None:
    """Bring files and folders to the disk that `folder` is on, as they are: of many, all of that disk at once."""
    if len(paths) > SYNC_WORKERS and sync_filesystem(folder):
        return
    with ThreadPoolExecutor(SYNC_WORKERS) as pool:
        list(pool.map(lambda path: fsync_paths([path]), paths))


def sync_filesystem(folder: Path) -> bool:
    """Bring all that waits to the disk that a folder is on; return whether the system can."""
    try:
        sync_disk = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if sync_disk(descriptor) == 0:
            return True
        if (number := ctypes.get_errno()) == errno.ENOSYS:
            return False
        raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
