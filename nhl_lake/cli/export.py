"""The commands that write tables for other programs: export, duckdb."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, Quiet, RawText, Replace, Seasons, load_settings, parse_season_years
from nhl_lake.cli.output import write_out
from nhl_lake.errors import BadInput
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.queries.moneypuck import TableOrView


def export(
    to: Annotated[
        str,
        typer.Option("--to", "-o", metavar="PATH", help="Folder or file: skaters.csv, s3://bucket/x.csv; - is stdout."),
    ],
    table: Annotated[list[str] | None, typer.Argument(help="Names of the tables: gold.skater_game.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help="parquet, csv, json, duckdb, sqlite or xlsx. Default: by the name."
        ),
    ] = None,
    season: Seasons = None,
    names: Annotated[
        str | None, typer.Option("--names", metavar="NAMES", help="moneypuck: tables with MoneyPuck's names.")
    ] = None,
    raw_text: RawText = False,
    replace: Replace = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write tables to Parquet, CSV, DuckDB, SQLite or Excel files.

    Parquet, CSV and JSON get one file a table. DuckDB, SQLite and Excel hold all tables in one file. In CSV, a text
    that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.queries import targets
    from nhl_lake.queries.export import FORMATS, export_tables, list_files

    chosen, _ = load_settings()
    tables = find_tables(list(dict.fromkeys(table or [])), names)
    target = targets.parse_target(to)
    form = targets.choose_format(target, kind, FORMATS)
    files = [file for file in list_files(tables, form, target) if file is not None]
    if target is None and form not in targets.TEXT_FORMATS and sys.stdout.isatty():
        raise BadInput(f"{form} cannot be printed on a terminal.", "Write a file: -o FILE; or use --format csv.")
    layout.require_readable_lake(chosen.root)
    targets.require_new(files, replace=replace)
    written = list(
        export_tables(chosen.root, tables, form, target, seasons=parse_season_years(season), raw_text=raw_text)
    )
    if target is None:
        return
    if json:
        write_out(console.format_json([one._asdict() for one in written]))
    elif not quiet:
        rows = [(one.table, one.row_count, one.file) for one in written]
        console.make_console().print(console.make_grid(["table", "rows", "file"], rows, right=["rows"]))


def find_tables(words: list[str], names: str | None) -> "list[TableOrView]":
    """Return tables by name: the lake's own, or with `--names moneypuck` those of MoneyPuck."""
    from nhl_lake import catalog
    from nhl_lake.queries.moneypuck import VIEWS

    if names is None:
        if not words:
            raise BadInput(
                "Name a table to export.", "`nhl-lake tables` lists them. `--names moneypuck` exports MoneyPuck's."
            )
        return [catalog.find_table(word) for word in words]
    views = {view.name: view for view in VIEWS}
    if names != "moneypuck":
        raise BadInput(f"Unknown names: --names {names}.", "Use --names moneypuck.")
    if unknown := [word for word in words if word not in views]:
        raise BadInput(f"MoneyPuck has no table '{unknown[0]}'.", f"Its tables are {', '.join(views)}.")
    return [views[word] for word in words or views]


def duckdb(
    name: Annotated[str, typer.Argument(metavar="FILE", help="File to write: lake.duckdb.")],
    replace: Replace = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a small DuckDB file of views over the lake.

    BI tools open it. The views show the lake as it is now: write the file again after a run.
    """
    from nhl_lake import catalog, layout
    from nhl_lake.cli import console
    from nhl_lake.queries import duckdb_views
    from nhl_lake.queries.targets import parse_folder, require_new, write_atomically
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    file = parse_folder(name)
    layout.require_readable_lake(chosen.root)
    require_new([file], replace=replace)
    tables = [table for table in catalog.ALL_TABLES if delta_tables.has_table(chosen.root, table)]
    with write_atomically(file) as draft:
        views = list(duckdb_views.create_views(chosen.root, draft, tables))
    if json:
        found = [{"view": view.name, "rows": rows} for view, rows in views]
        write_out(console.format_json({"file": file, "bytes": file.stat().st_size, "views": found}))
        return
    if quiet:
        return
    size = console.format_size(file.stat().st_size)
    out = console.make_console()
    out.print(
        f"{file}: {format_count(len(views), 'view')} over {chosen.root}, {size}. They show the lake as it is now."
    )
    out.print(f"After the next run: nhl-lake duckdb --replace {file}")
