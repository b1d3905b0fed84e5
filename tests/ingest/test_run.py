"""One run of `nhl-lake ingest` against a fake API: what it requests, what it stores, and how it ends."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import find_table
from nhl_lake.errors import ApiUnreachable, BadInput
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

TABLES = ("silver.game_quality", "gold.skater_game")


def rows(root: Path, table: Table) -> pl.DataFrame:
    return delta_tables.scan_table(root, table).sort("fetched_at").collect()


def versions(root: Path) -> dict[str, int]:
    return {table.name: delta_tables.open_table(root, table).version() for table in endpoints.TABLES}


def test_a_first_run_stores_every_page_of_the_season(tmp_path: Path):
    summary = run_ingest(tmp_path, FakeApi([FakeGame(1), FakeGame(2)]), rebuilds=True, is_new=True)

    assert summary.exit_code == 0
    for table in endpoints.GAME_PAGES:
        assert sorted(rows(tmp_path, table)["game_id"]) == [2025020001, 2025020002]
    assert sorted(rows(tmp_path, endpoints.PLAYERS)["player_id"]) == [8900001, 8900002, 8900003]
    totals = delta_tables.scan_table(tmp_path, find_table("gold.skater_game")).filter(pl.col("situation") == "all")
    assert totals.select(pl.col("goals").sum()).collect().item() == 2


def test_a_second_run_changes_nothing_and_requests_the_schedule_only(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(2)])
    run_ingest(tmp_path, api)
    before = versions(tmp_path)
    api.request_counts.clear()

    summary = run_ingest(tmp_path, api, now=NOON + timedelta(hours=1))

    assert versions(tmp_path) == before
    assert {path.split("/")[1] for path in api.request_counts} == {"schedule", "rest"}
    assert summary.waiting.is_empty()


def test_no_page_is_requested_twice_in_a_run(tmp_path: Path):
    api = FakeApi([FakeGame(1, chart=False), FakeGame(2)])
    run_ingest(tmp_path, api, lookback_days=3)

    assert max(api.request_counts.values()) == 1


def test_the_schedule_ahead_is_in_the_lake(tmp_path: Path):
    ahead = FakeGame(5, start=NOON + timedelta(days=3), state="FUT")
    run_ingest(tmp_path, FakeApi([FakeGame(1), ahead]), only=TABLES)

    games = delta_tables.scan_table(tmp_path, find_table("silver.games")).sort("game_id").collect()
    assert games["game_state"].to_list() == ["OFF", "FUT"]
    assert games["home_score"].to_list() == [1, None]


def test_a_page_that_was_live_when_the_schedule_said_final_is_fetched_until_it_is_official(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    stale = FakeGame(1, state="FUT")
    api.fail_request = lambda path: (
        httpx.Response(200, json=stale.make_play_by_play()) if path.endswith("play-by-play") else None
    )
    run_ingest(tmp_path, api, only=TABLES)
    assert delta_tables.scan_table(tmp_path, find_table("silver.plays")).collect().is_empty()

    stale.state = "LIVE"
    run_ingest(tmp_path, api, now=NOON + timedelta(minutes=5), only=TABLES)
    assert delta_tables.scan_table(tmp_path, find_table("silver.plays")).collect().is_empty()

    stale.state = "OFF"
    run_ingest(tmp_path, api, now=NOON + timedelta(minutes=9), only=TABLES)
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY)["state"].to_list() == ["FUT", "LIVE", "OFF"]
    assert delta_tables.scan_table(tmp_path, find_table("silver.plays")).collect().height == 1


def test_a_correction_is_a_second_version_and_the_tables_follow(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    run_ingest(tmp_path, api, only=TABLES)
    api.games[0].scorer = 8900002

    summary = run_ingest(tmp_path, api, now=NOON + timedelta(hours=10), lookback_days=1, only=TABLES)

    assert summary.page_counts["bronze.play_by_play"].changed == 1
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 2
    goals = delta_tables.scan_table(tmp_path, find_table("gold.skater_game")).filter(pl.col("goals") > 0).collect()
    assert goals["player_id"].unique().to_list() == [8900002]


def test_a_postponed_game_keeps_its_id_and_gets_its_new_day(tmp_path: Path):
    api = FakeApi([FakeGame(1, state="FUT", start=NOON + timedelta(days=2))])
    run_ingest(tmp_path, api)
    api.games[0].schedule_state = "PPD"
    run_ingest(tmp_path, api, now=NOON + timedelta(days=3))
    api.games[0] = FakeGame(1, start=NOON + timedelta(days=20))
    run_ingest(tmp_path, api, now=NOON + timedelta(days=21), only=TABLES)

    assert rows(tmp_path, endpoints.SCHEDULE).height == 3
    games = delta_tables.scan_table(tmp_path, find_table("silver.games")).collect()
    assert games["game_date"].to_list() == [date(2026, 1, 30)]
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 1


def test_a_game_under_another_day_is_a_new_version_though_its_entry_is_the_same(tmp_path: Path):
    game = FakeGame(1, state="FUT", start=NOON + timedelta(days=2), day=date(2026, 1, 12))
    api = FakeApi([game])
    api.fail_request = without_game_date(api)
    run_ingest(tmp_path, api)
    game.day = date(2026, 1, 13)
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1))

    assert rows(tmp_path, endpoints.SCHEDULE)["game_date"].to_list() == [date(2026, 1, 12), date(2026, 1, 13)]


def without_game_date(api: FakeApi):
    def broken(path: str) -> httpx.Response | None:
        if not path.startswith("v1/schedule"):
            return None
        page = api.make_schedule_week(path.rsplit("/", maxsplit=1)[-1])
        for day in page["gameWeek"]:
            day["games"] = [{k: v for k, v in game.items() if k != "gameDate"} for game in day["games"]]
        return httpx.Response(200, json=page)

    return broken


def test_a_game_that_vanishes_from_the_schedule_is_not_waited_for(tmp_path: Path):
    if_necessary = FakeGame(7, type=3, start=NOON + timedelta(days=1), state="FUT")
    api = FakeApi([FakeGame(1), if_necessary])
    run_ingest(tmp_path, api)
    api.games.remove(if_necessary)
    api.request_counts.clear()
    summary = run_ingest(tmp_path, api, now=NOON + timedelta(days=3))

    assert not [path for path in api.request_counts if str(if_necessary.id) in path]
    assert if_necessary.id not in summary.waiting["newest"].to_list()
    assert if_necessary.id in rows(tmp_path, endpoints.SCHEDULE)["game_id"].to_list()


@pytest.mark.parametrize("following", ["2026-01-05", "2025-12-01", "2026-01-03"])
def test_a_schedule_that_points_backwards_is_not_read_for_ever(tmp_path: Path, following: str):
    api = FakeApi([FakeGame(1)])
    api.next_days = {day: following for day in api_weeks(api, tmp_path) if day >= "2026-01-05"}

    run_ingest(tmp_path / "lake", api)

    assert max(api.request_counts.values()) == 1


def api_weeks(api: FakeApi, folder: Path) -> list[str]:
    run_ingest(folder / "probe", api)
    weeks = sorted(path.split("/")[-1] for path in api.request_counts if path.startswith("v1/schedule/"))
    api.request_counts.clear()
    return weeks


def test_an_empty_chart_brings_the_reports_in_the_same_run(tmp_path: Path):
    api = FakeApi([FakeGame(1, chart=False)])
    summary = run_ingest(tmp_path, api)

    assert [path for path in api.request_counts if "TH020001" in path or "TV020001" in path]
    assert summary.page_counts["bronze.shift_report_home"].not_there == 1
    assert dict(summary.waiting.select("table", "why").iter_rows())["bronze.shift_charts"] == "empty"
    assert rows(tmp_path, endpoints.SHIFT_CHARTS).height == 1


def test_404_is_an_answer_and_no_failure(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    api.fail_request = lambda path: httpx.Response(404) if path.endswith("boxscore") else None

    assert run_ingest(tmp_path, api).exit_code == 0
    answers = delta_tables.scan_table(tmp_path, ledger.ANSWERS).filter(answer="not_there", table="bronze.boxscore")
    assert answers.collect()["page"].to_list() == ["2025020001"]


def test_failed_pages_are_reported_and_requested_again(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: httpx.Response(500) if "2025020001/boxscore" in path else None
    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 3
    assert summary.page_counts["bronze.boxscore"].reasons == ["2025020001: status 500"]
    api.fail_request = lambda _: None
    assert run_ingest(tmp_path, api, now=NOON + timedelta(minutes=1)).exit_code == 0
    assert rows(tmp_path, endpoints.BOXSCORE).height == 2


@pytest.mark.parametrize(
    "invalid_answer",
    [
        httpx.Response(200, text="<html>Please wait</html>"),
        httpx.Response(200, json={"plays": []}),
        httpx.Response(200, json=FakeGame(2).make_play_by_play()),
        httpx.Response(200, text=httpx.Response(200, json=FakeGame(1).make_play_by_play()).text[:200]),
        httpx.Response(200, json=FakeGame(1).make_play_by_play() | {"plays": None}),
    ],
)
def test_a_page_that_was_not_requested_never_reaches_bronze(tmp_path: Path, invalid_answer: httpx.Response):
    api = FakeApi([FakeGame(1)])
    answer = (invalid_answer.status_code, invalid_answer.content)
    api.fail_request = lambda path: httpx.Response(answer[0], content=answer[1]) if "play-by-play" in path else None

    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 3
    assert summary.page_counts["bronze.play_by_play"].reasons
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).is_empty()


def test_an_api_with_invalid_answers_leaves_no_lake(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    api.fail_request = lambda _: httpx.Response(200, text="<html>maintenance</html>")

    with pytest.raises(ApiUnreachable, match="schedule cannot be read"):
        run_ingest(tmp_path / "lake", api, is_new=True)
    assert not list((tmp_path / "lake").glob("bronze/*"))


def test_an_api_with_invalid_answers_does_not_change_a_lake(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    run_ingest(tmp_path, api)
    before = versions(tmp_path)
    api.fail_request = lambda _: httpx.Response(200, text="{}")

    with pytest.raises(ApiUnreachable):
        run_ingest(tmp_path, api, now=NOON + timedelta(hours=1))
    assert versions(tmp_path) == before
    last = delta_tables.scan_table(tmp_path, ledger.RUNS).sort("started_at").collect().row(-1, named=True)
    assert last["outcome"] == "error"
    assert "schedule cannot be read" in last["error"]


def test_a_run_stops_early_when_the_api_goes_away(tmp_path: Path):
    api = FakeApi([FakeGame(n) for n in range(1, 200)])
    api.fail_request = lambda path: httpx.Response(503) if "gamecenter" in path or "shiftcharts" in path else None
    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 3
    assert sum(tally.failed for tally in summary.page_counts.values()) > 500
    assert sum(count for path, count in api.request_counts.items() if "gamecenter" in path) < 400


STATS = ("rest/en", "shiftcharts")


def without_stats(path: str) -> httpx.Response | None:
    """Refuse every request to the stats host."""
    if any(part in path for part in STATS):
        raise httpx.ConnectError("refused")
    return None


def test_a_stats_host_that_is_down_affects_its_own_pages_only(tmp_path: Path):
    api = FakeApi([FakeGame(n) for n in range(1, 30)])
    api.fail_request = without_stats
    summary = run_ingest(tmp_path, api, only=TABLES)

    assert summary.exit_code == 3
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 29
    charts = summary.page_counts["bronze.shift_charts"]
    assert charts.failed == 29
    reason = "not requested: api.nhle.com at fake cannot be reached: ConnectError refused"
    assert f"2025020001: {reason}" in charts.reasons
    assert sum(count for path, count in api.request_counts.items() if without_stats_is(path)) <= 5

    api.fail_request = lambda _: None
    assert run_ingest(tmp_path, api, now=NOON + timedelta(minutes=5), only=TABLES).exit_code == 0
    assert rows(tmp_path, endpoints.SHIFT_CHARTS).height == 29


def without_stats_is(path: str) -> bool:
    return any(part in path for part in STATS)


def test_a_stats_host_that_answers_errors_does_not_end_the_run(tmp_path: Path):
    api = FakeApi([FakeGame(n) for n in range(1, 40)])
    api.fail_request = lambda path: httpx.Response(500) if without_stats_is(path) else None
    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 3
    assert rows(tmp_path, endpoints.BOXSCORE).height == 39
    assert summary.page_counts["bronze.shift_charts"].failed == 39


def test_stored_seasons_are_used_when_the_list_cannot_be_fetched(tmp_path: Path):
    """The season is over by the calendar, not by its own days: it was played in the summer."""
    summer = datetime(2026, 8, 20, 17, tzinfo=UTC)
    game = FakeGame(1, start=summer - timedelta(days=1))
    api = FakeApi([game])
    listing = api.make_list_response

    def late(path: str) -> httpx.Response:
        if not path.endswith("en/season"):
            return listing(path)
        page = listing(path).json()
        for row in page["data"]:
            row["endDate"] = f"{row['id'] % 10_000}-09-28T00:00:00"
        return httpx.Response(200, json=page)

    api.make_list_response = late
    run_ingest(tmp_path, api, now=summer)
    api.fail_request = without_stats
    summary = run_ingest(tmp_path, api, now=summer + timedelta(days=1))

    assert 20252026 in summary.seasons


def test_since_needs_no_list_of_seasons(tmp_path: Path):
    old = FakeGame(1, year=2024, start=datetime(2025, 1, 10, tzinfo=UTC))
    api = FakeApi([FakeGame(1), old])
    api.fail_request = without_stats
    run_ingest(tmp_path, api, since=date(2025, 1, 1))

    assert old.id in rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"].to_list()


def test_a_week_of_the_schedule_that_fails_does_not_hide_the_games_known_before(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(2, start=NOON - timedelta(days=30))])
    run_ingest(tmp_path, api)
    week = next(path for path in api.request_counts if path.startswith("v1/schedule") and contains(path, FakeGame(1)))
    api.fail_request = lambda path: httpx.Response(500) if path == week else None

    summary = run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), lookback_days=2)

    assert summary.exit_code == 3
    assert summary.page_counts["bronze.play_by_play"].unchanged == 1


def contains(path: str, game: FakeGame) -> bool:
    first = date.fromisoformat(path.rsplit("/", maxsplit=1)[-1])
    return first <= game.start.date() - timedelta(days=1) < first + timedelta(days=7)


def test_an_unknown_season_is_an_error_and_nothing_is_stored(tmp_path: Path):
    for season in (19001901, 20042005, 20302031):
        api = FakeApi([FakeGame(1)], seasons=(20032004, 20252026))
        with pytest.raises(BadInput, match="has no season"):
            run_ingest(tmp_path / "lake", api, seasons=(season,), is_new=True)
    assert not list((tmp_path / "lake").glob("bronze/*"))


def test_since_in_the_future_is_an_error_before_the_first_request(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    with pytest.raises(BadInput, match="in the future"):
        run_ingest(tmp_path / "lake", api, since=date(2026, 1, 11), is_new=True)
    assert not api.request_counts
    assert not (tmp_path / "lake").exists()


def test_the_run_is_recorded_with_what_it_did(tmp_path: Path):
    summary = run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    row = delta_tables.scan_table(tmp_path, ledger.RUNS).collect().row(0, named=True)

    assert (row["run_id"], row["outcome"], row["error"]) == (summary.run_id, "done", None)
    pages = {entry["table"]: entry for entry in row["pages"]}
    assert (pages["bronze.boxscore"]["asked"], pages["bronze.boxscore"]["new"]) == (1, 1)
    assert set(rows(tmp_path, endpoints.BOXSCORE)["run_id"]) == {summary.run_id}


def test_special_events_are_stored_only_with_their_game_type(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(1, type=4)])
    run_ingest(tmp_path, api)
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"].to_list() == [2025020001]

    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), game_types=frozenset({4}))
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"].to_list() == [2025020001, 2025040001]


def test_off_season_a_run_is_done_and_finds_nothing_to_do(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    run_ingest(tmp_path, api)
    summary = run_ingest(tmp_path, api, now=datetime(2026, 8, 1, tzinfo=UTC), lookback_days=1)

    assert summary.exit_code == 0
    assert summary.page_counts["bronze.play_by_play"].asked == 0


def answer_with(api: FakeApi, page: dict, ending: str) -> None:
    api.fail_request = lambda path: httpx.Response(200, json=page) if path.endswith(ending) else None


def test_an_invalid_line_up_does_not_stop_other_games(tmp_path: Path):
    page = FakeGame(1).make_play_by_play()
    del page["rosterSpots"][0]["positionCode"], page["rosterSpots"][1]["playerId"]
    api = FakeApi([FakeGame(1)])
    answer_with(api, page, "2025020001/play-by-play")
    first = run_ingest(tmp_path, api, only=TABLES)
    api.games.append(FakeGame(2, start=NOON + timedelta(hours=1)))
    second = run_ingest(tmp_path, api, now=NOON + timedelta(hours=20), only=TABLES)

    assert first.exit_code == second.exit_code == 3  # an invalid row is dropped, and reported until it is fixed
    assert "every row of bronze.play_by_play is valid" in first.incomplete[0]
    assert delta_tables.scan_table(tmp_path, find_table("silver.quarantine")).collect().is_empty()
    named = (
        delta_tables.scan_table(tmp_path, find_table("silver.game_quality"))
        .filter(pl.col("game_id") == 2025020001)
        .collect()
    )
    assert any("rosterSpots" in text for text in named["actual"])
    assert set(rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"]) == {2025020001, 2025020002}


def test_an_invalid_entry_of_the_schedule_is_reported_and_the_others_are_read(tmp_path: Path):
    api = FakeApi([FakeGame(1), FakeGame(1, type=4)])

    def broken(path: str) -> httpx.Response | None:
        if not path.startswith("v1/schedule"):
            return None
        page = api.make_schedule_week(path.rpartition("/")[2])
        for day in page["gameWeek"]:
            for game in day["games"]:
                if game["gameType"] == 4:
                    game["startTimeUTC"] = None
        return httpx.Response(200, json=page)

    api.fail_request = broken
    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 3
    assert "2025040001" in summary.page_counts["bronze.schedule"].reasons[0]
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 1


def test_a_season_listed_without_dates_does_not_end_the_run(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    listed = [{"id": 20252026, "startDate": "2025-10-07T19:00:00", "endDate": None}]
    api.fail_request = lambda path: (
        httpx.Response(200, json={"data": listed, "total": 1}) if path.endswith("en/season") else None
    )

    assert run_ingest(tmp_path, api).exit_code == 0
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 1


def test_rejected_pages_do_not_stop_older_gaps_from_being_filled(tmp_path: Path):
    games = [FakeGame(n, start=NOON - timedelta(hours=n)) for n in range(2, 40)]
    older = FakeGame(1, start=NOON - timedelta(days=30))
    api = FakeApi([*games, older])
    api.fail_request = lambda path: httpx.Response(200, json={"odd": 1}) if "right-rail" in path else None
    run_ingest(tmp_path, api)

    assert older.id in set(rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"])


def test_a_schedule_that_fails_half_way_is_not_requested_to_its_end(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    is_away = "v1/schedule/2026-02"
    api.fail_request = lambda path: httpx.Response(500) if path.startswith("v1/schedule") and path > is_away else None
    run_ingest(tmp_path, api)

    assert len({path for path in api.request_counts if path.startswith("v1/schedule") and path > is_away}) == 3
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).height == 1


def test_a_json_page_that_is_not_utf_8_is_rejected(tmp_path: Path):
    page = httpx.Response(200, json=FakeGame(1).make_play_by_play()).content.replace(b"Glass Hall", b"Gl\xe4ss Hall")
    api = FakeApi([FakeGame(1)])
    api.fail_request = lambda path: httpx.Response(200, content=page) if "play-by-play" in path else None

    assert run_ingest(tmp_path, api).exit_code == 3
    assert rows(tmp_path, endpoints.PLAY_BY_PLAY).is_empty()


def test_each_entry_of_the_schedule_has_the_address_of_its_own_week(tmp_path: Path):
    run_ingest(tmp_path, FakeApi([FakeGame(n, start=NOON - timedelta(days=10 * n)) for n in range(1, 6)]))

    for day, url in rows(tmp_path, endpoints.SCHEDULE).select("game_date", "url").iter_rows():
        assert timedelta() <= day - date.fromisoformat(url.rpartition("/")[2]) < timedelta(days=7)
