"""Officials, from hand-typed pages and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.silver.officials import OFFICIALS
from tests.league.requests import league, sample
from tests.silver.pages_of import NO_PAGES, kept, made, of_league

GAME = 2023020001


def rail(**people: Any) -> dict[str, Any]:
    return {"id": GAME, "gameInfo": {"homeTeam": {"scratches": []}, **people}}


def rows(*pages: dict[str, Any], state: str = "OFF") -> pl.DataFrame:
    return made(OFFICIALS, kept(*pages, state=state))


def test_an_official_is_one_row_by_role_and_name():
    found = rows(rail(referees=[{"default": "R. Pfiff"}, "S. Zèbre"], linesmen=[{"default": "L. Linje"}]))

    assert found.rows() == [
        (20232024, GAME, "linesman", "L. Linje"),
        (20232024, GAME, "referee", "R. Pfiff"),
        (20232024, GAME, "referee", "S. Zèbre"),
    ]


@pytest.mark.parametrize("page", [{"id": GAME}, rail(), rail(referees=[], linesmen=[])])
def test_a_page_without_officials_gives_no_rows(page: dict[str, Any]):
    assert rows(page).is_empty()
    assert made(OFFICIALS, NO_PAGES).is_empty()


def test_officials_who_are_named_before_the_game_are_left_out():
    assert rows(rail(referees=["R. Pfiff"]), state="LIVE").is_empty()


def test_an_official_without_a_name_is_left_out_and_one_who_is_listed_twice_is_one():
    found = rows(rail(referees=[{"fr": "L. Libre"}, "R. Pfiff", "R. Pfiff"]))

    checks.require(OFFICIALS, found)
    assert found["name"].to_list() == ["R. Pfiff"]


def test_the_officials_of_the_league_are_those_of_its_books():
    games = sample()[:12]
    found = made(OFFICIALS, of_league("right-rail", games))
    checks.require(OFFICIALS, found)

    stories = [(game, league().engine.story(game)) for game in games]
    told = {(game, "referee", dict(name)["default"]) for game, story in stories for name in story.referees}
    told |= {(game, "linesman", dict(name)["default"]) for game, story in stories for name in story.linesmen}
    assert set(found.drop("season").rows()) == told
