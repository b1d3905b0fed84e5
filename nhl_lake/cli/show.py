"""The commands that only read: parse, call one function, print."""

from typing import Annotated

import polars as pl
import typer

from nhl_lake import catalog, layout, settings
from nhl_lake.backup import repository
from nhl_lake.cli import console, progress
from nhl_lake.cli.options import Json, filter_rows, load_settings, parse_moment
from nhl_lake.quality import audit
from nhl_lake.queries import corrections, status, trace
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables

app = typer.Typer()


@app.command(name="status")
def status_command(json: Json = False) -> None:
    """Tell how the lake stands: data through which day, what is open and why, next games, last run, sizes."""
    chosen, clock = load_settings()
    found = status.read_status(chosen.root, clock())
    safety = repository.read_backup_status(chosen.backups)
    if not json:
        console.show_status(found)
        progress.show_backup_status(safety, clock())
        return
    sizes = [{"table": table.name, **size} for table, size in found.sizes]
    typer.echo(
        console.format_json(
            {
                "freshness": found.freshness,
                "put_aside": found.quarantined,
                "seasons": [season._asdict() for season in found.seasons],
                "reasons": found.reasons.to_dicts(),
                "failures": found.failures.to_dicts(),
                "next_games": found.next_games.to_dicts(),
                "last_run": found.last_run,
                "last_backup": safety.backed_up_at,
                "last_drill": safety.drill and safety.drill.made_at,
                "backups_trouble": safety.problem,
                "tables": sizes,
            }
        )
    )


@app.command()
def tables() -> None:
    """List every table of the lake: what one row is, and its rows."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    sizes = dict(delta_tables.read_table_sizes(chosen.root, catalog.TABLES))
    rows = [(table.name, sizes[table]["rows"] if table in sizes else None, table.grain) for table in catalog.TABLES]
    console.make_console().print(console.make_grid(["table", "rows", "one row is"], rows, right=["rows"]))


@app.command()
def show(
    table: Annotated[str, typer.Argument(help="Name of the table: gold.skater_game.")],
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help='Which rows: "game_id = 2023020001".')
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows at the most.")] = 10,
    json: Json = False,
) -> None:
    """Print rows of a table, the newest first where it has an order in time."""
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


@app.command()
def runs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs at the most.")] = 20,
    json: Json = False,
) -> None:
    """List the runs, the newest first: when, how they ended, and what they did."""
    chosen, _ = load_settings()
    layout.check_layout_version(chosen.root)
    layout.require_lake_exists(chosen.root)
    rows = delta_tables.scan_table(chosen.root, ledger.RUNS).sort("started_at", descending=True).head(limit).collect()
    if json:
        typer.echo(console.format_json(rows.to_dicts()))
    else:
        console.show_runs(rows)


@app.command(name="check")
def check_command(json: Json = False) -> None:
    """Hold every table against its rules and every game against its pages; print what is wrong, with game ids."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = audit.audit_lake(chosen.root)
    if json:
        typer.echo(console.format_json([finding._asdict() for finding in found]))
    else:
        console.show_findings(found)
    if any(finding.severity == "error" for finding in found):
        raise typer.Exit(1)


@app.command(name="corrections")
def corrections_command(
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="7d, 12h, a day or an instant: changes seen since then.")
    ] = "7d",
    game: Annotated[int | None, typer.Option("--game", metavar="ID", help="Of one game only.")] = None,
    json: Json = False,
) -> None:
    """List what the NHL changed in final games after the fact: game, player, field, was, is, when it was seen."""
    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    rows, unread = corrections.find_corrections(chosen.root, parse_moment(since, clock()))
    rows = rows if game is None else rows.filter(pl.col("game_id") == game)
    if json:
        typer.echo(console.format_json({"corrections": rows.to_dicts(), "unread": unread}))
    else:
        console.show_corrections(rows, unread)


@app.command(name="trace")
def trace_command(
    game: Annotated[int, typer.Argument(metavar="GAME", help="Game id: 2023020001.")],
    player: Annotated[int | None, typer.Option("--player", metavar="ID", help="Only what names this player.")] = None,
    json: Json = False,
) -> None:
    """Print what each layer says of a game or of a player in it: versions of pages, and rows made of them."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = list(trace.trace_game(chosen.root, game, player))
    if json:
        typer.echo(
            console.format_json(
                [{"table": s.table.name, "rows_in_all": s.row_count, "rows": s.rows.to_dicts()} for s in found]
            )
        )
    else:
        for said in found:
            console.show_traced_rows(said)


@app.command(name="settings")
def settings_command() -> None:
    """Show each setting, its value, and where it came from."""
    _, found = settings.load()
    rows = [(f"NHL_LAKE_{s.name.upper()}", s.value, s.origin, s.description) for s in found]
    console.make_console().print(console.make_grid(["setting", "value", "from", "about"], rows))
