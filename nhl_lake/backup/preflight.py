"""What is looked at before a lake is restored: whether it can be, and whether something would be lost sight of."""

import shutil
from pathlib import Path

import polars as pl

from nhl_lake import layout
from nhl_lake.backup.manifest import Manifest, Saved
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, Unreadable
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.location import Place


def check(root: Place, backups: Place, wanted: Manifest) -> None:
    """Raise for a backup that this program cannot read, and for one of another league than the lake that is there."""
    if wanted.layout > ledger.LAYOUT:
        raise Unreadable(
            f"The backup {wanted.name} has layout {wanted.layout}, made by nhl-lake {wanted.made_by}: newer than this.",
            "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if isinstance(root, Path) and isinstance(backups, Path) and root.resolve() in (backups / "_").resolve().parents:
        raise BadInput(
            f"The backups at {backups} are in the lake's own folder.",
            "Move them out of it, and name them: `nhl-lake restore --from-backup --from DIR`.",
        )
    try:
        sources = set(delta_tables.scan(root, ledger.META).select("source").collect()["source"])
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return  # no lake, or one that is to be replaced because it cannot be read
    if sources and wanted.source not in sources:
        raise BadInput(
            f"The lake at {root} keeps pages of the {min(sources)}, the backup {wanted.name} of the {wanted.source}.",
            "Set NHL_LAKE_ROOT to another folder, or name other backups with --from.",
        )


def check_room(root: Place, wanted: Manifest) -> None:
    """Raise if a backup does not fit on the disk."""
    if isinstance(root, Path):
        need = sum(file.size for saved in wanted.tables for file in saved.files)
        room = shutil.disk_usage(next(above for above in root.resolve().parents if above.is_dir())).free
        if room < need:
            raise LakeError(
                f"The backup {wanted.name} takes {need / 1e6:,.0f} MB beside the lake; {room / 1e6:,.0f} MB are free.",
                "Nothing was changed. Make room, or restore into another folder: NHL_LAKE_ROOT says where.",
            )


def question(root: Place, wanted: Manifest) -> str | None:
    """Say what a restore would put aside that may be wanted; None of no lake, or of a damaged one without news."""
    if not is_taken(root):
        return None
    more = [news for saved in wanted.tables if (news := rows_since(root, saved))]
    if more:
        return (
            f"The lake at {root} has what the backup {wanted.name} has not ({', '.join(more[:3])}"
            f"{' …' if len(more) > 3 else ''}): it would be put aside."
        )
    try:
        layout.check_layout(root)
        lost = [table.name for table in endpoints.TABLES if not delta_tables.is_table(root, table)]
    except LakeError:
        return None
    return None if lost else f"There is a good lake at {root}: it would be put aside."


def rows_since(root: Place, saved: Saved) -> str | None:
    """Say how many rows more than a backup a table has that only grows."""
    table = {table.name: table for table in (*endpoints.TABLES, *ledger.TABLES)}.get(saved.name)
    try:
        more = delta_tables.size(root, table)["rows"] - saved.rows if table else 0
    except LakeError:
        return None
    return f"{more:,} rows of {saved.name}" if more > 0 else None


def is_taken(root: Place) -> bool:
    """Whether a lake's place holds anything but a lock and settings."""
    if isinstance(root, Path):
        return root.is_dir() and any(found.is_dir() and found.name != atomic_swap.OWN for found in root.iterdir())
    return bool(atomic_swap.contents(root))
