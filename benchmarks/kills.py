"""Kill every command at every step that changes the disk, run it again, and print the results.

    python -m benchmarks.kills --commits
    python -m benchmarks.kills [--full] [--every N] [--from STEP] [SCENE …]

`--commits` tries only the steps that make something visible: a commit of a table, a checkpoint, a backup's manifest,
the exchange of two lakes. `--full` fills the disk at the step instead of killing the process. A step takes some
seconds, all steps take hours; `--every 7` tries every seventh.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.command_server import CommandResult, start_command_server
from tests.support.kills import SCENES, Scene, Stage, check_recovery, fill_disk, kill_command, prepare_stage

Run = Callable[..., CommandResult]
Strike = Callable[[Run, Stage, Path, int], bool]


COMMITS = "_delta_log/0,manifests/"


def try_scene(scene: Scene, steps: slice, folder: Path, strike: Strike, only: str) -> str:
    """Kill a scene's command at its steps, and return its row of the table."""
    began = time.monotonic()
    with start_command_server(folder) as ready:
        stage = prepare_stage(scene, ready.run, folder, only)
        outcomes = [outcome(ready.run, stage, folder, step, strike) for step in range(stage.steps + 1)[steps]]
    counts = [sum(result == what for result in outcomes) for what in ("equal", "lived", "lost")]
    minutes = (time.monotonic() - began) / 60
    return f"{scene.name:28}{stage.steps:8}{counts[0] + counts[2]:8}{counts[0]:8}{counts[2]:6}   {minutes:5.1f} min"


def outcome(run: Run, stage: Stage, folder: Path, step: int, strike: Strike) -> str:
    """Kill once, run again, and compare: "lived" if the run ended first, else "equal" or "lost"."""
    root = stage.reset(folder / "trial")
    try:
        if not strike(run, stage, root, step):
            return "lived"
        check_recovery(run, stage, root)
    except AssertionError as error:
        print(f"{stage.scene.name}, step {step}: {str(error)[:2000]}", flush=True)
        return "lost"
    return "equal"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--commits", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("scenes", nargs="*")
    chosen = parser.parse_args()
    steps = slice(chosen.first, None, chosen.every)
    strike, only = fill_disk if chosen.full else kill_command, COMMITS if chosen.commits else ""
    print(f"{'command':28}{'steps':>8}{'struck':>8}{'equal':>8}{'lost':>6}")
    for scene in SCENES:
        if not chosen.scenes or any(scene.name.startswith(name) for name in chosen.scenes):
            with tempfile.TemporaryDirectory() as folder:
                print(try_scene(scene, steps, Path(folder), strike, only), flush=True)


if __name__ == "__main__":
    main()
