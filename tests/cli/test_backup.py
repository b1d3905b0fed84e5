"""The backup commands, on disk and in a bucket."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from nhl_lake.backup import repository, restore
from nhl_lake.backup.create import create_backup
from nhl_lake.backup.verify import verify_backups
from nhl_lake.bronze import endpoints
from nhl_lake.store.location import Bucket, Location
from tests.support import lakes
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, SilentReport, fixed_clock, run_ingest

Run = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of two games, read-only."""
    root = tmp_path_factory.mktemp("small") / "lake"
    run_ingest(root, FakeApi([FakeGame(1), FakeGame(2)]), rebuilds=True)
    return root


@pytest.fixture
def here(small_lake: Path, tmp_path: Path, run_here: Run) -> Run:
    """Run a command on a copy of it, with backups next to it."""
    shutil.copytree(small_lake, tmp_path / "lake")
    settings = {"root": tmp_path / "lake", "backups": tmp_path / "backups", "now": NOON}
    return lambda *words, **changed: run_here(*words, **(settings | changed))


def test_a_backup_is_created_listed_verified_and_drilled(here: Run):
    created = here("backup", "create")
    listed = here("backup", "list", "--json")
    verified = here("backup", "verify", "--deep")
    drilled = here("backup", "drill", "--json")

    assert created.code == listed.code == verified.code == drilled.code == 0
    (one,) = listed.json
    assert f"Created backup {one['name']} at" in created.out
    assert (one["number"], one["source"]) == (1, "NHL")
    assert "1 backup is intact" in verified.out
    assert (drilled.json["backup"], drilled.json["wrong"]) == (one["name"], [])
    assert drilled.json["rows"] == listed.json[0]["rows"] > 0


def test_a_second_backup_copies_nothing(here: Run):
    here("backup", "create")
    second = here("backup", "create", "--json")

    assert (second.json["new_files"], second.json["new_bytes"], second.json["number"]) == (0, 0, 2)
    assert second.json["files"] > 0


def test_a_backup_goes_to_the_location_of_the_option(here: Run, tmp_path: Path):
    here("backup", "create", "--to", str(tmp_path / "disk"))

    assert not (tmp_path / "backups").exists()
    assert here("backup", "list", "--from", str(tmp_path / "disk"), "--json").json[0]["number"] == 1


def test_quiet_prints_nothing(here: Run):
    assert [
        here(*words, "--quiet").out for words in (["backup", "create"], ["backup", "verify"], ["backup", "drill"])
    ] == [""] * 3


def test_a_damaged_backup_exits_with_1(here: Run, tmp_path: Path):
    here("backup", "create")
    file = max((tmp_path / "backups" / "objects").rglob("*"), key=lambda file: file.stat().st_size * file.is_file())
    file.write_bytes(bytes(file.stat().st_size))

    assert here("backup", "verify").code == 0
    drilled = here("backup", "drill")
    deep = here("backup", "verify", "--deep")
    assert (drilled.code, deep.code) == (1, 1)
    assert "cannot be restored" in drilled.out
    assert "its SHA-256 differs" in deep.out
    assert "nhl-lake backup create" in deep.out
    assert here("backup", "create").code == 0
    assert here("backup", "verify", "--deep").code == 0


def test_a_drill_leaves_only_its_record(here: Run, tmp_path: Path):
    here("backup", "create")
    (tmp_path / "room").mkdir()
    here("backup", "drill", "--in", str(tmp_path / "room"))

    assert list((tmp_path / "room").iterdir()) == []
    assert len(list((tmp_path / "backups" / "drills").iterdir())) == 1


def test_prune_prints_what_it_removes_and_keeps_the_newest(here: Run):
    for day in range(3):
        here("backup", "create", now=NOON + timedelta(days=day))
    would = here("backup", "prune", "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0", "--dry-run")
    found = here("backup", "prune", "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0", "--json")

    assert "Would remove 2 backups" in would.out
    (remaining,) = found.json["kept"]
    assert remaining.startswith("20260112T17")
    assert len(found.json["removed"]) == 2
    assert [one["name"] for one in here("backup", "list", "--json").json] == [remaining]


def test_without_a_backup_every_command_names_the_one_that_creates_it(here: Run, tmp_path: Path):
    for words in (["list"], ["verify"], ["drill"], ["prune"]):
        ended = here("backup", *words)
        assert ended.code == 1
        assert "Run `nhl-lake backup create` to create one" in ended.err
    assert not (tmp_path / "backups").exists()


def test_the_status_shows_the_age_of_the_last_backup_and_drill(here: Run):
    first = here("status").out
    assert first.startswith("All is well: every game since ")
    assert "No backup yet" in first
    here("backup", "create")
    assert "Last backup: less than an hour ago. Last drill: never." in here("status").out
    here("backup", "drill", now=NOON + timedelta(hours=30))
    later = here("status", now=NOON + timedelta(days=4))

    assert "Last backup: 4 days ago. Last drill: 3 days ago." in later.out
    assert here("status", "--json").json["last_backup"].startswith("2026-01-10T17:0")


def test_unreadable_backups_are_a_problem_in_the_status(here: Run, tmp_path: Path):
    here("backup", "create")
    (manifest,) = (tmp_path / "backups" / "manifests").iterdir()
    manifest.write_text("{")
    ended = here("status")

    assert ended.code == 0
    assert ended.out.startswith("Attention: the backups cannot be read (`nhl-lake backup verify`).\n")
    assert here("status", "--json").json["is_well"] is False
    assert "damaged" in here("status", "--json").json["backup_problem"]


def test_a_backup_has_none_of_the_users_settings(here: Run, tmp_path: Path):
    """They may hold an address with a password."""
    (tmp_path / "lake" / "nhl-lake.toml").write_text('api = "http://user:hidden-canary@example.org"\n')
    here("backup", "create")

    assert not [f for f in (tmp_path / "backups").rglob("*") if f.is_file() and b"hidden-canary" in f.read_bytes()]


def test_a_backup_goes_to_a_bucket_from_there_to_a_folder_and_from_bucket_to_bucket(
    small_lake: Path, bucket: Bucket, tmp_path: Path
):
    """All are equal byte by byte: the backup of a lake on disk, and two of the lake restored from it in a bucket."""

    def back_up(root: Location, backups: Location) -> None:
        create_backup(root, backups, clock=fixed_clock(NOON), report=SilentReport(), command="nhl-lake backup create")
        assert not verify_backups(backups, repository.list_backups(backups), deep=True, report=SilentReport()).wrong

    up, lake_up, beside, down = bucket, bucket.with_name("lake2"), bucket.with_name("beside"), tmp_path / "down"
    back_up(small_lake, up)
    restore.fetch_tables(up, repository.require_newest_manifest(up), lake_up)
    back_up(lake_up, beside)
    back_up(lake_up, down)
    tables = [repository.require_newest_manifest(where).tables for where in (up, beside, down)]

    assert [[(t.name, t.keys, t.files, t.head) for t in some] for some in tables[1:]] == [
        [(t.name, t.keys, t.files, t.head) for t in tables[0]]
    ] * 2
    restore.fetch_tables(down, repository.require_newest_manifest(down), tmp_path / "again")
    assert_frame_equal(
        lakes.read_rows(tmp_path / "again", endpoints.PLAY_BY_PLAY), lakes.read_rows(small_lake, endpoints.PLAY_BY_PLAY)
    )
