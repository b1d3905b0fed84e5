"""The table of contents: every table of the lake."""

from difflib import get_close_matches
from graphlib import TopologicalSorter

from nhl_lake import bronze, ledger
from nhl_lake.errors import BadInput
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.table import Table

SILVER = (GAMES, PLAYS, LINEUPS)
GOLD = (SKATER_GAME,)

TABLES: tuple[Table, ...] = (*bronze.TABLES, *SILVER, *GOLD, *ledger.TABLES)


def in_order() -> list[Table]:
    """Return the silver and gold tables, each after those that it reads."""
    order = TopologicalSorter({table: table.reads for table in TABLES}).static_order()
    return [table for table in order if table.layer in {"silver", "gold"}]


def find(name: str) -> Table:
    """Return the table of a name."""
    names = {table.name: table for table in TABLES}
    if name not in names:
        near = get_close_matches(name, names, n=1, cutoff=0.4)
        raise BadInput(
            f"There is no table '{name}'.",
            f"Did you mean '{near[0]}'?" if near else "`nhl-lake tables` lists them.",
        )
    return names[name]


def downstream(tables: set[Table]) -> list[Table]:
    """Return the silver and gold tables that follow from any of the given ones, in order."""
    touched = set(tables)
    for table in in_order():
        if touched & set(table.reads):
            touched.add(table)
    return [table for table in in_order() if table in touched]
