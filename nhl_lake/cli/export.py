"""The commands that hand tables to other programs: as files, or as a DuckDB file of views."""

from pathlib import Path
from typing import Annotated

import typer

from nhl_lake import catalog, layout
from nhl_lake.cli import console
from nhl_lake.cli.options import load_settings, parse_season_years
from nhl_lake.errors import BadInput
from nhl_lake.queries import duckdb_views
from nhl_lake.queries.export import FILE_WRITERS, FORMATS, export_tables, require_new, write_atomically
from nhl_lake.queries.moneypuck import VIEWS, TableOrView
from nhl_lake.store import delta_tables
from nhl_lake.store.location import expand_home

app = typer.Typer()
FORMAT_BY_SUFFIX = {f".{kind}": kind for kind in FORMATS} | {".db": "sqlite"}
Replace = Annotated[bool, typer.Option("--replace", help="Also over a file that is there already.")]


@app.command(name="export")
def export_command(
    to: Annotated[Path, typer.Option("--to", metavar="PLACE", help="Folder, or file: skaters.csv, lake.duckdb.")],
    table: Annotated[list[str] | None, typer.Argument(help="Names of the tables: gold.skater_game.")] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}; by the file's name if not given."),
    ] = None,
    season: Annotated[
        list[int] | None,
        typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24; may be repeated."),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help=f"moneypuck: the tables {', '.join(view.name for view in VIEWS)}."),
    ] = None,
    replace: Replace = False,
) -> None:
    """Write tables as files: Parquet and CSV a file each, DuckDB, SQLite and Excel all into one."""
    chosen, _ = load_settings()
    to = expand_home(to)
    tables = find_tables(list(dict.fromkeys(table or [])), names)
    form = kind or FORMAT_BY_SUFFIX.get(to.suffix, "parquet")
    if form not in FORMATS:
        raise BadInput(f"--format {form} is not known.", f"There are {', '.join(FORMATS)}.")
    is_file = form in FILE_WRITERS or to.suffix == f".{form}"
    if form in FILE_WRITERS and not to.suffix:
        raise BadInput(f"--format {form} makes one file.", f"Name it: --to {to / f'lake.{form}'}.")
    if is_file and form not in FILE_WRITERS and len(tables) > 1:
        raise BadInput(f"{to} is one file, and there are {len(tables)} tables.", "Give a folder: --to DIR.")
    layout.require_readable_lake(chosen.root)
    require_new([to] if is_file else [to / f"{t.name}.{form}" for t in tables], replace=replace)
    made = list(export_tables(chosen.root, tables, form, to, seasons=parse_season_years(season)))
    rows = [(one.table, one.row_count, one.file) for one in made]
    console.make_console().print(console.make_grid(["table", "rows", "file"], rows, right=["rows"]))


def find_tables(words: list[str], names: str | None) -> list[TableOrView]:
    """Return the tables of some names, the lake's own or those of others."""
    if names is None:
        if not words:
            raise BadInput("Name a table to export.", "`nhl-lake tables` lists them; --names moneypuck has its own.")
        return [catalog.find_table(word) for word in words]
    views = {view.name: view for view in VIEWS}
    if names != "moneypuck":
        raise BadInput(f"--names {names} is not known.", "There is --names moneypuck.")
    if unknown := [word for word in words if word not in views]:
        raise BadInput(f"There is no table '{unknown[0]}' under these names.", f"There are {', '.join(views)}.")
    return [views[word] for word in words or views]


@app.command(name="duckdb")
def duckdb_command(
    file: Annotated[Path, typer.Argument(help="The file to write: lake.duckdb.")], replace: Replace = False
) -> None:
    """Write a small DuckDB file of views over the lake, for BI tools; write it again after the lake has changed."""
    chosen, _ = load_settings()
    file = expand_home(file)
    layout.require_readable_lake(chosen.root)
    require_new([file], replace=replace)
    tables = [table for table in catalog.TABLES if delta_tables.has_table(chosen.root, table)]
    with write_atomically(file) as draft:
        made = list(duckdb_views.create_views(chosen.root, draft, tables))
    size = console.format_size(file.stat().st_size)
    console.make_console().print(
        f"{file}: {len(made)} views over {chosen.root}, {size}. They show the lake as it is now;"
    )
    console.make_console().print(f"after the next run: nhl-lake duckdb --replace {file}")
