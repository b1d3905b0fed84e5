"""Compare the processor time of a rebuild with the least that it could take.

The least is to read the pages of bronze, decode each once as plain JSON, and write the same rows of silver and gold as
Parquet. `nhl-lake rebuild --all` also checks every page against its SHA-256, types and checks every value, and counts.
Both run here in one process each, one after the other, and the ratio of the medians is what matters.

    python benchmarks/limit.py /path/to/a/lake
    python benchmarks/limit.py /path/to/a/lake --rounds 3
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LEAST = """
import io, sys, time
from pathlib import Path
import msgspec, polars as pl
from nhl_lake import catalog
from nhl_lake.store import delta_tables
root = Path(sys.argv[1])
built = [delta_tables.scan_table(root, table).collect() for table in catalog.BUILT_TABLES]
read = {page for table in catalog.BUILT_TABLES for page in table.inputs if page.layer == "bronze"}
began = time.process_time()
for table in sorted(read, key=lambda table: table.name):
    if "body" in table.schema:
        for body in delta_tables.scan_table(root, table).select("body").collect()["body"]:
            if body.startswith(("{", "[")):  # the reports of shifts are HTML
                msgspec.json.decode(body)
for rows in built:
    rows.write_parquet(io.BytesIO(), compression="zstd", compression_level=1)
print(time.process_time() - began)
"""
REBUILD = """
import sys, time
from datetime import date
from pathlib import Path
from nhl_lake.rebuild import run
from nhl_lake.errors import GamesQuarantined
began, took = time.process_time(), {}
last = began
try:
    for part in run.rebuild(Path(sys.argv[1]), day=date.fromisoformat(sys.argv[2]), everything=True):
        now = time.process_time()
        took[part.table] = took.get(part.table, 0) + now - last
        last = now
except GamesQuarantined as error:
    print(error.message, file=sys.stderr)
print(time.process_time() - began)
for name, seconds in sorted(took.items(), key=lambda item: -item[1])[:12]:
    print(f"  {name:24} {seconds:6.2f} s", file=sys.stderr)
"""


def measure(code: str, *words: str) -> tuple[float, float]:
    """Run a program, which prints its processor seconds; return these and the largest memory so far in MB."""
    ended = subprocess.run([sys.executable, "-c", code, *words], check=True, stdout=subprocess.PIPE, text=True)
    return float(ended.stdout.split()[0]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lake", type=Path)
    parser.add_argument("--day", default="2026-07-01", help="the day on which it is rebuilt")
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(chosen.lake, Path(folder) / "lake"))
        least, rebuilt, memory = [], [], 0.0
        for _ in range(chosen.rounds):
            least.append(measure(LEAST, str(root))[0])
            seconds, memory = measure(REBUILD, str(root), chosen.day)
            rebuilt.append(seconds)
    low, high = statistics.median(least), statistics.median(rebuilt)
    print(f"least {low:.2f} s, rebuild --all {high:.2f} s of processor time: {high / low:.1f} times; {memory:,.0f} MB")


if __name__ == "__main__":
    main()
