"""Reading the schedule: week after week of a season, past and future, and the NHL's lists of seasons and teams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import msgspec

from nhl_lake import bronze, envelopes
from nhl_lake.api import Failed, HostGone, NotThere
from nhl_lake.asking import Run
from nhl_lake.errors import Refused, Unreachable
from nhl_lake.hockey.seasons import Season
from nhl_lake.keeper import Page
from nhl_lake.table import Part, Table

WEEK = timedelta(days=7)
MARGIN = timedelta(days=2)
BAD_WEEKS = 3  # so many in a row, and the schedule cannot be read


class SeasonRow(msgspec.Struct):
    """A season in the NHL's list; its days carry no zone."""

    id: int
    startDate: datetime | None = None
    endDate: datetime | None = None
    preseasonStartdate: datetime | None = None


@dataclass
class Walk:
    """What was read before the plan: the schedule's games, the last statement on each last, and the NHL's lists."""

    lists: list[Page] = field(default_factory=list)
    weeks: list[Page] = field(default_factory=list)
    is_cut: bool = False  # something of it was not read: what it does not list may be there all the same

    @property
    def parts(self) -> list[Part]:
        """Return the games, in the order in which they were read."""
        return [part for week in self.weeks for part in week.parts]

    def schedule(self) -> Sequence[Part] | None:
        """Return the games of a schedule that was read whole; None if a week failed, or the reading was cut short."""
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
    pages = [page for page in found.lists if page.table is bronze.SEASONS]
    return parse_seasons([part.body for part in pages[0].parts] if pages else kept())


def parse_seasons(bodies: Sequence[bytes | str]) -> list[Season]:
    """Return the seasons of rows of the NHL's list."""
    rows = [msgspec.json.decode(body, type=SeasonRow) for body in bodies]
    # a season to come may be listed without its days: they are guessed until then
    return [
        Season(row.id, (row.preseasonStartdate or row.startDate).date(), row.endDate.date())
        for row in rows
        if row.startDate and row.endDate
    ]


async def walk(run: Run, season: Season, found: Walk) -> None:
    """Read the schedule of one season, following `nextStartDate`, which jumps over the summer and must not go back.

    Raises Unreachable if the schedule cannot be read at all.
    """
    tally = run.keeper.tallies[bronze.SCHEDULE.name]
    day: date | None = season.first_day - MARGIN
    # the list's last day can lie before games that were moved, and next season's pages come after the jump
    last = max(season.last_day, date(season.season % 10_000, 7, 15))
    failed_in_a_row = 0
    while day is not None and day <= last and not run.is_stopped:
        tally.asked += 1
        run.report.begin(1)
        ask = {"day": day}
        url = bronze.SCHEDULE.endpoint.url(ask, run.base)
        try:
            week = await run.api.get(url, partial(envelopes.week, ask=ask), bronze.SCHEDULE.endpoint.host)
        except (NotThere, Failed) as error:
            reason = str(error) or "status 404"
            tally.fail(str(day), reason)
            found.is_cut = True
            failed_in_a_row += 1
            if isinstance(error, HostGone) and not found.weeks:
                raise unreachable(reason) from error
            if not found.parts and failed_in_a_row == BAD_WEEKS:
                raise nonsense(url, reason) from error
            if failed_in_a_row == BAD_WEEKS:
                return  # the API is gone: what the lake knows of the weeks to come has to do
            following: date | None = day + WEEK
        else:
            failed_in_a_row = 0
            found.weeks.append(Page(bronze.SCHEDULE, url, run.clock(), read_week(run, week, found)))
            following = week.nextStartDate
        run.report.page()
        day = following if following is not None and following > day else None
    found.is_cut = found.is_cut or run.is_stopped


def read_week(run: Run, week: envelopes.Week, found: Walk) -> list[Part]:
    """Read the games of a schedule page; an entry that cannot be read is named, and keeps no other from being read."""
    parts = []
    for day in week.gameWeek:
        for entry in day.games:
            try:
                parts.append(envelopes.scheduled_game(day.date, entry))
            except Refused as error:
                named = bytes(entry)[:40].decode("utf-8", "replace")
                run.keeper.tallies[bronze.SCHEDULE.name].fail(f"{day.date} {named}", str(error))
                found.is_cut = True
    return parts


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
