"""Odd fields and rows of a game's pages, and players of whom too little is said: named, game by game."""

from typing import Any

import polars as pl

from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.quality.pages import check_pages
from nhl_lake.silver.skater_games import SKATER_GAMES
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.silver.test_lineups import box, page, rail, spot

NO_SKATERS = pl.LazyFrame(schema=SKATER_GAMES.schema)
SCORE = {"homeTeam": {"id": 1, "score": 1}, "awayTeam": {"id": 2, "score": 0}, "plays": []}


def doubts(*spots: dict[str, Any], boxes: dict[str, Any] | None = None, rails: dict[str, Any] | None = None,
           chart: dict[str, Any] | None = None, **said: Any) -> list[tuple[str, str, str]]:  # fmt: skip
    pages = make_pages(page(*spots) | SCORE | said)
    lines = build_table(LINEUPS, pages, NO_PAGES, NO_PAGES)
    others = [make_pages(one) if one else NO_PAGES for one in (boxes, rails, chart)]
    skaters = build_table(SKATER_GAMES, others[0])
    rows = check_pages(pages, *others, lines.lazy(), skaters.lazy()).collect()
    assert rows.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    assert rows["game_id"].is_in([2023020001]).all()
    return rows.select("check", "severity", "actual").rows()


def test_nothing_is_odd_about_whole_pages():
    whole = box((30, True))
    for lines in whole["playerByGameStats"].values():
        lines["forwards"] = [{"playerId": 71, "position": "C", "goals": 0, "assists": 0, "points": 0}]

    assert doubts(spot(71), boxes=whole, rails=rail([72]), chart={"id": 2023020001, "data": [{}]}) == []


def test_without_pages_nothing_is_odd():
    nothing = pl.LazyFrame(schema=LINEUPS.schema)

    assert check_pages(NO_PAGES, NO_PAGES, NO_PAGES, NO_PAGES, nothing, NO_SKATERS).collect().is_empty()


def test_odd_fields_are_counted_and_named_by_their_path():
    assert doubts(spot(71, sweaterNumber="9"), spot(72, sweaterNumber=99999)) == [
        (
            "every field of bronze.play_by_play is as declared",
            "warning",
            "2: $.rosterSpots[0].sweaterNumber Expected `int`, got `str`; "
            "$.rosterSpots[1].sweaterNumber Expected `int` <= 32767",
        )
    ]
    found = doubts(spot(71), rails=rail([]) | {"gameInfo": []}, chart={"id": 2023020001, "data": [{"period": "1"}]})
    assert [check for check, _, _ in found] == [
        "every field of bronze.right_rail is as declared",
        "every field of bronze.shift_charts is as declared",
    ]


def test_a_row_that_is_left_out_is_an_error():
    ((check, severity, actual),) = doubts(spot(71), {**spot(72), "playerId": None})

    assert (check, severity) == ("every row of bronze.play_by_play is as declared", "error")
    assert actual.startswith("1: $.rosterSpots[1] Expected `int`, got `null`")


def test_players_without_position_or_team_and_players_listed_twice_are_named():
    nowhere = {key: value for key, value in spot(72).items() if key not in {"positionCode", "teamId"}}
    unknown = {key: value for key, value in spot(73).items() if key != "positionCode"}

    found = doubts(spot(71), spot(71, sweaterNumber=12), nowhere, unknown)

    assert [one for one in found if "dressed" in one[0]] == [
        ("every dressed player is listed once", "warning", "1: 71"),
        ("every dressed player is of a team", "error", "1: 72"),
        ("every dressed player has a position", "warning", "1: 73"),
    ]


def test_a_page_that_cannot_be_read_is_quarantined_by_the_tables_that_read_it_and_not_odd():
    broken, nobody = make_pages(page(spot(71)) | SCORE | {"homeTeam": {"id": "?"}}), pl.LazyFrame(schema=LINEUPS.schema)

    assert check_pages(broken, NO_PAGES, NO_PAGES, NO_PAGES, nobody, NO_SKATERS).collect().is_empty()
