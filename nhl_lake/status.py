"""How the lake stands, told from bronze and the schedule, not from when something last ran."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from nhl_lake import bronze, known, ledger
from nhl_lake.catalog import TABLES
from nhl_lake.hockey.calendar import FINAL, GAME_TYPES
from nhl_lake.plan import Known, Seen, looks
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.store import lake
from nhl_lake.store.place import Place
from nhl_lake.table import Table

STILL_OPEN = timedelta(hours=6)
GONE = timedelta(days=2)  # unplayed for so long though the schedule was read since: it does not list it any more
STANDINGS = ("complete", "partial", "open", "before")
UNOFFICIAL = "not official yet"


class SeasonStatus(NamedTuple):
    """A season in the lake, its games by how whole they are.

    begins: day of the first game that is held. through: last day until which none is open. before: games played before
    the lake begins, never asked for. upcoming: games to come.
    """

    season: int
    begins: date | None
    through: date | None
    complete: int
    partial: int
    open: int
    before: int
    upcoming: int


class Status(NamedTuple):
    """How the lake stands."""

    seasons: list[SeasonStatus]
    reasons: pl.DataFrame
    next_games: pl.DataFrame
    last_run: dict[str, Any] | None
    sizes: list[tuple[Table, dict[str, int]]]
    freshness: str
    put_aside: list[str]  # games, and players, teams or days, that a table could not be made of


def status(root: Place, now: datetime) -> Status:
    """Tell how the lake stands."""
    known.require(root)
    schedule = known.every_game(root, lake.newest(root, bronze.SCHEDULE)).collect()
    seasons = sorted(schedule["season"].unique().to_list(), reverse=True)
    standing = by_game(known.known(root, seasons, met=known.no_people()), now, schedule_read_at(root))
    to_come = upcoming(schedule, now)
    runs = lake.scan(root, ledger.RUNS).sort("started_at").tail(1).collect()
    return Status(
        [season_status(standing, to_come, season) for season in seasons],
        reasons(standing),
        to_come.head(10),
        runs.row(0, named=True) if runs.height else None,
        lake.sizes(root, TABLES),
        freshness(standing),
        known.rows(root, REFUSALS).select("subject").unique().sort("subject").collect()["subject"].to_list(),
    )


def schedule_read_at(root: Place) -> datetime:
    """Return when the schedule was last read: what it says of later games is a promise."""
    runs = lake.scan(root, ledger.RUNS).select("started_at", "pages").explode("pages").unnest("pages")
    read = runs.filter((pl.col("table") == bronze.SCHEDULE.name) & (pl.col("new") + pl.col("unchanged") > 0))
    last: datetime | None = read.select(pl.col("started_at").max()).collect().item()
    if last is None:  # the first run was killed
        last = lake.scan(root, bronze.SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
    return last or datetime.min.replace(tzinfo=UTC)


def by_game(facts: Known, now: datetime, read_at: datetime) -> pl.DataFrame:
    """One row a game that was, or should have been, played; how it stands (`stands`), and `why`.

    complete: every page is held, and official. partial: the plays are held, something else is not. open: there is no
    final play-by-play page yet. before: so too, but the game is older than all that are held of its season: the lake
    was begun later.
    """
    over = pl.col("game_state").is_in(FINAL)
    must_be_over = pl.col("start_at") + STILL_OPEN < pl.lit(now)
    # a game that a later reading of the schedule found unplayed long after its day is not to come any more
    is_listed = (pl.col("start_at") + STILL_OPEN > pl.lit(read_at)) | (pl.lit(now) - pl.col("start_at") < GONE)
    is_late = (pl.col("schedule_state") == "OK") & must_be_over & is_listed
    games = facts.games.filter(pl.col("game_type").is_in(list(GAME_TYPES)) & (over | is_late))
    games = games.with_columns(page=pl.col("game_id").cast(pl.String))
    found = looks(facts)
    lacking = [lacks(games, found, table) for table in bronze.GAME_PAGES]
    reports = [lacks(games, found, table) for table in bronze.SHIFT_REPORTS]
    plays, boxscore, chart, rail = lacking
    has_reports = reports[0].is_null() & reports[1].is_null()
    why = [plays, boxscore, chart.set(has_reports, None), rail]
    rows = games.with_columns(column.alias(f"lack {n}") for n, column in enumerate(why)).with_columns(
        why=pl.concat_str(pl.col("^lack .*$"), separator=", ", ignore_nulls=True)
    )
    is_open = pl.col("lack 0").is_not_null() & (pl.col("lack 0") != UNOFFICIAL)
    begins = pl.col("game_date").filter(is_open.not_()).min().over("season")
    stands = (
        pl.when(is_open & (pl.col("game_date") < begins))
        .then(pl.lit("before"))
        .when(is_open)
        .then(pl.lit("open"))
        .when(pl.col("why") != "")
        .then(pl.lit("partial"))
        .otherwise(pl.lit("complete"))
    )
    return rows.select("season", "game_id", "game_date", stands=stands, why=pl.col("why"))


def lacks(games: pl.DataFrame, found: Seen, table: Table) -> pl.Series:
    """Say of each game what is wrong with its page of a table; null if nothing."""
    noun = table.name.removeprefix("bronze.").replace("_", " ")
    seen = games.select("page", "game_type").join(found[table.name], on="page", how="left", maintain_order="left")
    return seen.select(
        pl.when(pl.col("last_at").is_null())
        .then(pl.lit(f"no {noun} yet"))
        .when(pl.col("is_held").is_null())
        .then(pl.lit(f"no {noun} (404)"))
        .when(pl.col("is_empty"))
        .then(pl.lit("shift chart is empty"))
        .when(pl.col("last_state").is_in(FINAL).fill_null(value=False).not_())
        .then(pl.lit(f"{noun} is not final"))
        .when((table is bronze.PLAY_BY_PLAY) & (pl.col("last_state") == "FINAL") & (pl.col("game_type") != 1))
        .then(pl.lit(UNOFFICIAL))
    ).to_series()


def season_status(standing: pl.DataFrame, to_come: pl.DataFrame, season: int) -> SeasonStatus:
    """Count the games of a season."""
    rows = standing.filter(pl.col("season") == season)
    complete, partial, still_open, before = (rows.filter(pl.col("stands") == n).height for n in STANDINGS)
    held = pl.col("stands").is_in(["complete", "partial"])
    first_open = pl.col("game_date").filter(pl.col("stands") == "open").min()
    is_before = first_open.is_null() | (pl.col("game_date") < first_open)
    begins, through = rows.select(
        begins=pl.col("game_date").filter(held).min(), through=pl.col("game_date").filter(held & is_before).max()
    ).row(0)
    upcoming = to_come.filter(pl.col("season") == season).height
    return SeasonStatus(season, begins, through, complete, partial, still_open, before, upcoming)


def reasons(standing: pl.DataFrame) -> pl.DataFrame:
    """Count games by what they lack: season, stands, why, games, newest."""
    return (
        standing.filter(pl.col("stands").is_in(["partial", "open"]))
        .sort("game_id", descending=True)
        .group_by("season", "stands", "why", maintain_order=True)
        .agg(games=pl.len(), newest=pl.col("game_id").first())
    )


def upcoming(schedule: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return the games to come, soonest first."""
    to_come = (pl.col("start_at") > now) & pl.col("schedule_state").is_in(["OK", "TBD"])
    return schedule.filter(to_come & (pl.col("game_state") == "FUT")).sort("start_at", "game_id")


def freshness(standing: pl.DataFrame) -> str:
    """Judge freshness against the schedule: a break of three weeks makes nothing stale."""
    count, oldest, begins, partial = standing.select(
        count=(pl.col("stands") == "open").sum(),
        oldest=pl.col("game_date").filter(pl.col("stands") == "open").min(),
        begins=pl.col("game_date").filter(pl.col("stands") != "before").min(),
        partial=(pl.col("stands") == "partial").sum(),
    ).row(0)
    if count:
        return f"{count} played games are missing, the oldest of {oldest}: `nhl-lake ingest` fetches them."
    if begins is None:
        return "No game was played yet."
    rest = f"; {partial} lack something beside their plays" if partial else ""
    return f"No game that was played since {begins} is missing{rest}."
