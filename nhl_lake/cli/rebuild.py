"""The command that makes silver and gold again: here, in some processes, or on a cluster."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from nhl_lake import catalog, layout
from nhl_lake.cli import console
from nhl_lake.cli.options import (
    Quiet,
    Seasons,
    format_command_line,
    load_settings,
    parse_memory,
    parse_moment,
    parse_season_years,
)
from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.ingest import inventory
from nhl_lake.ingest.fetcher import interrupt_on_sigterm
from nhl_lake.rebuild import executors, run
from nhl_lake.rebuild.dask_cluster import open_dask_executor
from nhl_lake.rebuild.executors import Executor
from nhl_lake.rebuild.publish import RebuiltPartition
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, locks
from nhl_lake.store.location import Location, expand_home, require_lake_name

app = typer.Typer()


@app.command(name="rebuild")
def rebuild_command(
    table: Annotated[
        list[str] | None, typer.Argument(help="Tables to make again; all that changed by default.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what did not change.")] = False,
    season: Seasons = None,
    accept: Annotated[bool, typer.Option("--accept", help="Also tables that lose rows.")] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="At most so much: 800MB, 2GB; half of what is free.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="In so many processes; as there is room for."),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="ADDRESS", help="By the workers of a Dask cluster: tcp://host:8786.")
    ] = None,
    as_known_at: Annotated[
        str | None,
        typer.Option("--as-known-at", metavar="WHEN", help="Of pages fetched by then: a day, or an instant."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Where --as-known-at makes tables.")] = None,
    quiet: Quiet = False,
) -> None:
    """Make silver and gold again from bronze, offline: what changed, or all; or as they could have been made then."""
    chosen, clock = load_settings()
    order = find_rebuild_tables(table or [])
    layout.require_readable_lake(chosen.root)
    moment, to = None, None if to is None else expand_home(to)
    if as_known_at is not None or to is not None:
        if table or season or everything or accept:
            raise BadInput(
                "--as-known-at makes all tables of all seasons.", "Leave out tables, --season, --all, --accept."
            )
        moment = check_as_known_at(chosen.root, as_known_at, to, clock())
    else:
        delta_tables.create_tables(
            chosen.root, catalog.BUILT_TABLES
        )  # a bronze table that is gone is an error, not an empty one
    asked, day, bar, most = (
        parse_season_years(season),
        get_eastern_day(clock()),
        RebuildProgressBar(quiet=quiet),
        parse_memory(memory),
    )
    with interrupt_on_sigterm(), locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        try:
            with open_executor(chosen.root, on or chosen.cluster, jobs=jobs, memory=most) as workers, bar.display():
                means = run.Resources(workers, bar)
                if moment is not None and to is not None:
                    made = run.rebuild_as_of(chosen.root, to, moment, resources=means)
                else:
                    made = run.rebuild(
                        chosen.root,
                        order,
                        day=day,
                        seasons=asked,
                        everything=everything,
                        allow_row_loss=accept,
                        resources=means,
                    )
                count = sum(bar.show_partition(part) for part in made)
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
    if not count and not quiet:
        typer.echo("Nothing has changed since the last rebuild. `nhl-lake rebuild --all` makes everything again.")


def find_rebuild_tables(names: Sequence[str]) -> list[Table]:
    """Return the tables of these names in the order in which they are made; all if there are none."""
    tables = [catalog.find_table(name) for name in names]
    for given in tables:
        if given not in catalog.list_build_order():
            raise BadInput(
                f"{given.name} is not made from other tables.",
                "`nhl-lake rebuild` makes silver and gold tables; silver.refusals goes with them.",
            )
    return [table for table in catalog.list_build_order() if not tables or table in tables]


def open_executor(
    root: Location, address: str | None, *, jobs: int | None, memory: int | None
) -> AbstractContextManager[Executor]:
    """Return who makes the slices: the workers of a cluster, or some processes."""
    if address is not None:
        if jobs is not None:
            raise BadInput("--jobs is for this machine, and --on for others.", "A cluster has the hands that it has.")
        return open_dask_executor(address, root, memory=memory)
    room = memory or executors.choose_memory_limit()
    return executors.open_process_executor(jobs or executors.choose_worker_count(room), room)


def check_as_known_at(root: Location, at: str | None, to: Path | None, now: datetime) -> datetime:
    """Return the moment as of which silver and gold are to be made in another folder, which must be free for them."""
    if at is None or to is None:
        raise BadInput("--as-known-at and --to go together.", "`nhl-lake rebuild --as-known-at 2026-01-05 --to DIR`.")
    is_taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    if is_taken or (isinstance(root, Path) and root.resolve() in to.resolve().parents):
        raise BadInput(f"{to} is not an empty folder outside the lake.", "Give a new folder: --to DIR.")
    require_lake_name(to)
    moment = parse_moment(at, now)
    if moment < inventory.find_first_fetch_time(root):
        raise BadInput(f"The lake has no page that was fetched by {at}.", "`nhl-lake runs` says when it was begun.")
    return moment


class RebuildProgressBar:
    """Progress of a rebuild: a line for each slice that was made, and on a terminal a bar with the time left."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.progress: Progress | None = None
        if not quiet and sys.stdout.isatty():
            columns = (TextColumn("making"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self.progress = Progress(*columns, console=console.make_console(), transient=True)
            self.task = self.progress.add_task("making", total=None)

    def display(self) -> AbstractContextManager[object]:
        """Show the bar while the block runs."""
        return self.progress or nullcontext()

    def set_total(self, slices: int) -> None:
        """So many slices of tables are to be looked at, and made if they changed."""
        if self.progress:
            self.progress.update(self.task, total=slices)

    def set_completed(self, slices: float) -> None:
        """So many of them are, from the first on."""
        if self.progress:
            self.progress.update(self.task, completed=slices)

    def show_partition(self, made: RebuiltPartition) -> bool:
        """Print what was made again; true, so that callers can count."""
        if not self.quiet:
            season = "all" if made.season is None else str(made.season)
            games = "" if made.games is None else f"  {made.games:,} games"
            out = self.progress.console if self.progress else console.make_console()
            out.print(f"{made.table:22} {season:>8} {made.rows:>12,} rows{games}")
        return True
