"""Which backups are kept: the newest of each of the last days, weeks and months that have any; and nothing else is."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nhl_lake.backup import repository
from nhl_lake.errors import BadInput
from nhl_lake.store import location, locks
from nhl_lake.store.location import Location

MAX_DRILLS = 12
BackupTime = tuple[str, datetime]
PeriodKey = Callable[[datetime], object]


class RetentionPolicy(NamedTuple):
    """How many days, weeks and months keep their newest backup."""

    daily: int
    weekly: int
    monthly: int


class PruneResult(NamedTuple):
    """What was kept, what was taken away, and the bytes that this freed."""

    kept: list[str]
    removed: list[str]
    objects: int
    bytes: int


def get_day(at: datetime) -> object:
    """Return the day of a backup, in UTC."""
    return at.date()


def get_week(at: datetime) -> object:
    """Return the year and the week of a backup; weeks begin on Monday."""
    return at.isocalendar()[:2]


def get_month(at: datetime) -> object:
    """Return the year and the month of a backup."""
    return at.year, at.month


def select_backups(made: Sequence[BackupTime], keep: RetentionPolicy) -> list[str]:
    """Return the names of the backups to keep, of all, the newest first; the newest is always kept."""
    found = {made[0][0]} if made else set()
    for spans, bucket in ((keep.daily, get_day), (keep.weekly, get_week), (keep.monthly, get_month)):
        found |= select_newest_per_period(made, bucket, spans)
    return [name for name, _ in made if name in found]


def select_newest_per_period(made: Sequence[BackupTime], bucket: PeriodKey, spans: int) -> set[str]:
    """Return the newest backup of each of the last days, weeks or months that have one."""
    found: dict[object, str] = {}
    for name, at in made:
        if len(found) < spans:
            found.setdefault(bucket(at), name)
    return set(found.values())


def prune_backups(
    backups: Location, keep: RetentionPolicy, *, now: datetime, command: str, dry_run: bool = False
) -> PruneResult:
    """Take backups away that are not to be kept, then what no backup names any more."""
    if min(keep) < 0:
        raise BadInput("A number of backups to keep is negative.", "`nhl-lake backup prune --keep-daily 7`.")
    with locks.hold_lock(backups, command, now=now, label=locks.BACKUPS_LABEL):
        manifests = [repository.read_manifest(backups, name) for name in repository.list_backups(backups)]
        objects = repository.list_objects(backups)
        whole = [
            m
            for m in manifests
            if all(objects.get(sha256) == size for _, sha256, size in repository.list_manifest_objects(m))
        ]
        # one that lacks something takes no other's place; the next backup may make it whole
        stay = {m.name for m in manifests if m not in whole} | set(
            select_backups([(m.name, m.made_at) for m in whole], keep)
        )
        named = {sha256 for m in manifests if m.name in stay for _, sha256, _ in repository.list_manifest_objects(m)}
        named |= {copy.sha256 for copy in repository.read_progress(backups)}
        unnamed = {sha256: size for sha256, size in objects.items() if sha256 not in named}
        gone = [manifest.name for manifest in manifests if manifest.name not in stay]
        if not dry_run:
            locks.require_lock(backups)
            location.remove_files(backups, [f"{repository.MANIFESTS_FOLDER}/{name}.json" for name in gone])
            location.remove_files(backups, [repository.object_name(sha256) for sha256 in unnamed])
            remove_orphan_files(backups)
            location.remove_files(backups, repository.list_drills(backups)[MAX_DRILLS:])
    return PruneResult([m.name for m in manifests if m.name in stay], gone, len(unnamed), sum(unnamed.values()))


def remove_orphan_files(backups: Location) -> None:
    """Remove the drafts that killed backups left in a folder."""
    if isinstance(backups, Path):
        for draft in (backups / repository.OBJECTS_FOLDER).glob("*#*"):
            draft.unlink(missing_ok=True)
