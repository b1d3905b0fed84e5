"""Line-ups, from hand-typed pages."""

import json
from typing import Any

import polars as pl
import pytest

from nhl_lake import check
from nhl_lake.errors import Broken
from nhl_lake.silver.lineups import LINEUPS, lineups


def spot(player: int, position: str = "C", **said: Any) -> dict[str, Any]:
    name = {"firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Grünwald"}}
    return {"playerId": player, "teamId": 1, "positionCode": position, "sweaterNumber": 9, **name, **said}


def page(*spots: dict[str, Any], number: int = 1) -> str:
    head = {"id": 2023020000 + number, "season": 20232024, "gameType": 2}
    return json.dumps({**head, "plays": [{"eventId": 1}], "rosterSpots": list(spots)})


def rows(*bodies: str, state: str | None = "OFF") -> pl.DataFrame:
    pages = pl.LazyFrame({"state": state, "body": list(bodies)}, schema={"state": pl.String, "body": pl.String})
    return lineups(pages).collect()


def test_a_dressed_player_is_one_row():
    assert rows(page(spot(71, "L"))).to_dicts() == [
        {
            "season": 20232024,
            "game_id": 2023020001,
            "game_type": 2,
            "player_id": 71,
            "team_id": 1,
            "position": "L",
            "sweater_number": 9,
        }
    ]


def test_the_frame_is_what_the_table_declares_even_without_pages():
    assert rows().schema == LINEUPS.schema
    assert rows(page()).schema == LINEUPS.schema
    assert rows(page(spot(71))).schema == LINEUPS.schema


@pytest.mark.parametrize(("state", "there"), [("OFF", 1), ("FINAL", 1), ("LIVE", 0), ("PRE", 0), ("FUT", 0), (None, 0)])
def test_only_final_games_have_line_ups(state: str | None, there: int):
    assert rows(page(spot(71)), state=state).height == there


def test_goalies_are_dressed_too():
    assert rows(page(spot(71, "D"), spot(30, "G")))["position"].to_list() == ["D", "G"]


def test_team_and_position_are_those_of_the_game():
    traded = rows(page(spot(71, "C", teamId=1), number=1), page(spot(71, "R", teamId=2), number=2))

    assert traded.select("game_id", "team_id", "position").rows() == [(2023020001, 1, "C"), (2023020002, 2, "R")]


def test_a_name_may_be_plain_text():
    assert rows(page(spot(71, firstName="Åke", lastName="Grünwald")))["player_id"].to_list() == [71]


def test_a_player_without_a_number_is_dressed():
    (row,) = rows(page({k: v for k, v in spot(71).items() if k != "sweaterNumber"})).to_dicts()

    assert row["sweater_number"] is None


def test_line_ups_hold_the_rules_of_the_table():
    check.require(LINEUPS, rows(page(*(spot(number, position) for number, position in enumerate("CLRDG")))))


def test_a_new_position_and_a_player_who_stands_twice_are_refused():
    with pytest.raises(Broken, match="position is one of C, L, R, D, G"):
        check.require(LINEUPS, rows(page(spot(71, "F"))))
    with pytest.raises(Broken, match="one row for each game_id, player_id"):
        check.require(LINEUPS, rows(page(spot(71), spot(71))))
