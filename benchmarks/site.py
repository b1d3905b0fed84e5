"""Build the site of a season at once, again without a change, and after one more day of games.

python benchmarks/site.py --root LAKE [--season 2023] [--jobs 2]

The lake is copied. The day is the last with six to eight games: the copy loses its rows in silver and gold, and gets
them back. Totals of the season stay. Times and memory are those of `nhl-lake site build`, with the program's start.
"""

import argparse
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import psutil

from nhl_lake import catalog
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import make_season_id
from nhl_lake.queries.coverage import list_seasons
from nhl_lake.store import delta_tables


def run_build(root: Path, folder: Path, season: int, jobs: int) -> tuple[float, float, float, str]:
    """Return wall and processor seconds, the largest memory of all processes together in MB, and what was printed."""
    words = [sys.executable, "-m", "nhl_lake", "--root", str(root), "site", "build", "--to", str(folder)]
    words += ["--season", str(season // 10_000), "--jobs", str(jobs)]
    started = time.perf_counter()
    process = psutil.Popen(words, stdout=subprocess.PIPE, text=True)
    most = 0
    seconds: dict[int, float] = {}
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            most = max(most, sum(one.memory_full_info().uss for one in family))
            seconds |= {one.pid: sum(one.cpu_times()[:2]) for one in family}
        except psutil.Error:
            pass  # one has just ended
        time.sleep(0.05)
    assert process.returncode == 0
    assert process.stdout is not None
    return time.perf_counter() - started, sum(seconds.values()), most / 1e6, process.stdout.read().strip()


def choose_day(root: Path, season: int) -> tuple[date, list[int]]:
    """Return the last day of the regular season with at least six games, and its games."""
    games = delta_tables.scan_table(root, catalog.find_table("silver.games")).filter(
        pl.col("season") == season, pl.col("game_type") == 2, pl.col("game_state").is_in(list(FINAL_STATES))
    )
    days = games.group_by("game_date").agg(pl.col("game_id")).sort("game_date").collect()
    usual = days.filter(pl.col("game_id").list.len().is_between(6, 8))
    day, ids = usual.row(-1)
    return day, ids


def replace_games(source: Path, target: Path, season: int, without: list[int]) -> None:
    """Replace a season in silver and gold of one lake by that of another, without the rows of some games."""
    for table in catalog.BUILT_TABLES:
        if table.partition and "game_id" in table.schema and delta_tables.has_table(source, table):
            rows = delta_tables.scan_table(source, table).filter(pl.col("season") == season)
            kept = rows.filter(~pl.col("game_id").is_in(without)).collect()
            delta_tables.replace_rows(target, table, kept, where=f"season = {season}", metadata={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--season", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    newest = max(list_seasons(options.root, "silver.games"))
    season = make_season_id(options.season) if options.season else newest
    print(f"| build | seconds | processor s | MB of memory | |\n| {'--- | ' * 5}")
    with TemporaryDirectory() as name:
        root, folder = Path(name) / "lake", Path(name) / "site"
        shutil.copytree(options.root, root)
        day, games = choose_day(root, season)
        for build, without in (
            ("at once, without a day", games), (f"with {day}: {len(games)} games", []), ("again", None),
        ):  # fmt: skip
            if without is not None:
                replace_games(options.root, root, season, without)
            wall, seconds, memory, text = run_build(root, folder, season, options.jobs)
            print(f"| {build} | {wall:.1f} | {seconds:.1f} | {memory:.0f} | {text.partition(': ')[2]} |", flush=True)


if __name__ == "__main__":
    main()
