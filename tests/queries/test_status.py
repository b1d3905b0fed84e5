"""Tests of the status, which comes from bronze and the schedule."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from nhl_lake.errors import LakeError
from nhl_lake.queries.status import LakeStatus, read_status
from nhl_lake.schema import ledger
from tests.support import lakes
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest


def found(root: Path, now: datetime = NOON) -> LakeStatus:
    return read_status(root, now)


def whys(answer: LakeStatus) -> dict[str, int]:
    return dict(answer.reasons.select("why", "games").iter_rows())


def test_a_season_with_all_pages_is_complete(tmp_path: Path):
    run_ingest(tmp_path, FakeApi([FakeGame(1), FakeGame(2)]))
    (season,) = found(tmp_path).seasons

    assert (season.complete, season.incomplete, season.pending, season.not_requested) == (2, 0, 0, 0)
    assert season.complete_through == date(2026, 1, 9)
    assert (found(tmp_path).coverage, found(tmp_path).problems) == ("every game since 2026-01-09 is in the lake", [])


def test_a_game_without_a_boxscore_is_partial_and_says_why(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: httpx.Response(404) if "2025020002/boxscore" in path else None
    run_ingest(tmp_path, api)
    answer = found(tmp_path)

    assert (answer.seasons[0].complete, answer.seasons[0].partial) == (1, 1)
    assert whys(answer) == {"no boxscore (404)": 1}


def test_an_empty_chart_is_partial_unless_there_are_reports(tmp_path: Path):
    api = FakeApi([FakeGame(1, chart=False)])
    run_ingest(tmp_path, api)
    assert whys(found(tmp_path)) == {"empty shift charts": 1}

    report = "<html><title>Time On Ice Report {} Team</title>Game 0001</html>"
    api.fail_request = lambda path: (
        httpx.Response(200, text=report.format("Home" if "/TH" in path else "Away")) if "htmlreports" in path else None
    )
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=6))
    assert found(tmp_path).seasons[0].complete == 1


def test_a_hole_is_open_and_the_data_reach_only_to_the_day_before_it(tmp_path: Path):
    games = [FakeGame(n, start=NOON - timedelta(days=5 - n)) for n in (1, 2, 3)]
    api = FakeApi(games)
    api.fail_request = lambda path: httpx.Response(500) if "2025020002/play" in path else None
    run_ingest(tmp_path, api)
    answer = found(tmp_path)

    assert answer.seasons[0].pending == 1
    assert answer.seasons[0].complete_through == date(2026, 1, 6)
    assert "1 played game is missing, the oldest of 2026-01-07 (`nhl-lake ingest`)" in answer.problems


def test_games_before_the_lake_are_not_missing(tmp_path: Path):
    games = [FakeGame(n, start=NOON - timedelta(days=9 - n)) for n in (1, 2, 8)]
    run_ingest(tmp_path, FakeApi(games), since=date(2026, 1, 5))
    (season,) = found(tmp_path).seasons

    assert (season.not_requested, season.pending, season.complete) == (2, 0, 1)
    assert season.first_game_date == date(2026, 1, 9)


def test_a_page_of_an_unplayed_game_leaves_it_open(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    stale = FakeGame(1, state="LIVE")
    api.fail_request = lambda path: (
        httpx.Response(200, json=stale.make_play_by_play()) if path.endswith("play-by-play") else None
    )
    run_ingest(tmp_path, api)

    assert found(tmp_path).seasons[0].complete == 0
    assert whys(found(tmp_path)) == {"play by play is not final": 1}


@pytest.mark.parametrize("now", [datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 8, 20, tzinfo=UTC)])
def test_a_break_or_a_summer_makes_nothing_stale(tmp_path: Path, now: datetime):
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))

    assert found(tmp_path, now).problems == []
    assert found(tmp_path, now).seasons[0].pending == 0


def test_the_next_games_come_soonest_first_and_postponed_ones_are_left_out(tmp_path: Path):
    ahead = [FakeGame(n, start=NOON + timedelta(days=n), state="FUT") for n in (3, 2, 4)]
    ahead[2].schedule_state = "PPD"
    run_ingest(tmp_path, FakeApi([FakeGame(1), *ahead]))
    answer = found(tmp_path)

    assert answer.next_games["game_id"].to_list() == [2025020002, 2025020003]
    assert answer.seasons[0].upcoming == 2


def test_the_status_has_the_last_run(tmp_path: Path):
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    answer = found(tmp_path)

    assert answer.last_run is not None
    assert answer.last_run["outcome"] == "done"


def test_where_there_is_no_lake_the_status_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(LakeError, match="no lake") as error:
        found(tmp_path / "nowhere")
    assert "nhl-lake ingest" in error.value.hint


def test_a_lake_that_nobody_fed_for_months_says_what_it_misses(tmp_path: Path):
    ahead = [FakeGame(n, start=NOON + timedelta(days=n), state="FUT") for n in range(2, 32)]
    run_ingest(tmp_path, FakeApi([FakeGame(1), *ahead]))

    for days in (10, 75, 150):
        late = sum(n <= days - 1 for n in range(2, 32))
        answer = found(tmp_path, NOON + timedelta(days=days))
        assert answer.seasons[0].pending == late
        assert answer.problems[0].startswith(f"{late} played games are missing, the oldest of 2026-01-12")


def test_the_last_of_two_runs_at_one_instant_is_always_the_same(tmp_path: Path):
    for _ in range(2):
        run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    runs = lakes.read_rows(tmp_path, ledger.RUNS)
    assert (runs.height, runs["started_at"].n_unique()) == (2, 1)
    assert len({(found(tmp_path).last_run or {})["run_id"] for _ in range(12)}) == 1
