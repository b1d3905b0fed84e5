"""Backups of several lakes in one folder are never taken for each other's."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from nhl_lake import layout
from nhl_lake.backup import repository
from nhl_lake.backup.manifest import Manifest
from nhl_lake.schema import ledger
from nhl_lake.silver.plays import PLAYS
from nhl_lake.store import delta_tables
from tests.support import lakes
from tests.support.backups import back_up, copy_lake, days_later, hash_all_tables
from tests.support.commands import CommandResult
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

Run = Callable[..., CommandResult]
NOW = days_later(30)


@pytest.fixture(scope="module")
def other_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another lake of the same league. Do not change it."""
    root = tmp_path_factory.mktemp("other") / "lake"
    run_ingest(root, FakeApi([FakeGame(7)]), rebuilds=True)
    return root


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


@pytest.fixture
def other(other_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(other_lake, tmp_path / "other" / "lake")


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def both(root: Path, other: Path, backups: Path) -> tuple[Manifest, Manifest]:
    """Backups of both lakes in one folder, the other one's the newest."""
    mine = back_up(root, backups, now=days_later(0)).manifest
    return mine, back_up(other, backups, now=days_later(1)).manifest


def make_run(run: Run, root: Path, backups: Path) -> Run:
    return lambda *words, **more: run(*words, **({"root": root, "backups": backups, "now": NOW} | more))


def test_identity_stays_when_a_lake_is_written_copied_and_restored(root: Path, other: Path, tmp_path: Path):
    found = layout.read_lake_ids(root)
    assert len(found) == 1
    assert layout.read_lake_ids(copy_lake(root, tmp_path / "copy")) == found
    assert layout.read_lake_ids(other) != found
    assert layout.read_lake_ids(tmp_path / "none") == frozenset()
    shutil.rmtree(lakes.locate_table(root, ledger.META))
    assert len(layout.read_lake_ids(root)) > 1, "the ids of the other tables"


def test_manifest_says_which_lake_it_is_of(root: Path, backups: Path):
    created = back_up(root, backups).manifest
    assert {created.lake_id} == layout.read_lake_ids(root)
    assert created.of == str(root)
    about = repository.describe_lake(created)
    assert about.startswith(f"lake {created.lake_id[:8]} of the NHL (2025-26, last game ")
    assert created.last_game is not None
    assert created.last_run_at is not None
    assert created.is_of(layout.read_lake_ids(root))


def test_every_command_looks_only_at_backups_of_its_lake(
    run_here: Run, root: Path, backups: Path, both: tuple[Manifest, Manifest]
):
    mine, theirs = both
    run = make_run(run_here, root, backups)
    assert run("backup", "drill", "--json").json["backup"] == mine.name
    assert run("backup", "drill", "--json", "--lake", theirs.lake_id[:8]).json["backup"] == theirs.name
    assert run("backup", "verify", "--json").json["backups"] == 1
    assert datetime.fromisoformat(run("status", "--json").json["last_backup"]) == mine.made_at
    found = run("doctor", "--deep", "--json")
    assert found.code == 0, found.json
    pruned = run("backup", "prune", "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0", "--json")
    assert (pruned.json["kept"], pruned.json["removed"]) == ([mine.name], [])
    assert {one["lake"] for one in run("backup", "list", "--json").json} == {mine.lake_id, theirs.lake_id}


def test_prune_keeps_what_other_lakes_need(run_here: Run, root: Path, backups: Path, both: tuple[Manifest, Manifest]):
    newer = back_up(root, backups, now=days_later(2)).manifest
    run = make_run(run_here, root, backups)
    pruned = run("backup", "prune", "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0", "--json")
    assert (pruned.json["kept"], pruned.json["removed"]) == ([newer.name], [both[0].name])
    assert run("backup", "verify", "--deep", "--lake", both[1].lake_id).code == 0


def test_restore_of_a_lake_takes_its_own_backup(
    run_here: Run, root: Path, other: Path, backups: Path, both: tuple[Manifest, Manifest]
):
    before = hash_all_tables(root)
    run = make_run(run_here, root, backups)
    named = run("restore", "--from-backup", both[1].name, "--yes")
    assert (named.code, "not of the lake at" in named.err) == (2, True)
    assert run("restore", "--from-backup", "--table", PLAYS.name, "--yes").code == 0
    assert run("restore", "--from-backup", "--yes").code == 0
    assert hash_all_tables(root) == before
    assert run("restore", "--from-backup", "--yes", "--lake", both[1].lake_id[:8]).code == 0
    assert hash_all_tables(root) == hash_all_tables(other)


def test_lost_lake_is_not_guessed_among_several(
    run_here: Run, root: Path, backups: Path, both: tuple[Manifest, Manifest]
):
    before = hash_all_tables(root)
    shutil.rmtree(root)
    run = make_run(run_here, root, backups)
    for words in (("restore", "--from-backup"), ("restore", "--from-backup", "--yes"), ("backup", "drill")):
        ended = run(*words)
        assert ended.code == 2
        assert all(manifest.lake_id[:8] in ended.err for manifest in both)
        assert not root.exists()
    league = run("restore", "--from-backup", "--lake", "nhl")
    assert (league.code, "matches several lakes" in league.err) == (2, True)
    assert run("restore", "--from-backup", "--lake", "0000").code == 2
    ended = run("restore", "--from-backup", "--lake", both[0].lake_id[:8])
    assert ended.code == 0
    assert hash_all_tables(root) == before


def test_lost_lake_with_one_identity_is_shown_and_restored(run_here: Run, root: Path, backups: Path):
    before, created = hash_all_tables(root), back_up(root, backups).manifest
    shutil.rmtree(root)
    ended = make_run(run_here, root, backups)("restore", "--from-backup")
    assert ended.code == 0
    assert f"Restoring lake {created.lake_id[:8]} of the NHL (2025-26, last game" in ended.out
    assert hash_all_tables(root) == before


def test_lost_lake_is_not_replaced_by_another_league(run_here: Run, root: Path, backups: Path, tmp_path: Path):
    created = back_up(root, backups).manifest
    (backups / "manifests" / f"{created.name}.json").unlink()
    repository.write_manifest(backups, msgspec.structs.replace(created, source="sample league", of="/elsewhere"))
    run = make_run(run_here, tmp_path / "lost", backups)
    ended = run("restore", "--from-backup")
    assert (ended.code, "lake of the NHL" in ended.err) == (2, True)
    assert not (tmp_path / "lost").exists()
    assert run("restore", "--from-backup", "--lake", "sample league").code == 0


def test_lake_that_was_lost_and_begun_again_does_not_look_backed_up(
    run_here: Run, root: Path, other: Path, backups: Path
):
    created = back_up(root, backups).manifest
    shutil.rmtree(root)
    shutil.copytree(other, root)
    run = make_run(run_here, root, backups)
    assert "Lost rows" in run("backup", "create").err
    found = run("doctor", "--json").json["found"]
    assert any(f"--lake {created.lake_id[:8]}" in one["remedy"] for one in found)
    assert not any(one["severity"] == "damage" for one in found), "the tables are another lake's, not damaged"
    ended = run("restore", "--from-backup", "--yes")
    assert (ended.code, "no backup of this lake" in ended.err) == (1, True)


def test_damaged_meta_table_is_restored_from_the_backup_of_this_lake(
    run_here: Run, root: Path, backups: Path, both: tuple[Manifest, Manifest]
):
    before = hash_all_tables(root)
    shutil.rmtree(lakes.locate_table(root, ledger.META))
    run = make_run(run_here, root, backups)
    assert run("restore", "--from-backup", "--table", ledger.META.name).code == 0
    assert hash_all_tables(root) == before


def test_default_location_of_backups_follows_the_root(run_here: Run, root: Path):
    created = run_here("backup", "create", "--json", root=root, now=NOW)
    assert created.code == 0
    assert [folder.name for folder in root.parent.iterdir() if folder.name.endswith("-backups")] == ["lake-backups"]
    shown = json.loads(run_here("settings", "--json", root=root).out)
    assert next(one["value"] for one in shown if one["name"] == "backups") == f"{root}-backups"


def test_mend_rebuilds_lost_and_damaged_built_tables(run_here: Run, root: Path, backups: Path):
    before = hash_all_tables(root)
    shutil.rmtree(root / "gold" / "skater_game")
    (root / "silver" / "games" / "_delta_log" / f"{0:020d}.json").unlink()
    run = make_run(run_here, root, backups)
    found = run("doctor", "--json").json["found"]
    wrong = {one["where"]: one["remedy"] for one in found if one["where"] in {"gold.skater_game", "silver.games"}}
    assert set(wrong) == {"gold.skater_game", "silver.games"}
    assert all("doctor --mend" in remedy for remedy in wrong.values())
    mended = run("doctor", "--mend", "--json")
    assert mended.code == 0, mended.json
    assert hash_all_tables(root) == before
    assert delta_tables.has_table(root, PLAYS)
    assert list((root / ".nhl-lake" / "set-aside").rglob("*.parquet")), "set aside, not deleted"
