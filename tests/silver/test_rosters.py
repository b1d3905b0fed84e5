"""Rosters, from hand-typed pages and the simulated league."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from nhl_lake import check
from nhl_lake.errors import Broken
from nhl_lake.silver.rosters import ROSTERS
from tests.league.asking import LATER, get, league
from tests.silver.kept import AT, NO_PAGES, kept, made

MEMBER = {
    "id": 71, "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Gryn"}, "sweaterNumber": 9,
    "positionCode": "L", "shootsCatches": "R", "heightInCentimeters": 180, "weightInKilograms": 86,
    "birthDate": "1999-02-28", "birthCity": {"default": "Umeå"}, "birthStateProvince": {"default": "Norrland"},
    "birthCountry": "SWE",
}  # fmt: skip


def member(player: int, **said: Any) -> dict[str, Any]:
    return MEMBER | {"id": player, **said}


def page(*forwards: dict[str, Any], **groups: Any) -> dict[str, Any]:
    return {"forwards": list(forwards), "defensemen": [], "goalies": [], **groups}


def version(found: dict[str, Any], **said: Any) -> pl.LazyFrame:
    return kept(found, **{"season": 20232024, "team_abbrev": "ABC", **said})


def test_a_player_on_a_version_of_a_roster_is_one_row():
    assert made(ROSTERS, version(page(MEMBER))).to_dicts() == [
        {
            "season": 20232024, "team_abbrev": "ABC", "fetched_at": AT, "player_id": 71, "first_name": "Åke",
            "last_name": "Grünwald", "position": "L", "sweater_number": 9, "hand": "R", "height_cm": 180,
            "weight_kg": 86, "birth_date": date(1999, 2, 28), "birth_city": "Umeå", "birth_province": "Norrland",
            "birth_country": "SWE",
        }
    ]  # fmt: skip


def test_every_version_that_is_given_is_dated():
    before, after = version(page(member(71), member(72))), version(page(member(72)), fetched_at=AT + timedelta(days=1))

    found = made(ROSTERS, pl.concat([after, before]))

    assert found.select("fetched_at", "player_id").rows() == [(AT, 71), (AT, 72), (AT + timedelta(days=1), 72)]
    check.require(ROSTERS, found)


def test_all_groups_are_there():
    groups = {"defensemen": [member(72, positionCode="D")], "goalies": [member(30, positionCode="G")]}

    assert made(ROSTERS, version(page(MEMBER, **groups)))["position"].to_list() == ["G", "L", "D"]


def test_an_empty_roster_and_no_rosters_give_no_rows():
    assert made(ROSTERS, version(page())).is_empty()
    assert made(ROSTERS, NO_PAGES).is_empty()


def test_what_is_not_known_of_a_player_is_null():
    bare = {key: MEMBER[key] for key in ("id", "firstName", "lastName", "positionCode")}
    (row,) = made(ROSTERS, version(page(bare))).to_dicts()

    assert {name for name, value in row.items() if value is None} == {
        "sweater_number", "hand", "height_cm", "weight_kg", "birth_date", "birth_city", "birth_province",
        "birth_country",
    }  # fmt: skip


def test_a_player_who_stands_twice_on_a_page_and_a_day_that_is_none_are_refused():
    with pytest.raises(Broken, match="one row for each"):
        check.require(ROSTERS, made(ROSTERS, version(page(MEMBER, MEMBER))))
    with pytest.raises(pl.exceptions.InvalidOperationError, match="1999-02-30"):
        made(ROSTERS, version(page(member(71, birthDate="1999-02-30"))))


def test_the_rosters_of_the_league_are_those_of_its_books():
    season = league().engine.season(20242025)
    pages = [get(f"/v1/roster/{team.abbrev}/20242025") for team in season.teams[:4]]
    found = [
        made(ROSTERS, version(body, team_abbrev=team.abbrev)) for team, body in zip(season.teams, pages, strict=False)
    ]

    for team, rows in zip(season.teams, found, strict=False):
        spots = league().engine.roster(20242025, team.team_id, min(LATER.date(), season.playoff_end))
        told = {(s.player.player_id, s.position, s.number, s.player.birth_date, s.player.shoots) for s in spots}
        assert set(rows.select("player_id", "position", "sweater_number", "birth_date", "hand").rows()) == told
        check.require(ROSTERS, rows)
