"""Is there a lake at a location, of which version, and can every table of it be read?"""

from collections.abc import Sequence

import polars as pl

from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.location import Location


def is_lake(root: Location) -> bool:
    """Whether there is a lake in a folder."""
    return delta_tables.has_table(root, ledger.META)


def require_readable_lake(root: Location) -> None:
    """Raise if there is no lake, or one that cannot be read."""
    check_tables(root)
    require_lake_exists(root)


def require_lake_exists(root: Location) -> None:
    """Raise if there is no lake, of whatever layout."""
    if not is_lake(root):
        raise LakeError(f"There is no lake at {root}.", "`nhl-lake ingest` makes one; NHL_LAKE_ROOT says where.")


def check_source(root: Location, source: str) -> None:
    """Raise if the lake keeps the pages of another league: what is in bronze stays there for ever."""
    if not is_lake(root):
        return
    sources = set(delta_tables.scan_table(root, ledger.META).select("source").collect()["source"])
    if sources and source not in sources:
        raise BadInput(
            f"The lake at {root} keeps pages of the {min(sources)}, not of the {source}.",
            "Set NHL_LAKE_ROOT to another folder, or NHL_LAKE_API to where this lake's pages come from (`league:`).",
        )


def check_tables(root: Location) -> None:
    """Open every table: raise if the lake is of a newer program, or if any table of it is lost or cannot be read."""
    check_layout_version(root)
    if is_lake(root):
        require_no_lost_tables(root, delta_tables.open_tables(root, TABLES))


def require_no_lost_tables(root: Location, missing: Sequence[Table]) -> None:
    """Raise if the ledger tells of pages of a table that is not there: made anew, all would be asked for again."""
    gone = {table.name for table in missing if table.layer == "bronze"}
    if not gone:
        return
    told = delta_tables.scan_table_or_empty(root, ledger.RUNS).select(pl.col("pages").explode()).unnest("pages")
    kept = (
        told.filter(pl.col("table").is_in(gone)).group_by("table").agg(rows=(pl.col("new") + pl.col("changed")).sum())
    )
    for name, count in kept.filter(pl.col("rows") > 0).sort("table").collect().iter_rows():
        raise LakeError(
            f"{name} is gone from the lake at {root}: runs have kept {count:,} pages in it.",
            f"`nhl-lake restore --from-backup --table {name}` brings it back; without a backup `nhl-lake doctor --mend "
            "--drop-missing-pages` lets the next ingest ask for all of it again.",
        )


def check_layout_version(root: Location) -> None:
    """Raise if the lake is not of this program's layout, or lost the table that says of which it is."""
    atomic_swap.require_no_unfinished_swap(root)
    if not is_lake(root):
        # a first run that was killed, or that is under way, leaves tables; rows come after all of them are made
        for table in TABLES:
            if delta_tables.has_data_files(root, table):
                delta_tables.raise_unreadable(root, table, "the lake's own tables (lake/meta) are gone")
        return
    layouts = (
        delta_tables.scan_table(root, ledger.META).sort("layout").select(pl.col("layout", "made_by").last()).collect()
    )
    newest, made_by = layouts.row(0)
    if newest is not None and newest > ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: newer than this program.",
            "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if newest is not None and newest < ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: "
            f"this program reads {ledger.LAYOUT_VERSION}.",
            "Nothing was changed. `nhl-lake upgrade` brings it up, and keeps the old lake beside.",
        )
