"""Expected goals on the screens of games, players, teams, leaders and upcoming games are those of gold."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import catalog
from nhl_lake.queries.game import summarize_game
from nhl_lake.queries.leaders import Choice, rank_leaders
from nhl_lake.queries.player import find_players, summarize_player
from nhl_lake.queries.team import summarize_team
from nhl_lake.queries.upcoming import read_upcoming_games
from tests.support import lakes
from tests.support.commands import LEAGUE_NOW, CommandResult

Cli = Callable[..., CommandResult]


def read_table(root: Path, name: str, situation: str = "all") -> pl.DataFrame:
    return lakes.read_rows(root, catalog.find_table(name)).filter(game_type=2, situation=situation)


def compute_share(rows: pl.DataFrame, own: str, other: str) -> float:
    ours, theirs = rows.select(pl.col(own, other).sum()).row(0)
    return float(ours / (ours + theirs))


def test_xg_of_a_game_by_period_adds_up_to_that_of_the_team(league_lake: Path, run_here: Cli):
    teams = read_table(league_lake, "gold.team_game").filter(pl.col("game_id") == pl.col("game_id").max())
    sheet = summarize_game(league_lake, teams["game_id"][0])

    for team, xg in teams.select("team_abbrev", "xg").iter_rows():
        assert sheet.periods.filter(team=team)["xg"].sum() == pytest.approx(xg, abs=1e-3)
    assert sheet.goals["xg"].drop_nulls().is_between(0, 1).all()
    goalies = read_table(league_lake, "gold.goalie_game").filter(game_id=teams["game_id"][0])
    saved = goalies.filter(pl.col("time_on_ice_s") > 0)["goals_saved_above_expected"]
    assert sorted(sheet.goalies["goals_saved_above_expected"]) == sorted(saved)
    shown = run_here("game", str(teams["game_id"][0]), root=league_lake).out
    assert all(word in shown for word in ("GSAx", "xG%", "xG  "))


def test_running_xg_of_a_game_ends_with_the_teams_xg(league_lake: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch):
    teams = read_table(league_lake, "gold.team_game").filter(pl.col("game_id") == pl.col("game_id").max())
    game_id = teams["game_id"][0]
    running = summarize_game(league_lake, game_id).running_xg

    assert running["minute"].to_list() == list(range(1, running.height + 1))
    for side, is_home in (("home", True), ("away", False)):
        assert running[side].is_sorted()
        assert running[side][-1] == pytest.approx(teams.filter(is_home=is_home)["xg"].item(), abs=1e-3)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    shown = run_cli("game", str(game_id), root=league_lake).out
    bars = [line for line in shown.splitlines() if "▁" in line]
    assert len(bars) == 2
    assert max(map(len, bars)) <= 80
    assert [line.split()[-1] for line in bars] == [f"{running[side][-1]:.2f}" for side in ("away", "home")]
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "Running xG" not in run_cli("game", str(game_id), root=league_lake).out


def test_a_skaters_season_has_xg_and_the_on_ice_share_at_5on5(league_lake: Path):
    own = read_table(league_lake, "gold.skater_game")
    player = own.group_by("player_id").agg(pl.col("xg").sum()).sort("xg")["player_id"][-1]
    about = find_players(league_lake, str(player)).row(0, named=True)
    (season,) = summarize_player(league_lake, about, 1).seasons.filter(game_type=2).to_dicts()

    at_5on5 = read_table(league_lake, "gold.skater_game", "5on5").filter(player_id=player)
    assert season["xg"] == pytest.approx(own.filter(player_id=player)["xg"].sum())
    assert season["on_ice_xg_share"] == pytest.approx(compute_share(at_5on5, "on_ice_xg_for", "on_ice_xg_against"))


def test_a_goalies_season_has_goals_saved_above_expected(league_lake: Path, run_here: Cli):
    own = read_table(league_lake, "gold.goalie_game").filter(pl.col("time_on_ice_s") > 0)
    player = own["player_id"].mode().sort()[0]
    about = find_players(league_lake, str(player)).row(0, named=True)
    (season,) = summarize_player(league_lake, about, 1).seasons.filter(game_type=2).to_dicts()

    assert season["goals_saved_above_expected"] == pytest.approx(
        own.filter(player_id=player)["goals_saved_above_expected"].sum()
    )
    assert "GSAx" in run_here("player", str(player), root=league_lake).out


def test_a_team_has_xg_by_game_and_its_share_at_5on5_by_month(league_lake: Path):
    own = read_table(league_lake, "gold.team_game")
    team = own["team_abbrev"].sort()[0]
    found = summarize_team(league_lake, team, None, 99)

    assert found.games["xg"].sum() == pytest.approx(own.filter(team_abbrev=team)["xg"].sum())
    assert found.games["xg_against"].sum() == pytest.approx(own.filter(team_abbrev=team)["xg_against"].sum())
    (month,) = found.months.to_dicts()
    at_5on5 = read_table(league_lake, "gold.team_game", "5on5").filter(team_abbrev=team)
    assert month["xg_share"] == pytest.approx(compute_share(at_5on5, "xg", "xg_against"))


def test_upcoming_games_have_the_xg_share_of_both_teams_at_5on5(league_lake: Path):
    shares = dict(read_table(league_lake, "gold.team_season", "5on5").select("team_id", "xg_share").iter_rows())
    games = read_upcoming_games(league_lake, datetime.fromisoformat(LEAGUE_NOW), 7)

    assert games.height
    for side in ("home", "away"):
        for team, share in games.select(f"{side}_team_id", f"{side}_xg_share").iter_rows():
            assert share == shares.get(team)
    assert games["home_xg_share"].is_not_null().any()


@pytest.mark.parametrize(
    ("short", "column"),
    [("ixg", "xg"), ("xgf%", "on_ice_xg_share"), ("gax", "goals_above_expected"),
     ("gsax", "goals_saved_above_expected")],
)  # fmt: skip
def test_leaders_know_the_short_names_of_expected_goals(league_lake: Path, short: str, column: str):
    found = rank_leaders(league_lake, Choice(by=short, min_games=1), 3)

    assert found.column == column
    assert found.rows.height == 3
    assert found.rows[column].is_sorted(descending=True)
