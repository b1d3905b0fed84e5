"""Reading the schedule: week after week of a season, past and future, and the NHL's lists of seasons and teams."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import msgspec

from nhl_lake import bronze, envelopes
from nhl_lake.api import Failed, NotThere
from nhl_lake.asking import Run
from nhl_lake.errors import Unreachable
from nhl_lake.hockey.seasons import Season
from nhl_lake.keeper import Page
from nhl_lake.table import Part, Table

WEEK = timedelta(days=7)
MARGIN = timedelta(days=2)
BAD_WEEKS = 3  # so many in a row, and the schedule cannot be read


class SeasonRow(msgspec.Struct):
    """A season in the NHL's list; its days carry no zone."""

    id: int
    startDate: datetime
    endDate: datetime
    preseasonStartdate: datetime | None = None


@dataclass
class Walk:
    """What was read before the plan: the schedule's games, the last statement on each last, and the NHL's lists."""

    lists: list[Page] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    weeks: int = 0
    failed_weeks: int = 0
    is_cut: bool = False
    url: str = ""
    fetched_at: datetime | None = None

    def pages(self) -> list[Page]:
        """Return what is to be kept: the whole schedule as one page, so that it is kept in one commit."""
        if self.fetched_at is None or not self.parts:
            return self.lists
        return [*self.lists, Page(bronze.SCHEDULE, self.url, self.fetched_at, self.parts)]

    def schedule(self) -> Sequence[Part] | None:
        """Return the games of a schedule that was read whole; None if a week failed, or the reading was cut short."""
        return None if self.failed_weeks or self.is_cut else self.parts


async def listing(run: Run, table: Table, found: Walk) -> None:
    """Read one of the NHL's lists."""
    tally = run.keeper.tallies[table.name]
    tally.asked += 1
    url = table.endpoint.url({}, run.base)
    try:
        parts = await run.api.get(url, lambda body: table.endpoint.read(body, {}))
    except (NotThere, Failed) as error:
        tally.fail("the list", str(error) or "status 404")
    else:
        found.lists.append(Page(table, url, run.clock(), parts))
    run.report.page()


def listed_seasons(found: Walk) -> list[Season]:
    """Return the seasons of the NHL's list."""
    bodies = [part.body for page in found.lists if page.table is bronze.SEASONS for part in page.parts]
    rows = [msgspec.json.decode(body, type=SeasonRow) for body in bodies]
    return [Season(row.id, (row.preseasonStartdate or row.startDate).date(), row.endDate.date()) for row in rows]


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
        found.url = bronze.SCHEDULE.endpoint.url(ask, run.base)
        try:
            week = await run.api.get(found.url, partial(envelopes.week, ask=ask))
        except (NotThere, Failed) as error:
            reason = str(error) or "status 404"
            tally.fail(str(day), reason)
            found.failed_weeks += 1
            failed_in_a_row += 1
            if not found.parts and (failed_in_a_row == BAD_WEEKS or not found.lists):
                raise nonsense(found.url, reason) from error
            following: date | None = day + WEEK
        else:
            failed_in_a_row = 0
            found.weeks += 1
            found.fetched_at = run.clock()
            found.parts += envelopes.scheduled_games(week)
            following = week.nextStartDate
        run.report.page()
        day = following if following is not None and following > day else None
    found.is_cut = found.is_cut or run.is_stopped


def nonsense(url: str, reason: str) -> Unreachable:
    """Return the error for an API whose schedule cannot be read."""
    return Unreachable(
        f"The schedule cannot be read at {url}: {reason}",
        "Nothing was changed. Try again later; `nhl-lake settings` shows the address that is asked (api).",
    )
