"""Disaster recovery: bronze is deleted, a restore brings it back, and the next run continues."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from tests.support import lakes
from tests.support.backups import copy_lake
from tests.support.commands import CommandResult

Run = Callable[..., CommandResult]
DAYS = [f"2025-10-{day:02d}T12:00:00Z" for day in (8, 9)]
SINCE = ("--since", "2025-10-07", "--game-type", "2")


def ingest(run: Run, root: Location, now: str) -> dict[str, Any]:
    ended = run("ingest", *SINCE, "--json", root=root, now=now, api="league:")
    assert ended.code == 0, ended.err
    return ended.json


def count_requests(summary: dict[str, Any]) -> dict[str, int]:
    """Return how many pages of each table a run requested, and how many were new."""
    return {name: (tally["asked"], tally["new"]) for name, tally in summary["tables"].items()}


@pytest.fixture(scope="module")
def never_wiped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[dict[str, int]]]:
    """Return a lake after one day, the same lake after the next, and the pages that the later runs requested."""
    from typer.testing import CliRunner

    from nhl_lake.cli.app import app
    from tests.support.commands import make_environment

    folder = tmp_path_factory.mktemp("story")

    def run(*words: str, root: Path, now: str, api: str) -> CommandResult:
        ended = CliRunner().invoke(app, words, env=make_environment(root, api, now, {}))
        return CommandResult(ended.exit_code, ended.stdout, ended.stderr)

    ingest(run, folder / "lake", DAYS[0])
    first = copy_lake(folder / "lake", folder / "first")
    return first, folder / "lake", [count_requests(ingest(run, folder / "lake", now)) for now in DAYS[1:]]


def read_table(root: Location, table: Table) -> pl.DataFrame:
    return delta_tables.scan_table(root, table).collect()


def require_equal(root: Location, other: Path) -> None:
    """Compare every page and every row of two lakes."""
    for table in endpoints.TABLES:
        about = [name for name in ("body", "state", "season", "game_date") if name in table.schema]
        one, two = (
            read_table(r, table).select(list(dict.fromkeys([*table.page_key, *about]))).sort(pl.all())
            for r in (root, other)
        )
        assert one.equals(two), table.name
    timed = ["fetched_at", "made_at", "features_version"]  # of the run
    for table in catalog.BUILT_TABLES:
        one, two = (read_table(r, table).sort(table.key).drop(timed, strict=False) for r in (root, other))
        assert_frame_equal(one, two, check_exact=True)


def test_deleted_bronze_is_restored_and_ingest_continues(
    never_wiped: tuple[Path, Path, list[dict[str, int]]], run_here: Run, tmp_path: Path
):
    first, whole, asks = never_wiped
    root, backups = copy_lake(first, tmp_path / "lake"), tmp_path / "backups"
    pages = lakes.read_all_pages(root)
    assert run_here("backup", "create", "--quiet", root=root, backups=backups, now=DAYS[0]).code == 0

    shutil.rmtree(root / "bronze")
    told = run_here("doctor", root=root, backups=backups, now=DAYS[0])
    assert told.code == 1
    assert "nhl-lake restore --from-backup" in told.out
    back = run_here("restore", "--from-backup", root=root, backups=backups, now=DAYS[0])
    assert back.code == 0, back.err
    assert lakes.read_all_pages(root) == pages
    assert run_here("doctor", "--deep", root=root, backups=backups, now=DAYS[0]).code == 0

    assert [count_requests(ingest(run_here, root, now)) for now in DAYS[1:]] == asks, "it asked for what it had"
    require_equal(root, whole)
    assert len(read_table(root, catalog.find_table("lake.runs"))) == len(DAYS)
    assert run_here("backup", "create", "--quiet", root=root, backups=backups, now=DAYS[-1]).code == 0


@pytest.mark.soak
@pytest.mark.parametrize(
    "rebuilds",
    [pytest.param((), id="all of it"), pytest.param(("--rebuild",), id="bronze only")],
)
def test_lake_is_restored_to_s3_and_ingest_continues(
    rebuilds: tuple[str, ...],
    never_wiped: tuple[Path, Path, list[dict[str, int]]],
    run_here: Run,
    tmp_path: Path,
    bucket: Location,
):
    first, whole, asks = never_wiped
    backups = tmp_path / "backups"
    assert run_here("backup", "create", "--quiet", root=first, backups=backups, now=DAYS[0]).code == 0
    back = run_here("restore", "--from-backup", *rebuilds, root=bucket, backups=backups, api="league:", now=DAYS[0])
    assert back.code == 0, back.err
    require_equal(bucket, first)
    assert [count_requests(ingest(run_here, bucket, now)) for now in DAYS[1:]] == asks, "it asked for what it had"
    require_equal(bucket, whole)
