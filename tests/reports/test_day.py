"""The data of day pages."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import Lake
from nhl_lake.reports.day import DayData, find_days_to_show, read_days
from nhl_lake.reports.day_page import render_days
from tests.support.commands import LEAGUE_NOW
from tests.support.frame_lakes import make_lake

SEASON = 20252026
NOW = datetime.fromisoformat(LEAGUE_NOW)


@pytest.fixture(scope="module")
def days(league_lake: Path) -> dict[date, DayData]:
    return {one.day: one for one in read_days(league_lake, SEASON, NOW)}


def test_every_game_is_on_its_day_once(league_lake: Path, days: dict[date, DayData]):
    games = Lake(league_lake).sql(f"select game_id, game_date from silver.games where season = {SEASON}")
    on_page = [
        (game, day)
        for day, one in days.items()
        for part in (one.results, one.upcoming, one.other)
        for game in part["game_id"]
    ]
    assert sorted(on_page) == sorted(games.iter_rows())


def test_results_have_the_xg_of_gold_and_the_flow_ends_with_it(league_lake: Path, days: dict[date, DayData]):
    last = find_days_to_show(league_lake, SEASON, NOW)[0]
    rows = Lake(league_lake).sql("select game_id, xg from gold.team_game where situation = 'all' and is_home")
    expected = dict(rows.iter_rows())
    results = days[last].results
    assert results.height > 3
    for game, xg in results.select("game_id", "home_xg").iter_rows():
        assert xg == expected[game]
        flow = days[last].flow.filter(pl.col("game_id") == game)
        assert flow["home_xg_so_far"].drop_nulls()[-1] == pytest.approx(xg, abs=1e-4)


def test_coming_games_have_form_and_likely_shooters_of_both_teams(league_lake: Path, days: dict[date, DayData]):
    today = find_days_to_show(league_lake, SEASON, NOW)[-1]
    one = days[today]
    assert one.upcoming.height == 3
    assert one.upcoming["home_rest_days"].null_count() == 0
    assert one.upcoming["home_win_probability"].null_count() == 0
    for game, home, away in one.upcoming.select("game_id", "home_team_abbrev", "away_team_abbrev").iter_rows():
        shooters = one.shooters.filter(pl.col("game_id") == game)
        assert set(shooters["team"]) == {home, away}
        assert shooters.filter(pl.col("team") == home)["shots_per_game"].is_sorted(descending=True)
    assert not one.has_predicted_shots


def test_days_are_linked_to_the_nearest_with_games(days: dict[date, DayData]):
    order = sorted(days)
    assert [days[day].next_day for day in order] == [*order[1:], None]
    assert [days[day].previous_day for day in order] == [None, *order[:-1]]


def test_one_day_is_the_same_as_in_the_season(league_lake: Path, days: dict[date, DayData]):
    for day in find_days_to_show(league_lake, SEASON, NOW):
        (alone,) = read_days(league_lake, SEASON, NOW, [day])
        for found, expected in zip(alone, days[day], strict=True):
            assert found.equals(expected) if isinstance(found, pl.DataFrame) else found == expected


def make_game(number: int, day: date, **overrides: object) -> dict[str, object]:
    start = datetime.combine(day, datetime.min.time(), NOW.tzinfo)
    ids = {"season": SEASON, "game_id": 2025020000 + number, "game_type": 2, "game_date": day, "start_at": start}
    teams = {"home_team_id": 1, "home_team_abbrev": "AAA", "away_team_id": 2, "away_team_abbrev": "BBB"}
    return ids | teams | {"game_state": "FUT", "schedule_state": "OK", **overrides}


def test_a_postponed_game_is_neither_over_nor_coming(tmp_path: Path):
    day = date(2026, 4, 20)
    games = [make_game(1, day, schedule_state="PPD"), make_game(2, day), make_game(3, day, game_state="OFF")]
    tables = ("silver__team_games", "silver__skater_games", "gold__skater_game", "gold__team_season", "gold__team_game")
    more = ("silver__lineups", "silver__players", "gold__game_features")
    root = make_lake(tmp_path, silver__games=games, **{name: [] for name in (*tables, *more)})
    (one,) = read_days(root, SEASON, NOW)

    assert [part["game_id"].to_list() for part in (one.other, one.upcoming, one.results)] == [
        [2025020001], [2025020002], [2025020003],
    ]  # fmt: skip
    assert one.results["home_xg"].to_list() == [None]


def test_the_prediction_beside_a_result_is_the_newest(tmp_path: Path):
    day = date(2026, 3, 20)
    predicted = {"season": SEASON, "game_id": 2025020001, "game_date": day, "model": "m"}
    times = [datetime(2026, 3, 19, hour, tzinfo=NOW.tzinfo) for hour in (1, 2)]
    rows = [predicted | {"made_at": at, "home_win_probability": p} for at, p in zip(times, (0.4, 0.6), strict=True)]
    root = make_lake(tmp_path, silver__games=[make_game(1, day, game_state="OFF")], gold__game_predictions=rows[::-1])
    for name in ("silver__team_games", "silver__skater_games", "gold__skater_game", "gold__team_season"):
        make_lake(root, **{name: []})
    make_lake(root, silver__lineups=[], silver__players=[])
    (one,) = read_days(root, SEASON, NOW)

    assert one.results["predicted_home_win_probability"].to_list() == [0.6]
    assert one.results["home_win_probability"].to_list() == [None]


@pytest.mark.parametrize(("home", "away"), [(None, None), (3, None), (None, 0)])
def test_a_score_that_is_unknown_is_a_dash(home: int | None, away: int | None, tmp_path: Path):
    day = date(2026, 3, 20)
    game = make_game(1, day, game_state="OFF", home_score=home, away_score=away)
    predicted = {"season": SEASON, "game_id": 2025020001, "game_date": day, "model": "m", "made_at": NOW}
    names = ("silver__team_games", "silver__skater_games", "gold__skater_game", "gold__team_season", "silver__lineups")
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in (*names, "silver__players")}
    root = make_lake(
        tmp_path, silver__games=[game], gold__game_predictions=[predicted | {"home_win_probability": 0.6}], **tables
    )
    page = render_days(list(read_days(root, SEASON, NOW)))

    assert page.count("<b>–</b>") == [home, away].count(None)
    assert "None" not in page
    assert "won" not in page
