"""Plan which weeks of the schedule a run reads: a pure function of what the lake has.

Every run reads the days around today. It reads the rest of the season once a week, or once a day while a postponed game
has no new day. A past week whose games are all final is read again only when the season is over. `lake.answers` says
what was read when: one row per week, and one when every week that can still change was read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import FINAL_STATES, GONE, get_eastern_day
from nhl_lake.hockey.seasons import Season

WEEK = timedelta(days=7)
SEASON_START_MARGIN = timedelta(days=2)  # a season's first game may come before its listed first day
NEAR_PAST = timedelta(days=2)
NEAR_FUTURE = timedelta(days=7)
UNOFFICIAL_FOR = timedelta(days=7)  # a game is OFF by then; preseason games stay FINAL for ever
FULL_READ_INTERVAL = timedelta(
    days=6, hours=12
)  # half a day less than a week, because daily runs do not start on the minute
POSTPONED_READ_INTERVAL = timedelta(hours=20)
FULL_READ = "whole"
POSTPONED = ("PPD", "SUSP")


class StoredWeek(NamedTuple):
    """A week of the schedule as last read: its first day, when, and how many games of its season it listed."""

    first_day: date
    read_at: datetime
    games: int

    @property
    def last_day(self) -> date:
        """The week's seventh day."""
        return self.first_day + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """Which weeks of a season's schedule to read.

    weeks: the first days of single weeks. start: the first day of the weeks to read in a row, None if there are none.
    until: the last day to read in any case. reads_to_end: read on to the end of the season.
    """

    weeks: tuple[date, ...]
    start: date | None
    until: date
    reads_to_end: bool


def name_week_answer(season: int, first_day: date, games: int) -> str:
    """Name the answer for a week: season, first day, games listed."""
    return f"{season}/{first_day}/{games}"


def name_full_read_answer(season: int) -> str:
    """Name the answer for a reading of every week of a season that can still change."""
    return f"{season}/{FULL_READ}"


def parse_answers(answers: pl.DataFrame, season: int) -> tuple[list[StoredWeek], datetime | None]:
    """Return the weeks of a season as last read, in order, and when every week was last read."""
    rows = answers.filter((pl.col("table") == endpoints.SCHEDULE.name) & pl.col("page").str.starts_with(f"{season}/"))
    weeks: dict[date, StoredWeek] = {}
    full_read_at: datetime | None = None
    for page, at in rows.sort("asked_at").select("page", "asked_at").iter_rows():
        match page.split("/"):
            case [_, day, games]:
                first = date.fromisoformat(day)
                weeks[first] = StoredWeek(first, at, int(games))
            case _:
                full_read_at = at
    return sorted(weeks.values()), full_read_at


def plan_schedule(
    season: Season, games: pl.DataFrame, answers: pl.DataFrame, now: datetime, since: date | None
) -> SchedulePlan:
    """Decide which weeks of a season's schedule to read. `games` are the season's games as stored.

    Days from `since` until today are read in any case.
    """
    today = get_eastern_day(now)
    first_day = season.first_day - SEASON_START_MARGIN
    weeks, full_read_at = parse_answers(answers, season.season)
    is_lost = games.is_empty() and any(week.games for week in weeks)
    if full_read_at is None or is_lost:
        return SchedulePlan((), first_day, today, reads_to_end=True)
    to_play = games.filter(is_unplayed())
    last_day = max([season.last_day, *to_play["game_date"].to_list()])
    if today > last_day:
        weeks = [week for week in weeks if week.first_day <= last_day]
        stale = (week for week in weeks if get_eastern_day(week.read_at) <= last_day)
        return SchedulePlan(
            list_first_days({*stale, *select_past_weeks(weeks, games, today, since)}), None, today, reads_to_end=False
        )
    past = [week for week in weeks if week.last_day < today - NEAR_PAST]
    ahead = [week for week in weeks if week.last_day >= today - NEAR_PAST]
    is_postponed = not to_play.filter(pl.col("schedule_state").is_in(POSTPONED)).is_empty()
    return SchedulePlan(
        list_first_days(select_past_weeks(past, games, today, since)),
        ahead[0].first_day if ahead else first_day,
        today + NEAR_FUTURE,
        reads_to_end=now - full_read_at >= (POSTPONED_READ_INTERVAL if is_postponed else FULL_READ_INTERVAL),
    )


def is_unplayed() -> pl.Expr:
    """Whether a game was not played yet, and may be."""
    return ~pl.col("game_state").is_in(FINAL_STATES) & ~pl.col("schedule_state").is_in(["CNCL", GONE])


def select_past_weeks(
    weeks: Iterable[StoredWeek], games: pl.DataFrame, today: date, since: date | None
) -> list[StoredWeek]:
    """Return the past weeks to read.

    A past week is read if it was last read before it was over, has a game that is not final, lacks games that the lake
    lost, or has days from `since` on.
    """
    unofficial = (pl.col("game_state") == "FINAL") & (pl.col("game_date") >= today - UNOFFICIAL_FOR)
    unfinished = set(games.filter(is_unplayed() | unofficial)["game_date"])
    counts = dict(games.group_by("game_date").len().iter_rows())

    def is_due(week: StoredWeek) -> bool:
        days = [week.first_day + timedelta(days=n) for n in range(7)]
        return (
            get_eastern_day(week.read_at) <= week.last_day + timedelta(days=1)
            or not unfinished.isdisjoint(days)
            or sum(counts.get(day, 0) for day in days) < week.games
            or (since is not None and week.last_day >= since)
        )

    return [week for week in weeks if is_due(week)]


def list_first_days(weeks: Iterable[StoredWeek]) -> tuple[date, ...]:
    """Return the first days of weeks, in order."""
    return tuple(sorted(week.first_day for week in weeks))
