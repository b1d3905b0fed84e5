"""Tests of options and settings out of range: a usage error that names the range, never a traceback."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nhl_lake.cli import options
from nhl_lake.cli.app import app
from nhl_lake.errors import BadInput, LakeLocked, summarize_error
from nhl_lake.queries.sql import raise_query_error
from nhl_lake.store import locks
from nhl_lake.store.s3_errors import explain_s3_error
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]
NOW = datetime(2026, 4, 1, 13, tzinfo=UTC)
HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    "words",
    [
        ["show", "gold.skater_game", "-n", HUGE],
        ["leaders", "-n", HUGE],
        ["leaders", "--min-games", HUGE],
        ["player", "x", "-n", HUGE],
        ["team", "TOR", "-n", HUGE],
        ["runs", "-n", HUGE],
        ["predict", "-n", HUGE],
        ["game", HUGE],
        ["trace", HUGE],
        ["trace", "1", "--player", HUGE],
        ["corrections", "--game", HUGE],
        ["upcoming", "--days", "99999999999"],
        ["upcoming", "--shooters", HUGE],
        ["ingest", "--lookback", "999999"],
        ["maintain", "--keep-days", "99999999999999"],
        ["backup", "prune", "--keep-daily", HUGE],
        ["rebuild", "--jobs", "100000"],
        ["restore", "gold.skater_game", "--to-version", HUGE],
        ["restore", "gold.skater_game", "--to-version", "-1"],
        ["league", "serve", "--port", "99999"],
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_a_usage_error_that_names_the_range(run_here: Cli, tmp_path: Path, words: list[str]):
    ended = run_here(*words, root=tmp_path / "lake")

    assert ended.code == 2
    assert "should be" in " ".join(ended.err.replace("│", " ").split())


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", f"{HUGE}d", "9" * 5000 + "d", "900000d", "1900-01-01"])
def test_a_day_out_of_range_is_a_usage_error(text: str):
    for parse in (options.parse_day, options.parse_moment):
        with pytest.raises(BadInput):
            parse(text, NOW)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1916-01-01T00:00:00Z"])
def test_an_instant_out_of_range_is_a_usage_error(run_here: Cli, tmp_path: Path, text: str):
    ended = run_here("status", root=tmp_path, now=text)

    assert ended.code == 2
    assert "use a time from 1917 to 2199" in ended.err
    with pytest.raises(BadInput, match="out of range"):
        options.parse_instant(text)


@pytest.mark.parametrize("words", [["--season", HUGE], ["--game-type", HUGE], ["--game-type", "-1"]])
def test_numbers_that_may_be_repeated_have_a_range_too(run_here: Cli, tmp_path: Path, words: list[str]):
    ended = run_here("ingest", *words, root=tmp_path / "lake")

    assert ended.code == 2
    assert len(ended.err.splitlines()) == 2


def test_the_time_to_wait_has_units_and_a_limit():
    assert [options.parse_wait(text) for text in ("0", "600", "90s", "10m", "1h")] == [0, 600, 90, 600, 3600]
    for text in ("", "m", "-1", "8d", "1.5h", "999h", HUGE, "forever"):
        with pytest.raises(BadInput, match="--wait"):
            options.parse_wait(text)


def test_a_run_waits_for_the_lock_as_long_as_it_is_told(run_here: Cli, small_lake: Path, tmp_path: Path):
    with locks.hold_lock(tmp_path, "another run", now=NOW):
        started = datetime.now(UTC)
        with (
            locks.wait_for_lock(0.3),
            pytest.raises(LakeLocked, match="another run"),
            locks.hold_lock(tmp_path, "this run", now=NOW),
        ):
            pass
        assert 0.3 <= (datetime.now(UTC) - started).total_seconds() < 4


def test_messages_carry_no_colour_codes_of_an_engine():
    assert summarize_error(ValueError("\x1b[31mbad\x1b[0m news")) == "bad news"
    with pytest.raises(BadInput) as error:
        raise_query_error("\x1b[1;33mno such thing\x1b[0m")
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "Error performing PUT http://127.0.0.1:1/lost-bucket/x.csv in 3ms - 404: <Code>NoSuchBucket</Code>",
        "Error performing LIST https://s3.eu-west-1.amazonaws.com/lost-bucket?prefix=a: <Code>NoSuchBucket</Code>",
        "<Error><Code>NoSuchBucket</Code><BucketName>lost-bucket</BucketName></Error>",
        "S3: the bucket does not exist: s3://lost-bucket/lake",
    ],
)
def test_a_bucket_that_does_not_exist_is_named(text: str):
    found = explain_s3_error(OSError(text))

    assert found is not None
    assert found.message == "No such bucket: s3://lost-bucket."


def test_every_number_of_every_command_has_a_range():
    commands = [
        command
        for group in (app, *(entry.typer_instance for entry in app.registered_groups))
        for command in group.registered_commands
    ]
    assert len(commands) > 25
    for command in commands:
        for parameter in command.callback.__signature__.parameters.values():
            if "int" in str(parameter.annotation) and "list" not in str(parameter.annotation):
                assert "max" in vars(parameter.annotation.__metadata__[0]), parameter
                assert parameter.annotation.__metadata__[0].max is not None, parameter
