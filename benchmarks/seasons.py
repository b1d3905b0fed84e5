"""Measure the time and peak memory to rebuild silver and gold from scratch, by number of seasons and executor.

The lake has a season of the sample league with all its pages, and copies as earlier seasons, with other ids and dates.
Each rebuild is the command in a process of its own. Memory is that of the process and its children together, sampled
five times a second. Targets: fifteen seasons in six minutes by default; with `--memory 1GB` under 1.5 GB and in at most
twice that time.

    python benchmarks/seasons.py --folder /tmp/lakes
    python benchmarks/seasons.py --folder /tmp/lakes --seasons 1 --dask
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.grown import add_bronze_seasons

SEASON, NOW = 20242025, "2025-07-20T12:00:00Z"
MEANS = {"whole": [], "one process": ["--jobs", "1"], "1 GB": ["--memory", "1GB"]}
MOST_SECONDS, MOST_MB, MOST_TIMES, MANY = 360, 1500, 2.0, 15


class FinishedRebuild(NamedTuple):
    """A finished rebuild."""

    seconds: float
    processor_s: float
    memory_mb: float


def command(root: Path, *words: str) -> FinishedRebuild:
    """Run a command of nhl-lake, and measure it."""
    settings = {"ROOT": root, "API": "league:", "NOW": NOW, "RATE": 0}
    env = os.environ | {f"NHL_LAKE_{name}": str(value) for name, value in settings.items()}
    began, most, processor = time.perf_counter(), 0, {}
    process = subprocess.Popen([sys.executable, "-m", "nhl_lake", *words, "--quiet"], env=env)
    while process.poll() is None:
        held = 0
        for one in list_processes(process.pid):
            try:
                held += one.memory_full_info().pss
                processor[one.pid] = sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        most = max(most, held)
        time.sleep(0.2)
    if process.returncode not in {0, 1, 3}:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}")
    return FinishedRebuild(time.perf_counter() - began, sum(processor.values()), most / 1e6)


def list_processes(pid: int) -> list[psutil.Process]:
    """Return a process and its children."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


@contextmanager
def dask(folder: Path) -> Iterator[str]:
    """Run a scheduler and two workers on this machine."""
    address = "tcp://127.0.0.1:18786"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    start = [sys.executable, "-m", "dask"]
    every = [subprocess.Popen([*start, "scheduler", "--port", "18786", "--no-dashboard", "--no-show"], **common)]
    time.sleep(3)
    one = [*start, "worker", address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"]
    every += [subprocess.Popen(one, **common) for _ in range(2)]
    time.sleep(6)
    try:
        yield address
    finally:
        for process in reversed(every):
            process.terminate()
            process.wait()


def lakes(folder: Path, seasons: list[int]) -> Iterator[tuple[int, Path]]:
    """Yield lakes with some numbers of seasons, with bronze only."""
    one = folder / "1"
    if not one.exists():
        command(one, "ingest", "--season", str(SEASON)[:4], "--no-rebuild")
    for count in seasons:
        root = folder / str(count)
        if not root.exists():
            shutil.copytree(one, folder / "making")
            add_bronze_seasons(folder / "making", SEASON, count)
            (folder / "making").rename(root)
        yield count, root


def main() -> None:
    """Measure, print, and exit with 1 if a target is missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--folder", type=Path, help="folder to keep lakes in for later runs")
    asked.add_argument("--seasons", type=int, nargs="+", default=[1, 5, 15])
    asked.add_argument("--dask", action="store_true", help="also with a Dask cluster of two workers on this machine")
    asked.add_argument("--means", nargs="+", choices=MEANS, default=list(MEANS), help="whole and 1 GB at the least")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        met = [
            measure(folder, count, root, given.means, is_on_dask=given.dask)
            for count, root in lakes(folder, given.seasons)
        ]
    sys.exit(not all(met))


def measure(folder: Path, count: int, root: Path, means: list[str], *, is_on_dask: bool) -> bool:
    """Measure a lake with all executors; return whether the targets are met."""
    command(root, "rebuild", "silver.seasons")  # creates the tables
    found = {name: command(root, "rebuild", "--all", *words) for name, words in MEANS.items() if name in means}
    if is_on_dask:
        with dask(folder) as address:
            found["Dask, two local workers"] = command(root, "rebuild", "--all", "--cluster", address)
    print(f"{count} seasons", f"{'s':>35}{'of whole':>10}{'processor s':>13}{'MB':>8}", sep="")
    for name, ran in found.items():
        times = ran.seconds / found["whole"].seconds
        print(f"    {name:30}{ran.seconds:>11.1f}{times:>10.2f}{ran.processor_s:>13.1f}{ran.memory_mb:>8,.0f}")
    small, whole = found["1 GB"], found["whole"]
    is_met = small.memory_mb <= MOST_MB and small.seconds <= MOST_TIMES * whole.seconds
    return is_met and (count < MANY or whole.seconds <= MOST_SECONDS)


if __name__ == "__main__":
    main()
