"""Repair damage: restore files from backups by name and hash. Nothing that can be read is deleted."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from nhl_lake.backup import log_packs, repository, restore, restore_tables
from nhl_lake.backup.manifest import TableBackup
from nhl_lake.backup.restore import FileToFetch
from nhl_lake.catalog import BUILT_TABLES, find_table
from nhl_lake.errors import GamesQuarantined, LakeError
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.maintenance.damage import LAST_CHECKPOINT, Damage
from nhl_lake.rebuild import run
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import atomic_swap, delta_tables, handles, location
from nhl_lake.store.delta import commit_name
from nhl_lake.store.location import Location

SET_ASIDE_FOLDER = f"{atomic_swap.STATE_FOLDER}/set-aside"


def repair_damage(
    root: Location,
    backups: Location,
    damage: Damage,
    *,
    ids: Collection[str],
    now: datetime,
    drop_missing_pages: bool,
) -> str | None:
    """Repair a damage if that is possible without loss, and return how; None if it is not.

    ids: the identity of the lake whose backups are used. drop_missing_pages: remove pages that no backup has from the
    log, so the next ingest fetches them again.
    """
    handles.clear_handles()
    is_built = damage.table.layer in {"silver", "gold"}
    if damage.kind == "checkpoint":
        return recreate_checkpoint(root, damage, now)
    if damage.kind in {"gap", "broken commit", "behind"}:
        how = restore_commits(root, backups, ids, damage)
        if how is None and not is_built:
            how = set_aside_last_commit(root, damage, now)
    elif damage.kind == "file":
        how = restore_files(root, backups, ids, damage)
        if how is None and not is_built:
            how = drop_lost_files(root, damage, now, drop_missing_pages=drop_missing_pages)
    else:
        how = None
    if how is not None:
        return how
    if is_built and damage.kind in {"gap", "broken commit", "behind", "file", "no log", "unreadable"}:
        return set_aside_table(root, damage.table, now)
    if damage.kind == "missing" and damage.table.layer == "bronze" and drop_missing_pages:
        delta_tables.create_tables(root, [damage.table])
        return "it was created again, without pages; `nhl-lake ingest` fetches all of them again"
    return None


def recreate_checkpoint(root: Location, damage: Damage, now: datetime) -> str:
    """Remove the pointer to a damaged checkpoint, move unreadable files aside, and write a new checkpoint."""
    folder = delta_tables.locate_table(root, damage.table)
    set_aside_files(root, damage.table, damage.files, now)
    location.remove_files(folder, [LAST_CHECKPOINT])
    delta = delta_tables.open_table(root, damage.table)
    if delta.version() not in log_packs.list_log(folder).checkpoints:
        delta.create_checkpoint()
        delta_tables.sync_commits(root, damage.table, delta)
    return "a new checkpoint was written"


def read_table_backups(backups: Location, ids: Collection[str], table: Table) -> Iterator[TableBackup]:
    """Yield a table's entry in each backup of a lake, newest first; skip unreadable manifests."""
    for name in repository.list_backups(backups):
        with suppress(LakeError):
            manifest = repository.read_manifest(backups, name)
            if manifest.is_of(ids):
                yield from (entry for entry in manifest.tables if entry.name == table.name)


def restore_commits(root: Location, backups: Location, ids: Collection[str], damage: Damage) -> str | None:
    """Restore commits from the newest backup with the same history."""
    folder = delta_tables.locate_table(root, damage.table)
    for table_backup in read_table_backups(backups, ids, damage.table):
        if table_backup.version < max(damage.versions):
            continue
        try:
            recovered = restore.read_saved_commits(backups, table_backup)
        except LakeError:  # an older backup may have intact ones
            continue
        if not is_same_history(folder, recovered, damage.versions):
            continue
        for version in damage.versions:
            location.write_file(folder, commit_name(version), recovered[version])
        added = {
            entry["add"]["path"]
            for v in damage.versions
            for entry in map(json.loads, recovered[v].splitlines())
            if "add" in entry
        }
        for file in table_backup.files:
            if file.name in added and not location.has_file(folder, file.name):
                restore.fetch_file(backups, FileToFetch(folder, file.name, file.size, file.sha256))
        return f"{len(damage.versions)} commits of its log were restored from a backup"
    return None


def is_same_history(folder: Location, recovered: dict[int, bytes], versions: Iterable[int]) -> bool:
    """Return whether a table's log has the same commits as a backup's around the missing ones."""
    lost = set(versions)
    around = {v + step for v in lost for step in (-1, 1)} - lost
    present = log_packs.list_log(folder).commits
    return lost <= recovered.keys() and all(
        log_packs.read_commit_bytes(folder, v) == recovered[v] for v in around & present & recovered.keys()
    )


def is_last_commit(root: Location, damage: Damage) -> bool:
    """Return whether only the last commit of a table is broken."""
    last = max(log_packs.list_log(delta_tables.locate_table(root, damage.table)).commits, default=0)
    return damage.kind == "broken commit" and damage.versions == (last,) and last > 0


def set_aside_last_commit(root: Location, damage: Damage, now: datetime) -> str | None:
    """Move a broken last commit aside. No run reported its pages as stored, so they are fetched again."""
    if not is_last_commit(root, damage):
        return None
    (last,) = damage.versions
    set_aside_files(root, damage.table, [commit_name(last)], now)
    return f"its broken last commit {last} was moved to {SET_ASIDE_FOLDER}; `nhl-lake ingest` fetches what is missing"


def set_aside_files(root: Location, table: Table, names: Sequence[str], now: datetime) -> None:
    """Move files out of a table's folder, into the folder of files set aside."""
    folder = delta_tables.locate_table(root, table)
    for name in names:
        with suppress(FileNotFoundError):
            target = f"{SET_ASIDE_FOLDER}/{now:%Y%m%dT%H%M%SZ}/{'/'.join(table.name.split('.'))}/{name}"
            location.write_file(root, target, location.read_chunks(folder, name))
            location.remove_files(folder, [name])


def set_aside_table(root: Location, table: Table, now: datetime) -> str:
    """Move the folder of a silver or gold table aside. It can be rebuilt from bronze."""
    folder = delta_tables.locate_table(root, table)
    aside = root.joinpath(SET_ASIDE_FOLDER, f"{now:%Y%m%dT%H%M%SZ}", *table.name.split("."))
    aside = next(
        at for at in (aside, *(aside.with_name(f"{aside.name}-{n}") for n in range(2, 1000))) if atomic_swap.is_free(at)
    )
    if isinstance(folder, Path) and isinstance(aside, Path):
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside)
        location.fsync_paths([aside.parent, folder.parent])
    else:
        files = list(location.list_files(folder))
        atomic_swap.copy_objects(folder, aside, files)
        atomic_swap.remove_objects(folder, files)
    handles.clear_handles()
    return f"its folder was moved to {SET_ASIDE_FOLDER}"


def rebuild_missing_tables(root: Location, now: datetime) -> Iterator[tuple[str, str]]:
    """Create the missing silver and gold tables, and rebuild them from bronze. Yield the name of each, and how."""
    created = delta_tables.create_tables(root, BUILT_TABLES)
    if not created:
        return
    rows = dict.fromkeys((table.name for table in created), 0)
    with suppress(GamesQuarantined):  # `nhl-lake check` names them, as after any rebuild
        # only the build of a game writes its quarantine
        for rebuilt in run.rebuild(root, day=get_eastern_day(now), everything=QUARANTINE in created):
            rows[rebuilt.table] = rows.get(rebuilt.table, 0) + rebuilt.rows
    yield from ((name, f"it was rebuilt from bronze: {count:,} rows") for name, count in rows.items())


def restore_files(root: Location, backups: Location, ids: Collection[str], damage: Damage) -> str | None:
    """Restore data files from the newest backup that has them, by name and hash."""
    folder = delta_tables.locate_table(root, damage.table)
    for table_backup in read_table_backups(backups, ids, damage.table):
        recovered = {file.name: file for file in table_backup.files}
        if not set(damage.files) <= recovered.keys():
            continue
        with suppress(LakeError):  # an older backup may have an intact one
            for name in damage.files:
                restore.fetch_file(backups, FileToFetch(folder, name, recovered[name].size, recovered[name].sha256))
            return "it was restored from a backup, by its SHA-256"
    return None


def drop_lost_files(root: Location, damage: Damage, now: datetime, *, drop_missing_pages: bool) -> str | None:
    """Remove a lost file from a bronze table's log, and add its intact pages again."""
    table = damage.table
    if not drop_missing_pages or table.layer != "bronze":
        return None
    folder = delta_tables.locate_table(root, table)
    delta = delta_tables.open_table(root, table)
    if others := set(delta.repair(dry_run=True)["files_removed"]) - set(damage.files):
        return f"no pages were dropped: restore these files first: {', '.join(sorted(others)[:3])}"
    intact = [
        rows for name in damage.files if (rows := restore_tables.read_intact_rows(folder, table, name)) is not None
    ]
    set_aside_files(root, table, damage.files, now)
    delta = delta_tables.open_table(root, table)
    delta.repair()
    delta_tables.sync_commits(root, table, delta)
    recovered = sum(restore_tables.add_missing_rows(root, table, rows.lazy()) for rows in intact)
    return f"it was removed from the log, {recovered:,} of its pages were saved; `nhl-lake ingest` fetches the others"


def recover_set_aside_pages(root: Location) -> Iterator[tuple[str, str]]:
    """Add the intact pages of bronze files that were set aside, if the lake lacks them, as after a killed repair."""
    set_aside = [file.name for file in location.list_files(root, SET_ASIDE_FOLDER) if file.name.endswith(".parquet")]
    for name in set_aside:
        timestamp, layer, name_part, file = name.removeprefix(f"{SET_ASIDE_FOLDER}/").split("/", 3)
        if layer != "bronze":
            continue
        table = find_table(f"{layer}.{name_part}")
        rows = restore_tables.read_intact_rows(
            root.joinpath(SET_ASIDE_FOLDER, timestamp, layer, name_part), table, file
        )
        if rows is not None and (count := restore_tables.add_missing_rows(root, table, rows.lazy())):
            yield table.name, f"{count:,} pages of {file}, which was set aside, were added again"
