"""Back up a table's log. A lake has thousands of small commits, so they are stored in packs."""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from nhl_lake.backup import repository
from nhl_lake.backup.manifest import LogPack, StoredFile, TableBackup
from nhl_lake.backup.staging import Staging, store_object
from nhl_lake.errors import UnreadableData
from nhl_lake.store import location
from nhl_lake.store.checksums import RecordedChecksums
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Location, Source

COMMIT_FILE = re.compile(r"(\d{20})\.json")
CHECKPOINT_FILE = re.compile(r"(\d{20})\.checkpoint\..*parquet")
MAX_PACKS = 40
MAX_UNPACKED_BYTES = 2**30  # 30 times the commits of a table after twenty years


class LogBackup(NamedTuple):
    """A table's log in a backup: its packs, the checkpoint it starts with, and the hash of its last commit."""

    packs: tuple[LogPack, ...]
    checkpoint: tuple[StoredFile, ...]
    head: str


class LogListing(NamedTuple):
    """The files of a table's log: the versions that have a commit, and checkpoint files by version."""

    commits: frozenset[int]
    checkpoints: Mapping[int, tuple[str, ...]]

    def has_commits(self, span: tuple[int, int]) -> bool:
        """Return whether all commits from one version to the other exist."""
        return all(version in self.commits for version in range(span[0], span[1] + 1))


def list_log(folder: Location) -> LogListing:
    """List the log of a table."""
    names = [file.name.rpartition("/")[2] for file in location.list_files(folder, DELTA_LOG)]
    commits = frozenset(int(found[1]) for name in names if (found := COMMIT_FILE.fullmatch(name)))
    checkpoints: dict[int, tuple[str, ...]] = {}
    for name in sorted(names):
        if found := CHECKPOINT_FILE.fullmatch(name):
            checkpoints[int(found[1])] = (*checkpoints.get(int(found[1]), ()), name)
    return LogListing(commits, checkpoints)


def read_commit_bytes(folder: Location, version: int) -> bytes:
    """Return the text of a commit."""
    return location.read_file(folder, commit_name(version))


def hash_commit(folder: Location, version: int) -> str:
    """Return the hash of a commit; it tells two histories of a table apart."""
    return hashlib.sha256(read_commit_bytes(folder, version)).hexdigest()


def pack_commits(texts: Sequence[bytes]) -> bytes:
    """Pack commits into one compressed object."""
    return zlib.compress(msgspec.json.encode([text.decode() for text in texts]))


def unpack_commits(body: bytes) -> list[bytes]:
    """Return the commits of a pack. Raises if they are larger than any log: a few bytes could unpack to gigabytes."""
    unpacker = zlib.decompressobj()
    texts = unpacker.decompress(body, MAX_UNPACKED_BYTES)
    if not unpacker.eof:
        raise UnreadableData(
            f"A log in a backup is cut off, or has more than {MAX_UNPACKED_BYTES / 1e6:,.0f} MB.",
            "No changes were made. nhl-lake does not write such logs: find out who wrote the backup.",
        )
    return [text.encode() for text in msgspec.json.decode(texts, type=list[str])]


def read_packed_commits(backups: Source, table: TableBackup) -> Iterator[tuple[int, bytes]]:
    """Yield version and text of each commit that a backup holds of a table, oldest first."""
    for pack in table.log:
        body = location.read_file(backups, repository.object_name(pack.sha256), max_bytes=pack.size)
        if hashlib.sha256(body).hexdigest() != pack.sha256:
            raise UnreadableData(
                f"The log of {table.name} in the backups at {backups} is damaged: "
                f"{repository.object_name(pack.sha256)}.",
                "Run `nhl-lake backup verify --deep` to move it aside; the next backup copies it again.",
            )
        yield from enumerate(unpack_commits(body), start=pack.first)


def save_log(
    folder: Location,
    version: int,
    before: TableBackup | None,
    *,
    read_checksums: Callable[[], RecordedChecksums],
    staging: Staging,
    workers: Executor,
) -> LogBackup:
    """Back up a table's log up to a version. Commits that an earlier backup holds are not read again.

    A commit that differs from its recorded checksum is not copied.
    """
    log, stored = list_log(folder), staging.stored
    reused = find_reusable_packs(folder, version, before, log=log, stored=stored)
    # a missing pack is packed again from the same commits, which completes the older backups that refer to it
    spans = [(pack.first, pack.last) for pack in reused if stored.get(pack.sha256) != pack.size]
    first = reused[-1].last + 1 if reused else find_first_commit(log, version)
    checkpoint = before.checkpoint if reused and before is not None else ()
    if not reused and first > 0:
        checkpoint = tuple(
            save_log_file(folder, f"{DELTA_LOG}/{n}", staging=staging)
            for n in find_first_checkpoint(folder, log, first=first, version=version)
        )
    if len(reused) >= MAX_PACKS and log.has_commits((reused[0].first, version)):
        spans, first, reused = [], reused[0].first, ()
    if first <= version:
        spans.append((first, version))
    recorded = read_checksums() if spans else RecordedChecksums({})
    new_packs = {span: save_pack(folder, span, recorded=recorded, staging=staging, workers=workers) for span in spans}
    packs = {(pack.first, pack.last): pack for pack in reused} | new_packs
    return LogBackup(tuple(packs[span] for span in sorted(packs)), checkpoint, hash_commit(folder, version))


def find_reusable_packs(
    folder: Location, version: int, before: TableBackup | None, *, log: LogListing, stored: Mapping[str, int]
) -> tuple[LogPack, ...]:
    """Return the packs of an earlier backup that this log continues, if missing ones can be packed again."""
    if before is None or not is_continuation(folder, version, before, log):
        return ()
    if any(stored.get(file.sha256) != file.size for file in before.checkpoint):
        return ()
    missing = [pack for pack in before.log if stored.get(pack.sha256) != pack.size]
    return before.log if all(log.has_commits((pack.first, pack.last)) for pack in missing) else ()


def is_continuation(folder: Location, version: int, before: TableBackup, log: LogListing) -> bool:
    """Return whether a table's log continues the one in an earlier backup."""
    if before.version > version or before.version not in log.commits:
        return False
    return hash_commit(folder, before.version) == before.head


def find_first_commit(log: LogListing, version: int) -> int:
    """Return the first commit of the unbroken sequence that leads to a version."""
    first = version
    while first - 1 in log.commits:
        first -= 1
    return first


def find_first_checkpoint(folder: Location, log: LogListing, *, first: int, version: int) -> tuple[str, ...]:
    """Return the files of the checkpoint that a log starts with after its first commits were cleaned up."""
    candidates = [at for at in log.checkpoints if first - 1 <= at <= version]
    if not candidates:
        raise UnreadableData(
            f"The log of a table starts at version {first} and has no checkpoint for it: {folder}/{DELTA_LOG}.",
            "No backup was created. Run `nhl-lake doctor` to see how to repair the table.",
        )
    return log.checkpoints[min(candidates)]


def save_pack(
    folder: Location, span: tuple[int, int], *, recorded: RecordedChecksums, staging: Staging, workers: Executor
) -> LogPack:
    """Store a range of commits as a pack in the backup repository."""
    first, last = span
    texts = list(workers.map(lambda version: read_commit_bytes(folder, version), range(first, last + 1)))
    for version, text in enumerate(texts, start=first):
        if not recorded.is_intact(commit_name(version), hashlib.sha256(text).hexdigest()):
            raise UnreadableData(
                f"The commit {folder}/{commit_name(version)} is damaged: its SHA-256 differs from the recorded one.",
                "No backup was created. Run `nhl-lake doctor --deep` to see how to repair the table.",
            )
    body = pack_commits(texts)
    sha256, size = store_object(staging, [body])
    return LogPack(first=first, last=last, size=size, sha256=sha256)


def save_log_file(folder: Location, name: str, *, staging: Staging) -> StoredFile:
    """Store a file of a log in the backup repository."""
    sha256, size = store_object(staging, location.read_chunks(folder, name))
    return StoredFile(name=name, size=size, sha256=sha256)
