"""Trace a game, or a player in it, through the layers: from the fetched page to the statistic."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.queries.game import raise_unknown_game
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


class TraceEntry(NamedTuple):
    """One table's rows of a game: how many there are, and those to show."""

    table: Table
    row_count: int
    rows: pl.DataFrame


def trace_game(root: Location, game_id: int, player_id: int | None = None) -> Iterator[TraceEntry]:
    """Yield, for each table with games, the page versions or rows of a game, or only those that name the player."""
    schedule = delta_tables.scan_table(root, catalog.find_table("bronze.schedule")).filter(pl.col("game_id") == game_id)
    if schedule.select(pl.len()).collect().item() == 0:
        raise_unknown_game(root, game_id)
    if player_id is not None:
        listed = delta_tables.scan_table(root, catalog.find_table("silver.lineups")).filter(
            pl.col("game_id") == game_id, pl.col("player_id") == player_id
        )
        if listed.collect().is_empty():
            raise BadInput(
                f"No player with the id {player_id} is in the line-ups of game {game_id}.",
                f'`nhl-lake show silver.lineups --where "game_id = {game_id}"` lists the players.',
            )
    for table in catalog.TABLES:
        if "game_id" in table.schema and delta_tables.has_table(root, table):
            yield trace_table(
                table, delta_tables.scan_table(root, table).filter(pl.col("game_id") == game_id), player_id
            )


def trace_table(table: Table, rows: pl.LazyFrame, player_id: int | None) -> TraceEntry:
    """Return the number of a table's rows for a game, and the rows to show."""
    if table.layer == "bronze":
        pages = rows.select("state", "fetched_at", "body_bytes", "sha256", "run_id").sort("fetched_at").collect()
        return TraceEntry(table, pages.height, pages)
    people = [name for name in table.schema if name.endswith("player_id")]
    lists = [name for name in table.schema if name.endswith("player_ids")]
    if player_id is not None and (people or lists):
        named = [pl.col(name) == player_id for name in people] + [pl.col(n).list.contains(player_id) for n in lists]
        rows = rows.filter(pl.any_horizontal(named))
    found = rows.sort(table.key).collect()
    has_few_rows = table.key == ("game_id",) or table.name in {"silver.game_quality", "silver.quarantine"}
    is_shown = player_id is not None or has_few_rows
    return TraceEntry(table, found.height, drop_empty_columns(found) if is_shown else found.clear())


def drop_empty_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Drop columns that have only nulls."""
    return rows.select(name for name in rows.columns if rows[name].null_count() < rows.height)
