"""Prune backups: keep the newest of each of the last days, weeks and months that have one; remove the rest."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nhl_lake.backup import repository
from nhl_lake.errors import BadInput
from nhl_lake.store import location, locks
from nhl_lake.store.location import Location

MAX_DRILLS = 12
STAGED_NAME = re.compile(r"[0-9a-f]+#\d+")
BackupTime = tuple[str, datetime]
PeriodKey = Callable[[datetime], object]


class RetentionPolicy(NamedTuple):
    """For how many days, weeks and months the newest backup is kept."""

    daily: int
    weekly: int
    monthly: int


class PruneResult(NamedTuple):
    """The backups kept and removed, and the number and bytes of removed objects."""

    kept: list[str]
    removed: list[str]
    objects: int
    bytes: int


def get_day(at: datetime) -> object:
    """Return the UTC day of a backup."""
    return at.date()


def get_week(at: datetime) -> object:
    """Return the ISO year and week of a backup; weeks start on Monday."""
    return at.isocalendar()[:2]


def get_month(at: datetime) -> object:
    """Return the year and month of a backup."""
    return at.year, at.month


def select_backups(backups: Sequence[BackupTime], policy: RetentionPolicy) -> list[str]:
    """Return the names of the backups to keep, newest first. The newest is always kept."""
    found = {backups[0][0]} if backups else set()
    for count, get_period in ((policy.daily, get_day), (policy.weekly, get_week), (policy.monthly, get_month)):
        found |= select_newest_per_period(backups, get_period, count)
    return [name for name, _ in backups if name in found]


def select_newest_per_period(backups: Sequence[BackupTime], get_period: PeriodKey, count: int) -> set[str]:
    """Return the newest backup of each of the last days, weeks or months that have one."""
    found: dict[object, str] = {}
    for name, at in backups:
        if len(found) < count:
            found.setdefault(get_period(at), name)
    return set(found.values())


def prune_backups(
    backups: Location,
    policy: RetentionPolicy,
    *,
    now: datetime,
    command: str,
    ids: Collection[str] | None = None,
    dry_run: bool = False,
) -> PruneResult:
    """Remove the backups of a lake that the policy does not keep, then the objects that no backup refers to.

    ids: the lake's identity; backups of other lakes stay. None: all are of one lake.
    """
    if min(policy) < 0:
        raise BadInput(
            "The number of backups to keep is negative.", "Use a number from 0: `nhl-lake backup prune --keep-daily 7`."
        )
    with locks.hold_lock(backups, command, now=now, label=locks.BACKUPS_LABEL):
        stored = [
            repository.read_manifest(backups, name, authenticate=False) for name in repository.list_backups(backups)
        ]
        manifests = [manifest for manifest in stored if manifest.is_of(ids)]
        objects = repository.list_objects(backups)
        complete = [
            m
            for m in manifests
            if all(objects.get(sha256) == size for _, sha256, size in repository.list_manifest_objects(m))
        ]
        # an incomplete backup replaces no other one, and the next backup may complete it
        remaining = {m.name for m in manifests if m not in complete} | set(
            select_backups([(m.name, m.made_at) for m in complete], policy)
        )
        referenced = {
            sha256
            for m in stored
            if m.name in remaining or m not in manifests
            for _, sha256, _ in repository.list_manifest_objects(m)
        }
        referenced |= {copy.sha256 for copy in repository.read_progress(backups)}
        unreferenced = {sha256: size for sha256, size in objects.items() if sha256 not in referenced}
        removed = [manifest.name for manifest in manifests if manifest.name not in remaining]
        if not dry_run:
            locks.require_lock(backups)
            repository.write_index(backups, [m.name for m in stored if m.name not in removed])
            location.remove_files(backups, [f"{repository.MANIFESTS_FOLDER}/{name}.json" for name in removed])
            location.remove_files(backups, [repository.object_name(sha256) for sha256 in unreferenced])
            remove_orphan_files(backups)
            drills = [
                name
                for name in repository.list_drills(backups)
                if ids is None or repository.read_drill(backups, name).lake in {*ids, ""}
            ]
            location.remove_files(backups, drills[MAX_DRILLS:])
    return PruneResult(
        [m.name for m in manifests if m.name in remaining], removed, len(unreferenced), sum(unreferenced.values())
    )


def remove_orphan_files(backups: Location) -> None:
    """Remove the staged files that killed backups left in a folder."""
    if isinstance(backups, Path):
        for staged in (backups / repository.OBJECTS_FOLDER).glob("*#*"):
            if STAGED_NAME.fullmatch(staged.name):
                location.remove_files(backups, [f"{repository.OBJECTS_FOLDER}/{staged.name}"])
