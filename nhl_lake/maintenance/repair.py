"""Mending what `damage` finds: what a backup has comes back by name and hash; nothing that can be read is removed."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from nhl_lake.backup import log_packs, repository, restore, restore_tables
from nhl_lake.backup.manifest import TableBackup
from nhl_lake.backup.restore import FileToFetch
from nhl_lake.catalog import find_table
from nhl_lake.errors import LakeError
from nhl_lake.maintenance.damage import LAST_CHECKPOINT, Damage
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables, handles, location
from nhl_lake.store.delta import commit_name
from nhl_lake.store.location import Location

SET_ASIDE_FOLDER = f"{atomic_swap.STATE_FOLDER}/set-aside"


def repair_damage(
    root: Location, backups: Location | None, damage: Damage, *, now: datetime, drop_missing_pages: bool
) -> str | None:
    """Mend a damage if that can be done without losing anything, and say how; None if it cannot.

    `gives_up`: pages that are in no backup are taken out of the log, so that the next ingest asks for them again.
    """
    handles.clear_handles()
    if damage.kind == "checkpoint":
        return recreate_checkpoint(root, damage, now)
    if damage.kind in {"gap", "broken commit", "behind"}:
        return restore_commits(root, backups, damage) or set_aside_last_commit(root, damage, now)
    if damage.kind == "file":
        return restore_files(root, backups, damage) or drop_lost_files(
            root, damage, now, drop_missing_pages=drop_missing_pages
        )
    if damage.kind == "missing" and damage.table.layer == "bronze" and drop_missing_pages:
        delta_tables.create_tables(root, [damage.table])
        return "it was made anew, without pages; `nhl-lake ingest` asks for all of them again"
    return None


def recreate_checkpoint(root: Location, damage: Damage, now: datetime) -> str:
    """Remove the hint at a checkpoint, put aside what cannot be read of it, and make another checkpoint."""
    folder = delta_tables.locate_table(root, damage.table)
    set_aside_files(root, damage.table, damage.files, now)
    location.remove_files(folder, [LAST_CHECKPOINT])
    delta = delta_tables.open_table(root, damage.table)
    if delta.version() not in log_packs.list_log(folder).checkpoints:
        delta.create_checkpoint()
        delta_tables.sync_commits(root, damage.table, delta)
    return "the hint was removed; there is a whole checkpoint"


def read_table_backups(backups: Location | None, table: Table) -> Iterator[TableBackup]:
    """Yield what each backup has of a table, the newest first; one that cannot be read is passed over."""
    for name in repository.list_backups(backups) if backups is not None else []:
        with suppress(LakeError):
            yield from (saved for saved in repository.read_manifest(backups, name).tables if saved.name == table.name)  # type: ignore[arg-type]


def restore_commits(root: Location, backups: Location | None, damage: Damage) -> str | None:
    """Put commits back from the newest backup of the same history."""
    folder = delta_tables.locate_table(root, damage.table)
    for saved in read_table_backups(backups, damage.table):
        if backups is None or saved.version < max(damage.versions):
            continue
        try:
            kept = restore.read_saved_commits(backups, saved)
        except LakeError:  # an older backup may have them whole
            continue
        if not is_same_history(folder, kept, damage.versions):
            continue
        for version in damage.versions:
            location.write_file(folder, commit_name(version), kept[version])
        added = {
            entry["add"]["path"]
            for v in damage.versions
            for entry in map(json.loads, kept[v].splitlines())
            if "add" in entry
        }
        for file in saved.files:
            if file.name in added and not location.has_file(folder, file.name):
                restore.fetch_file(backups, FileToFetch(folder, file.name, file.size, file.sha256))
        return f"{len(damage.versions)} commits of its log came back from a backup"
    return None


def is_same_history(folder: Location, kept: dict[int, bytes], versions: Iterable[int]) -> bool:
    """Whether a table's log agrees with that of a backup in the commits around some that are lost."""
    lost = set(versions)
    around = {v + step for v in lost for step in (-1, 1)} - lost
    there = log_packs.list_log(folder).commits
    return lost <= kept.keys() and all(
        log_packs.read_commit_bytes(folder, v) == kept[v] for v in around & there & kept.keys()
    )


def is_last_commit(root: Location, damage: Damage) -> bool:
    """Whether what is broken is the last commit of a table alone."""
    last = max(log_packs.list_log(delta_tables.locate_table(root, damage.table)).commits, default=0)
    return damage.kind == "broken commit" and damage.versions == (last,) and last > 0


def set_aside_last_commit(root: Location, damage: Damage, now: datetime) -> str | None:
    """Move a broken last commit aside: what it was to add was never told to be kept, and is asked for again."""
    if not is_last_commit(root, damage):
        return None
    (last,) = damage.versions
    set_aside_files(root, damage.table, [commit_name(last)], now)
    return f"its broken last commit {last} was moved to {SET_ASIDE_FOLDER}; `nhl-lake ingest` asks for what it lacks"


def set_aside_files(root: Location, table: Table, names: Sequence[str], now: datetime) -> None:
    """Move files of a table out of it, and keep them."""
    folder = delta_tables.locate_table(root, table)
    for name in names:
        with suppress(FileNotFoundError):
            kept = f"{SET_ASIDE_FOLDER}/{now:%Y%m%dT%H%M%SZ}/{'/'.join(table.name.split('.'))}/{name}"
            location.write_file(root, kept, location.read_chunks(folder, name))
            location.remove_files(folder, [name])


def restore_files(root: Location, backups: Location | None, damage: Damage) -> str | None:
    """Put data files back from the newest backup that has them, by name and hash."""
    folder = delta_tables.locate_table(root, damage.table)
    for saved in read_table_backups(backups, damage.table):
        kept = {file.name: file for file in saved.files}
        if backups is None or not set(damage.files) <= kept.keys():
            continue
        with suppress(LakeError):  # an older backup may have it whole
            for name in damage.files:
                restore.fetch_file(backups, FileToFetch(folder, name, kept[name].size, kept[name].sha256))
            return "it came back from a backup, by its SHA-256"
    return None


def drop_lost_files(root: Location, damage: Damage, now: datetime, *, drop_missing_pages: bool) -> str | None:
    """Take a lost file out of a bronze table's log, and add again those of its pages that are as they were kept."""
    table = damage.table
    if not drop_missing_pages or table.layer != "bronze":
        return None
    folder = delta_tables.locate_table(root, table)
    delta = delta_tables.open_table(root, table)
    if others := set(delta.repair(dry_run=True)["files_removed"]) - set(damage.files):
        return f"nothing was given up yet: first other files must come back, {', '.join(sorted(others)[:3])}"
    saved = [
        rows for name in damage.files if (rows := restore_tables.read_intact_rows(folder, table, name)) is not None
    ]
    set_aside_files(root, table, damage.files, now)
    delta = delta_tables.open_table(root, table)
    delta.repair()
    delta_tables.sync_commits(root, table, delta)
    kept = sum(restore_tables.add_missing_rows(root, table, rows.lazy()) for rows in saved)
    return f"it was taken out of the log, {kept:,} pages of it were saved; `nhl-lake ingest` asks for the others again"


def recover_set_aside_pages(root: Location) -> Iterator[tuple[str, str]]:
    """Add what can be read of bronze files that were set aside and is not in the lake: a run may have been killed."""
    aside = [file.name for file in location.list_files(root, SET_ASIDE_FOLDER) if file.name.endswith(".parquet")]
    for name in aside:
        moment, layer, noun, file = name.removeprefix(f"{SET_ASIDE_FOLDER}/").split("/", 3)
        table = find_table(f"{layer}.{noun}")
        rows = restore_tables.read_intact_rows(root.joinpath(SET_ASIDE_FOLDER, moment, layer, noun), table, file)
        if (
            rows is not None
            and table.layer == "bronze"
            and (count := restore_tables.add_missing_rows(root, table, rows.lazy()))
        ):
            yield table.name, f"{count:,} pages of {file}, which was set aside, were added again"
