"""Check that a lake of ten seasons stays fast through a year of daily runs.

The sample league's season of 2024-25 is ingested, built, and copied as the nine seasons before it. Then `ingest` runs
every day for a year, from one October to the next, in this process. The benchmark prints the median time of a run for
the first ten days, the last ten days and each month, and the files and commits of each table. The time in which the
league simulates its pages is left out: with the NHL it does not exist. Runs merge small files themselves; `--untended`
turns that off, for comparison, and `--weekly` also runs the maintenance of `nhl-lake maintain` once a week. No old file
is removed, because none is old enough.

    python benchmarks/year.py                     # an hour; --folder keeps the first lake for later runs
    python benchmarks/year.py --days 120
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.grown import add_built_seasons
from nhl_lake import catalog
from nhl_lake.clock import make_clock as clock_from
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import USER_AGENT, ClientConfig, Options, ingest
from nhl_lake.league import League
from nhl_lake.league.faults import RequestOutcome
from nhl_lake.league.transport import LeagueTransport
from nhl_lake.maintenance import compaction
from nhl_lake.rebuild import lineage
from nhl_lake.store import delta_tables
from tests.support.fake_api import SilentReport

SEASON, SEASONS = 20242025, 10
SUMMER = datetime(2025, 7, 1, 13, 0, tzinfo=UTC)
FIRST = datetime(2025, 10, 20, 13, 0, tzinfo=UTC)
MOST_GROWTH = 1.3
SAMPLE = 10


class TimedLeague(LeagueTransport):
    """The league, and the time that it takes to simulate its pages."""

    seconds = processor_s = 0.0

    def _build_response(self, request: httpx.Request, fate: RequestOutcome) -> httpx.Response:
        began, processor = time.perf_counter(), time.thread_time()
        try:
            return super()._build_response(request, fate)
        finally:
            self.seconds += time.perf_counter() - began
            self.processor_s += time.thread_time() - processor


class Day(NamedTuple):
    """A run, and its time."""

    at: datetime
    games: int
    seconds: float
    processor_s: float


def run(root: Path, league: League, at: datetime, options: Options) -> Day:
    """Run once, as the command would at a time."""
    clock = clock_from(at)
    transport = TimedLeague(league, clock)
    config = ClientConfig(
        rate_limit=RateLimit(0, 4, USER_AGENT), base_url="http://league", source="sample league", transport=transport
    )
    began, processor = time.perf_counter(), time.process_time()
    found = ingest(root, options, config, clock=clock, progress=SilentReport(), command="year", rebuilds=True)
    if found.error is not None:
        raise found.error
    return Day(
        at,
        found.page_counts["bronze.play_by_play"].new,
        time.perf_counter() - began - transport.seconds,
        time.process_time() - processor - transport.processor_s,
    )


def make_first_lake(base: Path, league: League, seasons: int) -> None:
    """Return the lake at the start of the year, from `--folder` if it is there."""
    if not (base / "one").exists():
        run(base / "one", league, SUMMER, Options(seasons=(SEASON,)))
    ten = base / "ten"
    shutil.rmtree(ten, ignore_errors=True)
    shutil.copytree(base / "one", ten)
    add_built_seasons(ten, SEASON, seasons, get_eastern_day(SUMMER))
    run(ten, league, FIRST - timedelta(days=1), Options())


def year(root: Path, league: League, arguments: argparse.Namespace) -> list[Day]:
    """Run once for each day."""
    found = []
    for n in range(arguments.days):
        at = FIRST + timedelta(days=n)
        took = run(root, league, at, Options())
        found.append(took)
        if arguments.weekly and n % 7 == 6:
            tables = compaction.select_tables(root, ())
            for _ in compaction.maintain_tables(root, tables, days=compaction.KEEP_DAYS, pins={}):
                pass
        if n % 30 == 29 or n < SAMPLE:
            print(
                f"{at:%Y-%m-%d} {took.games:3} games {took.seconds:6.2f} s, processor {took.processor_s:6.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return found


def files(root: Path) -> None:
    """Print the files and commits of each table."""
    print(f"{'table':24} {'live files':>10} {'on disk':>8} {'commits':>8} {'log, MB':>8} {'data, MB':>8}")
    for table in catalog.TABLES:
        if delta_tables.has_table(root, table):
            folder = root.joinpath(*table.name.split("."))
            size = delta_tables.read_table_size(root, table)
            log = sum(file.stat().st_size for file in (folder / "_delta_log").iterdir()) / 1e6
            there = sum(1 for _ in folder.rglob("*.parquet"))
            print(
                f"{table.name:24} {size['files']:10,} {there:8,} {size['version'] + 1:8,} "
                f"{log:8.1f} {size['bytes'] / 1e6:8.1f}"
            )


def report(days: list[Day]) -> bool:
    """Print the times of runs; return whether the last ones are fast enough, compared with the first."""
    months: dict[str, list[Day]] = defaultdict(list)
    for day in days:
        months[f"{day.at:%Y-%m}"].append(day)
    print(f"{'month':8} {'games a day':>11} {'median s':>9} {'processor s':>12} {'most s':>7}")
    for month, some in months.items():
        games = statistics.mean(day.games for day in some)
        seconds = [day.seconds for day in some]
        processor_s = statistics.median(day.processor_s for day in some)
        print(f"{month:8} {games:11.1f} {statistics.median(seconds):9.2f} {processor_s:12.2f} {max(seconds):7.2f}")
    first, last = days[:SAMPLE], days[-SAMPLE:]
    ratios = []
    for name in ("seconds", "processor_s"):
        a, b = (statistics.median(getattr(day, name) for day in some) for some in (first, last))
        ratios.append(b / a)
        print(f"{name:12} first ten {a:6.2f}  last ten {b:6.2f}  ratio {b / a:.2f}  at most {MOST_GROWTH}")
    return max(ratios) <= MOST_GROWTH


def main() -> None:
    """Measure, print, and exit with 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="folder to keep the first lake in for later runs")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seasons", type=int, default=SEASONS, help="seasons in the first lake")
    parser.add_argument("--untended", action="store_true", help="runs do not merge small files")
    parser.add_argument("--weekly", action="store_true", help="run maintenance once a week")
    arguments = parser.parse_args()
    if arguments.untended:
        compaction.MIN_FILES_IN_RUN = sys.maxsize
    league = League(seasons=(20242025, 20252026, 20262027))
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)) / lineage.hash_code()  # other code would rebuild everything
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "ten").exists():
            make_first_lake(folder, league, arguments.seasons)
        root = Path(temporary) / "year"
        shutil.copytree(folder / "ten", root)
        days = year(root, league, arguments)
        files(root)
        sys.exit(not report(days))


if __name__ == "__main__":
    main()
