"""Restores: what comes back, how it is verified, and that nothing is lost."""

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.backup import log_packs, repository, restore, restore_tables, time_travel
from nhl_lake.backup.manifest import Manifest, encode_manifest
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.maintenance import upgrade
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables, location, locks
from tests.support import damage, lakes
from tests.support.backups import (
    NOW,
    copy_lake,
    days_later,
    hash_all_tables,
    hash_files,
    list_tables,
    make_backup,
    read_keys,
    read_table_states,
)
from tests.support.commands import CommandResult

Run = Callable[..., CommandResult]
BOXSCORE = endpoints.BOXSCORE
COMMAND = "nhl-lake restore --from-backup"


@pytest.fixture(scope="module")
def league_backups(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backups of the league's lake. Do not change them."""
    folder = tmp_path_factory.mktemp("restore") / "backups"
    make_backup(league_lake, folder)
    return folder


@pytest.fixture
def backups(league_backups: Path, tmp_path: Path) -> Path:
    return copy_lake(league_backups, tmp_path / "backups")


@pytest.fixture
def root(league_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(league_lake, tmp_path / "lake")


def newest(backups: Path) -> Manifest:
    return repository.require_newest_manifest(backups)


def back(root: Path, backups: Path, *, rebuilds: bool = False) -> restore.RestoreResult:
    return restore.restore_lake(root, backups, newest(backups), now=NOW, command=COMMAND, rebuilds=rebuilds)


def list_siblings(root: Path) -> list[str]:
    return sorted(found.name for found in root.parent.iterdir() if found.name.startswith(f"{root.name}."))


def test_every_table_is_restored_at_its_version_with_its_rows(league_lake: Path, league_backups: Path, tmp_path: Path):
    root = tmp_path / "new" / "lake"
    done = back(root, league_backups)
    assert read_table_states(root) == read_table_states(league_lake)
    assert (done.kept_as, list_siblings(root)) == (None, [])
    for table in catalog.TABLES:
        times = [DeltaTable(lakes.locate_table(r, table)).history() for r in (root, league_lake)]
        assert times[0] == times[1]


def test_restored_commits_keep_their_times(league_backups: Path, tmp_path: Path):
    back(tmp_path / "lake", league_backups)
    for table in (BOXSCORE, SKATER_GAME):
        delta = DeltaTable(lakes.locate_table(tmp_path / "lake", table))
        for entry in delta.history():
            file = lakes.locate_table(tmp_path / "lake", table) / "_delta_log" / f"{entry['version']:020d}.json"
            assert round(file.stat().st_mtime * 1000) == entry["timestamp"]


def test_replaced_lake_is_kept_unchanged(root: Path, league_backups: Path):
    (root / "nhl-lake.toml").write_text("rate = 2\n")
    before = hash_files(root)
    done = back(root, league_backups)
    assert done.kept_as is not None
    assert hash_files(Path(done.kept_as)) == before
    assert (root / "nhl-lake.toml").read_text() == "rate = 2\n"
    again = back(root, league_backups)
    assert len({done.kept_as, again.kept_as}) == 2, "two restores in a second keep both"
    assert len(list_siblings(root)) == 2


@pytest.mark.soak
def test_restore_can_rebuild_silver_and_gold(league_lake: Path, league_backups: Path, tmp_path: Path):
    done = back(tmp_path / "lake", league_backups, rebuilds=True)
    assert set(done.rebuilt) >= {table.name for table in lakes.list_filled_tables(league_lake)}
    for table in list_tables(league_lake):
        assert_frame_equal(lakes.read_sorted_rows(tmp_path / "lake", table), lakes.read_sorted_rows(league_lake, table))


def test_restore_continues_with_what_is_missing(
    root: Path, backups: Path, league_lake: Path, monkeypatch: pytest.MonkeyPatch
):
    read: list[str] = []
    pieces = location.read_chunks

    def stops(at: location.Location, name: str, **options: int) -> object:
        if at == backups:
            read.append(name)
            if len(read) == 30:
                raise OSError("the cable was pulled")
        return pieces(at, name, **options)

    monkeypatch.setattr(location, "read_chunks", stops)
    with pytest.raises(OSError, match="cable"):
        back(root, backups)
    assert hash_all_tables(root) == hash_all_tables(league_lake)
    first = set(read)
    staged = next(root.parent.glob("lake.restoring-*"))
    next(staged.rglob("*.parquet")).write_bytes(b"another")
    read.clear()
    read.extend([""] * 40)
    back(root, backups)
    assert len(set(read[40:]) & first) <= 1 + restore.MAX_WORKERS, "fetched again"
    assert read_table_states(root) == read_table_states(league_lake)


@pytest.mark.parametrize(
    "hurt",
    [
        lambda file: damage.flip_bit(file, 0.5),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b""),
        lambda file: file.unlink(),
    ],
    ids=["a bit", "cut", "empty", "gone"],
)
@pytest.mark.parametrize("what", ["data", "log"])
def test_damaged_backup_is_named_and_the_lake_stays(
    what: str, hurt: Callable[[Path], object], root: Path, backups: Path
):
    before = hash_files(root)
    saved = next(saved for saved in newest(backups).tables if saved.name == BOXSCORE.name)
    sha256 = saved.files[0].sha256 if what == "data" else saved.log[0].sha256
    hurt(backups / repository.object_name(sha256))
    with pytest.raises(UnreadableData) as said:
        back(root, backups)
    assert "backup" in said.value.hint
    assert hash_files(root) == before


@pytest.mark.parametrize("field", ["version", "rows", "keys", "id", "files"])
def test_table_that_differs_from_its_manifest_is_not_restored(field: str, root: Path, backups: Path):
    manifest = newest(backups)
    saved = next(saved for saved in manifest.tables if saved.name == BOXSCORE.name)
    wrong = {
        "version": saved.version - 1,
        "rows": saved.rows + 1,
        "keys": f"{saved.keys[:-1]}{'0' if saved.keys[-1] != '0' else '1'}",
        "id": "another",
        "files": saved.files[1:],
    }
    other = msgspec.structs.replace(saved, **{field: wrong[field]})
    tables = tuple(other if one is saved else one for one in manifest.tables)
    (backups / "manifests" / f"{manifest.name}.json").write_bytes(
        encode_manifest(msgspec.structs.replace(manifest, tables=tables))
    )
    before = hash_files(root)
    with pytest.raises(LakeError, match=BOXSCORE.name):
        back(root, backups)
    assert hash_files(root) == before


def test_a_long_log_gets_a_checkpoint(league_backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restore, "CHECKPOINT_AFTER", 1)
    back(tmp_path / "lake", league_backups)
    delta = DeltaTable(lakes.locate_table(tmp_path / "lake", BOXSCORE))
    assert log_packs.list_log(lakes.locate_table(tmp_path / "lake", BOXSCORE)).checkpoints.keys() == {delta.version()}


def test_restore_over_a_healthy_lake_asks_first(run_here: Run, root: Path, league_backups: Path):
    before = hash_files(root)
    ended = run_here("restore", "--from-backup", root=root, backups=league_backups, now=NOW)
    assert ended.code == 1
    assert "undamaged lake" in ended.err
    assert "--yes" in ended.err
    assert (hash_files(root), list_siblings(root)) == (before, [])
    assert run_here("restore", "--from-backup", "--yes", root=root, backups=league_backups, now=NOW).code == 0
    assert len(list_siblings(root)) == 1


def add_a_page(root: Path) -> None:
    """Store another version of a page."""
    page = delta_tables.scan_table(root, BOXSCORE).head(1).collect()
    body = page["body"][0] + " "
    said = {"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest(), "body_bytes": len(body.encode())}
    moment = pl.lit(days_later(1)).cast(pl.Datetime("us", "UTC")).alias("fetched_at")
    page = page.with_columns(moment, **{name: pl.lit(value) for name, value in said.items()}).cast(
        dict(BOXSCORE.schema)
    )
    delta_tables.append_rows(
        root, BOXSCORE, delta_tables.open_table(root, BOXSCORE), page.select(BOXSCORE.schema.names())
    )


def test_restore_over_a_damaged_lake_asks_only_if_newer_pages_would_be_lost(
    run_here: Run, root: Path, league_backups: Path
):
    shutil.rmtree(root / "bronze" / "schedule")
    add_a_page(root)
    ended = run_here("restore", "--from-backup", root=root, backups=league_backups, now=NOW)
    assert ended.code == 1
    assert "1 row of bronze.boxscore" in ended.err
    shutil.rmtree(root / "bronze" / "boxscore")
    ended = run_here("restore", "--from-backup", "--json", root=root, backups=league_backups, now=NOW)
    assert ended.code == 0, ended.err
    assert ended.json["kept_as"].endswith("lake.before-restore-20260401T130000Z")


def test_missing_table_is_restored_and_the_others_stay(
    run_here: Run, root: Path, league_backups: Path, league_lake: Path
):
    add_a_page(root)
    shutil.rmtree(root / "bronze" / "schedule")
    others = hash_all_tables(root)
    ended = run_here(
        "restore", "--from-backup", "--table", "bronze.schedule", "--json", root=root, backups=league_backups, now=NOW
    )
    assert ended.code == 0, ended.err
    after = hash_all_tables(root)
    assert after.pop("bronze.schedule") == hash_all_tables(league_lake)["bronze.schedule"]
    assert after == others
    assert list_siblings(root) == []


def test_readable_table_gets_its_missing_rows_and_loses_none(
    run_here: Run, root: Path, league_backups: Path, league_lake: Path
):
    file = damage.find_biggest_data_file(root, BOXSCORE)
    file.unlink()
    delta_tables.open_table(root, BOXSCORE).repair()
    add_a_page(root)
    own = read_keys(root, BOXSCORE)
    every = own | read_keys(league_lake, BOXSCORE)
    assert own < every
    for expected in (len(every) - len(own), 0):
        ended = run_here(
            "restore",
            "--from-backup",
            "--table",
            "bronze.boxscore",
            "--json",
            root=root,
            backups=league_backups,
            now=NOW,
        )
        assert ended.code == 0, ended.err
        assert ended.json == [{"table": "bronze.boxscore", "added": expected, "is_replaced": False, "kept_as": None}]
        assert read_keys(root, BOXSCORE) == every
        assert lakes.read_rows(root, BOXSCORE).height == len(every)
    assert list_siblings(root) == []


@pytest.mark.parametrize("hurt", [damage.empty_the_last_commit, damage.lose_a_log_entry, damage.lose_the_log])
def test_unreadable_table_is_replaced_and_its_readable_rows_are_added(
    hurt: damage.DamageFunction, run_here: Run, root: Path, league_backups: Path
):
    add_a_page(root)
    every = read_keys(root, BOXSCORE)
    hurt(root, BOXSCORE)
    ended = run_here(
        "restore", "--from-backup", "--table", "bronze.boxscore", "--json", root=root, backups=league_backups, now=NOW
    )
    assert ended.code == 0, ended.err
    assert ended.json[0]["is_replaced"]
    assert read_keys(root, BOXSCORE) == every
    assert Path(ended.json[0]["kept_as"]).is_dir()


@pytest.mark.parametrize("which", [0, 1, -1], ids=["the first", "the second", "none"])
def test_orphan_files_are_read_only_if_a_commit_is_missing(which: int, root: Path):
    folder = lakes.locate_table(root, BOXSCORE)
    for _ in range(2):
        add_a_page(root)
    named = sorted(str(f.relative_to(folder)) for f in folder.rglob("*.parquet") if "_delta_log" not in f.parts)
    stray = folder / "part-stray.parquet"
    shutil.copy(folder / named[0], stray)
    if which >= 0:
        damage.list_commits(root, BOXSCORE)[which].unlink()

    assert restore_tables.list_data_files(folder) == (named if which < 0 else sorted([*named, stray.name]))


def dated(page: pl.DataFrame, hours: int) -> pl.DataFrame:
    """Return a page as it was fetched some hours later, with another body."""
    body = f"{page['body'][0]} {hours}"
    said = {"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest(), "body_bytes": len(body.encode())}
    moment = pl.lit(NOW + timedelta(hours=hours)).cast(pl.Datetime("us", "UTC")).alias("fetched_at")
    changed = page.with_columns(moment, **{name: pl.lit(value) for name, value in said.items()})
    return changed.select(endpoints.PLAYERS.schema.names()).cast(dict(endpoints.PLAYERS.schema))


def test_merged_table_keeps_the_newest_of_each_page(root: Path, league_backups: Path):
    """Two pages are newer in the damaged table than in the backup, one of them in two versions."""
    before = lakes.read_rows(root, endpoints.PLAYERS)
    one, other = (delta_tables.scan_table(root, endpoints.PLAYERS).slice(n, 1).collect() for n in (0, 1))
    for page, hours in ((one, 5), (one, 9), (other, 7)):
        delta_tables.store_pages(root, endpoints.PLAYERS, dated(page, hours), lambda was, now: was == now)
    damage.lose_the_log(root, endpoints.PLAYERS)
    done = list(
        restore_tables.restore_tables(
            root, league_backups, newest(league_backups), [endpoints.PLAYERS], now=NOW, command=COMMAND
        )
    )

    after = lakes.read_rows(root, endpoints.PLAYERS)
    assert (done[0].is_replaced, after.height) == (True, before.height)
    said = dict(after.select("player_id", "sha256").iter_rows())
    for page, hours in ((one, 9), (other, 7)):
        assert said.pop(page["player_id"][0]) == dated(page, hours)["sha256"][0]
    assert said.items() <= dict(before.select("player_id", "sha256").iter_rows()).items()


def test_older_page_never_replaces_a_newer_one(root: Path):
    page = delta_tables.scan_table(root, endpoints.PLAYERS).head(1).collect()
    delta_tables.store_pages(root, endpoints.PLAYERS, dated(page, 5), lambda was, now: was == now)
    before = lakes.read_rows(root, endpoints.PLAYERS)

    assert restore_tables.add_missing_rows(root, endpoints.PLAYERS, pl.concat([dated(page, 3), page]).lazy()) == 0
    assert lakes.read_rows(root, endpoints.PLAYERS).sort("player_id").equals(before.sort("player_id"))


def test_page_with_a_changed_body_is_not_rescued(root: Path, league_backups: Path):
    damage.change_a_body(root, BOXSCORE)
    damage.lose_the_log(root, BOXSCORE)
    saved = pl.concat(restore_tables.salvage_rows(lakes.locate_table(root, BOXSCORE), BOXSCORE))
    done = list(
        restore_tables.restore_tables(
            root, league_backups, newest(league_backups), [BOXSCORE], now=NOW, command=COMMAND
        )
    )
    assert done[0].is_replaced
    assert saved.height == lakes.read_rows(root, BOXSCORE).height - 1


def test_bronze_and_the_ledger_cannot_go_back_in_time(run_here: Run, root: Path, league_backups: Path):
    before = hash_files(root)
    for name in ("bronze.play_by_play", "bronze.players", "lake.runs"):
        for words in (("--to-version", "0"), ("--as-of", "2025-10-01")):
            ended = run_here("restore", name, *words, "--yes", root=root, backups=league_backups, now=NOW)
            assert ended.code == 2
            assert "append-only" in ended.err
            assert "--as-known-at" in ended.err
    assert hash_files(root) == before


def test_gold_table_goes_back_in_time_and_the_next_rebuild_notices(run_here: Run, root: Path, league_backups: Path):
    old = lakes.read_sorted_rows(root, SKATER_GAME)
    version = DeltaTable(lakes.locate_table(root, SKATER_GAME)).version()
    ended = run_here("restore", SKATER_GAME.name, "--to-version", "0", "--yes", "--json", root=root, now=NOW)
    assert (ended.code, ended.json["to"], ended.json["version"]) == (0, 0, version + 1)
    assert lakes.read_rows(root, SKATER_GAME).is_empty()
    assert run_here("restore", SKATER_GAME.name, "--to-version", str(version), "--yes", root=root, now=NOW).code == 0
    assert lakes.read_sorted_rows(root, SKATER_GAME).equals(old)
    assert "Nothing changed" in run_here("rebuild", root=root, now=NOW).out
    assert run_here("restore", SKATER_GAME.name, "--to-version", "0", "--yes", root=root, now=NOW).code == 0
    assert SKATER_GAME.name in run_here("rebuild", root=root, now=NOW).out
    assert_frame_equal(lakes.read_sorted_rows(root, SKATER_GAME), old)


def test_as_of_uses_the_times_in_commits_not_those_of_files(root: Path):
    entries = {
        entry["version"]: entry["timestamp"] for entry in DeltaTable(lakes.locate_table(root, SKATER_GAME)).history()
    }
    for file in damage.list_commits(root, SKATER_GAME):
        os.utime(file, (0, 0))
    for version, stamp in sorted(entries.items()):
        moment = datetime.fromtimestamp(stamp / 1000, UTC)
        assert time_travel.restore_version(root, SKATER_GAME, to=moment, now=NOW, command=COMMAND).to == version
    with pytest.raises(BadInput, match="first written"):
        time_travel.restore_version(root, SKATER_GAME, to=datetime(2020, 1, 1, tzinfo=UTC), now=NOW, command=COMMAND)
    with pytest.raises(BadInput, match="no version 99"):
        time_travel.restore_version(root, SKATER_GAME, to=99, now=NOW, command=COMMAND)


def test_version_without_its_files_is_refused_and_the_table_stays(root: Path):
    version = DeltaTable(lakes.locate_table(root, SKATER_GAME)).version()
    time_travel.restore_version(root, SKATER_GAME, to=0, now=NOW, command=COMMAND)
    DeltaTable(lakes.locate_table(root, SKATER_GAME)).vacuum(0, dry_run=False, enforce_retention_duration=False)
    before = DeltaTable(lakes.locate_table(root, SKATER_GAME)).version()
    with pytest.raises(LakeError, match=rf"Cannot restore .* to version {version}"):
        time_travel.restore_version(root, SKATER_GAME, to=version, now=NOW, command=COMMAND)
    assert DeltaTable(lakes.locate_table(root, SKATER_GAME)).version() == before


def test_invalid_options_are_refused(run_here: Run, root: Path, league_backups: Path):
    wrong = (
        ("restore",),
        ("restore", "gold.skater_game"),
        ("restore", "--from-backup", "--to-version", "1"),
        ("restore", "gold.skater_game", "--to-version", "1", "--table", "gold.skater_game"),
        ("restore", "--from-backup", "--table", "gold.skater_game", "--rebuild"),
        ("restore", "--to-version", "1"),
        ("restore", "--from-backup", "20240101T000000Z"),
        ("restore", "--from-backup", "--table", "bronze.nothing"),
        ("restore", "--from-backup", "--from", str(root)),
    )
    for words in wrong:
        ended = run_here(*words, root=root, backups=league_backups, now=NOW)
        assert ended.code in {1, 2}, words
        assert len(ended.err.strip().splitlines()) == 2, words
    assert list_siblings(root) == []


def test_a_backup_of_another_league_or_a_newer_program_is_refused(root: Path, backups: Path):
    for change, what in (({"source": "NHL"}, "sample league"), ({"layout": 99}, "layout 99")):
        wanted = msgspec.structs.replace(newest(backups), **change)
        with pytest.raises(LakeError, match=what):
            restore.restore_lake(root, backups, wanted, now=NOW, command=COMMAND, rebuilds=False)
    assert list_siblings(root) == []


def test_backup_of_an_older_layout_is_upgraded_after_the_restore(
    run_here: Run, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    changed: list[location.Location] = []
    before = ledger.LAYOUT_VERSION
    monkeypatch.setattr(ledger, "LAYOUT_VERSION", before + 1)
    step = upgrade.UpgradeStep(before, lambda _, new: changed.append(new), upgrade.read_pages)
    monkeypatch.setattr(upgrade, "STEPS", (step,))
    ended = run_here("restore", "--from-backup", root=tmp_path / "lake", backups=backups, now=NOW, api="league:")
    assert ended.code == 0, ended.err
    assert len(changed) == 1
    assert upgrade.read_layout(tmp_path / "lake") == before + 1


def test_doctor_accepts_a_lake_restored_from_an_older_backup(run_here: Run, root: Path, backups: Path):
    older = newest(backups).name
    add_a_page(root)
    make_backup(root, backups, now=days_later(2))
    assert run_here("restore", "--from-backup", older, "--yes", root=root, backups=backups, now=days_later(2)).code == 0
    assert run_here("doctor", root=root, backups=backups, now=days_later(2)).code == 0
    damage.lose_the_last_commit(root, BOXSCORE)
    ended = run_here("doctor", root=root, backups=backups, now=days_later(2))
    assert ended.code == 1
    assert "the end of its log is missing" in ended.out


def test_backups_in_the_lake_itself_are_not_swapped_away(root: Path, backups: Path):
    inside = copy_lake(backups, root / "backups")
    with pytest.raises(BadInput, match="inside the lake's folder"):
        back(root, inside)
    assert inside.is_dir()


def test_full_disk_is_reported_before_anything_is_written(
    root: Path, league_backups: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10))
    with pytest.raises(LakeError, match="MB are free"):
        back(root, league_backups)
    assert list_siblings(root) == []


def test_restore_needs_the_lock_of_the_lake(root: Path, league_backups: Path):
    with (
        locks.hold_lock(root, "nhl-lake ingest", now=NOW),
        pytest.raises(LakeError, match="in use by `nhl-lake ingest`"),
    ):
        back(root, league_backups)
    assert list_siblings(root) == []


def make_versions(*versions: tuple[int, int, str]) -> pl.LazyFrame:
    """Return versions of box scores: game, hour and content."""
    rows = [
        {"game_id": game, "fetched_at": NOW + timedelta(hours=hour), "sha256": says} for game, hour, says in versions
    ]
    return pl.LazyFrame(
        rows, schema={name: endpoints.BOXSCORE.schema[name] for name in ("game_id", "fetched_at", "sha256")}
    )


def test_rescued_versions_differ_from_the_version_before():
    there = make_versions((1, 0, "a"), (2, 0, "a"), (3, 0, "a"), (3, 2, "b"))
    rows = make_versions((1, 0, "a"), (1, 5, "a"), (2, 5, "b"), (2, 6, "b"), (2, 7, "a"), (3, 4, "a"), (4, 1, "a"))

    found = restore_tables.find_missing_keys(rows, there, endpoints.BOXSCORE)
    hours = ((found["fetched_at"] - NOW).dt.total_hours()).to_list()
    assert list(zip(found["game_id"], hours, strict=True)) == [(2, 5), (2, 7), (3, 4), (4, 1)]
