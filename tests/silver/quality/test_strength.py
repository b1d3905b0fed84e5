"""Codes, players on the ice and power-play goals of the box score, compared with each other."""

from typing import Any

import pytest

from nhl_lake.silver.quality.strength import check_strength
from tests.silver import builders

HOME_PLAYERS, AWAY_PLAYERS = range(1, 7), range(11, 17)  # the last of each is the goalie
PLAYERS = {"home_skaters": 5, "away_skaters": 5, "has_home_goalie": True, "has_away_goalie": True}


def play(number: int, second: int, event: str = "hit", **said: Any) -> dict[str, Any]:
    known = {"situation_code": "1551", "strength_source": "page", "game_seconds": second, "home_team_id": builders.HOME}
    return builders.make_play(
        number, second, event, event_number=number, is_goal=event == "goal", **known | PLAYERS | said
    )


def goal(number: int, state: str | None, player: int = 1) -> dict[str, Any]:
    return play(number, 60 * number, "goal", strength_state=state, shooter_player_id=player)


def found(*events: dict[str, Any], shifts: Any = (), lines: Any = ()) -> dict[str, tuple[str, str | None, str]]:
    sides = {player: (builders.HOME, player == HOME_PLAYERS[-1]) for player in HOME_PLAYERS} | {
        player: (builders.AWAY, player == AWAY_PLAYERS[-1]) for player in AWAY_PLAYERS
    }
    lineups = builders.make_lineups(
        *(builders.make_lineup_row(who, team, "G" if goalie else "C") for who, (team, goalie) in sides.items())
    )
    stays = builders.make_shifts(*(builders.make_shift(who, start, end, sides[who][0]) for who, start, end in shifts))
    rows = check_strength(builders.make_plays(*events), stays, lineups, builders.make_skater_games(*lines)).collect()
    return {check: tuple(rest) for check, *rest in rows.drop("season", "game_id").rows()}


def line(player: int, goals: int | None) -> dict[str, Any]:
    return {"season": builders.SEASON, "game_id": builders.GAME, "player_id": player, "power_play_goals": goals}


ALL_ON = [(player, 0, 1200) for player in (*HOME_PLAYERS, *AWAY_PLAYERS)]


def test_a_game_in_which_all_agree_is_sound() -> None:
    assert found(play(1, 10), goal(2, "PP"), shifts=ALL_ON, lines=[line(1, 1), line(2, 0)]) == {}


def test_codes_that_gave_way_are_counted() -> None:
    events = [play(1, 10), play(2, 20, strength_source="shifts"), play(3, 30, strength_source="penalty clock")]
    expected = ("warning", None, "not at 1 events (by shifts), 1 (by penalty clock)")
    assert found(*events) == {"penalties explain the situation codes": expected}


@pytest.mark.parametrize(("until", "is_long"), [(60, False), (90, True)])
def test_shifts_with_other_players_for_long_are_named(until: int, is_long: bool) -> None:  # noqa: FBT001
    missing = [stay for stay in ALL_ON if stay[0] != 1] + [(1, 0, 20), (1, until, 1200)]
    events = [play(number, 10 * number) for number in range(1, 30)]
    checks = {"shifts have as many players on the ice as the plays": ("warning", None, "another number for 60 s")}
    assert found(*events, shifts=missing) == (checks if is_long else {})


@pytest.mark.parametrize(
    ("official", "goals", "is_sound"),
    [
        (1, [goal(1, "PP")], True),
        (0, [goal(1, "EV")], True),
        (1, [goal(1, "EV")], False),
        (0, [goal(1, "PP")], False),
        (None, [goal(1, "PP")], True),
        (1, [goal(1, None)], True),
        (1, [goal(1, "PS")], True),
    ],
)
def test_power_play_goals_are_the_box_scores(official: int | None, goals: list[dict[str, Any]], is_sound: bool) -> None:  # noqa: FBT001
    actual = sum(one["strength_state"] == "PP" for one in goals)
    checks = {
        "power play goals are the box score's, skater by skater": (
            "warning",
            str(official),
            f"{actual}, other for 1 skaters",
        )
    }
    assert found(*goals, lines=[line(1, official)]) == ({} if is_sound else checks)
