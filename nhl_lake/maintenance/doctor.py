"""Diagnose a lake: find each problem and the command that fixes it."""

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import obstore
import polars as pl

from nhl_lake import layout
from nhl_lake.backup import create, repository, restore, restore_tables
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.bronze.endpoints import SCHEDULE
from nhl_lake.catalog import TABLES
from nhl_lake.errors import LakeError
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.maintenance import damage, repair
from nhl_lake.maintenance.compaction import find_orphan_files
from nhl_lake.maintenance.damage import Damage
from nhl_lake.rebuild.lost_model import find_lost_model
from nhl_lake.schema import external, ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables, handles, location, locks
from nhl_lake.store.lease import probe_store
from nhl_lake.store.location import Bucket, Location
from nhl_lake.text import format_count

MAX_WORKERS = 8
MAX_ROUNDS = 4  # a repaired log may reveal a missing file
MAX_BACKUP_AGE = timedelta(days=7)
CLOCK_TOLERANCE = timedelta(minutes=5)
MIN_FREE_BYTES = 10**9
MEND_COMMAND = "`nhl-lake doctor --mend`"
DROP_PAGES_COMMAND = "`nhl-lake doctor --mend --drop-missing-pages`"
FIXED_REMEDIES = {
    "strays": "Run `nhl-lake maintain`: it removes them when they are old enough.",
    "protocol": "Update this program: `pip install --upgrade nhl-lake`.",
    "checkpoint": f"Run {MEND_COMMAND} to write a new one.",
    "checksums": f"Run {MEND_COMMAND} to record them again; its data files can be read.",
    "unrecorded": "Run `nhl-lake maintain` to record them.",
}
CAUSED_BY_COMMITS = {"file", "unreadable", "other table", "other history"}


class Finding(NamedTuple):
    """One problem: its severity (damage, warning, note), where and what it is, and how to fix it."""

    severity: str
    where: str
    what: str
    remedy: str
    damage: Damage | None = None


class LakeBackups(NamedTuple):
    """The backups of a lake: where they are, the lake's identity, and the newest that the lake must continue."""

    location: Location
    ids: Collection[str]
    newest: Manifest | None

    def list_saved(self, table: Table) -> Iterator[TableBackup]:
        """Yield what the backups have of a table, newest first."""
        return repair.read_table_backups(self.location, self.ids, table)


class RepairResult(NamedTuple):
    """One repair: where, and how."""

    where: str
    how: str


def examine_lake(
    root: Location, backups: Location, *, now: datetime, deep: bool, ids: Collection[str] | None = None
) -> list[Finding]:
    """Return the problems of a lake, the worst first.

    ids: the identity of the lake whose backups count. None: this lake's.
    """
    ids = layout.read_lake_ids(root) if ids is None else ids
    if (swap := atomic_swap.read_unfinished_swap(root)) is not None:
        what = f"`{swap.command}` was interrupted while it replaced the lake"
        return [Finding("damage", str(root), what, f"Run {MEND_COMMAND} to finish; it takes seconds.")]
    if not any(delta_tables.has_files(delta_tables.locate_table(root, table)) for table in TABLES):
        raise LakeError(
            f"There is no lake at {root}.",
            "Run `nhl-lake ingest` to create one, or `nhl-lake restore --from-backup` to restore one.",
        )
    newest, backup_findings = examine_backups(root, backups, ids, now)
    newest = find_reference_backup(root, backups, newest)
    by_table = examine_tables(root, LakeBackups(backups, ids, newest), deep=deep)
    damaged = {finding.where for finding in by_table if finding.severity == "damage"}
    found = [
        *examine_location(root),
        *([] if damaged & {ledger.META.name, SCHEDULE.name} else examine_versions(root, now)),
        *by_table,
        *([] if damaged & {ledger.MODELS.name, XG_MODEL.name} else examine_models(root)),
        *backup_findings,
        *find_restore_leftovers(root),
    ]
    order = {"damage": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def find_reference_backup(root: Location, backups: Location, newest: Manifest | None) -> Manifest | None:
    """Return the backup that a lake must continue: the newest, or the older one from which it was restored."""
    try:
        note = msgspec.json.decode(location.read_file(root, restore.RESTORE_NOTE), type=restore.RestoreNote)
        return newest if newest is None or note.newest != newest.name else repository.read_manifest(backups, note.name)
    except (LakeError, FileNotFoundError, msgspec.DecodeError):
        return newest


def examine_tables(root: Location, backups: LakeBackups, *, deep: bool) -> list[Finding]:
    """Examine all tables, in parallel. Damaged ones are compared with every backup of the lake."""
    saved = {one.name: one for one in backups.newest.tables} if backups.newest else {}
    imported = (
        table
        for table in external.TABLES
        if table.name in saved or delta_tables.has_files(delta_tables.locate_table(root, table))
    )
    tables = [*TABLES, *imported]
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        by_table = list(
            pool.map(lambda table: damage.examine_table(root, table, saved.get(table.name), deep=deep), tables)
        )
    return [
        make_finding(root, found, backups, deep=deep)
        for table, damages in zip(tables, by_table, strict=True)
        for found in compare_with_backups(root, table, damages, backups, deep=deep)
    ]


def compare_with_backups(
    root: Location, table: Table, damages: list[Damage], backups: LakeBackups, *, deep: bool
) -> list[Damage]:
    """Return the damages of a table. If commits differ from a backup, only these: others may follow from them.

    A changed commit may name files that never existed. Their pages are then in a backup, though no backup names them.
    """
    is_damaged = any(found.kind in CAUSED_BY_COMMITS for found in damages)
    if not is_damaged and not deep:
        return damages
    if any(found.kind in {"gap", "broken commit", "missing", "no log", "behind"} for found in damages):
        return damages
    changed = damage.find_commits_unlike_backup(root, backups.location, table, backups.list_saved(table))
    if not changed:
        return damages
    what = f"{damage.format_commits(changed)} of its log {damage.choose_verb(changed)} not as in the backup"
    return [Damage("broken commit", table, what, versions=changed)]


def make_finding(root: Location, found: Damage, backups: LakeBackups, *, deep: bool) -> Finding:
    """Return the finding for a damage. A missing table that no backup has may be new in this release."""
    has_backup = next(backups.list_saved(found.table), None) is not None
    is_new = (
        found.kind == "missing"
        and not has_backup
        and (backups.newest is not None or found.table.layer in {"silver", "gold"})
    )
    severity = "warning" if is_new or found.kind == "strays" else "damage"
    if found.kind == "unrecorded":
        severity = "note"
    remedy = find_remedy(root, found, backups)
    if deep:  # without it, the repair would not find what only deep finds
        remedy = remedy.replace("doctor --mend", "doctor --deep --mend")
    return Finding(severity, found.table.name, found.what, remedy, found)


def find_remedy(root: Location, found: Damage, backups: LakeBackups) -> str:
    """Return the command that repairs a damage with the least loss."""
    if found.kind in FIXED_REMEDIES:
        return FIXED_REMEDIES[found.kind]
    return find_backup_remedy(root, found, list(backups.list_saved(found.table))) or find_remedy_without_backup(
        root, found
    )


def find_backup_remedy(root: Location, found: Damage, saved: Sequence[TableBackup]) -> str | None:
    """Return the command that restores the damaged part from a backup, if one has it."""
    if any(is_in_backup(found, one) for one in saved):
        return f"Run {MEND_COMMAND} to restore it from the backup."
    if saved and found.table.is_stored and found.kind != "file" and not repair.is_last_commit(root, found):
        return f"Run `nhl-lake restore --from-backup --table {found.table.name}`: newer rows are kept."
    return None


def find_remedy_without_backup(root: Location, found: Damage) -> str:
    """Return what to do about a damage if no backup can help."""
    table = found.table
    if table.layer in {"silver", "gold"}:
        return f"Run {MEND_COMMAND} to rebuild it from bronze."
    if found.kind == "old file":
        return f"Run {MEND_COMMAND} to move it aside: the newest version does not need it."
    if repair.is_last_commit(root, found):
        return f"Run {MEND_COMMAND} to move it aside."
    if found.kind == "behind":
        return f"Run {MEND_COMMAND} to add the rows that its data files have."
    what_follows = ", then `nhl-lake ingest` fetches the other pages again" if table.layer == "bronze" else ""
    return f"No backup has it. {DROP_PAGES_COMMAND} sets it aside and keeps what can be read{what_follows}."


def is_in_backup(found: Damage, backed_up: TableBackup) -> bool:
    """Return whether the backup has the damaged files or commits."""
    if found.kind in {"gap", "broken commit", "behind"}:
        return max(found.versions) <= backed_up.version
    return found.kind in {"file", "old file"} and set(found.files) <= {file.name for file in backed_up.files}


def examine_location(root: Location) -> Iterator[Finding]:
    """Yield problems of the place of a lake: store, permissions, disk space, leftover files."""
    if isinstance(root, Bucket):
        try:
            probe_store(root)
        except LakeError as error:
            yield Finding("damage", str(root), error.message, error.hint)
    elif not os.access(root, os.W_OK):
        yield Finding("damage", str(root), "you have no write permission for its folder", "Change its permissions.")
    if isinstance(root, Path) and (free := shutil.disk_usage(root).free) < MIN_FREE_BYTES:
        yield Finding(
            "warning", str(root), f"its disk has {free / 1e6:,.0f} MB left", "Free disk space: `nhl-lake maintain`."
        )
    if count := sum(1 for _ in find_orphan_files(root)):
        yield Finding(
            "note",
            str(root),
            f"{format_count(count, 'staging file')} of running or killed commands",
            "Run `nhl-lake maintain` to remove old ones.",
        )


def examine_versions(root: Location, now: datetime) -> Iterator[Finding]:
    """Yield problems of a lake's layout version, and of the clock: both are read from tables that can be read."""
    newest = delta_tables.scan_table_or_empty(root, ledger.META).select(pl.col("layout").max()).collect().item()
    if newest is not None and newest > ledger.LAYOUT_VERSION:
        what = f"it has layout {newest}; this program reads {ledger.LAYOUT_VERSION}"
        yield Finding("damage", str(root), what, "Update this program: `pip install --upgrade nhl-lake`.")
    at = delta_tables.scan_table_or_empty(root, SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
    if at is not None and at > now + CLOCK_TOLERANCE:
        what = f"its newest page was fetched at {at:%Y-%m-%d %H:%M} UTC, but the clock says {now:%Y-%m-%d %H:%M} UTC"
        remedy = "Correct this machine's clock. New pages are stored in the right order nevertheless."
        yield Finding("warning", str(root), what, remedy)


def examine_models(root: Location) -> Iterator[Finding]:
    """Yield the fitted model of xG that the lake uses, if `lake.models` lost it."""
    if not restore_tables.is_readable(root, XG_MODEL) or not restore_tables.is_readable(root, ledger.MODELS):
        return  # `deep` names the file
    for name in find_lost_model(root)["model"]:
        what = f"it lacks the model '{name}', which this lake's xG is from"
        remedy = f"Run {MEND_COMMAND} to add it again from {XG_MODEL.name}."
        yield Finding("damage", ledger.MODELS.name, what, remedy, Damage("lost model", ledger.MODELS, what))


def examine_backups(
    root: Location, backups: Location, ids: Collection[str], now: datetime
) -> tuple[Manifest | None, list[Finding]]:
    """Return the newest backup of a lake if it can be read, and the findings about its backups."""
    hint = "Run `nhl-lake backup create`."
    try:
        newest = repository.read_newest_manifest(backups, ids)
        earlier = None if newest else find_earlier_lake(root, backups)
    except (LakeError, OSError, obstore.exceptions.BaseError) as error:
        what = error.message if isinstance(error, LakeError) else " ".join(str(error).split())[:200]
        return None, [Finding("warning", str(backups), what, "Run `nhl-lake backup verify` to check them.")]
    if earlier is not None:
        about = repository.describe_lake(earlier)
        what = f"there is no backup of this lake, but of an earlier one at its place: {about}"
        restore_command = f"`nhl-lake restore --from-backup --lake {earlier.lake_id[: repository.SHORT_ID]}`"
        return None, [Finding("warning", str(backups), what, f"Run {restore_command} if that lake was lost. {hint}")]
    if newest is None:
        return None, [Finding("warning", str(backups), "there is no backup of this lake", hint)]
    if now - newest.made_at > MAX_BACKUP_AGE:
        return newest, [
            Finding("warning", str(backups), f"the newest backup is {(now - newest.made_at).days} days old", hint)
        ]
    return newest, []


def find_earlier_lake(root: Location, backups: Location) -> Manifest | None:
    """Return the newest backup of another lake that was at the same place: that lake may have been lost."""
    return next((m for m in repository.read_manifests(backups, None) if create.is_same_place(m, root)), None)


def find_restore_leftovers(root: Location) -> Iterator[Finding]:
    """Yield what restores have left next to a lake."""
    for name in list_neighbors(root):
        if name.startswith(f"{root.name}.restoring-"):
            yield Finding(
                "warning", name, "an interrupted restore has left it", "Run the restore again, or delete this folder."
            )
        elif name.startswith(f"{root.name}.before-restore-"):
            yield Finding("note", name, "the lake before a restore", "Delete it when you no longer need it.")


def list_neighbors(root: Location) -> list[str]:
    """Return the names next to a lake."""
    if isinstance(root, Path):
        return sorted(found.name for found in root.resolve().parent.iterdir())
    parent = root.prefix.rpartition("/")[0]
    found = obstore.list_with_delimiter(location.open_store(Bucket(root.bucket)), prefix=parent or None)[
        "common_prefixes"
    ]
    names = sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found)
    # some stores still list empty folders
    return [name for name in names if name.startswith(f"{root.name}.") and not location.is_empty(root.with_name(name))]


def repair_lake(
    root: Location,
    backups: Location,
    *,
    now: datetime,
    deep: bool,
    drop_missing_pages: bool,
    command: str,
    ids: Collection[str] | None = None,
) -> list[RepairResult]:
    """Repair what can be repaired without loss. Some damage shows only after other damage is repaired."""
    results = []
    ids = layout.read_lake_ids(root) if ids is None else ids
    with locks.hold_lock(root, command, now=now):
        if (swap := atomic_swap.finish_swap(root)) is not None:
            handles.clear_handles()
            results.append(RepairResult(str(root), f"`{swap.command}` was finished"))
        for _ in range(MAX_ROUNDS):
            new = list(repair_findings(root, backups, ids, now=now, deep=deep, drop_missing_pages=False))
            results += new
            if not new:
                break
        if drop_missing_pages:  # only after everything that backups have is restored
            results += repair_findings(root, backups, ids, now=now, deep=deep, drop_missing_pages=True)
            results += (RepairResult(name, how) for name, how in repair.recover_set_aside_rows(root))
            # a table that was created again may lack the model in use
            results += repair_findings(root, backups, ids, now=now, deep=False, drop_missing_pages=False)
        if not any(is_source_damage(found) for found in examine_lake(root, backups, now=now, deep=False, ids=ids)):
            results += (RepairResult(name, how) for name, how in repair.rebuild_missing_tables(root, now))
    return results


def is_source_damage(found: Finding) -> bool:
    """Return whether a finding is damage of what silver and gold are built from, or of the lake as a whole."""
    return found.severity == "damage" and (found.damage is None or found.damage.table.layer in {"bronze", "lake"})


def repair_findings(
    root: Location,
    backups: Location,
    ids: Collection[str],
    *,
    now: datetime,
    deep: bool,
    drop_missing_pages: bool,
) -> Iterator[RepairResult]:
    """Repair the current findings once."""
    for found in examine_lake(root, backups, now=now, deep=deep, ids=ids):
        if found.damage is not None and (found.severity == "damage" or found.damage.kind == "missing"):
            how = repair.repair_damage(
                root, backups, found.damage, ids=ids, now=now, drop_missing_pages=drop_missing_pages
            )
            if how is not None:
                yield RepairResult(found.where, how)
