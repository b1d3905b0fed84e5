"""Check a lake before use: does it exist, which layout version does it have, can every table be read?"""

import json
from collections.abc import Sequence
from contextlib import suppress

import polars as pl

from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import atomic_swap, delta_tables
from nhl_lake.store.handles import read_commit
from nhl_lake.store.location import Location
from nhl_lake.text import format_count


def is_lake(root: Location) -> bool:
    """Return whether there is a lake at a location."""
    return delta_tables.has_table(root, ledger.META)


def read_lake_ids(root: Location) -> frozenset[str]:
    """Return the identity of a lake: the Delta id of `lake.meta`. It is random, in every backup, and never changes.

    Without a readable `lake.meta`, return the ids of the other tables that are never replaced; empty if there is none.
    """
    meta = read_table_id(root, ledger.META)
    if meta is not None:
        return frozenset([meta])
    from nhl_lake.catalog import TABLES

    others = (read_table_id(root, table) for table in TABLES if table.layer in {"bronze", "lake"})
    return frozenset(found for found in others if found is not None)


def read_table_id(root: Location, table: Table) -> str | None:
    """Return the Delta id of a table, from its first commit if the table cannot be opened; None if it is lost."""
    try:
        return str(delta_tables.open_table(root, table).metadata().id)
    except LakeError:
        text = read_commit(delta_tables.locate_table(root, table), 0) or ""
    with suppress(ValueError, KeyError, TypeError):
        for line in text.splitlines():
            if '"metaData"' in line:
                return str(json.loads(line)["metaData"]["id"])
    return None


def require_readable_lake(root: Location) -> None:
    """Raise if there is no lake, or if it cannot be read."""
    check_tables(root)
    require_lake_exists(root)


def require_lake_exists(root: Location) -> None:
    """Raise if there is no lake, of any layout version."""
    if not is_lake(root):
        raise LakeError(
            f"There is no lake at {root}.", "Run `nhl-lake ingest` to create one. NHL_LAKE_ROOT sets its location."
        )


def check_source(root: Location, source: str) -> None:
    """Raise if the lake holds pages of another league: bronze is never deleted, so the two would mix."""
    if not is_lake(root):
        return
    sources = set(delta_tables.scan_table(root, ledger.META).select("source").collect()["source"])
    if sources and source not in sources:
        raise BadInput(
            f"The lake at {root} holds pages of the {min(sources)}, not of the {source}.",
            "Set NHL_LAKE_ROOT to another folder, or NHL_LAKE_API to this lake's source (for example `league:`).",
        )


def check_tables(root: Location) -> None:
    """Open every table. Raise if a newer program wrote the lake, or if a table is lost or cannot be read."""
    check_layout_version(root)
    if is_lake(root):
        from nhl_lake.catalog import TABLES  # takes a while to load; a query does without

        require_no_lost_tables(root, delta_tables.open_tables(root, TABLES))


def require_no_lost_tables(root: Location, missing: Sequence[Table]) -> None:
    """Raise if the ledger records pages of a missing table. An empty new table would make ingest fetch all of them."""
    lost = {table.name for table in missing if table.layer == "bronze"}
    if not lost:
        return
    runs = delta_tables.scan_table_or_empty(root, ledger.RUNS).select(pl.col("pages").explode()).unnest("pages")
    stored = (
        runs.filter(pl.col("table").is_in(lost)).group_by("table").agg(rows=(pl.col("new") + pl.col("changed")).sum())
    )
    for name, count in stored.filter(pl.col("rows") > 0).sort("table").collect().iter_rows():
        raise LakeError(
            f"{name} is missing from the lake at {root}: earlier runs stored {format_count(count, 'page')} in it.",
            f"Run `nhl-lake restore --from-backup --table {name}`. Without a backup, `nhl-lake doctor --mend "
            "--drop-missing-pages` makes the next ingest fetch all of its pages again.",
        )


def check_layout_version(root: Location) -> None:
    """Raise if the lake does not have this program's layout version, or if the table that records it is lost."""
    atomic_swap.require_no_unfinished_swap(root)
    if not is_lake(root):
        from nhl_lake.catalog import TABLES

        # a first run, killed or still going, leaves empty tables; it writes rows only after creating all of them
        for table in TABLES:
            if delta_tables.has_data_files(root, table):
                delta_tables.raise_unreadable(root, table, "the lake's own tables (lake/meta) are missing")
        return
    layouts = (
        delta_tables.scan_table(root, ledger.META).sort("layout").select(pl.col("layout", "made_by").last()).collect()
    )
    newest, made_by = layouts.row(0)
    if newest is not None and newest > ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The lake at {root} has layout {newest}, written by nhl-lake {made_by}: newer than this program.",
            "No changes were made. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if newest is not None and newest < ledger.LAYOUT_VERSION:
        raise UnreadableData(
            f"The lake at {root} has layout {newest}, written by nhl-lake {made_by}: "
            f"this program reads {ledger.LAYOUT_VERSION}.",
            "No changes were made. Run `nhl-lake upgrade` to convert it; the old lake is kept next to it.",
        )
