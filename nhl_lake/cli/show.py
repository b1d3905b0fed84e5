"""The commands that read tables: tables, show."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.schema.table import Table


def tables(
    name: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Table whose columns to list: gold.skater_game.")
    ] = None,
    json: Json = False,
) -> None:
    """List every table with its size, or the columns of one table.

    The columns, with their units and meanings, need no lake.
    """
    from nhl_lake import catalog, layout
    from nhl_lake.cli import console, views
    from nhl_lake.store import delta_tables

    if name is not None:
        table = add_imported_columns(catalog.find_table(name))
        if json:
            write_out(console.format_json(describe_table(table)))
        else:
            views.show_columns(table)
        return
    chosen, _ = load_settings()
    has_lake = layout.is_lake(chosen.root)
    if has_lake:
        layout.require_readable_lake(chosen.root)
    sizes = dict(delta_tables.read_table_sizes(chosen.root, catalog.ALL_TABLES)) if has_lake else {}
    listed = [table for table in catalog.ALL_TABLES if table in catalog.TABLES or table in sizes]
    if json:
        unknown = dict.fromkeys(("rows", "files", "bytes", "version"))
        rows = [{"table": t.name, "row_is": t.grain, **sizes.get(t, unknown)} for t in listed]
        write_out(console.format_json(rows))
        return
    views.show_tables(listed, sizes)
    if not has_lake:
        print_text(f"\nThere is no lake at {chosen.root} yet: rows and sizes are unknown.")


def add_imported_columns(table: "Table") -> "Table":
    """Return an imported table with the columns of its files; other tables, or without a lake, as they are."""
    from nhl_lake.schema import external
    from nhl_lake.store import delta_tables

    if table.layer != external.LAYER or not delta_tables.has_table(root := load_settings()[0].root, table):
        return table
    return external.add_file_columns(table, delta_tables.scan_table(root, table).collect_schema())


def describe_table(table: "Table") -> dict[str, object]:
    """Return a table as JSON: what one row is, its key, its sources and its columns."""
    columns = [
        {
            "name": column.name, "type": str(column.dtype), "unit": column.unit or None,
            "meaning": column.description, "nullable": column.nullable, "values": list(column.values) or None,
        }
        for column in table.columns
    ]  # fmt: skip
    sources = [read.name for read in table.inputs]
    return {"table": table.name, "row_is": table.grain, "key": table.key, "sources": sources, "columns": columns}


def show(
    table: Annotated[str, typer.Argument(help="Name of the table: gold.skater_game.")],
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Rows to print: \"game_date >= '2026-03-30'\".")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="NAMES", help="Columns to print, separated by commas.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of rows.")] = 10,
    json: Json = False,
) -> None:
    """Print rows of a table, newest first.

    Prints the columns that fit the screen; --columns chooses them, and --json prints all.
    """
    import polars as pl

    from nhl_lake import catalog, layout
    from nhl_lake.cli import console, frames
    from nhl_lake.queries import sql
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    found = catalog.find_table(table)
    layout.check_layout_version(chosen.root)
    rows = delta_tables.scan_table(chosen.root, found)
    names = parse_columns(columns, rows.collect_schema().names())
    if where:
        rows = sql.filter_rows(rows, where)
    times = [name for name in ("game_date", "started_at", "game_id", "fetched_at") if name in found.schema]
    order = [*times[:1], *(name for name in found.key if name not in times[:1])]
    rows = rows.sort(order, descending=[bool(times), *[False] * (len(order) - 1)], nulls_last=True)
    page = rows.head(limit).select(names or pl.all()).collect()
    if json:
        write_out(console.format_json(page.to_dicts()))
        return
    if page.is_empty():
        print_text(f"{found.name} has no rows{f' where {where}' if where else ''}.")
        return
    asked = [name for name in page.columns if where and re.search(rf"\b{name}\b", where)]
    left_out = frames.show_rows(page if names else page.select(frames.order_columns(page.columns, asked)))
    if left_out:
        print_text(
            f"… {format_count(len(left_out), 'more column')}: choose with --columns NAMES, or print all with --json.\n"
            f"  `nhl-lake tables {found.name}` explains each."
        )


def parse_columns(text: str | None, names: Sequence[str]) -> list[str]:
    """Return the names of columns in a text, separated by commas."""
    from nhl_lake.queries.sql import suggest_column

    chosen = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in chosen:
        if name not in names:
            raise BadInput(f"There is no column '{name}'.", suggest_column(name, names))
    return list(dict.fromkeys(chosen))
