"""Tests of the checks of pages: invalid fields and rows, and players with incomplete data."""

from typing import Any

import polars as pl

from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.quality.pages import check_pages
from nhl_lake.silver.skater_games import SKATER_GAMES
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.silver.test_lineups import make_boxscore, make_page, make_rail, make_spot

NO_SKATERS = pl.LazyFrame(schema=SKATER_GAMES.schema)
SCORE = {"homeTeam": {"id": 1, "score": 1}, "awayTeam": {"id": 2, "score": 0}, "plays": []}


def find_failed_checks(*spots: dict[str, Any], boxes: dict[str, Any] | None = None, rails: dict[str, Any] | None = None,
           chart: dict[str, Any] | None = None, **overrides: Any) -> list[tuple[str, str, str]]:  # fmt: skip
    pages = make_pages(make_page(*spots) | SCORE | overrides)
    lines = build_table(LINEUPS, pages, NO_PAGES, NO_PAGES)
    others = [make_pages(one) if one else NO_PAGES for one in (boxes, rails, chart)]
    skaters = build_table(SKATER_GAMES, others[0])
    rows = check_pages(pages, *others, lines.lazy(), skaters.lazy()).collect()
    assert rows.columns == ["season", "game_id", "check", "severity", "expected", "actual"]
    assert rows["game_id"].is_in([2023020001]).all()
    return rows.select("check", "severity", "actual").rows()


def test_complete_pages_pass_all_checks():
    complete = make_boxscore((30, True))
    for lines in complete["playerByGameStats"].values():
        lines["forwards"] = [{"playerId": 71, "position": "C", "goals": 0, "assists": 0, "points": 0}]

    assert (
        find_failed_checks(make_spot(71), boxes=complete, rails=make_rail([72]), chart={"id": 2023020001, "data": [{}]})
        == []
    )


def test_no_pages_fail_no_checks():
    nothing = pl.LazyFrame(schema=LINEUPS.schema)

    assert check_pages(NO_PAGES, NO_PAGES, NO_PAGES, NO_PAGES, nothing, NO_SKATERS).collect().is_empty()


def test_invalid_fields_are_counted_and_named_by_path():
    assert find_failed_checks(make_spot(71, sweaterNumber="9"), make_spot(72, sweaterNumber=99999)) == [
        (
            "every field of bronze.play_by_play is valid",
            "warning",
            "2: $.rosterSpots[0].sweaterNumber Expected `int`, got `str`; "
            "$.rosterSpots[1].sweaterNumber Expected `int` <= 32767",
        )
    ]
    found = find_failed_checks(
        make_spot(71), rails=make_rail([]) | {"gameInfo": []}, chart={"id": 2023020001, "data": [{"period": "1"}]}
    )
    assert [check for check, _, _ in found] == [
        "every field of bronze.right_rail is valid",
        "every field of bronze.shift_charts is valid",
    ]


def test_row_that_is_left_out_is_an_error():
    ((check, severity, actual),) = find_failed_checks(make_spot(71), {**make_spot(72), "playerId": None})

    assert (check, severity) == ("every row of bronze.play_by_play is valid", "error")
    assert actual.startswith("1: $.rosterSpots[1] Expected `int`, got `null`")


def test_players_without_position_or_team_and_players_listed_twice_are_reported():
    nowhere = {key: value for key, value in make_spot(72).items() if key not in {"positionCode", "teamId"}}
    unknown = {key: value for key, value in make_spot(73).items() if key != "positionCode"}

    found = find_failed_checks(make_spot(71), make_spot(71, sweaterNumber=12), nowhere, unknown)

    assert [one for one in found if "dressed" in one[0]] == [
        ("every dressed player is listed once", "warning", "1: 71"),
        ("every dressed player has a team", "error", "1: 72"),
        ("every dressed player has a position", "warning", "1: 73"),
    ]


def test_unreadable_page_is_quarantined_and_not_reported_as_invalid():
    broken, no_lineup = (
        make_pages(make_page(make_spot(71)) | SCORE | {"homeTeam": {"id": "?"}}),
        pl.LazyFrame(schema=LINEUPS.schema),
    )

    assert check_pages(broken, NO_PAGES, NO_PAGES, NO_PAGES, no_lineup, NO_SKATERS).collect().is_empty()
