"""Tests of official goalie statistics, on handwritten box scores and the simulated league."""

from collections import Counter
from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from tests.league.league_pages import get_league, sample_games
from tests.silver.bronze_pages import build_table, fetch_league_pages, make_pages
from tests.silver.test_skater_games import AWAY, HOME, make_page, make_stats

LINE = {
    "playerId": 30, "sweaterNumber": 35, "name": {"default": "B. Netz"}, "position": "G",
    "evenStrengthShotsAgainst": "18/19", "powerPlayShotsAgainst": "5/6", "shorthandedShotsAgainst": "1/1",
    "saveShotsAgainst": "24/26", "savePctg": 0.923077,
    "evenStrengthGoalsAgainst": 1, "powerPlayGoalsAgainst": 1, "shorthandedGoalsAgainst": 0, "pim": 2,
    "goalsAgainst": 2, "toi": "59:54",
}  # fmt: skip
NOW = {"starter": True, "decision": "W", "shotsAgainst": 26, "saves": 24}


def build_goalies(*lines: dict[str, Any], nested: bool = False, state: str = "OFF") -> pl.DataFrame:
    return build_table(
        GOALIE_GAMES, make_pages(make_page(make_stats(*lines, group="goalies"), nested=nested), state=state)
    )


def test_line_is_one_row_with_shots_by_strength_of_the_shooters():
    assert build_goalies(LINE | NOW).to_dicts() == [
        {
            "season": 20232024, "game_id": 2023020001, "game_type": 2, "player_id": 30, "team_id": HOME,
            "is_home": True, "sweater_number": 35, "is_starter": True, "decision": "W", "saves": 24,
            "shots_against": 26, "goals_against": 2, "save_share": 24 / 26, "even_strength_saves": 18,
            "even_strength_shots_against": 19,
            "even_strength_goals_against": 1, "power_play_saves": 5, "power_play_shots_against": 6,
            "power_play_goals_against": 1, "shorthanded_saves": 1, "shorthanded_shots_against": 1,
            "shorthanded_goals_against": 0, "penalty_minutes": 2, "time_on_ice_s": 3594,
        }
    ]  # fmt: skip


def test_old_page_has_no_starter_or_decision():
    (found,) = build_goalies(LINE | {"savePctg": "0.923"}, nested=True).to_dicts()

    assert {name for name, value in found.items() if value is None} == {"is_starter", "decision"}
    assert found["saves"] == 24


def test_goalie_without_shots_has_no_save_share():
    idle = {key: "0/0" for key in LINE if key.endswith("ShotsAgainst")} | {"goalsAgainst": 0, "toi": "00:00"}
    (found,) = build_goalies({k: v for k, v in LINE.items() if k not in {"savePctg", "pim"}} | idle).to_dicts()

    assert (found["shots_against"], found["save_share"], found["time_on_ice_s"]) == (0, None, 0)
    assert found["penalty_minutes"] is None


def test_own_goal_is_a_goal_against_without_a_shot():
    checks.validate_rows(GOALIE_GAMES, build_goalies(LINE | {"goalsAgainst": 3}))


def test_skaters_and_live_games_are_left_out():
    skater = {"playerId": 71, "position": "C", "goals": 0, "assists": 0, "points": 0}
    lines = make_stats(LINE, away=(LINE | {"playerId": 31},), group="goalies")
    lines["homeTeam"]["forwards"] = [skater]

    assert build_table(GOALIE_GAMES, make_pages(make_page(lines))).select("player_id", "team_id").rows() == [
        (30, HOME),
        (31, AWAY),
    ]
    assert build_goalies(LINE, state="LIVE").is_empty()


@pytest.mark.parametrize("text", ["24", "24/", "24-26", "a/b", "27/26", 24])
def test_unreadable_shots_are_null(text: Any):
    (invalid,), (complete,) = (build_goalies(LINE | more).to_dicts() for more in ({"saveShotsAgainst": text}, {}))

    assert invalid == complete | {"saves": None, "shots_against": None, "save_share": None}
    checks.validate_rows(GOALIE_GAMES, build_goalies(LINE | {"saveShotsAgainst": text}))


@pytest.mark.league
def test_league_goalies_faced_the_shots_of_its_books():
    games = sample_games()[:12]
    found = build_table(GOALIE_GAMES, fetch_league_pages("boxscore", games))
    checks.validate_rows(GOALIE_GAMES, found)

    for game in games:
        story, truth = get_league().engine.get_outcome(game), get_league().engine.get_truth(game)
        events = [event for event in get_league().engine.get_game(game).events if event.period_type != "SO"]
        counted = Counter((event.kind, event.goalie) for event in events)
        for line in found.filter(pl.col("game_id") == game).to_dicts():
            who = line["player_id"]
            assert line["saves"] == counted["shot-on-goal", who]
            assert line["goals_against"] == counted["goal", who]
            assert line["shots_against"] == line["saves"] + line["goals_against"]
            assert (line["decision"] == "W") == (who == story.winning_goalie)
            assert line["time_on_ice_s"] == (truth.toi[who].total if who in truth.toi else 0)
            for what in ("saves", "shots_against", "goals_against"):
                by_strength = (
                    line[f"{strength}_{what}"] for strength in ("even_strength", "power_play", "shorthanded")
                )
                assert sum(by_strength) == line[what]
