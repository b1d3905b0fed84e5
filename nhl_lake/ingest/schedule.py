"""Reading the schedule: week after week of a season, past and future, and the NHL's lists of seasons and teams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import polars as pl

from nhl_lake.bronze import endpoints, lenient, validation
from nhl_lake.errors import ApiUnreachable, PageRejected
from nhl_lake.hockey.calendar import FINAL_STATES, GONE
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
LONGEST_BREAK = timedelta(days=24)  # for the Olympic Games; the pause of 2020 is read week by week
MAX_EMPTY_WEEKS = 3  # so many in a row without a game and without a next week, and no more are listed
MAX_FAILED_WEEKS = 3  # so many in a row, and the schedule cannot be read


class SeasonRow(msgspec.Struct):
    """A season in the NHL's list; its days carry no zone."""

    id: int
    startDate: datetime | None = None
    endDate: datetime | None = None
    preseasonStartdate: datetime | None = None


class ScheduleEntry(msgspec.Struct):
    """A game's entry in the schedule, of which only this is read."""

    gameScheduleState: str


@dataclass
class ScheduleReading:
    """What was read before the plan: weeks of the schedule, in the order in which they were read, and the NHL's lists.

    days: the days whose games were listed, also the empty ones that the schedule jumps over. whole: seasons of which
    all was read that can still change.
    """

    lists: list[FetchedPage] = field(default_factory=list)
    weeks: list[FetchedPage] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    complete_seasons: list[int] = field(default_factory=list)
    read_weeks: list[tuple[int, date, int]] = field(
        default_factory=list
    )  # season, first day, which of `weeks`; no odd ones
    is_truncated: bool = False  # something of it was not read: what it does not list may be there all the same

    @property
    def games(self) -> list[PageRecord]:
        """Return the games, in the order in which they were read."""
        return [part for week in self.weeks for part in week.parts]

    def list_answers(self, now: datetime) -> list[tuple[str, datetime]]:
        """Return what was read, as `lake.answers` names it, and when."""
        answers = [(name_full_read_answer(season), now) for season in self.complete_seasons]
        for season, day, number in self.read_weeks:
            week = self.weeks[number]
            games = sum(part.season == season for part in week.parts)
            answers.append((name_week_answer(season, day, games), week.fetched_at))
        return answers

    def games_if_complete(self) -> Sequence[PageRecord] | None:
        """Return the games of all that was to be read; None if a week failed, or the reading was cut short."""
        return None if self.is_truncated else self.games


async def fetch_list(run: IngestRun, table: Table, found: ScheduleReading) -> None:
    """Read one of the NHL's lists."""
    tally = run.writer.page_counts[table.name]
    tally.asked += 1
    url = table.endpoint.url({}, run.base_url)
    try:
        parts = await run.api.get(url, lambda body: table.endpoint.parse(body, {}), table.endpoint.host)
    except (PageNotFound, FetchFailed) as error:
        tally.count_failure("the list", str(error) or "status 404")
    else:
        found.lists.append(FetchedPage(table, url, run.clock(), parts))
    run.progress.advance()


def read_listed_seasons(found: ScheduleReading, kept: Callable[[], Sequence[str]]) -> list[Season]:
    """Return the seasons of the NHL's list; of the one that the lake has kept, if there is none today."""
    pages = [page for page in found.lists if page.table is endpoints.SEASONS]
    return parse_seasons([part.body for part in pages[0].parts] if pages else kept())


def parse_seasons(bodies: Sequence[bytes | str]) -> list[Season]:
    """Return the seasons of rows of the NHL's list."""
    rows = [lenient.read_page(body, SeasonRow)[0] for body in bodies]
    # a season to come may be listed without its days: they are guessed until then
    return [
        Season(row.id, (row.preseasonStartdate or row.startDate).date(), row.endDate.date())
        for row in rows
        if row.startDate and row.endDate
    ]


async def read_season_schedule(
    run: IngestRun,
    season: Season,
    reading: SchedulePlan,
    games: pl.DataFrame,
    found: ScheduleReading,
    *,
    is_listed: bool,
) -> None:
    """Read of a season's schedule what `reading` asks for, and all that can change if a game is not as it was known.

    `games` are those that the lake knows of the season. `listed`: the days of the season are the NHL's, not guessed.
    Raises Unreachable if the schedule cannot be read at all.
    """
    failures = FailedWeeks()
    for day in reading.weeks:
        if not run.is_stopped and not failures.has_given_up:
            await fetch_week(run, season, day, found, failures)
    start = reading.start
    if not reading.reads_to_end and start is not None:
        start = await read_following_weeks(run, season, start, reading.until, found, failures, is_listed=is_listed)
    is_whole = reading.reads_to_end or has_schedule_changed(found, season, games)
    if is_whole:
        # the list's last day can lie before games that were moved, and next season's pages come after the jump
        last = max(season.last_day, date(season.season % 10_000, 7, 15))
        await read_following_weeks(
            run, season, start or season.first_day - SEASON_START_MARGIN, last, found, failures, is_listed=is_listed
        )
    found.is_truncated = found.is_truncated or run.is_stopped or failures.has_given_up
    if failures.last_error is not None and (not found.weeks or (failures.has_given_up and not found.games)):
        raise failures.last_error
    if is_whole and not found.is_truncated:
        found.complete_seasons.append(season.season)


async def read_following_weeks(
    run: IngestRun,
    season: Season,
    day: date,
    until: date,
    found: ScheduleReading,
    failures: "FailedWeeks",
    *,
    is_listed: bool,
) -> date:
    """Read week after week until a day, and return the day with which the next week begins.

    `nextStartDate` says where it does; it jumps over the summer. Where it is absent or points back, the next seven days
    are read: the season goes on until its last day. So they are where it jumps farther than any break of a season.
    """
    silent = 0  # weeks in a row without a game and without a next week
    while day <= until and not run.is_stopped and not failures.has_given_up:
        week = await fetch_week(run, season, day, found, failures)
        following = week.nextStartDate if week else None
        if following is not None and following > day + LONGEST_BREAK and day + WEEK <= season.last_day:
            following = day + WEEK  # no break inside a season is so long: games may lie between
        if following is not None and following > day:
            silent = 0
        else:
            following = day + WEEK
            silent = silent + 1 if week and not any(listing.games for listing in week.gameWeek) else 0
            if is_schedule_end(found, season, following, silent, is_listed=is_listed):
                following = max(following, until + ONE_DAY)
        if week:
            found.days |= list_days(day, following - ONE_DAY)
        day = following
    return day


def is_schedule_end(found: ScheduleReading, season: Season, following: date, silent: int, *, is_listed: bool) -> bool:
    """Whether the schedule lists no more games after a week that names no next one."""
    if is_listed and any(part.season == season.season for part in found.games):
        return following > season.last_day
    return silent >= MAX_EMPTY_WEEKS


@dataclass
class FailedWeeks:
    """Weeks in a row that could not be read. last: the error if none was read at all. is_end: nothing more is asked."""

    consecutive: int = 0
    last_error: ApiUnreachable | None = None
    has_given_up: bool = False


async def fetch_week(
    run: IngestRun, season: Season, day: date, found: ScheduleReading, failures: FailedWeeks
) -> validation.Week | None:
    """Read a week of the schedule; None if it could not be had."""
    tally = run.writer.page_counts[endpoints.SCHEDULE.name]
    ask = {"day": day}
    url = endpoints.SCHEDULE.endpoint.url(ask, run.base_url)
    tally.asked += 1
    run.progress.add_pages(1, is_schedule=True)
    try:
        week = await run.api.get(
            url, partial(validation.parse_schedule_week, ask=ask), endpoints.SCHEDULE.endpoint.host
        )
    except (PageNotFound, FetchFailed) as error:
        reason = str(error) or "status 404"
        tally.count_failure(str(day), reason)
        found.is_truncated = True
        failures.consecutive += 1
        failures.last_error = (
            api_unreachable_error(reason)
            if isinstance(error, HostUnavailable)
            else schedule_unreadable_error(url, reason)
        )
        # the API is gone: what the lake knows of the other weeks has to do
        failures.has_given_up = failures.consecutive == MAX_FAILED_WEEKS or isinstance(error, HostUnavailable)
        return None
    finally:
        run.progress.advance()
    failures.consecutive = 0
    is_odd, parts = parse_week(run, week)
    found.is_truncated = found.is_truncated or is_odd
    if not is_odd:
        found.read_weeks.append((season.season, day, len(found.weeks)))
    found.weeks.append(FetchedPage(endpoints.SCHEDULE, url, run.clock(), parts))
    found.days |= list_days(day, day + WEEK - ONE_DAY)
    return week


def has_schedule_changed(found: ScheduleReading, season: Season, games: pl.DataFrame) -> bool:
    """Whether what was read of a season differs from what is known so that other weeks must have changed too.

    A game that was to be played is not listed any more (it has another day, or is gone), a game is new, or has just
    been postponed: it may be listed under its new day too.
    """
    read = {part.key["game_id"]: part for part in found.games if part.season == season.season}
    to_play = games.filter(is_unplayed())
    known = set(games.filter(pl.col("schedule_state") != GONE)["game_id"])
    expected = set(to_play.filter(pl.col("game_date").is_in(sorted(found.days)))["game_id"])
    if not read.keys() <= known or not expected <= read.keys():
        return True
    on_course = set(to_play.filter(~pl.col("schedule_state").is_in(POSTPONED))["game_id"])
    return any(read_schedule_state(part) in POSTPONED for game, part in read.items() if game in on_course)


def read_schedule_state(part: PageRecord) -> str:
    """Return the schedule's word on a game: OK, PPD …"""
    return msgspec.json.decode(part.body, type=ScheduleEntry).gameScheduleState


def drop_duplicate_entries(found: ScheduleReading, games: pl.DataFrame) -> None:
    """Leave of each game one entry of those that were read: a postponed game may be listed under its old day too.

    The entry of the game that was played wins, then one that says it will be, whatever the order of reading. `games`
    are those that the lake knows: one that was played on another day needs no entry of a day on which it was not.
    """
    played = dict(games.filter(pl.col("game_state").is_in(FINAL_STATES)).select("game_id", "game_date").iter_rows())
    best: dict[int, tuple[int, PageRecord]] = {}
    for part in found.games:
        game, rank = part.key["game_id"], rank_entry(part)
        if rank == 0 and played.get(game, part.game_date) != part.game_date:
            continue
        if game not in best or rank >= best[game][0]:
            best[game] = rank, part
    chosen = {id(part) for _, part in best.values()}
    found.weeks = [week._replace(parts=[part for part in week.parts if id(part) in chosen]) for week in found.weeks]


def rank_entry(part: PageRecord) -> int:
    """Rank an entry of the schedule: 2 the game was played, 1 it will be, 0 not on this day."""
    if part.state in FINAL_STATES:
        return 2
    return 0 if read_schedule_state(part) in {*POSTPONED, "CNCL"} else 1


def list_days(first: date, last: date) -> set[date]:
    """Return the days from one to another, both included."""
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def parse_week(run: IngestRun, week: validation.Week) -> tuple[bool, list[PageRecord]]:
    """Read the games of a schedule page, and say whether an entry cannot be read: it is named, the others are read."""
    parts, is_odd = [], False
    for day in week.gameWeek:
        for entry in day.games:
            try:
                parts.append(validation.parse_scheduled_game(day.date, entry))
            except PageRejected as error:
                named = bytes(entry)[:40].decode("utf-8", "replace")
                run.writer.page_counts[endpoints.SCHEDULE.name].count_failure(f"{day.date} {named}", str(error))
                is_odd = True
    return is_odd, parts


def api_unreachable_error(reason: str) -> ApiUnreachable:
    """Return the error for a host that has no schedule because it cannot be reached."""
    return ApiUnreachable(
        reason,
        "Nothing was changed. Is there a network? `nhl-lake settings` shows the address that is asked (api).",
    )


def schedule_unreadable_error(url: str, reason: str) -> ApiUnreachable:
    """Return the error for an API whose schedule cannot be read."""
    return ApiUnreachable(
        f"The schedule cannot be read at {url}: {reason}",
        "Nothing was changed. Try again later; `nhl-lake settings` shows the address that is asked (api).",
    )
