"""Swapping one lake for another: a kill at any step loses neither, and one of them opens."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.store import atomic_swap, location
from nhl_lake.store.location import Location

OLD = {"bronze/plays/_delta_log/0.json": b"old log", "bronze/plays/a.parquet": b"old", "gone/_delta_log/0.json": b"x"}
NEW = {"bronze/plays/_delta_log/0.json": b"new log", "bronze/plays/b.parquet": b"new"}


class Killed(BaseException):
    """The process ends here."""


def write_files(at: Location, files: dict[str, bytes]) -> None:
    for name, body in files.items():
        location.write_file(at, name, body)


def read_files(at: Location) -> dict[str, bytes]:
    if isinstance(at, Path) and not at.exists():
        return {}
    return {
        f.name: location.read_file(at, f.name) for f in location.list_files(at) if not f.name.startswith(".nhl-lake/")
    }


def locate_sibling(root: Location, name: str) -> Location:
    return root.with_name(f"{root.name}.{name}")


class Steps:
    """Count the steps that change a disk or a store, and stop before or after one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
        self.at, self.after, self.count = at, after, 0
        for owner, name in (
            (location, "write_file"),
            (location, "remove_files"),
            (Path, "rename"),
            (atomic_swap, "try_rename_exchange"),
            (obstore, "copy"),
            (shutil, "rmtree"),
        ):
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **more: Any) -> Any:
            self.count += 1
            is_last = self.count == self.at
            if is_last and not self.after:
                raise Killed
            found = do(*words, **more)
            if is_last:
                raise Killed
            return found

        return step


@pytest.fixture(params=[True, False], ids=["in one step", "in two steps"])
def is_in_one_step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system can exchange two folders."""
    if not request.param:
        monkeypatch.setattr(atomic_swap, "try_rename_exchange", lambda *_: False)
    return bool(request.param)


def prepare_swap(root: Location) -> tuple[Location, Location]:
    write_files(root, OLD)
    new, old = locate_sibling(root, "restoring-1"), locate_sibling(root, "before-restore-1")
    write_files(new, NEW)
    return new, old


def test_swap_puts_the_new_folder_in_place_and_moves_the_old_one_aside(any_location: Location):
    new, old = prepare_swap(any_location)
    atomic_swap.swap_into_place(new, any_location, old, command="nhl-lake restore")
    assert (read_files(any_location), read_files(old), read_files(new)) == (NEW, OLD, {})
    assert atomic_swap.read_unfinished_swap(any_location) is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_kill_at_any_step_in_a_folder_loses_neither_version(*, after: bool, is_in_one_step: bool, tmp_path: Path):
    assert kill_at_every_step(lambda n: tmp_path / str(n) / "lake", after=after) > (3 if is_in_one_step else 4)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_kill_at_any_step_in_a_bucket_is_reported_and_loses_neither_version(*, after: bool, bucket: Location):
    assert kill_at_every_step(lambda n: bucket / str(n) / "lake", after=after) > 8


def kill_at_every_step(place_of: Callable[[int], Location], *, after: bool) -> int:
    """Kill a swap at each of its steps, check what is there, and count the steps."""
    for n in range(1, 100):
        root = place_of(n)
        new, old = prepare_swap(root)
        with pytest.MonkeyPatch.context() as patched:
            steps = Steps(patched, n, after=after)
            try:
                atomic_swap.swap_into_place(new, root, old, command="nhl-lake restore")
            except Killed:
                pass
            else:
                return steps.count
        if atomic_swap.read_unfinished_swap(root) is None:
            # nothing has begun, or all is done but for the sweeping
            assert read_files(root) in (OLD, NEW), n
            continue
        if isinstance(root, Path):
            assert read_files(root) in (OLD, NEW, {}), n
        with pytest.raises(LakeError, match=r"interrupted while it replaced") as said:
            atomic_swap.require_no_unfinished_swap(root)
        assert "doctor --mend" in said.value.hint
        atomic_swap.finish_swap(root)
        assert (read_files(root), read_files(old)) == (NEW, OLD), n
        assert atomic_swap.read_unfinished_swap(root) is None
        atomic_swap.finish_swap(root)
        assert read_files(root) == NEW
    raise AssertionError("no exchange came to its end")


def test_swap_of_one_table_moves_the_old_table_next_to_the_lake(any_location: Location):
    write_files(any_location, OLD)
    staged, old = locate_sibling(any_location, "restoring-1"), locate_sibling(any_location, "before-restore-1")
    write_files(staged, NEW)
    names = ("bronze", "plays")
    atomic_swap.swap_into_place(
        staged.joinpath(*names), any_location.joinpath(*names), old.joinpath(*names), lake=any_location
    )
    assert read_files(any_location) == NEW | {"gone/_delta_log/0.json": b"x"}
    assert read_files(old) == {name: body for name, body in OLD.items() if name.startswith("bronze")}


def test_lake_finds_the_unfinished_swap_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = tmp_path / "lake"
    new, old = prepare_swap(root)
    with monkeypatch.context() as patched:
        Steps(patched, 2, after=False)
        with pytest.raises(Killed):
            atomic_swap.swap_into_place(
                new / "bronze", root / "bronze", old / "bronze", lake=root, command="nhl-lake restore"
            )
    with pytest.raises(LakeError, match="interrupted"):
        atomic_swap.require_no_unfinished_swap(root)
    atomic_swap.finish_swap(root)
    assert read_files(root)["bronze/plays/b.parquet"] == b"new"


@pytest.mark.usefixtures("is_in_one_step")
def test_swap_into_an_empty_location_leaves_nothing_aside(tmp_path: Path):
    for name in ("none", "lock only"):
        root = tmp_path / name / "lake"
        root.parent.mkdir()
        if name == "lock only":
            location.write_file(root, ".nhl-lake/lock", b"")
        write_files(locate_sibling(root, "new"), NEW)
        atomic_swap.swap_into_place(locate_sibling(root, "new"), root, locate_sibling(root, "old"))
        assert read_files(root) == NEW
        assert sorted(found.name for found in root.parent.iterdir()) == ["lake"]


def test_swap_follows_a_symbolic_link(tmp_path: Path):
    there = tmp_path / "disk" / "lake"
    write_files(there, OLD)
    link = tmp_path / "lake"
    link.symlink_to(there)
    write_files(tmp_path / "disk" / "new", NEW)
    atomic_swap.swap_into_place(tmp_path / "disk" / "new", link.resolve(), tmp_path / "disk" / "old")
    assert link.is_symlink()
    assert (read_files(link), read_files(tmp_path / "disk" / "old")) == (NEW, OLD)
    assert atomic_swap.read_unfinished_swap(link) is None


def test_mount_point_is_not_swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    new, old = prepare_swap(tmp_path / "lake")
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "lake")
    with pytest.raises(BadInput, match="mount point"):
        atomic_swap.swap_into_place(new, tmp_path / "lake", old)
    assert (read_files(tmp_path / "lake"), atomic_swap.read_unfinished_swap(tmp_path / "lake")) == (OLD, None)


def test_swap_without_a_lake_is_an_error_and_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, new = tmp_path / "lake", tmp_path / "lake.new"
    for one_step in (True, False):
        write_files(root, OLD)
        write_files(new, NEW)
        with monkeypatch.context() as patch:
            patch.setattr(atomic_swap, "swap_folders", lambda *_, **__: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                atomic_swap.swap_into_place(new, root, tmp_path / "lake.kept")
        shutil.rmtree(new)
        with monkeypatch.context() as patch:
            if not one_step:
                patch.setattr(atomic_swap, "try_rename_exchange", lambda *_: False)
            with pytest.raises(LakeError, match="is missing"):
                atomic_swap.finish_swap(root)
        assert read_files(root) == OLD
        assert atomic_swap.read_unfinished_swap(root) is not None  # and it goes on being said
