"""What comes before an attempt: the previous event, the last stop, the flurry; nothing that comes after."""

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from nhl_lake.hockey.shot_context import add_shot_context
from tests.silver import builders

HOME, AWAY = 1, 2


def make_event(second: int, event: str, team: int | None = HOME, **overrides: Any) -> dict[str, Any]:
    attempt = event in {"goal", "shot-on-goal", "missed-shot"}
    about = {
        "acting_team_id": team,
        "is_unblocked_attempt": attempt,
        "is_penalty_shot": False,
        "x_ft": 60.0,
        "y_ft": 10.0,
    }
    return builders.make_play(second, second, event, **{**about, **overrides})


def add_context(*events: dict[str, Any]) -> pl.DataFrame:
    return add_shot_context(builders.make_plays(*events)).collect()


def test_previous_event_of_the_opponent_is_seen_from_the_shooter():
    found = add_context(
        make_event(10, "faceoff"),
        make_event(20, "hit", AWAY, x_ft=-50.0, y_ft=8.0),
        make_event(23, "shot-on-goal", x_ft=54.0, y_ft=-5.0),
    ).row(-1, named=True)

    assert (found["is_own_previous_event"], found["second_previous_event"]) == (False, "faceoff")
    assert (found["previous_x_ft"], found["previous_y_ft"], found["feet_from_previous_event"]) == (50.0, -8.0, 5.0)
    assert found["seconds_since_stop"] == 13


def test_flurry_ends_with_a_stop_a_long_gap_or_the_other_team():
    found = add_context(
        make_event(10, "shot-on-goal"),
        make_event(12, "missed-shot"),
        make_event(15, "hit", AWAY),
        make_event(20, "shot-on-goal"),
        make_event(22, "shot-on-goal", AWAY),
        make_event(31, "shot-on-goal"),
        make_event(32, "stoppage", None),
        make_event(33, "shot-on-goal"),
    )

    assert found["flurry_number"].to_list() == [1, 2, None, 3, 1, 1, None, 1]


def test_a_goal_has_the_context_of_a_save_in_its_place():
    before = [make_event(10, "faceoff"), make_event(20, "shot-on-goal"), make_event(22, "missed-shot")]
    goal, save = (add_context(*before, make_event(25, event)).tail(1) for event in ("goal", "shot-on-goal"))
    names = ["is_own_previous_event", "second_previous_event", "seconds_since_stop", "previous_x_ft",
             "feet_from_previous_event", "flurry_number"]  # fmt: skip

    assert_frame_equal(goal.select(names), save.select(names))
    assert goal["flurry_number"].to_list() == [3]


def test_what_comes_after_an_attempt_changes_nothing():
    before = [make_event(10, "faceoff"), make_event(20, "shot-on-goal"), make_event(22, "missed-shot")]
    alone = add_context(*before)
    followed = add_context(*before, make_event(23, "goal"), make_event(24, "stoppage", None)).head(3)

    assert_frame_equal(alone, followed)
