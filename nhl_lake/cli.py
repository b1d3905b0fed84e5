"""The command line: parse, call one function, print."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import stamina.instrumentation
import typer

from nhl_lake import (
    catalog,
    check,
    demo,
    dictionary,
    exits,
    lake,
    ledger,
    lock,
    rebuild,
    screen,
    settings,
    status,
)
from nhl_lake.api import Manners
from nhl_lake.arguments import day_from, filtered, seasons_from
from nhl_lake.asking import terminable
from nhl_lake.clock import Clock
from nhl_lake.clock import clock as clock_from
from nhl_lake.errors import BadInput
from nhl_lake.ingest import AGENT, VERSION, Asker, Options, foresee
from nhl_lake.ingest import ingest as run_once
from nhl_lake.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Your own NHL lakehouse in a folder: raw pages kept for ever, clean tables made again from them in minutes.",
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seasons = Annotated[
    list[int] | None,
    typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24; may be repeated."),
]


def opened() -> tuple[Settings, Clock]:
    """Return the settings and the clock that they set."""
    chosen, _ = settings.load()
    return chosen, clock_from(chosen.now)


def as_given() -> str:
    """Return the command as it was given."""
    return shlex.join(["nhl-lake", *sys.argv[1:]])


def asker(chosen: Settings, clock: Clock) -> Asker:
    """Return how to ask: the NHL's hosts, an address that stands for them, or the sample league in this process."""
    manners = Manners(chosen.rate, chosen.concurrency, AGENT)
    if chosen.api is None or not chosen.api.startswith("league:"):
        return Asker(manners=manners, base=chosen.api)
    return demo.in_process(clock, chosen.concurrency)


@app.command()
def ingest(
    lookback: Annotated[
        int | None, typer.Option("--lookback", metavar="DAYS", help="Look again at games of the last DAYS days.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="Everything since DAY: 2023-10-01.")
    ] = None,
    season: Seasons = None,
    game_type: Annotated[
        list[int] | None,
        typer.Option(
            "--game-type",
            metavar="TYPE",
            help="1 preseason, 2 regular season, 3 playoffs; others are events.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the schedule, print the plan and its cost; keep nothing.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With --dry-run: every page.")] = False,
    rebuilds: Annotated[
        bool, typer.Option("--rebuild/--no-rebuild", help="Make silver and gold again where pages changed.")
    ] = True,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Keep what is missing or unfinished in the current season, and the schedule ahead; then rebuild what changed."""
    chosen, clock = opened()
    options = Options(
        seasons=seasons_from(season),
        since=day_from(since),
        lookback_days=lookback,
        game_types=frozenset(game_type or (1, 2, 3)),
    )
    bar = screen.Bar(quiet=quiet or json)
    if dry_run:
        with bar.shown():
            _, found, asks = foresee(chosen.root, options, asker(chosen, clock), clock=clock, report=bar)
        if json:
            typer.echo(screen.as_json(asks.select("table", "page", "season", "game_date", "why").to_dicts()))
            return
        touched = {catalog.find(name) for name in asks["table"].unique()} | {catalog.find("bronze.schedule")}
        names = [table.name for table in catalog.downstream(touched)]
        screen.show_plan(asks, verbose=verbose, rate=chosen.rate, schedule_pages=len(found.weeks) + 2, rebuilt=names)
        return
    with bar.shown():
        summary = run_once(
            chosen.root,
            options,
            asker(chosen, clock),
            clock=clock,
            report=bar,
            command=as_given(),
            rebuilds=rebuilds,
        )
    if json:
        typer.echo(screen.summary_json(summary))
    elif not quiet:
        screen.show_summary(summary)
    if summary.error is not None:
        raise summary.error
    raise typer.Exit(summary.exit_code)


@app.command(name="rebuild")
def rebuild_command(
    table: Annotated[
        list[str] | None, typer.Argument(help="Tables to make again; all that changed by default.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what did not change.")] = False,
    season: Seasons = None,
    quiet: Quiet = False,
) -> None:
    """Make silver and gold again from bronze, offline: what changed, or all."""
    chosen, clock = opened()
    tables = [catalog.find(name) for name in table or []]
    for given in tables:
        if given.layer not in {"silver", "gold"}:
            raise BadInput(f"{given.name} is not made from other tables.", "Only silver and gold tables are rebuilt.")
    status.require(chosen.root)
    order = [t for t in catalog.in_order() if not tables or t in tables]
    made = 0
    with terminable(), lock.locked(chosen.root, as_given(), now=clock()):
        lake.create(chosen.root, catalog.in_order())  # a bronze table that is gone is an error, not an empty one
        try:
            for part in rebuild.rebuild(chosen.root, order, seasons=seasons_from(season), everything=everything):
                made += 1
                if not quiet:
                    typer.echo(f"{part.table:24} {part.season} {part.rows:>12,} rows")
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
    if not made and not quiet:
        typer.echo("Nothing has changed since the last rebuild. `nhl-lake rebuild --all` makes everything again.")


@app.command(name="status")
def status_command(json: Json = False) -> None:
    """Tell how the lake stands: data through which day, what is open and why, next games, last run, sizes."""
    chosen, clock = opened()
    found = status.status(chosen.root, clock())
    if not json:
        screen.show_status(found)
        return
    sizes = [{"table": table.name, **size} for table, size in found.sizes]
    typer.echo(
        screen.as_json(
            {
                "freshness": found.freshness,
                "seasons": [season._asdict() for season in found.seasons],
                "reasons": found.reasons.to_dicts(),
                "next_games": found.next_games.to_dicts(),
                "last_run": found.last_run,
                "tables": sizes,
            }
        )
    )


@app.command()
def tables() -> None:
    """List every table of the lake: what one row is, and its rows."""
    chosen, _ = opened()
    status.require(chosen.root)
    rows = []
    for table in catalog.TABLES:
        there = lake.is_table(chosen.root, table)
        rows.append((table.name, lake.size(chosen.root, table)["rows"] if there else None, table.grain))
    screen.console().print(screen.grid(["table", "rows", "one row is"], rows, right=["rows"]))


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
    rows = lake.scan(chosen.root, found)
    if where:
        rows = filtered(rows, where)
    times = [name for name in ("game_date", "started_at", "game_id", "fetched_at") if name in found.schema]
    order = [*times[:1], *(name for name in found.key if name not in times[:1])]
    rows = rows.sort(order, descending=[bool(times), *[False] * (len(order) - 1)], nulls_last=True)
    page = rows.head(limit).collect()
    if json:
        typer.echo(screen.as_json(page.to_dicts()))
    else:
        screen.show_frame(page)


@app.command()
def runs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs at the most.")] = 20,
    json: Json = False,
) -> None:
    """List the runs, the newest first: when, how they ended, and what they did."""
    chosen, _ = opened()
    status.require(chosen.root)
    rows = lake.scan(chosen.root, ledger.RUNS).sort("started_at", descending=True).head(limit).collect()
    if json:
        typer.echo(screen.as_json(rows.to_dicts()))
    else:
        screen.show_runs(rows)


@app.command(name="check")
def check_command() -> None:
    """Hold every table against its rules, and print what breaks them."""
    chosen, _ = opened()
    status.require(chosen.root)
    found = [
        breach
        for table in catalog.TABLES
        for rows in lake.by_season(chosen.root, table)
        for breach in check.breaches(table, rows)
    ]
    for breach in found:
        typer.echo(f"{breach.table}: {breach.rows} rows break '{breach.rule}': {breach.examples}")
    if found:
        raise typer.Exit(1)
    typer.echo(f"{len(catalog.TABLES)} tables hold what they declare.")


@app.command(name="settings")
def settings_command() -> None:
    """Show each setting, its value, and where it came from."""
    _, found = settings.load()
    rows = [(f"NHL_LAKE_{s.name.upper()}", s.value, s.origin, s.about) for s in found]
    screen.console().print(screen.grid(["setting", "value", "from", "about"], rows))


@app.command(name="docs", hidden=True)
def docs_command(folder: Annotated[Path, typer.Argument(help="Folder to write into.")] = Path("docs")) -> None:
    """Write TABLES.md and CLI.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "TABLES.md").write_text(dictionary.tables_page())
    (folder / "CLI.md").write_text(dictionary.commands_page(app))


def version(value: bool) -> None:
    """Print the version and leave."""
    if value:
        typer.echo(f"nhl-lake {VERSION}")
        raise typer.Exit


app.command(name="demo")(demo.demo)
app.add_typer(demo.league_app, name="league")


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Take the options that every command has."""


def main() -> NoReturn:
    """Run the command line; say errors in two lines."""
    stamina.instrumentation.set_on_retry_hooks([])  # each retry would be a line on the screen; the summary tells
    sys.exit(exits.guarded(app))
