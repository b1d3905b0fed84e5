"""The range of numbers: what no column holds is refused by the name of its field, and all else is accepted."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.bronze.numbers import MAX_EXACT, MAX_SCORE, GameNumbers, check_numbers
from nhl_lake.errors import PageRejected

PAGE = {
    "id": 2023020001,
    "homeTeam": {"id": 1, "score": 3, "sog": 30},
    "plays": [{"eventId": 8, "timeInPeriod": "00:10", "details": {"xCoord": -12, "yCoord": 4.5, "homeScore": 1}}],
    "rosterSpots": [{"playerId": 8470001, "headshot": "https://example/20e05/1.png"}],
    "odds": [1.5e-7, {"value": "+1000"}],
}


def replace(path: str, value: str) -> bytes:
    """Return the page with a JSON value in place of another."""
    page = json.loads(json.dumps(PAGE))
    place: Any = page
    *outer, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for word in outer:
        place = place[word]
    place[last] = "VALUE"
    return json.dumps(page).replace('"VALUE"', value).encode()


def test_ordinary_numbers_are_accepted():
    check_numbers(json.dumps(PAGE).encode(), GameNumbers)
    check_numbers(json.dumps(PAGE, indent=2).encode())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("id", "9" * 5000, r"\$\.id is inf, not from -"),
        ("id", "-1", None),  # another page than the requested one: not a matter of range
        ("rosterSpots.0.playerId", str(2**63), r"\$\.rosterSpots\[0\]\.playerId is 9\.22337e\+18, not from -"),
        ("rosterSpots.0.headshot", "9" * 5000, r"\$\.rosterSpots\[0\]\.headshot is inf"),
        ("rosterSpots.0.headshot", "1e999", r"headshot is inf"),
        ("rosterSpots.0.headshot", "-1e+400", r"headshot is -inf"),
        ("plays.0.eventId", str(MAX_EXACT + 1), r"eventId is"),
        ("plays.0.eventId", str(MAX_EXACT), None),
        ("plays.0.details.xCoord", "1001", r"\$\.plays\[0\]\.details\.xCoord is 1001, not from -1,000 to 1,000"),
        ("plays.0.details.yCoord", "-1e7", r"yCoord is -1e\+07"),
        ("plays.0.details.homeScore", str(MAX_SCORE + 1), r"homeScore is 1000, not from 0 to 999"),
        ("homeTeam.score", "-1", r"\$\.homeTeam\.score is -1"),
        ("homeTeam.sog", "70000", r"sog is 70000"),
        ("plays.0.timeInPeriod", '"99999999999999999:00"', r"timeInPeriod is '99999999999999999:00', longer than"),
        ("plays.0.timeInPeriod", '"999:59"', None),
        ("plays.0.details.xCoord", '"far"', None),  # another type costs the field, not the page
        ("plays.0", '"far"', None),
        ("odds.0", "true", None),
        ("odds.1.value", '"12345:00"', None),  # ice time of a career, not a clock of a game
    ],
)
def test_a_number_out_of_range_is_refused_with_its_path(path: str, value: str, said: str | None):
    if said is None:
        check_numbers(replace(path, value), GameNumbers)
        return
    with pytest.raises(PageRejected, match=said):
        check_numbers(replace(path, value), GameNumbers)


@given(st.integers(-(10**40), 10**40), st.sampled_from(["id", "odds.1.value", "rosterSpots.0.playerId"]))
def test_no_integer_beyond_what_readers_have_exactly_is_accepted(number: int, path: str):
    try:
        check_numbers(replace(path, str(number)), GameNumbers)
    except PageRejected:
        assert abs(number) > MAX_EXACT
    else:
        assert abs(number) <= MAX_EXACT
