"""Tests of season ids, game ids and Eastern dates."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.hockey import seasons
from nhl_lake.hockey.calendar import FINAL_STATES, GAME_STATES, get_eastern_day
from nhl_lake.hockey.ids import get_game_season, get_game_type, get_season_on, is_season, make_season_id
from nhl_lake.hockey.seasons import Season

# the NHL's own list of these years: first day with the preseason, last day with the playoffs
LISTED = [
    Season(20032004, date(2003, 9, 12), date(2004, 6, 7)),
    Season(20052006, date(2005, 9, 15), date(2006, 6, 19)),
    Season(20182019, date(2018, 9, 15), date(2019, 6, 12)),
    Season(20192020, date(2019, 9, 15), date(2020, 9, 28)),
    Season(20202021, date(2021, 1, 13), date(2021, 7, 7)),
    Season(20212022, date(2021, 9, 25), date(2022, 6, 26)),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_season_is_two_consecutive_years():
    assert make_season_id(2023) == 20232024
    assert make_season_id(1999) == 19992000


@pytest.mark.parametrize("number", [20232025, 20242023, 2023, 20232023, 0, -1, 19161917, 202320240])
def test_other_numbers_are_not_seasons(number: int):
    assert not is_season(number)


@given(st.integers(1917, 2200))
def test_every_year_since_the_first_starts_a_season(year: int):
    assert is_season(make_season_id(year))


@given(st.integers(1917, 2200), st.integers(1, 99), st.integers(0, 9999))
def test_game_id_contains_season_and_type(year: int, kind: int, number: int):
    game_id = year * 1_000_000 + kind * 10_000 + number

    assert get_game_season(game_id) == make_season_id(year)
    assert get_game_type(game_id) == kind


def test_known_game_ids_are_parsed():
    assert (get_game_season(2023020001), get_game_type(2023020001)) == (20232024, 2)
    assert (get_game_season(2022030417), get_game_type(2022030417)) == (20222023, 3)
    assert (get_game_season(2024190001), get_game_type(2024190001)) == (20242025, 19)  # 4 Nations Face-Off


def test_season_starts_in_july_by_the_calendar():
    assert get_season_on(date(2023, 6, 30)) == 20222023
    assert get_season_on(date(2023, 7, 1)) == 20232024
    assert get_season_on(date(2024, 1, 1)) == 20232024


@pytest.mark.parametrize(
    ("day", "running"),
    [
        (date(2018, 9, 14), (20182019,)),
        (date(2019, 2, 1), (20182019,)),
        (date(2019, 6, 26), (20182019,)),  # corrections still come
        (date(2019, 7, 17), (20182019, 20192020)),  # the last second look is thirty days after a game
        (date(2019, 7, 18), (20192020,)),  # summer: the last season is long over, and the day belongs to the next
        (date(2020, 4, 1), (20192020,)),  # the break of 2020
        (date(2020, 8, 15), (20192020, 20202021)),  # summer playoffs: the old season runs on in the new one's months
        (date(2020, 11, 2), (20192020, 20202021)),
        (date(2020, 11, 3), (20202021,)),
        (date(2021, 1, 12), (20202021,)),  # before a season that begins in January
        (date(2021, 7, 6), (20202021, 20212022)),
        (date(2021, 8, 11), (20202021, 20212022)),
        (date(2021, 8, 12), (20212022,)),
    ],
)
def test_current_seasons_are_running_or_just_over_or_of_the_day(day: date, running: tuple[int, ...]):
    assert seasons.find_current_seasons(LISTED, day) == running


def test_current_season_without_a_list_follows_from_the_day():
    assert seasons.find_current_seasons([], date(2023, 11, 10)) == (20232024,)


def test_seasons_since_a_day_are_those_with_later_days_oldest_first():
    today = date(2021, 10, 1)

    assert seasons.find_seasons_since(LISTED, date(2019, 6, 12), today) == (20182019, 20192020, 20202021, 20212022)
    assert seasons.find_seasons_since(LISTED, date(2019, 6, 13), today) == (20192020, 20202021, 20212022)
    assert seasons.find_seasons_since(LISTED, date(2020, 9, 28), today) == (20192020, 20202021, 20212022)
    assert seasons.find_seasons_since(LISTED, date(2020, 9, 29), today) == (20202021, 20212022)
    assert seasons.find_seasons_since(LISTED, today, today) == (20212022,)


def test_seasons_since_a_past_day_exclude_future_seasons():
    assert seasons.find_seasons_since(LISTED, date(2018, 1, 1), date(2019, 1, 1)) == (20182019,)


def test_cancelled_season_is_unknown():
    today = date(2021, 12, 1)

    assert not seasons.is_known_season(LISTED, 20042005, today)
    assert seasons.is_known_season(LISTED, 20032004, today)
    assert seasons.is_known_season(LISTED, 20052006, today)


def test_season_is_known_if_listed_or_next():
    today = date(2021, 12, 1)

    assert seasons.is_known_season(LISTED, 20212022, today)
    assert seasons.is_known_season(LISTED, 20222023, today)
    assert not seasons.is_known_season(LISTED, 20232024, today)
    assert not seasons.is_known_season(LISTED, 20992100, today)


def test_unlisted_season_gets_the_widest_days():
    assert seasons.guess_season(20232024) == Season(20232024, date(2023, 9, 1), date(2024, 7, 31))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2023-10-11T03:59:59+00:00", date(2023, 10, 10)),  # 23:59:59 in summer time
        ("2023-10-11T04:00:00+00:00", date(2023, 10, 11)),
        ("2023-12-01T04:59:59+00:00", date(2023, 11, 30)),  # 23:59:59 in winter time
        ("2023-12-01T05:00:00+00:00", date(2023, 12, 1)),
        ("2023-11-05T03:59:59+00:00", date(2023, 11, 4)),  # the day that has 25 hours
        ("2023-11-05T04:00:00+00:00", date(2023, 11, 5)),
        ("2023-11-06T04:59:59+00:00", date(2023, 11, 5)),
        ("2023-11-06T05:00:00+00:00", date(2023, 11, 6)),
        ("2024-03-10T04:59:59+00:00", date(2024, 3, 9)),  # the day that has 23 hours
        ("2024-03-10T05:00:00+00:00", date(2024, 3, 10)),
        ("2024-03-11T03:59:59+00:00", date(2024, 3, 10)),
        ("2024-03-11T04:00:00+00:00", date(2024, 3, 11)),
        ("2023-10-10T21:00:00-07:00", date(2023, 10, 11)),  # in Pacific time
        ("2023-11-11T12:00:00+13:00", date(2023, 11, 10)),
    ],
)
def test_eastern_day_is_the_date_in_new_york(instant: str, day: date):
    assert get_eastern_day(at(instant)) == day


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001 - the zone is given below
def test_eastern_day_is_the_utc_date_or_the_day_before(naive: datetime):
    instant = naive.replace(tzinfo=UTC)

    assert 0 <= (instant.date() - get_eastern_day(instant)).days <= 1


def test_final_states_are_game_states():
    assert set(FINAL_STATES) < set(GAME_STATES)
    assert "OVER" not in FINAL_STATES
