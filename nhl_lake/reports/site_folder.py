"""The folder of a site: a page is written only if it differs, and only what the site's manifest lists is removed.

Every file is reached from an open handle of its folder, and no link is followed. A file takes its place at once:
readers see the old page or the new one. Nothing is synced to the disk: the next build compares the files with the
manifest, and writes again what a power cut has damaged.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from nhl_lake.errors import BadInput, LakeError, LakeLocked

MANIFEST = "site.json"
FORMAT = "site of nhl-lake, version 1"
DRAFT = re.compile(r"\.nhl-lake-[0-9a-f]{16}")
FOLDERS = {"games": "[0-9]{10}", "players": "[0-9]{1,10}", "teams": "[A-Z]{2,4}", "days": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}
PAGE_PATHS = "|".join(f"{folder}/{name}[.]html" for folder, name in FOLDERS.items())
SITE_PATH = re.compile(rf"{PAGE_PATHS}|[a-z0-9]{{1,20}}[.](?:html|css|js|svg)")
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
MODE = 0o666  # less what the user's mask takes away


class PageRecord(NamedTuple):
    """What the manifest says of a file.

    sha256: of its bytes; empty while no build has finished it. made_of: a digest of what it shows. lacks: the pages
    that it would link to if they were there.
    """

    sha256: str = ""
    made_of: str = ""
    lacks: tuple[str, ...] = ()


class Manifest(NamedTuple):
    """The files of a site by path, and digests of what they were made by and of: the code, the lake's versions."""

    made_by: str
    made_of: str
    files: Mapping[str, PageRecord]


EMPTY = Manifest("", "", {})


def is_site_path(path: str) -> bool:
    """Return whether a relative path may be that of a file of a site: `games/2023020001.html`, `style.css`."""
    return SITE_PATH.fullmatch(path) is not None


def hash_body(body: bytes) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(body).hexdigest()


class SiteFolder:
    """An open folder of a site; `open_site` and `open_locked_site` close it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handles: dict[str, int] = {}
        with explain_errors(path):
            self.handles[""] = os.open(path, OPEN_FOLDER)

    def close(self) -> None:
        """Close the handles of the folder and of its folders."""
        for handle in self.handles.values():
            os.close(handle)
        self.handles.clear()

    def open_folder(self, name: str, *, makes: bool = True) -> int | None:
        """Return the handle of a folder in the site. A missing one is made, or None."""
        if name not in self.handles:
            with explain_errors(self.path / name):
                if makes:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=self.handles[""])
                try:
                    self.handles[name] = os.open(name, OPEN_FOLDER, dir_fd=self.handles[""])
                except FileNotFoundError:
                    return None
        return self.handles[name]

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file; None if there is no plain file."""
        folder, name = split_path(path)
        parent = self.open_folder(folder, makes=False)
        if parent is None:
            return None
        with explain_errors(self.path / path):
            try:
                # a pipe that somebody has put there would block
                handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.ELOOP, errno.ENXIO}:
                    return None
                raise
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return None
                with os.fdopen(handle, "rb", closefd=False) as file:
                    return file.read()
            finally:
                os.close(handle)

    def hash(self, path: str) -> str | None:
        """Return the SHA-256 of a file; None if there is no plain file."""
        body = self.read(path)
        return None if body is None else hash_body(body)

    def measure(self, path: str) -> int:
        """Return the size of a file in bytes."""
        folder, name = split_path(path)
        with explain_errors(self.path / path):
            return os.stat(name, dir_fd=self.open_folder(folder), follow_symlinks=False).st_size

    def write(self, path: str, body: bytes) -> bool:
        """Write a file if its bytes differ; return whether they did. A link in its place is replaced, not followed."""
        folder, name = split_path(path)
        with explain_errors(self.path / path):
            if self.read(path) == body:
                return False
            parent = self.open_folder(folder)
            draft = f".nhl-lake-{secrets.token_hex(8)}"
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE, dir_fd=parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body)
                os.replace(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(draft, dir_fd=parent)
                raise
        return True

    def remove(self, path: str) -> None:
        """Remove a file, or a link in its place, if there is one."""
        folder, name = split_path(path)
        parent = self.open_folder(folder, makes=False)
        if parent is not None:
            with explain_errors(self.path / path), suppress(FileNotFoundError):
                os.unlink(name, dir_fd=parent)

    def remove_drafts(self) -> None:
        """Remove what a killed build has left. Call it with the lock only."""
        for folder in ("", *FOLDERS):
            parent = self.open_folder(folder, makes=False)
            for name in [] if parent is None else list_names(parent):
                if DRAFT.fullmatch(name):
                    with explain_errors(self.path / folder / name):
                        os.unlink(name, dir_fd=parent)

    def read_manifest(self) -> Manifest:
        """Return the manifest; an empty one in an empty folder. A folder that is not of a site is an error."""
        body = self.read(MANIFEST)
        if body is not None:
            return parse_manifest(body, self.path)
        if list_names(self.handles[""]):
            raise BadInput(
                f"{self.path} is not empty, and has no {MANIFEST} of a site.",
                "Name a new or an empty folder: --to site.",
            )
        return EMPTY

    def write_manifest(self, manifest: Manifest) -> bool:
        """Write the manifest if it differs; return whether it did."""
        return self.write(MANIFEST, format_manifest(manifest))


def list_names(folder: int) -> list[str]:
    """Return what is in the folder of a handle."""
    return os.listdir(folder)  # pathlib takes no handles


def split_path(path: str) -> tuple[str, str]:
    """Return folder and name of a file of a site."""
    if path != MANIFEST and not is_site_path(path):
        raise ValueError(f"not the path of a file of a site: {path!r}")
    folder, _, name = path.rpartition("/")
    return folder, name


def format_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON, with a line for each file."""
    lines = [f"{json.dumps(path)}: {json.dumps(record)}" for path, record in sorted(manifest.files.items())]
    about = {"format": FORMAT, "made_by": manifest.made_by, "made_of": manifest.made_of}
    head = "".join(f"{json.dumps(name)}: {json.dumps(text)},\n" for name, text in about.items())
    return ("{\n" + head + '"files": {\n' + ",\n".join(lines) + "\n}\n}\n").encode()


def parse_manifest(body: bytes, folder: Path) -> Manifest:
    """Return the manifest in a file. It decides what may be removed: one that names other files is an error."""
    try:
        found = json.loads(body)
        if found["format"] != FORMAT:
            raise ValueError("another format")
        files = {path: parse_record(*record) for path, record in found["files"].items()}
        if not all(map(is_site_path, files)):
            raise ValueError("a path that no site has")
        return Manifest(str(found["made_by"]), str(found["made_of"]), files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"{folder / MANIFEST} is not the manifest of a site, or is damaged.",
            "No changes were made. Remove the folder if it was a site, or name another one.",
        ) from error


def parse_record(sha256: str, made_of: str, lacks: list[str]) -> PageRecord:
    """Return what the manifest says of a file."""
    return PageRecord(str(sha256), str(made_of), tuple(map(str, lacks)))


@contextmanager
def open_site(path: Path) -> Iterator[SiteFolder]:
    """Open the folder of a site for a worker of the process that has locked it."""
    site = SiteFolder(path)
    try:
        yield site
    finally:
        site.close()


@contextmanager
def open_locked_site(path: Path) -> Iterator[SiteFolder]:
    """Open the folder of a site, which is made if it is missing, for one build at a time."""
    with explain_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    with open_site(path) as site:
        try:
            fcntl.flock(site.handles[""], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LakeLocked(f"Another build writes to {path}.", "Wait until it has ended, and build again.") from error
        site.read_manifest()
        site.remove_drafts()
        yield site


@contextmanager
def explain_errors(path: Path) -> Iterator[None]:
    """Raise what goes wrong with a file or folder of a site as that."""
    try:
        yield
    except OSError as error:
        why = "a link or a file is where the folder would be"
        if error.errno not in {errno.ELOOP, errno.ENOTDIR, errno.EEXIST}:
            why = error.strerror or str(error)
        raise LakeError(
            f"{path} cannot be opened or written: {why}.",
            "The lake is unchanged. Remove what is in the way, change permissions, or build the site elsewhere.",
        ) from error
