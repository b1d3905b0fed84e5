"""nhl-lake: your own NHL lakehouse in a folder.

import nhl_lake
lake = nhl_lake.open_lake()
lake.table("gold.skater_game").group_by("player_id").agg(pl.col("goals").sum()).collect()
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.place import Place

__all__ = ["Lake", "open_lake"]


@dataclass(frozen=True)
class Lake:
    """A lake to read from: the folder, or the bucket and prefix, that holds its tables."""

    root: "Place"

    def table(self, name: str) -> "pl.LazyFrame":
        """Return a table by its name, pinned at its newest version: `gold.skater_game`."""
        from nhl_lake import catalog, lake  # noqa: PLC0415 - importing the package stays quick

        return lake.scan(self.root, catalog.find(name))

    def tables(self) -> list[str]:
        """Return the names of the tables that are in the lake."""
        from nhl_lake import catalog, lake  # noqa: PLC0415

        return [table.name for table in catalog.TABLES if lake.is_table(self.root, table)]


def open_lake(root: str | Path | None = None) -> Lake:
    """Open the lake in a folder, or at `s3://bucket/prefix`; by default the one that the settings name."""
    from nhl_lake import settings, status  # noqa: PLC0415
    from nhl_lake.place import place_from  # noqa: PLC0415

    where = place_from(root) if root is not None else settings.load()[0].root
    status.require(where)
    return Lake(where)
