"""Damaged and read-only lakes, full disks and clocks set back: an error of two lines with a remedy, or no effect.

`damage.py` has the functions that damage a lake; docs/explanation/faults.md lists the outcomes.
"""

import errno
import os
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.cli.storage_errors import translate_error
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.support import damage, fake_api, lakes
from tests.support.command_server import CommandServer, can_kill, start_command_server
from tests.support.kills import (
    SCENES,
    Scene,
    check_recovery,
    count_lost_pages,
    fill_disk,
    list_good_codes,
    prepare_stage,
    read_lake_state,
    read_page_hashes,
    split_error,
)

PLAYS = endpoints.PLAY_BY_PLAY
REMEDY = "nhl-lake doctor"
NOBODY = 65534


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    with start_command_server(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    """A copy of a lake of two days: most tables have three commits."""
    return Path(shutil.copytree(small_lake, tmp_path / "lake"))


SEES_IT = {
    # the commands that the damage stops; all others work as usual
    damage.lose_a_data_file: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.cut_a_data_file: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.empty_a_data_file: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.change_a_body: ("rebuild --all",),
    damage.lose_the_log: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.lose_a_log_entry: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.empty_the_last_commit: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.cut_the_last_commit: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.lose_a_checkpoint: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.empty_a_checkpoint: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.spoil_a_checkpoint: ("status", "ingest 3", "rebuild --all", "show", "check"),
    damage.spoil_the_checkpoint_hint: (),
    damage.ask_for_a_newer_protocol: ("status", "ingest 3", "rebuild --all", "show", "check"),
}


@pytest.mark.parametrize("make", SEES_IT, ids=lambda make: make.__name__)
def test_damage_is_an_error_of_two_lines_and_other_tables_can_be_read(
    make: damage.DamageFunction, ready: CommandServer, root: Path
):
    make(root, PLAYS)
    before = read_tree(root)

    for words in ("status", "rebuild --all", f"show {PLAYS.name}", "check", "ingest 3"):
        name = words.split(" bronze")[0]
        ended = ready.run(*words.split(), root=root)
        if name not in SEES_IT[make]:
            assert ended.code in list_good_codes(name.split()) or name == "check", ended
            continue
        first, second = split_error(ended)
        assert PLAYS.name in first or "data file" in first or "parquet" in first
        assert REMEDY in second
    if "ingest 3" in SEES_IT[make]:
        assert {name: body for name, body in read_tree(root).items() if "lake/runs" not in name} == {
            name: body for name, body in before.items() if "lake/runs" not in name
        }
    for other in ("silver.teams", "gold.skater_game", "bronze.boxscore"):
        assert ready.run("show", other, root=root).code == 0
    assert ready.run("runs", root=root).code == 0


def read_tree(root: Path) -> dict[str, bytes]:
    """Return every file of the lake without its locks and pace."""
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and ".nhl-lake" not in file.parts]
    return {str(file.relative_to(root)): file.read_bytes() for file in files}


def test_damaged_silver_table_is_rebuilt_when_moved_away(ready: CommandServer, root: Path):
    games = catalog.find_table("silver.games")
    facts = lakes.read_sorted_rows(root, games)
    damage.cut_a_data_file(root, games)
    first, second = split_error(ready.run("show", games.name, root=root))
    assert "data file" in first
    assert REMEDY in second

    shutil.move(damage.locate_table(root, games), root.parent / "aside")
    assert ready.run("rebuild", root=root).code == 0
    assert lakes.read_sorted_rows(root, games).equals(facts)


def test_lost_last_commit_is_an_older_version_and_its_pages_are_fetched_again(ready: CommandServer, root: Path):
    hashes = read_page_hashes(root)
    damage.lose_the_last_commit(root, PLAYS)
    assert count_lost_pages(hashes, read_page_hashes(root)) > 0

    first, second = split_error(ready.run("rebuild", "--all", root=root))
    assert "rows would become" in first
    assert "--allow-row-loss" in second
    assert ready.run("ingest", "2", root=root).code in {0, 3}
    assert count_lost_pages(hashes, read_page_hashes(root)) == 0


def test_flipped_bits_never_reach_silver_unnoticed(root: Path, ready: CommandServer):
    """Wherever a bit of a bronze file flips: an error, or every built row is as before."""
    facts = {table.name: lakes.read_sorted_rows(root, table).rows() for table in lakes.BUILT_TABLES}
    where = random.Random(57)
    outcomes = {"noticed": 0, "harmless": 0}
    for trial in range(6):
        other = Path(shutil.copytree(root, root.parent / f"flipped{trial}"))
        damage.flip_bit(damage.find_biggest_data_file(other, PLAYS), where.random(), bit=where.randrange(8))
        ended = ready.run("rebuild", "--all", root=other)
        if ended.code == 1:
            split_error(ended)
            outcomes["noticed"] += 1
        else:
            assert {table.name: lakes.read_sorted_rows(other, table).rows() for table in lakes.BUILT_TABLES} == facts
            outcomes["harmless"] += 1
        shutil.rmtree(other)
    assert outcomes["noticed"] > 0, outcomes


@pytest.mark.soak
def test_clock_set_back_loses_nothing_and_versions_stay_in_order(
    ready: CommandServer, small_lake: Path, tmp_path: Path
):
    root = tmp_path / "lake"
    fake_api.run_ingest(root, fake_api.make_league(1), rebuilds=True)
    before = read_page_hashes(root)

    # the games of the second day are over by then
    fake_api.run_ingest(root, fake_api.make_league(2), rebuilds=True, now=fake_api.NOON - timedelta(hours=6))

    assert count_lost_pages(before, read_page_hashes(root)) == 0
    assert read_lake_state(root) == read_lake_state(small_lake)
    for table in endpoints.TABLES:
        assert lakes.read_rows(root, table).select(table.key).is_unique().all()
    assert ready.run("status", root=root).code == 0


FULL_DISK = pytest.mark.skipif(not can_kill(), reason="filling a disk at a call of libc needs Linux and a C compiler")


@FULL_DISK
@pytest.mark.parametrize(
    ("scene", "trials"),
    [(SCENES[1], 2), *(pytest.param(scene, 20, marks=pytest.mark.soak) for scene in SCENES)],
    ids=lambda value: getattr(value, "name", value),
)
def test_full_disk_at_any_step_is_an_error_of_two_lines_and_loses_nothing(
    scene: Scene, trials: int, ready: CommandServer, tmp_path: Path
):
    stage = prepare_stage(scene, ready.run, tmp_path)
    steps = random.Random(f"full {scene.name}")
    root = stage.reset(tmp_path / "trial")

    assert sum(fill_disk(ready.run, stage, root, steps.randint(1, stage.steps)) for _ in range(trials)) > 0
    check_recovery(ready.run, stage, root)


def is_root() -> bool:
    return os.geteuid() == 0


def make_read_only(root: Path) -> Iterator[Path]:
    """Make a lake read-only for everyone."""
    for path in [root, *root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for above in root.parents:
        if above.stat().st_uid == os.geteuid() and above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o055)
    yield root
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def read_only(root: Path) -> Iterator[Path]:
    yield from make_read_only(root)


@pytest.mark.parametrize(
    "words", ["status", "tables", f"show {PLAYS.name}", "show gold.skater_game", "runs", "corrections", "settings"]
)
def test_read_only_lake_can_be_read(words: str, ready: CommandServer, read_only: Path):
    ended = ready.run(*words.split(), root=read_only, user=NOBODY if is_root() else None)

    assert ended.err == ""
    assert ended.code == 0
    assert ended.out


@pytest.mark.parametrize("words", ["ingest 3", "rebuild", "rebuild --all", "maintain"])
def test_writing_commands_refuse_a_read_only_lake_and_change_nothing(words: str, ready: CommandServer, read_only: Path):
    before = read_tree(read_only)

    first, second = split_error(ready.run(*words.split(), root=read_only, user=NOBODY if is_root() else None))

    assert "No permission to read or write" in first
    assert "permissions" in second
    assert read_tree(read_only) == before


def test_first_ingest_into_a_read_only_folder_is_an_error(ready: CommandServer, tmp_path: Path):
    tmp_path.chmod(0o555)
    try:
        ended = ready.run("ingest", "1", root=tmp_path / "lake", user=NOBODY if is_root() else None)
    finally:
        tmp_path.chmod(0o755)

    assert "No permission to read or write" in split_error(ended)[0]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x"), "The disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "x"), "The disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "x"), "No permission to read or write"),
        (OSError(errno.EIO, "Input/output error", "x"), "The disk fails"),
        (OSError("Generic LocalFileSystem error: Input/output error (os error 5)"), "The disk fails"),
        (OSError("Generic LocalFileSystem error: Disk quota exceeded (os error 122)"), "The disk is full"),
        (OSError("Read-only file system (os error 30)"), "No permission to read or write"),
        (OSError("Too many open files (os error 24)"), "Too many files"),
    ],
)
def test_disk_errors_are_named(error: OSError, what: str):
    assert what in translate_error(error, str(error)).message


def test_damaged_ledger_is_an_error_and_the_tables_can_be_read(ready: CommandServer, root: Path):
    damage.cut_a_data_file(root, ledger.RUNS)

    for words in (["status"], ["runs"]):
        _, second = split_error(ready.run(*words, root=root))
        assert REMEDY in second
    assert ready.run("show", "silver.games", root=root).code == 0
    assert delta_tables.scan_table(root, PLAYS).select(pl.len()).collect().item() > 0
