"""The commands of the site: build, serve."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli import log
from nhl_lake.cli.options import Json, Quiet, Seasons, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.reports.site import Progress

MAX_WORKERS = 16


def build(
    to: Annotated[str, typer.Option("--to", "-o", metavar="DIR", help="Folder of the site: a new one, or the last.")],
    season: Seasons = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=MAX_WORKERS, help="Worker processes for many pages.")
    ] = 2,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Build a site of the lake: pages of games, players, teams, days and the league.

    It has the newest season, or those of --season. It opens from a disk and on any static host, and needs no server.
    Only pages that changed are written: build again after every run. docs/how-to/site.md has a line for cron.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.queries.targets import parse_folder
    from nhl_lake.reports.site import build_site

    chosen, _ = load_settings()
    folder = parse_folder(to)
    layout.require_readable_lake(chosen.root)
    seasons = parse_season_years(season)
    with show_progress("Drawing pages", quiet=quiet or json) as progress:
        found = build_site(chosen.root, folder, seasons, workers=jobs, progress=progress)
    if json:
        write_out(console.format_json({"folder": str(folder), **found._asdict()}))
    elif not quiet:
        size = console.format_size(found.bytes)
        done = "No file has changed"
        if found.written or found.removed:
            done = f"{format_count(found.written, 'file')} written, {found.removed:,} removed"
        print_text(f"{folder}: {format_count(found.pages, 'page')}, {size}. {done}.")


@contextmanager
def show_progress(what: str, *, quiet: bool) -> "Iterator[Progress]":
    """Show how many files are done while the block runs, on a terminal; yield the function that gets the numbers."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from nhl_lake.cli import console

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_shown = not quiet and sys.stderr.isatty() and not log.is_json()
    with Progress(*columns, console=console.make_console(stderr=True), transient=True, disable=not is_shown) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def serve(
    port: Annotated[int, typer.Option("--port", max=65_535, help="Port on this machine. 0: any free port.")] = 8080,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address of this machine to listen on.")
    ] = "127.0.0.1",
    season: Seasons = None,
    json: Json = False,
) -> None:
    """Show the site of the lake in a browser, until interrupted.

    Each page is drawn from the lake as it is now when it is asked for. Nothing is written. There is no password: with
    --host, everybody who reaches the address can read.
    """
    from nhl_lake import layout
    from nhl_lake.reports.site_server import serve_site

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    seasons = parse_season_years(season)
    if not json:
        print_text("Reading which pages there are …")
    serve_site(chosen.root, seasons, host=host, port=port, ready=print_json_address if json else print_address)


def print_address(url: str) -> None:
    """Print where the site is."""
    print_text(f"The site is at {url}. Stop it with Ctrl-C.")


def print_json_address(url: str) -> None:
    """Print where the site is, as JSON."""
    from nhl_lake.cli.console import format_json

    write_out(format_json({"url": url}))
