"""Tests of attempt flags (goal, shot on goal, attempt) and of the score before an event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.silver.play_builders import (
    AWAY_GOALIE,
    BLOCKER,
    HOME_GOALIE,
    SHOOTER,
    build_row,
    build_rows,
    make_page,
    make_play,
    make_shot,
)
from tests.support.examples import try_examples

FLAGS = ("is_goal", "is_shot_on_goal", "is_unblocked_attempt", "is_attempt")


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        ("goal", (True, True, True, True)),
        ("shot-on-goal", (False, True, True, True)),
        ("missed-shot", (False, False, True, True)),
        ("blocked-shot", (False, False, False, True)),
        ("failed-shot-attempt", (False, False, False, False)),
        ("hit", (False, False, False, False)),
    ],
)
def test_event_has_the_flags_of_its_type(event: str, counts: tuple[bool, ...]):
    row = build_row(make_shot(event))

    assert tuple(row[flag] for flag in FLAGS) == counts


@pytest.mark.parametrize("event", ["goal", "shot-on-goal", "missed-shot"])
def test_shootout_events_do_not_count_and_overtime_events_do(event: str):
    for period in (4, 5):
        row = build_row(make_shot(event, period=period, timeInPeriod="00:00"))
        assert row["is_attempt"] == (period == 4)
        assert any(row[flag] for flag in FLAGS) == (period == 4)


def test_goal_without_a_shot_is_a_goal_but_not_a_shot_on_goal():
    found = build_rows(make_page(make_shot(number=1), make_shot("goal", number=2, details={"shotType": None})))

    assert found["is_goal"].to_list() == [False, True]
    assert found["is_shot_on_goal"].to_list() == [True, False]
    assert found["is_attempt"].to_list() == [True, True]


BEFORE, SINCE = {"id": 2021020001, "season": 20212022}, {"id": 2022020001, "season": 20222023}


@pytest.mark.parametrize(
    ("season", "goalie", "code", "is_shot"),
    [
        (BEFORE, AWAY_GOALIE, "1551", True),
        (BEFORE, None, "1551", True),
        (BEFORE, None, "0551", False),  # into the empty net
        (BEFORE, None, None, False),
        (SINCE, AWAY_GOALIE, "1551", False),
        (SINCE, None, "0551", False),
    ],
)
def test_untyped_goal_until_2022_is_a_shot_if_a_goalie_was_in_net(
    season: dict[str, int],
    goalie: int | None,
    code: str | None,
    is_shot: bool,  # noqa: FBT001
):
    untyped = {"shotType": None, "goalieInNetId": goalie}
    found = build_rows(
        make_page(make_shot(number=1), make_shot("goal", number=2, details=untyped, situationCode=code), **season)
    )

    assert found["is_shot_on_goal"].to_list() == [True, is_shot]
    assert found["is_goal"].to_list() == [False, True]


def test_every_goal_is_a_shot_in_games_without_shot_types():
    untyped = {"shotType": None}

    found = build_rows(make_page(make_shot(number=1, details=untyped), make_shot("goal", number=2, details=untyped)))

    assert found["is_shot_on_goal"].to_list() == [True, True]


def test_score_is_from_before_the_event_and_ignores_the_shootout():
    events = [
        make_shot("goal", number=1),
        make_shot("goal", number=2, by=BLOCKER),
        make_shot("goal", number=3, by=BLOCKER),
        make_play("stoppage", number=4),
        make_shot("goal", number=5, by=HOME_GOALIE, period=3),
        make_shot("goal", number=6, period=5),
        make_shot("goal", number=7, period=5, by=BLOCKER),
    ]

    found = build_rows(make_page(*events))

    assert found["home_score_before"].to_list() == [0, 1, 1, 1, 1, 2, 2]
    assert found["away_score_before"].to_list() == [0, 0, 1, 2, 2, 2, 2]
    assert found["score_difference"].to_list() == [0, -1, 0, None, -1, 0, 0]


@try_examples(25)
@given(st.lists(st.tuples(st.sampled_from([SHOOTER, BLOCKER]), st.sampled_from([1, 2, 3, 4, 5])), max_size=12))
def test_score_adds_up_goal_by_goal(goals: list[tuple[int, int]]):
    goals.sort(key=lambda goal: goal[1])
    found = build_rows(make_page(*(make_shot("goal", number=n, by=by, period=p) for n, (by, p) in enumerate(goals))))

    for number, row in enumerate(found.to_dicts()):
        before = [by for by, period in goals[:number] if period != 5]
        assert (row["home_score_before"], row["away_score_before"]) == (before.count(SHOOTER), before.count(BLOCKER))
