"""How the lake stands, told from bronze and the schedule, not from when something last ran."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from nhl_lake import bronze, known, ledger
from nhl_lake.catalog import TABLES
from nhl_lake.hockey.calendar import FINAL, GAME_TYPES, is_to_come
from nhl_lake.hockey.seasons import FIRST_WITH_SHIFTS
from nhl_lake.plan import Known, Seen, looks
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.store import lake
from nhl_lake.store.place import Place
from nhl_lake.table import Table

STILL_OPEN = timedelta(hours=6)
GONE = timedelta(days=2)  # unplayed for so long though the schedule was read since: it does not list it any more
STANDINGS = ("complete", "partial", "incomplete", "open", "before")
UNOFFICIAL = "not official yet"
FAILED = "failed "
FAILURES: dict[str, pl.DataType | type[pl.DataType]] = {
    "table": pl.String,
    "page": pl.String,
    "failure": pl.String,
    "failed_at": ledger.RUNS.schema["started_at"],
}
RUNS_READ = 30  # the last failure of a page that is still missing is in one of the last runs


class SeasonStatus(NamedTuple):
    """A season in the lake, its games by how whole they are.

    begins: day of the first game that is held. through: last day until which none is open. partial: games that
    are not official yet, or of which the API has no page of some kind. incomplete: games with a page that failed, or
    that fails a check. before: games played before the
    lake begins, never asked for. upcoming: games to come.
    """

    season: int
    begins: date | None
    through: date | None
    complete: int
    partial: int
    incomplete: int
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
    failures: pl.DataFrame  # the last failure of each page that is still missing: table, page, failure, failed_at


def status(root: Place, now: datetime) -> Status:
    """Tell how the lake stands."""
    known.require(root)
    schedule = known.every_game(root, lake.newest(root, bronze.SCHEDULE)).collect()
    seasons = sorted(schedule["season"].unique().to_list(), reverse=True)
    facts = known.known(root, seasons, met=known.no_people())
    failed = failures(root)
    standing = by_game(facts, now, schedule_read_at(root), failed)
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
        still_missing(facts, failed),
    )


def quarantined(root: Place, seasons: Sequence[int]) -> list[str]:
    """Name what was quarantined beside games, a line a table and reason: the checks of games name those."""
    rows = known.rows(root, REFUSALS).filter(pl.col("game_id").is_null())
    mine = rows.filter(pl.col("season").is_null() | pl.col("season").is_in(list(seasons)))
    kinds = (
        mine.sort("subject").group_by("refused_by", "reason", maintain_order=True).agg(pl.len(), pl.first("subject"))
    )
    return [
        f"{count:,} quarantined by {table}: {reason} ({subject})"
        for table, reason, count, subject in kinds.collect().iter_rows()
    ]


def failures(root: Place) -> pl.DataFrame:
    """Return the last failure of each page in the last runs, whether it has come since or not: columns of FAILURES."""
    runs = lake.scan(root, ledger.RUNS).sort("started_at").tail(RUNS_READ).select("started_at", "pages")
    reasons = runs.explode("pages").unnest("pages").select("table", "reasons", failed_at="started_at")
    parted = pl.col("reasons").str.splitn(": ", 2).struct
    return (
        reasons.explode("reasons")
        .filter(pl.col("reasons").is_not_null())
        .select("table", page=parted.field("field_0"), failure=parted.field("field_1"), failed_at="failed_at")
        .unique(["table", "page"], keep="last", maintain_order=True)
        .collect()
    )


def still_missing(facts: Known, failed: pl.DataFrame) -> pl.DataFrame:
    """Leave the failures of pages that have not come since."""
    held = pl.concat(pages.select("page", "fetched_at", table=pl.lit(name)) for name, pages in facts.held.items())
    came = failed.join(held, on=["table", "page"], how="left", maintain_order="left")
    is_missing = pl.col("fetched_at").is_null() | (pl.col("fetched_at") < pl.col("failed_at"))
    planned = pl.col("table").is_in(list(facts.held))
    return came.filter(planned & is_missing).select(list(FAILURES))


def schedule_read_at(root: Place) -> datetime:
    """Return when the schedule was last read: what it says of later games is a promise."""
    runs = lake.scan(root, ledger.RUNS).select("started_at", "pages").explode("pages").unnest("pages")
    read = runs.filter((pl.col("table") == bronze.SCHEDULE.name) & (pl.col("new") + pl.col("unchanged") > 0))
    last: datetime | None = read.select(pl.col("started_at").max()).collect().item()
    if last is None:  # the first run was killed
        last = lake.scan(root, bronze.SCHEDULE).select(pl.col("fetched_at").max()).collect().item()
    return last or datetime.min.replace(tzinfo=UTC)


def by_game(facts: Known, now: datetime, read_at: datetime, failed: pl.DataFrame) -> pl.DataFrame:
    """One row a game that was, or should have been, played; how it stands (`stands`), and `why`.

    complete: every page is held, official, and passes the checks. partial: the plays are held, but are not official
    yet, or the API has no page of another kind. incomplete: the plays are held, and another page failed, or one fails
    a check. open: there is no final play-by-play page yet. before: so too, but the game is older than all that are held
    of its season: the lake was begun later. `failed` are the last failures of pages.
    """
    over = pl.col("game_state").is_in(FINAL)
    must_be_over = pl.col("start_at") + STILL_OPEN < pl.lit(now)
    # a game that a later reading of the schedule found unplayed long after its day is not to come any more
    is_listed = (pl.col("start_at") + STILL_OPEN > pl.lit(read_at)) | (pl.lit(now) - pl.col("start_at") < GONE)
    is_late = (pl.col("schedule_state") == "OK") & must_be_over & is_listed
    games = facts.games.filter(pl.col("game_type").is_in(list(GAME_TYPES)) & (over | is_late))
    games = games.with_columns(page=pl.col("game_id").cast(pl.String))
    found = looks(facts)
    plays, boxscore, chart, rail = (lacks(games, found, table, failed) for table in bronze.GAME_PAGES)
    reports = [found[table.name].filter("is_held")["page"].to_list() for table in bronze.SHIFT_REPORTS]
    has_reports = games["page"].is_in(reports[0]) & games["page"].is_in(reports[1])
    needs_chart = ~has_reports & (games["season"] >= FIRST_WITH_SHIFTS)
    broken = reasons_of(games, facts.incomplete)
    lacking = [plays, boxscore, chart.set(~needs_chart, None), rail, broken]
    rows = games.with_columns(column.alias(f"lack {n}") for n, column in enumerate(lacking)).with_columns(
        why=pl.concat_str(pl.col("^lack .*$"), separator=", ", ignore_nulls=True)
    )
    is_open = pl.col("lack 0").is_not_null() & (pl.col("lack 0") != UNOFFICIAL)
    begins = pl.col("game_date").filter(is_open.not_()).min().over("season")
    # of an incomplete game only what is wrong is named, not what the API does not have besides
    failures = [pl.when(pl.col(f"lack {n}").str.starts_with(FAILED)).then(f"lack {n}") for n in (1, 2, 3)]
    wrong = pl.concat_str([*failures, "lack 4"], separator=", ", ignore_nulls=True)
    stands = (
        pl.when(is_open & (pl.col("game_date") < begins))
        .then(pl.lit("before"))
        .when(is_open)
        .then(pl.lit("open"))
        .when(wrong != "")
        .then(pl.lit("incomplete"))
        .when(pl.col("why") != "")
        .then(pl.lit("partial"))
        .otherwise(pl.lit("complete"))
    )
    why = pl.when(stands == "incomplete").then(wrong).otherwise("why")
    return rows.select("season", "game_id", "game_type", "game_date", stands=stands, why=why)


def reasons_of(games: pl.DataFrame, incomplete: pl.DataFrame) -> pl.Series:
    """Return what the checks say of each game; null of one that passes them all."""
    whole = incomplete.group_by("page").agg(broken=pl.col("reason").unique().sort().str.join(", "))
    return games.select("page").join(whole, on="page", how="left", maintain_order="left")["broken"]


def lacks(games: pl.DataFrame, found: Seen, table: Table, failed: pl.DataFrame) -> pl.Series:
    """Say of each game what is wrong with its page of a table; null if nothing."""
    noun = table.name.removeprefix("bronze.").replace("_", " ")
    failures = failed.filter(pl.col("table") == table.name).select("page", "failure")
    seen = (
        games.select("page", "game_type")
        .join(found[table.name], on="page", how="left", maintain_order="left")
        .join(failures, on="page", how="left", maintain_order="left")
    )
    return seen.select(
        pl.when(pl.col("last_at").is_null() & pl.col("failure").is_not_null())
        .then(pl.format(f"{FAILED}{noun}: {{}}", "failure"))
        .when(pl.col("last_at").is_null())
        .then(pl.lit(f"no {noun} yet"))
        .when(pl.col("is_held").is_null())
        .then(pl.lit(f"no {noun} (404)"))
        .when(pl.col("is_empty") & pl.col("reason").is_null())
        .then(pl.lit("shift chart is empty"))
        .when(pl.col("is_held") & pl.col("last_state").is_in(FINAL).fill_null(value=False).not_())
        .then(pl.lit(f"{noun} is not final"))
        .when((table is bronze.PLAY_BY_PLAY) & (pl.col("last_state") == "FINAL") & (pl.col("game_type") != 1))
        .then(pl.lit(UNOFFICIAL))
    ).to_series()


def incomplete_games(standing: pl.DataFrame) -> pl.DataFrame:
    """Count the open and incomplete games by reason: why, games, newest."""
    return (
        standing.filter(pl.col("stands").is_in(["incomplete", "open"]))
        .sort("game_id", descending=True)
        .group_by("why", maintain_order=True)
        .agg(games=pl.len(), newest=pl.col("game_id").first())
    )


def season_status(standing: pl.DataFrame, to_come: pl.DataFrame, season: int) -> SeasonStatus:
    """Count the games of a season."""
    rows = standing.filter(pl.col("season") == season)
    counts = {name: rows.filter(pl.col("stands") == name).height for name in STANDINGS}
    held = pl.col("stands").is_in(["complete", "partial", "incomplete"])
    first_open = pl.col("game_date").filter(pl.col("stands") == "open").min()
    is_before = first_open.is_null() | (pl.col("game_date") < first_open)
    begins, through = rows.select(
        begins=pl.col("game_date").filter(held).min(), through=pl.col("game_date").filter(held & is_before).max()
    ).row(0)
    upcoming = to_come.filter(pl.col("season") == season).height
    return SeasonStatus(season, begins, through, **counts, upcoming=upcoming)


def reasons(standing: pl.DataFrame) -> pl.DataFrame:
    """Count games by what they lack: season, stands, why, games, newest."""
    return (
        standing.filter(pl.col("stands").is_in(["partial", "incomplete", "open"]))
        .sort("game_id", descending=True)
        .group_by("season", "stands", "why", maintain_order=True)
        .agg(games=pl.len(), newest=pl.col("game_id").first())
    )


def upcoming(schedule: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return the games to come, soonest first."""
    return schedule.filter(is_to_come(now)).sort("start_at", "game_id")


def freshness(standing: pl.DataFrame) -> str:
    """Judge freshness against the schedule: a break of three weeks makes nothing stale."""
    count, oldest, begins, incomplete, partial = standing.select(
        count=(pl.col("stands") == "open").sum(),
        oldest=pl.col("game_date").filter(pl.col("stands") == "open").min(),
        begins=pl.col("game_date").filter(pl.col("stands") != "before").min(),
        incomplete=(pl.col("stands") == "incomplete").sum(),
        partial=(pl.col("stands") == "partial").sum(),
    ).row(0)
    if count:
        return f"{count} played games are missing, the oldest of {oldest}: `nhl-lake ingest` fetches them."
    if begins is None:
        return "No game was played yet."
    rest = f"; {incomplete} are incomplete" if incomplete else ""
    rest += f"; {partial} lack something beside their plays" if partial else ""
    return f"No game that was played since {begins} is missing{rest}."
