"""Is there a lake at a location, of which version, and can every table of it be read?"""

from collections.abc import Sequence

import polars as pl

from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, LakeError, Unreadable
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.location import Place


def is_lake(root: Place) -> bool:
    """Whether there is a lake in a folder."""
    return delta_tables.is_table(root, ledger.META)


def require(root: Place) -> None:
    """Raise if there is no lake, or one that cannot be read."""
    check_layout(root)
    require_any(root)


def require_any(root: Place) -> None:
    """Raise if there is no lake, of whatever layout."""
    if not is_lake(root):
        raise LakeError(f"There is no lake at {root}.", "`nhl-lake ingest` makes one; NHL_LAKE_ROOT says where.")


def check_source(root: Place, source: str) -> None:
    """Raise if the lake keeps the pages of another league: what is in bronze stays there for ever."""
    if not is_lake(root):
        return
    sources = set(delta_tables.scan(root, ledger.META).select("source").collect()["source"])
    if sources and source not in sources:
        raise BadInput(
            f"The lake at {root} keeps pages of the {min(sources)}, not of the {source}.",
            "Set NHL_LAKE_ROOT to another folder, or NHL_LAKE_API to where this lake's pages come from (`league:`).",
        )


def check_layout(root: Place) -> None:
    """Open every table: raise if the lake is of a newer program, or if any table of it is lost or cannot be read."""
    check_version(root)
    if is_lake(root):
        require_none_lost(root, delta_tables.open_all(root, TABLES))


def require_none_lost(root: Place, missing: Sequence[Table]) -> None:
    """Raise if the ledger tells of pages of a table that is not there: made anew, all would be asked for again."""
    gone = {table.name for table in missing if table.layer == "bronze"}
    if not gone:
        return
    told = delta_tables.scan_or_empty(root, ledger.RUNS).select(pl.col("pages").explode()).unnest("pages")
    kept = (
        told.filter(pl.col("table").is_in(gone)).group_by("table").agg(rows=(pl.col("new") + pl.col("changed")).sum())
    )
    for name, count in kept.filter(pl.col("rows") > 0).sort("table").collect().iter_rows():
        raise LakeError(
            f"{name} is gone from the lake at {root}: runs have kept {count:,} pages in it.",
            f"`nhl-lake restore --from-backup --table {name}` brings it back; without a backup `nhl-lake doctor --mend "
            "--give-up-lost-pages` lets the next ingest ask for all of it again.",
        )


def check_version(root: Place) -> None:
    """Raise if the lake is not of this program's layout, or lost the table that says of which it is."""
    atomic_swap.require_finished(root)
    if not is_lake(root):
        # a first run that was killed, or that is under way, leaves tables; rows come after all of them are made
        for table in TABLES:
            if delta_tables.holds_data(root, table):
                delta_tables.unreadable(root, table, "the lake's own tables (lake/meta) are gone")
        return
    layouts = delta_tables.scan(root, ledger.META).sort("layout").select(pl.col("layout", "made_by").last()).collect()
    newest, made_by = layouts.row(0)
    if newest is not None and newest > ledger.LAYOUT:
        raise Unreadable(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: newer than this program.",
            "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if newest is not None and newest < ledger.LAYOUT:
        raise Unreadable(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: this program reads {ledger.LAYOUT}.",
            "Nothing was changed. `nhl-lake upgrade` brings it up, and keeps the old lake beside.",
        )
