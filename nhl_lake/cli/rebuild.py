"""The command that rebuilds silver and gold: in this process, in several, or on a Dask cluster."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import (
    Json,
    Quiet,
    Seasons,
    format_command_line,
    load_settings,
    parse_memory,
    parse_moment,
    parse_season_years,
)
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    from nhl_lake.rebuild.executors import Executor
    from nhl_lake.schema.table import Table
    from nhl_lake.store.location import Location


def rebuild(
    table: Annotated[list[str] | None, typer.Argument(help="Tables to rebuild. Default: all that changed.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also rebuild what did not change.")] = False,
    season: Seasons = None,
    allow_row_loss: Annotated[bool, typer.Option("--allow-row-loss", help="Publish tables that lose rows.")] = False,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="Limit: 800MB, 2GB. Default: half of what is free.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, max=256, help="Worker processes. Default: by free memory."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="Use a Dask cluster: tcp://host:8786.")
    ] = None,
    as_known_at: Annotated[
        str | None,
        typer.Option("--as-known-at", metavar="WHEN", help="Use only pages fetched by then: 7d, a day, a timestamp."),
    ] = None,
    into: Annotated[
        str | None, typer.Option("--to", "-o", metavar="DIR", help="New folder for the tables of --as-known-at.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rebuild silver and gold from bronze, offline.

    Rebuilds what changed since the last rebuild. With --as-known-at, builds the tables as they were known then into a
    new folder, for back-tests without leaks.
    """
    from nhl_lake import catalog, layout
    from nhl_lake.cli.console import RebuildProgressBar, format_json
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm
    from nhl_lake.queries import coverage
    from nhl_lake.queries.targets import parse_folder
    from nhl_lake.rebuild import run
    from nhl_lake.store import delta_tables, locks

    chosen, clock = load_settings()
    order = find_rebuild_tables(table or [])
    layout.require_readable_lake(chosen.root)
    moment, to = None, None if into is None else parse_folder(into)
    if as_known_at is not None or to is not None:
        require_no_selection(table, season, everything, allow_row_loss)
        moment = check_as_known_at(chosen.root, as_known_at, to, clock())
    else:
        delta_tables.create_tables(chosen.root, catalog.BUILT_TABLES)  # not bronze: a lost bronze table is an error
    seasons, limit = parse_season_years(season), parse_memory(memory)
    coverage.require_seasons(chosen.root, seasons)
    bar = RebuildProgressBar(quiet=quiet or json)
    rebuilt = []
    with interrupt_on_sigterm(), locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        try:
            with (
                open_executor(chosen.root, cluster, chosen.cluster, jobs=jobs, memory=limit) as workers,
                bar.display(),
            ):
                resources = run.Resources(workers, bar)
                if moment is not None and to is not None:
                    partitions = run.rebuild_as_of(chosen.root, to, moment, resources=resources)
                else:
                    partitions = run.rebuild(
                        chosen.root,
                        order,
                        day=get_eastern_day(clock()),
                        seasons=seasons,
                        everything=everything,
                        allow_row_loss=allow_row_loss,
                        resources=resources,
                    )
                for partition in partitions:
                    bar.show_partition(partition)
                    rebuilt.append(partition._asdict())
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
        finally:
            if json:  # also what was rebuilt before an error
                write_out(format_json(rebuilt))
    if not rebuilt and not quiet and not json:
        print_text("Nothing changed since the last rebuild. `nhl-lake rebuild --all` rebuilds everything.")


def find_rebuild_tables(names: Sequence[str]) -> "list[Table]":
    """Return the tables with these names in build order; all tables if there are no names."""
    from nhl_lake import catalog

    tables = [catalog.find_table(name) for name in names]
    for given in tables:
        if given not in catalog.list_build_order():
            raise BadInput(
                f"{given.name} is not built from other tables.",
                "`nhl-lake rebuild` builds silver and gold tables. silver.quarantine goes with them.",
            )
    return [table for table in catalog.list_build_order() if not tables or table in tables]


def open_executor(
    root: "Location", option: str | None, setting: str | None, *, jobs: int | None, memory: int | None
) -> "AbstractContextManager[Executor]":
    """Return what builds the partitions: the workers of a cluster, or processes of this machine."""
    from nhl_lake.rebuild import executors

    if option is not None and jobs is not None:
        raise BadInput("--jobs and --cluster exclude each other.", "A cluster decides how many workers it has.")
    if (address := option or setting) is not None:
        if jobs is not None:
            raise BadInput("--jobs does not go with the setting NHL_LAKE_CLUSTER.", "Leave out one of them.")
        from nhl_lake.rebuild.dask_cluster import open_dask_executor

        return open_dask_executor(address, root, memory=memory)
    limit = memory or executors.choose_memory_limit()
    return executors.open_process_executor(jobs or executors.choose_worker_count(limit), limit)


def require_no_selection(*options: object) -> None:
    """Raise if an option that selects what to rebuild goes with --as-known-at."""
    if any(options):
        raise BadInput(
            "--as-known-at builds all tables of all seasons.",
            "Leave out table names, --season, --all and --allow-row-loss.",
        )


def check_as_known_at(root: "Location", at: str | None, to: Path | None, now: datetime) -> datetime:
    """Return the time of `--as-known-at`. Raise unless `--to` is a new folder and the lake has pages from before."""
    from nhl_lake.ingest import inventory
    from nhl_lake.store.location import require_lake_name

    if at is None or to is None:
        raise BadInput("--as-known-at and --to go together.", "`nhl-lake rebuild --as-known-at 2026-01-05 --to DIR`.")
    is_taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    if is_taken or (isinstance(root, Path) and root.resolve() in to.resolve().parents):
        raise BadInput(f"{to} is not an empty folder outside the lake.", "Give a new folder: --to DIR.")
    require_lake_name(to)
    moment = parse_moment(at, now)
    if moment < inventory.find_first_fetch_time(root):
        raise BadInput(f"The lake has no page from before {at}.", "`nhl-lake runs` shows the first run.")
    return moment
