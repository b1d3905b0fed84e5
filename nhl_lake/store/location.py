"""The location of a lake or its backups (a folder, or a bucket and prefix of an S3-compatible store), and its files.

Writes are atomic, and synced to disk before they return. File names are relative to the location, with `/` between
folders.
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
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, S3Store

from nhl_lake.errors import BadInput, LakeError, redact_secrets
from nhl_lake.store.web_address import MAX_WEBSITE_FILE_BYTES, Website, is_web_address

S3_SCHEME = "s3://"
NO_HARD_LINK_ERRNOS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}
FORBIDDEN_CHARACTERS = set("#%?*[]{}^|\\")  # delta-rs and Polars read paths as URLs and glob patterns
STAGED_NAME = re.compile(r"#\d+$")  # a file that is still being written, by this program or by obstore
BUCKET_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w.=-]+)*)/?")
MAX_RETRIES = 10
CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S, RETRY_TIMEOUT_S = 5, 60, 120
CLIENT_OPTIONS = {"connect_timeout": f"{CONNECT_TIMEOUT_S}s", "timeout": f"{REQUEST_TIMEOUT_S}s", "allow_http": "true"}
# Polars' storage options: the same values as for delta-rs, under Polars' names
POLARS_OPTIONS: dict[str, Any] = {
    **CLIENT_OPTIONS,
    "max_retries": MAX_RETRIES,
    "retry_timeout_ms": RETRY_TIMEOUT_S * 1000,
}
CONTENT_TYPES = {".html": "text/html; charset=utf-8"}  # a browser would save other objects to the disk
CONTROL_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
CHUNK_BYTES = 8 * 2**20
# for folders: a chunk that fits the processor cache is read, hashed and written in half the time
LOCAL_CHUNK_BYTES = 2**20
SYNC_WORKERS = 16  # up to this many files are synced one by one; with more, the whole file system is
SPOOL_BYTES = 32 * 2**20  # up to this size an upload is buffered in memory; a larger one in a temporary file


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and prefix: `s3://bucket/prefix`. Credentials and endpoint come from the AWS environment variables."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{S3_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    def __truediv__(self, name: str) -> "Bucket":
        return Bucket(self.bucket, f"{self.prefix}/{name}".strip("/"))

    def joinpath(self, *names: str) -> "Bucket":
        """Return a location below this one."""
        return self / "/".join(names)

    @property
    def name(self) -> str:
        """Return the last component of the URL."""
        return (self.prefix or self.bucket).rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Return the ending of the last component: `.csv`."""
        return PurePosixPath(self.prefix).suffix

    @property
    def parent(self) -> "Bucket":
        """Return the location without its last component."""
        if not self.prefix:
            raise BadInput(f"{self} is a bucket without a prefix.", f"Use a prefix inside the bucket: {self}/lake.")
        return Bucket(self.bucket, self.prefix.rpartition("/")[0])

    def with_name(self, name: str) -> "Bucket":
        """Return the location with its last component replaced."""
        return self.parent / name


Location = Path | Bucket
Source = Location | Website  # what files can be read from


class FileInfo(NamedTuple):
    """A file of a location: its relative name, its size in bytes, and when it was last modified."""

    name: str
    size: int
    modified_at: datetime


def parse_location(text: str | Location) -> Location:
    """Parse a folder path or an `s3://bucket/prefix` URL."""
    if not isinstance(text, str):
        return text
    if not text.strip():
        raise BadInput("Invalid location: it is empty.", "Use a folder or s3://bucket/prefix.")
    if "://" not in text:
        return expand_home(Path(text))
    if is_web_address(text):
        raise BadInput(
            f"{redact_secrets(text)} is on a web host, from which nhl-lake only reads.",
            "Use a folder or s3://bucket/prefix here. `nhl-lake restore --from-backup --from URL` restores from there.",
        )
    match = BUCKET_URL.fullmatch(text)
    if match is None:
        raise BadInput(
            f"Invalid location: {redact_secrets(text)}. It must be a folder or s3://bucket/prefix.",
            "Use letters, digits and . _ = - in the bucket and prefix.",
        )
    return Bucket(match[1], match[2].strip("/"))


def parse_source(text: str) -> Source:
    """Parse the address of something to read: a folder path, an `s3://bucket/prefix` URL or an `https://` address."""
    if not is_web_address(text):
        return parse_location(text)
    from nhl_lake.store import website  # loads httpx, which most commands do not need

    return website.parse_website(text)


def expand_home(path: Path) -> Path:
    """Expand `~` and `~user` in a path to home folders."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise BadInput(
            f"No such user for the home folder in {path}.", "Use ~ for your own home folder, or the full path."
        ) from error


def require_lake_name(root: Location) -> Location:
    """Return a lake's location. Raises BadInput if delta-rs or Polars would read its name as a pattern or partition."""
    return require_valid_name(root, "a lake", FORBIDDEN_CHARACTERS | {"="})


def require_backups_name(backups: Location) -> Location:
    """Return a location for backups. Raises BadInput if its name would be read as a pattern."""
    return require_valid_name(backups, "backups", FORBIDDEN_CHARACTERS)


def require_valid_name(location: Location, what: str, forbidden: Set[str]) -> Location:
    """Return a location. Raises BadInput if its name has forbidden or control characters."""
    name = str(location.absolute()) if isinstance(location, Path) else location.prefix
    if found := sorted({char for char in name if char in forbidden or is_control_character(char)}):
        characters = " ".join(char if char in forbidden else ascii(char)[1:-1] for char in found)
        raise BadInput(
            f"Invalid location for {what}: {str(location)!a}. Folder names may not contain {characters}.",
            "Use a folder with another name.",
        )
    return location


def is_control_character(character: str) -> bool:
    """Return whether a character is a line break or another control character."""
    return unicodedata.category(character) in CONTROL_CATEGORIES


def get_storage_options(location: Location) -> dict[str, str] | None:
    """Return the storage options for delta-rs (timeouts and retries); None for a folder."""
    if isinstance(location, Path):
        return None
    return {**CLIENT_OPTIONS, "max_retries": str(MAX_RETRIES), "retry_timeout": f"{RETRY_TIMEOUT_S}s"}


@cache
def open_store(location: Location, patience_s: int = RETRY_TIMEOUT_S) -> ObjectStore:
    """Open a location as an object store; create a missing folder."""
    if isinstance(location, Path):
        return LocalStore(location.absolute(), mkdir=True)
    return S3Store(
        location.bucket,
        prefix=location.prefix or None,
        client_options={
            "connect_timeout": f"{CONNECT_TIMEOUT_S}s",
            "timeout": f"{min(REQUEST_TIMEOUT_S, patience_s)}s",
            "allow_http": True,
        },
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=patience_s)},
    )


def list_files(location: Location, under: str = "") -> Iterator[FileInfo]:
    """Yield the files of a location, without staging files and symbolic links."""
    if isinstance(location, Path):
        yield from walk_folder(location, under)
        return
    for page in obstore.list(open_store(location), prefix=under or None):
        for entry in page:
            yield FileInfo(entry["path"], entry["size"], entry["last_modified"])


def walk_folder(folder: Path, under: str, *, staged: bool = False) -> Iterator[FileInfo]:
    """Yield the files of a folder. No symbolic link is followed: what it leads to is not part of the folder.

    staged: also files that are still being written, and those of killed runs.
    """
    try:
        entries = sorted(os.scandir(folder / under), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = f"{under}/{entry.name}" if under else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk_folder(folder, name, staged=staged)
        elif entry.is_file(follow_symlinks=False) and (staged or not STAGED_NAME.search(entry.name)):
            with contextlib.suppress(FileNotFoundError):  # removed just now
                stat = entry.stat(follow_symlinks=False)
                yield FileInfo(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


def find_links(folder: Path) -> Iterator[Path]:
    """Yield the symbolic links below a folder, without following them."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_symlink():
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            yield from find_links(Path(entry.path))


def require_no_links(folder: Path, name: str) -> None:
    """Raise if a symbolic link on the way to a file leads out of a folder. The folder itself may be behind a link."""
    for inner in [*(folder / name).parents][: len(PurePosixPath(name).parts) - 1]:
        if inner.is_symlink():
            raise LakeError(
                f"{inner} is a symbolic link: nhl-lake writes and removes nothing behind it.",
                "No changes were made there. Move that link away, then run the same command again.",
            )


def is_empty(location: Location) -> bool:
    """Return whether a location holds no files."""
    return next(list_files(location), None) is None


def has_file(location: Location, name: str) -> bool:
    """Return whether a location holds a file of that name."""
    if isinstance(location, Path):
        return (location / name).is_file()
    try:
        obstore.head(open_store(location), name)
    except FileNotFoundError:
        return False
    return True


def read_file(location: Source, name: str, *, max_bytes: int = MAX_WEBSITE_FILE_BYTES) -> bytes:
    """Return the content of a file. Raises FileNotFoundError. max_bytes: of a web host, more are an error."""
    if isinstance(location, Website):
        from nhl_lake.store import website

        return website.read_file(location, name, max_bytes=max_bytes)
    if isinstance(location, Path):
        return (location / name).read_bytes()
    return bytes(obstore.get(open_store(location), name).bytes())


def read_chunks(location: Source, name: str, *, size: int | None = None) -> Iterator[bytes]:
    """Yield the content of a file in chunks of at most some megabytes. Raises FileNotFoundError.

    size: what the file should have; of a web host, more bytes are an error.
    """
    if isinstance(location, Website):
        from nhl_lake.store import website

        most = MAX_WEBSITE_FILE_BYTES if size is None else size
        yield from website.read_chunks(location, name, max_bytes=most, size=size)
        return
    if isinstance(location, Path):
        with (location / name).open("rb", buffering=0) as file:
            while chunk := file.read(LOCAL_CHUNK_BYTES):
                yield chunk
        return
    for chunk in obstore.get(open_store(location), name).stream(min_chunk_size=CHUNK_BYTES):
        yield bytes(chunk)


def write_file(location: Location, name: str, body: bytes | Iterable[bytes], *, new: bool = False) -> None:
    """Write a file atomically. Raises FileExistsError if `new` is set and the file exists."""
    if isinstance(location, Bucket):
        put_object(location, name, body, new=new)
        return
    require_no_links(location, name)
    file = location / name
    file.parent.mkdir(parents=True, exist_ok=True)
    staged = file.with_name(
        f"{file.name}#{secrets.randbelow(2**63)}"
    )  # obstore's naming: listings leave such files out
    try:
        with staged.open("wb") as out:
            for chunk in [body] if isinstance(body, bytes) else body:
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if new:
            rename_if_absent(staged, file)
        else:
            staged.replace(file)
    finally:
        staged.unlink(missing_ok=True)
    fsync_paths([file.parent])


def rename_if_absent(staged: Path, file: Path) -> None:
    """Move a staged file to its final name. Raises FileExistsError, where a plain rename would overwrite."""
    try:
        os.link(staged, file)
    except OSError as error:
        if error.errno not in NO_HARD_LINK_ERRNOS:
            raise
        file.open("xb").close()  # a disk without hard links, such as a USB stick
        staged.replace(file)


def require_hard_links(folder: Path) -> None:
    """Raise if the disk of a folder has no hard links: without them concurrent commits could overwrite each other."""
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
        f"The disk of {where} has no hard links (exFAT, SMB, some FUSE disks): it cannot hold a lake.",
        "Set NHL_LAKE_ROOT to a local disk or a bucket. Backups may stay on such a disk.",
    )


def put_object(location: Bucket, name: str, body: bytes | Iterable[bytes], *, new: bool) -> None:
    """Upload an object. A retry after a lost response finds the object there, and recognizes it by its token."""
    if not isinstance(body, bytes):
        # obstore panics if chunks are read from a bucket inside a put
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            spool.writelines(body)
            spool.seek(0)
            put_buffer(location, name, spool, new=new)
        return
    put_buffer(location, name, body, new=new)


def put_buffer(location: Bucket, name: str, buffer: bytes | IO[bytes], *, new: bool) -> None:
    """Upload a buffer or a file."""
    if not new:
        kind = CONTENT_TYPES.get(PurePosixPath(name).suffix)
        obstore.put(open_store(location), name, buffer, attributes={"Content-Type": kind} if kind else None)
        return
    token = secrets.token_hex(8)
    try:
        obstore.put(open_store(location), name, buffer, mode="create", attributes={"token": token})
    except AlreadyExistsError as error:
        if obstore.get(open_store(location), name, options={"head": True}).attributes.get("token") != token:
            raise FileExistsError(f"{location}/{name}") from error


def remove_files(location: Location, names: Iterable[str]) -> None:
    """Remove files; missing ones are ignored."""
    if isinstance(location, Path):
        for name in names:
            require_no_links(location, name)
            (location / name).unlink(missing_ok=True)
        return
    if removed := list(names):
        with contextlib.suppress(FileNotFoundError):  # only for a single file; a bulk delete never raises it
            obstore.delete(open_store(location), removed[0] if len(removed) == 1 else removed)


def fsync_paths(paths: Iterable[Path]) -> None:
    """Sync files and folders to disk. delta-rs never does, and a power cut would leave empty files."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def fsync_many(folder: Path, paths: Sequence[Path]) -> None:
    """Sync files and folders on the disk of `folder`; with many paths, sync that file system in one call."""
    if len(paths) > SYNC_WORKERS and sync_filesystem(folder):
        return
    with ThreadPoolExecutor(SYNC_WORKERS) as pool:
        list(pool.map(lambda path: fsync_paths([path]), paths))


def sync_filesystem(folder: Path) -> bool:
    """Sync the file system of a folder; return False if the system does not support it."""
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
