"""Tests of goalies filled in for attempts that name none."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.silver.plays import PLAYS
from tests.silver import builders
from tests.silver.bronze_pages import build_table, make_pages
from tests.silver.play_builders import AWAY, AWAY_GOALIE, HOME, HOME_GOALIE, make_page, make_play, make_shot

OTHER_GOALIE = 33
LINEUP = builders.make_lineups(
    *(builders.make_lineup_row(goalie, AWAY, "G") for goalie in (AWAY_GOALIE, OTHER_GOALIE)),
    builders.make_lineup_row(HOME_GOALIE, HOME, "G"),
    builders.make_lineup_row(82, AWAY, "D"),
)


def fill(*events: dict[str, Any], shifts: list[dict[str, Any]] | None = None, boxes: Any = ()) -> dict[int, Any]:
    """Return goalie and source of each event that has an acting team, by its id."""
    lines = [{"season": builders.SEASON, "game_id": builders.GAME, "team_id": AWAY, **line} for line in boxes]
    pages = make_pages(make_page(*events))
    rows = build_table(PLAYS, pages, builders.make_shifts(*(shifts or [])), LINEUP, builders.make_goalie_games(*lines))
    checks.validate_rows(PLAYS, rows)
    return {event: (goalie, how) for event, goalie, how in rows.select("event_id", *COLUMNS).rows()}


COLUMNS = ("goalie_player_id", "goalie_source")


def at(
    second: int, number: int = 1, event: str = "shot-on-goal", goalie: int | None = None, **overrides: Any
) -> dict[str, Any]:
    """Return an attempt of the home team in a second."""
    details = {} if goalie is None else {"goalieInNetId": goalie}
    return make_shot(
        event, number=number, details=details, timeInPeriod=f"{second // 60:02}:{second % 60:02}", **overrides
    )


def shift(goalie: int, start: int, end: int, **overrides: Any) -> dict[str, Any]:
    return builders.make_shift(goalie, start, end, AWAY, **overrides)


@pytest.mark.parametrize("event", ["goal", "shot-on-goal", "missed-shot"])
def test_goalie_on_the_ice_faces_the_shot(event: str):
    shifts = [shift(AWAY_GOALIE, 0, 600), shift(OTHER_GOALIE, 600, 1200), shift(82, 0, 1200)]

    assert fill(at(599, event=event), shifts=shifts) == {1: (AWAY_GOALIE, "shifts")}
    assert fill(at(700, event=event), shifts=shifts) == {1: (OTHER_GOALIE, "shifts")}


def test_goal_in_the_second_of_a_change_is_against_the_goalie_who_was_in():
    shifts = [shift(AWAY_GOALIE, 0, 600), shift(OTHER_GOALIE, 600, 1200)]
    faceoff = make_play("faceoff", number=2, timeInPeriod="10:00")
    rows = fill(at(600, event="goal"), faceoff, at(600, 3), shifts=shifts)

    assert (rows[1], rows[3]) == ((AWAY_GOALIE, "shifts"), (OTHER_GOALIE, "shifts"))


def test_goalie_of_the_page_is_used():
    assert fill(at(599, goalie=OTHER_GOALIE), shifts=[shift(AWAY_GOALIE, 0, 1200)]) == {1: (OTHER_GOALIE, "page")}


@pytest.mark.parametrize("event", ["goal", "missed-shot"])
def test_empty_net_stays_empty(event: str):
    empty = at(1190, event=event, situationCode="0651")
    mentioned = at(100, 2, goalie=AWAY_GOALIE)

    assert fill(empty, mentioned)[1] == (None, None)
    assert fill(at(1190, event=event), mentioned, shifts=[shift(AWAY_GOALIE, 0, 1180)])[1] == (None, None)
    assert fill(empty, shifts=[shift(AWAY_GOALIE, 0, 1200)])[1] == (None, None)


def test_two_goalies_at_once_give_none():
    assert fill(at(599), shifts=[shift(AWAY_GOALIE, 0, 1200), shift(OTHER_GOALIE, 0, 600)]) == {1: (None, None)}


def test_only_goalie_of_the_game_is_used_without_shifts():
    assert fill(at(60), at(90, 2, goalie=AWAY_GOALIE))[1] == (AWAY_GOALIE, "only goalie")
    boxes = [{"player_id": AWAY_GOALIE, "time_on_ice_s": 3600}, {"player_id": OTHER_GOALIE, "time_on_ice_s": 0}]
    assert fill(at(60), boxes=boxes) == {1: (AWAY_GOALIE, "only goalie")}
    assert fill(at(60)) == {1: (None, None)}


def test_shifts_of_another_period_are_not_used():
    shifts = [shift(OTHER_GOALIE, 0, 1200, period=2)]

    assert fill(at(60), at(90, 2, goalie=AWAY_GOALIE), shifts=shifts)[1] == (AWAY_GOALIE, "only goalie")


def test_goalie_named_before_and_after_is_used_if_the_team_has_two():
    events = [
        at(10, 1),
        at(60, 2, goalie=AWAY_GOALIE),
        at(70, 3),
        at(80, 4, goalie=AWAY_GOALIE),
        at(90, 5),
        at(100, 6, goalie=OTHER_GOALIE),
        at(110, 7),
    ]
    rows = fill(*events)

    assert rows[3] == (AWAY_GOALIE, "goalie before and after")
    assert [rows[number] for number in (1, 5, 7)] == [(None, None)] * 3


@pytest.mark.parametrize("code", [None, "odd", "1010"])
def test_only_a_save_shows_a_goalie_without_a_code(code: str | None):
    events = [at(60, n, kind, situationCode=code) for n, kind in enumerate(("shot-on-goal", "goal", "missed-shot"), 1)]
    rows = fill(*events, at(90, 4, goalie=AWAY_GOALIE))

    assert [rows[number] for number in (1, 2, 3)] == [(AWAY_GOALIE, "only goalie"), (None, None), (None, None)]


def test_shots_at_the_other_goalie_are_ignored():
    theirs = make_shot(number=2, by=82, details={"goalieInNetId": HOME_GOALIE})

    assert fill(at(60), theirs)[1] == (None, None)


def test_blocked_shots_and_shootouts_get_no_goalie():
    rows = fill(
        at(60, event="blocked-shot"),
        at(90, 2, goalie=AWAY_GOALIE),
        at(0, 3, period=5),
        shifts=[shift(AWAY_GOALIE, 0, 1200)],
    )

    assert (rows[1], rows[3]) == ((None, None), (None, None))


def test_penalty_shots_get_a_goalie():
    awarded = make_play("penalty", number=1, timeInPeriod="01:00", details={"typeCode": "PS", "eventOwnerTeamId": AWAY})
    rows = fill(awarded, at(60, 2, situationCode="1010"), at(90, 3, goalie=AWAY_GOALIE))

    assert rows[2] == (AWAY_GOALIE, "only goalie")


def test_games_do_not_affect_each_other():
    first, second = (make_page(at(60), id=2023020000 + n) for n in (1, 2))
    third = make_page(at(60), at(90, 2, goalie=AWAY_GOALIE), id=2023020003)
    rows = build_table(PLAYS, make_pages(first, second, third)).filter(pl.col("event_id") == 1)

    assert rows["goalie_player_id"].to_list() == [None, None, AWAY_GOALIE]
