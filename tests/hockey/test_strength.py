"""Tests of strength and situation from the situation code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.silver.play_builders import (
    AWAY,
    BLOCKER,
    HOME,
    SHOOTER,
    build_row,
    build_rows,
    make_page,
    make_play,
    make_shot,
)
from tests.support.examples import try_examples

MIRROR = {"EV": "EV", "PP": "SH", "SH": "PP", "5on5": "5on5", "5on4": "4on5", "4on5": "5on4", "other": "other"}


def classify(code: str | None, by: int = SHOOTER) -> tuple[str | None, str | None]:
    row = build_row(make_shot(by=by, situationCode=code))
    return row["strength_state"], row["situation"]


@pytest.mark.parametrize(
    ("code", "official", "situation"),
    [
        ("1551", "EV", "5on5"), ("1451", "PP", "5on4"), ("1541", "SH", "4on5"), ("1441", "EV", "other"),
        ("1331", "EV", "other"), ("1351", "PP", "other"), ("1531", "SH", "other"), ("1341", "PP", "other"),
        ("1431", "SH", "other"), ("0651", "EV", "other"), ("1560", "EV", "other"), ("0641", "SH", "other"),
        ("1460", "PP", "other"), ("1450", "EV", "other"), ("0541", "EV", "other"), ("0431", "EV", "other"),
        ("1340", "EV", "other"), ("0551", "PP", "other"), ("1550", "SH", "other"), ("0660", "EV", "other"),
    ],
)  # fmt: skip
def test_goalie_counts_as_a_player_and_only_full_teams_have_a_named_situation(code: str, official: str, situation: str):
    assert classify(code) == (official, situation)
    assert classify(code, by=BLOCKER) == (MIRROR[official], MIRROR[situation])


def test_code_keeps_its_leading_zero():
    row = build_row(make_shot(situationCode="0651"))

    assert row["situation_code"] == "0651"
    players = ("has_away_goalie", "away_skaters", "home_skaters", "has_home_goalie")
    assert tuple(row[name] for name in players) == (False, 6, 5, True)


@pytest.mark.parametrize("code", [None, "", "155", "15511", "2551", "1751", "155x", "1 51", "-551"])
def test_unreadable_code_gives_unknown_strength_never_five_on_five(code: str | None):
    row = build_row(make_shot(situationCode=code))

    assert row["situation_code"] == code
    assert {row[name] for name in ("strength_state", "situation", "home_skaters", "has_away_goalie")} == {None}


def test_event_without_a_team_has_players_but_no_strength():
    row = build_row(make_play("stoppage", situationCode="1451"))

    assert (row["home_skaters"], row["away_skaters"]) == (5, 4)
    assert (row["strength_state"], row["situation"]) == (None, None)


@pytest.mark.parametrize("event", ["goal", "shot-on-goal", "missed-shot", "failed-shot-attempt"])
def test_awarded_shot_is_a_penalty_shot(event: str):
    awarded = make_play("penalty", details={"typeCode": "PS", "eventOwnerTeamId": AWAY})
    row = build_rows(make_page(awarded, make_shot(event, number=2, situationCode="1010"))).to_dicts()[1]

    assert row["is_penalty_shot"]
    assert (row["strength_state"], row["situation"]) == ("PS", "other")


def test_other_shots_of_that_second_are_not_penalty_shots():
    awarded = make_play("penalty", number=2, details={"typeCode": "PS", "eventOwnerTeamId": AWAY})
    others = (make_shot(number=1, situationCode="1551"), make_play("hit", number=3, situationCode="1010"))

    assert build_rows(make_page(others[0], awarded, others[1]))["is_penalty_shot"].to_list() == [False] * 3


def test_last_rows_of_an_overtime_with_the_shootout_code_have_unknown_strength():
    late = make_shot(period=4, timeInPeriod="05:00", situationCode="1010")
    row = build_rows(
        make_page(late, make_play("period-end", number=2, period=4, timeInPeriod="05:00", situationCode="1010"))
    ).to_dicts()[0]

    assert not row["is_penalty_shot"]
    assert row["situation_code"] == "1010"
    assert {row[name] for name in ("strength_state", "situation", "home_skaters")} == {None}
    assert row["is_shot_on_goal"]


def test_shootout_attempts_are_penalty_shots():
    row = build_row(make_shot("goal", period=5, timeInPeriod="00:00", situationCode="1010"))

    assert row["is_penalty_shot"]
    assert row["strength_state"] == "PS"


@try_examples(25)
@given(st.from_regex("[01][3-6][3-6][01]", fullmatch=True))
def test_strengths_of_both_teams_mirror_each_other(code: str):
    found = build_rows(
        make_page(make_shot(number=1, situationCode=code), make_shot(number=2, by=BLOCKER, situationCode=code[::-1]))
    )
    mirrored = build_rows(
        make_page(make_shot(number=1, situationCode=code), make_shot(number=2, by=BLOCKER, situationCode=code))
    )

    for name in ("strength_state", "situation"):
        assert found[name][0] == found[name][1]
        assert mirrored[name][0] == MIRROR[mirrored[name][1]]
    assert found["acting_team_id"].to_list() == [HOME, AWAY]
