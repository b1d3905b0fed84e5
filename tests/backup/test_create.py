"""A backup is the complete lake at one time, copies nothing twice, and does not count if it is incomplete."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.backup import create as backing
from nhl_lake.backup import log_packs, repository, snapshot, staging
from nhl_lake.backup import objects as stock
from nhl_lake.backup.manifest import FORMAT, Manifest, TableBackup, decode_manifest, encode_manifest
from nhl_lake.backup.pins import read_pins
from nhl_lake.backup.prune import RetentionPolicy, prune_backups
from nhl_lake.backup.verify import verify_backups
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, LakeLocked, UnreadableData
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location, locks
from nhl_lake.store.location import Bucket, Location
from tests.support import lakes
from tests.support.backups import back_up
from tests.support.fake_api import NOON, FakeApi, FakeGame, SilentReport, fixed_clock, run_ingest

DAY = timedelta(days=1)
GAMES = [FakeGame(n, start=NOON - timedelta(days=6 - n)) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def first_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of three games, with silver and gold. Do not change it."""
    root = tmp_path_factory.mktemp("lake") / "lake"
    run_ingest(root, FakeApi(GAMES), rebuilds=True)
    return root


@pytest.fixture
def root(first_lake: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(first_lake, tmp_path / "lake")


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture(scope="module")
def second_lake(first_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same lake a day and a game later. Do not change it."""
    root = shutil.copytree(first_lake, tmp_path_factory.mktemp("later") / "lake")
    run_ingest(root, FakeApi([*GAMES, FakeGame(11)]), now=NOON + DAY, rebuilds=True)
    return root


def replace_lake(root: Path, later: Path) -> None:
    """Replace a lake by a later state of it."""
    shutil.rmtree(root)
    shutil.copytree(later, root)


def note_run(root: Path, number: int) -> None:
    """Append a run to the ledger, in one commit."""
    about = {"run_id": f"run {number}", "command": "", "version": "", "outcome": "done", "error": None, "pages": []}
    row = {**about, "started_at": NOON, "ended_at": NOON, "rebuilt": []}
    delta_tables.append_to_ledger(root, ledger.RUNS, pl.DataFrame([row], schema=ledger.RUNS.schema))


def copy_back(backups: Path, manifest: Manifest, into: Path) -> Path:
    """Copy a backup's files to where its manifest says, as one would with cp."""
    for table in manifest.tables:
        folder = into.joinpath(*table.name.split("."))
        for file in (*table.files, *table.checkpoint):
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(backups / "objects" / file.sha256[:2] / file.sha256, folder / file.name)
        (folder / "_delta_log").mkdir(parents=True, exist_ok=True)
        for version, text in log_packs.read_packed_commits(backups, table):
            (folder / "_delta_log" / f"{version:020d}.json").write_bytes(text)
    return into


def table_of(manifest: Manifest, name: str) -> TableBackup:
    return next(table for table in manifest.tables if table.name == name)


def sizes(folder: Path) -> dict[str, int]:
    """Return every file below a folder, without locks."""
    found = {str(file.relative_to(folder)): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    return {name: size for name, size in found.items() if not name.startswith(".nhl-lake")}


def live_files(root: Path) -> dict[str, int]:
    """Return the data files of every table, by path."""
    found = {}
    for table in catalog.TABLES:
        adds = pl.DataFrame(DeltaTable(lakes.locate_table(root, table)).get_add_actions(flatten=True))
        if adds.height:
            rows = adds.select("path", "size_bytes").iter_rows()
            found |= {f"{table.name}/{name}": size for name, size in rows}
    return found


# what a backup has


def test_restored_backup_equals_the_lake(root: Path, backups: Path, tmp_path: Path):
    manifest = back_up(root, backups).manifest
    again = copy_back(backups, manifest, tmp_path / "again")

    assert {table.name for table in manifest.tables} == {table.name for table in catalog.TABLES}
    for table in catalog.TABLES:
        one, other = DeltaTable(lakes.locate_table(root, table)), DeltaTable(lakes.locate_table(again, table))
        assert (one.version(), one.metadata().id) == (other.version(), other.metadata().id)
        assert one.history() == other.history()
        assert_frame_equal(lakes.read_rows(root, table), lakes.read_rows(again, table))


def test_backup_is_independent_of_its_lake(root: Path, backups: Path, tmp_path: Path):
    manifest = back_up(root, backups).manifest
    plays = lakes.read_rows(root, endpoints.PLAY_BY_PLAY)
    shutil.rmtree(root)

    assert_frame_equal(lakes.read_rows(copy_back(backups, manifest, tmp_path / "a"), endpoints.PLAY_BY_PLAY), plays)


def test_manifest_lists_the_contents(root: Path, backups: Path):
    manifest = back_up(root, backups).manifest
    page = table_of(manifest, "bronze.play_by_play")

    assert (manifest.name, manifest.number, manifest.of, manifest.source) == ("20260110T170000Z", 1, str(root), "NHL")
    assert manifest.is_consistent
    assert repository.read_manifest(backups, manifest.name) == manifest
    assert page.rows == 3
    assert page.keys.startswith("game_id,fetched_at:3-")
    for file in page.files:
        assert (
            hashlib.sha256((lakes.locate_table(root, endpoints.PLAY_BY_PLAY) / file.name).read_bytes()).hexdigest()
            == file.sha256
        )
    assert {f"{t.name}/{f.name}": f.size for t in manifest.tables for f in t.files} == live_files(root)


@pytest.mark.parametrize("table", [endpoints.PLAY_BY_PLAY, SKATER_GAME], ids=["stored", "built"])
def test_files_with_fewer_rows_than_the_log_says_are_reported(table: Table, root: Path, backups: Path):
    one = backing.open_source_table(root, table.name, delta_tables.open_table(root, table).version())
    with pytest.raises(UnreadableData, match=f"the log records {one.rows + 1:,} rows, but the files have {one.rows:,}"):
        backing.digest_keys(one._replace(rows=one.rows + 1), None)


def test_manifest_has_key_digests_of_bronze_but_not_of_built_tables(root: Path, backups: Path):
    for saved in back_up(root, backups).manifest.tables:
        assert bool(saved.keys) == saved.name.startswith(("bronze.", "lake.")), saved.name


def test_the_same_lake_again_copies_nothing(root: Path, backups: Path):
    first = back_up(root, backups)
    before = sizes(backups)
    second = back_up(root, backups, now=NOON + DAY)

    assert (first.new_files, second.new_files, second.new_bytes) == (first.files, 0, 0)
    assert set(sizes(backups)) - set(before) == {"manifests/20260111T170000Z.json"}
    assert second.manifest.tables == first.manifest.tables


def test_one_more_day_copies_only_its_files(root: Path, second_lake: Path, backups: Path):
    back_up(root, backups)
    before = live_files(root)
    replace_lake(root, second_lake)
    new = {name: size for name, size in live_files(root).items() if name not in before}
    second = back_up(root, backups, now=NOON + DAY)

    assert 0 < second.new_files <= len(new)  # of two equal files, one is copied
    assert second.new_bytes <= sum(new.values())
    assert second.new_files < second.files


def test_known_files_are_not_read(root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch):
    back_up(root, backups)
    read: list[str] = []
    pieces = location.read_chunks
    monkeypatch.setattr(location, "read_chunks", lambda *names: (read.append(names[1]), pieces(*names))[1])
    back_up(root, backups)

    assert read == []


def test_unknown_table_is_backed_up(root: Path, backups: Path, tmp_path: Path):
    frame = pl.DataFrame({"x": [1.5, 2.5]})
    frame.write_delta(root / "gold" / "of_tomorrow")
    manifest = back_up(root, backups).manifest

    assert (table_of(manifest, "gold.of_tomorrow").rows, table_of(manifest, "gold.of_tomorrow").keys) == (2, "")
    assert_frame_equal(pl.read_delta(str(copy_back(backups, manifest, tmp_path / "a") / "gold" / "of_tomorrow")), frame)


def test_table_with_another_key_is_backed_up_without_a_digest(
    root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
):
    other = Table(name="lake.meta", grain="", key=("club",), columns=(), source=None, partition=None)
    monkeypatch.setattr(catalog, "ALL_TABLES", (*(t for t in catalog.ALL_TABLES if t.name != other.name), other))

    assert table_of(back_up(root, backups).manifest, "lake.meta").keys == ""


# the log


def test_only_new_commits_are_packed(root: Path, second_lake: Path, backups: Path, tmp_path: Path):
    first = table_of(back_up(root, backups).manifest, "lake.runs")
    replace_lake(root, second_lake)
    manifest = back_up(root, backups, now=NOON + DAY).manifest
    second = table_of(manifest, "lake.runs")

    assert second.log[:-1] == first.log
    assert (second.log[-1].first, second.log[-1].last) == (first.version + 1, second.version)
    assert lakes.read_rows(copy_back(backups, manifest, tmp_path / "again"), ledger.RUNS).height == 2


def test_changed_history_is_packed_completely(root: Path, first_lake: Path, backups: Path, tmp_path: Path):
    """A lake that went back to an older state and continued has other commits with the same versions."""
    note_run(root, 2)
    first = table_of(back_up(root, backups, now=NOON + DAY).manifest, "lake.runs")
    replace_lake(root, first_lake)
    note_run(root, 3)
    manifest = back_up(root, backups, now=NOON + 2 * DAY).manifest
    second = table_of(manifest, "lake.runs")
    again = copy_back(backups, manifest, tmp_path / "again")

    assert_frame_equal(lakes.read_rows(again, ledger.RUNS), lakes.read_rows(root, ledger.RUNS))
    assert (first.id, first.version) == (second.id, second.version)
    assert first.head != second.head
    assert [(pack.first, pack.last) for pack in second.log] == [(0, second.version)]


def test_many_log_packs_become_one(root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_packs, "MAX_PACKS", 2)
    spans = []
    for day in range(4):
        saved = table_of(back_up(root, backups, now=NOON + day * DAY).manifest, "lake.runs")
        spans.append([(pack.first, pack.last) for pack in saved.log])
        note_run(root, day)

    assert spans == [[(0, 1)], [(0, 1), (2, 2)], [(0, 3)], [(0, 3), (4, 4)]]


def test_log_without_its_first_commits_is_backed_up_with_its_checkpoint(root: Path, backups: Path, tmp_path: Path):
    note_run(root, 2)
    folder = lakes.locate_table(root, ledger.RUNS)
    DeltaTable(folder).create_checkpoint()
    for version in (0, 1):
        (folder / "_delta_log" / f"{version:020d}.json").unlink()
    manifest = back_up(root, backups).manifest
    saved = table_of(manifest, "lake.runs")

    assert [(pack.first, pack.last) for pack in saved.log] == [(2, 2)]
    assert [file.name for file in saved.checkpoint] == [f"_delta_log/{2:020d}.checkpoint.parquet"]
    assert lakes.read_rows(copy_back(backups, manifest, tmp_path / "again"), ledger.RUNS).height == 2


def test_first_commits_of_an_earlier_backup_stay_when_the_lake_removed_them(root: Path, backups: Path):
    first = table_of(back_up(root, backups).manifest, "lake.runs")
    note_run(root, 2)
    folder = lakes.locate_table(root, ledger.RUNS)
    DeltaTable(folder).create_checkpoint()
    (folder / "_delta_log" / f"{0:020d}.json").unlink()
    second = table_of(back_up(root, backups).manifest, "lake.runs")

    assert (second.log[0], second.checkpoint) == (first.log[0], ())


# consistency


def test_unchanging_versions_are_one_moment(root: Path):
    found = snapshot.take_snapshot(root)

    assert found.is_consistent
    assert {**lakes.read_versions(root)}.items() <= found.versions.items()


def readings(*found: dict[str, int]) -> Callable[..., dict[str, int]]:
    """Return a function that reads other versions of the tables each time."""
    left = list(found)
    return lambda root, names: {n: v for n, v in (left.pop(0) if len(left) > 1 else left[0]).items() if n in set(names)}


def test_two_equal_readings_are_one_moment(root: Path, monkeypatch: pytest.MonkeyPatch):
    names = ["bronze.play_by_play", "silver.plays"]
    seen = [dict(zip(names, pair, strict=True)) for pair in [(1, 1), (2, 1), (2, 1), (3, 2), (3, 2), (3, 2), (4, 2)]]
    monkeypatch.setattr(snapshot, "read_versions", readings(*seen))
    monkeypatch.setattr(snapshot, "PAUSE_S", 0)

    assert snapshot.take_snapshot(root) == snapshot.Snapshot(
        {"bronze.play_by_play": 3, "silver.plays": 2}, is_consistent=True
    )


def test_with_frequent_commits_no_table_is_newer_than_its_inputs(root: Path, monkeypatch: pytest.MonkeyPatch):
    order: list[str] = []
    turn = iter(range(10_000))

    def versions(_: Location, names: Iterator[str]) -> dict[str, int]:
        some = list(names)
        order.extend(dict.fromkeys(name.split(".")[0] for name in some))
        return dict.fromkeys(some, next(turn))

    monkeypatch.setattr(snapshot, "read_versions", versions)
    monkeypatch.setattr(snapshot, "PAUSE_S", 0)
    found = snapshot.take_snapshot(root)

    assert not found.is_consistent
    assert order[-4:] == ["gold", "silver", "bronze", "lake"]
    assert found.versions["gold.skater_game"] < found.versions["silver.plays"] < found.versions["bronze.play_by_play"]


def test_commit_during_a_backup_belongs_to_the_next_one(
    root: Path, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy = stock.copy_data_files

    def and_a_run(*given: Any, **more: Any) -> Any:
        run_ingest(root, FakeApi([*GAMES, FakeGame(11)]), now=NOON + DAY)
        return copy(*given, **more)

    before = {table.name: lakes.read_rows(root, table) for table in catalog.TABLES}
    monkeypatch.setattr(backing, "copy_data_files", and_a_run)
    again = copy_back(backups, back_up(root, backups).manifest, tmp_path / "again")

    assert lakes.read_rows(root, ledger.RUNS).height == 2
    for table in catalog.TABLES:
        assert_frame_equal(lakes.read_rows(again, table), before[table.name])


def test_running_backup_pins_the_versions_it_reads(root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch):
    copy = stock.copy_data_files
    seen: list[dict[str, set[int]]] = []
    monkeypatch.setattr(
        backing, "copy_data_files", lambda *given, **more: (seen.append(read_pins(root, NOON)), copy(*given, **more))[1]
    )
    manifest = back_up(root, backups).manifest

    assert seen == [{table.name: {table.version} for table in manifest.tables}]
    assert read_pins(root, NOON) == {}


def test_pin_of_a_killed_backup_lasts_two_days(root: Path):
    pin = root / ".nhl-lake" / "pins" / "20260110T170000Z.json"
    pin.parent.mkdir(parents=True, exist_ok=True)
    pin.write_text(json.dumps({"since": NOON.isoformat(), "versions": {"lake.runs": 1}}))

    assert read_pins(root, NOON + timedelta(hours=47)) == {"lake.runs": {1}}
    assert read_pins(root, NOON + timedelta(hours=49)) == {}


KILLED = """
import os, signal, sys, time
from pathlib import Path
from nhl_lake.backup import create, objects, repository, staging
from tests.support.backups import back_up

root, backups, left = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
deposit = staging.store_object
objects.SAVE_EVERY_S = 0.0
create.MAX_WORKERS = 1

def dies(*given):
    global left
    left -= 1
    while left < 0:
        time.sleep(0.01)
        if len(repository.read_progress(backups)) >= 8:
            os.kill(os.getpid(), signal.SIGKILL)
    return deposit(*given)

staging.store_object = dies
back_up(root, backups)
"""


def test_killed_backup_does_not_count_and_the_next_continues_it(root: Path, backups: Path, tmp_path: Path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(backups), "12"],
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=60,
    )
    copied = len(repository.read_progress(backups))
    done = back_up(root, backups, now=NOON + DAY)

    assert killed.returncode == -signal.SIGKILL
    assert repository.list_backups(backups) == [done.manifest.name]
    assert 8 <= copied <= 12
    assert done.new_files == done.files - copied
    assert not (backups / "partial.json").exists()
    for table in catalog.TABLES:
        again = copy_back(backups, done.manifest, tmp_path / "again")
        assert_frame_equal(lakes.read_rows(again, table), lakes.read_rows(root, table))


def test_existing_objects_are_not_written_again(backups: Path):
    into = staging.open_staging(backups)
    for body in (b"one", b"other", b"one"):
        staging.store_object(into, [body])
    assert len(into.pending) == len(list((backups / "objects").glob("*#*"))) == 2
    staging.finalize_staged_files(into)
    named = sizes(backups)
    staging.store_object(into, [b"one"])

    assert (into.pending, sizes(backups)) == ({}, named)
    assert repository.list_objects(backups) == into.stored


@pytest.mark.parametrize("is_disk_synced", [True, False], ids=["the disk at once", "file by file"])
def test_objects_are_synced_before_they_are_named_and_before_their_manifest(
    *, is_disk_synced: bool, root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: set[int] = set()
    fsync, replace, all_of_disk, written = os.fsync, Path.replace, location.sync_filesystem, repository.write_manifest

    def one(descriptor: int) -> None:
        fsync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    def disk(folder: Path) -> bool:
        there = [folder, *folder.rglob("*")]
        if is_disk_synced and all_of_disk(folder):
            synced.update(file.stat().st_ino for file in there)
        return is_disk_synced

    def named(draft: Path, to: Path) -> Path:
        if "objects" in to.parts:
            assert draft.stat().st_ino in synced
            synced.discard(to.parent.stat().st_ino)
        return replace(draft, to)

    def manifest(backups: Path, of: Manifest) -> None:
        for _, sha256, _ in repository.list_manifest_objects(of):
            file = backups / repository.object_name(sha256)
            assert {above.stat().st_ino for above in (file, file.parent, file.parent.parent, backups)} <= synced
        written(backups, of)

    monkeypatch.setattr(os, "fsync", one)
    monkeypatch.setattr(location, "sync_filesystem", disk)
    monkeypatch.setattr(Path, "replace", named)
    monkeypatch.setattr(repository, "write_manifest", manifest)
    assert back_up(root, backups).new_files > location.SYNC_WORKERS


def test_stopped_backup_saves_its_progress_and_removes_its_pin(
    root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
):
    class Stopped(SilentReport):
        def done(self, size: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backing.create_backup(root, backups, clock=fixed_clock(NOON), report=Stopped(), command="")

    assert repository.list_backups(backups) == []
    assert repository.read_progress(backups)
    assert all(repository.list_objects(backups)[copy.sha256] == copy.size for copy in repository.read_progress(backups))
    assert not list((backups / "objects").glob("*#*"))
    assert read_pins(root, NOON) == {}


def test_backup_continues_after_a_full_disk(root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch):
    deposit = staging.store_object
    room = [5]

    def full(*given: Any) -> tuple[str, int]:
        if not room[0]:
            raise OSError(28, "No space left on device")
        room[0] -= 1
        return deposit(*given)

    monkeypatch.setattr(staging, "store_object", full)
    with pytest.raises(OSError, match="No space left"):
        back_up(root, backups)
    monkeypatch.setattr(staging, "store_object", deposit)

    assert repository.list_backups(backups) == []
    assert back_up(root, backups).new_files >= 1
    assert not verify_backups(backups, repository.list_backups(backups), deep=True, report=SilentReport()).wrong


def test_two_backups_to_one_location_exclude_each_other(root: Path, backups: Path):
    said = f"The backup repository at {re.escape(str(backups))} is in use by `nhl-lake backup prune`"
    with locks.hold_lock(backups, "nhl-lake backup prune", now=NOON), pytest.raises(LakeLocked, match=said):
        back_up(root, backups)


def test_backup_does_not_wait_for_the_lock_of_the_lake(root: Path, backups: Path):
    with locks.hold_lock(root, "nhl-lake ingest", now=NOON):
        assert back_up(root, backups).new_files


def test_files_removed_before_they_are_pinned_are_noticed(root: Path, backups: Path, monkeypatch: pytest.MonkeyPatch):
    """Compaction and vacuum run between reading the versions and pinning them: the backup has the later versions."""
    note_run(root, 2)
    settled = snapshot.take_snapshot

    def and_a_clean_up(root: Path) -> snapshot.Snapshot:
        found = settled(root)
        monkeypatch.setattr(backing, "take_snapshot", settled)
        delta = DeltaTable(lakes.locate_table(root, ledger.RUNS))
        delta.optimize.compact()
        delta.vacuum(0, enforce_retention_duration=False, dry_run=False)
        return found

    monkeypatch.setattr(backing, "take_snapshot", and_a_clean_up)
    manifest = back_up(root, backups).manifest

    assert table_of(manifest, "lake.runs").version == DeltaTable(lakes.locate_table(root, ledger.RUNS)).version()
    assert read_pins(root, NOON) == {}


# errors


def flip(file: Path, at: int = 100) -> None:
    body = bytearray(file.read_bytes())
    body[at] ^= 1
    file.write_bytes(body)


def data_file(root: Path, table: Table) -> Path:
    return next(lakes.locate_table(root, table).rglob("*.parquet"))


def test_damaged_data_file_is_reported_and_the_good_copy_stays(root: Path, backups: Path):
    """The object is gone, so the file is read again: its hash must be that of the first backup."""
    first = back_up(root, backups).manifest
    file = table_of(first, "bronze.play_by_play").files[0]
    stored = backups / repository.object_name(file.sha256)
    stored.rename(tmp := backups / "elsewhere")
    flip(lakes.locate_table(root, endpoints.PLAY_BY_PLAY) / file.name)

    with pytest.raises(UnreadableData) as raised:
        back_up(root, backups, now=NOON + DAY)
    tmp.rename(stored)

    assert "bronze.play_by_play" in raised.value.message
    assert file.name in raised.value.message
    assert "nhl-lake doctor" in raised.value.hint
    assert repository.list_backups(backups) == [first.name]
    assert not verify_backups(backups, [first.name], deep=True, report=SilentReport()).wrong


def test_truncated_data_file_is_reported(root: Path, backups: Path):
    file = data_file(root, endpoints.PLAY_BY_PLAY)
    size = file.stat().st_size
    with file.open("rb+") as some:
        some.truncate(size - 1)

    with pytest.raises(UnreadableData, match=f"has {size - 1:,} bytes, but {size:,} in the log"):
        back_up(root, backups)
    assert repository.list_backups(backups) == []


def test_missing_data_file_is_reported(root: Path, backups: Path):
    data_file(root, endpoints.PLAY_BY_PLAY).unlink()

    with pytest.raises(UnreadableData, match=r"bronze\.play_by_play.*\.parquet of version 1 is missing"):
        back_up(root, backups)


def test_lake_that_lost_a_table_is_not_backed_up(root: Path, backups: Path):
    first = back_up(root, backups).manifest
    shutil.rmtree(lakes.locate_table(root, endpoints.PLAY_BY_PLAY))

    with pytest.raises(LakeError, match=r"bronze\.play_by_play of .* is missing") as raised:
        back_up(root, backups, now=NOON + DAY)
    assert "restore --from-backup" in raised.value.hint
    assert repository.list_backups(backups) == [first.name]
    assert "bronze.play_by_play" not in {t.name for t in back_up(root, backups, allow_row_loss=True).manifest.tables}


def test_lake_that_lost_pages_is_not_backed_up(root: Path, second_lake: Path, first_lake: Path, backups: Path):
    replace_lake(root, second_lake)
    back_up(root, backups)
    replace_lake(root, first_lake)

    with pytest.raises(LakeError, match=r"has \d rows; the backup 20260110T170000Z has \d rows"):
        back_up(root, backups, now=NOON + DAY)


def test_silver_and_gold_may_shrink(root: Path, backups: Path):
    back_up(root, backups)
    shutil.rmtree(root / "gold")
    shutil.rmtree(root / "silver")

    assert back_up(root, backups, now=NOON + DAY).manifest.number == 2


def other_than(manifest: Manifest, **changed: Any) -> Manifest:
    return msgspec.structs.replace(manifest, **changed)


@pytest.mark.parametrize("inside", ["backups", ".", "../"])
def test_backups_inside_the_lake_or_around_it_are_refused(root: Path, inside: str):
    with pytest.raises(BadInput, match="inside each other"):
        back_up(root, root / inside)


def test_backups_next_to_a_lake_in_a_bucket_are_not_inside_it():
    backing.require_separate_locations(Bucket("a", "lake"), Bucket("a", "lake-backups"))
    with pytest.raises(BadInput, match="inside each other"):
        backing.require_separate_locations(Bucket("a", "lake"), Bucket("a", "lake/backups"))


def test_backup_without_a_lake_is_an_error(tmp_path: Path, backups: Path):
    with pytest.raises(LakeError, match="There is no lake"):
        back_up(tmp_path / "none", backups)
    assert not backups.exists()


# names and manifests


def test_names_sort_in_order_even_if_the_clock_went_back(root: Path, backups: Path):
    for now in (NOON + DAY, NOON, NOON + DAY, NOON + 2 * DAY):
        back_up(root, backups, now=now)

    found = [repository.read_manifest(backups, name) for name in repository.list_backups(backups)]
    assert [manifest.number for manifest in found] == [4, 3, 2, 1]
    assert [manifest.made_at for manifest in found] == [NOON + 2 * DAY, NOON + DAY, NOON, NOON + DAY]
    assert [m.name[8:] for m in found] == ["T170000Z", "T170000Z-3", "T170000Z-2", "T170000Z"]


def test_ten_backups_in_one_second_sort_by_number():
    name: str | None = None
    names = [name := repository.choose_backup_name(name, NOON) for _ in range(12)]

    assert sorted(names, key=repository.parse_sort_key) == names


@pytest.mark.parametrize("at_byte", [3, 120, 900])
def test_damaged_manifest_is_reported(root: Path, backups: Path, at_byte: int):
    name = back_up(root, backups).manifest.name
    flip(backups / "manifests" / f"{name}.json", at_byte)

    with pytest.raises(UnreadableData, match="is damaged"):
        repository.read_manifest(backups, name)
    (wrong,) = verify_backups(backups, [name], deep=False, report=SilentReport()).wrong
    assert wrong.what == f"manifests/{name}.json"


def test_manifest_of_a_newer_program_is_refused(root: Path, backups: Path):
    manifest = back_up(root, backups).manifest

    with pytest.raises(UnreadableData, match="newer program"):
        decode_manifest(encode_manifest(other_than(manifest, format=FORMAT + 1)), "here")


def test_missing_backup_is_an_error(backups: Path):
    with pytest.raises(LakeError, match="There is no backup 20260101T000000Z"):
        repository.read_manifest(backups, "20260101T000000Z")
    with pytest.raises(LakeError, match="There is no backup at"):
        repository.require_newest_manifest(backups)
    assert not backups.exists()


# verify


def an_object(backups: Path, manifest: Manifest, table: str) -> Path:
    return backups / repository.object_name(table_of(manifest, table).files[0].sha256)


def test_verify_finds_missing_and_truncated_objects(root: Path, backups: Path):
    manifest = back_up(root, backups).manifest
    an_object(backups, manifest, "bronze.play_by_play").unlink()
    os.truncate(an_object(backups, manifest, "bronze.boxscore"), 10)
    pack = table_of(manifest, "lake.runs").log[0]
    (backups / repository.object_name(pack.sha256)).unlink()

    wrong = verify_backups(backups, [manifest.name], deep=False, report=SilentReport()).wrong
    assert {(one.what.partition("/")[0], one.why[:14]) for one in wrong} == {
        ("bronze.play_by_play", "is missing"),
        ("bronze.boxscore", "has 10 bytes, "),
        ("lake.runs, commits 0 to 1", "is missing"),
    }


def test_only_deep_verify_finds_a_flipped_bit_and_the_next_backup_repairs_it(root: Path, backups: Path, tmp_path: Path):
    manifest = back_up(root, backups).manifest
    flip(an_object(backups, manifest, "bronze.play_by_play"))
    pack = backups / repository.object_name(table_of(manifest, "lake.runs").log[0].sha256)
    flip(pack, 20)

    assert not verify_backups(backups, [manifest.name], deep=False, report=SilentReport()).wrong
    wrong = verify_backups(backups, [manifest.name], deep=True, report=SilentReport()).wrong
    assert {one.what.partition("/")[0] for one in wrong} == {"bronze.play_by_play", "lake.runs, commits 0 to 1"}

    assert back_up(root, backups, now=NOON + DAY).new_files == 1
    assert not verify_backups(backups, repository.list_backups(backups), deep=True, report=SilentReport()).wrong
    assert_frame_equal(
        lakes.read_rows(copy_back(backups, manifest, tmp_path / "again"), endpoints.PLAY_BY_PLAY),
        lakes.read_rows(root, endpoints.PLAY_BY_PLAY),
    )


# prune


def test_prune_removes_only_what_no_backup_names(root: Path, second_lake: Path, backups: Path):
    first = back_up(root, backups).manifest
    replace_lake(root, second_lake)
    second = back_up(root, backups, now=NOON + DAY).manifest
    objects = repository.list_objects(backups)
    only_first = {sha for _, sha, _ in repository.list_manifest_objects(first)} - {
        sha for _, sha, _ in repository.list_manifest_objects(second)
    }
    (backups / "objects" / "0123#99").write_bytes(b"a draft")

    would = prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON + DAY, command="", dry_run=True)
    assert repository.list_objects(backups) == objects
    found = prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON + DAY, command="")

    assert found == would
    assert (found.kept, found.removed) == ([second.name], [first.name])
    assert only_first
    assert objects.keys() - repository.list_objects(backups).keys() == only_first
    assert not (backups / "objects" / "0123#99").exists()
    assert not verify_backups(backups, repository.list_backups(backups), deep=True, report=SilentReport()).wrong


def test_prune_keeps_the_copies_of_a_killed_backup(root: Path, second_lake: Path, backups: Path):
    back_up(root, backups)
    into = staging.open_staging(backups)
    sha256, size = staging.store_object(into, [b"of a backup that did not end"])
    staging.finalize_staged_files(into)
    repository.write_progress(backups, [repository.CopiedFile("id", "part", size, sha256)])
    prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON + DAY, command="")

    assert sha256 in repository.list_objects(backups)


def test_prune_keeps_the_notes_of_the_last_drills(root: Path, backups: Path):
    back_up(root, backups)
    for number in range(20):
        note = repository.DrillResult(backup="x", made_at=NOON, seconds=float(number), tables=1, rows=1, bytes=1)
        location.write_file(backups, f"drills/20260110T1700{number:02}000000Z.json", msgspec.json.encode(note))
    prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON, command="", dry_run=True)
    assert len(repository.list_drills(backups)) == 20
    prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON, command="")

    assert len(repository.list_drills(backups)) == 12
    assert (last := repository.read_last_drill(backups)) is not None
    assert last.seconds == 19


def test_prune_removes_nothing_if_a_manifest_cannot_be_read(root: Path, backups: Path):
    name = back_up(root, backups).manifest.name
    back_up(root, backups, now=NOON + DAY)
    flip(backups / "manifests" / f"{name}.json")
    before = sizes(backups)

    with pytest.raises(UnreadableData):
        prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON + DAY, command="")
    assert sizes(backups) == before
