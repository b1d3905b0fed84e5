"""Reading a lake from outside: by its folders, with Polars and deltalake, without the package's own reader."""

from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.schema.table import Table

BUILT_TABLES = [table for table in catalog.TABLES if table.layer in {"silver", "gold"}]
GAME_TABLES = [
    catalog.find_table(name)
    for name in ("silver.games", "silver.plays", "silver.lineups", "gold.skater_game", "gold.game_flow")
]
PREDICTED_TABLES = {"gold.game_predictions", "gold.sog_predictions"}  # of the time at which a run predicted
# of pages that say how things are when they are asked for
DATED_TABLES = {"silver.players", "silver.rosters", *PREDICTED_TABLES}


def locate_table(root: Path, table: Table) -> Path:
    return root / table.layer / table.name.split(".")[1]


def read_versions(root: Path) -> dict[str, int]:
    """Return the Delta version of every bronze, silver and gold table."""
    tables = [*endpoints.TABLES, *BUILT_TABLES]
    return {table.name: DeltaTable(locate_table(root, table)).version() for table in tables}


def read_rows(root: Path, table: Table) -> pl.DataFrame:
    """Return every row of a table."""
    return pl.read_delta(str(locate_table(root, table)))


def make_page_names(table: Table) -> pl.Expr:
    return pl.concat_str(pl.col(table.page_key).cast(pl.String), separator="/").alias("page")


def read_newest_pages(root: Path, table: Table) -> dict[str, tuple[Any, ...]]:
    """Return body, state and date of the newest version of each page, by key."""
    about = [name for name in ("body", "state", "season", "game_date") if name in table.schema]
    pages = read_rows(root, table).sort("fetched_at").unique(table.page_key, keep="last", maintain_order=True)
    return {page: rest for page, *rest in pages.select(make_page_names(table), *about).rows()}


def read_all_pages(root: Path) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Return the newest pages of every bronze table."""
    return {table.name: read_newest_pages(root, table) for table in endpoints.TABLES}


def list_filled_tables(root: Path) -> list[Table]:
    """Return the built tables that have rows; those of pages that a lake did not ask for have none."""
    return [table for table in catalog.list_build_order() if read_rows(root, table).height]


def read_sorted_rows(root: Path, table: Table) -> pl.DataFrame:
    """Return every row of a table in order, without `fetched_at`."""
    return read_rows(root, table).sort(table.key).drop("fetched_at", strict=False)


def read_row_set(root: Path, table: Table) -> set[tuple[Any, ...]]:
    """Return every row of a table as a set of tuples."""
    return set(read_rows(root, table).rows())
