"""Tests of goalie statistics by game, on handwritten games."""

from typing import Any

import polars as pl

from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.skater_game import SKATER_GAME
from tests.gold import game_builders
from tests.gold.game_builders import FACEOFF, ROSTER_SPOTS, build_game_silver, build_row
from tests.gold.league_tables import Silver, build_gold
from tests.gold.test_skater_game import ALL_GAME, POWER_PLAY, make_details
from tests.silver.play_builders import HOME, make_shot

AT_32 = {"goalieInNetId": 32}


def select_counts(found: Silver, *names: str, goalie: int = 32, situation: str = "all") -> tuple[Any, ...]:
    row = game_builders.build_row(GOALIE_GAME, found, situation, player_id=goalie)
    return tuple(row[name] for name in names)


def test_goalie_faces_shots_goals_and_misses():
    found = build_game_silver(
        FACEOFF, make_shot("goal", details=AT_32), make_shot(details=AT_32), make_shot("missed-shot", details=AT_32)
    )

    names = ("shots_against", "saves", "goals_against", "save_share", "missed_shots_against")
    assert select_counts(found, *names, "unblocked_attempts_against") == (2, 1, 1, 0.5, 1, 3)
    assert select_counts(found, *names, goalie=31) == (0, 0, 0, None, 0)


def test_empty_net_goal_counts_against_no_goalie():
    found = build_game_silver(FACEOFF, make_shot("goal", situationCode="0651"))

    assert select_counts(found, "goals_against", "shots_against") == (0, 0)


def test_strength_is_the_shooters_and_situation_the_goalies():
    found = build_game_silver(FACEOFF, make_shot("goal", details=AT_32, situationCode=POWER_PLAY))

    assert select_counts(found, "goals_against", "power_play_goals_against", situation="4on5") == (1, 1)
    assert select_counts(found, "goals_against", situation="5on4") == (0,)
    names = ("power_play_goals_against", "shorthanded_goals_against", "even_strength_goals_against")
    assert select_counts(found, *names) == (1, 0, 0)


def test_penalty_shot_is_counted_separately_and_a_shootout_is_not_counted():
    awarded = make_details("penalty", 2, typeCode="PS", duration=0, committedByPlayerId=82, drawnByPlayerId=71)
    taken = make_shot("goal", situationCode="1010", details=AT_32)
    found = build_game_silver(FACEOFF, awarded, taken, make_shot(period=5, situationCode="1010", details=AT_32))

    assert select_counts(found, "penalty_shots_against", "penalty_shot_goals_against", situation="other") == (1, 1)
    assert select_counts(found, "shots_against", "goals_against", "even_strength_goals_against") == (1, 1, 0)


def test_blocked_attempts_need_shifts():
    blocked = make_shot("blocked-shot", details={"blockingPlayerId": 82})

    assert (
        select_counts(
            build_game_silver(FACEOFF, blocked), "blocked_attempts_against", "attempts_against", "time_on_ice_s"
        )
        == (None,) * 3
    )
    found = build_game_silver(FACEOFF, blocked, make_shot(details=AT_32), shifts=ALL_GAME)
    assert select_counts(found, "blocked_attempts_against", "attempts_against", "time_on_ice_s") == (1, 2, 1200)
    assert select_counts(found, "blocked_attempts_against", goalie=31) == (0,)


def test_goal_without_a_shot_is_a_goal_but_not_a_shot():
    found = build_game_silver(FACEOFF, make_shot(details=AT_32), make_shot("goal", details=AT_32 | {"shotType": None}))

    assert select_counts(found, "goals_against", "shots_against", "saves", "goals_without_shot_against") == (1, 1, 1, 1)


def test_own_goals_assists_and_penalties_are_counted():
    minor = make_details("penalty", HOME, typeCode="MIN", duration=2, committedByPlayerId=31)
    found = build_game_silver(
        FACEOFF, make_shot("goal", by=31), make_shot("goal", details={"assist1PlayerId": 31}), minor
    )

    assert select_counts(found, "goals", "assists", "points", "penalties", "penalty_minutes", goalie=31) == (
        1,
        1,
        2,
        1,
        2,
    )


def test_only_dressed_goalies_have_rows_and_one_who_did_not_play_has_zeros():
    found = build_game_silver(FACEOFF, make_shot(details=AT_32), shifts=[shift for shift in ALL_GAME if shift[0] != 31])
    rows = build_gold(GOALIE_GAME, found)

    assert sorted(rows["player_id"].unique()) == [31, 32]
    assert rows.group_by("player_id").len()["len"].to_list() == [5, 5]
    assert select_counts(found, "time_on_ice_s", "shots_against", goalie=31) == (0, 0)


def test_game_without_plays_has_no_rows():
    found = build_game_silver(FACEOFF)
    found["plays"] = found["plays"].clear()

    assert build_gold(GOALIE_GAME, found).is_empty()


def test_decision_is_that_of_the_box_score():
    found = build_game_silver(FACEOFF)
    line = dict.fromkeys(found["goalie_games"].columns) | {"game_id": game_builders.GAME, "player_id": 32}
    found["goalie_games"] = pl.DataFrame([line | {"decision": "W"}], schema=found["goalie_games"].schema)

    assert select_counts(found, "decision") == ("W",)
    assert select_counts(found, "decision", goalie=31) == (None,)


def test_official_split_is_only_in_situation_all():
    found = game_builders.build_game_silver(FACEOFF)
    line = dict.fromkeys(found["goalie_games"].columns) | {"game_id": game_builders.GAME, "player_id": 32}
    split = {"even_strength_shots_against": 3, "even_strength_saves": 2, "even_strength_goals_against": 1}
    found["goalie_games"] = pl.DataFrame([line | split], schema=found["goalie_games"].schema)
    names = [f"official_{name}" for name in split]

    assert select_counts(found, *names) == (3, 2, 1)
    assert select_counts(found, *names, situation="5on5") == (None, None, None)
    assert select_counts(found, "even_strength_shots_against") == (0,)


def test_shot_without_a_named_goalie_is_faced_by_the_one_on_the_ice():
    shots = [
        make_shot("goal", **game_builders.play_time(10)),
        make_shot(**game_builders.play_time(20)),
        make_shot("missed-shot", **game_builders.play_time(30)),
    ]
    found = game_builders.build_game_silver(FACEOFF, *shots, shifts=[(32, 0, 1200), (71, 0, 1200)])

    assert select_counts(found, "goals_against", "saves", "missed_shots_against") == (1, 1, 1)


def test_game_without_shifts_has_the_time_of_the_box_score():
    found = build_game_silver(FACEOFF, make_shot(details=AT_32))
    line = dict.fromkeys(found["goalie_games"].columns) | {"game_id": game_builders.GAME, "player_id": 32}
    found["goalie_games"] = pl.DataFrame([line | {"time_on_ice_s": 3550}], schema=found["goalie_games"].schema)
    names = ("time_source", "time_on_ice_s", "power_play_time_on_ice_s", "blocked_attempts_against")

    assert select_counts(found, *names) == ("box score", 3550, None, None)
    assert select_counts(found, *names, situation="5on5") == (None,) * 4
    assert select_counts(found, *names, goalie=31) == (None,) * 4


def test_players_have_their_names_from_the_game():
    spots = [spot | {"firstName": {"default": "Ana"}, "lastName": {"default": "Berg"}} for spot in ROSTER_SPOTS]
    found = build_game_silver(FACEOFF, make_shot(details=AT_32), spots=[*spots[:-1], ROSTER_SPOTS[-1]])

    assert build_row(GOALIE_GAME, found, player_id=31)["player"] == "Ana Berg"
    assert build_row(GOALIE_GAME, found, player_id=32)["player"] is None
    assert build_row(SKATER_GAME, found, player_id=71)["player"] == "Ana Berg"
