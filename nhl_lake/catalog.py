"""The catalog: every table. Bronze is declared in `bronze/endpoints.py`, silver and gold in a file each."""

from difflib import get_close_matches
from graphlib import TopologicalSorter
from importlib import import_module
from types import ModuleType

from nhl_lake import gold, silver
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput
from nhl_lake.schema import external, ledger
from nhl_lake.schema.layers import list_layer_files
from nhl_lake.schema.table import Table


def find_layer_tables(layer: ModuleType) -> tuple[Table, ...]:
    """Return the tables of silver or gold: each file of the folder has one, in capitals."""
    files = list_layer_files(layer)
    return tuple(getattr(import_module(f"{layer.__name__}.{name}"), name.upper()) for name in files)


SILVER = find_layer_tables(silver)
GOLD = find_layer_tables(gold)
BUILT_TABLES: tuple[Table, ...] = (*SILVER, *GOLD)

TABLES: tuple[Table, ...] = (*endpoints.TABLES, *BUILT_TABLES, *ledger.TABLES)
ALL_TABLES: tuple[Table, ...] = (*TABLES, *external.TABLES)  # those of other places are only there after an import


def list_build_order() -> list[Table]:
    """Return the silver and gold tables that a function builds, each after its inputs."""
    order = TopologicalSorter({table: table.inputs for table in TABLES}).static_order()
    return [table for table in order if table in BUILT_TABLES and table.source is not None]


def find_table(name: str) -> Table:
    """Return the table with this name; suggest a similar name if there is none."""
    names = {table.name: table for table in ALL_TABLES}
    if name not in names:
        similar = get_close_matches(name, names, n=1, cutoff=0.4)
        raise BadInput(
            f"There is no table '{name}'.",
            f"Did you mean '{similar[0]}'?" if similar else "Run `nhl-lake tables` to list them.",
        )
    return names[name]


def find_downstream(tables: set[Table]) -> list[Table]:
    """Return the silver and gold tables that depend on any of the given ones, in build order."""
    affected = set(tables)
    for table in list_build_order():
        if affected & set(table.inputs):
            affected.add(table)
    return [table for table in list_build_order() if table in affected]
