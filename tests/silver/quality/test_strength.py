"""Tests of the checks of situation codes, players on the ice and power-play goals."""

from typing import Any

import pytest

from nhl_lake.silver.quality.strength import check_strength
from tests.silver import builders

HOME_PLAYERS, AWAY_PLAYERS = range(1, 7), range(11, 17)  # the last of each is the goalie
PLAYERS = {"home_skaters": 5, "away_skaters": 5, "has_home_goalie": True, "has_away_goalie": True}


def make_event(number: int, second: int, event: str = "hit", **overrides: Any) -> dict[str, Any]:
    known = {"situation_code": "1551", "strength_source": "page", "game_seconds": second, "home_team_id": builders.HOME}
    return builders.make_play(
        number, second, event, event_number=number, is_goal=event == "goal", **known | PLAYERS | overrides
    )


def make_goal(number: int, state: str | None, player: int = 1) -> dict[str, Any]:
    return make_event(number, 60 * number, "goal", strength_state=state, shooter_player_id=player)


def find_failed_checks(
    *events: dict[str, Any], shifts: Any = (), lines: Any = ()
) -> dict[str, tuple[str, str | None, str]]:
    sides = {player: (builders.HOME, player == HOME_PLAYERS[-1]) for player in HOME_PLAYERS} | {
        player: (builders.AWAY, player == AWAY_PLAYERS[-1]) for player in AWAY_PLAYERS
    }
    lineups = builders.make_lineups(
        *(builders.make_lineup_row(who, team, "G" if goalie else "C") for who, (team, goalie) in sides.items())
    )
    shift_rows = builders.make_shifts(
        *(builders.make_shift(who, start, end, sides[who][0]) for who, start, end in shifts)
    )
    rows = check_strength(
        builders.make_plays(*events), shift_rows, lineups, builders.make_skater_games(*lines)
    ).collect()
    return {check: tuple(rest) for check, *rest in rows.drop("season", "game_id").rows()}


def make_line(player: int, goals: int | None) -> dict[str, Any]:
    return {"season": builders.SEASON, "game_id": builders.GAME, "player_id": player, "power_play_goals": goals}


ALL_ON = [(player, 0, 1200) for player in (*HOME_PLAYERS, *AWAY_PLAYERS)]


def test_consistent_game_passes_all_checks() -> None:
    assert (
        find_failed_checks(
            make_event(1, 10), make_goal(2, "PP"), shifts=ALL_ON, lines=[make_line(1, 1), make_line(2, 0)]
        )
        == {}
    )


def test_corrected_codes_are_counted() -> None:
    events = [
        make_event(1, 10),
        make_event(2, 20, strength_source="shifts"),
        make_event(3, 30, strength_source="penalty clock"),
    ]
    expected = ("warning", None, "corrected at 1 events by shifts, at 1 by the penalty clock")
    assert find_failed_checks(*events) == {"the situation codes agree with the penalties": expected}


@pytest.mark.parametrize(("until", "is_long"), [(60, False), (90, True)])
def test_shifts_that_differ_from_the_plays_for_long_are_reported(until: int, is_long: bool) -> None:  # noqa: FBT001
    missing = [shift for shift in ALL_ON if shift[0] != 1] + [(1, 0, 20), (1, until, 1200)]
    events = [make_event(number, 10 * number) for number in range(1, 30)]
    checks = {"shifts and plays agree on the number of players on the ice": ("warning", None, "different for 60 s")}
    assert find_failed_checks(*events, shifts=missing) == (checks if is_long else {})


@pytest.mark.parametrize(
    ("official", "goals", "is_sound"),
    [
        (1, [make_goal(1, "PP")], True),
        (0, [make_goal(1, "EV")], True),
        (1, [make_goal(1, "EV")], False),
        (0, [make_goal(1, "PP")], False),
        (None, [make_goal(1, "PP")], True),
        (1, [make_goal(1, None)], True),
        (1, [make_goal(1, "PS")], True),
    ],
)
def test_power_play_goals_are_compared_with_the_box_score(
    official: int | None,
    goals: list[dict[str, Any]],
    is_sound: bool,  # noqa: FBT001
) -> None:
    actual = sum(one["strength_state"] == "PP" for one in goals)
    checks = {
        "power play goals match the box score for every skater": (
            "warning",
            str(official),
            f"{actual}, different for 1 skaters",
        )
    }
    assert find_failed_checks(*goals, lines=[make_line(1, official)]) == ({} if is_sound else checks)
