"""Tests of plays, on handwritten pages."""

import json
from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.parsing.pages import read_leniently
from nhl_lake.silver.plays import PLAYS, Page, plays
from tests.silver.bronze_pages import NO_PAGES, make_pages
from tests.silver.play_builders import (  # fmt: skip
    AWAY,
    AWAY_GOALIE,
    BLOCKER,
    DEFENDER,
    HOME,
    ROSTER_SPOTS,
    SHOOTER,
    TEAMMATE,
    build_row,
    build_rows,
    make_page,
    make_play,
    make_shot,
)


def build_block(**details: Any) -> tuple[int | None, bool]:
    """Return the acting team of a blocked shot with such details, and whether a teammate blocked it."""
    row = build_row(make_play("blocked-shot", details=details))
    return row["acting_team_id"], row["is_teammate_block"]


def test_event_is_one_row():
    place = {"xCoord": 60, "yCoord": 10, "zoneCode": "O"}
    found = build_row(
        make_play(
            details={"eventOwnerTeamId": AWAY, "shootingPlayerId": BLOCKER, "goalieInNetId": 31, "shotType": "snap"}
            | place
        )
    )

    assert {name: value for name, value in found.items() if value is not None} == {
        "season": 20232024,
        "game_id": 2023020001,
        "game_type": 2,
        "event_id": 1,
        "event_number": 1,
        "sort_order": 10,
        "period": 1,
        "period_type": "REG",
        "period_seconds": 754,
        "game_seconds": 754,
        "type_code": 506,
        "event": "shot-on-goal",
        "situation_code": "1551",
        "strength_source": "page",
        "has_away_goalie": True,
        "away_skaters": 5,
        "home_skaters": 5,
        "has_home_goalie": True,
        "strength_state": "EV",
        "situation": "5on5",
        "acting_team_id": AWAY,
        "event_owner_team_id_raw": AWAY,
        "is_home": False,
        "home_team_id": HOME,
        "away_team_id": AWAY,
        "shooter_player_id": BLOCKER,
        "goalie_player_id": 31,
        "goalie_source": "page",
        "shot_type": "snap",
        "x_raw_ft": 60.0,
        "y_raw_ft": 10.0,
        "zone_code_raw": "O",
        "x_ft": -60.0,
        "y_ft": -10.0,
        "coordinates_source": "page",
        "zone": "D",
        "distance_ft": pytest.approx((149**2 + 10**2) ** 0.5),
        "angle_deg": pytest.approx(3.8396, abs=1e-4),
        "home_score_before": 0,
        "away_score_before": 0,
        "score_difference": 0,
        "is_goal": False,
        "is_shot_on_goal": True,
        "is_unblocked_attempt": True,
        "is_attempt": True,
        "is_penalty_shot": False,
        "is_teammate_block": False,
        "is_rebound": False,
        "is_rebound_incl_block": False,
        "has_rebound": False,
        "is_rush": False,
    }


def test_schema_is_the_declared_one_even_without_pages_or_plays():
    for pages in (
        NO_PAGES,
        make_pages(make_page()),
        make_pages(make_page(make_play()), state="LIVE"),
        make_pages(make_page(make_play())),
    ):
        found = plays(pages).collect()
        assert found.columns == [column.name for column in PLAYS.columns]
        assert found.cast(dict(PLAYS.schema)).schema == PLAYS.schema


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER", None])
def test_page_that_is_not_final_gives_no_rows(state: str | None):
    assert build_rows(make_page(make_play()), state=state).is_empty()


@pytest.mark.parametrize("state", ["FINAL", "OFF"])
def test_final_page_gives_rows(state: str):
    assert build_rows(make_page(make_play()), state=state).height == 1


def test_games_do_not_affect_each_other():
    goals = make_page(make_shot("goal", number=1), make_shot("goal", number=2, timeInPeriod="12:35"))
    other = make_page(make_shot(number=3, timeInPeriod="12:36"), id=2023020002)

    alone, together = build_rows(other), build_rows(goals, other)

    assert together.filter(pl.col("game_id") == 2023020002).equals(alone)
    assert together["home_score_before"].to_list() == [0, 1, 0]
    assert not together["is_rebound"].any()


@pytest.mark.parametrize(
    ("event", "details", "expected"),
    [
        ("goal", {"scoringPlayerId": 71, "assist1PlayerId": 72, "assist2PlayerId": 73, "goalieInNetId": 32},
         {"shooter": 71, "assist1": 72, "assist2": 73, "goalie": 32}),
        ("blocked-shot", {"shootingPlayerId": 71, "blockingPlayerId": 82}, {"shooter": 71, "blocker": 82}),
        ("hit", {"hittingPlayerId": 71, "hitteePlayerId": 82}, {"hitter": 71, "hittee": 82}),
        ("giveaway", {"playerId": 71}, {"giveaway": 71}),
        ("takeaway", {"playerId": 71}, {"takeaway": 71}),
        ("faceoff", {"winningPlayerId": 71, "losingPlayerId": 82}, {"faceoff_winner": 71, "faceoff_loser": 82}),
        ("penalty", {"committedByPlayerId": 71, "drawnByPlayerId": 82, "servedByPlayerId": 72},
         {"penalised": 71, "drawn_by": 82, "served_by": 72}),
        ("failed-shot-attempt", {"shootingPlayerId": 71, "goalieInNetId": 32}, {"shooter": 71, "goalie": 32}),
    ],
)  # fmt: skip
def test_every_player_has_their_role(event: str, details: dict[str, int], expected: dict[str, int]):
    row = build_row(make_play(event, details=details))

    known = {name.removesuffix("_player_id"): row[name] for name in row if name.endswith("_player_id") and row[name]}
    assert known == expected


def test_penalty_has_its_infraction_and_minutes():
    row = build_row(
        make_play("penalty", details={"typeCode": "MIN", "descKey": "high-sticking-double-minor", "duration": 4})
    )

    expected = (row["penalty_type_code"], row["penalty_description"], row["penalty_minutes"])
    assert expected == ("MIN", "high-sticking-double-minor", 4)


def test_bench_minor_is_charged_to_nobody():
    expected = {"eventOwnerTeamId": HOME, "committedByPlayerId": SHOOTER, "servedByPlayerId": TEAMMATE, "duration": 2}

    bench, minor, untyped = (build_row(make_play("penalty", details=expected | kind)) for kind in (
        {"typeCode": "BEN"}, {"typeCode": "MIN"}, {}
    ))  # fmt: skip

    assert [row["penalised_player_id"] for row in (bench, minor, untyped)] == [None, SHOOTER, SHOOTER]
    assert (bench["served_by_player_id"], bench["acting_team_id"], bench["penalty_minutes"]) == (TEAMMATE, HOME, 2)


def test_stoppage_has_at_most_two_reasons():
    row = build_row(make_play("stoppage", details={"reason": "icing", "secondaryReason": "tv-timeout"}))

    assert (row["reason"], row["secondary_reason"], row["acting_team_id"]) == ("icing", "tv-timeout", None)


def test_acting_team_of_a_blocked_shot_is_the_shooters_whoever_owns_it():
    until_2024 = build_block(eventOwnerTeamId=AWAY, shootingPlayerId=SHOOTER, blockingPlayerId=BLOCKER)
    since = build_block(eventOwnerTeamId=HOME, shootingPlayerId=SHOOTER, blockingPlayerId=BLOCKER, reason="blocked")

    assert until_2024 == since == (HOME, False)


def test_owner_on_the_page_is_stored_too():
    row = build_row(make_play("blocked-shot", details={"eventOwnerTeamId": AWAY, "shootingPlayerId": SHOOTER}))

    assert (row["acting_team_id"], row["event_owner_team_id_raw"]) == (HOME, AWAY)


def test_shot_blocked_by_a_teammate_belongs_to_the_shooters_team():
    both = {"eventOwnerTeamId": HOME, "shootingPlayerId": SHOOTER, "blockingPlayerId": TEAMMATE}

    assert build_block(**both, reason="teammate-blocked") == build_block(**both) == (HOME, True)


def test_shot_blocked_by_the_referee_is_a_block_by_nobody():
    row = build_row(make_play("blocked-shot", details={"shootingPlayerId": SHOOTER, "reason": "other-block"}))

    assert (row["acting_team_id"], row["blocker_player_id"], row["is_teammate_block"]) == (HOME, None, False)


def test_blocked_shot_without_a_shooter_belongs_to_the_blockers_opponent():
    assert build_block(eventOwnerTeamId=AWAY, blockingPlayerId=BLOCKER)[0] == HOME
    assert build_block(eventOwnerTeamId=AWAY, blockingPlayerId=SHOOTER)[0] == AWAY
    assert build_block(eventOwnerTeamId=AWAY, blockingPlayerId=SHOOTER, reason="teammate-blocked") == (HOME, True)


def test_blocked_shot_without_known_players_has_an_owner_only_on_pages_with_a_reason():
    assert build_block(eventOwnerTeamId=AWAY, shootingPlayerId=5, blockingPlayerId=6, reason="blocked")[0] == AWAY
    assert build_block(eventOwnerTeamId=AWAY, shootingPlayerId=5, blockingPlayerId=6)[0] is None
    assert build_block()[0] is None


def test_other_events_belong_to_their_owner():
    events = [
        make_play(event, number=n, details={"eventOwnerTeamId": AWAY})
        for n, event in enumerate(("hit", "faceoff", "penalty", "delayed-penalty", "shot-on-goal"))
    ]

    found = build_rows(make_page(*events))

    assert found["acting_team_id"].to_list() == [AWAY] * 5
    assert found["is_home"].to_list() == [False] * 5


def test_event_without_details_belongs_to_nobody():
    row = build_row(make_play("period-start", timeInPeriod="00:00", situationCode=None))

    assert (row["acting_team_id"], row["event_owner_team_id_raw"], row["is_home"]) == (None, None, None)
    assert (row["period_seconds"], row["strength_state"], row["situation"], row["x_ft"]) == (0, None, None, None)


def test_player_listed_twice_is_one_and_one_of_both_teams_has_none():
    assert build_rows(make_page(make_shot(), spots=[*ROSTER_SPOTS, ROSTER_SPOTS[0]])).height == 1
    (row,) = build_rows(make_page(make_shot(), spots=[*ROSTER_SPOTS, {"playerId": SHOOTER, "teamId": AWAY}])).to_dicts()
    assert row["acting_team_id"] == HOME  # as the page's owner says


def test_new_texts_are_stored():
    row = build_row(make_play("zamboni", typeCode=599, details={"reason": "because", "shotType": "hope"}))

    assert (row["event"], row["type_code"], row["reason"], row["shot_type"]) == ("zamboni", 599, "because", "hope")
    checks.validate_rows(PLAYS, build_rows(make_page(make_play("zamboni"))))


@pytest.mark.parametrize(
    ("clock", "period", "seconds", "game_seconds"),
    [
        ("00:00", 1, 0, 0),
        ("9:59", 2, 599, 1799),
        ("20:00", 3, 1200, 3600),
        ("05:00", 4, 300, 3900),
        ("00:00", 5, 0, None),
    ],
)
def test_clock_counts_up_in_period_and_game(clock: str, period: int, seconds: int, game_seconds: int | None):
    row = build_row(make_play(timeInPeriod=clock, period=period))

    assert (row["period_seconds"], row["game_seconds"]) == (seconds, game_seconds)


def test_eighth_period_of_a_playoff_game_is_the_fifth_overtime():
    row = build_row(
        make_play(period=8, timeInPeriod="10:27", periodDescriptor={"number": 8, "periodType": "OT"}), gameType=3
    )

    assert row["game_seconds"] == 9027


def test_valid_plays_pass_the_checks_of_the_table():
    checks.validate_rows(
        PLAYS, build_rows(make_page(make_shot("goal"), make_play("hit", number=2, details={"eventOwnerTeamId": AWAY})))
    )


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (make_play("goal", details={"scoringPlayerId": 5}), "a goal has an acting team"),
        (make_play(periodDescriptor={"number": 4, "periodType": "2OT"}), "period_type is one of"),
    ],
)
def test_impossible_plays_break_a_check(wrong: dict[str, Any], rule: str):
    with pytest.raises(ValidationFailed, match=rule):
        checks.validate_rows(PLAYS, build_rows(make_page(wrong)))


def test_owner_that_does_not_play_in_the_game_is_null():
    row = build_row(make_play("hit", details={"eventOwnerTeamId": 3, "hittingPlayerId": SHOOTER}))

    assert (row["acting_team_id"], row["event_owner_team_id_raw"], row["hitter_player_id"]) == (None, 3, SHOOTER)


def test_duplicate_event_id_is_rejected():
    with pytest.raises(ValidationFailed, match="one row per game_id, event_id"):
        checks.validate_rows(
            PLAYS, build_rows(make_page(make_play(number=1), make_play("hit", number=1, sortOrder=11)))
        )


def test_event_repeated_under_another_id_or_period_counts_once():
    again = make_play(number=1) | {"eventId": 9}
    late = make_play(number=1, period=3) | {"eventId": 10}

    assert build_rows(make_page(make_play(number=1), make_play("hit", number=2), again, late))[
        "event_id"
    ].to_list() == [1, 2]


GOAL = {"assist1PlayerId": TEAMMATE, "goalieInNetId": AWAY_GOALIE}
SCORES = [{"homeScore": n, "awayScore": 0} for n in range(4)]


def list_goals(*goals: tuple[str, dict[str, Any]], score: int | None = 1, by: int = SHOOTER) -> list[int]:
    """Return the ids of the goals that are left of some of one player, each with its clock and more details."""
    head = {"homeTeam": {"id": HOME, "score": score}, "awayTeam": {"id": AWAY, "score": 0}}
    found = [
        make_shot("goal", number=n, by=by, timeInPeriod=clock, details=GOAL | details)
        for n, (clock, details) in enumerate(goals, start=1)
    ]
    return build_rows(make_page(*found, **head)).filter(pl.col("is_goal"))["event_id"].to_list()


def test_goal_repeated_within_two_seconds_is_one():
    first = ("05:00", SCORES[1])

    for clock in ("04:59", "05:00", "05:01", "05:02"):
        assert len(list_goals(first, (clock, SCORES[1]))) == 1
    assert list_goals(first, ("05:01", SCORES[1]), ("05:02", SCORES[1])) == [1]
    assert list_goals(first, ("05:01", SCORES[1] | {"assist1PlayerId": None})) == [1]  # the score beside it decides
    assert list_goals(first, ("05:01", SCORES[2])) == [1]  # the final score decides
    assert list_goals(first, ("05:01", SCORES[1]), score=None) == [1]
    assert list_goals(("00:00", SCORES[1]), ("00:01", SCORES[1]), ("12:00", SCORES[2]), score=2) == [1, 3]


def test_two_goals_of_a_player_seconds_apart_are_two():
    first = ("05:00", SCORES[1])

    assert list_goals(first, ("05:02", SCORES[2]), score=2) == [1, 2]
    assert list_goals(first, ("05:02", SCORES[2]), score=None) == [1, 2]
    assert list_goals(("05:00", {}), ("05:02", {}), score=2) == [1, 2]
    assert list_goals(("05:00", {}), ("05:02", {})) == [1, 2]  # nothing says which
    assert list_goals(first, ("05:03", SCORES[1])) == [1, 2]  # and a check names them
    assert list_goals(first, ("05:01", SCORES[2] | {"xCoord": 70})) == [1, 2]


def test_goals_of_two_players_and_shootout_goals_are_separate():
    mine, other = (make_shot("goal", number=n, by=by, details=SCORES[1]) for n, by in ((1, SHOOTER), (2, TEAMMATE)))
    late = [make_shot("goal", number=n, period=5, timeInPeriod="00:00", details=GOAL) for n in (3, 4)]
    head = {"homeTeam": {"id": HOME, "score": 2}, "awayTeam": {"id": AWAY, "score": 1}}
    theirs = make_shot("goal", number=5, by=BLOCKER, period=2)

    assert build_rows(make_page(mine, other, theirs, *late, **head))["event_id"].to_list() == [1, 2, 3, 4, 5]
    again = make_shot("goal", number=6, details=SCORES[1], timeInPeriod="12:35")
    assert (
        6 not in build_rows(make_page(mine, theirs, again, *late, **head))["event_id"].to_list()
    )  # a shootout won is no goal


def test_two_events_may_share_a_sort_order():
    assert build_rows(make_page(make_play(number=1), make_play("hit", number=2, sortOrder=10)))[
        "event_id"
    ].to_list() == [1, 2]


@pytest.mark.parametrize(
    "clock",
    ["", "twelve", "12:60", "05:75", "20:01", "20:05", "-1:00", "1:05:00", "99999999999999999999:00", 754, None],
)
def test_impossible_clock_costs_only_that_clock(clock: object):
    found = build_rows(
        make_page(
            make_play(timeInPeriod="10:00"), make_play("hit", number=2, timeInPeriod=clock), make_shot("goal", number=3)
        )
    )

    checks.validate_rows(PLAYS, found)
    assert found["event"].to_list() == ["shot-on-goal", "hit", "goal"]
    assert found["period_seconds"].to_list() == [600, None, 754]
    assert found["game_seconds"].to_list() == [600, None, 754]
    assert found["previous_event"].to_list() == [None, "shot-on-goal", "hit"]
    assert found["seconds_since_previous_event"].to_list() == [None, None, None]


def test_last_second_of_a_period_is_inside_it():
    assert build_row(make_play(timeInPeriod="20:00"))["period_seconds"] == 1200


@pytest.mark.parametrize("key", ["eventId", "sortOrder", "periodDescriptor", "typeCode", "typeDescKey"])
def test_event_without_a_required_key_is_left_out_and_reported(key: str):
    invalid = make_page(make_shot(), make_play("hit", number=2, **{key: None}))

    assert build_rows(invalid)["event"].to_list() == ["shot-on-goal"]
    assert [found.path for found in read_leniently(json.dumps(invalid), Page)[1]] == ["$.plays[1]"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"eventId": 3_000_000_000}, {"typeCode": 99_999}, {"sortOrder": 1.5}, {"eventId": "7"}, {"situationCode": 651},
        {"details": {"xCoord": "60"}}, {"details": {"duration": 40_000}}, {"details": {"shootingPlayerId": 1.5}},
    ],
)  # fmt: skip
def test_number_out_of_range_is_reported_never_truncated(wrong: dict[str, Any]):
    invalid = make_page(make_play("hit", **wrong))
    found = build_rows(invalid)

    assert len(read_leniently(json.dumps(invalid), Page)[1]) == 1
    fields = found.select("situation_code", "x_raw_ft", "penalty_minutes", "shooter_player_id").rows()
    code = None if "situationCode" in wrong else "1551"
    assert fields in ([], [(code, None, None, None)])  # the row is left out, or the field is


def test_goal_without_a_scorer_belongs_to_its_owner():
    row = build_row(make_shot("goal", details={"scoringPlayerId": "?", "eventOwnerTeamId": HOME}))

    assert (row["shooter_player_id"], row["acting_team_id"], row["is_goal"]) == (None, HOME, True)
    checks.validate_rows(
        PLAYS, build_rows(make_page(make_shot("goal", details={"scoringPlayerId": None, "eventOwnerTeamId": HOME})))
    )


def test_names_may_be_plain_or_localized():
    named = [spot | {"firstName": "Åke", "lastName": {"default": "Öberg", "fi": "Öberg"}} for spot in ROSTER_SPOTS]

    assert build_row(make_shot(), spots=named) == build_row(make_shot())


def test_shot_at_an_empty_net_has_no_goalie():
    assert build_row(make_shot("goal"))["goalie_player_id"] is None
    assert build_row(make_shot("goal", details={"goalieInNetId": AWAY_GOALIE}))["goalie_player_id"] == AWAY_GOALIE
    assert build_row(make_shot(by=DEFENDER))["acting_team_id"] == AWAY
