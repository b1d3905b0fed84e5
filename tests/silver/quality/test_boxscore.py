"""Tests of the checks of plays against the goalies of the box score."""

from typing import Any

import pytest

from nhl_lake.silver.quality.boxscore import check_goalie_games
from tests.silver import builders

LINE = {
    "season": builders.SEASON,
    "game_id": builders.GAME,
    "player_id": 30,
    "goals_against": 1,
    "shots_against": 2,
    "saves": 1,
}
SHOTS = [("goal", 30, "REG"), ("shot-on-goal", 30, "REG")]


def find_differences(line: dict[str, Any], *shots: tuple[str, int | None, str]) -> dict[str, list[Any]]:
    events = (
        builders.make_play(
            number, 60 * number, event, goalie_player_id=goalie, period_type=kind,
            is_goal=kind != "SO" and event == "goal", is_shot_on_goal=kind != "SO" and event != "missed-shot",
        )
        for number, (event, goalie, kind) in enumerate(shots)
    )  # fmt: skip
    rows = check_goalie_games(builders.make_plays(*events), builders.make_goalie_games(LINE | line)).collect()
    assert rows.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    return {name: rest for name, *rest in map(list, rows.drop("season", "game_id").rows())}


def test_goalie_who_matches_the_box_score_passes():
    assert find_differences({}, *SHOTS, ("missed-shot", 30, "REG"), ("goal", None, "REG"), ("goal", 30, "SO")) == {}


@pytest.mark.parametrize(
    ("shots", "checks"),
    [
        (SHOTS[:1], {"shots against": ("warning", "2", "1"), "saves": ("warning", "1", "0")}),
        (SHOTS[1:], {"goals against": ("error", "1", "0"), "shots against": ("warning", "2", "1")}),
        (
            [SHOTS[0], ("shot-on-goal", 31, "REG")],
            {"shots against": ("warning", "2", "1"), "saves": ("warning", "1", "0")},
        ),
    ],
)
def test_each_count_that_differs_is_reported(shots: list[Any], checks: dict[str, tuple[str, str, str]]):
    assert find_differences({}, *shots) == {
        f"{what} match the box score for every goalie": [severity, expected, f"{actual}, different for 1 goalies"]
        for what, (severity, expected, actual) in checks.items()
    }


def test_missing_statistics_and_games_without_plays_are_left_out():
    nothing = dict.fromkeys(("goals_against", "shots_against", "saves"))

    assert find_differences(nothing, *SHOTS) == {}
    assert find_differences({}) == {}
