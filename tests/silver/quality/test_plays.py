"""What is doubtful about plays, on hand-typed pages."""

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


def whole(
    *events: dict[str, Any], score: tuple[int, int] = (0, 1), sog: tuple[int, int] = (0, 1), **said: Any
) -> dict[str, Any]:
    """Return the page of a game that ends 0-1 by a goal of the home team, with other events too; away comes first."""
    sides = {
        "awayTeam": {"id": 2, "score": score[0], "sog": sog[0]},
        "homeTeam": {"id": 1, "score": score[1], "sog": sog[1]},
    }
    goal = make_shot("goal", number=500, period=2, timeInPeriod="01:00", details=GOAL)
    return make_page(*HITS, goal, *events, *ENDS, **sides, **said)


def doubts(found: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    pages = make_pages(found)
    rows = check_plays(build_table(PLAYS, pages).lazy(), pages).collect()
    assert rows.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    return rows.select("check", "severity", "expected", "actual").rows()


def test_nothing_is_doubtful_about_a_whole_game():
    assert doubts(whole()) == []


def test_without_games_there_are_no_doubts():
    assert check_plays(build_table(PLAYS, NO_PAGES).lazy(), NO_PAGES).collect().is_empty()


SHOOT_OUT = [make_shot("goal", number=1990, by=BLOCKER, period=5, timeInPeriod="00:00", situationCode="0101"),
             make_play("game-end", number=1991, period=5, timeInPeriod="00:00")]  # fmt: skip


def test_who_wins_the_shoot_out_has_a_goal_more():
    away = make_shot(
        "goal", number=501, by=BLOCKER, period=2, timeInPeriod="02:00", details={"homeScore": 1, "awayScore": 1}
    )

    assert doubts(whole(away, *SHOOT_OUT, score=(2, 1), sog=(1, 1))) == []


@pytest.mark.parametrize(
    ("game", "doubt"),
    [
        (whole(score=(0, 2)), ("goals are the final score", "error", "0-2", "0-1")),
        (whole(sog=(0, 3)), ("shots on goal are those of the header", "warning", "0-3", "0-1")),
        (whole(sog=(3, 1)), ("shots on goal are those of the header", "error", "3-1", "0-1")),
        (whole(make_shot("goal", number=801, period=3, details=GOAL), score=(0, 2), sog=(0, 2)),
         ("no goal stands beside another score", "error", "0", "1")),
        (whole(make_play("hit", number=801, period=3, details={"hittingPlayerId": 5, "hitteePlayerId": 5})),
         ("every player is dressed", "warning", "0", "1")),
        (whole(make_play("penalty", number=801, period=3, details={"typeCode": "PS", "eventOwnerTeamId": AWAY})),
         ("penalty shots are as many as were awarded", "warning", "1", "0")),
        (whole(make_play("hit", number=501, period=2, timeInPeriod="00:30")),
         ("the clock does not run backwards", "warning", "0", "1")),
        (whole(make_play("hit", number=501, period=2, timeInPeriod="20:05")),
         ("every event has a time inside its period", "warning", "0", "1")),
        (whole(make_play("zamboni", number=801, period=3)), ("every event type is known", "warning", "0", "1")),
        (whole(make_shot("missed-shot", number=801, period=3, situationCode=None)),
         ("every attempt has a situation", "warning", "0", "1")),
        (whole(make_shot("missed-shot", number=801, period=3, details={"xCoord": None})),
         ("every unblocked attempt has a place", "warning", "0", "1")),
        (whole(*(make_shot("missed-shot", number=801 + n, period=3, details={"xCoord": -60}) for n in range(8))),
         ("the page's side of the ice is that of its shots", "warning", "0", "8")),
        (whole(make_play("hit", number=1999, period=3, timeInPeriod="20:00")),
         ("the last event is the end of the game", "warning", "game-end", "hit")),
        (whole() | {"plays": [event for event in whole()["plays"] if event["eventId"] != 400]},
         ("three periods or more have an end", "warning", "3", "2")),
        (whole() | {"plays": whole()["plays"][50:]}, ("a game has 150 plays or more", "warning", "150", "105")),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_named_with_what_was_found(game: dict[str, Any], doubt: tuple[str, str, str, str]):
    assert doubts(game) == [doubt]


def test_games_of_old_have_their_sides_inferred_and_no_doubts():
    old = whole() | {"id": 2018020001, "season": 20182019}
    silent = [{k: v for k, v in event.items() if k != "homeTeamDefendingSide"} for event in old["plays"]]

    assert doubts(old | {"plays": silent}) == []


def test_a_header_that_says_nothing_is_no_doubt():
    assert doubts(whole() | {"homeTeam": {"id": 1}, "awayTeam": {"id": 2}}) == []


def old(season: int, *events: dict[str, Any]) -> dict[str, Any]:
    """Return the page of an old season with a goal, a penalty and other events, without codes, places or ends."""
    bare = {"situationCode": None, "homeTeamDefendingSide": None}
    goal = make_shot("goal", number=500, details={"xCoord": None, "yCoord": None, "shotType": None} | GOAL, **bare)
    penalty = make_play(
        "penalty", number=501, timeInPeriod="01:00", details={"eventOwnerTeamId": AWAY, "typeCode": "PS"}, **bare
    )
    sides = {"awayTeam": {"id": 2, "score": 0, "sog": 20}, "homeTeam": {"id": 1, "score": 1, "sog": 30}}
    return make_page(goal, penalty, *events, id=season // 10_000 * 1_000_000 + 20_001, season=season, **sides)


def test_nothing_is_expected_of_old_pages_that_they_never_record():
    assert doubts(old(19301931)) == []
    assert [rule for rule, *_ in doubts(old(19971998, make_shot(number=502, situationCode=None)))] == [
        "shots on goal are those of the header"
    ]


def test_the_same_is_expected_of_a_page_of_today_that_has_lost_it():
    found = {rule for rule, *_ in doubts(old(20232024))}

    assert {
        "a game has 150 plays or more",
        "every attempt has a situation",
        "three periods or more have an end",
    } <= found
