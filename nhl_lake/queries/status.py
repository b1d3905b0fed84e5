"""The status of the lake: which scheduled games bronze has, and what the last run did."""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import polars as pl

from nhl_lake import layout
from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import is_upcoming
from nhl_lake.ingest import inventory
from nhl_lake.ingest.completeness import FAILURE_SCHEMA, classify_games
from nhl_lake.ingest.planner import Inventory
from nhl_lake.schema import ledger
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from nhl_lake.text import format_count

STATUS_COUNTS = {  # field of SeasonStatus: status of a game
    "complete": "complete", "partial": "partial", "incomplete": "incomplete", "pending": "open",
    "not_requested": "before",
}  # fmt: skip
RUNS_READ = 30  # search this many runs for the last failure of a page that is still missing


class SeasonStatus(NamedTuple):
    """A season in the lake, and its games by status.

    first_game_date: date of the first stored game. complete_through: last day before the first missing game.
    partial: games that are not official yet, or lack a page that the API does not have. incomplete: games with a page
    that failed or that fails a check. pending: played games that are missing. not_requested: games before the first
    one that was requested. upcoming: games to come.
    """

    season: int
    first_game_date: date | None
    complete_through: date | None
    complete: int
    partial: int
    incomplete: int
    pending: int
    not_requested: int
    upcoming: int


class LakeStatus(NamedTuple):
    """The status of the lake. It is well if there are no problems."""

    seasons: list[SeasonStatus]
    reasons: pl.DataFrame
    next_games: pl.DataFrame
    last_run: dict[str, Any] | None
    coverage: str  # since when games are complete
    problems: list[str]
    quarantined: list[str]  # games and other subjects that are not in a table
    failures: pl.DataFrame  # the last failure of each page that is still missing: table, page, failure, failed_at
    last_success_at: datetime | None  # end of the last run that reached its end, also if it left games incomplete


def scan_last_runs(root: Location, count: int) -> pl.LazyFrame:
    """Return the newest runs, oldest first. Of runs at one instant the order is that of their ids, always the same."""
    return delta_tables.scan_table(root, ledger.RUNS).sort("started_at", "ended_at", "run_id").tail(count)


def read_status(root: Location, now: datetime) -> LakeStatus:
    """Return the status of the lake."""
    layout.require_readable_lake(root)
    schedule = inventory.scan_scheduled_games(root, delta_tables.scan_newest_pages(root, endpoints.SCHEDULE)).collect()
    seasons = sorted(schedule["season"].unique().to_list(), reverse=True)
    facts = inventory.read_inventory(root, seasons, games=schedule, player_ids=inventory.make_empty_player_ids())
    failed = read_failures(root)
    standing = classify_games(facts, now, find_schedule_read_time(root), failed)
    to_come = select_upcoming_games(schedule, now)
    runs = scan_last_runs(root, 1).collect()
    last_run = runs.row(0, named=True) if runs.height else None
    quarantined = (
        delta_tables.scan_table_or_empty(root, QUARANTINE).select("subject").unique().sort("subject").collect()
    )["subject"].to_list()
    return LakeStatus(
        [summarize_season(standing, to_come, season) for season in seasons],
        count_reasons(standing),
        to_come.head(10),
        last_run,
        describe_coverage(standing),
        list_problems(standing, quarantined, last_run),
        quarantined,
        find_missing_pages(facts, failed),
        find_last_success(root),
    )


def find_last_success(root: Location) -> datetime | None:
    """Return when the last run that reached its end ended; None if none did."""
    runs = delta_tables.scan_table(root, ledger.RUNS).filter(pl.col("outcome").is_in(["done", "incomplete"]))
    last: datetime | None = runs.select(pl.col("ended_at").max()).collect().item()
    return last


def read_failures(root: Location) -> pl.DataFrame:
    """Return the last failure of each page in the last runs, even if fetched since: columns of FAILURE_SCHEMA."""
    runs = scan_last_runs(root, RUNS_READ).select("started_at", "pages")
    reasons = runs.explode("pages").unnest("pages").select("table", "reasons", failed_at="started_at")
    parted = pl.col("reasons").str.splitn(": ", 2).struct
    return (
        reasons.explode("reasons")
        .filter(pl.col("reasons").is_not_null())
        .select("table", page=parted.field("field_0"), failure=parted.field("field_1"), failed_at="failed_at")
        .unique(["table", "page"], keep="last", maintain_order=True)
        .collect()
    )


def find_missing_pages(facts: Inventory, failed: pl.DataFrame) -> pl.DataFrame:
    """Return the failures of pages that are still missing."""
    stored = pl.concat(pages.select("page", "fetched_at", table=pl.lit(name)) for name, pages in facts.stored.items())
    found = failed.join(stored, on=["table", "page"], how="left", maintain_order="left")
    is_missing = pl.col("fetched_at").is_null() | (pl.col("fetched_at") < pl.col("failed_at"))
    planned = pl.col("table").is_in(list(facts.stored))
    return found.filter(planned & is_missing).select(list(FAILURE_SCHEMA))


def find_schedule_read_time(root: Location) -> datetime:
    """Return when the schedule was last read; games after that may have changed."""
    runs = delta_tables.scan_table(root, ledger.RUNS).select("started_at", "pages").explode("pages").unnest("pages")
    read = runs.filter((pl.col("table") == endpoints.SCHEDULE.name) & (pl.col("new") + pl.col("unchanged") > 0))
    last: datetime | None = read.select(pl.col("started_at").max()).collect().item()
    if last is None:  # the first run did not finish
        last = delta_tables.scan_table(root, endpoints.SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
    return last or datetime.min.replace(tzinfo=UTC)


def summarize_season(standing: pl.DataFrame, to_come: pl.DataFrame, season: int) -> SeasonStatus:
    """Count the games of a season."""
    rows = standing.filter(pl.col("season") == season)
    counts = {name: rows.filter(pl.col("stands") == status).height for name, status in STATUS_COUNTS.items()}
    is_stored = pl.col("stands").is_in(["complete", "partial", "incomplete"])
    first_open = pl.col("game_date").filter(pl.col("stands") == "open").min()
    is_before = first_open.is_null() | (pl.col("game_date") < first_open)
    begins, through = rows.select(
        begins=pl.col("game_date").filter(is_stored).min(),
        through=pl.col("game_date").filter(is_stored & is_before).max(),
    ).row(0)
    upcoming = to_come.filter(pl.col("season") == season).height
    return SeasonStatus(season, begins, through, **counts, upcoming=upcoming)


def count_reasons(standing: pl.DataFrame) -> pl.DataFrame:
    """Count games by what is missing: season, stands, why, games, newest."""
    return (
        standing.filter(pl.col("stands").is_in(["partial", "incomplete", "open"]))
        .sort("game_id", descending=True)
        .group_by("season", "stands", "why", maintain_order=True)
        .agg(games=pl.len(), newest=pl.col("game_id").first())
    )


def select_upcoming_games(schedule: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return upcoming games, soonest first."""
    return schedule.filter(is_upcoming(now)).sort("start_at", "game_id")


def describe_coverage(standing: pl.DataFrame) -> str:
    """Return since when the lake is complete. The schedule decides: a three-week break makes nothing stale."""
    begins: date | None = standing.filter(pl.col("stands") != "before").select(pl.col("game_date").min()).item()
    if begins is None:
        return "no game was played yet"
    partial = standing.filter(pl.col("stands") == "partial").height
    rest = f"; {format_count(partial, 'game', 'lack')} something that the API does not have" if partial else ""
    return f"every game since {begins} is in the lake{rest}"


def list_problems(standing: pl.DataFrame, quarantined: list[str], last_run: dict[str, Any] | None) -> list[str]:
    """Return the lake's problems, each with the command that helps."""
    missing = standing.filter(pl.col("stands") == "open")
    incomplete = standing.filter(pl.col("stands") == "incomplete").height
    problems = []
    if missing.height:
        oldest: date = missing.select(pl.col("game_date").min()).item()
        count = format_count(missing.height, "played game", "are")
        problems.append(f"{count} missing, the oldest of {oldest} (`nhl-lake ingest`)")
    if incomplete:
        problems.append(f"{format_count(incomplete, 'game', 'are')} incomplete (`nhl-lake ingest`)")
    if quarantined:
        problems.append(f"{format_count(len(quarantined), 'subject', 'are')} quarantined (`nhl-lake check`)")
    if last_run is not None and last_run["outcome"] == "error":
        problems.append("the last run ended with an error (`nhl-lake runs`)")
    return problems
