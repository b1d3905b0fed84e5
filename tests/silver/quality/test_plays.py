"""Tests of the checks of plays, on handwritten pages."""

from typing import Any

import pytest

from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.plays import check_plays
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.silver.play_builders import AWAY, BLOCKER, make_page, make_play, make_shot

ENDS = [
    make_play(event, number=100 + 300 * period + n, period=period, timeInPeriod="20:00", details=None)
    for period in (1, 2, 3)
    for n, event in enumerate(["period-end", "game-end"][: 1 + (period == 3)])
]
HITS = [
    make_play("hit", number=n, period=1, timeInPeriod="10:00", details={"eventOwnerTeamId": AWAY})
    for n in range(200, 350)
]
GOAL = {"homeScore": 1, "awayScore": 0, "shotType": "wrist"}


def full_game(
    *events: dict[str, Any], score: tuple[int, int] = (0, 1), sog: tuple[int, int] = (0, 1), **overrides: Any
) -> dict[str, Any]:
    """Return the page of a game that ends 0-1 by a goal of the home team, with other events too; away comes first."""
    sides = {
        "awayTeam": {"id": 2, "score": score[0], "sog": sog[0]},
        "homeTeam": {"id": 1, "score": score[1], "sog": sog[1]},
    }
    goal = make_shot("goal", number=500, period=2, timeInPeriod="01:00", details=GOAL)
    return make_page(*HITS, goal, *events, *ENDS, **sides, **overrides)


def find_failed_checks(found: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    pages = make_pages(found)
    rows = check_plays(build_table(PLAYS, pages).lazy(), pages).collect()
    assert rows.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    return rows.select("check", "severity", "expected", "actual").rows()


def test_complete_game_passes_all_checks():
    assert find_failed_checks(full_game()) == []


def test_no_games_fail_no_checks():
    assert check_plays(build_table(PLAYS, NO_PAGES).lazy(), NO_PAGES).collect().is_empty()


SHOOT_OUT = [make_shot("goal", number=1990, by=BLOCKER, period=5, timeInPeriod="00:00", situationCode="0101"),
             make_play("game-end", number=1991, period=5, timeInPeriod="00:00")]  # fmt: skip


def test_shootout_winner_has_one_more_goal():
    away = make_shot(
        "goal", number=501, by=BLOCKER, period=2, timeInPeriod="02:00", details={"homeScore": 1, "awayScore": 1}
    )

    assert find_failed_checks(full_game(away, *SHOOT_OUT, score=(2, 1), sog=(1, 1))) == []


@pytest.mark.parametrize(
    ("game", "failed_check"),
    [
        (full_game(score=(0, 2)), ("goals add up to the final score", "error", "0-2", "0-1")),
        (full_game(sog=(0, 3)), ("shots on goal match the page header", "warning", "0-3", "0-1")),
        (full_game(sog=(3, 1)), ("shots on goal match the page header", "error", "3-1", "0-1")),
        (full_game(make_shot("goal", number=801, period=3, details=GOAL), score=(0, 2), sog=(0, 2)),
         ("the score at each goal matches the goals so far", "error", "0", "1")),
        (full_game(make_play("hit", number=801, period=3, details={"hittingPlayerId": 5, "hitteePlayerId": 5})),
         ("every player is dressed", "warning", "0", "1")),
        (full_game(make_play("penalty", number=801, period=3, details={"typeCode": "PS", "eventOwnerTeamId": AWAY})),
         ("as many penalty shots are taken as awarded", "warning", "1", "0")),
        (full_game(make_play("hit", number=501, period=2, timeInPeriod="00:30")),
         ("the clock does not run backwards", "warning", "0", "1")),
        (full_game(make_play("hit", number=501, period=2, timeInPeriod="20:05")),
         ("every event has a time inside its period", "warning", "0", "1")),
        (full_game(make_play("zamboni", number=801, period=3)), ("every event type is known", "warning", "0", "1")),
        (full_game(make_shot("missed-shot", number=801, period=3, situationCode=None)),
         ("every attempt has a situation", "warning", "0", "1")),
        (full_game(make_shot("missed-shot", number=801, period=3, details={"xCoord": None})),
         ("every unblocked attempt has a location", "warning", "0", "1")),
        (full_game(*(make_shot("missed-shot", number=801 + n, period=3, details={"xCoord": -60}) for n in range(8))),
         ("the side that the home team defends agrees with the shots", "warning", "0", "8")),
        (full_game(make_play("hit", number=1999, period=3, timeInPeriod="20:00")),
         ("the last event is game-end", "warning", "game-end", "hit")),
        (full_game() | {"plays": [event for event in full_game()["plays"] if event["eventId"] != 400]},
         ("at least three periods have an end", "warning", "3", "2")),
        (full_game() | {"plays": full_game()["plays"][50:]},
         ("a game has at least 150 plays", "warning", "150", "105")),
    ],
)  # fmt: skip
def test_each_failed_check_is_reported_with_what_was_found(
    game: dict[str, Any], failed_check: tuple[str, str, str, str]
):
    assert find_failed_checks(game) == [failed_check]


def test_old_game_has_inferred_sides_and_passes():
    old = full_game() | {"id": 2018020001, "season": 20182019}
    silent = [{k: v for k, v in event.items() if k != "homeTeamDefendingSide"} for event in old["plays"]]

    assert find_failed_checks(old | {"plays": silent}) == []


def test_header_without_numbers_passes():
    assert find_failed_checks(full_game() | {"homeTeam": {"id": 1}, "awayTeam": {"id": 2}}) == []


def make_old_page(season: int, *events: dict[str, Any]) -> dict[str, Any]:
    """Return the page of an old season with a goal, a penalty and other events, without codes, places or ends."""
    bare = {"situationCode": None, "homeTeamDefendingSide": None}
    goal = make_shot("goal", number=500, details={"xCoord": None, "yCoord": None, "shotType": None} | GOAL, **bare)
    penalty = make_play(
        "penalty", number=501, timeInPeriod="01:00", details={"eventOwnerTeamId": AWAY, "typeCode": "PS"}, **bare
    )
    sides = {"awayTeam": {"id": 2, "score": 0, "sog": 20}, "homeTeam": {"id": 1, "score": 1, "sog": 30}}
    return make_page(goal, penalty, *events, id=season // 10_000 * 1_000_000 + 20_001, season=season, **sides)


def test_old_pages_need_only_what_their_season_records():
    assert find_failed_checks(make_old_page(19301931)) == []
    assert [
        rule for rule, *_ in find_failed_checks(make_old_page(19971998, make_shot(number=502, situationCode=None)))
    ] == ["shots on goal match the page header"]


def test_same_page_of_a_current_season_fails():
    found = {rule for rule, *_ in find_failed_checks(make_old_page(20232024))}

    assert {
        "a game has at least 150 plays",
        "every attempt has a situation",
        "at least three periods have an end",
    } <= found
