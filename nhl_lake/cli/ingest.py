"""The command that fetches pages, and its plan."""

from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli import log
from nhl_lake.cli.commands import use_variable
from nhl_lake.cli.options import (
    MAX_DAYS,
    Json,
    Quiet,
    Seasons,
    format_command_line,
    load_settings,
    parse_day,
    parse_game_types,
    parse_season_years,
)
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.cli.ping import ping_at_end
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nhl_lake.cli.console import FetchProgressBar
    from nhl_lake.clock import Clock
    from nhl_lake.ingest.run import ClientConfig, IngestSummary, Options
    from nhl_lake.settings import Settings
    from nhl_lake.store.location import Location

LEVELS: dict[int, log.Level] = {0: "info", 3: "warning", 130: "warning"}  # by exit code


def ingest(
    lookback: Annotated[
        int | None,
        typer.Option(
            "--lookback", metavar="DAYS", min=0, max=MAX_DAYS, help="Fetch games of the last DAYS days again."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="Fetch everything since DAY: 2023-10-01 or 7d.")
    ] = None,
    season: Seasons = None,
    game_type: Annotated[
        list[int] | None,
        typer.Option("--game-type", metavar="TYPE", help="1 preseason, 2 regular season, 3 playoffs. Default: these."),
    ] = None,
    with_pages: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME",
            help="Also request optional pages: landing, edge, reports, odds; or none. Default: NHL_LAKE_WITH.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the schedule, print the plan and its cost. Store nothing.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With --dry-run: list every page.")] = False,
    rebuilds: Annotated[
        bool, typer.Option("--rebuild/--no-rebuild", help="Rebuild silver and gold where pages changed.")
    ] = True,
    ping: Annotated[
        str | None,
        typer.Option("--ping", metavar="URL", help="Request URL at the end, or URL/fail. Default: NHL_LAKE_PING."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Fetch missing and incomplete pages, then rebuild what changed.

    Also predicts the next games by the newest model of `nhl-lake predict`, if there is one.

    Without options: the current season, and the schedule ahead. The pages of a game are fetched again about a day,
    three days, a week and thirty days after it, because the NHL corrects statistics. The exit code is 3 while
    anything is incomplete; stderr lists it.
    """
    import stamina.instrumentation

    from nhl_lake.cli import console
    from nhl_lake.ingest import run

    stamina.instrumentation.set_on_retry_hooks([])  # otherwise each retry prints a line; the summary counts them
    with use_variable("NHL_LAKE_PING", ping):
        chosen, clock = load_settings()
    options = run.Options(
        seasons=parse_season_years(season),
        since=parse_day(since, clock()),
        lookback_days=lookback,
        second_looks=chosen.second_looks,
        game_types=parse_game_types(game_type),
        with_pages=parse_optional_pages(chosen.with_pages if with_pages is None else with_pages),
    )
    bar = console.FetchProgressBar(quiet=quiet or json)
    config = make_client_config(chosen, clock)
    if dry_run:
        preview(chosen, options, config, clock, bar, verbose=verbose, json=json)
        return
    with ping_at_end(chosen.ping.get_secret_value() if chosen.ping else None):
        summary = run_once(chosen.root, options, config, clock, bar, rebuilds=rebuilds)
        show_result(chosen.root, summary, game_type or [], quiet=quiet, json=json)


def run_once(
    root: "Location",
    options: "Options",
    config: "ClientConfig",
    clock: "Clock",
    bar: "FetchProgressBar",
    *,
    rebuilds: bool,
) -> "IngestSummary":
    """Run, and write the start and the end of the run to the log."""
    from nhl_lake.ingest import run
    from nhl_lake.ingest.writer import sum_page_counts
    from nhl_lake.models.predict import refresh_predictions

    command = format_command_line()
    log.write_event("info", "run started", command=command, root=root)
    with bar.display():
        summary = run.ingest(
            root,
            options,
            config,
            clock=clock,
            progress=bar,
            command=command,
            rebuilds=rebuilds,
            predict=refresh_predictions,
            run_id=log.get_log().run_id,
        )
    log.write_event(
        LEVELS.get(summary.exit_code, "error"),
        "run ended",
        outcome=summary.outcome,
        exit_code=summary.exit_code,
        seconds=round(summary.seconds, 3),
        pages=dict(sum_page_counts(summary.page_counts)),
        rebuilt=len(summary.rebuilt),
    )
    return summary


def show_result(root: "Location", summary: "IngestSummary", game_types: list[int], *, quiet: bool, json: bool) -> None:
    """Print what a run did and what is incomplete, and exit with its code."""
    from nhl_lake.cli import console
    from nhl_lake.queries import coverage

    if json:
        write_out(console.format_summary_json(summary))
    elif not quiet:
        console.show_summary(summary)
        for kind in coverage.find_absent_game_types(root, summary.seasons, game_types):
            print_text(f"The schedule of these seasons lists no games of type {kind}.")
    console.show_incomplete(summary)
    if summary.error is not None:
        raise summary.error
    raise typer.Exit(summary.exit_code)


def parse_optional_pages(names: "Sequence[str]") -> frozenset[str]:
    """Return the names of optional pages; `none` is none. Raise BadInput for a name that there is not."""
    from nhl_lake.bronze.endpoints import OPTIONAL_PAGES

    asked = {part.strip() for name in names for part in name.split(",")} - {"", "none"}
    for name in sorted(asked - set(OPTIONAL_PAGES)):
        raise BadInput(
            f"There are no optional pages {name!r}.",
            f"Use {', '.join(OPTIONAL_PAGES)}, or none, with --with or NHL_LAKE_WITH.",
        )
    return frozenset(asked)


def preview(
    chosen: "Settings",
    options: "Options",
    config: "ClientConfig",
    clock: "Clock",
    bar: "FetchProgressBar",
    *,
    verbose: bool,
    json: bool,
) -> None:
    """Print the plan of a run, without running it."""
    from nhl_lake import catalog
    from nhl_lake.cli import console
    from nhl_lake.ingest.run import preview_ingest

    with bar.display():
        _, found, requests = preview_ingest(chosen.root, options, config, clock=clock, progress=bar)
    if json:
        write_out(console.format_json(requests.select("table", "page", "season", "game_date", "why").to_dicts()))
        return
    touched = {catalog.find_table(name) for name in requests["table"].unique()} | {
        catalog.find_table("bronze.schedule")
    }
    names = [table.name for table in catalog.find_downstream(touched)]
    console.show_plan(
        requests,
        verbose=verbose,
        rate=chosen.rate,
        schedule_pages=len(found.weeks) + 2,
        rebuilt=names,
        has_edge="edge" in options.with_pages,
    )


def make_client_config(chosen: "Settings", clock: "Clock") -> "ClientConfig":
    """Return the client configuration: the NHL's hosts, another base address, or the sample league in this process."""
    from nhl_lake.cli.demo import make_league_config
    from nhl_lake.ingest.client import RateLimit
    from nhl_lake.ingest.run import USER_AGENT, ClientConfig

    if chosen.api is not None and chosen.api.startswith("league:"):
        return make_league_config(clock, chosen.concurrency)
    rate_limit = RateLimit(chosen.rate, chosen.concurrency, USER_AGENT)
    return ClientConfig(rate_limit=rate_limit, base_url=chosen.api)
