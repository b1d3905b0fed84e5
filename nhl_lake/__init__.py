"""nhl-lake: your own NHL lakehouse in a folder.

import nhl_lake
lake = nhl_lake.open_lake()
lake.table("gold.skater_season").filter(is_total=True, situation="all").top_k(10, by="goals").collect()

Without a lake, from what somebody has published: nhl_lake.load("gold.skater_season", source="https://host/nhl")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.store.location import Location, Source

__all__ = ["Lake", "list_published", "load", "open_lake"]


@dataclass(frozen=True)
class Lake:
    """A lake to read from: the folder, or the bucket and prefix, that holds its tables."""

    root: "Location"

    def table(self, name: str, *, version: int | None = None) -> "pl.LazyFrame":
        """Scan a table, such as `gold.skater_game`, pinned at its newest version or at `version`."""
        from nhl_lake import catalog
        from nhl_lake.store import delta_tables

        return delta_tables.scan_table(self.root, catalog.find_table(name), version=version)

    def sql(self, query: str, **frames: "pl.DataFrame | pl.LazyFrame") -> "pl.DataFrame":
        """Return the result of a query over all tables, and over frames of your own by their names.

        lake.sql("select player, goals from gold.skater_season join own using (player_id)", own=df)
        """
        from nhl_lake.queries import sql

        return sql.collect_query(sql.run_query(self.root, query, frames))

    def versions(self, name: str) -> "pl.DataFrame":
        """Return the versions of a table, newest first: when each was written, and by which operation."""
        from nhl_lake import catalog
        from nhl_lake.queries import sql as query

        return query.list_versions(self.root, catalog.find_table(name))

    def tables(self) -> list[str]:
        """Return the names of the tables that are in the lake."""
        from nhl_lake import catalog
        from nhl_lake.store import delta_tables

        return [table.name for table in catalog.ALL_TABLES if delta_tables.has_table(self.root, table)]

    def _repr_html_(self) -> str:
        """Return what a notebook shows of a lake: where it is, its seasons and its tables."""
        from nhl_lake.reports import lake_card

        return lake_card.render_lake(lake_card.read_overview(self.root))


def open_lake(root: str | Path | None = None) -> Lake:
    """Open the lake in a folder or at `s3://bucket/prefix`; by default, the one in the settings."""
    from nhl_lake import layout, settings
    from nhl_lake.store.location import parse_location, require_lake_name

    where = require_lake_name(parse_location(root)) if root is not None else settings.load()[0].root
    layout.require_readable_lake(where)
    return Lake(where)


def load(name: str, *, season: int | Sequence[int] | None = None, source: str | Path) -> "pl.LazyFrame":
    """Load a table of a publication (`nhl-lake publish`), whole or some seasons: 2023, or [2022, 2023].

    source: `https://host/path`, a folder, or `s3://bucket/prefix`. Files come whole, and are checked against the
    SHA-256 of the manifest. The frame has the columns of the lake's table.

    Raises nhl_lake.errors.LakeError: no such table or season, a damaged file, a host that cannot be reached.
    """
    from nhl_lake.sharing import load as sharing

    return sharing.load_table(parse_publication(source), name, season)


def list_published(source: str | Path) -> "pl.DataFrame":
    """Return one row per file of a publication: table, season, rows, bytes and sha256. source: as for `load`."""
    from nhl_lake.sharing import load as sharing

    return sharing.list_files(parse_publication(source))


def parse_publication(source: str | Path) -> "Source":
    """Return the location that the address of a publication names."""
    from nhl_lake.store.location import parse_source

    return parse_source(str(source))
