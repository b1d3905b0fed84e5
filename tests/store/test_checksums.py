"""Every file of a table has its SHA-256 in the lake, and nothing is built on or copied from a file that differs."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from deltalake import DeltaTable

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.catalog import TABLES
from nhl_lake.errors import UnreadableData
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.maintenance import compaction
from nhl_lake.rebuild import run
from nhl_lake.silver.plays import PLAYS
from nhl_lake.store import checksums, delta_tables
from tests.support import damage, lakes
from tests.support.backups import NOW, back_up, copy_lake, hash_all_tables
from tests.support.fake_api import make_league, run_ingest
from tests.support.pages import store_one_by_one

BOXSCORE, PLAYERS = endpoints.BOXSCORE, catalog.find_table("bronze.players")


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


def list_table_files(folder: Path) -> set[str]:
    """Return the data files, commits and checkpoints of a table."""
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return {name for name in files if not name.startswith("_sha256/") and not name.endswith("_last_checkpoint")}


def require_all_recorded(root: Path) -> None:
    """Raise unless every file of every table has its hash recorded, and only its own."""
    for table in TABLES:
        folder = lakes.locate_table(root, table)
        recorded = checksums.read_checksums(folder)
        assert recorded.damaged == ()
        for name in list_table_files(folder):
            assert recorded.hashes[name] == {hashlib.sha256((folder / name).read_bytes()).hexdigest()}, (table, name)


def flip_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_every_file_that_an_ingest_writes_is_recorded(root: Path):
    require_all_recorded(root)


def test_sha256sum_checks_the_files(root: Path):
    folder = lakes.locate_table(root, BOXSCORE)
    for file in (folder / "_sha256").iterdir():
        subprocess.run(["sha256sum", "--check", "--quiet", file], cwd=folder, check=True)


def test_a_restored_lake_has_all_checksums(root: Path, tmp_path: Path):
    from nhl_lake.backup import restore

    created = back_up(root, tmp_path / "backups").manifest
    restore.fetch_tables(tmp_path / "backups", created, tmp_path / "restored")
    restore.verify_tables(tmp_path / "restored", created.tables)
    require_all_recorded(tmp_path / "restored")


def test_maintenance_records_what_an_older_release_has_not(root: Path):
    for table in TABLES:
        shutil.rmtree(lakes.locate_table(root, table) / "_sha256", ignore_errors=True)
    before = hash_all_tables(root)
    list(compaction.maintain_tables(root, TABLES, days=90, pins={}))
    require_all_recorded(root)
    assert hash_all_tables(root) == before


def test_many_files_of_checksums_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checksums, "MAX_FILES", 5)
    store_one_by_one(tmp_path, 9)
    folder = lakes.locate_table(tmp_path, endpoints.PLAY_BY_PLAY)
    before = checksums.read_checksums(folder).hashes
    compaction.compact_crowded_tables(tmp_path, [endpoints.PLAY_BY_PLAY])
    assert len(checksums.list_checksum_files(folder)) == 1
    assert checksums.read_checksums(folder).hashes == before
    store_one_by_one(tmp_path, 1, start=9)
    assert len(checksums.list_checksum_files(folder)) == 2


def test_next_commit_records_what_a_killed_run_has_not(tmp_path: Path):
    store_one_by_one(tmp_path, 4)
    folder = lakes.locate_table(tmp_path, endpoints.PLAY_BY_PLAY)
    before = checksums.read_checksums(folder).hashes
    for file in sorted((folder / "_sha256").iterdir())[-2:]:
        file.unlink()
    store_one_by_one(tmp_path, 1, start=4)
    assert checksums.read_checksums(folder).hashes.items() >= before.items()


@pytest.mark.parametrize("at", [0, 40, -70, -2])
def test_damaged_file_of_checksums_is_noticed(at: int, root: Path):
    folder = lakes.locate_table(root, BOXSCORE)
    file = sorted((folder / "_sha256").iterdir())[-1]
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert checksums.read_checksums(folder).damaged == (f"_sha256/{file.name}",)


def test_backup_copies_no_damaged_file(root: Path, tmp_path: Path):
    for table in (BOXSCORE, PLAYS):
        copy = copy_lake(root, tmp_path / table.name)
        damage.flip_bit_in_data_file(copy, table)
        with pytest.raises(UnreadableData, match="No backup was created"):
            back_up(copy, tmp_path / "backups" / table.name)
    commit = damage.list_commits(root, BOXSCORE)[1]
    commit.write_bytes(commit.read_bytes().replace(b'"size":', b'"sizf":', 1))
    with pytest.raises(UnreadableData):
        back_up(root, tmp_path / "backups")


def test_rebuild_builds_on_no_damaged_file(root: Path):
    file = damage.find_biggest_data_file(root, BOXSCORE)
    flip_byte(file)
    before = hash_versions(root)
    with pytest.raises(UnreadableData, match=r"bronze\.boxscore: the data file .* is damaged"):
        list(run.rebuild(root, day=get_eastern_day(NOW), everything=True))
    assert {name: before[name] for name in ("silver.lineups", "gold.skater_game")} == {
        name: hash_versions(root)[name] for name in ("silver.lineups", "gold.skater_game")
    }


def hash_versions(root: Path) -> dict[str, int]:
    return {table.name: DeltaTable(lakes.locate_table(root, table)).version() for table in TABLES}


def test_games_are_not_replaced_in_a_damaged_file(root: Path, tmp_path: Path):
    flip_byte(damage.find_biggest_data_file(root, PLAYS))
    with pytest.raises(UnreadableData, match=r"silver\.plays: the data file .* is damaged"):
        run_ingest(root, make_league(3), rebuilds=True)


def test_damaged_files_are_not_merged(tmp_path: Path):
    store_one_by_one(tmp_path, 13)
    flip_byte(damage.find_biggest_data_file(tmp_path, endpoints.PLAY_BY_PLAY))
    version = delta_tables.open_table(tmp_path, endpoints.PLAY_BY_PLAY).version()
    with pytest.raises(UnreadableData, match="is damaged"):
        compaction.compact_crowded_tables(tmp_path, [endpoints.PLAY_BY_PLAY])
    assert delta_tables.open_table(tmp_path, endpoints.PLAY_BY_PLAY).version() == version
