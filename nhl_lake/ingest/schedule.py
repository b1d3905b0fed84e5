"""Reading the schedule: week after week of a season, past and future, and the NHL's lists of seasons and teams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import polars as pl

from nhl_lake.bronze import endpoints, lenient, validation
from nhl_lake.errors import Refused, Unreachable
from nhl_lake.hockey.calendar import FINAL, GONE
from nhl_lake.hockey.seasons import Season
from nhl_lake.ingest.client import Failed, HostGone, NotThere
from nhl_lake.ingest.fetcher import Run
from nhl_lake.ingest.schedule_weeks import BEFORE, POSTPONED, WEEK, Reading, is_to_play, week_page, whole_page
from nhl_lake.ingest.writer import Page
from nhl_lake.schema.table import Part, Table

ONE_DAY = timedelta(days=1)
LONGEST_BREAK = timedelta(days=24)  # for the Olympic Games; the pause of 2020 is read week by week
SILENT_WEEKS = 3  # so many in a row without a game and without a next week, and no more are listed
BAD_WEEKS = 3  # so many in a row, and the schedule cannot be read


class SeasonRow(msgspec.Struct):
    """A season in the NHL's list; its days carry no zone."""

    id: int
    startDate: datetime | None = None
    endDate: datetime | None = None
    preseasonStartdate: datetime | None = None


class Listed(msgspec.Struct):
    """A game's entry in the schedule, of which only this is read."""

    gameScheduleState: str


@dataclass
class Walk:
    """What was read before the plan: weeks of the schedule, in the order in which they were read, and the NHL's lists.

    days: the days whose games were listed, also the empty ones that the schedule jumps over. whole: seasons of which
    all was read that can still change.
    """

    lists: list[Page] = field(default_factory=list)
    weeks: list[Page] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    whole: list[int] = field(default_factory=list)
    read: list[tuple[int, date, int]] = field(default_factory=list)  # season, first day, which of `weeks`; no odd ones
    is_cut: bool = False  # something of it was not read: what it does not list may be there all the same

    @property
    def parts(self) -> list[Part]:
        """Return the games, in the order in which they were read."""
        return [part for week in self.weeks for part in week.parts]

    def answers(self, now: datetime) -> list[tuple[str, datetime]]:
        """Return what was read, as `lake.answers` names it, and when."""
        answers = [(whole_page(season), now) for season in self.whole]
        for season, day, number in self.read:
            week = self.weeks[number]
            games = sum(part.season == season for part in week.parts)
            answers.append((week_page(season, day, games), week.fetched_at))
        return answers

    def schedule(self) -> Sequence[Part] | None:
        """Return the games of all that was to be read; None if a week failed, or the reading was cut short."""
        return None if self.is_cut else self.parts


async def listing(run: Run, table: Table, found: Walk) -> None:
    """Read one of the NHL's lists."""
    tally = run.keeper.tallies[table.name]
    tally.asked += 1
    url = table.endpoint.url({}, run.base)
    try:
        parts = await run.api.get(url, lambda body: table.endpoint.read(body, {}), table.endpoint.host)
    except (NotThere, Failed) as error:
        tally.fail("the list", str(error) or "status 404")
    else:
        found.lists.append(Page(table, url, run.clock(), parts))
    run.report.page()


def listed_seasons(found: Walk, kept: Callable[[], Sequence[str]]) -> list[Season]:
    """Return the seasons of the NHL's list; of the one that the lake has kept, if there is none today."""
    pages = [page for page in found.lists if page.table is endpoints.SEASONS]
    return parse_seasons([part.body for part in pages[0].parts] if pages else kept())


def parse_seasons(bodies: Sequence[bytes | str]) -> list[Season]:
    """Return the seasons of rows of the NHL's list."""
    rows = [lenient.read(body, SeasonRow)[0] for body in bodies]
    # a season to come may be listed without its days: they are guessed until then
    return [
        Season(row.id, (row.preseasonStartdate or row.startDate).date(), row.endDate.date())
        for row in rows
        if row.startDate and row.endDate
    ]


async def walk(run: Run, season: Season, reading: Reading, games: pl.DataFrame, found: Walk, *, listed: bool) -> None:
    """Read of a season's schedule what `reading` asks for, and all that can change if a game is not as it was known.

    `games` are those that the lake knows of the season. `listed`: the days of the season are the NHL's, not guessed.
    Raises Unreachable if the schedule cannot be read at all.
    """
    failures = Failures()
    for day in reading.weeks:
        if not run.is_stopped and not failures.is_end:
            await one_week(run, season, day, found, failures)
    start = reading.start
    if not reading.is_whole and start is not None:
        start = await go_on(run, season, start, reading.until, found, failures, listed=listed)
    is_whole = reading.is_whole or is_surprising(found, season, games)
    if is_whole:
        # the list's last day can lie before games that were moved, and next season's pages come after the jump
        last = max(season.last_day, date(season.season % 10_000, 7, 15))
        await go_on(run, season, start or season.first_day - BEFORE, last, found, failures, listed=listed)
    found.is_cut = found.is_cut or run.is_stopped or failures.is_end
    if failures.last is not None and (not found.weeks or (failures.is_end and not found.parts)):
        raise failures.last
    if is_whole and not found.is_cut:
        found.whole.append(season.season)


async def go_on(
    run: Run, season: Season, day: date, until: date, found: Walk, failures: "Failures", *, listed: bool
) -> date:
    """Read week after week until a day, and return the day with which the next week begins.

    `nextStartDate` says where it does; it jumps over the summer. Where it is absent or points back, the next seven days
    are read: the season goes on until its last day. So they are where it jumps farther than any break of a season.
    """
    silent = 0  # weeks in a row without a game and without a next week
    while day <= until and not run.is_stopped and not failures.is_end:
        week = await one_week(run, season, day, found, failures)
        following = week.nextStartDate if week else None
        if following is not None and following > day + LONGEST_BREAK and day + WEEK <= season.last_day:
            following = day + WEEK  # no break inside a season is so long: games may lie between
        if following is not None and following > day:
            silent = 0
        else:
            following = day + WEEK
            silent = silent + 1 if week and not any(listing.games for listing in week.gameWeek) else 0
            if is_listings_end(found, season, following, silent, listed=listed):
                following = max(following, until + ONE_DAY)
        if week:
            found.days |= days_between(day, following - ONE_DAY)
        day = following
    return day


def is_listings_end(found: Walk, season: Season, following: date, silent: int, *, listed: bool) -> bool:
    """Whether the schedule lists no more games after a week that names no next one."""
    if listed and any(part.season == season.season for part in found.parts):
        return following > season.last_day
    return silent >= SILENT_WEEKS


@dataclass
class Failures:
    """Weeks in a row that could not be read. last: the error if none was read at all. is_end: nothing more is asked."""

    in_a_row: int = 0
    last: Unreachable | None = None
    is_end: bool = False


async def one_week(run: Run, season: Season, day: date, found: Walk, failures: Failures) -> validation.Week | None:
    """Read a week of the schedule; None if it could not be had."""
    tally = run.keeper.tallies[endpoints.SCHEDULE.name]
    ask = {"day": day}
    url = endpoints.SCHEDULE.endpoint.url(ask, run.base)
    tally.asked += 1
    run.report.begin(1)
    try:
        week = await run.api.get(url, partial(validation.week, ask=ask), endpoints.SCHEDULE.endpoint.host)
    except (NotThere, Failed) as error:
        reason = str(error) or "status 404"
        tally.fail(str(day), reason)
        found.is_cut = True
        failures.in_a_row += 1
        failures.last = unreachable(reason) if isinstance(error, HostGone) else nonsense(url, reason)
        # the API is gone: what the lake knows of the other weeks has to do
        failures.is_end = failures.in_a_row == BAD_WEEKS or isinstance(error, HostGone)
        return None
    finally:
        run.report.page()
    failures.in_a_row = 0
    is_odd, parts = read_week(run, week)
    found.is_cut = found.is_cut or is_odd
    if not is_odd:
        found.read.append((season.season, day, len(found.weeks)))
    found.weeks.append(Page(endpoints.SCHEDULE, url, run.clock(), parts))
    found.days |= days_between(day, day + WEEK - ONE_DAY)
    return week


def is_surprising(found: Walk, season: Season, games: pl.DataFrame) -> bool:
    """Whether what was read of a season differs from what is known so that other weeks must have changed too.

    A game that was to be played is not listed any more (it has another day, or is gone), a game is new, or has just
    been postponed: it may be listed under its new day too.
    """
    read = {part.key["game_id"]: part for part in found.parts if part.season == season.season}
    to_play = games.filter(is_to_play())
    known = set(games.filter(pl.col("schedule_state") != GONE)["game_id"])
    expected = set(to_play.filter(pl.col("game_date").is_in(sorted(found.days)))["game_id"])
    if not read.keys() <= known or not expected <= read.keys():
        return True
    on_course = set(to_play.filter(~pl.col("schedule_state").is_in(POSTPONED))["game_id"])
    return any(schedule_state(part) in POSTPONED for game, part in read.items() if game in on_course)


def schedule_state(part: Part) -> str:
    """Return the schedule's word on a game: OK, PPD …"""
    return msgspec.json.decode(part.body, type=Listed).gameScheduleState


def settle(found: Walk, games: pl.DataFrame) -> None:
    """Leave of each game one entry of those that were read: a postponed game may be listed under its old day too.

    The entry of the game that was played wins, then one that says it will be, whatever the order of reading. `games`
    are those that the lake knows: one that was played on another day needs no entry of a day on which it was not.
    """
    played = dict(games.filter(pl.col("game_state").is_in(FINAL)).select("game_id", "game_date").iter_rows())
    best: dict[int, tuple[int, Part]] = {}
    for part in found.parts:
        game, rank = part.key["game_id"], worth(part)
        if rank == 0 and played.get(game, part.game_date) != part.game_date:
            continue
        if game not in best or rank >= best[game][0]:
            best[game] = rank, part
    chosen = {id(part) for _, part in best.values()}
    found.weeks = [week._replace(parts=[part for part in week.parts if id(part) in chosen]) for week in found.weeks]


def worth(part: Part) -> int:
    """Rank an entry of the schedule: 2 the game was played, 1 it will be, 0 not on this day."""
    if part.state in FINAL:
        return 2
    return 0 if schedule_state(part) in {*POSTPONED, "CNCL"} else 1


def days_between(first: date, last: date) -> set[date]:
    """Return the days from one to another, both included."""
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def read_week(run: Run, week: validation.Week) -> tuple[bool, list[Part]]:
    """Read the games of a schedule page, and say whether an entry cannot be read: it is named, the others are read."""
    parts, is_odd = [], False
    for day in week.gameWeek:
        for entry in day.games:
            try:
                parts.append(validation.scheduled_game(day.date, entry))
            except Refused as error:
                named = bytes(entry)[:40].decode("utf-8", "replace")
                run.keeper.tallies[endpoints.SCHEDULE.name].fail(f"{day.date} {named}", str(error))
                is_odd = True
    return is_odd, parts


def unreachable(reason: str) -> Unreachable:
    """Return the error for a host that has no schedule because it cannot be reached."""
    return Unreachable(
        reason,
        "Nothing was changed. Is there a network? `nhl-lake settings` shows the address that is asked (api).",
    )


def nonsense(url: str, reason: str) -> Unreachable:
    """Return the error for an API whose schedule cannot be read."""
    return Unreachable(
        f"The schedule cannot be read at {url}: {reason}",
        "Nothing was changed. Try again later; `nhl-lake settings` shows the address that is asked (api).",
    )
