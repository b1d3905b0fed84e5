"""A command killed at any step loses nothing, leaves a lake that opens, and completes when it runs again.

The suite tries some steps of each command, `make soak` more, and `python -m benchmarks.kills` all of them.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_server import KILLED_CODE, CommandServer, can_kill, start_command_server
from tests.support.kills import SCENES, Scene, check_recovery, kill_command, prepare_stage

pytestmark = pytest.mark.skipif(not can_kill(), reason="stopping at a call of libc needs Linux and a C compiler")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    with start_command_server(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("starts")


@pytest.mark.parametrize("kills", [1, pytest.param(30, marks=pytest.mark.soak)])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_command_killed_again_and_again_loses_nothing_and_completes(
    scene: Scene, kills: int, ready: CommandServer, starts: Path, tmp_path: Path
):
    stage = prepare_stage(scene, ready.run, tmp_path, starts=starts)
    steps = random.Random(scene.name)
    root = stage.reset(tmp_path / "trial")

    assert sum(kill_command(ready.run, stage, root, steps.randint(1, stage.steps)) for _ in range(kills)) > 0
    check_recovery(ready.run, stage, root)


def test_kill_strikes_at_the_given_step(ready: CommandServer, tmp_path: Path):
    root = tmp_path / "lake"
    alive = ready.run("ingest", "1", root=root)
    shutil.rmtree(root)

    assert ready.run("ingest", "1", root=root, at=alive.steps * 10).code in {0, 3}
    shutil.rmtree(root)
    dead = ready.run("ingest", "1", root=root, at=1)

    assert (dead.code, dead.steps) == (KILLED_CODE, None)
    assert not root.exists()
