"""Tests of team statistics by game, on handwritten games."""

from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from nhl_lake.gold.team_game import TEAM_GAME
from tests.gold import game_builders
from tests.gold.game_builders import FACEOFF, build_game_silver, play_time
from tests.gold.league_tables import Silver, build_gold
from tests.gold.test_skater_game import ALL_GAME, POWER_PLAY, make_details
from tests.silver.play_builders import AWAY, HOME, make_play, make_shot


def select_team(found: Silver, team_id: int, situation: str = "all") -> dict[str, Any]:
    return game_builders.build_row(TEAM_GAME, found, situation, team_id=team_id)


def select_counts(found: Silver, team_id: int, *names: str, situation: str = "all") -> tuple[Any, ...]:
    row = select_team(found, team_id, situation)
    return tuple(row[name] for name in names)


def test_counts_of_a_team_are_those_against_its_opponent_in_the_mirrored_situation():
    found = build_game_silver(FACEOFF, make_shot("goal", situationCode=POWER_PLAY), make_shot("missed-shot"))

    names = ("goals", "goals_against", "attempts", "power_play_goals", "power_play_goals_against")
    assert select_counts(found, HOME, *names, situation="5on4") == (1, 0, 1, 1, 0)
    assert select_counts(found, AWAY, *names, situation="4on5") == (0, 1, 0, 0, 1)
    assert select_counts(found, AWAY, *names, situation="5on4") == (0, 0, 0, 0, 0)
    assert select_counts(found, HOME, "attempts", "attempts_against", "attempt_share", "goal_share") == (2, 0, 1.0, 1.0)


def test_goalies_and_the_bench_count_for_their_team():
    bench = make_details("penalty", HOME, typeCode="BEN", duration=2, servedByPlayerId=72)
    rude = make_details("penalty", HOME, typeCode="GAM", duration=10)
    found = build_game_silver(FACEOFF, make_shot("goal", by=31), bench, rude)

    assert select_counts(found, HOME, "goals", "penalties", "misconducts", "penalty_minutes") == (1, 1, 1, 12)
    assert select_counts(found, AWAY, "penalties_against", "goals_against", "penalties") == (1, 1, 0)


def test_block_counts_for_the_defending_team_and_one_by_a_teammate_for_nobody():
    own = make_shot("blocked-shot", details={"blockingPlayerId": 72, "reason": "teammate-blocked"})
    found = build_game_silver(
        FACEOFF, make_shot("blocked-shot", details={"blockingPlayerId": 82}, situationCode=POWER_PLAY), own
    )

    assert select_counts(found, AWAY, "blocked_shots", "attempts", situation="4on5") == (1, 0)
    assert select_counts(found, AWAY, "blocked_shots", "blocked_attempts_against") == (1, 2)
    assert select_counts(found, HOME, "blocked_shots", "blocked_attempts", "blocked_shots_against") == (0, 2, 1)


def test_faceoff_is_won_by_one_team_and_lost_by_the_other():
    found = build_game_silver(FACEOFF)

    assert select_counts(found, HOME, "faceoffs_won", "faceoffs_lost", situation="5on5") == (1, 0)
    assert select_counts(found, AWAY, "faceoffs_won", "faceoffs_lost", situation="5on5") == (0, 1)


def test_shootout_penalties_count_as_team_minutes():
    late = {"period": 5, "timeInPeriod": "00:00", "situationCode": "0101"}
    details = {"eventOwnerTeamId": HOME, "typeCode": "MIN", "duration": 2, "committedByPlayerId": 71}
    found = build_game_silver(
        FACEOFF, make_play("penalty", details=details, **late), make_play("hit", details=details, **late)
    )

    assert select_counts(found, HOME, "penalties", "penalty_minutes", "hits") == (1, 2, 0)
    assert select_counts(found, AWAY, "penalties_against", "penalty_minutes_against") == (1, 2)


def test_shootout_is_not_counted():
    found = build_game_silver(FACEOFF, make_shot("goal", period=5, situationCode="1010"))

    assert select_counts(found, HOME, "goals", "attempts", "shots_on_goal") == (0, 0, 0)


def test_time_is_that_of_the_situation_and_null_without_shifts():
    home, away = ((31, 0, 100), (32, 0, 100)), [(player, 0, 100) for player in (82, 83, 84)]
    found = build_game_silver(FACEOFF, shifts=[*home, *away, (71, 0, 100), (72, 0, 60), (73, 0, 60)])

    names = ("time_on_ice_s", "even_strength_time_on_ice_s", "power_play_time_on_ice_s", "shorthanded_time_on_ice_s")
    assert select_counts(found, HOME, *names) == (100, 60, 0, 40)
    assert select_counts(found, AWAY, *names) == (100, 60, 40, 0)
    assert select_counts(found, HOME, *names, situation="other") == (100, 60, 0, 40)
    assert select_counts(build_game_silver(FACEOFF), HOME, *names, "attempts") == (None, None, None, None, 0)


def test_other_counts_are_null_if_plays_record_only_goals_and_penalties():
    found = build_game_silver(make_shot("goal"))

    assert select_counts(found, HOME, "goals", "penalties", "goals_against") == (1, 0, 0)
    assert select_counts(found, HOME, "shots_on_goal", "hits_against", "attempts", "attempt_share") == (None,) * 4


def test_game_without_plays_has_no_rows():
    found = build_game_silver(FACEOFF, make_shot(**play_time(10)), shifts=ALL_GAME)
    found["plays"] = found["plays"].clear()

    assert build_gold(TEAM_GAME, found).is_empty()


def test_swapping_home_and_away_changes_only_home_ice_adjustments():
    """If the game is played in the other arena, everything but the adjustment for home ice stays the same."""
    plays = [FACEOFF, make_shot("goal"), make_shot(by=82), make_shot("missed-shot", by=82, situationCode=POWER_PLAY)]
    here = build_game_silver(*plays)
    sides = {"homeTeam": {"id": AWAY, "abbrev": "AWY"}, "awayTeam": {"id": HOME, "abbrev": "HOM"}}
    other_end = {"homeTeamDefendingSide": "right"}
    turned = [play | other_end | {"situationCode": play["situationCode"][::-1]} for play in plays]
    there = build_game_silver(*turned, **{side: record | {"score": 0} for side, record in sides.items()})

    same = ~pl.selectors.matches("is_home|adjusted")
    assert_frame_equal(*(build_gold(TEAM_GAME, found).sort(TEAM_GAME.key).select(same) for found in (here, there)))
