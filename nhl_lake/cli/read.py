"""The commands that only read: parse, call one function, print."""

from typing import Annotated

import polars as pl
import typer

from nhl_lake import catalog, layout, settings
from nhl_lake.backup import repository
from nhl_lake.cli import console, progress
from nhl_lake.cli.options import Json, filtered, moment_from, opened
from nhl_lake.quality import audit
from nhl_lake.queries import corrections, status, trace
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables

app = typer.Typer()


@app.command(name="status")
def status_command(json: Json = False) -> None:
    """Tell how the lake stands: data through which day, what is open and why, next games, last run, sizes."""
    chosen, clock = opened()
    found = status.status(chosen.root, clock())
    safety = repository.standing(chosen.backups)
    if not json:
        console.show_status(found)
        progress.show_standing(safety, clock())
        return
    sizes = [{"table": table.name, **size} for table, size in found.sizes]
    typer.echo(
        console.as_json(
            {
                "freshness": found.freshness,
                "put_aside": found.put_aside,
                "seasons": [season._asdict() for season in found.seasons],
                "reasons": found.reasons.to_dicts(),
                "failures": found.failures.to_dicts(),
                "next_games": found.next_games.to_dicts(),
                "last_run": found.last_run,
                "last_backup": safety.backed_up_at,
                "last_drill": safety.drill and safety.drill.made_at,
                "backups_trouble": safety.trouble,
                "tables": sizes,
            }
        )
    )


@app.command()
def tables() -> None:
    """List every table of the lake: what one row is, and its rows."""
    chosen, _ = opened()
    layout.require(chosen.root)
    sizes = dict(delta_tables.sizes(chosen.root, catalog.TABLES))
    rows = [(table.name, sizes[table]["rows"] if table in sizes else None, table.grain) for table in catalog.TABLES]
    console.console().print(console.grid(["table", "rows", "one row is"], rows, right=["rows"]))


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
    chosen, _ = opened()
    found = catalog.find(table)
    rows = delta_tables.scan(chosen.root, found)
    if where:
        rows = filtered(rows, where)
    times = [name for name in ("game_date", "started_at", "game_id", "fetched_at") if name in found.schema]
    order = [*times[:1], *(name for name in found.key if name not in times[:1])]
    rows = rows.sort(order, descending=[bool(times), *[False] * (len(order) - 1)], nulls_last=True)
    page = rows.head(limit).collect()
    if json:
        typer.echo(console.as_json(page.to_dicts()))
    else:
        console.show_frame(page)


@app.command()
def runs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs at the most.")] = 20,
    json: Json = False,
) -> None:
    """List the runs, the newest first: when, how they ended, and what they did."""
    chosen, _ = opened()
    layout.check_version(chosen.root)
    layout.require_any(chosen.root)
    rows = delta_tables.scan(chosen.root, ledger.RUNS).sort("started_at", descending=True).head(limit).collect()
    if json:
        typer.echo(console.as_json(rows.to_dicts()))
    else:
        console.show_runs(rows)


@app.command(name="check")
def check_command(json: Json = False) -> None:
    """Hold every table against its rules and every game against its pages; print what is wrong, with game ids."""
    chosen, _ = opened()
    layout.require(chosen.root)
    found = audit.audit(chosen.root)
    if json:
        typer.echo(console.as_json([finding._asdict() for finding in found]))
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
    chosen, clock = opened()
    layout.require(chosen.root)
    rows, unread = corrections.corrections(chosen.root, moment_from(since, clock()))
    rows = rows if game is None else rows.filter(pl.col("game_id") == game)
    if json:
        typer.echo(console.as_json({"corrections": rows.to_dicts(), "unread": unread}))
    else:
        console.show_corrections(rows, unread)


@app.command(name="trace")
def trace_command(
    game: Annotated[int, typer.Argument(metavar="GAME", help="Game id: 2023020001.")],
    player: Annotated[int | None, typer.Option("--player", metavar="ID", help="Only what names this player.")] = None,
    json: Json = False,
) -> None:
    """Print what each layer says of a game or of a player in it: versions of pages, and rows made of them."""
    chosen, _ = opened()
    layout.require(chosen.root)
    found = list(trace.trace(chosen.root, game, player))
    if json:
        typer.echo(
            console.as_json(
                [{"table": s.table.name, "rows_in_all": s.how_many, "rows": s.rows.to_dicts()} for s in found]
            )
        )
    else:
        for said in found:
            console.show_said(said)


@app.command(name="settings")
def settings_command() -> None:
    """Show each setting, its value, and where it came from."""
    _, found = settings.load()
    rows = [(f"NHL_LAKE_{s.name.upper()}", s.value, s.origin, s.about) for s in found]
    console.console().print(console.grid(["setting", "value", "from", "about"], rows))
