"""Read the schedule, week by week, past and future, and the NHL's lists of seasons and teams."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import polars as pl

from nhl_lake.bronze import endpoints, lenient, validation
from nhl_lake.bronze.numbers import Int32
from nhl_lake.errors import ApiUnreachable, PageRejected
from nhl_lake.hockey.calendar import FINAL_STATES, GONE
from nhl_lake.hockey.ids import is_season
from nhl_lake.hockey.seasons import Season
from nhl_lake.ingest.client import FetchFailed, HostUnavailable, PageNotFound
from nhl_lake.ingest.fetcher import IngestRun
from nhl_lake.ingest.schedule_plan import (
    POSTPONED,
    SEASON_START_MARGIN,
    WEEK,
    SchedulePlan,
    is_unplayed,
    name_full_read_answer,
    name_week_answer,
)
from nhl_lake.ingest.writer import FetchedPage
from nhl_lake.schema.table import PageRecord, Table

ONE_DAY = timedelta(days=1)
LONGEST_BREAK = timedelta(days=24)  # the Olympic Games; the break of 2020 is read week by week
MAX_EMPTY_WEEKS = 3  # in a row, without a game and without a next week: the schedule ends here
MAX_FAILED_WEEKS = 3  # in a row: the schedule cannot be read


class SeasonRow(msgspec.Struct):
    """A season in the NHL's list. Its dates have no time zone."""

    id: Int32
    startDate: datetime | None = None
    endDate: datetime | None = None
    preseasonStartdate: datetime | None = None


class ScheduleEntry(msgspec.Struct):
    """A game's entry in the schedule: only its schedule state is read."""

    gameScheduleState: str


@dataclass
class ScheduleReading:
    """What a run reads before it plans: weeks of the schedule in reading order, and the NHL's lists.

    days: the days that were read, with the empty ones that the schedule skips. complete_seasons: seasons of which every
    week that can still change was read. read_weeks: season, first day and index in `weeks`, without weeks that have an
    invalid entry. is_truncated: part of the schedule was not read; a game that it does not list may still exist.
    """

    lists: list[FetchedPage] = field(default_factory=list)
    weeks: list[FetchedPage] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    complete_seasons: list[int] = field(default_factory=list)
    read_weeks: list[tuple[int, date, int]] = field(default_factory=list)
    is_truncated: bool = False

    @property
    def games(self) -> list[PageRecord]:
        """Return the entries of games in reading order."""
        return [record for week in self.weeks for record in week.records]

    def list_answers(self, now: datetime) -> list[tuple[str, datetime]]:
        """Return the pages that were read, as `lake.answers` names them, and when."""
        answers = [(name_full_read_answer(season), now) for season in self.complete_seasons]
        for season, day, number in self.read_weeks:
            week = self.weeks[number]
            games = sum(record.season == season for record in week.records)
            answers.append((name_week_answer(season, day, games), week.fetched_at))
        return answers

    def games_if_complete(self) -> Sequence[PageRecord] | None:
        """Return the entries of games, or None if part of the schedule could not be read."""
        return None if self.is_truncated else self.games


async def fetch_list(run: IngestRun, table: Table, reading: ScheduleReading) -> None:
    """Fetch one of the NHL's lists."""
    counts = run.writer.page_counts[table.name]
    counts.asked += 1
    url = table.endpoint.url({}, run.base_url)
    try:
        records = await run.api.get(url, lambda body: table.endpoint.parse(body, {}), table.endpoint.host)
    except (PageNotFound, FetchFailed) as error:
        counts.count_failure("the list", str(error) or "status 404")
    else:
        reading.lists.append(FetchedPage(table, url, run.clock(), records))
    run.progress.advance()


def read_listed_seasons(reading: ScheduleReading, read_stored: Callable[[], Sequence[str]]) -> list[Season]:
    """Return the seasons of the NHL's list; of the stored list if it could not be fetched."""
    pages = [page for page in reading.lists if page.table is endpoints.SEASONS]
    return parse_seasons([record.body for record in pages[0].records] if pages else read_stored())


def parse_seasons(bodies: Sequence[bytes | str]) -> list[Season]:
    """Return the seasons of rows of the NHL's list."""
    rows = list[SeasonRow]()
    for body in bodies:
        with suppress(msgspec.MsgspecError):  # stored by an older release; silver.seasons quarantines it
            rows.append(lenient.read_page(body, SeasonRow)[0])
    # a future season may be listed without dates: they are guessed until it has some
    return [
        Season(row.id, (row.preseasonStartdate or row.startDate).date(), row.endDate.date())
        for row in rows
        if row.startDate and row.endDate and has_own_dates(row)
    ]


def has_own_dates(row: SeasonRow) -> bool:
    """Whether the dates of a season are in its years: others are as good as none."""
    days = [day for day in (row.startDate, row.endDate, row.preseasonStartdate) if day is not None]
    return is_season(row.id) and all(0 <= day.year - row.id // 10_000 <= validation.MAX_SEASON_YEARS for day in days)


async def read_season_schedule(
    run: IngestRun,
    season: Season,
    plan: SchedulePlan,
    games: pl.DataFrame,
    reading: ScheduleReading,
    *,
    is_listed: bool,
) -> None:
    """Read the weeks that `plan` names, and the rest of the season if the schedule has changed.

    games: the season's games as stored. is_listed: the season's dates come from the NHL and are not guessed. Raises
    ApiUnreachable if the schedule cannot be read at all.
    """
    failures = FailedWeeks()
    for day in plan.weeks:
        if not run.is_stopped and not failures.has_given_up:
            await fetch_week(run, season, day, reading, failures)
    start = plan.start
    if not plan.reads_to_end and start is not None:
        start = await read_following_weeks(run, season, start, plan.until, reading, failures, is_listed=is_listed)
    reads_to_end = plan.reads_to_end or has_schedule_changed(reading, season, games)
    if reads_to_end:
        # rescheduled games can come after the listed last day, and the next season after the summer break
        last = max(season.last_day, date(season.season % 10_000, 7, 15))
        await read_following_weeks(
            run, season, start or season.first_day - SEASON_START_MARGIN, last, reading, failures, is_listed=is_listed
        )
    reading.is_truncated = reading.is_truncated or run.is_stopped or failures.has_given_up
    if failures.last_error is not None and (not reading.weeks or (failures.has_given_up and not reading.games)):
        raise failures.last_error
    if reads_to_end and not reading.is_truncated:
        reading.complete_seasons.append(season.season)


async def read_following_weeks(
    run: IngestRun,
    season: Season,
    day: date,
    until: date,
    reading: ScheduleReading,
    failures: "FailedWeeks",
    *,
    is_listed: bool,
) -> date:
    """Read week by week until a day, and return the first day of the next week.

    `nextStartDate` names that day and skips the summer. If it is absent, points back, or skips more than any break of a
    season, the next seven days are read.
    """
    empty_weeks = 0  # in a row, without a game and without a next week
    while day <= until and not run.is_stopped and not failures.has_given_up:
        week = await fetch_week(run, season, day, reading, failures)
        following = week.nextStartDate if week else None
        if following is not None and following > day + LONGEST_BREAK and day + WEEK <= season.last_day:
            following = day + WEEK  # no break in a season is so long: there may be games in between
        if following is not None and following > day:
            empty_weeks = 0
        else:
            following = day + WEEK
            empty_weeks = empty_weeks + 1 if week and not any(listing.games for listing in week.gameWeek) else 0
            if is_schedule_end(reading, season, following, empty_weeks, is_listed=is_listed):
                following = max(following, until + ONE_DAY)
        if week:
            reading.days |= list_days(day, following - ONE_DAY)
        day = following
    return day


def is_schedule_end(
    reading: ScheduleReading, season: Season, following: date, empty_weeks: int, *, is_listed: bool
) -> bool:
    """Whether the schedule ends with a week that names no next week."""
    if is_listed and any(record.season == season.season for record in reading.games):
        return following > season.last_day
    return empty_weeks >= MAX_EMPTY_WEEKS


@dataclass
class FailedWeeks:
    """Weeks in a row that could not be read, the last error, and whether to read no more weeks."""

    consecutive: int = 0
    last_error: ApiUnreachable | None = None
    has_given_up: bool = False


async def fetch_week(
    run: IngestRun, season: Season, day: date, reading: ScheduleReading, failures: FailedWeeks
) -> validation.Week | None:
    """Fetch a week of the schedule; return None if that failed."""
    counts = run.writer.page_counts[endpoints.SCHEDULE.name]
    params = {"day": day}
    url = endpoints.SCHEDULE.endpoint.url(params, run.base_url)
    counts.asked += 1
    run.progress.add_pages(1, is_schedule=True)
    try:
        week = await run.api.get(
            url, partial(validation.parse_schedule_week, params=params), endpoints.SCHEDULE.endpoint.host
        )
    except (PageNotFound, FetchFailed) as error:
        reason = str(error) or "status 404"
        counts.count_failure(str(day), reason)
        reading.is_truncated = True
        failures.consecutive += 1
        failures.last_error = (
            api_unreachable_error(reason)
            if isinstance(error, HostUnavailable)
            else schedule_unreadable_error(url, reason)
        )
        # the API is unavailable: the run continues with the stored schedule
        failures.has_given_up = failures.consecutive == MAX_FAILED_WEEKS or isinstance(error, HostUnavailable)
        return None
    finally:
        run.progress.advance()
    failures.consecutive = 0
    is_invalid, records = parse_week(run, week)
    reading.is_truncated = reading.is_truncated or is_invalid
    if not is_invalid:
        reading.read_weeks.append((season.season, day, len(reading.weeks)))
    reading.weeks.append(FetchedPage(endpoints.SCHEDULE, url, run.clock(), records))
    reading.days |= list_days(day, day + WEEK - ONE_DAY)
    return week


def has_schedule_changed(reading: ScheduleReading, season: Season, games: pl.DataFrame) -> bool:
    """Whether a season's schedule has changed in a way that affects weeks that were not read.

    That is so if an unplayed game is no longer listed (it has another day, or was removed), if a game is new, or if one
    was just postponed: it may be listed under its new day too.
    """
    read = {record.key["game_id"]: record for record in reading.games if record.season == season.season}
    to_play = games.filter(is_unplayed())
    known = set(games.filter(pl.col("schedule_state") != GONE)["game_id"])
    expected = set(to_play.filter(pl.col("game_date").is_in(sorted(reading.days)))["game_id"])
    if not read.keys() <= known or not expected <= read.keys():
        return True
    on_course = set(to_play.filter(~pl.col("schedule_state").is_in(POSTPONED))["game_id"])
    return any(read_schedule_state(record) in POSTPONED for game, record in read.items() if game in on_course)


def read_schedule_state(record: PageRecord) -> str:
    """Return the schedule state of a game: OK, PPD …"""
    return msgspec.json.decode(record.body, type=ScheduleEntry).gameScheduleState


def drop_duplicate_entries(reading: ScheduleReading, games: pl.DataFrame) -> None:
    """Keep one entry per game: a postponed game may be listed under its old day too.

    The entry of a played game wins, then one of a game to be played, in any reading order. `games` are the stored ones:
    entries under other days than that on which a game was played are dropped.
    """
    played = dict(games.filter(pl.col("game_state").is_in(FINAL_STATES)).select("game_id", "game_date").iter_rows())
    best: dict[int, tuple[int, PageRecord]] = {}
    for record in reading.games:
        game, rank = record.key["game_id"], rank_entry(record)
        if rank == 0 and played.get(game, record.game_date) != record.game_date:
            continue
        if game not in best or rank >= best[game][0]:
            best[game] = rank, record
    chosen = {id(record) for _, record in best.values()}
    reading.weeks = [
        week._replace(records=[record for record in week.records if id(record) in chosen]) for week in reading.weeks
    ]


def rank_entry(record: PageRecord) -> int:
    """Rank an entry of the schedule: 2 the game was played, 1 it will be played, 0 it is not played on this day."""
    if record.state in FINAL_STATES:
        return 2
    return 0 if read_schedule_state(record) in {*POSTPONED, "CNCL"} else 1


def list_days(first: date, last: date) -> set[date]:
    """Return the days from one to another, both included."""
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def parse_week(run: IngestRun, week: validation.Week) -> tuple[bool, list[PageRecord]]:
    """Return whether an entry of a schedule page is invalid, and the records of the others."""
    records, is_invalid = [], False
    for day in week.gameWeek:
        for entry in day.games:
            try:
                records.append(validation.parse_scheduled_game(day.date, entry))
            except PageRejected as error:
                start = bytes(entry)[:40].decode("utf-8", "replace")
                run.writer.page_counts[endpoints.SCHEDULE.name].count_failure(f"{day.date} {start}", str(error))
                is_invalid = True
    return is_invalid, records


def api_unreachable_error(reason: str) -> ApiUnreachable:
    """Return the error for a host that cannot be reached."""
    return ApiUnreachable(
        reason,
        "No changes were made. Check the network; `nhl-lake settings` shows the address of the API.",
    )


def schedule_unreadable_error(url: str, reason: str) -> ApiUnreachable:
    """Return the error for a schedule that cannot be read."""
    return ApiUnreachable(
        f"The schedule cannot be read at {url}: {reason}",
        "No changes were made. Try again later; `nhl-lake settings` shows the address of the API.",
    )
