"""Compare nhl-lake, dlt and a bare loop on the season of benchmarks/ingest.py.

dlt requests the same pages as nhl-lake, in the same order, with as many requests at once, and upserts them by key into
one Delta table (benchmarks/with_dlt.py). The bare loop throws the pages away. All take turns, each as a process of its
own. Times are for the whole process, and memory is the peak of a process and its children together.

Install dlt in an environment of its own:

    python -m venv /tmp/dlt
    /tmp/dlt/bin/pip install 'dlt[deltalake]'
    python benchmarks/peers.py --dlt /tmp/dlt/bin/python
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from ingest import GAMES, SHARED, FinishedProcess, Turn, remove_plays, report, run_process, serve_season, turn

LEAST_FASTER = 4
MOST_MEMORY = 0.25


def store_with_dlt(arguments: argparse.Namespace, addresses: Path, folder: Path) -> FinishedProcess:
    """Let dlt store the pages of a list of URLs in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [str(arguments.dlt), str(Path(__file__).with_name("with_dlt.py")), str(addresses), str(folder)]
    found = run_process([*command, "--concurrency", str(arguments.concurrency)], {}, folder.with_suffix(".out"))
    if found.said["pages"] < GAMES:
        sys.exit(f"dlt stored {found.said['pages']} pages: fewer than the season's {GAMES}.")
    return found


def rows(turns: list[Turn], theirs: list[FinishedProcess]) -> list[tuple[str, str, str, bool | None]]:
    """Return the rows of the table: speed, processor time and memory of each, and the ratios."""
    pages = turns[-1].pages
    lines: list[tuple[str, str, str, bool | None]] = [("pages", f"{pages:,}", "", None)]
    for name, runs in (
        ("nhl-lake ingest", [one.lake for one in turns]),
        (f"dlt {theirs[-1].said['version']}", theirs),
        ("bare httpx loop", [one.loop for one in turns]),
    ):
        seconds, processor_s, memory = (statistics.median(one[n] for one in runs) for n in range(3))
        took = f"{seconds:.1f} s, processor {processor_s:.1f} s, {memory:,.0f} MB"
        lines.append((name, f"{pages / seconds:,.0f} pages/s", took, None))
    faster = statistics.median(dlt.seconds / one.lake.seconds for one, dlt in zip(turns, theirs, strict=True))
    processor = statistics.median(
        dlt.processor_s / one.lake.processor_s for one, dlt in zip(turns, theirs, strict=True)
    )
    memory = max(one.lake.memory_mb for one in turns) / min(dlt.memory_mb for dlt in theirs)
    return [
        *lines,
        (
            "pages per second, compared with dlt",
            f"{faster:.1f} times",
            f"at least {LEAST_FASTER}",
            faster >= LEAST_FASTER,
        ),
        ("dlt's processor time", f"{processor:.1f} times", "", None),
        ("peak memory, compared with dlt", f"{memory:.2f}", f"at most {MOST_MEMORY}", memory <= MOST_MEMORY),
    ]


def measure(arguments: argparse.Namespace, folder: Path) -> bool:
    """Measure, and report."""
    log, root = folder / "log.txt", folder / "lake"
    turns, theirs = [], []
    with serve_season(arguments, log) as address:
        turn(arguments, address, log, root)
        for _ in range(arguments.rounds):
            remove_plays(root)
            turns.append(turn(arguments, address, log, root))
            theirs.append(store_with_dlt(arguments, root.with_suffix(".txt"), folder / "dlt"))
    return report(rows(turns, theirs))


def main() -> None:
    """Measure, print, and exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlt", type=Path, required=True, help="the Python of the environment that has dlt")
    parser.add_argument("--realdata", type=Path, default=SHARED / "realdata", help="the recorded pages")
    parser.add_argument("--replay", type=Path, default=SHARED / "tools" / "replay.py", help="what serves them")
    parser.add_argument("--season", default="20232024")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if not arguments.replay.is_file() or not arguments.realdata.is_dir():
        sys.exit(f"No recorded pages at {arguments.realdata}, or no {arguments.replay} to serve them.")
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(not measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
