"""Tests of teams, on handwritten rows and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.teams import TEAMS
from tests.league.league_pages import get_league, get_page
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages

ARIZONA, HOCKEY_CLUB, MAMMOTH = 53, 59, 68


def make_team(team: int, franchise: int | None, name: str = "Halifax Herons", code: str = "HFX") -> dict[str, Any]:
    return {"id": team, "franchiseId": franchise, "fullName": name, "leagueId": 133, "rawTricode": "X", "triCode": code}


def make_games(*played: tuple[int, int, int], game_type: int = 2) -> pl.LazyFrame:
    """Return games by season, home team and away team."""
    rows = [{"season": s, "home_team_id": h, "away_team_id": a, "game_type": game_type} for s, h, a in played]
    return pl.LazyFrame(rows, schema={name: GAMES.schema[name] for name in
                                      ("season", "home_team_id", "away_team_id", "game_type")})  # fmt: skip


def build_teams(*teams: dict[str, Any], of: pl.LazyFrame | None = None) -> pl.DataFrame:
    return build_table(TEAMS, make_pages(*teams), make_games() if of is None else of)


def test_team_id_is_one_row():
    assert build_teams(make_team(101, 201), of=make_games((20232024, 101, 102), (20242025, 102, 101))).to_dicts() == [
        {
            "team_id": 101, "team_abbrev": "HFX", "team_name": "Halifax Herons", "franchise_id": 201, "team_key": 201,
            "first_season": 20232024, "last_season": 20242025,
        }
    ]  # fmt: skip


def test_arizona_and_both_utahs_are_one_team():
    found = build_teams(make_team(ARIZONA, 28), make_team(HOCKEY_CLUB, 40), make_team(MAMMOTH, 40), make_team(54, 38))

    assert found.select("team_id", "franchise_id", "team_key").rows() == [
        (ARIZONA, 28, 40),
        (54, 38, 38),
        (HOCKEY_CLUB, 40, 40),
        (MAMMOTH, 40, 40),
    ]


def test_team_without_a_franchise_has_no_key_and_one_without_games_no_seasons():
    (found,) = build_teams(make_team(70, None, "To be determined", "TBD")).to_dicts()

    assert (found["franchise_id"], found["team_key"], found["first_season"], found["last_season"]) == (None,) * 4


@pytest.mark.parametrize(("game_type", "season"), [(1, None), (2, 20232024), (3, 20232024), (4, None), (19, None)])
def test_only_regular_season_and_playoff_games_make_a_season(game_type: int, season: int | None):
    found = build_teams(make_team(101, 201), of=make_games((20232024, 101, 102), game_type=game_type))

    assert found["first_season"].to_list() == [season]


def test_no_teams_give_no_rows_and_a_duplicate_team_is_invalid():
    assert build_table(TEAMS, NO_PAGES, make_games((20232024, 1, 2))).is_empty()
    with pytest.raises(ValidationFailed, match="one row per team_id"):
        checks.validate_rows(TEAMS, build_teams(make_team(101, 201), make_team(101, 201)))


@pytest.mark.league
def test_team_of_the_league_that_moves_is_one_team():
    listed = get_page("/stats/rest/en/team")["data"]
    found = build_teams(*listed)
    checks.validate_rows(TEAMS, found)

    assert set(found["team_id"]) == {team["id"] for team in listed}
    clubs = {
        team.team_id: team.franchise_id for s in (20242025, 20252026) for team in get_league().engine.season(s).teams
    }
    moved = found.drop_nulls("team_key").group_by("team_key").len().filter(pl.col("len") > 1)
    assert dict(found.drop_nulls("team_key").select("team_id", "team_key").rows()) == clubs
    assert moved.height == 1
