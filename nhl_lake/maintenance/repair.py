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
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.maintenance.compaction import DATA_NAME
from nhl_lake.maintenance.damage import LAST_CHECKPOINT, Damage
from nhl_lake.rebuild import run
from nhl_lake.rebuild.lost_model import find_lost_model
from nhl_lake.schema.ledger import MODELS
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import atomic_swap, checksums, delta_tables, handles, location
from nhl_lake.store.delta import commit_name, list_live_files
from nhl_lake.store.location import Location
from nhl_lake.text import format_count

SET_ASIDE_FOLDER = f"{atomic_swap.STATE_FOLDER}/set-aside"
FETCHES_REST = {
    "bronze": "; `nhl-lake ingest` fetches the others",
    "lake": "",
    "external": "",
}  # by layer: of lost rows
UNREADABLE_KINDS = {"gap", "broken commit", "behind", "file", "no log", "unreadable"}


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
    table = damage.table
    if damage.kind == "checkpoint":
        return recreate_checkpoint(root, damage, now)
    if damage.kind == "checksums":
        return record_again(root, damage, now)
    how = restore_damaged(root, backups, ids, damage)
    if how is not None:
        return how
    if damage.kind == "old file":
        set_aside_files(root, table, damage.files, now)
        return f"it was moved to {SET_ASIDE_FOLDER}"
    if table.layer in {"silver", "gold"}:
        return set_aside_table(root, table, now) if damage.kind in UNREADABLE_KINDS else None
    how = set_aside_last_commits(root, damage, now)
    return give_up_rows(root, damage, now) if how is None and drop_missing_pages else how


def restore_damaged(root: Location, backups: Location, ids: Collection[str], damage: Damage) -> str | None:
    """Restore damaged commits or files from a backup, or a lost model, and return how; None if nothing has them."""
    if damage.kind == "lost model":
        return add_lost_model(root)
    if damage.kind in {"gap", "broken commit", "behind"}:
        return restore_commits(root, backups, ids, damage)
    return restore_files(root, backups, ids, damage) if damage.kind in {"file", "old file"} else None


def give_up_rows(root: Location, damage: Damage, now: datetime) -> str | None:
    """Set aside what no backup has of a stored table, and keep its intact rows. The next ingest fetches lost pages."""
    table = damage.table
    if damage.kind == "file":
        return drop_lost_files(root, damage, now)
    if damage.kind in UNREADABLE_KINDS:
        set_aside_table(root, table, now)
        delta_tables.create_tables(root, [table])  # `recover_set_aside_rows` adds what can be read of it
        return f"its folder was moved to {SET_ASIDE_FOLDER}{FETCHES_REST[table.layer]}"
    if damage.kind == "missing":
        delta_tables.create_tables(root, [table])
        return f"it was created again, without rows{FETCHES_REST[table.layer]}"
    return None


def record_again(root: Location, damage: Damage, now: datetime) -> str:
    """Move damaged files of checksums aside, and record the checksums of the table's files again."""
    set_aside_files(root, damage.table, damage.files, now)
    delta, folder = delta_tables.open_table(root, damage.table), delta_tables.locate_table(root, damage.table)
    checksums.complete_checksums(folder, delta.version())
    return "the checksums were recorded again"


def add_lost_model(root: Location) -> str:
    """Add the fitted model in use to `lake.models` again, from the table that the rebuild made of it."""
    rows = find_lost_model(root)
    delta_tables.append_to_ledger(root, MODELS, rows)
    return f"the model '{rows['model'].item()}' was added again from {XG_MODEL.name}"


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
        return f"{format_count(len(damage.versions), 'commit', 'were')} restored to its log from a backup"
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


def set_aside_last_commits(root: Location, damage: Damage, now: datetime) -> str | None:
    """Add the rows of a table's lost or broken last commits from their data files; a broken one is moved aside."""
    if damage.kind == "behind":
        return continue_log(root, damage.table, min(damage.versions) - 1, now)
    if not is_last_commit(root, damage):
        return None
    (last,) = damage.versions
    set_aside_files(root, damage.table, [commit_name(last)], now)
    handles.clear_handles()
    return f"its broken last commit was moved to {SET_ASIDE_FOLDER}; {continue_log(root, damage.table, last - 1, now)}"


def continue_log(root: Location, table: Table, last: int, now: datetime) -> str:
    """Add the rows of the lost commits after a version from their data files, and record the checksums again."""
    folder = delta_tables.locate_table(root, table)
    count = add_orphan_rows(root, table)
    records = [name for name in checksums.list_checksum_files(folder) if checksums.parse_version(name) > last]
    set_aside_files(root, table, records, now)
    checksums.complete_checksums(folder, delta_tables.open_table(root, table).version())
    return (
        f"it continues from version {last}; {format_count(count, 'row', 'were')} saved of its lost commits"
        f"{FETCHES_REST[table.layer]}"
    )


def add_orphan_rows(root: Location, table: Table) -> int:
    """Add the rows of data files that no version names, if the table lacks them. Return how many."""
    folder = delta_tables.locate_table(root, table)
    live = list_live_files(delta_tables.open_table(root, table))
    orphans = [
        file.name for file in location.list_files(folder) if DATA_NAME.fullmatch(file.name) and file.name not in live
    ]
    damaged = set(checksums.list_damaged_files(folder, orphans))
    found = (restore_tables.read_intact_rows(folder, table, name) for name in orphans if name not in damaged)
    return sum(restore_tables.add_missing_rows(root, table, rows.lazy()) for rows in found if rows is not None)


def set_aside_files(root: Location, table: Table, names: Sequence[str], now: datetime) -> None:
    """Move files out of a table's folder, into the folder of files set aside."""
    folder = delta_tables.locate_table(root, table)
    for name in names:
        with suppress(FileNotFoundError):
            target = f"{SET_ASIDE_FOLDER}/{now:%Y%m%dT%H%M%SZ}/{'/'.join(table.name.split('.'))}/{name}"
            location.write_file(root, target, location.read_chunks(folder, name))
            location.remove_files(folder, [name])


def set_aside_table(root: Location, table: Table, now: datetime) -> str:
    """Move the folder of a table aside."""
    folder = delta_tables.locate_table(root, table)
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    stamps = (stamp, *(f"{stamp}-{number}" for number in range(2, 1000)))
    places = (root.joinpath(SET_ASIDE_FOLDER, name, *table.name.split(".")) for name in stamps)
    aside = next(place for place in places if atomic_swap.is_free(place))
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
    yield from ((name, f"it was rebuilt from bronze: {format_count(count, 'row')}") for name, count in rows.items())


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


def drop_lost_files(root: Location, damage: Damage, now: datetime) -> str:
    """Remove a lost file from a stored table's log, and add its intact rows again."""
    table = damage.table
    folder = delta_tables.locate_table(root, table)
    delta = delta_tables.open_table(root, table)
    if others := set(delta.repair(dry_run=True)["files_removed"]) - set(damage.files):
        return f"no rows were dropped: restore these files first: {', '.join(sorted(others)[:3])}"
    # in a file with another SHA-256 than recorded, the season or key of an intact page may be wrong
    damaged = set(checksums.list_damaged_files(folder, damage.files))
    found = (restore_tables.read_intact_rows(folder, table, name) for name in damage.files if name not in damaged)
    intact = [rows for rows in found if rows is not None]
    set_aside_files(root, table, damage.files, now)
    delta = delta_tables.open_table(root, table)
    delta.repair()
    delta_tables.sync_commits(root, table, delta)
    recovered = sum(restore_tables.add_missing_rows(root, table, rows.lazy()) for rows in intact)
    return (
        f"it was removed from the log, {format_count(recovered, 'row', 'were')} saved of it{FETCHES_REST[table.layer]}"
    )


def is_intact_copy(root: Location, folder: Location, table: Table, name: str) -> bool:
    """Return whether a file that was set aside has its recorded hash, or none is recorded."""
    sha256 = checksums.hash_file(folder, name)
    places = (folder, delta_tables.locate_table(root, table))
    return all(checksums.read_checksums(place).is_intact(name, sha256) for place in places)


def recover_set_aside_rows(root: Location) -> Iterator[tuple[str, str]]:
    """Add the intact rows of stored tables that were set aside, if the lake lacks them, as after a killed repair."""
    set_aside = [file.name for file in location.list_files(root, SET_ASIDE_FOLDER) if file.name.endswith(".parquet")]
    for name in set_aside:
        timestamp, layer, name_part, file = name.removeprefix(f"{SET_ASIDE_FOLDER}/").split("/", 3)
        table = find_table(f"{layer}.{name_part}")
        if not table.is_stored:
            continue
        folder = root.joinpath(SET_ASIDE_FOLDER, timestamp, layer, name_part)
        if not is_intact_copy(root, folder, table, file):
            continue
        rows = restore_tables.read_intact_rows(folder, table, file)
        if rows is not None and (count := restore_tables.add_missing_rows(root, table, rows.lazy())):
            yield table.name, f"{format_count(count, 'row', 'were')} added again from {file}, which was set aside"
