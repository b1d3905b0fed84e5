"""What is wrong with a lake, and the command that mends each thing."""

import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import obstore
import polars as pl

from nhl_lake.backup import repository, restore
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.bronze.endpoints import SCHEDULE
from nhl_lake.catalog import TABLES
from nhl_lake.errors import LakeError
from nhl_lake.maintenance import damage, repair
from nhl_lake.maintenance.compaction import find_orphan_files
from nhl_lake.maintenance.damage import Damage
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.lease import probe_store
from nhl_lake.store.location import Bucket, Location

MAX_WORKERS = 8
MAX_ROUNDS = 4  # a log that is mended may show that a file is gone
MAX_BACKUP_AGE = timedelta(days=7)
CLOCK_TOLERANCE = timedelta(minutes=5)
MIN_FREE_BYTES = 10**9
MEND_COMMAND = "`nhl-lake doctor --mend`"
DROP_PAGES_COMMAND = "`nhl-lake doctor --mend --drop-missing-pages`"
FIXED_REMEDIES = {
    "strays": "`nhl-lake maintain` removes them when they are old enough.",
    "protocol": "Update this program: `pip install --upgrade nhl-lake`.",
    "checkpoint": f"{MEND_COMMAND} makes another one.",
}


class Finding(NamedTuple):
    """One thing that is wrong: how bad (damage, warning, note), where, what, and what to do about it."""

    severity: str
    where: str
    what: str
    remedy: str
    damage: Damage | None = None


class RepairResult(NamedTuple):
    """What was mended: where, and how."""

    where: str
    how: str


def examine_lake(root: Location, backups: Location, *, now: datetime, deep: bool) -> list[Finding]:
    """Tell what is wrong with a lake, the worst first."""
    if (exchange := atomic_swap.read_unfinished_swap(root)) is not None:
        what = f"`{exchange.command}` was stopped as it put its result in place"
        return [Finding("damage", str(root), what, f"{MEND_COMMAND} finishes it, in seconds.")]
    if not any(delta_tables.has_files(delta_tables.locate_table(root, table)) for table in TABLES):
        raise LakeError(
            f"There is no lake at {root}.",
            "`nhl-lake ingest` makes one, `nhl-lake restore --from-backup` brings one back.",
        )
    newest, of_backups = examine_backups(backups, now)
    newest = find_reference_backup(root, backups, newest)
    saved = {one.name: one for one in newest.tables} if newest else {}
    found = [
        *examine_location(root, now),
        *examine_tables(root, saved, deep=deep),
        *of_backups,
        *find_restore_leftovers(root),
    ]
    order = {"damage": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def find_reference_backup(root: Location, backups: Location, newest: Manifest | None) -> Manifest | None:
    """Return the backup that a lake must go on from: the newest, or an older one that it was restored from since."""
    try:
        note = msgspec.json.decode(location.read_file(root, restore.RESTORE_NOTE), type=restore.RestoreNote)
        return newest if newest is None or note.newest != newest.name else repository.read_manifest(backups, note.name)
    except (LakeError, FileNotFoundError, msgspec.DecodeError):
        return newest


def examine_tables(root: Location, saved: Mapping[str, TableBackup], *, deep: bool) -> list[Finding]:
    """Examine every table, some at once."""
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        each = pool.map(lambda table: damage.examine_table(root, table, saved.get(table.name), deep=deep), TABLES)
        return [make_finding(root, one, saved) for some in each for one in some]


def make_finding(root: Location, found: Damage, saved: Mapping[str, TableBackup]) -> Finding:
    """Say what is to be done about a damage; a table that a backup has not may be one of a newer program."""
    own = saved.get(found.table.name)
    is_new = found.kind == "missing" and own is None and (bool(saved) or found.table.layer in {"silver", "gold"})
    severity = "warning" if is_new or found.kind == "strays" else "damage"
    return Finding(severity, found.table.name, found.what, find_remedy(root, found, own), found)


def find_remedy(root: Location, found: Damage, saved: TableBackup | None) -> str:
    """Return the command that mends a damage, the one that loses least."""
    if found.kind in FIXED_REMEDIES:
        return FIXED_REMEDIES[found.kind]
    return (saved is not None and find_backup_remedy(root, found, saved)) or find_remedy_without_backup(root, found)


def find_backup_remedy(root: Location, found: Damage, saved: TableBackup) -> str | None:
    """Return the command that brings back what a backup has."""
    if is_in_backup(found, saved):
        return f"{MEND_COMMAND} brings it back from the backup."
    if found.table.is_stored and found.kind != "file" and not repair.is_last_commit(root, found):
        return f"`nhl-lake restore --from-backup --table {found.table.name}`: what is newer than the backup stays."
    return None


def find_remedy_without_backup(root: Location, found: Damage) -> str:
    """Return what can be done about what is in no backup."""
    table = found.table
    if table.layer in {"silver", "gold"}:
        away = "" if found.kind == "missing" else f"Move {delta_tables.locate_table(root, table)} away; "
        return f"{away}`nhl-lake rebuild` makes it again from bronze."
    if repair.is_last_commit(root, found):
        return f"{MEND_COMMAND} moves it aside."
    away = "" if found.kind in {"missing", "file"} else f"Move {delta_tables.locate_table(root, table)} away; "
    if table.layer == "bronze":
        return f"It is in no backup. {away}{DROP_PAGES_COMMAND}, then `nhl-lake ingest` asks again."
    return f"{away}`nhl-lake ingest` makes it anew and asks for what it lacks."


def is_in_backup(found: Damage, saved: TableBackup) -> bool:
    """Whether the backup has the files that are damaged, or the commits."""
    if found.kind in {"gap", "broken commit", "behind"}:
        return max(found.versions) <= saved.version
    return found.kind == "file" and set(found.files) <= {file.name for file in saved.files}


def examine_location(root: Location, now: datetime) -> Iterator[Finding]:
    """Tell what is wrong with the lake as a whole: its store, its layout, room, rights, clock, leftovers."""
    if isinstance(root, Bucket):
        try:
            probe_store(root)
        except LakeError as error:
            yield Finding("damage", str(root), error.message, error.hint)
    elif not os.access(root, os.W_OK):
        yield Finding("damage", str(root), "its folder may not be written by you", "Give yourself the right to.")
    if isinstance(root, Path) and (left := shutil.disk_usage(root).free) < MIN_FREE_BYTES:
        yield Finding(
            "warning", str(root), f"its disk has {left / 1e6:,.0f} MB left", "Make room: `nhl-lake maintain`."
        )
    try:
        newest = delta_tables.scan_table(root, ledger.META).select(pl.col("layout").max()).collect().item()
        if newest is not None and newest > ledger.LAYOUT_VERSION:
            what = f"it has layout {newest}, this program knows {ledger.LAYOUT_VERSION}"
            yield Finding("damage", str(root), what, "Update this program: `pip install --upgrade nhl-lake`.")
        at = delta_tables.scan_table(root, SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
        if at is not None and at > now + CLOCK_TOLERANCE:
            what = f"its newest page was fetched at {at:%Y-%m-%d %H:%M} UTC, and now it is {now:%Y-%m-%d %H:%M} UTC"
            yield Finding(
                "warning", str(root), what, "Set this machine's clock; pages that come meanwhile are kept in order."
            )
    except (LakeError, OSError, pl.exceptions.PolarsError):
        pass  # what is wrong with these tables is told of them
    if count := sum(1 for _ in find_orphan_files(root)):
        yield Finding(
            "note", str(root), f"{count} drafts of runs, under way or killed", "`nhl-lake maintain` removes old ones."
        )


def examine_backups(backups: Location, now: datetime) -> tuple[Manifest | None, list[Finding]]:
    """Return the newest backup that can be read, and what is to be said of it."""
    make = "`nhl-lake backup create` makes one."
    try:
        newest = repository.read_newest_manifest(backups)
    except (LakeError, OSError, obstore.exceptions.BaseError) as error:
        what = error.message if isinstance(error, LakeError) else " ".join(str(error).split())[:200]
        return None, [Finding("warning", str(backups), what, "`nhl-lake backup verify` tells which backups are whole.")]
    if newest is None:
        return None, [Finding("warning", str(backups), "there is no backup", make)]
    if now - newest.made_at > MAX_BACKUP_AGE:
        return newest, [
            Finding("warning", str(backups), f"the newest backup is {(now - newest.made_at).days} days old", make)
        ]
    return newest, []


def find_restore_leftovers(root: Location) -> Iterator[Finding]:
    """Tell what restores have left beside a lake."""
    for name in list_neighbors(root):
        if name.startswith(f"{root.name}.restoring-"):
            yield Finding("warning", name, "a restore that did not end has left it", "Run it again, or remove that.")
        elif name.startswith(f"{root.name}.before-restore-"):
            yield Finding("note", name, "what a restore put aside", "Remove it when you need it no more.")


def list_neighbors(root: Location) -> list[str]:
    """Return the names in the place that a lake is in."""
    if isinstance(root, Path):
        return sorted(found.name for found in root.resolve().parent.iterdir())
    above = root.prefix.rpartition("/")[0]
    found = obstore.list_with_delimiter(location.open_store(Bucket(root.bucket)), prefix=above or None)[
        "common_prefixes"
    ]
    names = sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found)
    # some stores go on naming folders that are empty
    return [name for name in names if name.startswith(f"{root.name}.") and not location.is_empty(root.with_name(name))]


def repair_lake(
    root: Location, backups: Location, *, now: datetime, deep: bool, drop_missing_pages: bool, command: str
) -> list[RepairResult]:
    """Mend what can be mended without losing anything; some damages show only when others are mended."""
    done = []
    with locks.hold_lock(root, command, now=now):
        if (exchange := atomic_swap.finish_swap(root)) is not None:
            handles.clear_handles()
            done.append(RepairResult(str(root), f"`{exchange.command}` was finished"))
        for _ in range(MAX_ROUNDS):
            fresh = list(repair_findings(root, backups, now=now, deep=deep, drop_missing_pages=False))
            done += fresh
            if not fresh:
                break
        if drop_missing_pages:  # only when no backup can bring back any more
            done += repair_findings(root, backups, now=now, deep=deep, drop_missing_pages=True)
            done += (RepairResult(name, how) for name, how in repair.recover_set_aside_pages(root))
    return done


def repair_findings(
    root: Location, backups: Location, *, now: datetime, deep: bool, drop_missing_pages: bool
) -> Iterator[RepairResult]:
    """Mend what is found, once."""
    for found in examine_lake(root, backups, now=now, deep=deep):
        if found.damage is not None and (found.severity == "damage" or found.damage.kind == "missing"):
            how = repair.repair_damage(root, backups, found.damage, now=now, drop_missing_pages=drop_missing_pages)
            if how is not None:
                yield RepairResult(found.where, how)
