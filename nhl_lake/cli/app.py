"""The command line: parse, call one function, print."""

import gc
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import stamina.instrumentation
import typer

from nhl_lake import catalog
from nhl_lake.cli import (
    backup,
    console,
    demo,
    docs,
    encoding,
    errors,
    export,
    maintain,
    predict,
    query,
    rebuild,
    repair,
    schedule,
    show,
)
from nhl_lake.cli.options import Json, Quiet, Seasons, format_command_line, load_settings, parse_day, parse_season_years
from nhl_lake.clock import Clock
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import USER_AGENT, VERSION, ClientConfig, Options, preview_ingest
from nhl_lake.ingest.run import ingest as run_once
from nhl_lake.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Your own NHL lakehouse in a folder: raw pages kept for ever, clean tables made again from them in minutes.",
)


def make_client_config(chosen: Settings, clock: Clock) -> ClientConfig:
    """Return how to ask: the NHL's hosts, an address that stands for them, or the sample league in this process."""
    manners = RateLimit(chosen.rate, chosen.concurrency, USER_AGENT)
    if chosen.api is None or not chosen.api.startswith("league:"):
        return ClientConfig(rate_limit=manners, base_url=chosen.api)
    return demo.make_league_config(clock, chosen.concurrency)


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
    """Fetch missing and incomplete pages of the current season, and the schedule ahead; rebuild what changed.

    Pages of a game are fetched again when it is about a day, three days, a week and thirty days old: the NHL corrects
    statistics. Ends with 3 while anything is incomplete, and names it on stderr.
    """
    chosen, clock = load_settings()
    options = Options(
        seasons=parse_season_years(season),
        since=parse_day(since),
        lookback_days=lookback,
        second_looks=chosen.second_looks,
        game_types=frozenset(game_type or (1, 2, 3)),
    )
    bar = console.FetchProgressBar(quiet=quiet or json)
    if dry_run:
        with bar.display():
            _, found, asks = preview_ingest(
                chosen.root, options, make_client_config(chosen, clock), clock=clock, progress=bar
            )
        if json:
            typer.echo(console.format_json(asks.select("table", "page", "season", "game_date", "why").to_dicts()))
            return
        touched = {catalog.find_table(name) for name in asks["table"].unique()} | {
            catalog.find_table("bronze.schedule")
        }
        names = [table.name for table in catalog.find_downstream(touched)]
        console.show_plan(asks, verbose=verbose, rate=chosen.rate, schedule_pages=len(found.weeks) + 2, rebuilt=names)
        return
    with bar.display():
        summary = run_once(
            chosen.root,
            options,
            make_client_config(chosen, clock),
            clock=clock,
            progress=bar,
            command=format_command_line(),
            rebuilds=rebuilds,
        )
    if json:
        typer.echo(console.format_summary_json(summary))
    elif not quiet:
        console.show_summary(summary)
    console.show_incomplete(summary)
    if summary.error is not None:
        raise summary.error
    raise typer.Exit(summary.exit_code)


@app.command(name="docs", hidden=True)
def docs_command(folder: Annotated[Path, typer.Argument(help="Folder to write into.")] = Path("docs")) -> None:
    """Write TABLES.md and CLI.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "TABLES.md").write_text(docs.render_tables_page())
    (folder / "CLI.md").write_text(docs.render_commands_page(app))


def print_version(value: bool) -> None:
    """Print the version and leave."""
    if value:
        typer.echo(f"nhl-lake {VERSION}")
        raise typer.Exit


app.add_typer(rebuild.app)
app.add_typer(show.app)
app.add_typer(query.app)
app.add_typer(export.app)
app.add_typer(predict.app)
app.add_typer(backup.app)
app.add_typer(maintain.app)
app.add_typer(repair.app)
app.command(name="demo")(demo.demo)
app.add_typer(demo.league_app, name="league")
app.add_typer(schedule.app, name="schedule")


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every command has."""


def main() -> NoReturn:
    """Run the command line; say errors in two lines."""
    encoding.install_error_handler()
    stamina.instrumentation.set_on_retry_hooks([])  # each retry would be a line on the screen; the summary tells
    try:
        with errors.hide_engine_output():
            code = errors.run_command(app)
        sys.exit(code)
    finally:
        gc.freeze()  # or Python looks through all that was imported before it ends: a seventh of a second
