"""Whatever step a command is killed at: nothing is lost, the lake opens, and the same command again ends as if never.

The suite tries some steps of each command, several kills one after the other; `benchmarks/kills.py` tries them all.
"""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.bronze import endpoints
from tests.support import lakes
from tests.support.command_server import KILLED_CODE, CommandServer, can_kill, start_command_server

pytestmark = pytest.mark.skipif(not can_kill(), reason="it takes Linux and a C compiler to stop at a call of libc")

KILLS = 3  # in a row, of each command


@dataclass(frozen=True)
class Scene:
    """A command, and what was run before it; `rm` takes the lake away."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    takes_back: bool = False  # to an older state, on purpose: the lake is that or the one before, and nothing between
    layout: int | None = None  # which the program knows from then on


FIRST, SECOND, THIRD = (("ingest", day) for day in "123")
RESTORE = ("restore", "--from-backup", "--yes")
SCENES = (
    Scene("ingest, the first", FIRST),
    Scene("ingest, one more day", SECOND, (FIRST,)),
    Scene("rebuild", ("rebuild",), (FIRST, (*SECOND, "--no-rebuild"))),
    Scene("rebuild --all", ("rebuild", "--all"), (SECOND,)),
    Scene("backup, the first", ("backup",), (SECOND,)),
    Scene("backup, one more day", ("backup",), (FIRST, ("backup",), SECOND)),
    Scene("restore into nothing", RESTORE, (SECOND, ("backup",), ("rm",))),
    Scene("restore over a lake", RESTORE, (FIRST, ("backup",), SECOND), takes_back=True),
    Scene("maintain", ("maintain",), (FIRST, SECOND, THIRD)),
    Scene("upgrade", ("upgrade",), (FIRST, SECOND), layout=2),
)


def pages(root: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Return every version of every page of bronze, by its hash; a table that is not there has none."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for table in endpoints.TABLES:
        rows = pl.DataFrame(schema=table.schema)
        if (lakes.locate_table(root, table) / "_delta_log" / f"{0:020d}.json").exists():
            rows = lakes.read_rows(root, table)
        named = rows.select(lakes.make_page_names(table), "sha256").rows()
        assert len(set(named)) == len(named), f"{table.name} holds a page twice"
        found[table.name] = set(named)
    return found


def state(root: Path) -> dict[str, Any]:
    """Return what a lake says, whatever way it came about: pages, and the rows made of them."""
    made = {table.name: lakes.read_sorted_rows(root, table).rows() for table in lakes.BUILT_TABLES}
    return pages(root) | made


def lost(before: dict[str, set[tuple[Any, ...]]], after: dict[str, set[tuple[Any, ...]]]) -> int:
    """Count the pages that were kept and are gone; of a player only the newest page is kept."""
    grows = {table.name for table in endpoints.TABLES if table.is_append_only}
    gone = sum(len(before[name] - after[name]) for name in grows)
    return gone + sum(len({p for p, _ in before[name]} - {p for p, _ in after[name]}) for name in before.keys() - grows)


@dataclass
class Stage:
    """A scene set: a folder with what the command begins with, and what a run that is never killed ends with."""

    scene: Scene
    begins: Path
    steps: int
    ends: dict[str, Any]
    only: str = ""  # pieces of the names at which steps count; all by default

    def anew(self, folder: Path) -> Path:
        """Set the scene in another folder, and return the lake's."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.begins, folder)
        return folder / "lake"


def good(words: Sequence[str]) -> set[int]:
    """Return how a command may end: `ingest` with 3 too, for a few pages of the league are incomplete at first."""
    return {0, 3} if words[0] == "ingest" else {0}


def staged(scene: Scene, run: Callable[..., Any], folder: Path, only: str = "") -> Stage:
    """Run what comes before a scene, and the scene itself in a copy."""
    begins = folder / "begins"
    (begins / "lake").mkdir(parents=True)
    for words in scene.before:
        if words == ("rm",):
            shutil.rmtree(begins / "lake")
            continue
        ended = run(*words, root=begins / "lake")
        assert ended.code in good(words), ended.err
    stage = Stage(scene, begins, 0, {}, only)
    root = stage.anew(folder / "ends")
    ended = run(*scene.words, root=root, layout=scene.layout, only=only)
    assert ended.code in good(scene.words), ended.err
    stage.steps, stage.ends = ended.steps, state(root)
    return stage


def killed(run: Callable[..., Any], stage: Stage, root: Path, step: int) -> bool:
    """Kill the command at a step; return whether it came so far. What was there is there, and a table opens."""
    before = pages(root)
    ended = run(*stage.scene.words, root=root, at=step, layout=stage.scene.layout, only=stage.only)
    assert ended.code in {*good(stage.scene.words), KILLED_CODE}, ended.err
    after = pages(root)
    is_taken_back = stage.scene.takes_back and after == {name: stage.ends[name] for name in after}
    assert is_taken_back or lost(before, after) == 0
    return ended.code == KILLED_CODE


def ends_well(run: Callable[..., Any], stage: Stage, root: Path) -> None:
    """Run the command again, to its end: the lake is as if it had never been killed, and so is its backup."""
    if stage.scene.before and (root / "lake").exists():
        seen = run("status", root=root, layout=stage.scene.layout)
        may_be_between = stage.scene.words[0] in {"restore", "upgrade"}
        says_what_to_run = may_be_between and seen.code == 1 and len(seen.err.splitlines()) == 2
        assert says_what_to_run or (seen.code, seen.err) == (0, ""), seen.err
    ended = run(*stage.scene.words, root=root, layout=stage.scene.layout)
    if ended.code == 1 and "`nhl-lake doctor --mend` finishes it" in ended.err:
        run("doctor", "--mend", root=root, layout=stage.scene.layout)
        ended = run(*stage.scene.words, root=root, layout=stage.scene.layout)
    assert ended.code in good(stage.scene.words), ended.err
    assert state(root) == stage.ends
    if stage.scene.words == ("backup",):
        verified = run("backup", "verify", "--deep", root=root)
        assert verified.code == 0, verified.out
        shutil.rmtree(root)
        assert run(*RESTORE, root=root).code == 0
        assert state(root) == stage.ends


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    with start_command_server(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_command_that_is_killed_again_and_again_loses_nothing_and_ends_as_if_never(
    scene: Scene, ready: CommandServer, tmp_path: Path
):
    stage = staged(scene, ready.run, tmp_path)
    steps = random.Random(scene.name)
    root = stage.anew(tmp_path / "trial")

    kills = sum(killed(ready.run, stage, root, steps.randint(1, stage.steps)) for _ in range(KILLS))
    assert kills > 0
    ends_well(ready.run, stage, root)


def test_a_kill_comes_at_the_step_that_is_asked_for_and_a_half_written_file_is_half(
    ready: CommandServer, tmp_path: Path
):
    root = tmp_path / "lake"
    alive = ready.run("ingest", "1", root=root)
    shutil.rmtree(root)

    assert ready.run("ingest", "1", root=root, at=alive.steps * 10).code in {0, 3}
    shutil.rmtree(root)
    dead = ready.run("ingest", "1", root=root, at=1)

    assert (dead.code, dead.steps) == (KILLED_CODE, None)
    assert not root.exists()
