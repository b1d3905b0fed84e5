"""Whether backups hold what their manifests name: each object there with its size, and its SHA-256 if that is asked."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import obstore

from nhl_lake.backup import repository
from nhl_lake.backup.manifest import Manifest
from nhl_lake.backup.objects import BackupReport
from nhl_lake.errors import UnreadableData
from nhl_lake.store import location
from nhl_lake.store.location import Location

MAX_WORKERS = 8
GONE, DAMAGED = "is not there", "is damaged: its SHA-256 differs"


class BackupProblem(NamedTuple):
    """Something that a backup names and that is not as it should be."""

    backup: str
    what: str
    sha256: str
    why: str


class VerifyResult(NamedTuple):
    """What was looked at, and what is wrong."""

    backups: int
    objects: int
    bytes: int
    wrong: list[BackupProblem]


def verify_backups(backups: Location, names: Sequence[str], *, deep: bool, report: BackupReport) -> VerifyResult:
    """Hold backups against what is there; with `deep` every byte is read, and damaged objects are set aside.

    The next backup copies again what was set aside, if the lake still has it.
    """
    manifests, wrong = read_manifests(backups, names)
    there = repository.list_objects(backups)
    named = {sha256: size for manifest in manifests for _, sha256, size in repository.list_manifest_objects(manifest)}
    bad = {sha256: GONE for sha256 in named if sha256 not in there}
    for sha256 in named.keys() & there.keys():
        if there[sha256] != named[sha256]:
            bad[sha256] = f"has {there[sha256]:,} bytes, not {named[sha256]:,}"
    if deep:
        sound = {sha256: size for sha256, size in named.items() if sha256 not in bad}
        bad |= dict.fromkeys(find_damaged_objects(backups, sound, report), DAMAGED)
    set_aside_objects(backups, [sha256 for sha256, why in bad.items() if why != GONE])
    wrong += [
        BackupProblem(manifest.name, what, sha256, bad[sha256])
        for manifest in manifests
        for what, sha256, _ in repository.list_manifest_objects(manifest)
        if sha256 in bad
    ]
    return VerifyResult(len(names), len(named), sum(named.values()), wrong)


def read_manifests(backups: Location, names: Iterable[str]) -> tuple[list[Manifest], list[BackupProblem]]:
    """Return the manifests that can be read, and what is wrong with the others."""
    found, wrong = [], []
    for name in names:
        try:
            found.append(repository.read_manifest(backups, name))
        except UnreadableData as error:
            wrong.append(BackupProblem(name, f"{repository.MANIFESTS_FOLDER}/{name}.json", "", error.message))
    return found, wrong


def find_damaged_objects(backups: Location, named: dict[str, int], report: BackupReport) -> list[str]:
    """Return the hashes of the objects that hold something else."""
    report.begin("reading", sum(named.values()))
    found = []
    with ThreadPoolExecutor(MAX_WORKERS) as workers:
        for sha256, is_sound in zip(
            named, workers.map(lambda name: is_intact_object(backups, name), named), strict=True
        ):
            report.done(named[sha256])
            if not is_sound:
                found.append(sha256)
    return found


def is_intact_object(backups: Location, sha256: str) -> bool:
    """Whether an object holds what its name says."""
    found = hashlib.sha256()
    for piece in location.read_chunks(backups, repository.object_name(sha256)):
        found.update(piece)
    return found.hexdigest() == sha256


def set_aside_objects(backups: Location, hashes: Iterable[str]) -> None:
    """Move objects out of the way, so that the next backup copies them again."""
    for sha256 in hashes:
        obstore.rename(
            location.open_store(backups), repository.object_name(sha256), f"{repository.SET_ASIDE_FOLDER}/{sha256}"
        )
