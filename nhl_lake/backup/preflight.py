"""What is looked at before a lake is restored: whether it can be, and whether something would be lost sight of."""

import shutil
from pathlib import Path

import polars as pl

from nhl_lake import layout
from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.location import Location


def check_restore(root: Location, backups: Location, wanted: Manifest) -> None:
    """Raise for a backup that this program cannot read, and for one of another league than the lake that is there."""
    if wanted.layout > ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The backup {wanted.name} has layout {wanted.layout}, made by nhl-lake {wanted.made_by}: newer than this.",
            "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if isinstance(root, Path) and isinstance(backups, Path) and root.resolve() in (backups / "_").resolve().parents:
        raise BadInput(
            f"The backups at {backups} are in the lake's own folder.",
            "Move them out of it, and name them: `nhl-lake restore --from-backup --from DIR`.",
        )
    try:
        sources = set(delta_tables.scan_table(root, ledger.META).select("source").collect()["source"])
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return  # no lake, or one that is to be replaced because it cannot be read
    if sources and wanted.source not in sources:
        raise BadInput(
            f"The lake at {root} keeps pages of the {min(sources)}, the backup {wanted.name} of the {wanted.source}.",
            "Set NHL_LAKE_ROOT to another folder, or name other backups with --from.",
        )


def check_disk_space(root: Location, wanted: Manifest) -> None:
    """Raise if a backup does not fit on the disk."""
    if isinstance(root, Path):
        need = sum(file.size for saved in wanted.tables for file in saved.files)
        room = shutil.disk_usage(next(above for above in root.resolve().parents if above.is_dir())).free
        if room < need:
            raise LakeError(
                f"The backup {wanted.name} takes {need / 1e6:,.0f} MB beside the lake; {room / 1e6:,.0f} MB are free.",
                "Nothing was changed. Make room, or restore into another folder: NHL_LAKE_ROOT says where.",
            )


def make_restore_prompt(root: Location, wanted: Manifest) -> str | None:
    """Say what a restore would put aside that may be wanted; None of no lake, or of a damaged one without news."""
    if not is_occupied(root):
        return None
    more = [news for saved in wanted.tables if (news := describe_newer_rows(root, saved))]
    if more:
        return (
            f"The lake at {root} has what the backup {wanted.name} has not ({', '.join(more[:3])}"
            f"{' …' if len(more) > 3 else ''}): it would be put aside."
        )
    try:
        layout.check_tables(root)
        lost = [table.name for table in endpoints.TABLES if not delta_tables.has_table(root, table)]
    except LakeError:
        return None
    return None if lost else f"There is a good lake at {root}: it would be put aside."


def describe_newer_rows(root: Location, saved: TableBackup) -> str | None:
    """Say how many rows more than a backup a table has that only grows."""
    table = {table.name: table for table in (*endpoints.TABLES, *ledger.TABLES)}.get(saved.name)
    try:
        more = delta_tables.read_table_size(root, table)["rows"] - saved.rows if table else 0
    except LakeError:
        return None
    return f"{more:,} rows of {saved.name}" if more > 0 else None


def is_occupied(root: Location) -> bool:
    """Whether a lake's place holds anything but a lock and settings."""
    if isinstance(root, Path):
        return root.is_dir() and any(
            found.is_dir() and found.name != atomic_swap.STATE_FOLDER for found in root.iterdir()
        )
    return bool(atomic_swap.list_lake_files(root))
