"""A flipped bit anywhere in a lake is named by `doctor --deep` without a backup, and repaired with one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from nhl_lake.catalog import find_table
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.maintenance import doctor
from nhl_lake.rebuild import run
from nhl_lake.silver.plays import PLAYS
from tests.support import damage, flips, lakes
from tests.support.backups import NOW, back_up, copy_lake, days_later, hash_all_tables, hash_table
from tests.support.commands import CommandResult
from tests.support.doctor import follow_advice, run_doctor
from tests.support.fake_api import make_league, run_ingest

Run = Callable[..., CommandResult]
PLAYERS = find_table("bronze.players")


@pytest.fixture(scope="module")
def backups(small_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flips") / "backups"
    back_up(small_lake, folder)
    return folder


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


@pytest.mark.parametrize(
    "count", [5, pytest.param(14, marks=pytest.mark.soak), pytest.param(300, marks=pytest.mark.soak)]
)
def test_no_flipped_bit_changes_a_number_in_silence(count: int, small_lake: Path, backups: Path, tmp_path: Path):
    found = list(flips.flip_random_bits(small_lake, backups, tmp_path, count=count, seed=count))
    wrong = [flip for flip in found if flip.effect == "other" and not flip.is_named]
    assert wrong == []
    assert [flip for flip in found if not flip.is_repaired] == []
    assert all(flip.is_named for flip in found if flip.kind in {"bronze", "silver", "gold", "lake", "log"})


def flip_letter_of_old_commit(root: Path, table_name: str) -> Path:
    """Change one letter of a data file's name in an old commit: the log now names a file that never existed."""
    table = find_table(table_name)
    commit = next(file for file in damage.list_commits(root, table) if '"add"' in file.read_text())
    text = commit.read_text()
    path = next(entry["add"]["path"] for entry in map(json.loads, text.splitlines()) if "add" in entry)
    other = path.replace("part-", "qart-")
    commit.write_text(text.replace(path, other))
    return commit


@pytest.mark.parametrize("has_checksums", [True, False])
@pytest.mark.parametrize("name", ["bronze.play_by_play", pytest.param("bronze.boxscore", marks=pytest.mark.soak)])
def test_changed_commit_is_restored_from_a_backup_and_no_page_is_given_up(
    name: str, *, has_checksums: bool, run_here: Run, root: Path, backups: Path
):
    run_ingest(root, make_league(3), rebuilds=False)  # newer than the backup
    before = hash_table(root, find_table(name))
    if not has_checksums:  # as in a lake of an older release
        shutil.rmtree(lakes.locate_table(root, find_table(name)) / "_sha256")
    flip_letter_of_old_commit(root, name)
    found = run_doctor(run_here, root, backups)
    remedies = [one["remedy"] for one in found.json["found"] if one["severity"] == "damage"]
    assert found.code == 1
    assert not any("--drop-missing-pages" in remedy for remedy in remedies), remedies
    follow_advice(run_here, root, backups, found)
    assert hash_table(root, find_table(name)) == before
    assert run_doctor(run_here, root, backups, "--deep").code == 0


def test_file_that_only_an_older_backup_has_is_restored(run_here: Run, root: Path, tmp_path: Path):
    backups, table = tmp_path / "backups", find_table("bronze.play_by_play")
    back_up(root, backups, now=days_later(0))
    newer = back_up(root, backups, now=days_later(1)).manifest
    before = hash_table(root, table)
    file = damage.lose_a_data_file(root, table)
    digest = next(one.sha256 for saved in newer.tables for one in saved.files if one.name.endswith(file.name))
    (backups / "manifests" / f"{newer.name}.json").unlink()
    assert (backups / "objects" / digest[:2] / digest).exists()
    found = run_doctor(run_here, root, backups)
    follow_advice(run_here, root, backups, found)
    assert hash_table(root, table) == before


def test_giving_up_sets_aside_and_keeps_what_can_be_read(run_here: Run, root: Path, tmp_path: Path):
    table = find_table("bronze.play_by_play")
    before = lakes.read_row_set(root, table)
    flip_letter_of_old_commit(root, table.name)
    none = tmp_path / "none"
    remedy = run_doctor(run_here, root, none, "--deep").json["found"][0]["remedy"]
    assert "--drop-missing-pages" in remedy
    ended = run_doctor(run_here, root, none, "--deep", "--mend", "--drop-missing-pages")
    assert ended.code == 0, ended.json
    assert lakes.read_row_set(root, table) == before, "its data files are sound"
    assert list((root / ".nhl-lake" / "set-aside").rglob("*.json"))


def test_silver_table_with_a_flipped_bit_is_rebuilt_by_the_command_that_is_named(
    run_here: Run, root: Path, tmp_path: Path
):
    before = hash_all_tables(root)
    damage.flip_bit_in_data_file(root, PLAYS)
    found = run_doctor(run_here, root, tmp_path / "none", "--deep")
    assert [one["where"] for one in found.json["found"] if one["severity"] == "damage"] == [PLAYS.name]
    assert "nhl-lake doctor --deep --mend" in found.json["found"][0]["remedy"]
    follow_advice(run_here, root, tmp_path / "none", found)
    assert hash_all_tables(root) == before


def test_damaged_file_of_an_older_version_is_named_and_moved_aside(run_here: Run, root: Path, tmp_path: Path):
    list(run.rebuild(root, [PLAYS], day=get_eastern_day(NOW), everything=True))
    folder = lakes.locate_table(root, PLAYS)
    live = {Path(file).name for file in DeltaTable(folder).file_uris()}
    old = next(file for file in folder.rglob("*.parquet") if file.name not in live and "_delta_log" not in file.parts)
    content = bytearray(old.read_bytes())
    content[len(content) // 2] ^= 1
    old.write_bytes(content)
    before = hash_all_tables(root)
    found = run_doctor(run_here, root, tmp_path / "none", "--deep")
    assert found.code == 1
    follow_advice(run_here, root, tmp_path / "none", found)
    assert not old.exists()
    assert hash_all_tables(root) == before
    assert run_doctor(run_here, root, tmp_path / "none", "--deep").code == 0


def test_damaged_checksums_are_recorded_again(run_here: Run, root: Path, tmp_path: Path):
    file = next((lakes.locate_table(root, PLAYS) / "_sha256").iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    found = run_doctor(run_here, root, tmp_path / "none", "--deep")
    assert found.code == 1
    follow_advice(run_here, root, tmp_path / "none", found)
    assert run_doctor(run_here, root, tmp_path / "none", "--deep").code == 0


def test_lake_without_checksums_is_told_how_to_record_them(run_here: Run, root: Path, tmp_path: Path):
    shutil.rmtree(lakes.locate_table(root, PLAYS) / "_sha256")
    found = doctor.examine_lake(root, tmp_path / "none", now=NOW, deep=True)
    (note,) = [one for one in found if one.where == PLAYS.name]
    assert (note.severity, "nhl-lake maintain" in note.remedy) == ("note", True)
