"""Plays, from hand-typed pages."""

import json
from typing import Any

import polars as pl
import pytest

from nhl_lake import check
from nhl_lake.errors import Broken
from nhl_lake.silver.plays import PLAYS, plays

HOME, AWAY = 1, 2
SHOOTER, BLOCKER = 71, 82  # at home, and away
SPOTS = [{"playerId": SHOOTER, "teamId": HOME}, {"playerId": BLOCKER, "teamId": AWAY}]


def play(event: str = "shot-on-goal", /, *, number: int = 1, period: int = 1, **said: Any) -> dict[str, Any]:
    kinds = {4: "OT", 5: "SO"}
    return {
        "eventId": number,
        "sortOrder": 10 * number,
        "periodDescriptor": {"number": period, "periodType": kinds.get(period, "REG"), "maxRegulationPeriods": 3},
        "timeInPeriod": "12:34",
        "typeCode": 506,
        "typeDescKey": event,
        "situationCode": "1551",
        **said,
    }


def page(*found: dict[str, Any], spots: list[dict[str, int]] = SPOTS, **said: Any) -> dict[str, Any]:
    sides = {"homeTeam": {"id": HOME, "score": 1}, "awayTeam": {"id": AWAY, "score": 0}}
    head = {"id": 2023020001, "season": 20232024, "gameType": 2, "gameState": "OFF"}
    return {**head, **sides, "plays": list(found), "rosterSpots": spots, **said}


def rows(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    bodies = [json.dumps(said) for said in pages]
    schema = {"state": pl.String, "body": pl.String}
    return plays(pl.LazyFrame({"state": state, "body": bodies}, schema=schema)).collect()


def acting(**details: int) -> int | None:
    """Return the acting team of a play with such details."""
    (row,) = rows(page(play("blocked-shot", details=details))).to_dicts()
    return row["acting_team_id"]


def test_an_event_is_one_row():
    shot = play(details={"eventOwnerTeamId": HOME, "shootingPlayerId": SHOOTER, "goalieInNetId": BLOCKER, "xCoord": 60})

    assert rows(page(shot)).to_dicts() == [
        {
            "season": 20232024,
            "game_id": 2023020001,
            "game_type": 2,
            "event_id": 1,
            "sort_order": 10,
            "period": 1,
            "period_type": "REG",
            "period_seconds": 754,
            "type_code": 506,
            "event": "shot-on-goal",
            "situation_code": "1551",
            "acting_team_id": HOME,
            "event_owner_team_id_raw": HOME,
            "shooter_player_id": SHOOTER,
            "home_team_id": HOME,
            "away_team_id": AWAY,
        }
    ]


def test_the_frame_is_what_the_table_declares_even_without_pages_or_plays():
    for found in (rows(), rows(page()), rows(page(play()), state="LIVE"), rows(page(play()))):
        assert found.schema == PLAYS.schema


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER", None])
def test_a_page_of_a_game_that_is_not_final_gives_no_rows(state: str | None):
    assert rows(page(play()), state=state).is_empty()


@pytest.mark.parametrize("state", ["FINAL", "OFF"])
def test_a_page_of_a_final_game_gives_rows(state: str):
    assert rows(page(play()), state=state).height == 1


def test_the_plays_of_more_pages_than_are_read_at_once_are_all_there():
    pages = [page(play(number=1), play(number=2), id=2023020000 + number) for number in range(250)]

    found = rows(*pages)

    assert found.select("game_id", "event_id").is_unique().all()
    assert found.height == 500


def test_a_goal_is_of_the_scorer_and_his_team():
    goal = play("goal", details={"eventOwnerTeamId": HOME, "scoringPlayerId": SHOOTER, "assist1PlayerId": 99})

    (row,) = rows(page(goal)).to_dicts()

    assert (row["shooter_player_id"], row["acting_team_id"]) == (SHOOTER, HOME)


def test_the_acting_team_of_a_blocked_shot_is_the_shooters_whoever_is_said_to_own_it():
    until_2024 = acting(eventOwnerTeamId=AWAY, shootingPlayerId=SHOOTER, blockingPlayerId=BLOCKER)
    since = acting(eventOwnerTeamId=HOME, shootingPlayerId=SHOOTER, blockingPlayerId=BLOCKER)

    assert (until_2024, since) == (HOME, HOME)


def test_the_owner_that_the_page_names_is_kept_beside():
    blocked = play("blocked-shot", details={"eventOwnerTeamId": AWAY, "shootingPlayerId": SHOOTER})

    (row,) = rows(page(blocked)).to_dicts()

    assert (row["acting_team_id"], row["event_owner_team_id_raw"]) == (HOME, AWAY)


def test_a_shot_that_a_team_mate_blocked_is_of_the_shooters_team():
    mate = [*SPOTS, {"playerId": 72, "teamId": HOME}]
    blocked = play(
        "blocked-shot", details={"shootingPlayerId": SHOOTER, "blockingPlayerId": 72, "reason": "teammate-blocked"}
    )

    (row,) = rows(page(blocked, spots=mate)).to_dicts()

    assert row["acting_team_id"] == HOME


def test_without_a_shooter_a_blocked_shot_is_of_the_team_that_the_blocker_plays_against():
    assert acting(eventOwnerTeamId=AWAY, blockingPlayerId=BLOCKER) == HOME
    assert acting(eventOwnerTeamId=AWAY, blockingPlayerId=SHOOTER) == AWAY


def test_without_players_that_are_dressed_the_owner_acts():
    assert acting(eventOwnerTeamId=AWAY, shootingPlayerId=5, blockingPlayerId=6) == AWAY
    assert acting(eventOwnerTeamId=AWAY) == AWAY
    assert acting() is None


def test_other_events_are_of_their_owner():
    events = [
        play(event, number=n, details={"eventOwnerTeamId": AWAY})
        for n, event in enumerate(("hit", "faceoff", "penalty"))
    ]

    assert rows(page(*events))["acting_team_id"].to_list() == [AWAY] * 3


def test_an_event_without_details_is_of_nobody():
    (row,) = rows(page(play("period-start", timeInPeriod="00:00", situationCode=None))).to_dicts()

    assert (row["acting_team_id"], row["event_owner_team_id_raw"], row["shooter_player_id"]) == (None, None, None)
    assert (row["period_seconds"], row["situation_code"]) == (0, None)


def test_a_shoot_out_is_there_by_its_period_type():
    shots = [
        play("goal", number=n, period=period, details={"scoringPlayerId": SHOOTER})
        for n, period in enumerate((3, 4, 5))
    ]

    found = rows(page(*shots))

    assert found["period"].to_list() == [3, 4, 5]
    assert found["period_type"].to_list() == ["REG", "OT", "SO"]


@pytest.mark.parametrize(("clock", "seconds"), [("00:00", 0), ("00:07", 7), ("9:59", 599), ("20:00", 1200)])
def test_the_clock_is_seconds_since_the_period_began(clock: str, seconds: int):
    assert rows(page(play(timeInPeriod=clock)))["period_seconds"].to_list() == [seconds]


def test_good_plays_hold_the_rules_of_the_table():
    goal = play("goal", number=1, details={"scoringPlayerId": SHOOTER, "eventOwnerTeamId": HOME})

    check.require(PLAYS, rows(page(goal, play("hit", number=2, details={"eventOwnerTeamId": AWAY}))))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (play("goal", details={"eventOwnerTeamId": HOME}), "a goal has a scorer"),
        (play(timeInPeriod="20:01"), "an event is inside its period"),
        (play("hit", details={"eventOwnerTeamId": 3}), "the acting team plays"),
        (play(periodDescriptor={"number": 4, "periodType": "2OT"}), "period_type is one of"),
    ],
)
def test_plays_that_cannot_be_are_refused_by_rule(wrong: dict[str, Any], rule: str):
    with pytest.raises(Broken, match=rule):
        check.require(PLAYS, rows(page(wrong)))


def test_an_event_that_stands_twice_is_refused():
    with pytest.raises(Broken, match="one row for each game_id, event_id"):
        check.require(PLAYS, rows(page(play(number=1), play("hit", number=1))))


@pytest.mark.parametrize("clock", ["", "twelve", None, 754])
def test_a_clock_that_cannot_be_read_stops_the_table_and_says_which_page(clock: object):
    with pytest.raises(Broken, match=r"timeInPeriod.* It begins .*2023020001"):
        rows(page(play(timeInPeriod=clock)))


@pytest.mark.parametrize(
    "wrong", [{"eventId": 3_000_000_000}, {"typeCode": 99_999}, {"sortOrder": 1.5}, {"eventId": "7"}]
)
def test_a_number_that_does_not_fit_is_never_null_or_cut(wrong: dict[str, Any]):
    with pytest.raises((Broken, pl.exceptions.ComputeError)):
        rows(page(play(**wrong)))
