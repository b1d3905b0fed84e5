"""Pages with values that nothing can hold: refused by name, and harmless where an older release has stored them."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.bronze import endpoints
from nhl_lake.ingest.writer import FetchedPage, make_page_rows
from nhl_lake.schema.table import PageRecord, Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest
from tests.support.lakes import BUILT_TABLES, read_newest_pages, read_rows, read_sorted_rows

Run = Callable[..., CommandResult]

HUGE = ("9223372036854775808", "9" * 5000, "-1e999")


def put(page: Any, path: str, value: str) -> bytes:
    """Return a page as JSON, with a literal at a path."""
    page = json.loads(json.dumps(page))
    place = page
    *outer, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for word in outer:
        place = place[word]
    place[last] = "VALUE"
    return json.dumps(page).replace('"VALUE"', value).encode()


def test_pages_with_a_number_out_of_range_are_refused_and_others_are_stored(tmp_path: Path):
    paths = ("rosterSpots.0.playerId", "plays.0.details.xCoord")
    bad = [(path, value) for path in paths for value in HUGE]
    games = [FakeGame(n, start=NOON - timedelta(days=2)) for n in range(len(bad) + 2)]
    bodies = {
        f"{game.id}/play-by-play": put(game.make_play_by_play(), path, value)
        for game, (path, value) in zip(games, bad, strict=False)
    }
    api = FakeApi(games)
    api.fail_request = lambda path: next(
        (httpx.Response(200, content=body) for of, body in bodies.items() if of in path), None
    )

    summary = run_ingest(tmp_path, api)

    reasons = sorted(summary.page_counts["bronze.play_by_play"].reasons)
    assert summary.exit_code == 3
    assert [reason.partition(" is ")[0] for reason in reasons] == [
        f"{game.id}: $.{path.replace('.0', '[0]')}" for game, (path, _) in zip(games, bad, strict=False)
    ]
    stored = set(read_newest_pages(tmp_path, endpoints.PLAY_BY_PLAY))
    assert stored == {str(game.id) for game in games[len(bad) :]}
    api.fail_request = lambda _: None
    assert run_ingest(tmp_path, api).exit_code == 0
    assert read_rows(tmp_path, endpoints.PLAY_BY_PLAY).height == len(games)


def test_entries_of_the_schedule_are_refused_by_their_field_and_others_are_stored(tmp_path: Path):
    bad = {
        "id": HUGE[0],
        "homeTeam.id": HUGE[0],
        "awayTeam.score": HUGE[1],
        "venue.default": HUGE[1],
        "season": "99999999",
        "gameType": "20242025",
        "startTimeUTC": '"9999-12-31T23:59:59Z"',
        "easternUTCOffset": HUGE[2],
    }
    games = [FakeGame(n, start=NOON - timedelta(days=2)) for n in range(len(bad) + 2)]
    api = FakeApi(games)
    by_game = dict(zip((game.id for game in games), bad.items(), strict=False))

    def change_week(path: str) -> httpx.Response | None:
        if "v1/schedule/" not in path:
            return None
        week, literals = api.make_schedule_week(path.rpartition("/")[2]), {}
        for day in week["gameWeek"]:
            for place, entry in enumerate(day["games"]):
                if entry["id"] in by_game:
                    day["games"][place] = f"entry {entry['id']}"
                    literals[json.dumps(day["games"][place])] = put(entry, *by_game[entry["id"]]).decode()
        body = json.dumps(week)
        for mark, literal in literals.items():
            body = body.replace(mark, literal)
        return httpx.Response(200, text=body)

    api.fail_request = change_week

    summary = run_ingest(tmp_path, api)

    counts = summary.page_counts["bronze.schedule"]
    assert counts.failed == len(bad), counts.reasons
    for path, reason in zip(bad, counts.reasons, strict=True):
        assert path.rpartition(".")[2] in reason or " is on " in reason or "has season" in reason, reason
    assert set(read_newest_pages(tmp_path, endpoints.SCHEDULE)) == {str(game.id) for game in games[len(bad) :]}


def store_as_older_release(root: Path, table: Table, record: PageRecord) -> None:
    """Store a page that this release would refuse."""
    page = FetchedPage(table, "http://fake/old", NOON + timedelta(minutes=1), [record])
    rows = make_page_rows(table, [page], "older")
    delta_tables.store_pages(root, table, rows, lambda a, b: a == b)


def make_old_pages() -> list[tuple[Callable[[FakeGame], Any], Table, str, str]]:
    """Return pages of games, as an older release stored them: the sound page, its table, a path, a bad literal."""
    chart = {"data": [{"gameId": 1, "playerId": 1, "typeCode": 517}], "total": 1}
    found = []
    for value in HUGE:
        for path in ("rosterSpots.0.playerId", "rosterSpots.1.positionCode", "plays.0.eventId", "homeTeam.score", "id"):
            found.append((FakeGame.make_play_by_play, endpoints.PLAY_BY_PLAY, path, value))
        path = "playerByGameStats.homeTeam.forwards.0.playerId"
        found.append((FakeGame.make_boxscore, endpoints.BOXSCORE, path, value))
        found += [
            (FakeGame.make_header, endpoints.SCHEDULE, p, value) for p in ("id", "homeTeam.id", "venue", "season")
        ]
        found.append((lambda _: chart, endpoints.SHIFT_CHARTS, "data.0.typeCode", value))
    found.append((FakeGame.make_header, endpoints.SCHEDULE, "startTimeUTC", '"0001-01-01T00:00:00+14:00"'))
    found.append((FakeGame.make_header, endpoints.SCHEDULE, "startTimeUTC", '"9999-12-31T23:59:59-14:00"'))
    return found


@pytest.mark.soak
def test_pages_that_an_older_release_stored_end_no_command(tmp_path: Path, run_here: Run):
    bad_pages = make_old_pages()
    games = [FakeGame(n, start=NOON - timedelta(days=1 + n % 7, hours=n % 5)) for n in range(1, len(bad_pages) + 3)]
    sound, victims = [game.id for game in games[:2]], games[2:]
    root, upcoming = tmp_path / "lake", FakeGame(900, start=NOON + timedelta(days=1), state="FUT")
    api = FakeApi([*games, upcoming])
    run_ingest(root, api, rebuilds=True)
    truth = {table.name: read_sorted_rows(root, table) for table in BUILT_TABLES}
    for game, (make, table, path, value) in zip(victims, bad_pages, strict=True):
        key, day = {"game_id": game.id}, game.start.date()
        store_as_older_release(root, table, PageRecord(key, 20252026, day, "OFF", put(make(game), path, value)))
    for value in HUGE:
        roster = put({"forwards": [{"id": 1}, {"id": 2}], "defensemen": [], "goalies": []}, "forwards.0.id", value)
        store_as_older_release(
            root, endpoints.ROSTERS, PageRecord({"team_abbrev": "BBB"}, 20252026, None, None, roster)
        )
    season = put({"id": 20242025, "startDate": "2024-10-01T00:00:00"}, "endDate", '"9999-12-31T00:00:00"')
    store_as_older_release(root, endpoints.SEASONS, PageRecord({"season": 20242025}, 20242025, None, None, season))
    player = put({"playerId": 8900002}, "heightInCentimeters", HUGE[1])
    store_as_older_release(root, endpoints.PLAYERS, PageRecord({"player_id": 8900002}, None, None, None, player))

    commands = ("rebuild --allow-row-loss", "check", "status", f"trace {victims[0].id}", "upcoming", "corrections")
    ended = [run_here(*words.split(), root=root, now=NOON) for words in commands]
    said = read_rows(root, QUARANTINE).select("subject", "reason").rows()
    run_ingest(root, api, now=NOON + timedelta(hours=30), rebuilds=True)

    assert [one.code for one in ended if one.code not in {0, 1, 3}] == []
    assert len(said) >= len(bad_pages) // 2
    for table in BUILT_TABLES:
        if table.chunk_key == "game_id" and table.name != "silver.game_quality":
            is_sound = pl.col("game_id").is_in(sound)
            assert_frame_equal(read_sorted_rows(root, table).filter(is_sound), truth[table.name].filter(is_sound))
