"""Tests of where output goes: exactly there, complete or not at all; what fails is told as the output's fault."""

import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.queries import targets
from nhl_lake.silver.teams import TEAMS
from nhl_lake.store import location
from nhl_lake.store.location import Bucket
from tests.support import lakes
from tests.support.commands import CommandResult, get_clean_environment, make_environment

Cli = Callable[..., CommandResult]
FORMATS = ("parquet", "csv", "json", "duckdb", "sqlite", "xlsx")


def run_limited(root: Path, words: list[str], file_size_limit: int) -> CommandResult:
    """Run a command whose files may not grow beyond a size, which fails as a full disk does."""
    script = (
        "import resource, runpy, sys; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY)); "
        "runpy.run_module('nhl_lake', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file_size_limit), *words],
        env=get_clean_environment() | make_environment(root, None, None, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", ["csv", "sqlite", "xlsx"])
def test_a_disk_that_fills_up_ends_in_two_lines_and_leaves_no_draft(league_lake: Path, tmp_path: Path, name: str):
    table = "silver.players" if name == "xlsx" else "silver.plays"  # of a workbook, the temporary files fill it first
    to = tmp_path / "out" / f"rows.{name}"

    ended = run_limited(league_lake, ["export", table, "-o", str(to)], 40_000)

    assert ended.code == 1, ended.err
    assert len(ended.err.splitlines()) == 2, ended.err
    assert f"{to} cannot be written: " in ended.err
    assert "damaged" not in ended.err
    assert list(to.parent.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_place_that_cannot_be_written_is_told_as_that(run_here: Cli, league_lake: Path, tmp_path: Path, form: str):
    (tmp_path / "file").write_text("no folder")

    ended = run_here("export", "silver.teams", "-o", str(tmp_path / "file" / f"x.{form}"), root=league_lake)

    assert ended.code == 1
    assert ended.err.splitlines()[0].endswith(f"x.{form} cannot be written: a file is where its folder would be.")
    assert len(ended.err.splitlines()) == 2


def test_damage_to_the_lake_is_not_told_as_a_fault_of_the_output(tmp_path: Path):
    with pytest.raises(pl.exceptions.ComputeError, match="lake/part"), targets.write_atomically(tmp_path / "x.csv"):
        raise pl.exceptions.ComputeError("parquet: File out of specification: /lake/part-1.parquet")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "silver.teams", "-o", "x.feather"), "Unknown ending: x.feather."),
        (("export", "silver.teams", "-o", "x.csv", "--format", "json"), "--format json does not fit the name x.csv."),
        (("export", "silver.teams", "-o", ""), "The name of the output is empty."),
        (("export", "silver.teams", "silver.games", "-o", "-"), "Standard output is one file for 2 tables."),
        (("export", "silver.teams", "-o", "gs://bucket/x.csv"), "Invalid location: gs://bucket/x.csv."),
        (("export", "silver.teams", "-o", "/dev/null", "--replace", "--format", "csv"), "is not a file."),
        (("sql", "select 1", "-o", ""), "The name of the output is empty."),
        (("sql", "select 1", "-o", "answer"), "answer is a folder, or has no ending."),
        (("duckdb", "s3://bucket/x.duckdb"), "s3://bucket/x.duckdb is not a place on this machine's disk."),
        (("duckdb", ""), "The name of the output is empty."),
        (("rebuild", "--as-known-at", "1d", "--to", "s3://bucket/then"), "is not a place on this machine's disk."),
        (("backup", "create", "-o", ""), "Invalid location: it is empty."),
        (("backup", "drill", "--in", "s3://bucket/drill"), "is not a place on this machine's disk."),
        (("schedule", "install", "--yes", "--log", "s3://bucket/log"), "is not a place on this machine's disk."),
        (("demo", "--root", "s3://bucket/demo"), "is not a place on this machine's disk."),
    ],
)  # fmt: skip
def test_a_target_that_cannot_be_meant_is_a_usage_error(
    run_here: Cli,
    league_lake: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
):
    monkeypatch.chdir(tmp_path)

    ended = run_here(*words, root=league_lake)

    assert ended.code == 2, ended.err
    assert message in ended.err
    assert len(ended.err.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_every_format_goes_to_standard_output_and_to_a_bucket(run_here: Cli, league_lake: Path, bucket: Bucket):
    teams = lakes.read_rows(league_lake, TEAMS).height
    env = get_clean_environment() | make_environment(league_lake, None, None, {})
    for form in ("csv", "xlsx"):
        words = [sys.executable, "-m", "nhl_lake", "export", "silver.teams", "-o", "-", "--format", form]
        out = subprocess.run(words, env=env, capture_output=True, check=True).stdout
        assert out.startswith(b"PK") if form == "xlsx" else pl.read_csv(io.BytesIO(out)).height == teams
    for form in FORMATS:
        where = bucket / f"answers/teams.{form}"
        ended = run_here("export", "silver.teams", "-o", str(where), root=league_lake)
        assert ended.code == 0, ended.err
        assert str(where) in ended.out
        sent = location.read_file(where.parent, where.name)
        if form in {"csv", "json", "parquet"}:
            read = {"csv": pl.read_csv, "json": pl.read_json, "parquet": pl.read_parquet}[form]
            assert read(io.BytesIO(sent)).height == teams
        assert sent

    again = run_here("export", "silver.teams", "-o", str(where), root=league_lake)
    assert again.code == 2
    assert "exists already" in again.err
    ended = run_here("sql", "select count(*) as n from silver.teams", "-o", str(bucket / "n.csv"), root=league_lake)
    assert ended.code == 0, ended.err
    assert location.read_file(bucket, "n.csv") == f"n\n{teams}\n".encode()
    ended = run_here("export", "silver.teams", "silver.games", "-o", str(bucket / "all"), root=league_lake)
    assert sorted(file.name for file in location.list_files(bucket, "all")) == [
        "all/silver.games.parquet",
        "all/silver.teams.parquet",
    ]


def test_a_bucket_that_is_not_there_is_named(run_here: Cli, league_lake: Path, bucket: Bucket):
    ended = run_here("export", "silver.teams", "-o", "s3://no-such-bucket-here/x.csv", root=league_lake)

    assert ended.err.splitlines()[0] == "Error: No such bucket: s3://no-such-bucket-here/x.csv."


def test_sql_prints_csv_for_a_dash(run_here: Cli, league_lake: Path):
    assert run_here("sql", "select 1 as n", "-o", "-", root=league_lake).out == "n\n1\n"


def test_drafts_have_names_that_nobody_can_foresee_in_a_folder_of_their_own(tmp_path: Path):
    names = set()
    for _ in range(2):
        with targets.write_atomically(tmp_path / "x.csv") as draft:
            draft.write_text("1")
            assert draft.parent.stat().st_mode & 0o777 == 0o700
            names.add(draft.parent.name)
    assert len(names) == 2
    assert str(os.getpid()) not in "".join(names)
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


def test_an_existing_folder_may_have_any_name(tmp_path: Path):
    (tmp_path / "v1.2").mkdir()

    assert targets.choose_format(tmp_path / "v1.2", None, FORMATS) == "parquet"
    assert targets.choose_format(tmp_path / "X.CSV", None, FORMATS) == "csv"
    with pytest.raises(BadInput, match=r"Unknown ending: v1\.3\."):
        targets.choose_format(tmp_path / "v1.3", None, FORMATS)
    assert targets.choose_format(tmp_path / "rows.txt", "csv", FORMATS) == "csv"


def test_an_error_of_a_library_that_only_writes_is_the_outputs(tmp_path: Path):
    full = "x.db cannot be written: the disk is full"
    with pytest.raises(LakeError, match=full), targets.write_atomically(tmp_path / "x.db"):
        raise sqlite3.OperationalError("database or disk is full")
