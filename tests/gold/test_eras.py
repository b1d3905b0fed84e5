"""Tests of gold in seasons whose pages record less: only goals, then shots, then missed shots, then everything."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.game_flow import GAME_FLOW
from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.gold.team_season import TEAM_SEASON
from tests.gold import game_builders
from tests.gold.game_builders import FACEOFF, build_game_silver
from tests.gold.league_tables import Silver, build_gold
from tests.gold.test_skater_game import ALL_GAME
from tests.silver.play_builders import HOME, make_play, make_shot

AT_32, AT_31 = {"goalieInNetId": 32}, {"goalieInNetId": 31}
BARE = {"situationCode": None, "homeTeamDefendingSide": None}
GOAL = make_shot("goal", details=AT_32, **BARE)
SHOT = make_shot(details=AT_32 | {"xCoord": None, "yCoord": None, "shotType": None}, **BARE)
MISS = make_shot("missed-shot", details=AT_32, **BARE)
PENALTY = make_play("penalty", details={"eventOwnerTeamId": HOME, "committedByPlayerId": 72, "duration": 2}, **BARE)

GOALS, SHOTS, MISSES = [GOAL, PENALTY], [GOAL, PENALTY, SHOT], [GOAL, PENALTY, SHOT, MISS]
WHOLE = [FACEOFF, *MISSES]
ERAS = [pytest.param(GOALS, 0, id="1930"), pytest.param(SHOTS, 1, id="1997"), pytest.param(MISSES, 2, id="2005"),
        pytest.param(WHOLE, 3, id="2009")]  # fmt: skip


def select_values(table: Any, found: Silver, *names: str, **key: int) -> tuple[Any, ...]:
    row = game_builders.build_row(table, found, **key)
    return tuple(row[name] for name in names)


def list_counts_since(era: int, first: int, *counts: int) -> tuple[int | None, ...]:
    """Return counts that pages record since an era, as they are known in another."""
    return counts if era >= first else (None,) * len(counts)


@pytest.mark.parametrize(("plays", "era"), ERAS)
def test_skater_has_the_counts_that_the_pages_record(plays: list[dict[str, Any]], era: int):
    found = build_game_silver(*plays)

    assert select_values(SKATER_GAME, found, "goals", "assists", "points", player_id=71) == (1, 0, 1)
    assert select_values(SKATER_GAME, found, "penalty_minutes", player_id=72) == (2,)
    assert select_values(SKATER_GAME, found, "shots_on_goal", "saved_shots", player_id=71) == list_counts_since(
        era, 1, 2, 1
    )
    assert select_values(SKATER_GAME, found, "missed_shots", "unblocked_attempts", player_id=71) == list_counts_since(
        era, 2, 1, 3
    )
    later = ("attempts", "hits", "blocked_shots", "faceoffs_won", "takeaways", "rebound_shots", "rush_shots")
    assert select_values(SKATER_GAME, found, *later, player_id=72) == list_counts_since(era, 3, *(0,) * 7)
    assert select_values(
        SKATER_GAME, found, "even_strength_goals", "power_play_points", player_id=72
    ) == list_counts_since(era, 3, 0, 0)


@pytest.mark.parametrize(("plays", "era"), ERAS)
def test_goalie_has_saves_if_shots_are_recorded(plays: list[dict[str, Any]], era: int):
    found = build_game_silver(*plays)

    assert select_values(GOALIE_GAME, found, "goals_against", player_id=32) == (1,)
    names = ("shots_against", "saves", "save_share")
    assert select_values(GOALIE_GAME, found, *names, player_id=32) == list_counts_since(era, 1, 2, 1, 0.5)
    assert select_values(GOALIE_GAME, found, "missed_shots_against", player_id=32) == list_counts_since(era, 2, 1)
    assert select_values(GOALIE_GAME, found, "rebound_shots_against", player_id=32) == list_counts_since(era, 3, 1)


def test_goalie_without_named_shots_faced_an_unknown_number():
    found = build_game_silver(make_shot("goal", details={}, **BARE), PENALTY)

    assert select_values(GOALIE_GAME, found, "goals_against", "shots_against", player_id=32) == (None, None)
    assert select_values(TEAM_GAME, found, "goals", team_id=HOME) == (1,)


@pytest.mark.parametrize(("plays", "era"), ERAS)
def test_team_and_game_flow_know_the_same(plays: list[dict[str, Any]], era: int):
    found = build_game_silver(*plays)

    assert select_values(TEAM_GAME, found, "goals", "penalties", team_id=HOME) == (1, 1)
    assert select_values(TEAM_GAME, found, "shots_on_goal", "saved_shots_against", team_id=HOME) == list_counts_since(
        era, 1, 2, 0
    )
    assert select_values(TEAM_GAME, found, "hits", "attempts", "attempts_against", team_id=HOME) == list_counts_since(
        era, 3, 0, 3, 0
    )
    last = build_gold(GAME_FLOW, found).row(-1, named=True)
    names = ("home_shots_on_goal_so_far", "home_unblocked_attempts_so_far", "home_attempts_so_far")
    assert last["home_goals_so_far"] == 1
    assert tuple(last[name] for name in names) == (
        *list_counts_since(era, 1, 2),
        *list_counts_since(era, 2, 3),
        *list_counts_since(era, 3, 3),
    )


def test_shifts_do_not_fill_what_the_plays_do_not_record():
    found = build_game_silver(*MISSES, shifts=ALL_GAME)

    names = ("on_ice_goals_for", "on_ice_shots_on_goal_for", "on_ice_missed_shots_for", "shifts")
    assert select_values(SKATER_GAME, found, *names, player_id=71) == (1, 2, 1, 1)
    unknown = ("on_ice_attempts_for", "off_ice_attempts_against", "on_the_fly_starts", "attempts_for_after_shifts",
               "game_score", "on_ice_attempt_share")  # fmt: skip
    assert select_values(SKATER_GAME, found, *unknown, player_id=71) == (None,) * len(unknown)


def test_season_with_partly_recorded_games_passes_checks_and_keeps_its_shares():
    complete, less = build_game_silver(*WHOLE), build_game_silver(*SHOTS)
    for game, season, key in (
        (SKATER_GAME, SKATER_SEASON, {"player_id": 71}),
        (GOALIE_GAME, GOALIE_SEASON, {"player_id": 32}),
        (TEAM_GAME, TEAM_SEASON, {"team_id": HOME}),
    ):
        rows = pl.concat(
            [build_gold(game, complete), build_gold(game, less).with_columns(game_id=pl.lit(2023020002, pl.Int64))]
        )
        found = build_gold(season, {game.name.split(".")[1]: rows}).filter(pl.col("situation") == "all", **key)
        if game is GOALIE_GAME:
            assert found["save_share"].unique().to_list() == [0.5]
            assert found["unblocked_save_share"].unique().to_list() == [pytest.approx(2 / 3)]
        else:
            assert found["shooting_share"].unique().to_list() == [0.5]
            assert found["shots_on_goal_per_60"].null_count() == found.height


def test_goalie_who_won_without_a_goal_against_has_played():
    game = build_gold(GOALIE_GAME, build_game_silver(*GOALS)).with_columns(
        decision=pl.when(pl.col("player_id") == 31).then(pl.lit("W")).otherwise("decision")
    )

    found = build_gold(GOALIE_SEASON, {"goalie_game": game}).filter("is_total", pl.col("situation") == "all")
    assert dict(found.select("player_id", "games").rows()) == {31: 1, 32: 1}
