"""Validation of each page: a good one is accepted, and others are rejected with a reason."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.bronze import endpoints
from nhl_lake.bronze.endpoints import (
    BOXSCORE,
    CLUB_STATS,
    DRAFT_PICKS,
    EDGE_GOALIES,
    EDGE_SKATERS,
    EDGE_TEAMS,
    GLOSSARY,
    GOALIE_REPORTS,
    LANDING,
    ODDS,
    PLAY_BY_PLAY,
    PLAYERS,
    PLAYOFF_BRACKET,
    RIGHT_RAIL,
    ROSTERS,
    SCHEDULE,
    SEASONS,
    SHIFT_CHARTS,
    SHIFT_REPORT_AWAY,
    SHIFT_REPORT_HOME,
    SKATER_REPORTS,
    STANDINGS,
    TEAM_REPORTS,
    TEAMS,
)
from nhl_lake.bronze.validation import decode_text, make_page_parser
from nhl_lake.errors import PageRejected
from nhl_lake.schema.table import PageRecord, Table
from nhl_lake.store.page_versions import normalize_content

DAY = date(2023, 10, 10)
GAME = {
    "game_id": 2023020001, "season": 20232024, "game_date": DAY, "state": "FINAL", "report_number": "020001",
}  # fmt: skip
HEAD = {"id": 2023020001, "season": 20232024, "gameType": 2, "gameDate": "2023-10-10", "gameState": "OFF"}
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def game(number: int, **more: Any) -> dict[str, Any]:
    sides = {"homeTeam": {"id": 1, "abbrev": "HOM"}, "awayTeam": {"id": 2, "abbrev": "AWA"}}
    head = {"season": 20232024, "gameType": 2, "gameState": "FUT", "gameScheduleState": "OK"}
    return {"id": number, **head, "startTimeUTC": "2023-10-10T23:00:00Z", **sides, **more}


def shift(number: int = 2023020001) -> dict[str, Any]:
    return {"gameId": number, "playerId": 8470001, "typeCode": 517, "duration": "00:45"}


def report(side: str = "Home", number: str = "0001", end: str = "</body></html>") -> bytes:
    return (
        f"<html><head><title>Time On Ice Report {side} Team</title></head><body>Game {number}, Grünwald{end}\n".encode()
    )


WEEK = {
    "nextStartDate": "2023-10-17",
    "gameWeek": [
        {"date": "2023-10-10", "games": [game(2023020001, gameState="OFF"), game(2023020002)]},
        {"date": "2023-10-11", "games": []},
        {"date": "2023-10-12", "games": [game(2023020003, gameScheduleState="PPD")]},
    ],
}
CHART = {"data": [shift(), shift()], "total": 2}
RAIL = {
    "gameInfo": {"referees": []},
    "gameReports": {
        "gameSummary": "https://www.example/scores/htmlreports/20232024/GS020001.HTM",
        "shiftChart": "https://www.example/stats/shiftcharts?id=2023020001",
    },
}
ROSTER = {"forwards": [{"id": 8470001}], "defensemen": [], "goalies": []}
CLUB = {"season": "20232024", "gameType": 2, "skaters": [{"playerId": 8470001, "goals": 3}], "goalies": []}
STANDING = {"standings": [{"date": "2023-10-10", "teamAbbrev": {"default": "HOM"}}]}
PLAYER = {"playerId": 8470001, "firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald"}}
LISTING = {"data": [{"id": 20222023, "n": 1}, {"id": 20232024, "n": 2}], "total": 2}

REPORT = {"data": [{"gameId": 2023020001, "playerId": 8470001, "goals": 1}], "total": 1}
BRACKET = {
    "series": [
        {"seriesLetter": "A", "seriesUrl": "/schedule/playoff-series/2024/series-a/herons-vs-owls"},
        {"seriesLetter": "I"},
    ]
}
TERMS = {"data": [{"id": 1, "abbreviation": "G"}], "total": 1}
EDGE = {"season": 20232024, "game_type": 2}

Case = tuple[Table, Mapping[str, Any], bytes]

GOOD: list[Case] = [
    (SCHEDULE, {"day": DAY}, json.dumps(WEEK).encode()),
    (PLAY_BY_PLAY, GAME, json.dumps(HEAD | {"plays": [{"eventId": 1}], "rosterSpots": []}).encode()),
    (BOXSCORE, GAME, json.dumps(HEAD).encode()),
    (SHIFT_CHARTS, GAME, json.dumps(CHART).encode()),
    (SHIFT_REPORT_HOME, GAME, report()),
    (SHIFT_REPORT_AWAY, GAME, report("Visitor")),
    (RIGHT_RAIL, GAME, json.dumps(RAIL).encode()),
    (ROSTERS, {"team_abbrev": "HOM", "season": 20232024}, json.dumps(ROSTER).encode()),
    (CLUB_STATS, {"team_abbrev": "HOM", "season": 20232024}, json.dumps(CLUB).encode()),
    (STANDINGS, {"season": 20232024, "game_date": DAY}, json.dumps(STANDING).encode()),
    (PLAYERS, {"player_id": 8470001}, json.dumps(PLAYER, ensure_ascii=False).encode()),
    (LANDING, GAME, json.dumps(HEAD | {"summary": {"threeStars": []}}).encode()),
    (PLAYOFF_BRACKET, {"season": 20232024, "year": 2024}, json.dumps(BRACKET).encode()),
    (DRAFT_PICKS, {"year": 2023}, json.dumps({"draftYear": 2023, "picks": [{"overallPick": 1}]}).encode()),
    (GLOSSARY, {"language": "en"}, json.dumps(TERMS).encode()),
    (EDGE_SKATERS, EDGE | {"player_id": 8470001}, json.dumps({"player": {"id": 8470001}}).encode()),
    (EDGE_GOALIES, EDGE | {"player_id": 8470002}, json.dumps({"player": {"id": 8470002}}).encode()),
    (EDGE_TEAMS, EDGE | {"team_id": 101}, json.dumps({"team": {"id": 101}}).encode()),
    *((table, GAME, json.dumps(REPORT).encode()) for table in (SKATER_REPORTS, GOALIE_REPORTS, TEAM_REPORTS)),
    (ODDS, {"country": "US"}, json.dumps({"games": [{"gameId": 2023020001}]}).encode()),
    (TEAMS, {}, json.dumps(LISTING).encode()),
    (SEASONS, {}, json.dumps(LISTING).encode()),
]

every_page = pytest.mark.parametrize(("table", "params", "body"), GOOD, ids=[table.name for table, _, _ in GOOD])

every_json_page = pytest.mark.parametrize(
    ("table", "params", "body"),
    [case for case in GOOD if case[0] not in endpoints.find_fallbacks(SHIFT_CHARTS)],
    ids=[table.name for table, _, _ in GOOD if table not in endpoints.find_fallbacks(SHIFT_CHARTS)],
)


def read(table: Table, params: Mapping[str, Any], page: object) -> list[PageRecord]:
    """Parse a page of a table, given as bytes or as a JSON value."""
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    return table.endpoint.parse(body, params)


def get_rejection(table: Table, params: Mapping[str, Any], page: object) -> str:
    """Return why a page is rejected."""
    with pytest.raises(PageRejected) as error:
        read(table, params, page)
    return str(error.value)


def without(page: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in page.items() if key != name}


def test_every_bronze_table_has_a_good_page_here():
    assert {table.name for table, _, _ in GOOD} == {table.name for table in endpoints.TABLES}


def test_every_declared_page_is_among_the_tables():
    assert set(endpoints.TABLES) == {value for value in vars(endpoints).values() if isinstance(value, Table)}


@every_page
def test_a_good_page_is_accepted_with_its_key(table: Table, params: Mapping[str, Any], body: bytes):
    records = read(table, params, body)

    assert records
    for record in records:
        row = {"season": record.season, "game_date": record.game_date, **record.key}
        assert {name for name in table.page_key if row[name] is None} == set()
        assert (record.state is not None) == ("state" in table.schema)


@every_page
def test_a_page_that_is_cut_off_anywhere_is_rejected(table: Table, params: Mapping[str, Any], body: bytes):
    for end in {0, 1, *range(7, len(body.rstrip()), 7), len(body.rstrip()) - 1}:
        assert get_rejection(table, params, body[:end]), end


@every_page
@pytest.mark.parametrize(
    "page", [HTML, b"", b"null", b"[]", b'"a text"', b"{}", b'{"message":"error"}', b"\x1f\x8b\x08"]
)
def test_another_body_is_rejected_with_a_reason(table: Table, params: Mapping[str, Any], body: bytes, page: bytes):
    assert get_rejection(table, params, page)


@every_json_page
def test_a_page_with_trailing_data_is_rejected(table: Table, params: Mapping[str, Any], body: bytes):
    assert get_rejection(table, params, body + body)
    assert get_rejection(table, params, body + b"}")


@every_page
def test_a_page_with_white_space_around_it_is_accepted(table: Table, params: Mapping[str, Any], body: bytes):
    assert len(read(table, params, b"\n " + body + b"\n")) == len(read(table, params, body))


def test_the_rejection_of_html_quotes_its_beginning():
    assert "no complete JSON" in get_rejection(PLAY_BY_PLAY, GAME, HTML)
    assert "<!DOCTYPE html><html>" in get_rejection(PLAY_BY_PLAY, GAME, HTML)


def test_a_schedule_gives_its_games_as_served_with_their_day_and_state():
    records = read(SCHEDULE, {"day": DAY}, WEEK)

    found = [(record.key["game_id"], record.season, record.game_date, record.state) for record in records]
    assert found == [
        (2023020001, 20232024, date(2023, 10, 10), "OFF"),
        (2023020002, 20232024, date(2023, 10, 10), "FUT"),
        (2023020003, 20232024, date(2023, 10, 12), "FUT"),
    ]
    assert [json.loads(record.body) for record in records] == [g for day in WEEK["gameWeek"] for g in day["games"]]


def test_an_entry_of_the_schedule_is_stored_byte_for_byte():
    entry = '{ "id":2023020001,  "season":20232024, "gameType":2, "gameState":"FUT", "gameScheduleState":"OK",' + (
        '"startTimeUTC":"2023-10-11T00:00:00Z", "homeTeam":{ "id":1,"abbrev":"HOM" }, '
        '"awayTeam":{"id":2, "abbrev":"AWA"}, "odds":1.50e0, "venue":"\\u00c5"}'
    )
    week = f'{{"gameWeek":[{{"date":"2023-10-10","games":[{entry}]}}]}}'

    assert [record.body for record in read(SCHEDULE, {"day": DAY}, week.encode())] == [entry.encode()]


def test_a_schedule_of_another_day_is_rejected():
    assert (
        get_rejection(SCHEDULE, {"day": date(2023, 10, 9)}, WEEK)
        == "the schedule begins on 2023-10-10, not on 2023-10-09"
    )
    assert "None" in get_rejection(SCHEDULE, {"day": DAY}, {"gameWeek": []})


@pytest.mark.parametrize("name", ["id", "season", "gameState", "gameScheduleState", "startTimeUTC", "homeTeam"])
def test_a_schedule_with_a_game_that_the_planner_cannot_use_is_rejected(name: str):
    week = {"gameWeek": [{"date": "2023-10-10", "games": [without(game(2023020001), name)]}]}

    assert name in get_rejection(SCHEDULE, {"day": DAY}, week)


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, BOXSCORE], ids=lambda table: table.name)
def test_a_game_page_has_its_own_day_and_state(table: Table):
    (record,) = read(table, GAME, HEAD | {"plays": [], "rosterSpots": [], "gameDate": "2023-10-11"})

    assert (record.key, record.season, record.game_date, record.state) == (
        {"game_id": 2023020001},
        20232024,
        date(2023, 10, 11),
        "OFF",
    )


@pytest.mark.parametrize(
    ("state", "spots", "player_ids"),
    [
        ("OFF", [{"playerId": 7}, {"playerId": 8}], {7, 8}),
        ("LIVE", [{"playerId": 7}], set()),
        ("OFF", [{"playerId": 7}, {"playerId": "odd"}], {7}),
    ],
)
def test_a_final_play_by_play_page_lists_the_dressed_players(state: str, spots: list[Any], player_ids: set[int]):
    (record,) = read(PLAY_BY_PLAY, GAME, HEAD | {"gameState": state, "plays": [], "rosterSpots": spots})

    assert record.player_ids == player_ids


def test_a_roster_lists_its_players():
    page = {"forwards": [{"id": 7}], "defensemen": [{"id": 8}], "goalies": [{"id": 30}]}
    (record,) = read(ROSTERS, {"team_abbrev": "HOM", "season": 20232024}, page)

    assert record.player_ids == {7, 8, 30}


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, BOXSCORE], ids=lambda table: table.name)
def test_a_page_of_another_game_is_rejected(table: Table):
    page = HEAD | {"plays": [], "rosterSpots": [], "id": 2023020002}

    assert get_rejection(table, GAME, page) == "the page is of game 2023020002, not 2023020001"


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, BOXSCORE], ids=lambda table: table.name)
@pytest.mark.parametrize("name", HEAD)
def test_a_game_page_without_a_required_key_is_rejected(table: Table, name: str):
    assert name in get_rejection(table, GAME, without(HEAD | {"plays": [], "rosterSpots": []}, name))


@pytest.mark.parametrize(
    "wrong", [{"id": "2023020001"}, {"season": 1.5}, {"gameDate": "10.10.2023"}, {"gameState": None}]
)
def test_a_key_of_another_type_is_rejected_with_its_path(wrong: dict[str, Any]):
    (name,) = wrong

    assert f"$.{name}" in get_rejection(BOXSCORE, GAME, HEAD | wrong)


@pytest.mark.parametrize("name", ["plays", "rosterSpots"])
def test_a_play_by_play_page_without_plays_or_players_is_rejected(name: str):
    assert name in get_rejection(PLAY_BY_PLAY, GAME, without(HEAD | {"plays": [], "rosterSpots": []}, name))


@pytest.mark.parametrize("name", ["plays", "rosterSpots"])
@pytest.mark.parametrize("invalid", [None, {}, {"7": []}, "[]", 7])
def test_plays_and_players_that_are_no_list_are_rejected(name: str, invalid: Any):
    page = HEAD | {"plays": [], "rosterSpots": []} | {name: invalid}

    assert get_rejection(PLAY_BY_PLAY, GAME, page) == f"not a PlayByPlay page: Expected `array` - at `$.{name}`"


def test_a_chart_that_lacks_rows_is_rejected():
    assert get_rejection(SHIFT_CHARTS, GAME, {"data": [shift()], "total": 700}) == "1 of 700 shifts"


def test_a_chart_with_one_row_of_another_game_is_rejected():
    page = {"data": [shift(), shift(2023020002)], "total": 2}

    assert get_rejection(SHIFT_CHARTS, GAME, page) == "the chart has shifts of game 2023020002, not 2023020001"


def test_an_empty_chart_is_valid_and_has_the_state_of_the_schedule():
    assert read(SHIFT_CHARTS, GAME, {"data": [], "total": 0}) == [
        PageRecord({"game_id": 2023020001}, 20232024, DAY, "FINAL", b'{"data": [], "total": 0}')
    ]


def test_the_report_of_the_other_team_is_rejected():
    assert get_rejection(SHIFT_REPORT_HOME, GAME, report("Visitor"))
    assert get_rejection(SHIFT_REPORT_AWAY, GAME, report("Home"))


@pytest.mark.parametrize("number", ["0002", "00010", "10001"])
def test_the_report_of_another_game_is_rejected(number: str):
    assert "Game 0001" in get_rejection(SHIFT_REPORT_HOME, GAME, report(number=number))


def test_a_report_without_its_last_tag_is_rejected():
    assert "cut off" in get_rejection(SHIFT_REPORT_HOME, GAME, report(end=""))


def test_a_right_rail_of_another_game_is_rejected_and_one_before_the_game_accepted():
    assert get_rejection(RIGHT_RAIL, GAME | {"game_id": 2023020002}, RAIL)
    assert len(read(RIGHT_RAIL, GAME, without(RAIL, "gameReports"))) == 1
    nothing = {key: value for key, value in RAIL.items() if key not in {"gameInfo", "gameReports", "seasonSeries"}}
    assert "gameInfo" in get_rejection(RIGHT_RAIL, GAME, nothing)


@pytest.mark.parametrize("name", ROSTER)
def test_a_roster_without_a_group_is_rejected(name: str):
    assert name in get_rejection(ROSTERS, {"team_abbrev": "HOM", "season": 20232024}, without(ROSTER, name))


def test_a_roster_has_the_team_and_season_of_the_request():
    (record,) = read(ROSTERS, {"team_abbrev": "HOM", "season": 20232024}, ROSTER)

    assert (record.key, record.season) == ({"team_abbrev": "HOM"}, 20232024)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"season": "20222023"}, "season '20222023', not 20232024"),
        ({"season": ""}, "season '', not 20232024"),
        ({"season": None}, "not a valid page: Expected `int | str`, got `null` - at `$.season`"),
        ({"gameType": 3}, "gameType 3, not 2"),
        ({"skaters": {}}, "Expected `array`, got `object` - at `$.skaters`"),
    ],
)
def test_club_stats_of_another_season_or_game_type_are_rejected(wrong: dict[str, Any], reason: str):
    assert reason in get_rejection(CLUB_STATS, {"team_abbrev": "HOM", "season": 20232024}, CLUB | wrong)


@pytest.mark.parametrize("name", CLUB)
def test_club_stats_without_a_key_are_rejected(name: str):
    assert name in get_rejection(CLUB_STATS, {"team_abbrev": "HOM", "season": 20232024}, without(CLUB, name))


def test_a_page_of_a_year_has_the_year_of_the_request_as_its_key():
    read_year = make_page_parser({"draftYear": "year"}, lists=("picks",))

    (record,) = read_year(b'{"draftYear": 2023, "picks": []}', {"year": 2023, "season": None, "player_id": None})

    assert record.key == {"year": 2023}
    with pytest.raises(PageRejected, match="draftYear 2023, not 2024"):
        read_year(b'{"draftYear": 2023, "picks": []}', {"year": 2024})


def test_club_stats_have_the_team_and_season_of_the_request(realdata: Path):
    body = (realdata / "club-stats" / "20182019_2.json").read_bytes()
    (record,) = read(CLUB_STATS, {"team_abbrev": "ANA", "season": 20182019}, body)

    assert (record.key, record.season, record.body) == ({"team_abbrev": "ANA"}, 20182019, body)


def test_standings_may_lag_behind_but_are_never_of_a_later_day_and_never_empty():
    params = {"season": 20232024, "game_date": DAY}
    late = {"standings": [*STANDING["standings"], {"date": "2023-10-11", "teamAbbrev": {}}]}
    lagging = {"standings": [*STANDING["standings"], {"date": "2023-10-08", "teamAbbrev": {}}]}

    assert get_rejection(STANDINGS, params, late) == "the standings are of 2023-10-11, not 2023-10-10"
    assert get_rejection(STANDINGS, params, {"standings": []}) == "the standings of 2023-10-10 are empty"
    assert [(record.season, record.game_date) for record in read(STANDINGS, params, lagging)] == [(20232024, DAY)]


@pytest.mark.parametrize(
    ("table", "params", "page", "reason"),
    [
        (LANDING, GAME, HEAD | {"id": 2023020002}, "the page is of game 2023020002, not 2023020001"),
        (PLAYOFF_BRACKET, {"season": 20222023, "year": 2023}, BRACKET, "the bracket is of 2024, not 2023"),
        (PLAYOFF_BRACKET, {"season": 20232024, "year": 2024}, {"series": []}, "the bracket of 2024 has no series"),
        (DRAFT_PICKS, {"year": 2024}, {"draftYear": 2023, "picks": []}, "the page has draftYear 2023, not 2024"),
        (GLOSSARY, {"language": "en"}, TERMS | {"total": 300}, "1 of 300 entries"),
        (GLOSSARY, {"language": "en"}, {"data": [], "total": 0}, "0 of 0 entries"),
        (SKATER_REPORTS, GAME, REPORT | {"total": 36}, "1 of 36 rows"),
        (TEAM_REPORTS, GAME | {"game_id": 2023020002}, REPORT, "rows of game 2023020001, not 2023020002"),
        (GOALIE_REPORTS, GAME, {"data": [{"gameId": 1}], "total": 1}, "rows of game 1, not 2023020001"),
        (EDGE_SKATERS, EDGE | {"player_id": 7}, {"player": {"id": 8}}, "the page has player.id 8, not 7"),
        (EDGE_GOALIES, EDGE | {"player_id": 7}, {"player": {"id": 8}}, "the page has player.id 8, not 7"),
        (EDGE_GOALIES, EDGE | {"player_id": 7}, {"player": {}}, "missing required field `id` - at `$.player`"),
        (EDGE_TEAMS, EDGE | {"team_id": 7}, {"team": {"id": 8}}, "the page has team.id 8, not 7"),
        (EDGE_TEAMS, EDGE | {"team_id": 7}, {"team": None}, "$.team"),
        (ODDS, {"country": "US"}, {"games": {}}, "$.games"),
    ],
)
def test_an_optional_page_that_is_not_the_requested_one_or_not_complete_is_rejected(
    table: Table, params: Mapping[str, Any], page: dict[str, Any], reason: str
):
    assert reason in get_rejection(table, params, page)


def test_a_report_may_be_empty_at_first_and_a_bracket_without_links_is_accepted():
    empty = b'{"data": [], "total": 0}'
    assert read(SKATER_REPORTS, GAME, empty)[0].key == {"game_id": 2023020001}
    assert SKATER_REPORTS.endpoint.is_empty
    assert SKATER_REPORTS.endpoint.is_empty(empty.decode())
    assert not SKATER_REPORTS.endpoint.is_empty(json.dumps(REPORT))
    assert not SKATER_REPORTS.endpoint.is_empty("no JSON")
    assert read(PLAYOFF_BRACKET, {"season": 20232024, "year": 2024}, {"series": [{"seriesLetter": "I"}]})


def test_an_edge_page_has_the_season_and_game_type_of_the_request():
    (record,) = read(EDGE_SKATERS, EDGE | {"player_id": 7, "team_id": None}, {"player": {"id": 7}})

    assert (record.season, record.key) == (20232024, {"game_type": 2, "player_id": 7})


def test_odds_that_were_only_updated_are_no_new_version_but_new_odds_are():
    def make_body(price: int, at: str) -> str:
        team = {"logo": at, "odds": [{"description": "MONEY_LINE_2_WAY", "value": price}]}
        return json.dumps({"lastUpdatedUTC": at, "games": [{"gameId": 1, "homeTeam": team}]})

    ignored = ODDS.endpoint.ignored_keys
    first, later, other = (
        normalize_content(make_body(*case), ignored) for case in ((-110, "a"), (-110, "b"), (-120, "b"))
    )
    assert first == later
    assert first != other


def test_a_page_of_another_player_is_rejected():
    assert get_rejection(PLAYERS, {"player_id": 8470002}, PLAYER) == "the page is of player 8470001, not 8470002"


@pytest.mark.parametrize(("table", "key"), [(TEAMS, "team_id"), (SEASONS, "season")])
def test_a_list_gives_its_rows_as_served(table: Table, key: str):
    records = read(table, {}, b'{"data":[{"id":20222023, "n":1 },{"id":20232024}],"total":2}')

    assert [record.key for record in records] == [{key: 20222023}, {key: 20232024}]
    assert [record.body for record in records] == [b'{"id":20222023, "n":1 }', b'{"id":20232024}']


@pytest.mark.parametrize("table", [TEAMS, SEASONS], ids=lambda table: table.name)
def test_a_list_that_lacks_rows_is_rejected(table: Table):
    assert get_rejection(table, {}, LISTING | {"total": 107}) == "2 of 107 rows"
    assert "id" in get_rejection(table, {}, {"data": [{"n": 1}], "total": 1})


def test_a_page_is_stored_with_its_white_space():
    body = json.dumps(HEAD, indent=3).encode() + b"\n\n"

    assert [record.body for record in read(BOXSCORE, GAME, body)] == [body]


def test_text_is_utf_8_or_else_latin_1():
    assert decode_text("Ålesund Grünwald".encode()) == "Ålesund Grünwald"
    assert decode_text("Ålesund Grünwald".encode("latin-1")) == "Ålesund Grünwald"
    assert [record.body for record in read(SHIFT_REPORT_HOME, GAME, report().decode().encode("latin-1"))] == [report()]


@given(st.binary())
def test_every_body_can_be_restored_from_its_text(body: bytes):
    found = decode_text(body)

    assert body in {found.encode(), found.encode("latin-1", "replace")}


VOLATILE = frozenset({"clock", "odds"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


def noisy(value: object, noise: object) -> object:
    """Put volatile keys into every object of a JSON value, before its own keys."""
    if isinstance(value, dict):
        return {"clock": noise} | {key: noisy(inner, noise) for key, inner in value.items()} | {"odds": [noise]}
    return [noisy(inner, noise) for inner in value] if isinstance(value, list) else value


@given(JSON, JSON, JSON)
def test_ignored_keys_do_not_count_at_any_depth(page: object, was: object, noise: object):
    calm, loud = ({"page": value, "clock": 1} for value in (page, noisy(page, noise)))

    assert normalize_content(json.dumps(calm), VOLATILE) == normalize_content(json.dumps(loud, indent=1), VOLATILE)
    assert (normalize_content(json.dumps([page]), VOLATILE) == normalize_content(json.dumps([was]), VOLATILE)) == (
        json.dumps(page, sort_keys=True) == json.dumps(was, sort_keys=True)
    )


def test_keys_next_to_an_ignored_key_count():
    before, after = '{"plays":[{"clock":1,"x":1}]}', '{"plays":[{"clock":2,"x":2}]}'

    assert normalize_content(before, VOLATILE) != normalize_content(after, VOLATILE)
    assert normalize_content(before, VOLATILE | {"x"}) == normalize_content(after, VOLATILE | {"x"})


@pytest.mark.parametrize(("was", "is_now"), [("1", "true"), ("0", "false"), ("null", "0"), ('"1"', "1"), ("[]", "{}")])
def test_a_value_of_another_type_is_another_value(was: str, is_now: str):
    assert normalize_content(f'{{"ot":{was}}}', VOLATILE) != normalize_content(f'{{"ot":{is_now}}}', VOLATILE)


def test_html_is_compared_as_text():
    assert normalize_content("<html>clock 1</html>", VOLATILE) == "<html>clock 1</html>"
    assert normalize_content(" \n<html>", VOLATILE) != normalize_content("<html>", VOLATILE)


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, SCHEDULE], ids=lambda table: table.name)
def test_clock_broadcasts_and_odds_are_ignored_but_score_and_state_are_not(table: Table):
    volatile = table.endpoint.ignored_keys

    assert {"clock", "tvBroadcasts", "odds", "headshot", "logo"} <= volatile
    assert not volatile & {
        "gameState",
        "gameScheduleState",
        "homeTeam",
        "score",
        "sog",
        "plays",
        "startTimeUTC",
        "venue",
    }


def test_a_player_without_a_name_is_a_player():
    for invalid in ({"playerId": 8470001}, PLAYER | {"lastName": None}, PLAYER | {"firstName": 7}):
        assert len(read(PLAYERS, {"player_id": 8470001}, invalid)) == 1


def test_an_invalid_row_or_field_rejects_no_page():
    roster = {**ROSTER, "defensemen": [{"id": "?"}, {}, {"id": 8470002}]}
    (record,) = read(ROSTERS, {"team_abbrev": "HOM", "season": 20232024}, roster)
    assert record.player_ids == {8470001, 8470002}

    standings = {"standings": [{"date": "soon", "teamAbbrev": {}}, *STANDING["standings"]]}
    assert len(read(STANDINGS, {"season": 20232024, "game_date": DAY}, standings)) == 1

    invalid = [shift() | {"typeCode": "517"}, shift() | {"duration": 45}, without(shift(), "gameId")]
    assert len(read(SHIFT_CHARTS, GAME, {"data": invalid, "total": 3})) == 1

    for reports in ({"gameSummary": 7}, []):
        assert len(read(RIGHT_RAIL, GAME, RAIL | {"gameReports": reports})) == 1

    page = HEAD | {"plays": [], "rosterSpots": [{"playerId": 8470001}, {"playerId": None}]}
    (record,) = read(PLAY_BY_PLAY, GAME, page)
    assert record.player_ids == {8470001}
