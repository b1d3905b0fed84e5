"""Upgrades: steps in order, unchanged pages, kills at every boundary, and errors where no step exists.

The older layout here is invented: its play-by-play pages are in `bronze/plays`, with `game` for `game_id`.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from nhl_lake import catalog, layout
from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput, LakeError, UnreadableData, ValidationFailed
from nhl_lake.maintenance import upgrade
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables, location, locks
from nhl_lake.store.location import Location
from tests.support import lakes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLAYS = endpoints.PLAY_BY_PLAY
SETTINGS = {"api": "league:", "now": "2025-10-08T12:00:00Z"}


class Killed(BaseException):
    """The process ends here."""


def old_rows() -> pl.DataFrame:
    bodies = [json.dumps({"game": n}) for n in range(30)]
    columns: dict[str, Any] = {
        "season": 20252026, "game": list(range(30)), "game_date": NOW.date(), "state": "OFF", "fetched_at": NOW,
        "url": "http://x", "sha256": "0" * 64, "run_id": "r", "body_bytes": 9, "body": bodies,
    }  # fmt: skip
    return pl.DataFrame(columns).cast(old_schema())


def old_schema() -> pl.Schema:
    return pl.Schema({"game" if name == "game_id" else name: dtype for name, dtype in PLAYS.schema.items()})


def old_pages(root: Location) -> Iterator[tuple[str, pl.LazyFrame]]:
    rows = pl.scan_delta(str(root / "bronze" / "plays"))
    yield PLAYS.name, rows.select(pl.col("game").cast(pl.String).alias("page"), "fetched_at", "body")


def rename_table(old: Location, new: Location) -> None:
    """Upgrade from the older layout to the current one."""
    rows = pl.read_delta(str(old / "bronze" / "plays")).rename({"game": "game_id"})
    delta_tables.create_tables(new, [PLAYS])
    delta_tables.store_pages(new, PLAYS, rows.select(PLAYS.schema.names()), lambda a, b: a == b)
    assert isinstance(new, Path)
    shutil.rmtree(new / "bronze" / "plays")


STEP = upgrade.UpgradeStep(layout=1, change=rename_table, pages=old_pages)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake of the older layout, read by a program of a newer one."""
    root = tmp_path / "lake"
    delta_tables.create_tables(root, [*ledger.TABLES, endpoints.SCHEDULE, catalog.find_table("silver.teams")])
    signed(root, 1)
    write_deltalake(str(root / "bronze" / "plays"), old_rows(), partition_by=["season"])
    (root / "nhl-lake.toml").write_text("rate = 2\n")
    monkeypatch.setattr(ledger, "LAYOUT_VERSION", 2)
    monkeypatch.setattr(upgrade, "STEPS", (STEP,))
    return root


def signed(root: Path, layout: int) -> None:
    row = {"layout": layout, "source": "sample league", "made_by": "0.1.0", "made_at": NOW}
    delta_tables.append_to_ledger(root, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))


def run_upgrade(root: Path) -> upgrade.UpgradeResult | None:
    return upgrade.upgrade_lake(root, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")


def bodies(root: Path, key: str, folder: str) -> list[tuple[int, str]]:
    return sorted(pl.read_delta(str(root / "bronze" / folder)).select(key, "body").rows())


def is_old(root: Path) -> bool:
    """Return whether the lake opens in the older layout, with all its pages."""
    layout = upgrade.read_layout(root)
    return layout == 1 and bodies(root, "game", "plays") == old_rows().select("game", "body").rows()


def is_new(root: Path) -> bool:
    """Return whether the lake opens in the current layout, with all its pages."""
    layout.check_tables(root)
    return (
        upgrade.read_layout(root) == 2
        and bodies(root, "game_id", "play_by_play") == old_rows().select("game", "body").rows()
    )


def test_upgrade_changes_no_page_and_keeps_the_old_lake(old):
    done = run_upgrade(old)

    assert done is not None
    assert (done.layout, done.pages) == (1, 30)
    assert is_new(old)
    assert isinstance(done.kept_as, Path)
    assert is_old(done.kept_as)
    assert (old / "nhl-lake.toml").read_text() == "rate = 2\n"
    assert not old.with_name("lake.upgrading").exists()
    assert not (old / "bronze" / "plays").exists()


def test_lake_of_the_current_layout_is_not_upgraded(tmp_path):
    root = tmp_path / "lake"
    delta_tables.create_tables(root, ledger.TABLES)
    signed(root, ledger.LAYOUT_VERSION)

    assert run_upgrade(root) is None
    assert [p.name for p in tmp_path.iterdir()] == ["lake"]


def test_second_upgrade_does_nothing(old):
    run_upgrade(old)

    assert run_upgrade(old) is None


def test_ledger_records_every_layout(old):
    run_upgrade(old)

    rows = lakes.read_rows(old, ledger.META).sort("layout").select("layout", "made_by", "source").rows()
    assert rows == [(1, "0.1.0", "sample league"), (2, "0.2.0", "sample league")]


def test_upgrade_takes_several_steps_in_order(old, monkeypatch):
    taken = []
    monkeypatch.setattr(ledger, "LAYOUT_VERSION", 3)
    second = upgrade.UpgradeStep(
        layout=2, change=lambda old, new: taken.append((old.name, new.name)), pages=upgrade.read_pages
    )
    monkeypatch.setattr(upgrade, "STEPS", (second, STEP))

    assert run_upgrade(old) is not None
    assert taken == [("lake", "lake.upgrading")]
    assert upgrade.read_layout(old) == 3


def test_missing_upgrade_step_is_an_error_before_any_change(old, monkeypatch):
    monkeypatch.setattr(ledger, "LAYOUT_VERSION", 3)

    with pytest.raises(LakeError, match="cannot upgrade layout 1 to layout 3"):
        run_upgrade(old)

    assert is_old(old)
    assert not old.with_name("lake.upgrading").exists()


def change_page(new: Path) -> None:
    delta = delta_tables.open_table(new, PLAYS)
    delta.alter.set_table_properties({"delta.appendOnly": "false"})
    delta.update(predicate="game_id = 7", new_values={"body": "'other'"})


def drop_page(new: Path) -> None:
    delta = delta_tables.open_table(new, PLAYS)
    delta.alter.set_table_properties({"delta.appendOnly": "false"})
    delta.delete("game_id = 7")


def duplicate_page(new: Path) -> None:
    rows = lakes.read_rows(new, PLAYS).filter(pl.col("game_id") == 7)
    delta_tables.append_rows(new, PLAYS, delta_tables.open_table(new, PLAYS), rows)


@pytest.mark.parametrize("damage", [change_page, drop_page, duplicate_page])
def test_upgrade_that_changes_loses_or_duplicates_a_page_is_refused(old, monkeypatch, damage):
    def wrongly(before: Path, new: Path) -> None:
        rename_table(before, new)
        damage(new)

    monkeypatch.setattr(upgrade, "STEPS", (STEP._replace(change=wrongly),))

    with pytest.raises(ValidationFailed, match=r"differs? after the upgrade"):
        run_upgrade(old)

    assert is_old(old)
    assert not list(old.parent.glob("*.before-upgrade-*"))


def test_data_files_are_linked_and_logs_are_not(old):
    copied = old.with_name("copy")
    upgrade.copy_lake(old, copied)

    for file in copied.rglob("*.parquet"):
        assert file.stat().st_ino == (old / file.relative_to(copied)).stat().st_ino
    for file in copied.rglob("*.json"):
        assert file.stat().st_nlink == 1
    assert {f.relative_to(copied) for f in copied.rglob("*")} == {f.relative_to(old) for f in old.rglob("*")} - {
        Path(locks.STATE_FOLDER)
    }


def test_lake_on_another_disk_is_copied_instead_of_linked(old, monkeypatch):
    link = os.link

    def refuse(source: Path, to: Path, **said: object) -> None:
        if Path(source).suffix in {".parquet", ".json"} and "upgrading" in str(to):
            raise OSError(errno.EPERM, "Operation not permitted")
        link(source, to, **said)

    monkeypatch.setattr(os, "link", refuse)

    assert run_upgrade(old) is not None
    assert is_new(old)


BOUNDARIES = [
    (upgrade, "remove_files"), (upgrade, "copy_lake"), (upgrade, "write_layout"), (upgrade, "verify_pages"),
    (upgrade, "fsync_lake"),
    (upgrade, "choose_free_location"), (delta_tables, "create_tables"), (delta_tables, "store_pages"),
    (delta_tables, "append_to_ledger"), (shutil, "copy2"),
    (os, "link"),
    (atomic_swap, "swap_into_place"), (atomic_swap, "swap_folders"), (atomic_swap, "try_rename_exchange"),
    (location, "write_file"),
    (location, "remove_files"),
]  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("module", "name"), BOUNDARIES, ids=lambda value: getattr(value, "__name__", value))
def test_upgrade_killed_at_any_step_opens_and_the_same_command_finishes_it(old, monkeypatch, module, name, when):
    whole = getattr(module, name)

    def killed(*args: Any, **keywords: Any) -> Any:
        if when == "after":
            whole(*args, **keywords)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(Killed):
            run_upgrade(old)

    if atomic_swap.read_unfinished_swap(old) is not None:
        with pytest.raises(LakeError, match="was interrupted"):
            layout.check_tables(old)
        atomic_swap.finish_swap(old)
    assert is_old(old) if upgrade.read_layout(old) == 1 else is_new(old)
    run_upgrade(old)
    assert is_new(old)
    (old_copy,) = old.parent.glob("*.before-upgrade-*")
    assert is_old(old_copy)
    assert not old.with_name("lake.upgrading").exists()


def test_older_lake_error_names_the_upgrade_command(old):
    with pytest.raises(UnreadableData, match=r"layout 1, written by nhl-lake 0\.1\.0: this program reads 2") as error:
        layout.check_tables(old)

    assert "`nhl-lake upgrade`" in error.value.hint


@pytest.mark.parametrize(
    "words", [["status"], ["tables"], ["runs"], ["check"], ["rebuild"], ["ingest"], ["maintain"], ["corrections"]]
)
def test_commands_do_not_touch_a_lake_of_an_older_layout(old, run_here, words):
    before = {
        file: file.stat().st_mtime_ns
        for file in old.rglob("*")
        if file.is_file() and locks.STATE_FOLDER not in file.parts
    }

    ended = run_here(*words, root=old, **SETTINGS)

    assert ended.code != 0
    assert "nhl-lake upgrade" in ended.err
    assert before == {
        file: file.stat().st_mtime_ns
        for file in old.rglob("*")
        if file.is_file() and locks.STATE_FOLDER not in file.parts
    }


def test_upgrade_command_prints_where_the_old_lake_is(old, run_here):
    ended = run_here("upgrade", root=old, **SETTINGS)
    again = run_here("upgrade", root=old, **SETTINGS)

    assert (ended.code, again.code) == (0, 0)
    assert "now has layout 2; 30 pages did not change" in ended.out
    assert "before-upgrade-" in ended.out
    assert "already" in again.out
    assert is_new(old)


def test_upgrade_without_a_lake_is_an_error(tmp_path, run_here):
    ended = run_here("upgrade", root=tmp_path / "none", **SETTINGS)

    assert ended.code == 1
    assert "There is no lake" in ended.err


def test_upgraded_tables_keep_their_settings(old):
    run_upgrade(old)

    assert DeltaTable(lakes.locate_table(old, PLAYS)).metadata().configuration["delta.appendOnly"] == "true"


def test_upgrade_of_a_lake_with_a_linked_table_is_refused(old, tmp_path):
    shutil.move(old / "bronze", tmp_path / "elsewhere")
    (old / "bronze").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is behind a symbolic link"):
        run_upgrade(old)
    assert is_old(old)
