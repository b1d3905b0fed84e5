"""The sample league: a lake without network, and the league over HTTP."""

import shlex
import shutil
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.commands import Root
from nhl_lake.cli.options import Json, parse_instant
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput
from nhl_lake.text import format_count

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.clock import Clock
    from nhl_lake.ingest.run import ClientConfig, IngestSummary
    from nhl_lake.league import League

FIRST_MORNING = datetime(2026, 4, 1, 13, 0, tzinfo=UTC)  # 09:00 in New York, two weeks before the playoffs
HISTORY = timedelta(days=14)


def make_league_config(clock: "Clock", concurrency: int = 4) -> "ClientConfig":
    """Return the client configuration of the sample league in this process: this season by the clock, and the last."""
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.hockey.ids import get_season_on
    from nhl_lake.ingest.client import RateLimit
    from nhl_lake.ingest.run import USER_AGENT, ClientConfig
    from nhl_lake.league.transport import LeagueTransport

    league = simulate_league(get_season_on(get_eastern_day(clock())))
    return ClientConfig(
        rate_limit=RateLimit(0, concurrency, USER_AGENT),
        base_url="http://league",
        source="sample league",
        transport=LeagueTransport(league, clock),
    )


@cache
def simulate_league(season: int) -> "League":
    """Return the sample league with a season and the one before. Simulating them takes seconds, once a process."""
    from nhl_lake.hockey.ids import make_season_id
    from nhl_lake.league import League

    return League(seasons=(make_season_id(season // 10_000 - 1), season))


def demo(json: Json = False, root: Root = None) -> None:
    """Create a lake of the sample league, without network.

    The lake is at data/demo, or at --root: NHL_LAKE_ROOT does not count. It has the last weeks of a season.
    Run it again for one more day of games.
    """
    from nhl_lake.cli import console
    from nhl_lake.clock import make_clock
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.ingest.run import Options, ingest
    from nhl_lake.layout import check_source, is_lake
    from nhl_lake.models.predict import refresh_predictions
    from nhl_lake.queries.game import find_last_game
    from nhl_lake.queries.status import read_status
    from nhl_lake.queries.targets import parse_folder
    from nhl_lake.store.location import require_lake_name

    folder = parse_folder("data/demo" if root is None else root)
    require_lake_name(folder)
    is_first = not is_lake(folder)
    check_source(folder, "sample league")
    now = FIRST_MORNING if is_first else find_last_run_time(folder) + timedelta(days=1)
    since = get_eastern_day(FIRST_MORNING - HISTORY)
    out = console.make_console()
    if not json:
        out.print(describe_demo(folder, now, is_first=is_first))
    bar = console.FetchProgressBar(quiet=json)
    clock = make_clock(now)
    with bar.display():
        summary = ingest(
            folder,
            Options(since=since, lookback_days=None if is_first else 1),
            make_league_config(clock),
            clock=clock,
            progress=bar,
            command="nhl-lake demo",
            rebuilds=True,
            predict=refresh_predictions,
        )
    game_id = find_last_game(folder, None)
    report = write_last_report(folder, game_id)
    if json:
        write_out(console.format_summary_json(summary))
        console.show_incomplete(summary)
        raise typer.Exit(summary.exit_code)
    console.show_summary(summary)
    out.print("")
    console.show_status(read_status(folder, now), is_short=True)
    out.print("")
    show_scorers(folder)
    out.print("")
    print_next_steps(folder, game_id, summary, now, is_first=is_first)
    out.print("", "A report of the last game, with pictures, is ready. Open it in a browser:", sep="\n")
    print_text(f"  {report.absolute()}")
    raise typer.Exit(summary.exit_code)


def describe_demo(folder: Path, now: datetime, *, is_first: bool) -> str:
    """Return what the command is about to do."""
    from nhl_lake.cli.console import format_eastern_time

    if is_first:
        return f"The sample league, invented throughout: the last two weeks of March 2026. Creating {folder} …"
    return f"One more day in the sample league: it is now {format_eastern_time(now)}."


def find_last_run_time(folder: Path) -> datetime:
    """Return the morning of the lake's last run, in the time of the sample league."""
    import polars as pl

    from nhl_lake.schema import ledger
    from nhl_lake.store import delta_tables

    runs = delta_tables.scan_table(folder, ledger.RUNS).select(pl.col("started_at").max()).collect().item()
    moment: datetime = runs or FIRST_MORNING
    return moment.replace(hour=FIRST_MORNING.hour, minute=0, second=0, microsecond=0)


def show_scorers(folder: Path) -> None:
    """Print the top scorers of the lake's games."""
    import polars as pl

    from nhl_lake.bronze.endpoints import PLAYERS
    from nhl_lake.cli import console
    from nhl_lake.gold.skater_game import SKATER_GAME
    from nhl_lake.store import delta_tables

    names = delta_tables.scan_table(folder, PLAYERS).select("player_id", name=parse_full_name())
    top = (
        delta_tables.scan_table(folder, SKATER_GAME)
        .filter(pl.col("situation") == "all")
        .group_by("player_id")
        .agg(
            team=pl.col("team_abbrev").sort_by("game_date", "game_id").last(),
            games=pl.len(),
            goals=pl.col("goals").sum(),
            shots_on_goal=pl.col("shots_on_goal").sum(),
        )
        .join(names, on="player_id")
        .sort("goals", "shots_on_goal", "player_id", descending=[True, True, False])
        .head(5)
        .select("name", "team", "games", "goals", "shots_on_goal")
        .collect()
    )
    out = console.make_console()
    out.print("Most goals in these weeks (gold.skater_game):")
    heads = ["player", "team", "games", "goals", "shots"]
    out.print(console.make_grid(heads, top.iter_rows(), right=heads[2:]))


def parse_full_name() -> "pl.Expr":
    """Return the expression of the name in a player's page."""
    import polars as pl

    return pl.concat_str(
        pl.col("body").str.json_path_match("$.firstName.default"),
        pl.col("body").str.json_path_match("$.lastName.default"),
        separator=" ",
    )


def write_last_report(folder: Path, game_id: int) -> Path:
    """Write the report of the last game next to the lake, in place of an older one; return its file."""
    from nhl_lake.queries import targets
    from nhl_lake.reports.game import read_game
    from nhl_lake.reports.game_page import render_game

    file = folder.with_name(f"{folder.name}-report.html")
    with targets.write_atomically(file) as draft:
        draft.write_text(render_game(read_game(folder, game_id)), encoding="utf-8", newline="\n")
    return file


def print_next_steps(folder: Path, game_id: int, summary: "IngestSummary", now: datetime, *, is_first: bool) -> None:
    """Print what the run added, and what to try next."""
    from nhl_lake.bronze.endpoints import SCHEDULE
    from nhl_lake.cli import console

    out = console.make_console()
    games = summary.page_counts["bronze.play_by_play"].new
    if not is_first:
        entries = summary.page_counts[SCHEDULE.name].changed
        out.print(
            f"One more day came in: {format_count(games, 'new game')}, and {entries} changed entries of the schedule.\n"
        )
    out.print("Try next:")
    location = shlex.quote(str(folder.absolute()))
    instant = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if shutil.which("nhl-lake") is None:
        out.print(f"  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    out.print(f"  export NHL_LAKE_ROOT={location} NHL_LAKE_API=league: NHL_LAKE_NOW={instant}")
    for command, about in (
        ("nhl-lake report game last --open", "the last game in pictures, in your browser"),
        ("nhl-lake site serve", "all games, players and teams, in your browser"),
        ("nhl-lake leaders --by goals", "the best scorers"),
        ("nhl-lake player zeke kesseridge", "one player; also: team HMS"),
        (f"nhl-lake game {game_id}", "one game: periods, goals, penalties, goalies"),
        ("nhl-lake upcoming", "the next games"),
        ("nhl-lake predict", "their shots on goal (install nhl-lake[predict])"),
        ("nhl-lake ingest --dry-run", "what a run would fetch, and why"),
        ("nhl-lake rebuild --all", "rebuild silver and gold, offline"),
        ("nhl-lake demo --root $NHL_LAKE_ROOT", "one more day of games"),
    ):
        out.print(f"  {command:38} # {about}")


def serve(
    port: Annotated[int, typer.Option("--port", max=65_535, help="Port on this machine. 0: any free port.")] = 8090,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="INSTANT", help="Start the clock at 2026-04-01T13:00:00Z."),
    ] = None,
    latency_ms: Annotated[
        float, typer.Option("--latency-ms", min=0, max=3_600_000, help="Wait this long before each answer.")
    ] = 0,
    rate: Annotated[int, typer.Option("--rate", help="Answer 429 to more requests a second. 0: no limit.")] = 0,
    fail: Annotated[float, typer.Option("--fail", min=0, max=1, help="Share of requests that fail: 0 to 1.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes another league.")] = 1,
    is_troubled: Annotated[
        bool, typer.Option("--troubled", help="Break and correct many pages; heal them days later.")
    ] = False,
    season: Annotated[
        list[int] | None, typer.Option("--season", metavar="YEAR", help="2025 is 2025-26. Repeat for several seasons.")
    ] = None,
    json: Json = False,
) -> None:
    """Serve the sample league over HTTP until interrupted.

    The paths are those of the NHL's three hosts.
    """
    from nhl_lake.clock import make_clock
    from nhl_lake.hockey.ids import make_season_id
    from nhl_lake.league import InvalidLeagueOption, League
    from nhl_lake.league.faults import Faults
    from nhl_lake.league.quirks import FEW_DEFECTS, MANY_DEFECTS
    from nhl_lake.league.server import serve_league

    clock = make_clock(parse_instant(as_of))
    seasons = tuple(make_season_id(year) for year in season or (2024, 2025))
    try:
        serve_league(
            League(seed, seasons, MANY_DEFECTS if is_troubled else FEW_DEFECTS),
            port=port,
            clock=clock,
            faults=Faults(latency_ms, rate, fail, seed),
            ready=print_json_address if json else print_address,
        )
    except InvalidLeagueOption as error:
        what = str(error)
        raise BadInput(what[0].upper() + what[1:], "`nhl-lake league serve --help` shows the options.") from error


def print_address(url: str) -> None:
    """Print where the league is, and how to use it."""
    print_text(f"The sample league is at {url}: NHL_LAKE_API={url} nhl-lake ingest")


def print_json_address(url: str) -> None:
    """Print where the league is, as JSON."""
    from nhl_lake.cli.console import format_json

    write_out(format_json({"url": url}))
