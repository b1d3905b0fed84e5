"""Tests of the lines on stderr: as JSON each is an object with time, level, run, message and fields."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from nhl_lake.cli import errors, log
from nhl_lake.cli.console import FetchProgressBar
from nhl_lake.clock import make_clock
from nhl_lake.errors import BadInput
from nhl_lake.schema import ledger
from tests.support import lakes
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, use_fake_api

Cli = Callable[..., CommandResult]
NASTY = 'a "name"\nwith\x1b[31m everything\u2028\u202e é ☃'


@pytest.fixture(autouse=True)
def _reset():
    yield
    log.reset()


def read_lines(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(list(line) == ["time", "level", "run", "message", "fields"] for line in lines)
    assert all(datetime.fromisoformat(line["time"]).tzinfo is not None for line in lines)
    assert {line["level"] for line in lines} <= {"info", "warning", "error"}
    return lines


def test_a_run_is_one_object_a_line_with_the_id_of_the_ledger(
    run_here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: httpx.Response(404) if "2025020002/play" in path else None
    use_fake_api(monkeypatch, api)
    ended = run_here("ingest", "--no-rebuild", "--quiet", "--log-format", "json", root=tmp_path / "lake", now=NOON)
    lines = read_lines(ended.err)
    run = lakes.read_rows(tmp_path / "lake", ledger.RUNS).row(0, named=True)

    assert (ended.out, ended.code) == ("", 3)
    assert {line["run"] for line in lines} == {run["run_id"]}
    assert [(line["level"], line["message"].partition(":")[0]) for line in lines] == [
        ("info", "run started"), ("warning", "run ended"), ("warning", "Incomplete"),
    ]  # fmt: skip
    end = lines[1]["fields"]
    assert (end["outcome"], end["exit_code"]) == (run["outcome"], ended.code)
    assert end["pages"]["new"] > 0
    assert lines[0]["time"].startswith(f"{NOON:%Y-%m-%dT%H:%M}")  # by the clock of the settings


@pytest.mark.parametrize("given", ["option", "equals", "variable", "file"])
def test_an_error_is_an_object_however_the_format_is_set(run_cli: Cli, tmp_path: Path, given: str):
    root = tmp_path / "lake"
    root.mkdir()
    if given == "file":
        (root / "nhl-lake.toml").write_text('log_format = "json"\n')
    words = {"option": ["--log-format", "json"], "equals": ["--log-format=json"]}.get(given, [])
    ended = run_cli("status", *words, root=root, **({"log_format": "json"} if given == "variable" else {}))
    (line,) = read_lines(ended.err)

    assert (ended.code, ended.out) == (1, "")
    assert (line["level"], line["message"]) == ("error", f"There is no lake at {root}.")
    assert line["fields"]["exit_code"] == 1
    assert "nhl-lake ingest" in line["fields"]["hint"]


def test_a_wrong_option_and_a_wrong_format_are_reported(run_cli: Cli, tmp_path: Path):
    (line,) = read_lines(run_cli("status", "--nonsense", "--log-format", "json", root=tmp_path).err)
    assert "--nonsense" in line["message"]

    ended = run_cli("status", "--log-format", "xml", root=tmp_path)
    assert (ended.code, "NHL_LAKE_LOG_FORMAT = 'xml'" in ended.err, len(ended.err.splitlines())) == (2, True, 2)


def test_text_from_outside_stays_in_its_line(capsys: pytest.CaptureFixture[str]):
    log.configure("json", make_clock())
    log.write("warning", NASTY, page=NASTY)
    said = capsys.readouterr().err
    (line,) = read_lines(said)

    assert said.isascii()
    assert said.count("\n") == 1
    assert (line["message"], line["fields"]) == (NASTY, {"page": NASTY})

    log.configure("text", make_clock())
    log.write("warning", NASTY, page=NASTY)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_each_run_has_an_id_of_its_own():
    ids = set()
    for _ in range(3):
        log.configure("json", make_clock())
        ids.add(log.get_log().run_id)
        assert log.get_log().run_id in ids
    assert len(ids) == 3


def test_progress_has_numbers_for_programs(capsys: pytest.CaptureFixture[str]):
    log.configure("json", make_clock())
    bar = FetchProgressBar(quiet=False)
    bar.printed_at -= 60
    bar.add_pages(4)
    bar.advance()
    (line,) = read_lines(capsys.readouterr().err)

    assert (line["level"], line["fields"]) == ("info", {"done": 1, "total": 4})


def test_a_bug_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["nhl-lake", "status", "--log-format", "json"])

    def fail() -> None:
        raise RuntimeError("a bug")

    assert errors.run_command(fail) == 1
    (line,) = read_lines(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("error", "Unexpected error: RuntimeError: a bug")
    assert "in fail" in line["fields"]["traceback"]


def test_without_the_option_an_error_is_two_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["nhl-lake", "status"])

    def fail() -> None:
        raise BadInput("Wrong.", "Do this.")

    assert errors.run_command(fail) == 2
    assert capsys.readouterr().err == "Error: Wrong.\n       Do this.\n"
