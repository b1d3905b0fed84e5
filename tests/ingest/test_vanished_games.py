"""Games that leave the schedule unplayed are not upcoming in any answer, until they are listed again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from nhl_lake.catalog import find_table
from nhl_lake.queries import sql, upcoming
from nhl_lake.queries.status import read_status
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

TABLES = ("silver.game_quality",)
SOON = NOON + timedelta(days=3)
COMING = "select game_id from silver.games where game_state = 'FUT' and schedule_state = 'OK' order by game_id"


def coming(root: Path, days: int = 0) -> dict[str, list[int]]:
    """Return the upcoming games by each command, some days later."""
    now = NOON + timedelta(days=days)
    return {
        "sql": sql.collect_query(sql.run_query(root, COMING))["game_id"].to_list(),
        "upcoming": upcoming.read_upcoming_games(root, now, 7)["game_id"].sort().to_list(),
        "status": read_status(root, now).next_games["game_id"].sort().to_list(),
    }


def everywhere(*games: FakeGame) -> dict[str, list[int]]:
    return {how: [game.id for game in games] for how in ("sql", "upcoming", "status")}


def listings(root: Path) -> list[Any]:
    found = delta_tables.scan_table(root, ledger.LISTINGS).sort("asked_at", "game_id").collect()
    return found.select("game_id", "is_listed").rows()


def test_a_game_that_left_the_schedule_is_not_upcoming_before_its_day_or_after(tmp_path: Path):
    seventh, other = FakeGame(7, type=3, start=SOON, state="FUT"), FakeGame(8, type=3, start=SOON, state="FUT")
    api = FakeApi([FakeGame(1), seventh, other])
    run_ingest(tmp_path, api, only=TABLES)
    assert coming(tmp_path) == everywhere(seventh, other)

    api.games.remove(seventh)
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), only=TABLES)

    assert coming(tmp_path) == everywhere(other)
    assert listings(tmp_path) == [(seventh.id, False)]
    row = (
        delta_tables.scan_table(tmp_path, find_table("silver.games")).filter(pl.col("game_id") == seventh.id).collect()
    )
    assert row.select("game_state", "schedule_state").rows() == [("FUT", "GONE")]
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=2), only=TABLES)
    assert listings(tmp_path) == [(seventh.id, False)]  # recorded once


def test_a_game_that_is_listed_again_is_upcoming_again(tmp_path: Path):
    game = FakeGame(7, start=SOON, state="FUT")
    api = FakeApi([FakeGame(1), game])
    run_ingest(tmp_path, api, only=TABLES)
    api.games.remove(game)
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), only=TABLES)
    api.games.append(game)
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=2), only=TABLES)

    assert coming(tmp_path) == everywhere(game)
    assert listings(tmp_path) == [(game.id, False), (game.id, True)]


def test_a_game_of_an_unread_week_is_still_upcoming(tmp_path: Path):
    game = FakeGame(7, start=SOON, state="FUT")
    api = FakeApi([FakeGame(1), game])
    run_ingest(tmp_path, api, only=TABLES)
    weeks = [path for path in api.request_counts if path.startswith("v1/schedule/")]
    api.games.remove(game)
    api.fail_request = lambda path: httpx.Response(404) if path == weeks[-5] else None  # a week to come
    summary = run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), only=TABLES)

    assert summary.exit_code == 3
    assert listings(tmp_path) == []
    assert coming(tmp_path) == everywhere(game)


@pytest.mark.parametrize("state", ["TBD", "OK"])
def test_a_game_between_undecided_teams_is_upcoming_in_every_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
):
    final = FakeGame(411, type=3, start=SOON, state="FUT", schedule_state=state)
    known, head = FakeGame(7, start=SOON, state="FUT"), FakeGame.make_header

    def undecided(game: FakeGame) -> dict[str, Any]:
        undecided_team = {"id": 70, "abbrev": "TBD"}
        return head(game) | ({"homeTeam": undecided_team, "awayTeam": undecided_team} if game is final else {})

    monkeypatch.setattr(FakeGame, "make_header", undecided)
    summary = run_ingest(tmp_path, FakeApi([FakeGame(1), known, final]), only=TABLES)

    assert summary.exit_code == 0
    assert delta_tables.scan_table(tmp_path, find_table("silver.quarantine")).collect().is_empty()
    found = coming(tmp_path)
    assert found["upcoming"] == found["status"] == [known.id, final.id]
    assert upcoming.read_upcoming_games(tmp_path, NOON, 7).filter(pl.col("game_id") == final.id)[
        "home_rest_days"
    ].to_list() == [None]


def test_an_older_lake_without_lake_listings_is_readable(tmp_path: Path):
    game = FakeGame(7, start=SOON, state="FUT")
    run_ingest(tmp_path, FakeApi([FakeGame(1), game]), only=TABLES)
    delta_tables.locate_table(tmp_path, ledger.LISTINGS).rename(tmp_path / "elsewhere")

    assert coming(tmp_path) == everywhere(game)
    assert run_ingest(tmp_path, FakeApi([FakeGame(1), game]), now=NOON + timedelta(hours=1), only=TABLES).exit_code == 0
