"""Whatever step a command is killed at: nothing is lost, the lake opens, and the same command again ends as if never.

The suite tries some steps of each command, several kills one after the other; `benchmarks/kills.py` tries them all.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_server import KILLED_CODE, CommandServer, can_kill, start_command_server
from tests.support.kills import SCENES, Scene, check_recovery, kill_command, prepare_stage

pytestmark = pytest.mark.skipif(not can_kill(), reason="it takes Linux and a C compiler to stop at a call of libc")

KILLS = 3  # in a row, of each command


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    with start_command_server(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("starts")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_command_that_is_killed_again_and_again_loses_nothing_and_ends_as_if_never(
    scene: Scene, ready: CommandServer, starts: Path, tmp_path: Path
):
    stage = prepare_stage(scene, ready.run, tmp_path, starts=starts)
    steps = random.Random(scene.name)
    root = stage.reset(tmp_path / "trial")

    kills = sum(kill_command(ready.run, stage, root, steps.randint(1, stage.steps)) for _ in range(KILLS))
    assert kills > 0
    check_recovery(ready.run, stage, root)


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
