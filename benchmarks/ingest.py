"""Measure the processor time, memory and disk space of an ingest of a whole season.

A season of recorded pages is served on loopback without limit or latency. `nhl-lake ingest` stores it. Then a bare
httpx loop requests the same URLs, with as many requests at once, and throws the pages away, to show what the machine
can do. Both are processes of their own and take turns. Seconds and processor time are for the whole process, with the
start of Python and without the server. Memory is the peak of a process and its children together.

The first run fetches everything. Most games have only a recorded play-by-play page, so most answers are 404, and these
results have no target. Then bronze.play_by_play is removed, and the season's 1,400 pages of 130 KB are fetched again.
The target is the processor time of that whole run per page: start, schedule, plan, request, checks, hash, Parquet and
ledger. It is for a quiet machine: other work on the same cores can double it.

    python benchmarks/ingest.py
    python benchmarks/ingest.py --rounds 5 --concurrency 8
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import polars as pl
import psutil

SHARED = Path(__file__).resolve().parents[2] / "shared"
GAMES = 1400
MOST_PROCESSOR_MS = 3.5
MOST_MEMORY_MB = 500
LEAST_SHRINKING = 6


class FinishedProcess(NamedTuple):
    """A finished process: its time, processor time, peak memory, and the JSON that it printed."""

    seconds: float
    processor_s: float
    memory_mb: float
    said: Any


class Turn(NamedTuple):
    """An ingest, and the loop that then requested the same pages."""

    lake: FinishedProcess
    loop: FinishedProcess
    pages: int


@contextmanager
def serve_season(arguments: argparse.Namespace, log: Path) -> Iterator[str]:
    """Serve the recorded season; yield the URL."""
    command = [sys.executable, str(arguments.replay), "--root", str(arguments.realdata), "--port", "0"]
    server = subprocess.Popen(
        [*command, "--season", arguments.season, "--log", str(log)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
    finally:
        server.terminate()
        server.communicate()


def run_process(command: list[str], environment: dict[str, str], out: Path) -> FinishedProcess:
    """Run a process to its end."""
    errors = out.with_suffix(".err")
    with out.open("w") as written, errors.open("w") as complained:
        # an installed package has its bytecode, and a process that may not write any compiles the package every time
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(out.parent / "bytecode")}
        process = subprocess.Popen(
            command, env={**os.environ, **bytecode, **environment}, stdout=written, stderr=complained
        )
        held: list[int] = []
        watch = threading.Thread(target=watch_memory, args=(process.pid, held))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {errors.read_text()[-500:]}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    said = json.loads(out.read_text())
    most = max(kilobytes * 1024, *held)
    return FinishedProcess(said["seconds"], usage.ru_utime + usage.ru_stime, most / 1e6, said)


def watch_memory(process: int, held: list[int]) -> None:
    """Record the memory of a process and its children together, until it ends."""
    with suppress(psutil.NoSuchProcess):
        mine = psutil.Process(process)
        while mine.status() != psutil.STATUS_ZOMBIE:
            held.append(sum(one.memory_info().rss for one in (mine, *mine.children(recursive=True))))
            time.sleep(0.1)


def ingest_season(arguments: argparse.Namespace, address: str, root: Path) -> FinishedProcess:
    """Ingest the season into a new lake."""
    settings = {
        "ROOT": root, "API": address, "NOW": "2024-07-01T12:00:00Z", "RATE": 0, "CONCURRENCY": arguments.concurrency,
    }  # fmt: skip
    command = [sys.executable, "-m", "nhl_lake", "ingest", "--season", arguments.season[:4], "--no-rebuild", "--json"]
    found = run_process(
        command, {f"NHL_LAKE_{name}": str(value) for name, value in settings.items()}, root.with_suffix(".out")
    )
    plays = found.said["tables"]["bronze.play_by_play"]["new"]
    if plays != GAMES:
        sys.exit(f"The lake has {plays} play-by-play pages, not {GAMES}: these are not the season's recorded pages.")
    return found


def remove_plays(root: Path) -> None:
    """Remove the play-by-play pages from a lake, so that an ingest requests them again."""
    shutil.rmtree(root / "bronze" / "play_by_play")
    command = [sys.executable, "-m", "nhl_lake", "doctor", "--mend", "--drop-missing-pages"]
    subprocess.run(command, env=os.environ | {"NHL_LAKE_ROOT": str(root)}, stdout=subprocess.DEVNULL, check=False)


async def throw_pages_away(addresses: Path, concurrency: int) -> float:
    """Request pages and throw them away; return the seconds."""
    began = time.perf_counter()
    queue = iter(addresses.read_text().splitlines())
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(30.0, pool=None)) as client:

        async def worker() -> None:
            for address in queue:
                await client.get(address)

        await asyncio.gather(*(worker() for _ in range(concurrency)))
    return time.perf_counter() - began


def list_requested_paths(log: Path) -> list[str]:
    """Return the requested paths, in order."""
    return [line.split(" ", 2)[2] for line in log.read_text().splitlines()]


def measure_disk(root: Path) -> tuple[int, int]:
    """Return the bytes of the bronze tables on disk, including logs, and of the pages as text."""
    files = sum(file.stat().st_size for file in (root / "bronze").rglob("*") if file.is_file())
    tables = [folder for folder in (root / "bronze").iterdir() if list(folder.rglob("*.parquet"))]
    text = sum(pl.scan_delta(str(table)).select(pl.col("body_bytes").sum()).collect().item() for table in tables)
    return files, text


def report(rows: list[tuple[str, str, str, bool | None]]) -> bool:
    """Print a table; return whether every target is met."""
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    for name, value, target, met in rows:
        verdict = {True: "met", False: "MISSED", None: ""}[met]
        print(f"{name:<{widths[0]}}  {value:>{widths[1]}}  {target:<{widths[2]}}  {verdict}".rstrip())
    return all(met is not False for *_, met in rows)


def turn(arguments: argparse.Namespace, address: str, log: Path, root: Path) -> Turn:
    """Ingest what the lake lacks, and let the loop request the same pages."""
    before = len(list_requested_paths(log)) if log.exists() else 0
    lake = ingest_season(arguments, address, root)
    paths = list_requested_paths(log)[before:]
    addresses = root.with_suffix(".txt")
    addresses.write_text("\n".join(address + path for path in paths))
    loop = [sys.executable, __file__, "--loop", str(addresses), "--concurrency", str(arguments.concurrency)]
    return Turn(lake, run_process(loop, {}, root.with_suffix(".out")), len(paths))


def figures(turns: list[Turn], what: str, *, most_ms: float | None) -> list[tuple[str, str, str, bool | None]]:
    """Return the rows about speed and processor time: medians of all turns."""
    pages = turns[-1].pages
    lines: list[tuple[str, str, str, bool | None]] = [(f"{what}: pages", f"{pages:,}", "", None)]
    for name, runs, target_ms in (
        ("nhl-lake ingest", [one.lake for one in turns], most_ms),
        ("bare httpx loop", [one.loop for one in turns], None),
    ):
        seconds, processor_s = (statistics.median(column) for column in zip(*(run[:2] for run in runs), strict=True))
        processor_ms = 1000 * processor_s / pages
        target = (f"at most {target_ms} ms", processor_ms <= target_ms) if target_ms else ("", None)
        lines.append((f"  {name}", f"{pages / seconds:,.0f} pages/s", f"{seconds:.1f} s", None))
        lines.append(("    processor time per page", f"{processor_ms:.2f} ms", *target))
    return lines


def measure(arguments: argparse.Namespace, folder: Path) -> bool:
    """Measure, and report."""
    log, root = folder / "log.txt", folder / "lake"
    with serve_season(arguments, log) as address:
        first = turn(arguments, address, log, root)
        turns: list[Turn] = []
        for _ in range(arguments.rounds):
            remove_plays(root)
            turns.append(turn(arguments, address, log, root))
    memory = max(one.lake.memory_mb for one in (first, *turns))
    files, text = measure_disk(root)
    return report(
        [
            *figures([first], "everything, most of it 404", most_ms=None),
            *figures(turns, "play-by-play, and the schedule", most_ms=MOST_PROCESSOR_MS),
            ("peak memory", f"{memory:,.0f} MB", f"under {MOST_MEMORY_MB} MB", memory < MOST_MEMORY_MB),
            ("pages as text", f"{text / 1e6:,.0f} MB", "", None),
            ("bronze on disk", f"{files / 1e6:,.0f} MB", "logs included", None),
            ("text to disk", f"{text / files:.1f}", f"at least {LEAST_SHRINKING}", text >= LEAST_SHRINKING * files),
        ]
    )


def main() -> None:
    """Measure, print, and exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--realdata", type=Path, default=SHARED / "realdata", help="the recorded pages")
    parser.add_argument("--replay", type=Path, default=SHARED / "tools" / "replay.py", help="what serves them")
    parser.add_argument("--season", default="20232024")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", type=Path, help=argparse.SUPPRESS)  # the bare loop, in a process of its own
    arguments = parser.parse_args()
    if arguments.loop:
        print(json.dumps({"seconds": asyncio.run(throw_pages_away(arguments.loop, arguments.concurrency))}))
        return
    if not arguments.replay.is_file() or not arguments.realdata.is_dir():
        sys.exit(f"No recorded pages at {arguments.realdata}, or no {arguments.replay} to serve them.")
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(not measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
