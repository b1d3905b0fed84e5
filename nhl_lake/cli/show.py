"""The commands that read tables: tables, show."""

from typing import Annotated

import typer

from nhl_lake.cli.options import Json, filter_rows, load_settings


def tables(json: Json = False) -> None:
    """List every table: what one row is, rows, files, size on disk."""
    from nhl_lake import catalog, layout
    from nhl_lake.cli import console
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    sizes = dict(delta_tables.read_table_sizes(chosen.root, catalog.TABLES))
    if json:
        unknown = dict.fromkeys(("rows", "files", "bytes", "version"))
        rows = [{"table": t.name, "row_is": t.grain, **sizes.get(t, unknown)} for t in catalog.TABLES]
        typer.echo(console.format_json(rows))
        return
    heads = ["table", "rows", "files", "on disk", "version", "one row is"]
    lines = []
    for table in catalog.TABLES:
        size = sizes.get(table)
        numbers = (size["rows"], size["files"], console.format_size(size["bytes"]), size["version"]) if size else ()
        lines.append((table.name, *(numbers or (None,) * 4), table.grain))
    console.make_console().print(console.make_grid(heads, lines, right=heads[1:5]))


def show(
    table: Annotated[str, typer.Argument(help="Name of the table: gold.skater_game.")],
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help='Rows to print: "game_id = 2023020001".')
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of rows.")] = 10,
    json: Json = False,
) -> None:
    """Print rows of a table, newest first."""
    from nhl_lake import catalog
    from nhl_lake.cli import console
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    found = catalog.find_table(table)
    rows = delta_tables.scan_table(chosen.root, found)
    if where:
        rows = filter_rows(rows, where)
    times = [name for name in ("game_date", "started_at", "game_id", "fetched_at") if name in found.schema]
    order = [*times[:1], *(name for name in found.key if name not in times[:1])]
    rows = rows.sort(order, descending=[bool(times), *[False] * (len(order) - 1)], nulls_last=True)
    page = rows.head(limit).collect()
    if json:
        typer.echo(console.format_json(page.to_dicts()))
    else:
        console.show_frame(page)
