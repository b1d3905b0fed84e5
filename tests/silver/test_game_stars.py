"""Tests of the three stars, on handwritten, recorded and simulated pages."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.bronze.endpoints import LANDING
from nhl_lake.schema import checks
from nhl_lake.silver.game_stars import GAME_STARS
from tests.league.league_pages import get_game_page, get_league, sample_games
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages, read_recorded_pages

GAME = 2023020001


def build_stars(*stars: Any, state: str = "OFF") -> pl.DataFrame:
    return build_table(GAME_STARS, make_pages({"id": GAME, "summary": {"threeStars": list(stars)}}, state=state))


def make_star(number: Any = 1, **more: Any) -> dict[str, Any]:
    return {"star": number, "playerId": 8470000 + int(number), "teamAbbrev": "HOM", "position": "C", **more}


def test_a_star_is_one_row_with_its_player():
    found = build_stars(make_star(2, position="G"), make_star(1), make_star(3, teamAbbrev=None, goals=2))

    assert found.rows() == [
        (20232024, GAME, 1, 8470001, "HOM", "C"),
        (20232024, GAME, 2, 8470002, "HOM", "G"),
        (20232024, GAME, 3, 8470003, None, "C"),
    ]
    checks.validate_rows(GAME_STARS, found)


@pytest.mark.parametrize("page", [{"id": GAME}, {"id": GAME, "summary": {}}, {"id": GAME, "matchup": {"teams": []}}])
def test_a_page_without_stars_gives_no_rows(page: dict[str, Any]):
    assert build_table(GAME_STARS, make_pages(page)).is_empty()
    assert build_table(GAME_STARS, NO_PAGES).is_empty()


def test_stars_of_a_game_that_is_not_final_are_left_out():
    assert build_stars(make_star(), state="LIVE").is_empty()


def test_one_odd_field_costs_one_field_and_a_star_without_player_one_star():
    found = build_stars(make_star(1, position="goon"), make_star(2, teamAbbrev=7), make_star(3, playerId="x"))

    assert found.select("star", "team_abbrev", "position").rows() == [(1, "HOM", None), (2, None, "C")]


def test_recorded_pages_have_three_stars(realdata: Path):
    found = build_table(GAME_STARS, read_recorded_pages(realdata / "landing"))

    checks.validate_rows(GAME_STARS, found)
    assert found.height >= 30
    assert (
        found.group_by("game_id")
        .agg(pl.col("star").sort())
        .filter(pl.col("star") != pl.lit([1, 2, 3], pl.List(pl.Int16)))
        .is_empty()
    )
    assert found.null_count().sum_horizontal().item() == 0


@pytest.mark.league
def test_stars_of_the_league_played_in_the_game_and_a_shootout_has_one_deciding_goal():
    shootouts = 0
    for game in sample_games():
        page = get_game_page(game, "landing")
        found = build_table(GAME_STARS, make_pages({**page, "id": game}))
        lineups = get_league().engine.get_outcome(game).lineups
        dressed = {spot.player.player_id for lineup in lineups for spot in lineup.dressed_players}

        assert found["star"].to_list() == [1, 2, 3]
        assert set(found["player_id"]) <= dressed
        if attempts := page["summary"].get("shootout"):
            shootouts += 1
            assert [one["sequence"] for one in attempts] == list(range(1, len(attempts) + 1))
            assert sum(one["gameWinner"] for one in attempts) == 1
            assert all(one["result"] == "goal" for one in attempts if one["gameWinner"])
        else:
            assert get_league().engine.get_outcome(game).last_period_type != "SO"
    assert shootouts > 0


def test_recorded_landing_pages_are_valid(realdata: Path):
    for file in (realdata / "landing").glob("*.json"):
        game = int(file.stem.partition("__")[0])
        assert LANDING.endpoint.parse(file.read_bytes(), {"game_id": game})[0].key == {"game_id": game}
