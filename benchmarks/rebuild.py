"""Measure the time and memory to build silver and gold: a season from scratch, and one more day.

Two lakes are built from scratch: the recorded season of 1,400 play-by-play pages, and a season of the sample league
with all its pages (shift charts, box scores, reports). Then a day of games is added to the sample lake, and to the same
lake with nine more seasons, which are copies with other ids. Each rebuild is a process of its own, and its time is that
of the rebuild alone. The first run simulates a season for a minute or two; `--folder` keeps it for later runs.

    python benchmarks/rebuild.py
    python benchmarks/rebuild.py --folder /tmp/lakes --rounds 5
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.grown import add_built_seasons

SHARED = Path(__file__).resolve().parents[2] / "shared"
MOST_SECONDS, MOST_MEMORY_MB, MOST_SECONDS_A_DAY, MOST_GROWTH = 60, 3000, 5, 1.3
SEASON, DAY_BEFORE, DAY = 20252026, "2026-03-10T12:00:00Z", "2026-03-11T12:00:00Z"
REBUILD = """
import json, sys, time
from datetime import date
from pathlib import Path
from nhl_lake import catalog
from nhl_lake.rebuild import run
from nhl_lake.store import delta_tables
from nhl_lake.errors import ValidationFailed
root = Path(sys.argv[1])
delta_tables.create_tables(root, catalog.BUILT_TABLES)
began, took = time.perf_counter(), {}
try:
    for part in run.rebuild(root, day=date(2026, 1, 1), everything=sys.argv[2] == "all"):
        now = time.perf_counter()
        took[part.table] = took.get(part.table, 0) + now - began
        began = now
except ValidationFailed as error:  # a quarantined game is named at the end; everything else was built
    print(error.message, file=sys.stderr)
print(json.dumps(took))
"""


class FinishedRebuild(NamedTuple):
    """A finished rebuild: its seconds by table, and its peak memory."""

    took: dict[str, float]
    memory_mb: float

    @property
    def seconds(self) -> float:
        return sum(self.took.values())


def run_rebuild(root: Path, what: str) -> FinishedRebuild:
    """Rebuild a lake in a process of its own."""
    out = root.with_suffix(".json")
    with out.open("w") as written:
        process = subprocess.Popen([sys.executable, "-c", REBUILD, str(root), what], stdout=written)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the rebuild of {root} ended with {process.returncode}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return FinishedRebuild(json.loads(out.read_text()), kilobytes * 1024 / 1e6)


def ingest_pages(root: Path, api: str, now: str, season: int) -> None:
    """Ingest pages without a rebuild."""
    settings = {"ROOT": root, "API": api, "NOW": now, "RATE": 0}
    command = [sys.executable, "-m", "nhl_lake", "ingest", "--season", str(season)[:4], "--no-rebuild", "--quiet"]
    code = subprocess.run(
        command, env=os.environ | {f"NHL_LAKE_{k}": str(v) for k, v in settings.items()}, check=False
    ).returncode
    if code not in {0, 3}:
        sys.exit(f"{' '.join(command)} ended with {code}")


def ingest_recorded(root: Path, arguments: argparse.Namespace) -> None:
    """Ingest the recorded season's play-by-play pages."""
    command = [sys.executable, str(arguments.replay), "--root", str(arguments.realdata), "--port", "0"]
    server = subprocess.Popen([*command, "--season", "20232024"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        ingest_pages(root, server.stdout.readline().split()[-1], "2024-07-01T12:00:00Z", 20232024)
    finally:
        server.terminate()
        server.communicate()


def days(root: Path, rounds: int, folder: Path) -> list[FinishedRebuild]:
    """Add a day's pages to copies of a lake, and rebuild them."""
    found = []
    for n in range(rounds):
        trial = folder / f"{root.name}-{n}"
        shutil.copytree(root, trial)
        ingest_pages(trial, "league:", DAY, SEASON)
        found.append(run_rebuild(trial, "changed"))
        shutil.rmtree(trial)
    return found


def line(what: str, ran: FinishedRebuild, most_seconds: float) -> bool:
    """Print a rebuild and its target; return whether it is met."""
    met = ran.seconds <= most_seconds and ran.memory_mb <= MOST_MEMORY_MB
    print(f"{what:44} {ran.seconds:6.1f} s  {ran.memory_mb:6,.0f} MB  {'met' if met else 'MISSED'}")
    for table, seconds in sorted(ran.took.items(), key=lambda item: -item[1])[:6]:
        print(f"    {table:24} {seconds:6.2f} s")
    return met


def measure(arguments: argparse.Namespace, folder: Path) -> bool:
    """Measure, and report."""
    met = []
    if arguments.replay.is_file() and arguments.realdata.is_dir():
        real = folder / "recorded"
        if not real.exists():
            ingest_recorded(real, arguments)
        met.append(line("1,400 recorded games, play-by-play alone", run_rebuild(real, "all"), MOST_SECONDS))
    one, ten = folder / "one", folder / "ten"
    if not one.exists():
        ingest_pages(one, "league:", "2026-07-01T12:00:00Z", SEASON)
    met.append(line("a sample season, all pages", run_rebuild(one, "all"), MOST_SECONDS))
    part, wide = folder / "part", ten
    if not part.exists():
        ingest_pages(part, "league:", DAY_BEFORE, SEASON)
    if run_rebuild(part, "changed").took or not wide.exists():  # the code may have changed since
        shutil.rmtree(wide, ignore_errors=True)
        shutil.copytree(part, wide)
        add_built_seasons(wide, SEASON, 10, date(2026, 1, 1))
    small, large = days(part, arguments.rounds, folder), days(wide, arguments.rounds, folder)
    for name, runs in (("one season", small), ("ten seasons", large)):
        met.append(line(f"a day into {name}", min(runs, key=lambda ran: ran.seconds), MOST_SECONDS_A_DAY))
    growth = statistics.median(b.seconds for b in large) / statistics.median(a.seconds for a in small)
    met.append(growth <= MOST_GROWTH)
    print(f"{'ten seasons to one':44} {growth:6.2f}    at most {MOST_GROWTH}  {'met' if met[-1] else 'MISSED'}")
    return all(met)


def main() -> None:
    """Measure, print, and exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--realdata", type=Path, default=SHARED / "realdata", help="the recorded pages")
    parser.add_argument("--replay", type=Path, default=SHARED / "tools" / "replay.py", help="what serves them")
    parser.add_argument("--folder", type=Path, help="folder to keep lakes in for later runs")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(not measure(arguments, folder))


if __name__ == "__main__":
    main()
