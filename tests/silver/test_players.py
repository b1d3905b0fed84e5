"""Tests of players, on handwritten pages and the simulated league."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.players import PLAYERS
from tests.league.league_pages import get_league, get_page
from tests.silver.bronze_pages import FETCHED_AT, NO_PAGES, build_table, make_pages

PAGE = {
    "playerId": 8400071, "isActive": True, "currentTeamId": 1, "currentTeamAbbrev": "ABC",
    "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Gryn"}, "sweaterNumber": 9,
    "position": "L", "heightInInches": 71,
    "heightInCentimeters": 180, "weightInPounds": 190, "weightInKilograms": 86, "birthDate": "1999-02-28",
    "birthCity": {"default": "Umeå"}, "birthStateProvince": {"default": "Norrland"}, "birthCountry": "SWE",
    "shootsCatches": "R",
    "draftDetails": {"year": 2017, "teamAbbrev": "XYZ", "round": 2, "pickInRound": 3, "overallPick": 34},
}  # fmt: skip


def build_players(*pages: dict[str, Any]) -> pl.DataFrame:
    return build_table(PLAYERS, make_pages(*pages))


def test_player_is_one_row():
    assert build_players(PAGE).to_dicts() == [
        {
            "player_id": 8400071, "first_name": "Åke", "last_name": "Grünwald", "is_active": True, "position": "L",
            "sweater_number": 9, "current_team_id": 1, "current_team_abbrev": "ABC",
            "shoots_catches": "R", "height_cm": 180,
            "weight_kg": 86, "birth_date": date(1999, 2, 28), "birth_city": "Umeå", "birth_province": "Norrland",
            "birth_country": "SWE", "draft_year": 2017, "draft_team_abbrev": "XYZ", "draft_round": 2,
            "draft_pick_in_round": 3, "draft_pick": 34, "fetched_at": FETCHED_AT,
        }
    ]  # fmt: skip


def test_player_without_team_draft_or_number_has_a_row():
    bare = {key: PAGE[key] for key in ("playerId", "firstName", "lastName")}
    (row,) = build_players(bare).to_dicts()

    assert {name for name, value in row.items() if value is not None} == {
        "player_id", "first_name", "last_name", "fetched_at",
    }  # fmt: skip
    checks.validate_rows(PLAYERS, build_players(bare))


def test_names_may_be_plain_and_no_pages_give_no_rows():
    assert build_players(PAGE | {"firstName": "Åke"})["first_name"].to_list() == ["Åke"]
    assert build_table(PLAYERS, NO_PAGES).is_empty()


@pytest.mark.parametrize("invalid", [None, "", -(10**12), 10**30, 1.5, True, [], {"cs": "Gryn"}], ids=str)
def test_invalid_field_is_null_and_costs_nothing_else(invalid: Any):
    (complete,) = build_players(PAGE).to_dicts()
    keys = {"heightInCentimeters": "height_cm", "weightInKilograms": "weight_kg", "sweaterNumber": "sweater_number",
            "currentTeamId": "current_team_id", "birthDate": "birth_date", "position": "position"}  # fmt: skip
    for key, name in keys.items():
        found = build_players(PAGE | {key: invalid})
        checks.validate_rows(PLAYERS, found)
        assert found.to_dicts() == [complete | {name: None}]
    found = build_players(PAGE | {"draftDetails": PAGE["draftDetails"] | {"round": invalid}})  # type: ignore[operator]
    assert found.to_dicts() == [complete | {"draft_round": None}]


@pytest.mark.parametrize("key", ["firstName", "lastName"])
def test_player_without_a_name_has_a_row(key: str):
    (complete,), name = build_players(PAGE).to_dicts(), {"firstName": "first_name", "lastName": "last_name"}[key]
    for page in (PAGE | {key: None}, PAGE | {key: 7}, {k: v for k, v in PAGE.items() if k != key}):
        assert build_players(page).to_dicts() == [complete | {name: None}]


@pytest.mark.parametrize("born", ["1999-02-30", "unknown", "1999", "0000-00-00", 19990228])
def test_invalid_birth_date_is_null(born: Any):
    (row,) = build_players(PAGE | {"birthDate": born}).to_dicts()

    assert (row["birth_date"], row["birth_city"]) == (None, "Umeå")


def test_page_without_a_player_id_is_rejected():
    with pytest.raises(ValidationFailed, match="playerId"):
        build_players({key: value for key, value in PAGE.items() if key != "playerId"})


@pytest.mark.league
def test_league_players_match_its_books():
    people = list(get_league().engine.get_players(20252026).values())[:60]
    found = build_players(*(get_page(f"/v1/player/{person.player_id}/landing") for person in people))
    checks.validate_rows(PLAYERS, found)

    expected = {
        (p.player_id, dict(p.last)["default"], p.position, p.shoots, p.birth_date, p.country,
         p.draft.overall_pick if p.draft else None)
        for p in people
    }  # fmt: skip
    names = ("player_id", "last_name", "position", "shoots_catches", "birth_date", "birth_country", "draft_pick")
    assert set(found.select(names).rows()) == expected
    assert found["draft_year"].null_count() == found["draft_pick"].null_count() > 0
