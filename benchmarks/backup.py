"""Measure the speed of backups, compared with `cp -r` of the same lake.

There are two lakes: a season of the sample league (or the lake given with --lake), and a larger one with copies of that
season as other seasons, in which fixed costs are small. Four commands run in turns, so a slower machine slows all of
them: `cp -r`; `cp -r` and `sync`, because a backup is on disk when it ends; a first backup; and a second one. A backup
also reads all keys, and hashes what it copies. Each command is a process of its own, without the start of Python.
`cp -r` alone leaves its copy in memory. Target: a first backup has at least half the speed of `cp -r`.

    python benchmarks/backup.py
    python benchmarks/backup.py --lake data/lake --rounds 5 --seasons 1
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from nhl_lake.catalog import TABLES
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables as door

LEAST_SHARE = 0.5


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--lake", type=Path, help="a lake. Default: a season of the sample league")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seasons", type=int, default=16, help="seasons of the larger lake; 1: no larger lake")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lakes = [given.lake.resolve() if given.lake else sample(Path(folder) / "lake")]
        if given.seasons > 1:
            lakes.append(widen_lake(lakes[0], Path(folder) / "wide", given.seasons))
        for lake in lakes:
            size = sum(file.stat().st_size for file in lake.rglob("*") if file.is_file())
            rounds = [turn(lake, Path(folder) / f"round {number}") for number in range(given.rounds)]
            report(size, rounds)


def sample(lake: Path) -> Path:
    """Ingest a whole season of the sample league."""
    run("ingest", "--season", "2024", "--quiet", root=lake, now="2025-07-20T12:00:00Z", api="league:")
    return lake


def widen_lake(lake: Path, wide: Path, seasons: int) -> Path:
    """Copy a lake, and add copies of its seasons with other ids, so that no two files are equal."""
    shutil.copytree(lake, wide)
    for table in TABLES:
        if table.partition == "season" and door.has_table(wide, table):
            rows = door.scan_table(wide, table).collect()
            is_of_this_program = rows.schema == table.schema  # else the table stays as it is
            for back in range(1, seasons if rows.height and is_of_this_program else 1):
                copy_rows(wide, table, rows, back)
    return wide


def copy_rows(wide: Path, table: Table, rows: pl.DataFrame, back: int) -> None:
    """Write a copy of a table's rows some years earlier."""
    shifted = rows.with_columns(pl.col("season") - back * 10_001)
    if "game_id" in table.schema:
        shifted = shifted.with_columns(pl.col("game_id") - back * 1_000_000)
    shifted = shifted.cast(dict(table.schema))
    if table.is_stored:
        door.append_rows(wide, table, door.open_table(wide, table), shifted)
        return
    for season in shifted["season"].unique():
        door.replace_rows(wide, table, shifted.filter(season=season), where=f"season = {season}", metadata={})


def run(*words: str, **settings: object) -> float:
    """Run a command of nhl-lake and return how long it took."""
    env = os.environ | {f"NHL_LAKE_{name.upper()}": str(value) for name, value in settings.items()}
    return time_command([sys.executable, "-m", "nhl_lake", *words], env)


def time_command(words: list[str], env: dict[str, str] | None = None) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def turn(lake: Path, folder: Path) -> dict[str, float]:
    """Copy and back up a lake once each."""
    folder.mkdir()
    os.sync()
    start = time_command([sys.executable, "-m", "nhl_lake", "--version"])
    found = {"cp -r": time_command(["cp", "-r", str(lake), str(folder / "copy")])}
    os.sync()
    shutil.rmtree(folder / "copy")
    found["cp -r, sync"] = time_command(["sh", "-c", 'cp -r "$0" "$1" && sync', str(lake), str(folder / "copy")])
    shutil.rmtree(folder / "copy")
    os.sync()
    for name in ("first backup", "second backup"):
        found[name] = run("backup", "create", "--quiet", root=lake, backups=folder / "backups") - start
    shutil.rmtree(folder)
    return found


def report(size: int, rounds: list[dict[str, float]]) -> None:
    """Print medians of times, and medians of the ratios within a round."""
    print(
        f"{size / 1e6:,.0f} MB, {len(rounds)} rounds\n"
        f"{'':16}{'seconds':>9}{'MB/s':>9}{'of cp -r':>10}{'of cp, sync':>13}"
    )
    for name in rounds[0]:
        seconds = statistics.median(found[name] for found in rounds)
        shares = [statistics.median(f[of] / f[name] for f in rounds) for of in ("cp -r", "cp -r, sync")]
        print(f"{name:16}{seconds:>9.2f}{size / 1e6 / seconds:>9,.0f}{shares[0]:>10.2f}{shares[1]:>13.2f}")
    share = statistics.median(found["cp -r"] / found["first backup"] for found in rounds)
    print(f"first backup at {share:.2f} of cp -r: {'held' if share >= LEAST_SHARE else 'missed'} ({LEAST_SHARE})\n")


if __name__ == "__main__":
    main()
