"""The log of a table in a backup: its commits, many to a pack, for a lake has thousands of them, all small."""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from nhl_lake.backup import repository
from nhl_lake.backup.manifest import LogPack, StoredFile, TableBackup
from nhl_lake.backup.staging import Staging, store_object
from nhl_lake.errors import UnreadableData
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Location

COMMIT_FILE = re.compile(r"(\d{20})\.json")
CHECKPOINT_FILE = re.compile(r"(\d{20})\.checkpoint\..*parquet")
MAX_PACKS = 40


class LogBackup(NamedTuple):
    """A table's log as a backup holds it: packs, the checkpoint that it begins with, the hash of its last commit."""

    packs: tuple[LogPack, ...]
    checkpoint: tuple[StoredFile, ...]
    head: str


class LogListing(NamedTuple):
    """What a table's log holds: versions that there are commits of, and checkpoint files by their version."""

    commits: frozenset[int]
    checkpoints: Mapping[int, tuple[str, ...]]

    def has_commits(self, span: tuple[int, int]) -> bool:
        """Whether all commits from the one version to the other are there."""
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
    """Return the hash of a commit, which tells two histories of a table apart."""
    return hashlib.sha256(read_commit_bytes(folder, version)).hexdigest()


def pack_commits(texts: Sequence[bytes]) -> bytes:
    """Return commits as one pack."""
    return zlib.compress(msgspec.json.encode([text.decode() for text in texts]))


def unpack_commits(body: bytes) -> list[bytes]:
    """Return the commits of a pack."""
    return [text.encode() for text in msgspec.json.decode(zlib.decompress(body), type=list[str])]


def read_packed_commits(backups: Location, saved: TableBackup) -> Iterator[tuple[int, bytes]]:
    """Yield version and text of each commit that a backup holds of a table, the first one first."""
    for pack in saved.log:
        body = location.read_file(backups, repository.object_name(pack.sha256))
        if hashlib.sha256(body).hexdigest() != pack.sha256:
            raise UnreadableData(
                f"The log of {saved.name} in the backups at {backups} is damaged: "
                f"{repository.object_name(pack.sha256)}.",
                "`nhl-lake backup verify --deep` sets it aside, and the next backup copies it again.",
            )
        yield from enumerate(unpack_commits(body), start=pack.first)


def save_log(
    folder: Location, version: int, before: TableBackup | None, *, staging: Staging, workers: Executor
) -> LogBackup:
    """Put the log of a table, until a version, into the place of backups; what an earlier backup has is not read."""
    log, there = list_log(folder), staging.stored
    kept = find_reusable_packs(folder, version, before, log=log, stored=there)
    # a pack that is gone is made again of the same commits, so that older backups that name it are whole again
    spans = [(pack.first, pack.last) for pack in kept if there.get(pack.sha256) != pack.size]
    first = kept[-1].last + 1 if kept else find_first_commit(log, version)
    checkpoint = before.checkpoint if kept and before is not None else ()
    if not kept and first > 0:
        checkpoint = tuple(
            save_log_file(folder, f"{DELTA_LOG}/{n}", staging=staging)
            for n in find_first_checkpoint(folder, log, first=first, version=version)
        )
    if len(kept) >= MAX_PACKS and log.has_commits((kept[0].first, version)):
        spans, first, kept = [], kept[0].first, ()
    if first <= version:
        spans.append((first, version))
    made = {span: save_pack(folder, span, staging=staging, workers=workers) for span in spans}
    whole = {(p.first, p.last): p for p in kept} | made
    return LogBackup(tuple(whole[span] for span in sorted(whole)), checkpoint, hash_commit(folder, version))


def find_reusable_packs(
    folder: Location, version: int, before: TableBackup | None, *, log: LogListing, stored: Mapping[str, int]
) -> tuple[LogPack, ...]:
    """Return the packs of an earlier backup that a table's log goes on from; those that are lost can be made again."""
    if before is None or not is_continuation(folder, version, before, log):
        return ()
    if any(stored.get(file.sha256) != file.size for file in before.checkpoint):
        return ()
    lost = [pack for pack in before.log if stored.get(pack.sha256) != pack.size]
    return before.log if all(log.has_commits((pack.first, pack.last)) for pack in lost) else ()


def is_continuation(folder: Location, version: int, before: TableBackup, log: LogListing) -> bool:
    """Whether a table's log goes on from what an earlier backup has of it."""
    if before.version > version or before.version not in log.commits:
        return False
    return hash_commit(folder, before.version) == before.head


def find_first_commit(log: LogListing, version: int) -> int:
    """Return the first of the commits that lead to a version without a gap."""
    first = version
    while first - 1 in log.commits:
        first -= 1
    return first


def find_first_checkpoint(folder: Location, log: LogListing, *, first: int, version: int) -> tuple[str, ...]:
    """Return the files of the checkpoint that a log begins with whose first commits are cleaned up."""
    enough = [at for at in log.checkpoints if first - 1 <= at <= version]
    if not enough:
        raise UnreadableData(
            f"The log of a table begins with version {first}, and no checkpoint leads there: {folder}/{DELTA_LOG}.",
            "No backup was made. `nhl-lake doctor` says what can be done.",
        )
    return log.checkpoints[min(enough)]


def save_pack(folder: Location, span: tuple[int, int], *, staging: Staging, workers: Executor) -> LogPack:
    """Put some commits into the place of backups."""
    first, last = span
    body = pack_commits(list(workers.map(lambda version: read_commit_bytes(folder, version), range(first, last + 1))))
    sha256, size = store_object(staging, [body])
    return LogPack(first=first, last=last, size=size, sha256=sha256)


def save_log_file(folder: Location, name: str, *, staging: Staging) -> StoredFile:
    """Put a file of a log into the place of backups."""
    sha256, size = store_object(staging, location.read_chunks(folder, name))
    return StoredFile(name=name, size=size, sha256=sha256)
