"""Maintenance changes no row, loses no page, breaks no reader, and keeps the number of files small."""

import json
import os
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.backup import pins
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, ValidationFailed
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.ingest.run import Options, ingest
from nhl_lake.maintenance import compaction, upgrade
from nhl_lake.rebuild import lineage, run
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import commits, delta_tables, locks
from nhl_lake.store.delta import WRITER_PROPERTIES, make_commit_properties
from tests.fixtures import make_lake
from tests.support import lakes
from tests.support.examples import try_examples
from tests.support.fake_api import SilentReport
from tests.support.pages import make_play_page, store_one_by_one

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY_MS = 86_400_000
ORPHAN = "part-00000-01234567-89ab-cdef-0123-456789abcdef-c000.zstd.parquet"  # a name that the engine gives
PLAYS = endpoints.PLAY_BY_PLAY
LONG_AGO = 100
KEPT = max(Path(make_lake.__file__).parent.glob("lake-*.tar.xz"))
MORNING = datetime(2025, 9, 22, 14, 0, tzinfo=UTC)
SETTINGS = {"api": "league:", "now": MORNING}


def list_files(root: Path, table: Table) -> set[str]:
    return {
        file.relative_to(root).as_posix()
        for file in lakes.locate_table(root, table).rglob("*.parquet")
        if "_delta_log" not in file.parts
    }


def make_older(root: Path, table: Table, days: int) -> None:
    """Make the commits and files of a table some days older."""
    log = lakes.locate_table(root, table) / "_delta_log"
    for file in log.glob("*.json"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line in lines:
            for what, name in (
                ("remove", "deletionTimestamp"),
                ("commitInfo", "timestamp"),
                ("add", "modificationTime"),
            ):
                if what in line:
                    line[what][name] -= days * DAY_MS
        file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    for old in log.glob("*checkpoint*"):
        old.unlink()
    for file in lakes.locate_table(root, table).rglob("*"):
        at = file.stat().st_mtime - days * 86_400
        os.utime(file, (at, at))


def tend(
    root: Path, *tables: Table, days: int = compaction.KEEP_DAYS, pinned: compaction.PinnedVersions | None = None
) -> list[compaction.MaintenanceResult]:
    return list(compaction.maintain_tables(root, tables, days=days, pins=pinned or {}))


def test_small_files_become_one_and_every_row_stays(tmp_path):
    store_one_by_one(tmp_path, 7)
    store_one_by_one(tmp_path, 5, season=20242025, start=7)
    before = lakes.read_row_set(tmp_path, PLAYS)

    (tended,) = tend(tmp_path, PLAYS)

    assert (tended.files, tended.files_after) == (12, 2)
    assert lakes.read_row_set(tmp_path, PLAYS) == before
    assert delta_tables.read_table_size(tmp_path, PLAYS)["files"] == 2


def test_compacted_files_are_compressed_and_have_no_body_statistics(tmp_path):
    store_one_by_one(tmp_path, 5)
    tend(tmp_path, PLAYS)

    (uri,) = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).file_uris()
    written = Path(uri).read_bytes()
    footer = written[-8 - int.from_bytes(written[-8:-4], "little") : -8]
    assert ".zstd." in uri
    assert b"http://x" in footer
    assert b'"game"' not in footer


def test_second_maintenance_commits_nothing(tmp_path):
    store_one_by_one(tmp_path, 6)
    tend(tmp_path, PLAYS)
    version = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version()

    (tended,) = tend(tmp_path, PLAYS)

    assert (tended.files, tended.files_after, tended.removed) == (1, 1, 0)
    assert DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version() == version


def test_version_before_maintenance_can_still_be_read(tmp_path):
    store_one_by_one(tmp_path, 6)
    version = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version()
    pinned = delta_tables.scan_table(tmp_path, PLAYS, version=version)

    tend(tmp_path, PLAYS)

    assert pinned.collect().height == 6
    assert delta_tables.scan_table(tmp_path, PLAYS, version=version - 2).collect().height == 4


def test_replaced_files_are_removed_after_their_retention(tmp_path):
    store_one_by_one(tmp_path, 6)
    tend(tmp_path, PLAYS)
    before = lakes.read_row_set(tmp_path, PLAYS)
    make_older(tmp_path, PLAYS, LONG_AGO)

    (tended,) = tend(tmp_path, PLAYS)

    assert tended.removed == 6
    assert tended.removed_bytes > 0
    assert len(list_files(tmp_path, PLAYS)) == 1
    assert lakes.read_row_set(tmp_path, PLAYS) == before


@pytest.mark.parametrize(("age", "removed"), [(29, 0), (31, 6)])
def test_retention_is_at_least_thirty_days(tmp_path, age, removed):
    store_one_by_one(tmp_path, 6)
    tend(tmp_path, PLAYS)
    make_older(tmp_path, PLAYS, age)

    assert (
        compaction.vacuum_table(
            tmp_path, PLAYS, delta_tables.open_table(tmp_path, PLAYS), days=0, keep=(), dry_run=False
        )[0]
        == removed
    )


def test_files_pinned_by_a_running_backup_are_not_removed(tmp_path):
    store_one_by_one(tmp_path, 6)
    version = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version()
    tend(tmp_path, PLAYS)
    make_older(tmp_path, PLAYS, LONG_AGO)

    with pins.pin_versions(tmp_path, "b", {PLAYS.name: version}, lambda: NOW):
        (tended,) = tend(tmp_path, PLAYS, pinned=pins.read_pins(tmp_path, NOW))
        assert tended.removed == 0
        assert delta_tables.scan_table(tmp_path, PLAYS, version=version).collect().height == 6
    (tended,) = tend(tmp_path, PLAYS, pinned=pins.read_pins(tmp_path, NOW))

    assert tended.removed == 6


def test_old_file_of_a_killed_run_is_removed(tmp_path):
    store_one_by_one(tmp_path, 2)
    orphan = lakes.locate_table(tmp_path, PLAYS) / "season=20252026" / ORPHAN
    orphan.write_bytes(b"x" * 100)
    assert tend(tmp_path, PLAYS)[0].removed == 0
    os.utime(orphan, (0, 0))

    (tended,) = tend(tmp_path, PLAYS)

    assert (tended.removed, tended.removed_bytes) == (1, 100)
    assert not orphan.exists()


@pytest.mark.parametrize("table", [PLAYS, ledger.RUNS, catalog.find_table("silver.plays")])
def test_too_few_days_are_refused(tmp_path, table):
    delta_tables.create_tables(tmp_path, [table])
    floor = compaction.MIN_KEEP_DAYS[table.layer]

    with pytest.raises(BadInput, match=f"{floor} days") as error:
        tend(tmp_path, table, days=floor - 1)

    assert "No changes were made" in error.value.hint
    assert DeltaTable(lakes.locate_table(tmp_path, table)).version() == 0


def test_replaced_files_of_pages_stay_for_thirty_days():
    assert compaction.MIN_KEEP_DAYS["bronze"] == compaction.MIN_KEEP_DAYS["lake"] == 30
    assert compaction.KEEP_DAYS >= 30


def test_the_log_is_not_cut_within_its_years(tmp_path):
    store_one_by_one(tmp_path, 30)
    make_older(tmp_path, PLAYS, 3000)

    tend(tmp_path, PLAYS)

    log = lakes.locate_table(tmp_path, PLAYS) / "_delta_log"
    assert (log / f"{0:020}.json").exists()
    assert DeltaTable(lakes.locate_table(tmp_path, PLAYS), version=3).version() == 3


def test_newest_version_gets_a_checkpoint(tmp_path):
    store_one_by_one(tmp_path, 6)
    tend(tmp_path, PLAYS)

    version = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version()
    log = lakes.locate_table(tmp_path, PLAYS) / "_delta_log"
    assert (log / f"{version:020}.checkpoint.parquet").exists()
    assert json.loads((log / "_last_checkpoint").read_text())["version"] == version


def test_lineage_survives_maintenance(tmp_path):
    table = catalog.find_table("silver.teams")
    delta_tables.create_tables(tmp_path, [table])
    rows = pl.DataFrame(schema=table.schema)
    delta_tables.replace_rows(
        tmp_path, table, rows, where=None, metadata={lineage.LINEAGE_KEY: '{"all": {"code": "c", "of": {}}}'}
    )
    orphan = lakes.locate_table(tmp_path, table) / ORPHAN
    for _ in range(12):  # each vacuum that finds something commits twice
        orphan.write_bytes(b"x")
        os.utime(orphan, (0, 0))
        tend(tmp_path, table)

    assert lineage.read_lineage(tmp_path, table) == {"all": lineage.Fingerprint("c", {})}


def test_compaction_merges_only_many_files(tmp_path):
    store_one_by_one(tmp_path, compaction.MIN_FILES_IN_RUN - 1)
    compaction.compact_crowded_tables(tmp_path, [PLAYS])
    assert delta_tables.read_table_size(tmp_path, PLAYS)["files"] == compaction.MIN_FILES_IN_RUN - 1

    store_one_by_one(tmp_path, 1, start=compaction.MIN_FILES_IN_RUN)
    compaction.compact_crowded_tables(tmp_path, [PLAYS])
    assert delta_tables.read_table_size(tmp_path, PLAYS)["files"] == 1


def test_large_file_is_not_rewritten_for_a_few_small_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(compaction, "TARGET_SIZES", (20_000, 100_000))
    store_one_by_one(tmp_path, compaction.MIN_FILES_IN_RUN)
    compaction.compact_crowded_tables(tmp_path, [PLAYS])
    big = pl.DataFrame([make_play_page(999, 999) | {"body": os.urandom(100_000).hex()}])
    delta_tables.store_pages(
        tmp_path, PLAYS, big.select(PLAYS.schema.names()).cast(dict(PLAYS.schema)), lambda a, b: a == b
    )
    large = {name for name in list_files(tmp_path, PLAYS) if (tmp_path / name).stat().st_size > 100_000}
    store_one_by_one(tmp_path, 2 * compaction.MIN_FILES_IN_RUN, start=2000)

    tend(tmp_path, PLAYS)

    live = {
        Path(uri).relative_to(tmp_path).as_posix()
        for uri in DeltaTable(lakes.locate_table(tmp_path, PLAYS)).file_uris()
    }
    assert len(large) == 1
    assert large < live
    assert len(live) == 2


def test_files_that_do_not_fit_together_are_not_merged(tmp_path, monkeypatch):
    store_one_by_one(tmp_path, compaction.MIN_FILES)
    largest = max((tmp_path / name).stat().st_size for name in list_files(tmp_path, PLAYS))
    monkeypatch.setattr(compaction, "TARGET_SIZES", (largest + 10,))
    version = DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version()

    (tended,) = tend(tmp_path, PLAYS)

    assert tended.files_after == compaction.MIN_FILES
    assert DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version() == version


def test_page_stored_by_another_machine_during_compaction_stays(tmp_path, monkeypatch):
    store_one_by_one(tmp_path, 6)
    late = [50]

    def guarded(delta: DeltaTable, metadata: Any = None) -> Any:
        found = make_commit_properties(delta, metadata)
        while late:  # its lease was lost: the lock does not hold it back
            store_one_by_one(tmp_path, 1, start=late.pop())
        return found

    monkeypatch.setattr(commits, "make_commit_properties", guarded)
    tend(tmp_path, PLAYS)

    assert not late
    assert sorted(lakes.read_rows(tmp_path, PLAYS)["game_id"]) == [*range(6), 50]


def test_compaction_that_changes_rows_stops_before_any_removal(tmp_path, monkeypatch):
    store_one_by_one(tmp_path, 6)
    honest = compaction.read_add_actions
    more = (pl.col("num_records") + 1).alias("num_records")
    monkeypatch.setattr(compaction, "read_add_actions", lambda delta: honest(delta).with_columns(more))

    with pytest.raises(ValidationFailed, match="12 rows into 6"):
        tend(tmp_path, PLAYS)

    assert len(list_files(tmp_path, PLAYS)) == 7


def test_dry_run_reports_and_changes_nothing(tmp_path):
    store_one_by_one(tmp_path, 6)
    orphan = lakes.locate_table(tmp_path, PLAYS) / "season=20252026" / ORPHAN
    orphan.write_bytes(b"x" * 100)
    os.utime(orphan, (0, 0))
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}

    (foreseen,) = compaction.preview_maintenance(tmp_path, [PLAYS], days=90, pins={})
    same = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    (done,) = tend(tmp_path, PLAYS)

    assert same == before
    assert (foreseen.files, foreseen.files_after, foreseen.removed) == (done.files, done.files_after, done.removed)
    assert foreseen.removed_bytes == done.removed_bytes == 100


def test_temporary_files_of_killed_runs_are_removed_after_a_day(tmp_path):
    store_one_by_one(tmp_path, 1)
    partition = lakes.locate_table(tmp_path, PLAYS) / "season=20252026"
    data = next(partition.glob("*.parquet"))
    drafts = [
        partition / f"{ORPHAN}#1",
        tmp_path / ".nhl-lake" / "lease.json-0a1b",
        tmp_path / ".nhl-lake" / "pins" / "x.json#4711",
        lakes.locate_table(tmp_path, PLAYS) / "_delta_log" / "_commit_5e0f.json.tmp",
    ]
    for file in drafts:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"123")
    (tmp_path / "my notes #1").write_text("not of the lake")
    now = datetime.now(UTC)

    assert compaction.remove_orphan_files(tmp_path, now=now + timedelta(hours=23), dry_run=False) == (0, 0)
    assert compaction.remove_orphan_files(tmp_path, now=now + timedelta(hours=25), dry_run=True) == (4, 12)
    assert all(file.exists() for file in drafts)
    assert compaction.remove_orphan_files(tmp_path, now=now + timedelta(hours=25), dry_run=False) == (4, 12)
    assert not any(file.exists() for file in drafts)
    assert (tmp_path / "my notes #1").exists()
    assert data.exists()
    assert DeltaTable(lakes.locate_table(tmp_path, PLAYS)).version() == 1


@try_examples(12)
@given(
    st.lists(st.tuples(st.sampled_from([20232024, 20242025, 20252026]), st.integers(1, 30)), min_size=1, max_size=25)
)
def test_any_commits_compact_to_few_files_with_all_rows(tmp_path_factory, commits):
    root = tmp_path_factory.mktemp("lake")
    delta_tables.create_tables(root, [PLAYS])
    n = 0
    for season, pages in commits:
        rows = pl.DataFrame([make_play_page(n + i, n + i, season) for i in range(pages)])
        n += pages
        write_deltalake(
            delta := delta_tables.open_table(root, PLAYS),
            rows.select(PLAYS.schema.names()).cast(dict(PLAYS.schema)),
            mode="append",
            writer_properties=WRITER_PROPERTIES,
            commit_properties=make_commit_properties(delta),
        )
    before = lakes.read_rows(root, PLAYS).sort("fetched_at")

    tend(root, PLAYS)

    assert lakes.read_rows(root, PLAYS).sort("fetched_at").equals(before)
    per_season = (
        pl.DataFrame(DeltaTable(lakes.locate_table(root, PLAYS)).get_add_actions(flatten=True))
        .group_by("partition.season")
        .len()
    )
    assert per_season["len"].max() < compaction.MIN_FILES
    shutil.rmtree(root)


def test_names_of_tables_and_layers_are_accepted_and_others_refused(tmp_path):
    delta_tables.create_tables(tmp_path, catalog.TABLES)
    assert compaction.select_tables(tmp_path, ()) == list(catalog.TABLES)
    assert {t.layer for t in compaction.select_tables(tmp_path, ["gold"])} == {"gold"}
    assert compaction.select_tables(tmp_path, ["silver.plays"]) == [catalog.find_table("silver.plays")]
    with pytest.raises(BadInput, match="'plays'"):
        compaction.select_tables(tmp_path, ["plays"])


@pytest.fixture(scope="module")
def continued_lake(tmp_path_factory):
    """The lake of a release, rebuilt and continued by the current code."""
    folder = tmp_path_factory.mktemp("everything")
    with tarfile.open(KEPT) as archive:
        archive.extractall(folder, filter="data")
    root = folder / KEPT.name.removesuffix(".tar.xz")
    if upgrade.read_layout(root) < ledger.LAYOUT_VERSION:
        upgrade.upgrade_lake(root, now=MORNING, command="nhl-lake upgrade", made_by="test")
    delta_tables.create_tables(root, catalog.TABLES)
    list(run.rebuild(root, day=get_eastern_day(MORNING)))
    return root


@pytest.fixture
def lake(continued_lake, tmp_path):
    """A copy of that lake."""
    return Path(shutil.copytree(continued_lake, tmp_path / "lake"))


def read_tables(root: Path) -> dict[str, pl.DataFrame]:
    """Return the rows of every table."""
    return {table.name: lakes.read_rows(root, table).sort(table.key) for table in catalog.TABLES}


def test_maintain_changes_no_row_of_any_table(lake, run_here):
    orphan = lakes.locate_table(lake, PLAYS) / ORPHAN
    orphan.write_bytes(b"x" * 2000)
    os.utime(orphan, (0, 0))
    before = read_tables(lake)

    foreseen = run_here("maintain", "--dry-run", "--json", root=lake, **SETTINGS)
    ended = run_here("maintain", "--json", root=lake, **SETTINGS)
    again = run_here("maintain", root=lake, **SETTINGS)

    assert (foreseen.code, ended.code, again.code) == (0, 0, 0)
    told = {found["table"]: found for found in ended.json["tables"]}
    assert told.keys() == {table.name for table in catalog.TABLES}
    assert (told[PLAYS.name]["removed"], told[PLAYS.name]["removed_bytes"]) == (1, 2000)
    assert foreseen.json["dry_run"]
    assert {t["table"]: t["files"] for t in foreseen.json["tables"]} == {name: t["files"] for name, t in told.items()}
    assert "Removed 0 old files and 0 leftovers of killed runs" in again.out
    after = read_tables(lake)
    assert all(after[name].equals(rows) for name, rows in before.items())


def test_rebuild_after_maintenance_finds_nothing_changed(lake, run_here):
    for table in catalog.TABLES:  # as if many runs had been
        list(compaction.compact_file_groups(lake, table, 2))
    ended = run_here("maintain", "--quiet", root=lake, **SETTINGS)

    again = run_here("rebuild", root=lake, **SETTINGS)

    assert (ended.code, ended.out) == (0, "")
    assert "Nothing changed" in again.out


def test_seven_days_are_refused_for_bronze_and_accepted_for_built_tables(lake, run_here):
    versions = lakes.read_versions(lake)

    refused = run_here("maintain", "--keep-days", "7", root=lake, **SETTINGS)

    assert refused.code == 2
    assert "at least 30 days, not 7" in refused.err
    assert "`nhl-lake maintain silver gold --keep-days 7`" in refused.err
    assert lakes.read_versions(lake) == versions
    assert run_here("maintain", "silver", "gold", "--keep-days", "7", root=lake, **SETTINGS).code == 0


def test_maintain_waits_for_the_lock_and_names_its_holder(lake, run_here, monkeypatch):
    with locks.hold_lock(lake, "nhl-lake ingest", now=NOW):
        ended = run_here("maintain", root=lake, **SETTINGS)

    assert ended.code == 1
    assert "`nhl-lake ingest`" in ended.err


def test_ingest_compacts_the_tables_that_it_wrote(tmp_path, monkeypatch):
    tidied: list[str] = []
    monkeypatch.setattr(
        compaction, "compact_crowded_tables", lambda root, tables: tidied.extend(table.name for table in tables)
    )
    clock = make_lake.clock_from(make_lake.MORNINGS[0])
    keywords = {"clock": clock, "progress": SilentReport(), "command": "x", "rebuilds": False}
    ingest(tmp_path / "lake", Options(), make_lake.client_config(clock), **keywords)

    assert {PLAYS.name, "bronze.schedule", "lake.runs", "lake.answers"} <= set(tidied)
    assert "bronze.standings" not in tidied


# what is not the lake's own


USERS_FILES = ("notes.txt", "season=20232024/mine.parquet", "part-1.parquet", "_delta_log/notes.json", "copy#1")


def test_only_files_that_the_engine_wrote_are_removed(tmp_path):
    root, other = tmp_path / "lake", tmp_path / "other"
    store_one_by_one(root, 6)
    folder = lakes.locate_table(root, PLAYS)
    inner = other / "season=20232024"
    orphan = "part-0123456789abcdef0123456789abcdef-c000.zstd.parquet"
    inner.mkdir(parents=True)
    for file in (inner / "letters.txt", inner / orphan, folder / orphan, *(folder / name for name in USERS_FILES)):
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    (folder / "linked").symlink_to(inner)
    (folder / "season=20222023").symlink_to(inner)
    (folder / "letters.txt").symlink_to(inner / "letters.txt")
    for file in (*inner.iterdir(), folder / orphan, *(folder / name for name in USERS_FILES)):
        os.utime(file, (0, 0))

    (planned,) = compaction.preview_maintenance(root, [PLAYS], days=90, pins={})
    (tended,) = tend(root, PLAYS)
    compaction.remove_orphan_files(root, now=datetime(2100, 1, 1, tzinfo=UTC), dry_run=False)

    assert not (folder / orphan).exists(), "a killed run left it"
    assert planned.removed == 1
    assert all((folder / name).read_text() == "mine" for name in USERS_FILES)
    assert sorted(file.name for file in inner.iterdir()) == ["letters.txt", orphan]
    links = {"linked", "season=20222023", "letters.txt"}
    assert set(planned.left_alone) == set(tended.left_alone) == {*USERS_FILES, *links} - {"copy#1"}


def test_maintain_lists_what_it_leaves_alone(lake, run_here):
    (lake / "bronze" / "schedule" / "notes.txt").write_text("mine")
    ended = run_here("maintain", root=lake, **SETTINGS)
    assert ended.code == 0
    assert "bronze.schedule: notes.txt" in ended.out
    rows = run_here("maintain", "--json", root=lake, **SETTINGS).json["tables"]
    assert [row["left_alone"] for row in rows if row["table"] == "bronze.schedule"] == [["notes.txt"]]
