"""Verify backups: check that each object exists with the right size and, on request, the right SHA-256."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import obstore

from nhl_lake.backup import repository
from nhl_lake.backup.manifest import Manifest
from nhl_lake.backup.objects import BackupReport
from nhl_lake.errors import UnreadableData
from nhl_lake.store import checksums, location
from nhl_lake.store.location import Location, Source

MAX_WORKERS = 8
GONE, DAMAGED = "is missing", "is damaged: its SHA-256 differs"


class BackupProblem(NamedTuple):
    """A missing or damaged object of a backup."""

    backup: str
    what: str
    sha256: str
    why: str


class VerifyResult(NamedTuple):
    """How many backups, objects and bytes were checked, and the problems found."""

    backups: int
    objects: int
    bytes: int
    wrong: list[BackupProblem]


def verify_backups(backups: Location, names: Sequence[str], *, deep: bool, report: BackupReport) -> VerifyResult:
    """Check backups against the stored objects.

    deep: read every byte, and move damaged objects aside. The next backup copies those again if the lake has them.
    """
    manifests, wrong = read_manifests(backups, names)
    stored = repository.list_objects(backups)
    expected = {
        sha256: size for manifest in manifests for _, sha256, size in repository.list_manifest_objects(manifest)
    }
    problems = {sha256: GONE for sha256 in expected if sha256 not in stored}
    for sha256 in expected.keys() & stored.keys():
        if stored[sha256] != expected[sha256]:
            problems[sha256] = f"has {stored[sha256]:,} bytes, not {expected[sha256]:,}"
    if deep:
        intact = {sha256: size for sha256, size in expected.items() if sha256 not in problems}
        problems |= dict.fromkeys(find_damaged_objects(backups, intact, report), DAMAGED)
    # a manifest may be wrong about a size: what has its own hash is not damaged
    set_aside_objects(
        backups, [sha256 for sha256, why in problems.items() if why != GONE and not is_intact_object(backups, sha256)]
    )
    wrong += [
        BackupProblem(manifest.name, what, sha256, problems[sha256])
        for manifest in manifests
        for what, sha256, _ in repository.list_manifest_objects(manifest)
        if sha256 in problems
    ]
    return VerifyResult(len(names), len(expected), sum(expected.values()), wrong)


def read_manifests(backups: Source, names: Iterable[str]) -> tuple[list[Manifest], list[BackupProblem]]:
    """Return the readable manifests, and a problem for each of the others."""
    found, wrong = [], []
    for name in names:
        try:
            found.append(repository.read_manifest(backups, name))
        except UnreadableData as error:
            wrong.append(BackupProblem(name, f"{repository.MANIFESTS_FOLDER}/{name}.json", "", error.message))
    return found, wrong


def find_damaged_objects(backups: Location, expected: dict[str, int], report: BackupReport) -> list[str]:
    """Return the hashes of the objects whose content does not match."""
    report.begin("reading", sum(expected.values()))
    found = []
    with ThreadPoolExecutor(MAX_WORKERS) as workers:
        for sha256, is_intact in zip(
            expected, workers.map(lambda name: is_intact_object(backups, name), expected), strict=True
        ):
            report.done(expected[sha256])
            if not is_intact:
                found.append(sha256)
    return found


def is_intact_object(backups: Location, sha256: str) -> bool:
    """Return whether an object's content matches its hash."""
    return checksums.hash_file(backups, repository.object_name(sha256)) == sha256


def set_aside_objects(backups: Location, hashes: Iterable[str]) -> None:
    """Move objects aside; the next backup copies them again."""
    for sha256 in hashes:
        obstore.rename(
            location.open_store(backups), repository.object_name(sha256), f"{repository.SET_ASIDE_FOLDER}/{sha256}"
        )
