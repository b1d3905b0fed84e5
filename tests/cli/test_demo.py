"""The sample league on the command line: `nhl-lake demo`, `nhl-lake league serve`, and NHL_LAKE_API=league:."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import find_table
from nhl_lake.cli import demo
from nhl_lake.ingest.run import IngestSummary
from nhl_lake.ingest.writer import PageCounts
from tests.support import lakes
from tests.support.commands import CommandResult, get_clean_environment

Cli = Callable[..., CommandResult]


def test_the_demo_creates_a_lake_and_each_time_adds_a_day_of_games(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "demo"
    first = run_cli("demo", "--root", str(root), root=tmp_path / "elsewhere")
    assert first.code == 0, first.err
    for sign in (
        "every game since",
        "Most goals in these weeks",
        "Next games",
        "Try next",
        "nhl-lake rebuild",
        "nhl-lake game 20250",
    ):
        assert sign in first.out
    report = root.with_name("demo-report.html")
    last = first.out.rstrip().splitlines()[-1].strip()
    assert last == str(report)
    before = report.read_text(encoding="utf-8")
    assert before.startswith("<!doctype html>")
    days = lakes.read_rows(root, find_table("silver.games")).filter(game_state="OFF")["game_date"].max()
    held = set(lakes.read_rows(root, endpoints.PLAY_BY_PLAY)["game_id"])

    second = run_cli("demo", "--root", str(root), "--json", root=tmp_path / "elsewhere")
    assert second.code == 0, second.err
    assert report.read_text(encoding="utf-8") != before
    new = set(lakes.read_rows(root, endpoints.PLAY_BY_PLAY)["game_id"]) - held
    assert second.json["tables"]["bronze.play_by_play"]["new"] == len(new)
    assert 0 < len(new) <= 16
    assert lakes.read_rows(root, find_table("silver.games")).filter(game_state="OFF")["game_date"].max() > days
    assert not (tmp_path / "elsewhere").exists()


def test_the_demo_says_what_one_more_day_brought(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    summary = IngestSummary("r", (), defaultdict(PageCounts, {"bronze.play_by_play": PageCounts(new=7)}))

    demo.print_next_steps(tmp_path, 2025021200, summary, demo.FIRST_MORNING, is_first=False)

    printed = capsys.readouterr().out
    assert "One more day came in: 7 new games, and 0 changed" in printed
    assert "nhl-lake game 2025021200" in printed
    assert "nhl-lake site serve" in printed


def test_the_league_is_served_over_http_until_it_is_interrupted(tmp_path: Path):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "nhl_lake",
            "league",
            "serve",
            "--troubled",
            "--port",
            "0",
            "--as-of",
            "2026-01-20T14:00:00Z",
            "--json",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=get_clean_environment() | {"PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        address = json.loads("".join(process.stdout.readline() for _ in range(3)))["url"]
        page = httpx.get(f"{address}/v1/schedule/2026-01-19").json()
        assert page["gameWeek"][0]["date"] == "2026-01-19"
        assert httpx.get(f"{address}/_stats").json()["requests"] == 1
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--port", "99999"], "'--port': Input should be from 0 to 65,535"),
        (["--fail", "1.5"], "'--fail': Input should be from 0 to 1"),
        (["--latency-ms", "-1"], "'--latency-ms': Input should be from 0 to 3,600,000"),
        (["--rate", "-1"], "'--rate': Input should be from 0 to 2,147,483,647"),
        (["--season", "1900"], "This league plays from"),
        (["--as-of", "tomorrow"], "--as-of tomorrow is not a timestamp"),
        (["--as-of", "2026-01-01T00:00:00"], "has no time zone"),
    ],
)
def test_invalid_options_of_the_league_are_named(run_cli: Cli, tmp_path: Path, words: list[str], what: str):
    ended = run_cli("league", "serve", *words, root=tmp_path)

    assert ended.code == 2
    assert what in ended.err.splitlines()[0]
    assert len(ended.err.splitlines()) == 2
