"""Tests of rosters, on handwritten pages and the simulated league."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.silver.rosters import ROSTERS
from tests.league.league_pages import AFTER_SEASONS, get_league, get_page
from tests.silver.bronze_pages import FETCHED_AT, NO_PAGES, build_table, make_pages

MEMBER = {
    "id": 71, "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Gryn"}, "sweaterNumber": 9,
    "positionCode": "L", "shootsCatches": "R", "heightInCentimeters": 180, "weightInKilograms": 86,
    "birthDate": "1999-02-28", "birthCity": {"default": "Umeå"}, "birthStateProvince": {"default": "Norrland"},
    "birthCountry": "SWE",
}  # fmt: skip


def make_member(player: int, **overrides: Any) -> dict[str, Any]:
    return MEMBER | {"id": player, **overrides}


def make_page(*forwards: dict[str, Any], **groups: Any) -> dict[str, Any]:
    return {"forwards": list(forwards), "defensemen": [], "goalies": [], **groups}


def make_version(found: dict[str, Any], **overrides: Any) -> pl.LazyFrame:
    return make_pages(found, **{"season": 20232024, "team_abbrev": "ABC", **overrides})


def test_player_on_a_version_of_a_roster_is_one_row():
    assert build_table(ROSTERS, make_version(make_page(MEMBER))).to_dicts() == [
        {
            "season": 20232024, "team_abbrev": "ABC", "fetched_at": FETCHED_AT, "player_id": 71, "first_name": "Åke",
            "last_name": "Grünwald", "position": "L", "sweater_number": 9, "shoots_catches": "R", "height_cm": 180,
            "weight_kg": 86, "birth_date": date(1999, 2, 28), "birth_city": "Umeå", "birth_province": "Norrland",
            "birth_country": "SWE",
        }
    ]  # fmt: skip


def test_every_version_is_dated():
    before, after = (
        make_version(make_page(make_member(71), make_member(72))),
        make_version(make_page(make_member(72)), fetched_at=FETCHED_AT + timedelta(days=1)),
    )

    found = build_table(ROSTERS, pl.concat([after, before]))

    assert found.select("fetched_at", "player_id").rows() == [
        (FETCHED_AT, 71),
        (FETCHED_AT, 72),
        (FETCHED_AT + timedelta(days=1), 72),
    ]
    checks.validate_rows(ROSTERS, found)


def test_all_groups_are_read():
    groups = {"defensemen": [make_member(72, positionCode="D")], "goalies": [make_member(30, positionCode="G")]}

    assert build_table(ROSTERS, make_version(make_page(MEMBER, **groups)))["position"].to_list() == ["G", "L", "D"]


def test_empty_roster_and_no_rosters_give_no_rows():
    assert build_table(ROSTERS, make_version(make_page())).is_empty()
    assert build_table(ROSTERS, NO_PAGES).is_empty()


def test_unknown_values_of_a_player_are_null():
    bare = {key: MEMBER[key] for key in ("id", "firstName", "lastName", "positionCode")}
    (row,) = build_table(ROSTERS, make_version(make_page(bare))).to_dicts()

    assert {name for name, value in row.items() if value is None} == {
        "sweater_number", "shoots_catches", "height_cm", "weight_kg", "birth_date", "birth_city", "birth_province",
        "birth_country",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["lastName", "firstName", "positionCode", "birthDate", "heightInCentimeters"])
def test_invalid_field_of_a_player_is_null_and_the_others_are_not(key: str):
    for invalid in ({k: v for k, v in make_member(71).items() if k != key}, make_member(71, **{key: []})):
        found = build_table(ROSTERS, make_version(make_page(invalid, make_member(72))))
        checks.validate_rows(ROSTERS, found)
        missing, complete = found.to_dicts()
        assert (sum(value is None for value in missing.values()), None in complete.values()) == (1, False)


def test_group_identifies_goalies_and_defensemen():
    invalid = {key: value for key, value in MEMBER.items() if key != "positionCode"}
    groups = {"defensemen": [invalid | {"id": 72}], "goalies": [invalid | {"id": 73}]}

    assert build_table(ROSTERS, make_version(make_page(invalid, **groups)))["position"].to_list() == [None, "D", "G"]


def test_player_listed_twice_is_one_and_one_without_an_id_is_left_out():
    without_id = {key: value for key, value in MEMBER.items() if key != "id"}
    found = build_table(ROSTERS, make_version(make_page(MEMBER, without_id, defensemen=[MEMBER])))

    checks.validate_rows(ROSTERS, found)
    assert found["player_id"].to_list() == [71]


@pytest.mark.league
def test_league_rosters_match_its_books():
    season = get_league().engine.season(20242025)
    pages = [get_page(f"/v1/roster/{team.abbrev}/20242025") for team in season.teams[:4]]
    found = [
        build_table(ROSTERS, make_version(body, team_abbrev=team.abbrev))
        for team, body in zip(season.teams, pages, strict=False)
    ]

    for team, rows in zip(season.teams, found, strict=False):
        spots = get_league().engine.roster(20242025, team.team_id, min(AFTER_SEASONS.date(), season.playoff_end))
        expected = {(s.player.player_id, s.position, s.number, s.player.birth_date, s.player.shoots) for s in spots}
        assert (
            set(rows.select("player_id", "position", "sweater_number", "birth_date", "shoots_catches").rows())
            == expected
        )
        checks.validate_rows(ROSTERS, rows)
