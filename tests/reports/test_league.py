"""The data of the league's page and of the page on the lake."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import Lake
from nhl_lake.reports.lake_status import read_lake_status, summarize_bands
from nhl_lake.reports.league import read_league
from tests.support.commands import LEAGUE_NOW
from tests.support.frame_lakes import make_lake

SEASON = 20252026
NOW = datetime.fromisoformat(LEAGUE_NOW)


def test_current_standings_are_the_nhls_with_the_xg_of_the_lake(league_lake: Path):
    found = read_league(league_lake, SEASON)
    lake = Lake(league_lake)
    shares = dict(
        lake.sql("select team_abbrev, xg_share from gold.team_season where situation = '5on5' and game_type = 2").rows()
    )

    assert found.standings_day == found.last_game_day == date(2026, 3, 31)
    assert found.standings["league_rank"].to_list() == list(range(1, 33))
    for team, share in found.standings.select("team_abbrev", "even_xg_share").iter_rows():
        assert share == shares[team]


def test_leaders_are_the_highest_of_their_position(league_lake: Path):
    found = read_league(league_lake, SEASON)
    rows = Lake(league_lake).sql(
        "select position, games_with_shifts, on_ice_xg_share, points from gold.skater_season "
        "where is_total and game_type = 2 and situation = '5on5'"
    )
    total = Lake(league_lake).sql(
        "select position, points from gold.skater_season where is_total and game_type = 2 and situation = 'all'"
    )
    defense = total.filter(pl.col("position") == "D")["points"].top_k(10).sort(descending=True)
    assert found.leaders["D", "points"]["points"].to_list() == defense.to_list()
    enough = rows.filter(pl.col("position") != "D", pl.col("games_with_shifts") >= found.min_games)
    assert found.leaders["F", "on_ice_xg_share"]["on_ice_xg_share"][0] == enough["on_ice_xg_share"].max()
    assert found.goalies["games"].min() >= found.min_games > 1
    assert found.goalies["goals_saved_above_expected"].is_sorted(descending=True)


def make_result(game: int, team: int, result: str, score: int, other: int) -> dict[str, object]:
    about = {"season": SEASON, "game_id": game, "game_type": 2, "team_id": team, "result": result}
    return about | {"score": score, "opponent_score": other}


def test_old_standings_give_way_to_the_games_of_the_lake(tmp_path: Path):
    season = {"season": SEASON, "game_type": 2, "situation": "all", "games": 2}
    games = [{"season": SEASON, "game_id": game, "game_date": date(2026, 1, game)} for game in (1, 2)]
    root = make_lake(
        tmp_path,
        silver__games=games,
        silver__team_games=[
            make_result(1, 1, "W", 3, 2), make_result(1, 2, "O", 2, 3), make_result(2, 1, "L", 0, 1),
            make_result(2, 2, "W", 1, 0),
        ],
        gold__team_season=[season | {"team_id": n, "team_abbrev": name} for n, name in ((1, "AAA"), (2, "BBB"))],
        silver__standings=[
            {"season": SEASON, "game_date": date(2026, 1, 1), "team_abbrev": "AAA", "division": "North", "games": 1}
        ],
    )  # fmt: skip
    found = read_league(root, SEASON)

    assert (found.standings_day, found.last_game_day) == (None, date(2026, 1, 2))
    columns = ("team_abbrev", "games", "wins", "losses", "overtime_losses", "points_won", "goal_difference", "division")
    assert found.standings.select(columns).rows() == [
        ("BBB", 2, 1, 0, 1, 3, 0, None), ("AAA", 2, 1, 1, 0, 2, 0, "North"),
    ]  # fmt: skip


def test_an_empty_lake_has_an_empty_page(tmp_path: Path):
    found = read_league(make_lake(tmp_path, silver__games=[]), SEASON)
    assert found.standings.is_empty()
    assert all(rows.is_empty() for rows in found.leaders.values())


def test_the_page_on_the_lake_says_what_status_says(league_lake: Path):
    found = read_lake_status(league_lake, NOW)
    assert found.status.problems == []
    assert found.status.seasons[0].complete_through == date(2026, 3, 31)
    assert found.corrections.is_empty()  # one run: no page has two versions
    rows = dict(found.tables.select("table", "rows").iter_rows())
    assert rows["gold.shots"] == Lake(league_lake).table("gold.shots").select(pl.len()).collect().item()


def test_corrections_of_the_week_are_listed_with_their_game(small_lake: Path):
    found = read_lake_status(small_lake, datetime(2026, 1, 12, tzinfo=NOW.tzinfo))
    every = read_lake_status(small_lake, datetime(2040, 1, 1, tzinfo=NOW.tzinfo))
    assert every.corrections.is_empty()
    assert found.corrections["home_team_abbrev"].null_count() == 0


def test_bands_compare_what_was_predicted_with_what_came():
    rows = pl.DataFrame({"home_win_probability": [0.41, 0.49, 0.55, 1.0], "is_home_win": [True, False, True, True]})
    assert summarize_bands(rows).rows() == [
        (0.4, 2, pytest.approx(0.45), 0.5), (0.5, 1, pytest.approx(0.55), 1.0), (0.9, 1, 1.0, 1.0),
    ]  # fmt: skip
