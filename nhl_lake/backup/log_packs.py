"""The log of a table in a backup: its commits, many to a pack, for a lake has thousands of them, all small."""

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from nhl_lake.backup import repository
from nhl_lake.backup.manifest import Pack, Saved, Stored
from nhl_lake.backup.staging import Drafts, deposit
from nhl_lake.errors import Unreadable
from nhl_lake.store import location
from nhl_lake.store.delta import LOG, commit_name
from nhl_lake.store.location import Place

COMMIT = re.compile(r"(\d{20})\.json")
CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")
MOST_PACKS = 40


class Log(NamedTuple):
    """A table's log as a backup holds it: packs, the checkpoint that it begins with, the hash of its last commit."""

    packs: tuple[Pack, ...]
    checkpoint: tuple[Stored, ...]
    head: str


class Listed(NamedTuple):
    """What a table's log holds: versions that there are commits of, and checkpoint files by their version."""

    commits: frozenset[int]
    checkpoints: Mapping[int, tuple[str, ...]]

    def has(self, span: tuple[int, int]) -> bool:
        """Whether all commits from the one version to the other are there."""
        return all(version in self.commits for version in range(span[0], span[1] + 1))


def listed(folder: Place) -> Listed:
    """List the log of a table."""
    names = [file.name.rpartition("/")[2] for file in location.files(folder, LOG)]
    commits = frozenset(int(found[1]) for name in names if (found := COMMIT.fullmatch(name)))
    checkpoints: dict[int, tuple[str, ...]] = {}
    for name in sorted(names):
        if found := CHECKPOINT.fullmatch(name):
            checkpoints[int(found[1])] = (*checkpoints.get(int(found[1]), ()), name)
    return Listed(commits, checkpoints)


def commit(folder: Place, version: int) -> bytes:
    """Return the text of a commit."""
    return location.read(folder, commit_name(version))


def head(folder: Place, version: int) -> str:
    """Return the hash of a commit, which tells two histories of a table apart."""
    return hashlib.sha256(commit(folder, version)).hexdigest()


def packed(texts: Sequence[bytes]) -> bytes:
    """Return commits as one pack."""
    return zlib.compress(msgspec.json.encode([text.decode() for text in texts]))


def unpacked(body: bytes) -> list[bytes]:
    """Return the commits of a pack."""
    return [text.encode() for text in msgspec.json.decode(zlib.decompress(body), type=list[str])]


def commits(backups: Place, saved: Saved) -> Iterator[tuple[int, bytes]]:
    """Yield version and text of each commit that a backup holds of a table, the first one first."""
    for pack in saved.log:
        body = location.read(backups, repository.object_name(pack.sha256))
        if hashlib.sha256(body).hexdigest() != pack.sha256:
            raise Unreadable(
                f"The log of {saved.name} in the backups at {backups} is damaged: "
                f"{repository.object_name(pack.sha256)}.",
                "`nhl-lake backup verify --deep` sets it aside, and the next backup copies it again.",
            )
        yield from enumerate(unpacked(body), start=pack.first)


def save(folder: Place, version: int, before: Saved | None, *, into: Drafts, workers: Executor) -> Log:
    """Put the log of a table, until a version, into the place of backups; what an earlier backup has is not read."""
    log, there = listed(folder), into.there
    kept = usable(folder, version, before, log=log, there=there)
    # a pack that is gone is made again of the same commits, so that older backups that name it are whole again
    spans = [(pack.first, pack.last) for pack in kept if there.get(pack.sha256) != pack.size]
    first = kept[-1].last + 1 if kept else beginning(log, version)
    checkpoint = before.checkpoint if kept and before is not None else ()
    if not kept and first > 0:
        checkpoint = tuple(
            saved_file(folder, f"{LOG}/{n}", into=into) for n in opening(folder, log, first=first, version=version)
        )
    if len(kept) >= MOST_PACKS and log.has((kept[0].first, version)):
        spans, first, kept = [], kept[0].first, ()
    if first <= version:
        spans.append((first, version))
    made = {span: pack(folder, span, into=into, workers=workers) for span in spans}
    whole = {(p.first, p.last): p for p in kept} | made
    return Log(tuple(whole[span] for span in sorted(whole)), checkpoint, head(folder, version))


def usable(
    folder: Place, version: int, before: Saved | None, *, log: Listed, there: Mapping[str, int]
) -> tuple[Pack, ...]:
    """Return the packs of an earlier backup that a table's log goes on from; those that are lost can be made again."""
    if before is None or not goes_on(folder, version, before, log):
        return ()
    if any(there.get(file.sha256) != file.size for file in before.checkpoint):
        return ()
    lost = [pack for pack in before.log if there.get(pack.sha256) != pack.size]
    return before.log if all(log.has((pack.first, pack.last)) for pack in lost) else ()


def goes_on(folder: Place, version: int, before: Saved, log: Listed) -> bool:
    """Whether a table's log goes on from what an earlier backup has of it."""
    if before.version > version or before.version not in log.commits:
        return False
    return head(folder, before.version) == before.head


def beginning(log: Listed, version: int) -> int:
    """Return the first of the commits that lead to a version without a gap."""
    first = version
    while first - 1 in log.commits:
        first -= 1
    return first


def opening(folder: Place, log: Listed, *, first: int, version: int) -> tuple[str, ...]:
    """Return the files of the checkpoint that a log begins with whose first commits are cleaned up."""
    enough = [at for at in log.checkpoints if first - 1 <= at <= version]
    if not enough:
        raise Unreadable(
            f"The log of a table begins with version {first}, and no checkpoint leads there: {folder}/{LOG}.",
            "No backup was made. `nhl-lake doctor` says what can be done.",
        )
    return log.checkpoints[min(enough)]


def pack(folder: Place, span: tuple[int, int], *, into: Drafts, workers: Executor) -> Pack:
    """Put some commits into the place of backups."""
    first, last = span
    body = packed(list(workers.map(lambda version: commit(folder, version), range(first, last + 1))))
    sha256, size = deposit(into, [body])
    return Pack(first=first, last=last, size=size, sha256=sha256)


def saved_file(folder: Place, name: str, *, into: Drafts) -> Stored:
    """Put a file of a log into the place of backups."""
    sha256, size = deposit(into, location.pieces(folder, name))
    return Stored(name=name, size=size, sha256=sha256)
