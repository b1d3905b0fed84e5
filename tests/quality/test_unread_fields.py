"""Tests of unread fields: a field that nothing reads is reported unless it is ignored by name."""

import json
from pathlib import Path

import httpx
import pytest
from msgspec import inspect

from nhl_lake.bronze import endpoints
from nhl_lake.quality import unread_fields
from nhl_lake.silver.parsing.pages import PageStruct
from tests.support import documented_pages
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

FOLDERS = {
    endpoints.PLAY_BY_PLAY: "play-by-play",
    endpoints.BOXSCORE: "boxscore",
    endpoints.RIGHT_RAIL: "right-rail",
    endpoints.SHIFT_CHARTS: "shiftcharts",
    endpoints.ROSTERS: "roster",
    endpoints.STANDINGS: "standings",
    endpoints.PLAYERS: "player-landing",
    endpoints.SCHEDULE: "schedule",
    endpoints.TEAMS: "statsrest-teams",
    endpoints.SEASONS: "statsrest-season",
    endpoints.LANDING: "landing",
    endpoints.PLAYOFF_BRACKET: "playoff-bracket",
}
# pages that nobody has recorded: typed with all keys of their documented shape
TYPED = {
    endpoints.DRAFT_PICKS: documented_pages.DRAFT,
    endpoints.GLOSSARY: documented_pages.GLOSSARY,
    endpoints.EDGE_SKATERS: documented_pages.EDGE_SKATER,
    endpoints.SKATER_REPORTS: documented_pages.SKATER_REPORT,
    endpoints.GOALIE_REPORTS: documented_pages.GOALIE_REPORT,
    endpoints.TEAM_REPORTS: documented_pages.TEAM_REPORT,
}


def list_unread(table, page) -> set[str]:
    known = set().union(
        *(unread_fields.list_declared_paths(inspect.type_info(kind)) for kind in unread_fields.PAGE_STRUCTS[table])
    )
    return {path for path in unread_fields.list_paths(page) - known if not unread_fields.is_ignored(table, path)}


def test_paths_cover_all_values():
    page = {"a": 1, "b": [{"c": None, "d": ["x", "y"]}, {"e": 2}], "f": {}, "g": []}

    assert unread_fields.list_paths(page) == {"a", "b[].c", "b[].d[]", "b[].e"}


def test_an_unread_key_is_reported_with_an_example_page(tmp_path: Path):
    page = FakeGame(1).make_play_by_play()
    page["plays"][0]["details"]["puckSpeed"] = 99.5
    page["weather"] = {"outdoors": True}
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: httpx.Response(200, json=page) if path.endswith("2025020001/play-by-play") else None
    run_ingest(tmp_path, api)
    found = [row for row in unread_fields.iter_unread_paths(tmp_path) if row.table == "bronze.play_by_play"]

    assert [(row.path, row.pages, row.example) for row in found] == [
        ("plays[].details.puckSpeed", 1, "2025020001"),
        ("weather.outdoors", 1, "2025020001"),
    ]


def test_invalid_values_of_a_new_struct_of_a_game_page_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Page(PageStruct):
        id: str | None = None

    kinds = (*unread_fields.PAGE_STRUCTS[endpoints.BOXSCORE], Page)
    monkeypatch.setitem(unread_fields.PAGE_STRUCTS, endpoints.BOXSCORE, kinds)
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    found = [row for row in unread_fields.iter_invalid_fields(tmp_path) if row.table == "bronze.boxscore"]

    assert [(row.path, row.pages, row.example) for row in found] == [("$.id", 1, "2025020001")]


def test_every_ignored_path_has_a_reason():
    assert all(reason for reasons in unread_fields.IGNORED_PATHS.values() for reason in reasons.values())


def list_entries(table, page) -> list:
    """Return what is a row of its table: each game of a week, each entry of a list, or the page."""
    if table is endpoints.SCHEDULE:
        return [game for day in page["gameWeek"] for game in day["games"]]
    return page["data"] if table in endpoints.LISTS else [page]


def test_every_page_that_silver_reads_is_compared_with_a_page_that_has_all_its_keys():
    missing = {table.name for table in unread_fields.PAGE_STRUCTS} - {table.name for table in (*FOLDERS, *TYPED)}
    assert missing == set(), (
        "name the folder of its recorded pages in FOLDERS: else no test sees a key without a reason"
    )


@pytest.mark.parametrize("table", TYPED, ids=lambda table: table.name)
def test_every_key_of_the_typed_pages_is_read_or_ignored_by_name(table):
    assert list_unread(table, TYPED[table]) == set()


@pytest.mark.parametrize("table", FOLDERS, ids=lambda table: table.name)
def test_every_key_of_the_recorded_pages_is_read_or_ignored_by_name(table, realdata: Path):
    for file in sorted((realdata / FOLDERS[table]).glob("*.json"))[:80]:
        page = json.loads(file.read_text())
        for entry in list_entries(table, page) if isinstance(page, dict) else []:
            unread = list_unread(table, entry)
            assert unread == set(), f"{file.name}: read it in a PageStruct, or give a reason in IGNORED_PATHS"


def test_every_key_of_the_sample_league_is_read_or_ignored_by_name(league_lake: Path):
    assert list(unread_fields.iter_unread_paths(league_lake)) == []
