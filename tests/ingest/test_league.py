"""The ingest on the sample league, in process and over HTTP: day by day equals one run, and corrections come in."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import find_table
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import ClientConfig, IngestSummary, Options, ingest
from nhl_lake.league import League
from nhl_lake.league.defects import Defect
from nhl_lake.league.faults import Faults
from nhl_lake.league.quirks import DefectShares
from nhl_lake.league.server import serve_league
from nhl_lake.league.transport import LeagueTransport
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.page_versions import normalize_content
from tests.support import lakes
from tests.support.fake_api import SilentReport, fixed_clock

LAST_DAY = datetime(2026, 1, 20, 14, 0, tzinfo=UTC)  # 09:00 in New York
DAYS = 2
SINCE = date(2026, 1, 17)
# player pages and rosters change from day to day
DATED_PAGES = {endpoints.PLAYERS.name, endpoints.ROSTERS.name}


@pytest.fixture(scope="module")
def league() -> League:
    """A league whose pages are corrected but have no defects: every run ends with 0."""
    return League(seasons=(20242025, 20252026), shares=DefectShares(**dict.fromkeys(Defect, 0.0)))


def run(root: Path, config: ClientConfig, now: datetime, *, rebuilds: bool = True, **options: object) -> IngestSummary:
    return ingest(
        root,
        Options(**{"since": SINCE, "lookback_days": 7} | options),
        config,
        clock=fixed_clock(now),
        progress=SilentReport(),
        command="nhl-lake ingest",
        rebuilds=rebuilds,
    )


def in_process(league: League, now: datetime, faults: Faults | None = None) -> ClientConfig:
    rate_limit = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake tests", first_backoff_s=0.01)
    return ClientConfig(
        rate_limit=rate_limit, base_url="http://league", transport=LeagueTransport(league, fixed_clock(now), faults)
    )


@pytest.fixture(scope="module")
def once(league: League, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of some days of the league, made in one run."""
    root = tmp_path_factory.mktemp("once") / "lake"
    assert run(root, in_process(league, LAST_DAY), LAST_DAY).exit_code in {0, 3}  # some pages are fixed later
    return root


@pytest.fixture(scope="module")
def daily(league: League, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of the same days, made day by day."""
    root = tmp_path_factory.mktemp("daily") / "lake"
    for n in range(DAYS, -1, -1):
        now = LAST_DAY - timedelta(days=n)
        assert run(root, in_process(league, now), now).exit_code in {0, 3}
    return root


def read_content(root: Path, table: Table) -> dict[str, tuple[object, ...]]:
    """Return the newest pages without volatile keys, which make no new version."""
    volatile = table.endpoint.ignored_keys
    pages = lakes.read_newest_pages(root, table)
    return {page: (normalize_content(body, volatile), *about) for page, (body, *about) in pages.items()}


def test_day_by_day_gives_the_same_newest_pages_as_one_run(once: Path, daily: Path):
    for table in endpoints.TABLES:
        if table.name in DATED_PAGES:
            assert lakes.read_newest_pages(daily, table).keys() >= lakes.read_newest_pages(once, table).keys()
        else:
            assert read_content(daily, table) == read_content(once, table), table.name


def test_day_by_day_gives_the_same_silver_and_gold_as_one_run(once: Path, daily: Path):
    for table in lakes.BUILT_TABLES:
        if table.name not in lakes.DATED_TABLES:
            assert_frame_equal(*(lakes.read_sorted_rows(root, table) for root in (once, daily)))


def test_corrections_arrive_and_both_versions_are_stored(daily: Path):
    pages = lakes.read_rows(daily, endpoints.PLAY_BY_PLAY).filter(pl.col("state") == "OFF")
    corrected = pages.group_by("game_id").len().filter(pl.col("len") > 1)

    assert corrected.height > 0
    assert lakes.read_rows(daily, find_table("silver.plays"))["game_id"].n_unique() == pages["game_id"].n_unique()


def test_a_run_that_is_repeated_changes_nothing(league: League, once: Path):
    before = lakes.read_versions(once)
    summary = run(once, in_process(league, LAST_DAY), LAST_DAY)

    assert lakes.read_versions(once) == before
    assert summary.rebuilt == []


@pytest.mark.soak
def test_one_lake_has_two_seasons(league: League, tmp_path: Path):
    first = datetime(2025, 3, 3, 14, 0, tzinfo=UTC)
    run(tmp_path, in_process(league, first), first, since=date(2025, 3, 2))
    run(tmp_path, in_process(league, LAST_DAY), LAST_DAY, since=date(2026, 1, 19))

    for table in (*endpoints.GAME_PAGES, *lakes.GAME_TABLES):
        assert lakes.read_rows(tmp_path, table)["season"].unique().sort().to_list() == [20242025, 20252026], table.name
    assert delta_tables.scan_table(tmp_path, endpoints.SEASONS).collect().height == 2


@pytest.fixture
def served(league: League) -> Callable[..., str]:
    """Return a function that serves the league over HTTP in a thread, and returns its address."""

    def start(now: datetime, faults: Faults) -> str:
        found: list[str] = []
        is_up = threading.Event()

        def ready(url: str) -> None:
            found.append(url)
            is_up.set()

        threading.Thread(
            target=serve_league,
            args=(league,),
            kwargs={"port": 0, "clock": fixed_clock(now), "faults": faults, "ready": ready},
            daemon=True,
        ).start()
        assert is_up.wait(10)
        return found[0]

    return start


@pytest.mark.parametrize("faults", [pytest.param(Faults(), marks=pytest.mark.soak), Faults(fail=0.2, seed=3)])
def test_over_http_the_pages_are_the_same_as_in_process(
    league: League, tmp_path: Path, served: Callable[..., str], faults: Faults
):
    base = served(LAST_DAY, faults)
    rate_limit = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake tests", first_backoff_s=0.01)
    two_days = date(2026, 1, 18)
    there, here = ClientConfig(rate_limit=rate_limit, base_url=base), in_process(league, LAST_DAY)
    over_http = run(tmp_path / "http", there, LAST_DAY, rebuilds=False, since=two_days)
    run(tmp_path / "here", here, LAST_DAY, rebuilds=False, since=two_days)

    assert over_http.exit_code in {0, 3}
    assert lakes.read_all_pages(tmp_path / "http") == lakes.read_all_pages(tmp_path / "here")


def test_live_and_unplayed_games_of_an_evening_are_not_stored(league: League, tmp_path: Path):
    evening = datetime(2026, 1, 18, 1, 30, tzinfo=UTC)  # 20:30 in New York, a Saturday
    run(tmp_path, in_process(league, evening), evening, since=date(2026, 1, 17))
    games = lakes.read_rows(tmp_path, find_table("silver.games"))
    running = games.filter(pl.col("game_state").is_in(["LIVE", "CRIT", "PRE"]))

    assert running.height > 0
    assert running["home_score"].null_count() == running.height
    held = lakes.read_rows(tmp_path, endpoints.PLAY_BY_PLAY)["game_id"].to_list()
    assert not set(held) & set(running["game_id"])


@pytest.mark.soak
def test_every_season_has_games_of_all_three_types_and_the_cancelled_one_is_no_gap(league: League, tmp_path: Path):
    summer = datetime(2026, 7, 10, 14, 0, tzinfo=UTC)
    summary = run(tmp_path, in_process(league, summer), summer, since=date(2026, 6, 10), lookback_days=None)
    games = lakes.read_rows(tmp_path, find_table("silver.games"))

    assert set(games["game_type"]) == {1, 2, 3}
    assert "CNCL" in set(games["schedule_state"])
    assert summary.exit_code in {0, 3}
    assert not summary.waiting.filter(pl.col("why") == "missing").height
