"""The seasons that a run covers, from the NHL's list of seasons and the date."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from nhl_lake.hockey.ids import FIRST_SEASON, get_season_on, make_season_id

FIRST_SHIFT_SEASON = 20072008  # earlier seasons have no shift charts or shift reports
SECOND_LOOKS = (1.0, 3.0, 7.0, 30.0)  # days after a game's start at which the NHL may have corrected its pages
CORRECTION_PERIOD = timedelta(days=35)  # after the last game; the last look for corrections is after 30 days


class Season(NamedTuple):
    """A season: its first day, including the preseason, and its last day."""

    season: int
    first_day: date
    last_day: date


def guess_season(season: int) -> Season:
    """Return the earliest and latest possible days of a season that the NHL does not list yet."""
    year = season // 10_000
    return Season(season, date(year, 9, 1), date(year + 1, 7, 31))


def guess_all_seasons(today: date) -> list[Season]:
    """Return every season until today with guessed days, for when there is no list of seasons."""
    first, last = FIRST_SEASON // 10_000, get_season_on(today) // 10_000
    return [guess_season(make_season_id(year)) for year in range(first, last + 1)]


def find_current_seasons(listed: Sequence[Season], today: date) -> tuple[int, ...]:
    """Return the seasons that are running or just over, and the season of the day, oldest first."""
    running = {s.season for s in listed if s.first_day <= today <= s.last_day + CORRECTION_PERIOD}
    return tuple(sorted(running | {get_season_on(today)}))


def find_seasons_since(listed: Sequence[Season], first: date, today: date) -> tuple[int, ...]:
    """Return the seasons with days from `first` to `today`, oldest first."""
    overlapping = {s.season for s in listed if s.last_day >= first and s.first_day <= today}
    return tuple(sorted(overlapping | set(find_current_seasons(listed, today))))


def is_known_season(listed: Sequence[Season], season: int, today: date) -> bool:
    """Whether a season is listed, or follows the last listed one and has begun or begins within a year."""
    last = max((s.season for s in listed), default=0)
    return any(s.season == season for s in listed) or last < season <= get_season_on(today + timedelta(days=366))
