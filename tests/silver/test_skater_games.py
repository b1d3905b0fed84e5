"""Tests of official skater statistics, on handwritten box scores of both versions and the simulated league."""

from collections import Counter
from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.skater_games import SKATER_GAMES
from tests.league.league_pages import get_league, sample_games
from tests.silver.bronze_pages import build_table, fetch_league_pages, make_pages

HOME, AWAY = 1, 2
WHO = {"playerId": 71, "sweaterNumber": 9, "name": {"default": "Å. Grünwald"}, "position": "L"}
COUNTED = {"goals": 1, "assists": 2, "points": 3, "plusMinus": -1, "pim": 4, "hits": 5, "powerPlayGoals": 1}
OLD = WHO | COUNTED | {
    "blockedShots": 6, "powerPlayPoints": 2, "shorthandedGoals": 0, "shPoints": 1, "shots": 7, "faceoffs": "3/8",
    "faceoffWinningPctg": 37.5, "toi": "17:45", "powerPlayToi": "06:35", "shorthandedToi": "00:04",
}  # fmt: skip
NEW = WHO | COUNTED | {
    "sog": 7, "faceoffWinningPctg": 0.375, "toi": "17:45", "blockedShots": 6, "shifts": 21, "giveaways": 8,
    "takeaways": 9,
}  # fmt: skip
BETWEEN = WHO | COUNTED | {"shots": 7, "faceoffWinningPctg": 0, "toi": "17:45"}  # April 2024
SAME = {
    "season": 20232024, "game_id": 2023020001, "game_type": 2, "player_id": 71, "team_id": HOME, "is_home": True,
    "position": "L", "sweater_number": 9, "goals": 1, "assists": 2, "points": 3, "plus_minus": -1,
    "penalty_minutes": 4, "hits": 5, "power_play_goals": 1, "shots_on_goal": 7, "time_on_ice_s": 1065,
}  # fmt: skip


def make_stats(*home: dict[str, Any], away: tuple[dict[str, Any], ...] = (), group: str = "forwards") -> dict[str, Any]:
    no_lines: dict[str, Any] = {"forwards": [], "defense": [], "goalies": []}
    return {"homeTeam": no_lines | {group: list(home)}, "awayTeam": no_lines | {group: list(away)}}


def make_page(lines: dict[str, Any] | None, *, nested: bool = False) -> dict[str, Any]:
    head = {"id": 2023020001, "season": 20232024, "gameType": 2, "homeTeam": {"id": HOME}, "awayTeam": {"id": AWAY}}
    lines_by_team = {} if lines is None else {"playerByGameStats": lines}
    return head | ({"boxscore": lines_by_team} if nested else lines_by_team)


def build_skaters(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    return build_table(SKATER_GAMES, make_pages(*pages, state=state))


def build_skater(line: dict[str, Any], *, nested: bool = False) -> dict[str, Any]:
    (found,) = build_skaters(make_page(make_stats(line), nested=nested)).to_dicts()
    return found


def test_line_of_a_current_page_is_one_row():
    known = {"blocked_shots": 6, "giveaways": 8, "takeaways": 9, "shifts": 21, "faceoff_share": 0.375}
    unknown = SKATER_GAMES.schema.keys() - SAME.keys() - known.keys()

    assert build_skater(NEW) == SAME | known | dict.fromkeys(unknown)


def test_line_of_an_old_page_has_faceoffs_and_ice_time_by_strength():
    known = {
        "blocked_shots": 6, "faceoffs_won": 3, "faceoffs_taken": 8, "faceoff_share": 0.375, "power_play_points": 2,
        "shorthanded_goals": 0, "shorthanded_points": 1, "power_play_time_on_ice_s": 395,
        "shorthanded_time_on_ice_s": 4,
    }  # fmt: skip

    assert build_skater(OLD, nested=True) == SAME | known | {"giveaways": None, "takeaways": None, "shifts": None}


def test_missing_statistic_is_null_not_zero():
    found = build_skater(BETWEEN)

    assert {name for name, value in found.items() if value is None} == {
        "blocked_shots", "giveaways", "takeaways", "shifts", "faceoffs_won", "faceoffs_taken", "power_play_points",
        "shorthanded_goals", "shorthanded_points", "power_play_time_on_ice_s", "shorthanded_time_on_ice_s",
    }  # fmt: skip
    assert found["faceoff_share"] == 0


@pytest.mark.parametrize(
    ("overrides", "nested", "share"),
    [
        ({"faceoffs": "1/3", "faceoffWinningPctg": 33.33}, True, 1 / 3),
        ({"faceoffs": "1/1", "faceoffWinningPctg": 100.0}, True, 1.0),
        ({"faceoffs": "0/0", "faceoffWinningPctg": 0.0}, True, 0.0),
        ({"faceoffWinningPctg": 37.5}, True, 0.375),
        ({"faceoffWinningPctg": 1}, False, 1.0),
        ({"faceoffWinningPctg": 0.578947}, False, 0.578947),
        ({}, False, None),
    ],
)
def test_faceoff_share_is_between_0_and_1_on_both_versions_of_the_page(
    overrides: dict[str, Any],
    nested: bool,  # noqa: FBT001
    share: float | None,
):
    assert build_skater(WHO | COUNTED | overrides, nested=nested)["faceoff_share"] == share


def test_forwards_and_defensemen_of_both_teams_are_there_and_goalies_are_not():
    goalie = {"playerId": 30, "position": "G"}
    lines = make_stats(NEW, away=(NEW | {"playerId": 81},))
    lines["homeTeam"] |= {"defense": [NEW | {"playerId": 72, "position": "D"}], "goalies": [goalie]}

    found = build_skaters(make_page(lines)).select("player_id", "team_id", "is_home", "position").rows()

    assert found == [(71, HOME, True, "L"), (72, HOME, True, "D"), (81, AWAY, False, "L")]


@pytest.mark.parametrize("lines", [None, make_stats()])
@pytest.mark.parametrize("nested", [True, False])
def test_page_without_lines_gives_no_rows(lines: dict[str, Any] | None, nested: bool):  # noqa: FBT001
    assert build_skaters(make_page(lines, nested=nested)).is_empty()


def test_both_versions_of_the_page_can_be_read_together():
    old = make_page(make_stats(OLD), nested=True) | {"id": 2023020002}

    assert build_skaters(make_page(make_stats(NEW)), old, make_page(None) | {"id": 2023020003})[
        "game_id"
    ].to_list() == [2023020001, 2023020002]


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER", None])
def test_page_that_is_not_final_gives_no_rows(state: str | None):
    assert build_skaters(make_page(make_stats(NEW)), state=state).is_empty()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("goals", "1"),
        ("goals", 1.5),
        ("toi", "17"),
        ("toi", "17:75"),
        ("faceoffs", "3-8"),
        ("faceoffs", "9/8"),
        ("sog", "x"),
        ("hits", 99_999),
        ("position", "F"),
    ],
)
def test_invalid_field_is_null_and_costs_nothing_else(key: str, value: Any):
    found = build_skaters(make_page(make_stats(NEW | {key: value}, NEW | {"playerId": 72})))
    checks.validate_rows(SKATER_GAMES, found)

    complete = build_skaters(make_page(make_stats({k: v for k, v in NEW.items() if k != key}, NEW | {"playerId": 72})))
    assert found.rows() == complete.rows()
    assert found.height == 2


def test_line_without_a_player_is_left_out_and_a_missing_group_hides_no_other():
    assert build_skaters(make_page(make_stats(NEW | {"playerId": None}, NEW | {"playerId": 72})))[
        "player_id"
    ].to_list() == [72]
    less = make_page(make_stats(NEW))
    del less["playerByGameStats"]["homeTeam"]["defense"]
    assert build_skaters(less).height == 1


def test_points_that_do_not_add_up_are_stored_and_a_share_above_1_is_invalid():
    checks.validate_rows(SKATER_GAMES, build_skaters(make_page(make_stats(NEW | {"points": 4}))))
    with pytest.raises(ValidationFailed, match="the faceoff share is between 0 and 1"):
        checks.validate_rows(SKATER_GAMES, build_skaters(make_page(make_stats(NEW | {"faceoffWinningPctg": 37.5}))))


@pytest.mark.league
def test_league_lines_match_what_happened():
    games = sample_games()[:12]
    found = build_table(SKATER_GAMES, fetch_league_pages("boxscore", games))
    checks.validate_rows(SKATER_GAMES, found)

    for game in games:
        events = [event for event in get_league().engine.get_game(game).events if event.period_type != "SO"]
        counted = Counter((event.kind, event.player) for event in events)
        blocks = Counter(event.other_player for event in events if event.reason == "blocked")
        minutes = Counter[int | None]()
        for event in events:
            minutes[event.player] += event.minutes or 0
        toi = get_league().engine.get_truth(game).toi
        for line in found.filter(pl.col("game_id") == game).to_dicts():
            who = line["player_id"]
            assert line["goals"] == counted["goal", who]
            assert line["shots_on_goal"] == counted["goal", who] + counted["shot-on-goal", who]
            assert line["assists"] == sum(who in event.assists for event in events)
            assert (line["hits"], line["giveaways"]) == (counted["hit", who], counted["giveaway", who])
            assert (line["takeaways"], line["blocked_shots"]) == (counted["takeaway", who], blocks[who])
            assert line["penalty_minutes"] == minutes[who]
            assert line["time_on_ice_s"] == (toi[who].total if who in toi else 0)
