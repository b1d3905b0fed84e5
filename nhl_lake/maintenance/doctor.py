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
from nhl_lake.backup.manifest import Manifest, Saved
from nhl_lake.bronze.endpoints import SCHEDULE
from nhl_lake.catalog import TABLES
from nhl_lake.errors import LakeError
from nhl_lake.maintenance import damage, repair
from nhl_lake.maintenance.compaction import drafts
from nhl_lake.maintenance.damage import Damage
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.lease import probe
from nhl_lake.store.location import Bucket, Place

AT_ONCE = 8
ROUNDS = 4  # a log that is mended may show that a file is gone
OLD = timedelta(days=7)
AHEAD = timedelta(minutes=5)
LITTLE_ROOM = 10**9
MEND = "`nhl-lake doctor --mend`"
GIVE_UP = "`nhl-lake doctor --mend --give-up-lost-pages`"
ALWAYS = {
    "strays": "`nhl-lake maintain` removes them when they are old enough.",
    "protocol": "Update this program: `pip install --upgrade nhl-lake`.",
    "checkpoint": f"{MEND} makes another one.",
}


class Finding(NamedTuple):
    """One thing that is wrong: how bad (damage, warning, note), where, what, and what to do about it."""

    severity: str
    where: str
    what: str
    remedy: str
    damage: Damage | None = None


class Mended(NamedTuple):
    """What was mended: where, and how."""

    where: str
    how: str


def examine(root: Place, backups: Place, *, now: datetime, deep: bool) -> list[Finding]:
    """Tell what is wrong with a lake, the worst first."""
    if (exchange := atomic_swap.unfinished(root)) is not None:
        what = f"`{exchange.command}` was stopped as it put its result in place"
        return [Finding("damage", str(root), what, f"{MEND} finishes it, in seconds.")]
    if not any(delta_tables.holds_files(delta_tables.path(root, table)) for table in TABLES):
        raise LakeError(
            f"There is no lake at {root}.",
            "`nhl-lake ingest` makes one, `nhl-lake restore --from-backup` brings one back.",
        )
    newest, of_backups = last_backup(backups, now)
    newest = standard(root, backups, newest)
    saved = {one.name: one for one in newest.tables} if newest else {}
    found = [*of_place(root, now), *of_tables(root, saved, deep=deep), *of_backups, *beside(root)]
    order = {"damage": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def standard(root: Place, backups: Place, newest: Manifest | None) -> Manifest | None:
    """Return the backup that a lake must go on from: the newest, or an older one that it was restored from since."""
    try:
        note = msgspec.json.decode(location.read(root, restore.NOTE), type=restore.Note)
        return newest if newest is None or note.newest != newest.name else repository.find(backups, note.name)
    except (LakeError, FileNotFoundError, msgspec.DecodeError):
        return newest


def of_tables(root: Place, saved: Mapping[str, Saved], *, deep: bool) -> list[Finding]:
    """Examine every table, some at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        each = pool.map(lambda table: damage.examine(root, table, saved.get(table.name), deep=deep), TABLES)
        return [finding(root, one, saved) for some in each for one in some]


def finding(root: Place, found: Damage, saved: Mapping[str, Saved]) -> Finding:
    """Say what is to be done about a damage; a table that a backup has not may be one of a newer program."""
    own = saved.get(found.table.name)
    is_new = found.kind == "missing" and own is None and (bool(saved) or found.table.layer in {"silver", "gold"})
    severity = "warning" if is_new or found.kind == "strays" else "damage"
    return Finding(severity, found.table.name, found.what, remedy_for(root, found, own), found)


def remedy_for(root: Place, found: Damage, saved: Saved | None) -> str:
    """Return the command that mends a damage, the one that loses least."""
    if found.kind in ALWAYS:
        return ALWAYS[found.kind]
    return (saved is not None and from_backup(root, found, saved)) or without_backup(root, found)


def from_backup(root: Place, found: Damage, saved: Saved) -> str | None:
    """Return the command that brings back what a backup has."""
    if is_saved(found, saved):
        return f"{MEND} brings it back from the backup."
    if found.table.is_kept and found.kind != "file" and not repair.is_at_the_end(root, found):
        return f"`nhl-lake restore --from-backup --table {found.table.name}`: what is newer than the backup stays."
    return None


def without_backup(root: Place, found: Damage) -> str:
    """Return what can be done about what is in no backup."""
    table = found.table
    if table.layer in {"silver", "gold"}:
        away = "" if found.kind == "missing" else f"Move {delta_tables.path(root, table)} away; "
        return f"{away}`nhl-lake rebuild` makes it again from bronze."
    if repair.is_at_the_end(root, found):
        return f"{MEND} moves it aside."
    away = "" if found.kind in {"missing", "file"} else f"Move {delta_tables.path(root, table)} away; "
    if table.layer == "bronze":
        return f"It is in no backup. {away}{GIVE_UP}, then `nhl-lake ingest` asks again."
    return f"{away}`nhl-lake ingest` makes it anew and asks for what it lacks."


def is_saved(found: Damage, saved: Saved) -> bool:
    """Whether the backup has the files that are damaged, or the commits."""
    if found.kind in {"gap", "broken commit", "behind"}:
        return max(found.versions) <= saved.version
    return found.kind == "file" and set(found.files) <= {file.name for file in saved.files}


def of_place(root: Place, now: datetime) -> Iterator[Finding]:
    """Tell what is wrong with the lake as a whole: its store, its layout, room, rights, clock, leftovers."""
    if isinstance(root, Bucket):
        try:
            probe(root)
        except LakeError as error:
            yield Finding("damage", str(root), error.what, error.hint)
    elif not os.access(root, os.W_OK):
        yield Finding("damage", str(root), "its folder may not be written by you", "Give yourself the right to.")
    if isinstance(root, Path) and (left := shutil.disk_usage(root).free) < LITTLE_ROOM:
        yield Finding(
            "warning", str(root), f"its disk has {left / 1e6:,.0f} MB left", "Make room: `nhl-lake maintain`."
        )
    try:
        newest = delta_tables.scan(root, ledger.META).select(pl.col("layout").max()).collect().item()
        if newest is not None and newest > ledger.LAYOUT:
            what = f"it has layout {newest}, this program knows {ledger.LAYOUT}"
            yield Finding("damage", str(root), what, "Update this program: `pip install --upgrade nhl-lake`.")
        at = delta_tables.scan(root, SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
        if at is not None and at > now + AHEAD:
            what = f"its newest page was fetched at {at:%Y-%m-%d %H:%M} UTC, and now it is {now:%Y-%m-%d %H:%M} UTC"
            yield Finding(
                "warning", str(root), what, "Set this machine's clock; pages that come meanwhile are kept in order."
            )
    except (LakeError, OSError, pl.exceptions.PolarsError):
        pass  # what is wrong with these tables is told of them
    if count := sum(1 for _ in drafts(root)):
        yield Finding(
            "note", str(root), f"{count} drafts of runs, under way or killed", "`nhl-lake maintain` removes old ones."
        )


def last_backup(backups: Place, now: datetime) -> tuple[Manifest | None, list[Finding]]:
    """Return the newest backup that can be read, and what is to be said of it."""
    make = "`nhl-lake backup` makes one."
    try:
        newest = repository.newest(backups)
    except (LakeError, OSError, obstore.exceptions.BaseError) as error:
        what = error.what if isinstance(error, LakeError) else " ".join(str(error).split())[:200]
        return None, [Finding("warning", str(backups), what, "`nhl-lake backup verify` tells which backups are whole.")]
    if newest is None:
        return None, [Finding("warning", str(backups), "there is no backup", make)]
    if now - newest.made_at > OLD:
        return newest, [
            Finding("warning", str(backups), f"the newest backup is {(now - newest.made_at).days} days old", make)
        ]
    return newest, []


def beside(root: Place) -> Iterator[Finding]:
    """Tell what restores have left beside a lake."""
    for name in names_beside(root):
        if name.startswith(f"{root.name}.restoring-"):
            yield Finding("warning", name, "a restore that did not end has left it", "Run it again, or remove that.")
        elif name.startswith(f"{root.name}.before-restore-"):
            yield Finding("note", name, "what a restore put aside", "Remove it when you need it no more.")


def names_beside(root: Place) -> list[str]:
    """Return the names in the place that a lake is in."""
    if isinstance(root, Path):
        return sorted(found.name for found in root.resolve().parent.iterdir())
    above = root.prefix.rpartition("/")[0]
    found = obstore.list_with_delimiter(location.store(Bucket(root.bucket)), prefix=above or None)["common_prefixes"]
    names = sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found)
    # some stores go on naming folders that are empty
    return [name for name in names if name.startswith(f"{root.name}.") and not location.is_empty(root.with_name(name))]


def mend(root: Place, backups: Place, *, now: datetime, deep: bool, gives_up: bool, command: str) -> list[Mended]:
    """Mend what can be mended without losing anything; some damages show only when others are mended."""
    done = []
    with locks.locked(root, command, now=now):
        if (exchange := atomic_swap.finish(root)) is not None:
            handles.forget()
            done.append(Mended(str(root), f"`{exchange.command}` was finished"))
        for _ in range(ROUNDS):
            fresh = list(mended(root, backups, now=now, deep=deep, gives_up=False))
            done += fresh
            if not fresh:
                break
        if gives_up:  # only when no backup can bring back any more
            done += mended(root, backups, now=now, deep=deep, gives_up=True)
            done += (Mended(name, how) for name, how in repair.saved_again(root))
    return done


def mended(root: Place, backups: Place, *, now: datetime, deep: bool, gives_up: bool) -> Iterator[Mended]:
    """Mend what is found, once."""
    for found in examine(root, backups, now=now, deep=deep):
        if found.damage is not None and (found.severity == "damage" or found.damage.kind == "missing"):
            how = repair.mend(root, backups, found.damage, now=now, gives_up=gives_up)
            if how is not None:
                yield Mended(found.where, how)
