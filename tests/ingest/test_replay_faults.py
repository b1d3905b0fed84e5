"""Recorded pages served with faults, to runs that are killed, stopped or cut off."""

import itertools
import random
import shutil
import signal
import time
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.ingest import client
from nhl_lake.ingest.client import RateLimit
from tests.support import lakes

FIRST = datetime(2023, 10, 11, 12, tzinfo=UTC)
NOW = datetime(2023, 10, 13, 12, tzinfo=UTC)
LISTS = {endpoints.SCHEDULE.name, endpoints.TEAMS.name, endpoints.SEASONS.name}


def week(archive):
    return [number for number, head in archive().games.items() if head["gameDate"] <= "2023-10-14"]


def as_served(server, url, now):
    """Return what the server returns at a URL without faults."""
    parts = urlsplit(url)
    body, _ = server.pages.get(parts.path, parse_qs(parts.query), now)
    return body.decode()


def count_rows_as_served(server, root, now):
    """Compare every stored row of every version with what the server serves without faults; return their number."""
    stored = 0
    for table in endpoints.TABLES:
        for url, body in lakes.read_rows(root, table).select("url", "body").iter_rows():
            text = as_served(server, url, now)
            assert body in text if table.name in LISTS else body == text, f"{table.name} {url}"
            stored += 1
    return stored


@pytest.mark.parametrize("seeds", [(1,), pytest.param(range(2, 20), marks=pytest.mark.soak)])
def test_when_a_fifth_of_the_answers_fail_all_pages_arrive_and_none_is_wrong(
    seeds, archive, replay, start_cli, run_here, tmp_path
):
    calm = replay(games=week(archive), as_of=FIRST)
    words = ("ingest", "--no-rebuild")
    assert run_here(*words, root=tmp_path / "calm", api=calm.base_url, now=FIRST).code == 0
    servers = {seed: replay(games=week(archive), as_of=FIRST, fail=0.2, seed=seed) for seed in seeds}

    runs = {
        seed: start_cli(*words, "--json", root=tmp_path / str(seed), api=server.base_url, now=FIRST)
        for seed, server in servers.items()
    }
    for seed, run in runs.items():
        out, err = run.communicate(timeout=300)
        stats = servers[seed].fetch_stats()
        print(f"seed {seed}: {stats}")  # noqa: T201 - the figures are wanted
        assert run.returncode == 0, out + err
        assert stats["requests"] > len(calm.served)
        assert lakes.read_all_pages(tmp_path / str(seed)) == lakes.read_all_pages(tmp_path / "calm")
        assert count_rows_as_served(calm, tmp_path / str(seed), FIRST) > 200


def killed_at(start, server, root, moment, delay_s, now=NOW):
    """Start a run, kill it after a number of requests and a delay, and return whether it was still running."""
    before = len(server.served)
    run = start("ingest", root=root, api=server.base_url, now=now)
    while run.poll() is None and len(server.served) - before < moment:
        time.sleep(0.002)
    time.sleep(delay_s)
    run.kill()
    run.communicate()
    return run.returncode == -signal.SIGKILL


def versions_of_pages(root):
    """Return every stored version by its hash, twice if it is stored twice."""
    return {
        table.name: sorted(lakes.read_rows(root, table).select(lakes.make_page_names(table), "sha256").rows())
        for table in endpoints.TABLES
    }


@pytest.mark.parametrize("kills", [1, pytest.param(40, marks=pytest.mark.soak)])
def test_runs_that_are_killed_lose_nothing_that_was_reported_and_a_run_ends_as_if_never_killed(
    kills, archive, replay, start_cli, run_here, tmp_path
):
    rng = random.Random(2023)
    server = replay(games=week(archive), as_of=FIRST)
    reported, reference = tmp_path / "reported", tmp_path / "reference"
    assert run_here("ingest", root=reported, api=server.base_url, now=FIRST).code == 0
    server.args.as_of = NOW
    shutil.copytree(reported, reference)
    before = len(server.served)
    assert run_here("ingest", root=reference, api=server.base_url, now=NOW).code == 0
    asked = len(server.served) - before

    moments = []
    for trial in itertools.count():
        if len(moments) == kills:
            break
        root = tmp_path / f"killed{trial}"
        shutil.copytree(reported, root)
        stored = {table: lakes.read_row_set(root, table) for table in endpoints.TABLES if table.is_append_only}
        people = set(lakes.read_newest_pages(root, endpoints.PLAYERS))
        # kill run after run on one lake, until a run ends before the kill
        while len(moments) < kills:
            moment, delay = rng.randint(1, asked), rng.choice([0, 0.05, 0.2, 0.5])
            if not killed_at(start_cli, server, root, moment, delay):
                break
            moments.append((moment, delay))
            for table, rows in stored.items():
                stored[table] = lakes.read_row_set(root, table)
                assert stored[table] >= rows, table.name
            assert people <= set(lakes.read_newest_pages(root, endpoints.PLAYERS))
        assert run_here("ingest", root=root, api=server.base_url, now=NOW).code == 0
        assert lakes.read_all_pages(root) == lakes.read_all_pages(reference)
        assert versions_of_pages(root) == versions_of_pages(reference)
        for table in lakes.BUILT_TABLES:
            if table.name not in lakes.PREDICTED_TABLES:
                assert lakes.read_sorted_rows(root, table).equals(lakes.read_sorted_rows(reference, table))
    print("killed after so many answers, and seconds:", sorted(moments))  # noqa: T201 - the figures are wanted


@pytest.mark.soak
def test_the_next_run_continues_a_first_run_that_was_killed_while_it_created_the_lake(
    archive, replay, start_cli, run_here, tmp_path
):
    rng = random.Random(7)
    server = replay(games=week(archive), as_of=FIRST, latency_ms=2)
    reference = tmp_path / "reference"
    words = ("ingest", "--no-rebuild")
    assert run_here(*words, root=reference, api=server.base_url, now=FIRST).code == 0
    for trial in range(3):
        root = tmp_path / f"first{trial}"
        # between the schedule's last page and the first page of a game the tables are made
        killed_at(start_cli, server, root, 4, rng.uniform(0, 0.25), now=FIRST)
        ended = run_here(*words, root=root, api=server.base_url, now=FIRST)
        assert ended.code == 0, ended.err
        assert lakes.read_all_pages(root) == lakes.read_all_pages(reference)


def until(condition, seconds=8):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def played(server, now):
    return [game for game in server.pages.games if server.pages.played(game, now)]


def game_paths(answers):
    return {path.split("/")[3] for status, path in answers if status == 200 and path.endswith("/play-by-play")}


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_a_stopped_run_stores_what_has_arrived_and_says_so(number, archive, replay, start_cli, run_here, tmp_path):
    root = tmp_path / "lake"
    server = replay(games=week(archive), as_of=NOW, latency_ms=20)
    run = start_cli("ingest", "--json", root=root, api=server.base_url, now=NOW)
    until(lambda: len(game_paths(server.served)) > 5)
    arrived = game_paths(list(server.served)[:-8])  # except for requests that had started
    run.send_signal(number)
    out, err = run.communicate(timeout=30)

    assert run.returncode == 130, out + err
    assert '"outcome": "stopped"' in out
    stored = {str(game) for game in lakes.read_rows(root, endpoints.PLAY_BY_PLAY)["game_id"]}
    assert stored >= arrived
    assert len(arrived) > 0
    (recorded,) = run_here("runs", "--json", root=root).json
    assert recorded["outcome"] == "stopped"
    assert count_rows_as_served(server, root, NOW) > 0
    assert run_here("ingest", root=root, api=server.base_url, now=NOW).code == 0
    assert len(lakes.read_rows(root, endpoints.PLAY_BY_PLAY)) == len(played(server, NOW))


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_while_it_rebuilds_says_so_too(number, archive, replay, start_cli, run_here, tmp_path):
    root = tmp_path / "lake"
    games = [number for number, head in archive().games.items() if head["gameDate"] <= "2023-10-31"]
    server = replay(games=games, as_of="2023-11-01T12:00:00Z")
    run = start_cli("ingest", root=root, api=server.base_url, now="2023-11-01T12:00:00Z")
    rebuilt = root / "silver" / "games" / "_delta_log" / f"{1:020}.json"  # the first that is made; plays follow
    until(rebuilt.exists, 60)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)

    assert run.returncode == 130, out + err
    assert "Traceback" not in err
    (recorded,) = run_here("runs", "--json", root=root).json
    assert recorded["outcome"] == "stopped"
    assert len(lakes.read_rows(root, endpoints.PLAY_BY_PLAY)) > 100


@pytest.mark.parametrize("words", [(), ("--season", "2023")])
def test_a_run_that_is_stopped_while_it_reads_the_schedule_is_stopped_and_not_failed(
    words, archive, replay, start_cli, tmp_path
):
    root = tmp_path / "lake"
    server = replay(games=week(archive), as_of=FIRST, latency_ms=400)
    run = start_cli("ingest", *words, root=root, api=server.base_url, now=FIRST)
    arrived = []
    get = server.pages.get
    server.pages.get = lambda *asked: arrived.append(asked) or get(*asked)
    until(lambda: arrived)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)

    assert run.returncode == 130, out + err


@pytest.mark.soak
def test_a_run_whose_network_fails_half_way_ends_with_3_and_the_next_run_continues(
    archive, replay, run_here, tmp_path, monkeypatch
):
    monkeypatch.setattr(client, "RateLimit", partial(RateLimit, first_backoff_s=0.01))
    root, reference = tmp_path / "lake", tmp_path / "reference"
    server = replay(games=week(archive), as_of=FIRST)
    assert run_here("ingest", root=reference, api=server.base_url, now=FIRST).code == 0
    all_served = len(server.served)

    server.dies_after = all_served + 40
    ended = run_here("ingest", "--json", root=root, api=server.base_url, now=FIRST)
    assert ended.code == 3
    tables = ended.json["tables"]
    assert sum(table["failed"] for table in tables.values()) > 0
    for name, table in tables.items():
        assert len(table["reasons"]) == min(table["failed"], 50), name
    stored = {table: lakes.read_row_set(root, table) for table in endpoints.TABLES}
    assert sum(len(rows) for rows in stored.values()) > 100
    for table in endpoints.TABLES:
        named = {reason.split(": ")[0] for reason in tables.get(table.name, {"reasons": []})["reasons"]}
        assert named.isdisjoint(lakes.read_newest_pages(root, table)), table.name

    printed = run_here("ingest", root=root, api=server.base_url, now=FIRST)
    assert printed.code == 1  # nothing answers at all
    assert {table: lakes.read_row_set(root, table) for table in endpoints.TABLES} == stored

    server.dies_after = None
    assert run_here("ingest", root=root, api=server.base_url, now=FIRST).code == 0
    assert lakes.read_all_pages(root) == lakes.read_all_pages(reference)


def test_a_run_whose_network_fails_with_the_schedule_does_not_request_every_week(
    archive, replay, run_here, tmp_path, monkeypatch
):
    monkeypatch.setattr(client, "RateLimit", partial(RateLimit, first_backoff_s=0.001))
    server = replay(pages=archive(), as_of=FIRST)
    server.dies_after = 6  # two lists and four weeks of some forty

    ended = run_here("ingest", root=tmp_path / "lake", api=server.base_url, now=FIRST)

    assert ended.code in {1, 3}
    weeks = {path for path in server.cut if "/schedule/" in path}
    assert 1 <= len(weeks) <= 4


@pytest.mark.parametrize("name", ["Überlauf+1 lake", pytest.param("my lake", marks=pytest.mark.soak)])
def test_a_lake_may_be_in_a_folder_with_any_name(name, archive, replay, run_here, tmp_path):
    server = replay(games=[2023020001], as_of=FIRST)
    root = tmp_path / name / "lake"
    ended = [run_here("ingest", root=root, api=server.base_url, now=FIRST) for _ in range(2)]

    assert [run.code for run in ended] == [0, 0]
    assert run_here("show", "gold.skater_game", "--limit", "100", "--json", root=root).json
    assert run_here("status", root=root).code == 0
