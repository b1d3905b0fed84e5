"""Tests of the report on a lake: its JSON and schema, the line for monitors, the metrics of Prometheus."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jsonschema
import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families

from nhl_lake.queries import status_report
from nhl_lake.queries.status_report import HealthLimits, LakeFacts, Metric, StatusReport
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

Cli = Callable[..., CommandResult]
ANY_AGE = HealthLimits(None)


def read(root: Path, now: datetime = NOON, limits: HealthLimits = ANY_AGE) -> LakeFacts:
    return status_report.read_report(root, root.with_name("backups"), now, limits)


def read_samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the metrics of a text by name and values of labels, as the client of Prometheus reads them."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def good_lake(tmp_path: Path) -> Path:
    """A lake with a complete game and one to come."""
    run_ingest(tmp_path / "good", FakeApi([FakeGame(1), FakeGame(2, start=NOON + timedelta(days=1), state="FUT")]))
    return tmp_path / "good"


@pytest.fixture
def lame_lake(tmp_path: Path) -> Path:
    """A lake with a complete game, one without a boxscore, and one whose page failed."""
    api = FakeApi([FakeGame(n, start=NOON - timedelta(days=5 - n)) for n in (1, 2, 3)])
    answers = {"2025020001/boxscore": 404, "2025020002/play": 500}
    api.fail_request = lambda path: next((httpx.Response(n) for part, n in answers.items() if part in path), None)
    run_ingest(tmp_path / "lake", api)
    return tmp_path / "lake"


def test_the_report_of_every_lake_fits_the_schema(run_here: Cli, good_lake: Path, lame_lake: Path):
    schema = run_here("status", "--schema", root=Path("no-lake")).json
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    reports = {root: run_here("status", "--json", root=root, now=NOON).json for root in (good_lake, lame_lake)}
    for report in reports.values():
        check.validate(report)
    assert reports[good_lake]["next_games"]
    assert reports[lame_lake]["failures"]
    assert reports[lame_lake]["reasons"]
    for name in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            check.validate({key: value for key, value in reports[good_lake].items() if key != name})
    with pytest.raises(jsonschema.ValidationError):
        check.validate({**reports[good_lake], "next_games": [{"season": "2023"}]})


def test_names_of_the_report_are_stable():
    """A name that is missing here breaks the programs of users: raise SCHEMA_VERSION, and say so in CHANGELOG.md."""
    assert set(StatusReport.model_fields) >= {
        "schema_version", "checked_at", "version", "source", "is_well", "problems", "coverage", "quarantined",
        "seasons", "reasons", "failures", "next_games", "last_run", "last_success_at", "last_backup", "last_drill",
        "is_last_drill_good", "backup_problem",
    }  # fmt: skip
    assert status_report.SCHEMA_VERSION == 1


def test_the_schema_in_the_documents_is_current():
    written = Path(__file__).resolve().parents[2] / "docs" / "reference" / "status.schema.json"
    assert json.loads(written.read_text()) == status_report.make_json_schema()


def test_a_lake_that_is_well_is_one_line_and_exit_code_0(run_here: Cli, good_lake: Path):
    ended = run_here("status", "--check", root=good_lake, now=NOON)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("OK: every game since 2026-01-09 is in the lake; last run less than an hour ago | ")
    assert ended.out.count("\n") == ended.out.count("|") == 1


def test_a_lake_that_lacks_something_is_one_line_and_exit_code_3(run_here: Cli, lame_lake: Path):
    ended = run_here("status", "--check", root=lame_lake, now=NOON)

    assert ended.code == 3
    assert ended.out.startswith("PROBLEM: 1 played game is missing, the oldest of 2026-01-07 (`nhl-lake ingest`) | ")
    assert "missing=1 incomplete=0 quarantined=0 run_age=" in ended.out


@pytest.mark.parametrize(
    ("later", "limits", "problem"),
    [
        (timedelta(hours=35), HealthLimits(timedelta(hours=36)), None),
        (timedelta(hours=37), HealthLimits(timedelta(hours=36)), "the last run that reached its end was 37 hours ago"),
        (timedelta(hours=37), ANY_AGE, None),
        (timedelta(0), HealthLimits(None, timedelta(days=7)), "there is no backup"),
    ],
)
def test_a_run_or_a_backup_may_be_too_old(tmp_path: Path, later: timedelta, limits: HealthLimits, problem: str | None):
    run_ingest(tmp_path / "lake", FakeApi([FakeGame(1)]))
    report = read(tmp_path / "lake", NOON + later, limits).report

    assert report.is_well == (problem is None)
    assert [found.partition(" (")[0] for found in report.problems] == ([problem] if problem else [])


def test_a_run_that_ended_with_an_error_is_no_success(tmp_path: Path):
    run_ingest(tmp_path / "lake", FakeApi([FakeGame(1)]))
    good = read(tmp_path / "lake").report
    row = {**(good.last_run.model_dump() if good.last_run else {}), "run_id": "later", "outcome": "error"}
    row["started_at"] = row["ended_at"] = NOON + timedelta(days=1)
    delta_tables.append_to_ledger(tmp_path / "lake", ledger.RUNS, pl.DataFrame([row], schema=ledger.RUNS.schema))
    report = read(tmp_path / "lake", NOON + timedelta(days=1)).report

    assert (report.last_success_at, report.last_run and report.last_run.run_id) == (good.last_success_at, "later")
    assert report.problems == ["the last run ended with an error (`nhl-lake runs`)"]


def test_a_lake_that_cannot_be_read_is_unknown(run_here: Cli, tmp_path: Path):
    file = tmp_path / "nhl.prom"
    ended = run_here("status", "--check", "--prometheus", str(file), root=tmp_path / "nowhere", now=NOON)

    assert ended.code == 1
    assert ended.out == f"UNKNOWN: There is no lake at {tmp_path}/nowhere.\n"
    assert len(ended.err.splitlines()) == 2
    assert read_samples(file.read_text()) == {("nhl_lake_up", ()): 0}


def test_damage_is_unknown_too(run_cli: Cli, tmp_path: Path):
    (tmp_path / "lake" / "lake" / "meta").mkdir(parents=True)
    (tmp_path / "lake" / "lake" / "meta" / "_delta_log").mkdir()
    ended = run_cli("status", "--check", root=tmp_path / "lake", now=NOON)

    assert (ended.code, ended.out[:9], ended.out.count("\n")) == (1, "UNKNOWN: ", 1)


def test_metrics_are_read_by_the_client_of_prometheus(run_here: Cli, lame_lake: Path, tmp_path: Path):
    file = tmp_path / "metrics" / "nhl.prom"
    ended = run_here("status", "--prometheus", str(file), root=lame_lake, now=NOON)
    found = read_samples(file.read_text())

    assert (ended.code, ended.out) == (0, "")
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o444 == 0o444  # node_exporter is another user
    assert found["nhl_lake_games", ("20252026", "complete")] == 1
    assert found["nhl_lake_games", ("20252026", "partial")] == 1
    assert found["nhl_lake_games", ("20252026", "pending")] == 1
    assert found["nhl_lake_missing_pages", ("bronze.play_by_play",)] == 1
    assert found["nhl_lake_missing_pages", ("bronze.boxscore",)] == 0
    assert found["nhl_lake_is_well", ()] == 0
    assert found["nhl_lake_last_run_outcome", ("incomplete",)] == 1
    assert found["nhl_lake_last_run_outcome", ("done",)] == 0
    assert found["nhl_lake_last_success_timestamp_seconds", ()] == pytest.approx(NOON.timestamp(), abs=60)
    assert found["nhl_lake_table_rows", ("bronze.play_by_play",)] == 2
    assert ("nhl_lake_last_backup_timestamp_seconds", ()) not in found  # unknown is no zero


def test_every_metric_has_a_help_and_a_type(good_lake: Path):
    facts = read(good_lake, NOON)
    families = list(text_string_to_metric_families(status_report.read_metrics(good_lake, facts.report)))

    assert families
    assert all(family.name.startswith("nhl_lake_") and family.documentation for family in families)
    assert {family.type for family in families} == {"gauge"}
    assert len({family.name for family in families}) == len(families)


@pytest.mark.parametrize("text", ['say "no"', "back\\slash", "two\nlines", "\\n", "é ☃ {},=#", ""])
def test_labels_are_escaped(text: str):
    assert read_samples(status_report.render_metrics([Metric("x", "About x.", [({"of": text}, 1.5)])])) == {
        ("nhl_lake_x", (text,)): 1.5
    }


def test_the_line_of_a_monitor_is_one_line_with_one_bar():
    assert status_report.format_line("two\nlines | and a bar") == "two lines / and a bar"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-age", "soon"), "--max-age soon is not an age"),
        (("--check", "--max-backup-age", "9999999999d"), "is not an age"),
        (("--check", "--prometheus", "-"), "cannot both go to stdout"),
    ],
)
def test_invalid_options_are_named(run_here: Cli, good_lake: Path, words: tuple[str, ...], message: str):
    ended = run_here("status", *words, root=good_lake, now=NOON)

    assert (ended.code, message in ended.err, len(ended.err.splitlines())) == (2, True, 2)


def test_times_are_iso_timestamps_in_utc(good_lake: Path):
    report = json.loads(read(good_lake, NOON).report.model_dump_json())

    assert datetime.fromisoformat(report["last_run"]["ended_at"]).tzinfo == UTC
    assert report["checked_at"] == f"{NOON:%Y-%m-%dT%H:%M:%SZ}"
