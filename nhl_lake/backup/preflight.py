"""Checks before a restore: is it possible, and does the user need to confirm it?"""

import shutil
from pathlib import Path

import polars as pl

from nhl_lake import layout
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.location import Location, Source, walk_folder
from nhl_lake.text import format_count


def check_restore(root: Location, backups: Source, manifest: Manifest) -> None:
    """Raise if this program cannot read the backup, or if the existing lake is of another league."""
    if manifest.layout > ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The backup {manifest.name} has layout {manifest.layout}, by nhl-lake {manifest.made_by}: "
            "newer than this program.",
            "No changes were made. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if isinstance(root, Path) and isinstance(backups, Path) and root.resolve() in (backups / "_").resolve().parents:
        raise BadInput(
            f"The backups at {backups} are inside the lake's folder.",
            "Move them to another folder, then run `nhl-lake restore --from-backup --from DIR`.",
        )
    try:
        sources = set(delta_tables.scan_table(root, ledger.META).select("source").collect()["source"])
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return  # there is no lake, or it cannot be read and will be replaced
    if sources and manifest.source not in sources:
        raise BadInput(
            f"The lake at {root} holds pages of the {min(sources)}, "
            f"but the backup {manifest.name} is of the {manifest.source}.",
            "Set NHL_LAKE_ROOT to another folder, or use other backups with --from.",
        )


def check_disk_space(root: Location, staged: Location, manifest: Manifest) -> None:
    """Raise if there is not enough disk space for a restore. What a killed one has fetched is there already."""
    if isinstance(root, Path) and isinstance(staged, Path):
        needed = sum(file.size for table_backup in manifest.tables for file in table_backup.files)
        needed -= sum(file.size for file in walk_folder(staged, "", staged=True))
        free = shutil.disk_usage(next(parent for parent in root.resolve().parents if parent.is_dir())).free
        if free < needed:
            raise LakeError(
                f"The backup {manifest.name} needs {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free.",
                "No changes were made. Free disk space, or set NHL_LAKE_ROOT to another folder to restore there.",
            )


def make_restore_prompt(root: Location, manifest: Manifest) -> str | None:
    """Return the question to confirm a restore; None if there is no lake, or a damaged one without newer rows."""
    if not is_occupied(root):
        return None
    newer_rows = [newer for table_backup in manifest.tables if (newer := describe_newer_rows(root, table_backup))]
    if newer_rows:
        return (
            f"The lake at {root} has data that the backup {manifest.name} lacks ({', '.join(newer_rows[:3])}"
            f"{' …' if len(newer_rows) > 3 else ''}). The restore moves this lake aside."
        )
    try:
        layout.check_tables(root)
        saved = {table.name for table in manifest.tables}  # a table of a later release is not lost
        tables = [table for table in endpoints.TABLES if table.name in saved]
        lost = [table.name for table in tables if not delta_tables.has_table(root, table)]
    except LakeError:
        return None
    return None if lost else f"There is an undamaged lake at {root}. The restore moves it aside."


def describe_newer_rows(root: Location, table_backup: TableBackup) -> str | None:
    """Describe how many more rows an append-only table has than the backup; None if it has none."""
    table = {table.name: table for table in (*endpoints.TABLES, *ledger.TABLES)}.get(table_backup.name)
    try:
        newer_rows = delta_tables.read_table_size(root, table)["rows"] - table_backup.rows if table else 0
    except LakeError:
        return None
    return f"{format_count(newer_rows, 'row')} of {table_backup.name}" if newer_rows > 0 else None


def is_occupied(root: Location) -> bool:
    """Return whether a location holds anything except a lock and settings."""
    if isinstance(root, Path):
        return root.is_dir() and any(
            found.is_dir() and found.name != atomic_swap.STATE_FOLDER for found in root.iterdir()
        )
    return bool(atomic_swap.list_lake_files(root))
