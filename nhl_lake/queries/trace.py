"""What each layer says of one game, or of one player in it: from the page that was asked for to the number."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


class TraceEntry(NamedTuple):
    """What one table says: how many rows, and those that are worth showing."""

    table: Table
    row_count: int
    rows: pl.DataFrame


def trace_game(root: Location, game_id: int, player_id: int | None = None) -> Iterator[TraceEntry]:
    """Yield what each table with games says: versions of pages, rows of the game, or those with the player."""
    schedule = delta_tables.scan_table(root, catalog.find_table("bronze.schedule")).filter(pl.col("game_id") == game_id)
    if schedule.select(pl.len()).collect().item() == 0:
        raise BadInput(f"The lake does not know the game {game_id}.", "`nhl-lake show silver.games` lists games.")
    if player_id is not None:
        dressed = delta_tables.scan_table(root, catalog.find_table("silver.lineups")).filter(
            pl.col("game_id") == game_id, pl.col("player_id") == player_id
        )
        if dressed.collect().is_empty():
            raise BadInput(f"Nobody with the id {player_id} is in the line-ups of {game_id}.", "Give another --player.")
    for table in catalog.TABLES:
        if "game_id" in table.schema and delta_tables.has_table(root, table):
            yield trace_table(
                table, delta_tables.scan_table(root, table).filter(pl.col("game_id") == game_id), player_id
            )


def trace_table(table: Table, rows: pl.LazyFrame, player_id: int | None) -> TraceEntry:
    """Return what a table says of the rows of a game."""
    if table.layer == "bronze":
        pages = rows.select("state", "fetched_at", "body_bytes", "sha256", "run_id").sort("fetched_at").collect()
        return TraceEntry(table, pages.height, pages)
    people = [name for name in table.schema if name.endswith("player_id")]
    lists = [name for name in table.schema if name.endswith("player_ids")]
    if player_id is not None and (people or lists):
        named = [pl.col(name) == player_id for name in people] + [pl.col(n).list.contains(player_id) for n in lists]
        rows = rows.filter(pl.any_horizontal(named))
    found = rows.sort(table.key).collect()
    few = player_id is not None or table.key == ("game_id",) or table.name in {"silver.game_quality", "silver.refusals"}
    return TraceEntry(table, found.height, drop_empty_columns(found) if few else found.clear())


def drop_empty_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out columns that say nothing."""
    return rows.select(name for name in rows.columns if rows[name].null_count() < rows.height)
