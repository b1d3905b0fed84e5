"""A lake that an earlier release made opens today, page for page as that release left it, and goes on."""

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nhl_lake import catalog, layout
from nhl_lake.bronze import endpoints
from nhl_lake.clock import make_clock
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.ingest.run import Options, ingest
from nhl_lake.maintenance import upgrade
from nhl_lake.rebuild import run
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.fixtures import make_lake
from tests.support import lakes

HERE = Path(make_lake.__file__).parent
KEPT = sorted(HERE.glob("lake-*.tar.xz"))
NEXT = datetime(2025, 9, 23, 13, 0, tzinfo=UTC)
MOST_BYTES = 400_000

each_release = pytest.mark.parametrize("packed", KEPT, ids=lambda packed: packed.name.removesuffix(".tar.xz"))


def unpacked(packed: Path, to: Path) -> Path:
    with tarfile.open(packed) as archive:
        archive.extractall(to, filter="data")
    root = to / packed.name.removesuffix(".tar.xz")
    if upgrade.read_layout(root) < ledger.LAYOUT_VERSION:
        upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")
    return root


def described(packed: Path) -> dict[str, Any]:
    text = packed.with_name(packed.name.replace(".tar.xz", ".json")).read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def pages(root: Path) -> dict[str, Any]:
    """Return what the bronze tables hold, as the kept description says it."""
    return {name: about["digest"] for name, about in make_lake.tables(root).items() if name.startswith("bronze.")}


def test_there_is_a_lake_of_a_release():
    assert KEPT


@each_release
def test_a_kept_lake_is_small_and_has_games(packed):
    assert packed.stat().st_size < MOST_BYTES
    rows = {name: about["rows"] for name, about in described(packed).items()}
    assert rows["bronze.play_by_play"] >= 2
    assert rows["gold.skater_game"] > 30


@each_release
def test_its_bronze_is_untouched_and_its_layout_is_read(packed, tmp_path):
    root = unpacked(packed, tmp_path)

    layout.check_tables(root)

    assert pages(root) == {n: about["digest"] for n, about in described(packed).items() if n.startswith("bronze.")}
    assert layout.is_lake(root)


@each_release
def test_silver_and_gold_are_made_again_from_it_by_todays_code(packed, tmp_path):
    root = unpacked(packed, tmp_path)
    before = pages(root)

    delta_tables.create_tables(root, catalog.TABLES)
    made = {one.table: one.rows for one in run.rebuild(root, day=get_eastern_day(NEXT), everything=True)}

    assert pages(root) == before
    for name in ("silver.plays", "silver.lineups", "silver.shifts"):
        assert made[name] == described(packed)[name]["rows"]


@each_release
def test_one_more_day_comes_in_on_top(packed, tmp_path):
    root = unpacked(packed, tmp_path)
    old_tables = [table for table in endpoints.TABLES if lakes.locate_table(root, table).exists()]
    before = {table.name: set(make_lake.lines(lakes.locate_table(root, table))) for table in old_tables}
    now = make_clock(NEXT)

    found = ingest(
        root, Options(), make_lake.client_config(now), clock=now, progress=make_lake.Silent(), command="test",
        rebuilds=True,
    )  # fmt: skip

    assert found.exit_code == 3  # one more game was played, of which this API has no page
    assert "no play by play (404)" in found.incomplete[0]
    after = {table.name: set(make_lake.lines(lakes.locate_table(root, table))) for table in old_tables}
    assert all(before[name] <= after[name] for name in before)
    assert after["bronze.schedule"] > before["bronze.schedule"]
    assert lakes.read_rows(root, ledger.RUNS).height == 3
