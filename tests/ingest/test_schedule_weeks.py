"""Which weeks of the schedule a run reads: few on a normal day, all that can have changed when a game has."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import find_table
from nhl_lake.hockey.seasons import Season
from nhl_lake.ingest.schedule_plan import SchedulePlan, name_full_read_answer, name_week_answer, plan_schedule
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

DAY = timedelta(days=1)
SEASON = Season(20252026, date(2025, 10, 7), date(2026, 6, 20))
FIRST = date(2025, 10, 5)
TODAY = date(2026, 1, 10)


def list_requested_weeks(api: FakeApi) -> list[str]:
    """Return the first days of the weeks requested since the last call."""
    days = sorted(path.rpartition("/")[2] for path in api.request_counts if path.startswith("v1/schedule/"))
    api.request_counts.clear()
    return days


def read_entry(root: Path, game: FakeGame) -> tuple:
    """Return day, state and schedule state of a game in silver."""
    rows = delta_tables.scan_table(root, find_table("silver.games")).filter(pl.col("game_id") == game.id).collect()
    return rows.select("game_date", "game_state", "schedule_state").row(0)


def season_of_games() -> list[FakeGame]:
    """Return a game every third day from October to April, the past ones final."""
    starts = [datetime(2025, 10, 8, 0, tzinfo=UTC) + n * 3 * DAY for n in range(60)]
    return [FakeGame(n + 1, start=start, state="OFF" if start < NOON else "FUT") for n, start in enumerate(starts)]


def test_a_normal_run_reads_only_the_weeks_around_its_day(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    assert len(list_requested_weeks(api)) > 30

    run_ingest(tmp_path, api, now=NOON + DAY, lookback_days=1)

    assert list_requested_weeks(api) == ["2026-01-04", "2026-01-11", "2026-01-18"]


def test_the_rest_of_the_season_is_read_once_a_week(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    list_requested_weeks(api)
    counts = []
    for n in range(1, 15):
        for game in api.games:
            game.state = "OFF" if game.start < NOON + n * DAY else "FUT"
        run_ingest(tmp_path, api, now=NOON + n * DAY, lookback_days=1)
        days = list_requested_weeks(api)
        assert days[0] >= str(TODAY + (n - 9) * DAY)  # no finished week again
        counts.append(len(days))

    assert [n for n, count in enumerate(counts, 1) if count > 4] == [7, 14]


def test_a_game_that_moves_to_a_far_day_is_found_at_once(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api, only=("silver.games",))
    game = next(game for game in api.games if game.start > NOON + DAY)
    game.start = NOON + 60 * DAY
    run_ingest(tmp_path, api, now=NOON + DAY, only=("silver.games",))

    assert read_entry(tmp_path, game) == (date(2026, 3, 11), "FUT", "OK")
    assert delta_tables.scan_table(tmp_path, ledger.LISTINGS).collect().is_empty()


@pytest.mark.soak
def test_the_schedule_is_read_daily_until_a_postponed_game_has_a_new_day(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    game = next(game for game in api.games if game.start > NOON)
    game.schedule_state = "PPD"
    for n in range(1, 20):
        run_ingest(tmp_path, api, now=NOON + n * DAY)
        assert len(list_requested_weeks(api)) > 10, n
        if n == 12:  # its old entry stays, but no longer counts
            api.games.append(FakeGame(game.number, start=NOON + 50 * DAY, state="FUT"))
            break
    run_ingest(tmp_path, api, now=NOON + 13 * DAY, only=("silver.games",))
    assert read_entry(tmp_path, game) == (date(2026, 3, 1), "FUT", "OK")


def test_the_next_run_reads_weeks_that_passed_without_a_run(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    list_requested_weeks(api)
    now = NOON + 30 * DAY
    for game in api.games:
        game.state = "OFF" if game.start < now else "FUT"
    summary = run_ingest(tmp_path, api, now=now)

    assert list_requested_weeks(api)[0] == "2026-01-04"
    played = [game.id for game in api.games if game.is_final]
    assert sorted(delta_tables.scan_table(tmp_path, endpoints.PLAY_BY_PLAY).collect()["game_id"]) == played
    assert summary.exit_code == 0


def test_a_season_is_read_once_more_after_its_end_and_then_no_more(tmp_path: Path):
    api = FakeApi(season_of_games())
    for game in api.games:
        game.state = "OFF"
    run_ingest(tmp_path, api, now=datetime(2026, 6, 18, 12, tzinfo=UTC))
    list_requested_weeks(api)
    counts = []
    for day in range(22, 28):
        run_ingest(tmp_path, api, now=datetime(2026, 6, day, 12, tzinfo=UTC))
        counts.append(len(list_requested_weeks(api)))

    assert counts[0] > 30
    assert max(counts[2:]) <= 1


def test_a_named_season_is_read_completely(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    complete = list_requested_weeks(api)
    run_ingest(tmp_path, api, now=NOON + DAY, seasons=(20252026,))

    assert list_requested_weeks(api) == complete


def test_a_wide_lookback_reads_the_weeks_of_its_days(tmp_path: Path):
    api = FakeApi(season_of_games())
    run_ingest(tmp_path, api)
    list_requested_weeks(api)
    run_ingest(tmp_path, api, now=NOON + DAY, lookback_days=30)

    assert list_requested_weeks(api)[0] == "2025-12-07"


@pytest.mark.parametrize("missing", [["2026-01-11"], ["2026-01-11", "2026-02-01", "2026-02-08"]])
def test_a_week_without_a_next_week_does_not_end_the_schedule(tmp_path: Path, missing: list[str]):
    late = FakeGame(70, start=datetime(2026, 4, 2, 0, tzinfo=UTC), state="FUT")
    api = FakeApi([FakeGame(1), late])
    api.next_days = dict.fromkeys(missing)
    run_ingest(tmp_path, api, only=("silver.games",))

    assert max(api.request_counts.values()) == 1
    assert read_entry(tmp_path, late) == (date(2026, 4, 1), "FUT", "OK")


def test_a_week_with_a_next_week_far_ahead_loses_no_game_in_between(tmp_path: Path):
    between = FakeGame(70, start=datetime(2026, 2, 12, 0, tzinfo=UTC), state="FUT")
    api = FakeApi([FakeGame(1), between])
    api.next_days = {"2026-01-11": "2026-05-31"}
    run_ingest(tmp_path, api, only=("silver.games",))

    assert read_entry(tmp_path, between) == (date(2026, 2, 11), "FUT", "OK")


@pytest.mark.parametrize(("left", "days"), [("PPD", 9), ("SUSP", -9), ("CNCL", 9), ("CNCL", -9)])
def test_the_played_one_of_two_entries_of_a_game_counts(tmp_path: Path, left: str, days: int):
    played = FakeGame(1, start=NOON - DAY)
    api = FakeApi(
        [
            FakeGame(1, start=NOON + days * DAY, state="FUT", schedule_state=left),
            played,
            FakeGame(2, start=NOON - 20 * DAY),
        ]
    )
    for n in range(3):
        run_ingest(tmp_path, api, now=NOON + n * DAY, only=("silver.games",))

        assert read_entry(tmp_path, played) == (date(2026, 1, 9), "OFF", "OK")
    assert played.id in delta_tables.scan_table(tmp_path, endpoints.PLAY_BY_PLAY).collect()["game_id"]
    assert delta_tables.scan_table(tmp_path, endpoints.SCHEDULE).collect().height == 2


def test_an_old_entry_of_a_played_game_does_not_cost_a_request_per_day(tmp_path: Path):
    old = FakeGame(1, start=NOON - 20 * DAY, state="FUT", schedule_state="PPD")
    api = FakeApi([old, FakeGame(1, start=NOON - 40 * DAY), FakeGame(2, start=NOON + 2 * DAY, state="FUT")])
    run_ingest(tmp_path, api)
    list_requested_weeks(api)
    run_ingest(tmp_path, api, now=NOON + DAY)

    assert list_requested_weeks(api) == ["2026-01-04", "2026-01-11", "2026-01-18"]


def test_the_next_run_reads_weeks_that_failed(tmp_path: Path):
    api = FakeApi(season_of_games())
    api.fail_request = lambda path: httpx.Response(404) if path == "v1/schedule/2025-11-02" else None
    assert run_ingest(tmp_path, api).exit_code == 3
    complete = list_requested_weeks(api)
    api.fail_request = lambda _: None

    assert run_ingest(tmp_path, api, now=NOON + DAY).exit_code == 0
    assert list_requested_weeks(api) == complete


def games(*rows: tuple[int, date, str, str]) -> pl.DataFrame:
    schema = {"game_id": pl.Int64, "game_date": pl.Date, "game_state": pl.String, "schedule_state": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read(at: datetime, *, lists: int = 1) -> pl.DataFrame:
    """Return the answers of a lake that read all of the season at a moment."""
    pages = [name_week_answer(SEASON.season, FIRST + n * 7 * DAY, lists) for n in range(38)]
    rows = [
        {"table": "bronze.schedule", "page": page, "answer": "read", "asked_at": at, "state": None, "run_id": "r"}
        for page in [*pages, name_full_read_answer(SEASON.season)]
    ]
    return pl.DataFrame(rows, schema=ledger.ANSWERS.schema)


def finals(until: date) -> list[tuple[int, date, str, str]]:
    """Return a game a week that is over."""
    return [(n, FIRST + n * 7 * DAY, "OFF", "OK") for n in range(38) if FIRST + n * 7 * DAY < until]


def test_a_lake_without_answers_reads_the_complete_schedule():
    reading = plan_schedule(SEASON, games(*finals(TODAY)), ledger_empty(), NOON, None)
    assert reading == SchedulePlan((), FIRST, TODAY, reads_to_end=True)


def ledger_empty() -> pl.DataFrame:
    return pl.DataFrame(schema=ledger.ANSWERS.schema)


@pytest.mark.parametrize(
    ("game", "weeks"),
    [
        ((99, date(2025, 11, 20), "FUT", "PPD"), (date(2025, 11, 16),)),
        ((99, date(2025, 11, 20), "LIVE", "SUSP"), (date(2025, 11, 16),)),
        ((99, date(2025, 11, 20), "FUT", "OK"), (date(2025, 11, 16),)),
        ((99, date(2025, 11, 20), "FUT", "CNCL"), ()),
        ((99, date(2025, 11, 20), "FUT", "GONE"), ()),
        ((99, date(2025, 11, 20), "FINAL", "OK"), ()),
    ],
)
def test_a_past_week_with_an_open_game_is_read(game: tuple, weeks: tuple):
    reading = plan_schedule(SEASON, games(*finals(TODAY), game), read(NOON - DAY), NOON, None)
    assert reading.weeks == weeks


def test_a_week_with_lost_games_is_read():
    known = [row for row in finals(TODAY) if row[0] != 4]
    assert plan_schedule(SEASON, games(*known), read(NOON - DAY), NOON, None).weeks == (FIRST + 28 * DAY,)
