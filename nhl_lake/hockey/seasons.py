"""Which seasons a run is to look at, from the NHL's own list of seasons and the day."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from nhl_lake.hockey.ids import FIRST_SEASON, get_season_on, make_season_id

FIRST_SHIFT_SEASON = 20072008  # no shift chart or shift report of an earlier season exists
CORRECTION_PERIOD = timedelta(
    days=35
)  # corrections still come when the last game is over; the last second look is at 30


class Season(NamedTuple):
    """A season: its first day, preseason too, and its last."""

    season: int
    first_day: date
    last_day: date


def guess_season(season: int) -> Season:
    """Return the widest days that a season can have, for one that the NHL does not list yet."""
    year = season // 10_000
    return Season(season, date(year, 9, 1), date(year + 1, 7, 31))


def guess_all_seasons(today: date) -> list[Season]:
    """Return every season until today with guessed days, where there is no list of seasons at all."""
    first, last = FIRST_SEASON // 10_000, get_season_on(today) // 10_000
    return [guess_season(make_season_id(year)) for year in range(first, last + 1)]


def find_current_seasons(listed: Sequence[Season], today: date) -> tuple[int, ...]:
    """Return the seasons that are under way or just over, and the one that the day belongs to: oldest first."""
    running = {s.season for s in listed if s.first_day <= today <= s.last_day + CORRECTION_PERIOD}
    return tuple(sorted(running | {get_season_on(today)}))


def find_seasons_since(listed: Sequence[Season], first: date, today: date) -> tuple[int, ...]:
    """Return the seasons with days from a day until today: oldest first."""
    overlapping = {s.season for s in listed if s.last_day >= first and s.first_day <= today}
    return tuple(sorted(overlapping | set(find_current_seasons(listed, today))))


def is_known_season(listed: Sequence[Season], season: int, today: date) -> bool:
    """Whether there is, was or can be such a season: a listed one, or one after the last that is listed."""
    last = max((s.season for s in listed), default=0)
    return any(s.season == season for s in listed) or last < season <= get_season_on(today + timedelta(days=366))
