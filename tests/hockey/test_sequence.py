"""Tests of rebounds and rushes, on handwritten events."""

from typing import Any

import pytest

from tests.silver.play_builders import (
    AWAY,
    BLOCKER,
    HOME,
    SHOOTER,
    TEAMMATE,
    build_rows,
    make_page,
    make_play,
    make_shot,
)

FAR, NEAR, MIDDLE = {"xCoord": -60, "yCoord": 0}, {"xCoord": 80, "yCoord": 0}, {"xCoord": 0, "yCoord": 0}


def clock(seconds: int) -> str:
    return f"{seconds // 60:02}:{seconds % 60:02}"


def build_shot_after(first: dict[str, Any], *, seconds: int, second: Any = None, between: Any = None) -> dict[str, Any]:
    """Return the row of a home shot that follows an event at 10:00 after some seconds."""
    last = (second or make_shot)(number=9, timeInPeriod=clock(600 + seconds))
    found = build_rows(make_page(first | {"timeInPeriod": "10:00"}, *([between] if between else []), last))
    return found.to_dicts()[-1] | {"first": found.to_dicts()[0]}


@pytest.mark.parametrize(("seconds", "is_rebound"), [(0, True), (1, True), (3, True), (4, False)])
def test_rebound_follows_a_shot_of_the_team_within_three_seconds(seconds: int, is_rebound: bool):  # noqa: FBT001
    found = build_shot_after(make_shot(by=TEAMMATE), seconds=seconds)

    assert found["is_rebound"] == found["is_rebound_incl_block"] == found["first"]["has_rebound"] == is_rebound
    assert found["seconds_since_previous_event"] == seconds
    assert not found["has_rebound"]


@pytest.mark.parametrize(
    ("event", "is_rebound", "with_block"),
    [("shot-on-goal", True, True), ("missed-shot", True, True), ("blocked-shot", False, True), ("goal", False, False),
     ("hit", False, False), ("failed-shot-attempt", False, False)],
)  # fmt: skip
def test_rebound_follows_a_save_or_miss_and_with_blocks_a_block(event: str, is_rebound: bool, with_block: bool):  # noqa: FBT001
    found = build_shot_after(make_shot(event), seconds=2)

    assert (found["is_rebound"], found["is_rebound_incl_block"]) == (is_rebound, with_block)
    assert found["first"]["has_rebound"] == is_rebound


def test_shot_of_the_other_team_is_not_a_rebound():
    assert not build_shot_after(make_shot(by=BLOCKER), seconds=1)["is_rebound"]


def test_blocked_shot_is_not_a_rebound():
    found = build_shot_after(make_shot(), seconds=1, second=lambda **overrides: make_shot("blocked-shot", **overrides))

    assert not found["is_rebound"]
    assert not found["first"]["has_rebound"]


def test_event_in_between_ends_the_sequence_except_a_delayed_penalty():
    faceoff = make_play("faceoff", number=5, timeInPeriod="10:01", details={"eventOwnerTeamId": HOME})
    delayed_penalty = make_play("delayed-penalty", number=5, timeInPeriod="10:01", details={"eventOwnerTeamId": AWAY})

    assert not build_shot_after(make_shot(), seconds=2, between=faceoff)["is_rebound"]
    through = build_shot_after(make_shot(), seconds=2, between=delayed_penalty)
    assert through["is_rebound"]
    assert through["first"]["has_rebound"]
    assert (through["previous_event"], through["seconds_since_previous_event"]) == ("shot-on-goal", 2)


def test_period_ends_the_sequence():
    found = build_rows(
        make_page(make_shot(number=1, timeInPeriod="00:00"), make_shot(number=2, period=2, timeInPeriod="00:00"))
    ).to_dicts()[1]

    assert not found["is_rebound"]
    assert (found["previous_event"], found["seconds_since_previous_event"]) == (None, None)


def test_penalty_shot_is_not_part_of_a_rebound():
    awarded = make_play("penalty", number=2, details={"typeCode": "PS", "eventOwnerTeamId": AWAY})
    alone = make_shot(number=3, situationCode="1010")

    found = build_rows(make_page(make_shot(number=1), awarded, alone, make_shot(number=4, timeInPeriod="12:35")))
    shootout = build_rows(make_page(make_shot(number=1, period=5), make_shot(number=2, period=5)))

    assert not found["is_rebound"].any()
    assert not shootout["is_rebound"].any()


def test_clock_running_backwards_gives_no_rebound():
    first, second = make_shot(number=1, timeInPeriod="10:02"), make_shot(number=2, timeInPeriod="10:00")

    found = build_rows(make_page(first, second)).to_dicts()[1]

    assert found["seconds_since_previous_event"] == -2
    assert not found["is_rebound"]


@pytest.mark.parametrize(
    ("event", "place", "owner", "seconds", "is_rush"),
    [
        ("hit", FAR, HOME, 4, True), ("hit", FAR, AWAY, 4, True), ("hit", FAR, HOME, 5, False),
        ("takeaway", MIDDLE, HOME, 2, True), ("giveaway", MIDDLE, AWAY, 2, True), ("hit", NEAR, HOME, 2, False),
        ("hit", NEAR, AWAY, 2, False), ("faceoff", FAR, HOME, 2, False), ("stoppage", FAR, HOME, 2, False),
        ("hit", {"xCoord": 25, "yCoord": 0}, HOME, 2, False), ("hit", {"xCoord": 24, "yCoord": 0}, HOME, 2, True),
        ("hit", {}, HOME, 2, False),
    ],
)  # fmt: skip
def test_rush_starts_outside_the_offensive_zone_within_four_seconds(
    event: str,
    place: dict[str, int],
    owner: int,
    seconds: int,
    is_rush: bool,  # noqa: FBT001
):
    first = make_play(event, details={"eventOwnerTeamId": owner} | place)

    assert build_shot_after(first, seconds=seconds)["is_rush"] == is_rush


def test_shot_of_the_other_team_can_start_a_rush():
    found = build_shot_after(make_shot(by=BLOCKER, details=FAR), seconds=3)

    assert found["is_rush"]
    assert not found["is_rebound"]
    assert found["shooter_player_id"] == SHOOTER
