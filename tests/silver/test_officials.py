"""Tests of officials, on handwritten pages and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.silver.officials import OFFICIALS
from tests.league.league_pages import get_league, sample_games
from tests.silver.bronze_pages import NO_PAGES, build_table, fetch_league_pages, make_pages

GAME = 2023020001


def make_rail(**people: Any) -> dict[str, Any]:
    return {"id": GAME, "gameInfo": {"homeTeam": {"scratches": []}, **people}}


def build_officials(*pages: dict[str, Any], state: str = "OFF") -> pl.DataFrame:
    return build_table(OFFICIALS, make_pages(*pages, state=state))


def test_official_is_one_row_with_role_and_name():
    found = build_officials(
        make_rail(referees=[{"default": "R. Pfiff"}, "S. Zèbre"], linesmen=[{"default": "L. Linje"}])
    )

    assert found.rows() == [
        (20232024, GAME, "linesman", "L. Linje"),
        (20232024, GAME, "referee", "R. Pfiff"),
        (20232024, GAME, "referee", "S. Zèbre"),
    ]


@pytest.mark.parametrize("page", [{"id": GAME}, make_rail(), make_rail(referees=[], linesmen=[])])
def test_page_without_officials_gives_no_rows(page: dict[str, Any]):
    assert build_officials(page).is_empty()
    assert build_table(OFFICIALS, NO_PAGES).is_empty()


def test_officials_of_a_game_that_is_not_final_are_left_out():
    assert build_officials(make_rail(referees=["R. Pfiff"]), state="LIVE").is_empty()


def test_official_without_a_name_is_left_out_and_one_listed_twice_is_one():
    found = build_officials(make_rail(referees=[{"fr": "L. Libre"}, "R. Pfiff", "R. Pfiff"]))

    checks.validate_rows(OFFICIALS, found)
    assert found["name"].to_list() == ["R. Pfiff"]


@pytest.mark.league
def test_league_officials_match_its_books():
    games = sample_games()[:12]
    found = build_table(OFFICIALS, fetch_league_pages("right-rail", games))
    checks.validate_rows(OFFICIALS, found)

    stories = [(game, get_league().engine.get_outcome(game)) for game in games]
    expected = {(game, "referee", dict(name)["default"]) for game, story in stories for name in story.referees}
    expected |= {(game, "linesman", dict(name)["default"]) for game, story in stories for name in story.linesmen}
    assert set(found.drop("season").rows()) == expected
