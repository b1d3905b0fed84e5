"""The command line: parse, call one function, print."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import stamina.instrumentation
import typer

from nhl_lake import catalog, dictionary, known, rebuild
from nhl_lake.api import Manners
from nhl_lake.asking import terminable
from nhl_lake.clock import Clock
from nhl_lake.commands import (
    demo,
    exits,
    exporting,
    foretelling,
    maintaining,
    mending,
    questions,
    reading,
    safekeeping,
    scheduling,
    screen,
)
from nhl_lake.commands.arguments import Json, Quiet, as_given, day_from, moment_from, opened, seasons_from
from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import eastern_day
from nhl_lake.ingest import AGENT, VERSION, Asker, Options, foresee
from nhl_lake.ingest import ingest as run_once
from nhl_lake.settings import Settings
from nhl_lake.store import lake, lock
from nhl_lake.store.place import Place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Your own NHL lakehouse in a folder: raw pages kept for ever, clean tables made again from them in minutes.",
)

Seasons = Annotated[
    list[int] | None,
    typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24; may be repeated."),
]


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
    accept: Annotated[bool, typer.Option("--accept", help="Also tables that lose rows.")] = False,
    as_known_at: Annotated[
        str | None,
        typer.Option("--as-known-at", metavar="WHEN", help="Of pages fetched by then: a day, or an instant."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Where --as-known-at makes tables.")] = None,
    quiet: Quiet = False,
) -> None:
    """Make silver and gold again from bronze, offline: what changed, or all; or as they could have been made then."""
    chosen, clock = opened()
    tables = [catalog.find(name) for name in table or []]
    for given in tables:
        if given not in catalog.in_order():
            raise BadInput(
                f"{given.name} is not made from other tables.",
                "`nhl-lake rebuild` makes silver and gold tables; silver.refusals goes with them.",
            )
    known.require(chosen.root)
    if as_known_at is not None or to is not None:
        if tables or season or everything or accept:
            raise BadInput(
                "--as-known-at makes all tables of all seasons.", "Leave out tables, --season, --all, --accept."
            )
        made = as_known(chosen.root, as_known_at, to, clock())
    else:
        lake.create(chosen.root, catalog.MADE)  # a bronze table that is gone is an error, not an empty one
        order = [t for t in catalog.in_order() if not tables or t in tables]
        asked = seasons_from(season)
        day = eastern_day(clock())
        made = rebuild.rebuild(chosen.root, order, day=day, seasons=asked, everything=everything, accept=accept)
    with terminable(), lock.locked(chosen.root, as_given(), now=clock()):
        try:
            count = sum(screen.show_made(part, quiet=quiet) for part in made)
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
    if not count and not quiet:
        typer.echo("Nothing has changed since the last rebuild. `nhl-lake rebuild --all` makes everything again.")


def as_known(root: Place, at: str | None, to: Path | None, now: datetime) -> Iterator[rebuild.Made]:
    """Make silver and gold in another folder, as they could have been made at a moment."""
    if at is None or to is None:
        raise BadInput("--as-known-at and --to go together.", "`nhl-lake rebuild --as-known-at 2026-01-05 --to DIR`.")
    is_taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    if is_taken or (isinstance(root, Path) and root.resolve() in to.resolve().parents):
        raise BadInput(f"{to} is not an empty folder outside the lake.", "Give a new folder: --to DIR.")
    moment = moment_from(at, now)
    if moment < known.first_page_at(root):
        raise BadInput(f"The lake has no page that was fetched by {at}.", "`nhl-lake runs` says when it was begun.")
    return rebuild.as_known(root, to, moment)


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


app.add_typer(reading.app)
app.add_typer(questions.app)
app.add_typer(exporting.app)
app.add_typer(foretelling.app)
app.add_typer(safekeeping.app)
app.add_typer(maintaining.app)
app.add_typer(mending.app)
app.command(name="demo")(demo.demo)
app.add_typer(demo.league_app, name="league")
app.add_typer(scheduling.app, name="schedule")


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Take the options that every command has."""


def main() -> NoReturn:
    """Run the command line; say errors in two lines."""
    stamina.instrumentation.set_on_retry_hooks([])  # each retry would be a line on the screen; the summary tells
    with exits.muted():
        code = exits.guarded(app)
    sys.exit(code)
