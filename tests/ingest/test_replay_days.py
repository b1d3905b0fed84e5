"""Recorded pages of 2023-24, run after run as the days go by."""

from datetime import UTC, datetime, timedelta

import pytest
from polars.testing import assert_frame_equal

from nhl_lake.bronze import endpoints
from tests.support import lakes

FIRST = datetime(2023, 10, 10, 12, tzinfo=UTC)
# last day, the first upcoming games that are also served, and the least number of played games
PERIODS = [
    (datetime(2023, 10, 13, 12, tzinfo=UTC), "2023-10-16", 10),
    pytest.param(datetime(2023, 10, 15, 12, tzinfo=UTC), "2023-10-19", 25, marks=pytest.mark.soak),
    pytest.param(datetime(2023, 11, 10, 12, tzinfo=UTC), "2023-11-19", 190, marks=pytest.mark.soak),
]


def games_until(pages, day):
    return [number for number, head in pages.games.items() if head["gameDate"] <= day]


def ran(run, *words, server, root, now):
    server.args.as_of = now
    ended = run("ingest", *words, "--json", root=root, api=server.base_url, now=now)
    assert ended.code == (3 if ended.json["incomplete"] else 0), ended.err  # pages of two recordings may disagree
    return ended.json


def assert_same_lakes(root, other):
    for table in endpoints.TABLES:
        name, pages, others = table.name, lakes.read_newest_pages(root, table), lakes.read_newest_pages(other, table)
        assert pages.keys() == others.keys(), name
        assert [page for page in pages if pages[page] != others[page]] == [], name
    for table in lakes.BUILT_TABLES:
        one, two = (lakes.read_sorted_rows(lake, table) for lake in (root, other))
        assert one.height > 0 or table not in lakes.GAME_TABLES
        if table.name not in lakes.PREDICTED_TABLES:
            assert_frame_equal(one, two)


@pytest.mark.parametrize(("last", "ahead", "games"), PERIODS)
def test_a_season_day_by_day_is_as_one_run_at_the_end_and_every_run_repeated_changes_nothing(
    last, ahead, games, archive, replay, run_here, tmp_path
):
    server = replay(games=games_until(archive(), ahead))
    by_day, at_the_end = tmp_path / "by_day", tmp_path / "at_the_end"
    now = FIRST
    while now <= last:
        # the last test of this file rebuilds after every run
        words = [] if now.day % 3 == 0 or now == last else ["--no-rebuild"]
        ran(run_here, *words, server=server, root=by_day, now=now)
        before = lakes.read_versions(by_day)
        again = ran(run_here, *words, server=server, root=by_day, now=now + timedelta(minutes=30))
        assert lakes.read_versions(by_day) == before, now
        assert (again["pages"]["new"], again["pages"]["changed"], again["rebuilt"]) == (0, 0, []), now
        now += timedelta(days=1)
    ran(run_here, server=server, root=at_the_end, now=last)

    played = {number for number in server.pages.games if server.pages.played(number, last)}
    assert len(played) > games
    assert {int(page) for page in lakes.read_newest_pages(by_day, endpoints.PLAY_BY_PLAY)} == played
    assert_same_lakes(by_day, at_the_end)


@pytest.mark.soak
def test_daily_second_looks_and_days_without_a_run_end_in_the_same_lake(archive, replay, run_here, tmp_path):
    server = replay(games=games_until(archive(), "2023-10-21"))
    often, seldom = tmp_path / "often", tmp_path / "seldom"
    for day in range(6):
        now = FIRST + timedelta(days=day)
        words = [] if day in {0, 3, 5} else ["--no-rebuild"]  # the next test rebuilds after every run
        ran(run_here, "--lookback", "1", *words, server=server, root=often, now=now)
        if day in {0, 5}:
            ran(run_here, server=server, root=seldom, now=now)

    assert_same_lakes(often, seldom)


@pytest.mark.soak
def test_runs_at_any_hour_of_a_game_day_end_in_the_same_lake_as_one_run_after_it(archive, replay, run_here, tmp_path):
    server = replay(games=games_until(archive(), "2023-10-13"))
    hourly, once = tmp_path / "hourly", tmp_path / "once"
    now = datetime(2023, 10, 10, 20, tzinfo=UTC)
    end = datetime(2023, 10, 12, 12, tzinfo=UTC)
    while now <= end:
        ran(run_here, server=server, root=hourly, now=now)
        now += timedelta(hours=6)
    ran(run_here, server=server, root=once, now=end)

    assert_same_lakes(hourly, once)
