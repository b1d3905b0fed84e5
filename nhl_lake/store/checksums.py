"""Record the SHA-256 of every file of a table, in its folder, in the form that `sha256sum --check` reads.

Parquet readers verify no checksums, and the log has none: one flipped bit may read as another number. So each commit
gets a file in `_sha256` with the hash of the commit, of the data files that it added, and of its checkpoint. The last
line is the hash of the lines before. Readers of Delta tables leave out folders whose name begins with `_`.
"""

import hashlib
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from nhl_lake.errors import UnreadableData
from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.handles import locate_table, read_commit
from nhl_lake.store.location import Location

FOLDER = "_sha256"
RECORD_NAME = re.compile(rf"{FOLDER}/(\d{{20}})-")
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
MAX_FILES = 32  # more of them are merged into one
MAX_WALK = 50  # commits of killed runs that the next commit records too

_written: dict[str, str] = {}  # the hashes of data files that this process wrote, by name, until their commit


class RecordedChecksums(NamedTuple):
    """The recorded hashes of each file of a table, by name, and the files of checksums that are damaged themselves.

    A file may have several: a checkpoint is written again under the same name.
    """

    hashes: Mapping[str, frozenset[str]]
    damaged: tuple[str, ...] = ()

    def is_intact(self, name: str, sha256: str) -> bool:
        """Return whether a file has a recorded hash, or no hash was recorded."""
        return sha256 in self.hashes.get(name, {sha256})


def hash_bytes(body: bytes | memoryview) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(body).hexdigest()


def hash_file(folder: Location, name: str) -> str:
    """Return the SHA-256 of a file. Raises FileNotFoundError."""
    found = hashlib.sha256()
    for chunk in location.read_chunks(folder, name):
        found.update(chunk)
    return found.hexdigest()


def remember_hash(name: str, sha256: str) -> None:
    """Remember the hash of a data file that this process wrote until its commit, so it is not read again."""
    if sha256:
        _written[name] = sha256


def record_commits(folder: Location, versions: Iterable[int]) -> None:
    """Record the hashes of some commits of a table, and of the files that they added."""
    for version in versions:
        if (text := read_commit(folder, version)) is not None:
            names = [commit_name(version), *list_added_files(text), *list_checkpoints(folder, version)]
            record_files(folder, version, names)


def record_recent_commits(folder: Path, since: int, newest: int) -> None:
    """Record the commits after a version, and those before it that a killed run has not recorded."""
    first = since + 1
    while first > max(since - MAX_WALK, 0) and (folder / FOLDER).is_dir() and not has_record(folder, first - 1):
        first -= 1
    record_commits(folder, (version for version in range(first, newest + 1) if not has_record(folder, version)))


def has_record(folder: Path, version: int) -> bool:
    """Return whether there is a file of checksums of a version; merged ones have the newest version's name."""
    return any((folder / FOLDER).glob(f"{version:020d}-*"))


def list_added_files(commit: str) -> list[str]:
    """Return the data files that a commit added."""
    entries = (json.loads(line) for line in commit.splitlines())
    return [unquote(entry["add"]["path"]) for entry in entries if "add" in entry]


def list_checkpoints(folder: Location, version: int) -> list[str]:
    """Return the checkpoint of a version."""
    name = f"{DELTA_LOG}/{version:020d}.checkpoint.parquet"
    return [name] if location.has_file(folder, name) else []


def record_files(folder: Location, version: int, names: Iterable[str]) -> None:
    """Record the hashes of some files, in a new file of checksums."""
    found = {}
    for name in names:
        with suppress(FileNotFoundError):  # another process has just removed it
            found[name] = _written.pop(name, "") or hash_file(folder, name)
    write_checksums(folder, version, found.items())


def write_checksums(folder: Location, version: int, hashes: Iterable[tuple[str, str]]) -> None:
    """Write a file of checksums: name and hash of each file."""
    text = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes))
    body = f"{text}# {hash_bytes(text.encode())}\n".encode()
    location.write_file(folder, f"{FOLDER}/{version:020d}-{secrets.token_hex(4)}.sha256", body)


def read_checksums(folder: Location) -> RecordedChecksums:
    """Read all recorded hashes of a table."""
    hashes: dict[str, set[str]] = defaultdict(set)
    damaged = []
    for file in list_checksum_files(folder):
        with suppress(FileNotFoundError):  # merged just now
            if (found := parse_checksums(location.read_file(folder, file))) is None:
                damaged.append(file)
                continue
            for sha256, name in found:
                hashes[name].add(sha256)
    return RecordedChecksums({name: frozenset(found) for name, found in hashes.items()}, tuple(damaged))


def list_checksum_files(folder: Location) -> list[str]:
    """Return the names of a table's files of checksums."""
    return sorted(file.name for file in location.list_files(folder, FOLDER))


def parse_version(name: str) -> int:
    """Return the version that the name of a file of checksums has; -1 if it has none."""
    found = RECORD_NAME.match(name)
    return int(found[1]) if found else -1


def parse_checksums(body: bytes) -> list[tuple[str, str]] | None:
    """Return the hashes and names of a file of checksums; None if it is damaged."""
    text, _, seal = body.decode(errors="replace").rpartition("# ")
    if seal != f"{hash_bytes(text.encode())}\n":
        return None
    return [(found[1], found[2]) for line in text.splitlines() if (found := LINE.fullmatch(line))]


def complete_checksums(folder: Location, version: int) -> None:
    """Record what has no checksum yet, as in a lake of an older release, and merge many files of checksums into one."""
    files = list_checksum_files(folder)
    recorded = read_checksums(folder)
    stored = {file.name for file in location.list_files(folder)}
    missing = sorted(name for name in stored if name.endswith((".parquet", ".json")) and name not in recorded.hashes)
    if len(files) <= MAX_FILES:
        if missing:
            record_files(folder, version, missing)
        return
    remaining = [(name, sha256) for name, found in recorded.hashes.items() if name in stored for sha256 in found]
    write_checksums(folder, version, [*remaining, *((name, hash_file(folder, name)) for name in missing)])
    location.remove_files(folder, [file for file in files if file not in recorded.damaged])


def list_damaged_files(folder: Location, names: Iterable[str]) -> Iterator[str]:
    """Yield the files whose content does not have a recorded hash. Missing files are left out."""
    recorded = read_checksums(folder)
    for name in names:
        if name in recorded.hashes:
            with suppress(FileNotFoundError):
                if not recorded.is_intact(name, hash_file(folder, name)):
                    yield name


def require_intact_files(root: Location, table: Table, names: Iterable[str]) -> None:
    """Raise if a file in a folder is damaged: nothing may be built on it or copied from it. A bucket's store checks."""
    folder = locate_table(root, table)
    if isinstance(folder, Path) and (name := next(list_damaged_files(folder, names), None)) is not None:
        raise UnreadableData(
            f"{table.name}: the data file {name} is damaged: its SHA-256 differs from the recorded one.",
            "Nothing was built on it. Run `nhl-lake doctor --deep` to see how to repair it.",
        )
