"""Mending what `damage` finds: what a backup has comes back by name and hash; nothing that can be read is removed."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from nhl_lake.backup import log_packs, repository, restore, restore_tables
from nhl_lake.backup.manifest import Saved
from nhl_lake.backup.restore import Fetched
from nhl_lake.catalog import find
from nhl_lake.errors import LakeError
from nhl_lake.maintenance.damage import HINT, Damage
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables, handles, location
from nhl_lake.store.delta import commit_name
from nhl_lake.store.location import Place

ASIDE = f"{atomic_swap.OWN}/set-aside"


def mend(root: Place, backups: Place | None, damage: Damage, *, now: datetime, gives_up: bool) -> str | None:
    """Mend a damage if that can be done without losing anything, and say how; None if it cannot.

    `gives_up`: pages that are in no backup are taken out of the log, so that the next ingest asks for them again.
    """
    handles.forget()
    if damage.kind == "checkpoint":
        return checkpoint_made(root, damage, now)
    if damage.kind in {"gap", "broken commit", "behind"}:
        return commits_back(root, backups, damage) or last_set_aside(root, damage, now)
    if damage.kind == "file":
        return files_back(root, backups, damage) or given_up(root, damage, now, gives_up=gives_up)
    if damage.kind == "missing" and damage.table.layer == "bronze" and gives_up:
        delta_tables.create(root, [damage.table])
        return "it was made anew, without pages; `nhl-lake ingest` asks for all of them again"
    return None


def checkpoint_made(root: Place, damage: Damage, now: datetime) -> str:
    """Remove the hint at a checkpoint, put aside what cannot be read of it, and make another checkpoint."""
    folder = delta_tables.path(root, damage.table)
    set_aside(root, damage.table, damage.files, now)
    location.remove(folder, [HINT])
    delta = delta_tables.handle(root, damage.table)
    if delta.version() not in log_packs.listed(folder).checkpoints:
        delta.create_checkpoint()
        delta_tables.sync(root, damage.table, delta)
    return "the hint was removed; there is a whole checkpoint"


def manifests(backups: Place | None, table: Table) -> Iterator[Saved]:
    """Yield what each backup has of a table, the newest first; one that cannot be read is passed over."""
    for name in repository.names(backups) if backups is not None else []:
        with suppress(LakeError):
            yield from (saved for saved in repository.find(backups, name).tables if saved.name == table.name)  # type: ignore[arg-type]


def commits_back(root: Place, backups: Place | None, damage: Damage) -> str | None:
    """Put commits back from the newest backup of the same history."""
    folder = delta_tables.path(root, damage.table)
    for saved in manifests(backups, damage.table):
        if backups is None or saved.version < max(damage.versions):
            continue
        try:
            kept = restore.commits_of(backups, saved)
        except LakeError:  # an older backup may have them whole
            continue
        if not is_same_history(folder, kept, damage.versions):
            continue
        for version in damage.versions:
            location.write(folder, commit_name(version), kept[version])
        added = {
            entry["add"]["path"]
            for v in damage.versions
            for entry in map(json.loads, kept[v].splitlines())
            if "add" in entry
        }
        for file in saved.files:
            if file.name in added and not location.has(folder, file.name):
                restore.fetch_one(backups, Fetched(folder, file.name, file.size, file.sha256))
        return f"{len(damage.versions)} commits of its log came back from a backup"
    return None


def is_same_history(folder: Place, kept: dict[int, bytes], versions: Iterable[int]) -> bool:
    """Whether a table's log agrees with that of a backup in the commits around some that are lost."""
    lost = set(versions)
    around = {v + step for v in lost for step in (-1, 1)} - lost
    there = log_packs.listed(folder).commits
    return lost <= kept.keys() and all(log_packs.commit(folder, v) == kept[v] for v in around & there & kept.keys())


def is_at_the_end(root: Place, damage: Damage) -> bool:
    """Whether what is broken is the last commit of a table alone."""
    last = max(log_packs.listed(delta_tables.path(root, damage.table)).commits, default=0)
    return damage.kind == "broken commit" and damage.versions == (last,) and last > 0


def last_set_aside(root: Place, damage: Damage, now: datetime) -> str | None:
    """Move a broken last commit aside: what it was to add was never told to be kept, and is asked for again."""
    if not is_at_the_end(root, damage):
        return None
    (last,) = damage.versions
    set_aside(root, damage.table, [commit_name(last)], now)
    return f"its broken last commit {last} was moved to {ASIDE}; `nhl-lake ingest` asks for what it lacks"


def set_aside(root: Place, table: Table, names: Sequence[str], now: datetime) -> None:
    """Move files of a table out of it, and keep them."""
    folder = delta_tables.path(root, table)
    for name in names:
        with suppress(FileNotFoundError):
            kept = f"{ASIDE}/{now:%Y%m%dT%H%M%SZ}/{'/'.join(table.name.split('.'))}/{name}"
            location.write(root, kept, location.pieces(folder, name))
            location.remove(folder, [name])


def files_back(root: Place, backups: Place | None, damage: Damage) -> str | None:
    """Put data files back from the newest backup that has them, by name and hash."""
    folder = delta_tables.path(root, damage.table)
    for saved in manifests(backups, damage.table):
        kept = {file.name: file for file in saved.files}
        if backups is None or not set(damage.files) <= kept.keys():
            continue
        with suppress(LakeError):  # an older backup may have it whole
            for name in damage.files:
                restore.fetch_one(backups, Fetched(folder, name, kept[name].size, kept[name].sha256))
            return "it came back from a backup, by its SHA-256"
    return None


def given_up(root: Place, damage: Damage, now: datetime, *, gives_up: bool) -> str | None:
    """Take a lost file out of a bronze table's log, and add again those of its pages that are as they were kept."""
    table = damage.table
    if not gives_up or table.layer != "bronze":
        return None
    folder = delta_tables.path(root, table)
    delta = delta_tables.handle(root, table)
    if others := set(delta.repair(dry_run=True)["files_removed"]) - set(damage.files):
        return f"nothing was given up yet: first other files must come back, {', '.join(sorted(others)[:3])}"
    saved = [rows for name in damage.files if (rows := restore_tables.rows_of(folder, table, name)) is not None]
    set_aside(root, table, damage.files, now)
    delta = delta_tables.handle(root, table)
    delta.repair()
    delta_tables.sync(root, table, delta)
    kept = sum(restore_tables.added(root, table, rows.lazy()) for rows in saved)
    return f"it was taken out of the log, {kept:,} pages of it were saved; `nhl-lake ingest` asks for the others again"


def saved_again(root: Place) -> Iterator[tuple[str, str]]:
    """Add what can be read of bronze files that were set aside and is not in the lake: a run may have been killed."""
    aside = [file.name for file in location.files(root, ASIDE) if file.name.endswith(".parquet")]
    for name in aside:
        moment, layer, noun, file = name.removeprefix(f"{ASIDE}/").split("/", 3)
        table = find(f"{layer}.{noun}")
        rows = restore_tables.rows_of(root.joinpath(ASIDE, moment, layer, noun), table, file)
        if rows is not None and table.layer == "bronze" and (count := restore_tables.added(root, table, rows.lazy())):
            yield table.name, f"{count:,} pages of {file}, which was set aside, were added again"
