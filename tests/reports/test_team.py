"""The data of team pages: what gold and silver say, for all teams of a season or for one."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import Lake
from nhl_lake.reports.team import RANKED, TeamData, read_teams
from nhl_lake.reports.team_page import render_team
from tests.support.commands import LEAGUE_NOW
from tests.support.frame_lakes import make_lake

SEASON = 20252026
NOW = datetime.fromisoformat(LEAGUE_NOW)
NOT_FRAMES = {"team", "season", "standing", "summary", "league_games"}


@pytest.fixture(scope="module")
def teams(league_lake: Path) -> dict[int, TeamData]:
    return {team.team["team_id"]: team for team in read_teams(league_lake, SEASON, NOW)}


def test_one_team_is_the_same_as_in_the_season(league_lake: Path, teams: dict[int, TeamData]):
    team_id = max(teams)
    (alone,) = read_teams(league_lake, SEASON, NOW, [team_id])

    assert len(teams) == 32
    for name in TeamData._fields:
        found, expected = getattr(alone, name), getattr(teams[team_id], name)
        if name in NOT_FRAMES:
            assert found == expected
        else:
            assert_frame_equal(found, expected)


def test_the_summary_is_that_of_the_lake(league_lake: Path, teams: dict[int, TeamData]):
    lake = Lake(league_lake)
    seasons = lake.sql(
        f"select team_id, xg_share, goals_above_expected from gold.team_season where season = {SEASON} "
        "and game_type = 2 and situation = 'all'"
    )
    even = dict(lake.sql("select team_id, xg_share from gold.team_season where situation = '5on5'").iter_rows())
    official = lake.sql(
        "select a.team_id, sum(cast(a.is_win as int)) as wins, sum(a.power_play_goals) as scored, "
        "sum(a.power_play_opportunities) as had, sum(b.power_play_goals) as allowed, "
        "sum(b.power_play_opportunities) as faced from silver.team_games a join silver.team_games b "
        "on a.game_id = b.game_id and a.opponent_team_id = b.team_id where a.game_type = 2 group by a.team_id"
    )
    by_team = {row[0]: row[1:] for row in official.iter_rows()}
    saved = dict(
        lake.sql(
            "select team_id, sum(goals_saved_above_expected) from gold.goalie_season where not is_total "
            "and game_type = 2 and situation = 'all' group by team_id"
        ).iter_rows()
    )
    for team_id, _, above in seasons.iter_rows():
        summary = teams[team_id].summary
        wins, scored, had, allowed, faced = by_team[team_id]
        assert summary["wins"] == wins
        assert summary["xg_share"] == even[team_id]
        assert summary["goals_above_expected"] == above
        assert summary["power_play_share"] == pytest.approx(scored / had)
        assert summary["penalty_kill_share"] == pytest.approx(1 - allowed / faced)
        assert summary["goals_saved_above_expected"] == pytest.approx(saved[team_id])


def test_games_have_the_result_and_both_strengths(league_lake: Path, teams: dict[int, TeamData]):
    rows = Lake(league_lake).sql("select team_id, game_id, xg from gold.team_game where situation = '5on5'")
    expected = {(team, game): xg for team, game, xg in rows.iter_rows()}
    for team_id, team in teams.items():
        assert team.games["result"].is_in(["W", "L", "O"]).all()
        for game, xg in team.games.select("game_id", "even_xg").iter_rows():
            assert xg == expected[team_id, game]


def test_coming_games_are_in_order_and_the_chances_of_both_teams_add_up(teams: dict[int, TeamData]):
    chances: dict[int, list[float]] = {}
    for team in teams.values():
        assert team.next_games["start_at"].is_sorted()
        assert team.next_games["start_at"].min() > NOW
        for game, chance in team.next_games.select("game_id", "win_probability").drop_nulls().iter_rows():
            chances.setdefault(game, []).append(chance)
    assert chances
    assert all(sum(both) == pytest.approx(1) for both in chances.values())


def test_ranks_are_among_all_teams_and_low_is_good_against(teams: dict[int, TeamData]):
    for measure in RANKED:
        rows = pl.concat(team.ranks.filter(pl.col("measure") == measure) for team in teams.values()).sort("rank")
        assert rows["rank"].min() == 1
        assert rows["teams"].unique().to_list() == [32]
        assert rows["value"].is_sorted(descending=not measure.endswith("against_per_game"))


def test_the_roster_says_who_is_still_there(league_lake: Path, teams: dict[int, TeamData]):
    rosters = Lake(league_lake).sql("select team_abbrev, player_id, fetched_at from silver.rosters")
    newest = rosters.filter(pl.col("fetched_at") == pl.col("fetched_at").max().over("team_abbrev"))
    for team in teams.values():
        listed = set(newest.filter(pl.col("team_abbrev") == team.team["team_abbrev"])["player_id"])
        for player, is_on_roster in team.skaters.select("player_id", "is_on_roster").iter_rows():
            assert is_on_roster == (player in listed)


def test_shots_for_one_team_are_against_the_other(teams: dict[int, TeamData]):
    totals = {
        side: sum(team.cells.filter(pl.col("side") == side)["attempts"].sum() for team in teams.values())
        for side in ("for", "against")
    }
    league = next(iter(teams.values())).league_cells
    assert totals["for"] == totals["against"] == league["attempts"].sum() > 0
    assert league["share"].sum() == pytest.approx(1)


def test_power_plays_are_unknown_if_one_game_has_none(tmp_path: Path):
    def make_official(game: int, team: int, other: int, chances: int | None, kind: int = 2) -> dict[str, object]:
        return {
            "season": SEASON, "game_id": game, "game_type": kind, "team_id": team, "opponent_team_id": other,
            "result": "W", "power_play_goals": chances and 1, "power_play_opportunities": chances,
        }  # fmt: skip

    season = {"season": SEASON, "game_type": 2, "situation": "all", "games": 2, "goals": 4, "team_abbrev": "AAA"}
    root = make_lake(
        tmp_path,
        gold__team_season=[season | {"team_id": 1}, season | {"team_id": 2, "team_abbrev": "BBB"}],
        silver__team_games=[
            make_official(1, 1, 2, 4), make_official(1, 2, 1, 2),
            make_official(2, 1, 2, None), make_official(2, 2, 1, 1),
            make_official(3, 1, 2, 4, kind=3), make_official(3, 2, 1, 2, kind=3),
        ],
    )  # fmt: skip
    one, other = read_teams(root, SEASON, NOW + timedelta(days=1))

    assert (one.summary["wins"], one.summary["power_play_share"], other.summary["power_play_share"]) == (2, None, None)
    assert one.summary["goals_per_game"] == 2
    assert one.standing is None
    assert one.team["division"] is None


def test_standings_older_than_the_last_game_are_not_shown(tmp_path: Path):
    season = {"season": SEASON, "game_type": 2, "situation": "all", "games": 2, "team_abbrev": "AAA", "team_id": 1}
    game = {"season": SEASON, "game_type": 2, "situation": "all", "team_id": 1, "game_id": 1}
    standing = {"season": SEASON, "team_abbrev": "AAA", "division": "North", "points_won": 101, "point_share": 0.5}
    found = []
    for day in (10, 11):
        root = make_lake(
            tmp_path / str(day),
            gold__team_season=[season],
            gold__team_game=[game | {"game_date": date(2026, 4, 11)}],
            silver__standings=[standing | {"game_date": date(2026, 4, day)}],
        )
        found.extend(read_teams(root, SEASON, NOW))
    old, new = found

    assert (old.standing, old.summary["point_share"], old.team["division"]) == (None, None, "North")
    assert new.standing is not None
    assert (new.standing["points_won"], new.summary["point_share"]) == (101, 0.5)


def test_what_is_unknown_of_a_team_is_not_zero(tmp_path: Path):
    key = {"season": SEASON, "game_type": 2, "team_id": 1, "team_abbrev": "AAA", "situation": "all", "games": 2}
    player = {"player_id": 7, "player": "Odd Oddson", "is_total": False, "position": None}
    root = make_lake(
        tmp_path, gold__team_season=[key], gold__goalie_season=[key | {"player_id": 9, "is_total": False}],
        gold__skater_season=[key | player],
    )  # fmt: skip
    (team,) = read_teams(root, SEASON, NOW)
    page = render_team(team)

    assert team.summary["goals_saved_above_expected"] is None
    assert ("GSAx</dt>" in page, "0–0–0" in page) == (False, False)
    assert "Odd Oddson" in page  # a skater without a position is with the forwards
