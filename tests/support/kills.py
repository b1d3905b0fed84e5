"""Commands that are killed, or have a full disk, at a step; and what the lake must be when they run again.

The suite tries some steps of each command; `python -m benchmarks.kills` tries them all.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.schema import ledger
from tests.support import lakes
from tests.support.command_server import DISK_FULL, KILLED_CODE, CommandResult


@dataclass(frozen=True)
class Scene:
    """A command, and the commands before it; `rm` removes the lake."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    rolls_back: bool = False  # to an older state, on purpose: the lake is that or the one before, and nothing between
    layout: int | None = None  # which the program knows from then on


FIRST, SECOND, THIRD = (("ingest", day) for day in "123")
RESTORE = ("restore", "--from-backup", "--yes")
SCENES = (
    Scene("ingest, the first", FIRST),
    Scene("ingest, one more day", SECOND, (FIRST,)),
    Scene("rebuild", ("rebuild",), (FIRST, (*SECOND, "--no-rebuild"))),
    Scene("rebuild --all", ("rebuild", "--all"), (SECOND,)),
    Scene("backup, the first", ("backup", "create"), (SECOND,)),
    Scene("backup, one more day", ("backup", "create"), (FIRST, ("backup", "create"), SECOND)),
    Scene("restore into nothing", RESTORE, (SECOND, ("backup", "create"), ("rm",))),
    Scene("restore over a lake", RESTORE, (FIRST, ("backup", "create"), SECOND), rolls_back=True),
    Scene("maintain", ("maintain",), (FIRST, SECOND, THIRD)),
    Scene("upgrade", ("upgrade",), (FIRST, SECOND), layout=ledger.LAYOUT_VERSION + 1),
)


def read_page_hashes(root: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Return the hash of every version of every page. A missing table has none."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for table in endpoints.TABLES:
        rows = pl.DataFrame(schema=table.schema)
        if (lakes.locate_table(root, table) / "_delta_log" / f"{0:020d}.json").exists():
            rows = lakes.read_rows(root, table)
        named = rows.select(lakes.make_page_names(table), "sha256").rows()
        assert len(set(named)) == len(named), f"{table.name} holds a page twice"
        found[table.name] = set(named)
    return found


def read_lake_state(root: Path) -> dict[str, Any]:
    """Return the content of a lake: pages and built rows."""
    built = {table.name: lakes.read_sorted_rows(root, table).rows() for table in lakes.BUILT_TABLES}
    return read_page_hashes(root) | built


def count_lost_pages(before: dict[str, set[tuple[Any, ...]]], after: dict[str, set[tuple[Any, ...]]]) -> int:
    """Count the stored pages that are gone. Of a player only the newest page is stored."""
    grows = {table.name for table in endpoints.TABLES if table.is_append_only}
    gone = sum(len(before[name] - after[name]) for name in grows)
    return gone + sum(len({p for p, _ in before[name]} - {p for p, _ in after[name]}) for name in before.keys() - grows)


@dataclass
class Stage:
    """A prepared scene: a folder to start from, and the state after a run that is not killed."""

    scene: Scene
    begins: Path
    steps: int
    ends: dict[str, Any]
    only: str = ""  # pieces of the names at which steps count; all by default

    def reset(self, folder: Path) -> Path:
        """Copy the start to another folder. Return its lake."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.begins, folder)
        return folder / "lake"


def list_good_codes(words: Sequence[str]) -> set[int]:
    """Return the allowed exit codes: `ingest` may end with 3, as some pages are incomplete at first."""
    return {0, 3} if words[0] == "ingest" else {0}


def prepare_start(before: tuple[tuple[str, ...], ...], run: Callable[..., Any], starts: Path) -> Path:
    """Return a folder in which some commands have run, from `starts` if it is there."""
    folder = starts / ("".join("+" + " ".join(words) for words in before) or "nothing")
    if folder.exists():
        return folder
    if not before:
        (folder / "lake").mkdir(parents=True)
        return folder
    shutil.copytree(prepare_start(before[:-1], run, starts), folder)
    if before[-1] == ("rm",):
        shutil.rmtree(folder / "lake")
        return folder
    ended = run(*before[-1], root=folder / "lake")
    assert ended.code in list_good_codes(before[-1]), ended.err
    return folder


def prepare_stage(
    scene: Scene, run: Callable[..., Any], folder: Path, only: str = "", starts: Path | None = None
) -> Stage:
    """Run the commands before a scene, and the scene itself in a copy. Scenes share the folder `starts`."""
    stage = Stage(scene, prepare_start(scene.before, run, starts or folder / "starts"), 0, {}, only)
    root = stage.reset(folder / "ends")
    ended = run(*scene.words, root=root, layout=scene.layout, only=only)
    assert ended.code in list_good_codes(scene.words), ended.err
    stage.steps, stage.ends = ended.steps, read_lake_state(root)
    return stage


def kill_command(run: Callable[..., Any], stage: Stage, root: Path, step: int) -> bool:
    """Kill the command at a step. Return whether it got that far. No page may be lost."""
    before = read_page_hashes(root)
    ended = run(*stage.scene.words, root=root, at=step, layout=stage.scene.layout, only=stage.only)
    assert ended.code in {*list_good_codes(stage.scene.words), KILLED_CODE}, ended.err
    after = read_page_hashes(root)
    is_rolled_back = stage.scene.rolls_back and after == {name: stage.ends[name] for name in after}
    assert is_rolled_back or count_lost_pages(before, after) == 0
    return ended.code == KILLED_CODE


def check_recovery(run: Callable[..., Any], stage: Stage, root: Path) -> None:
    """Run the command again to its end: the lake and its backup must equal those of a run without a kill."""
    if stage.scene.before and (root / "lake").exists():
        seen = run("status", root=root, layout=stage.scene.layout)
        may_be_between = stage.scene.words[0] in {"restore", "upgrade"}
        says_what_to_run = may_be_between and seen.code == 1 and len(seen.err.splitlines()) == 2
        assert says_what_to_run or (seen.code, seen.err) == (0, ""), seen.err
    ended = run(*stage.scene.words, root=root, layout=stage.scene.layout)
    if ended.code == 1 and "Run `nhl-lake doctor --mend` to finish" in ended.err:
        run("doctor", "--mend", root=root, layout=stage.scene.layout)
        ended = run(*stage.scene.words, root=root, layout=stage.scene.layout)
    assert ended.code in list_good_codes(stage.scene.words), ended.err
    assert read_lake_state(root) == stage.ends
    if stage.scene.words == ("backup", "create"):
        verified = run("backup", "verify", "--deep", root=root)
        assert verified.code == 0, verified.out
        shutil.rmtree(root)
        assert run(*RESTORE, root=root).code == 0
        assert read_lake_state(root) == stage.ends


def split_error(ended: CommandResult) -> tuple[str, str]:
    """Return the two lines of an error: what happened, and what to run."""
    assert ended.code == 1, ended
    first, second = ended.err.splitlines()
    assert first.startswith("Error: ")
    assert second.startswith("       ")
    assert len(first) < 700
    return first, second


def fill_disk(run: Callable[..., CommandResult], stage: Stage, root: Path, step: int) -> bool:
    """Run a command on a disk that is full from a step on. Return whether the command noticed."""
    before = read_page_hashes(root)
    ended = run(*stage.scene.words, root=root, at=step, error=DISK_FULL, layout=stage.scene.layout)
    noticed = ended.code not in list_good_codes(stage.scene.words)
    if noticed:
        first, second = split_error(ended)
        assert "The disk is full" in first, ended.err
        assert "Free some space" in second
    after = read_page_hashes(root)
    is_rolled_back = stage.scene.rolls_back and after == {name: stage.ends[name] for name in after}
    assert is_rolled_back or count_lost_pages(before, after) == 0
    return noticed
