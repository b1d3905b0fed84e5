"""Measure queries from a cold start, with `nhl-lake sql`, Polars and DuckDB: `benchmarks/sql.py [LAKE]`.

Each query is a process of its own, measured by its processor time. Without LAKE, the queries run on the demo's lake.
Ratios are to the start of the command, which is `nhl-lake --version`.
"""

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

TIMES = 5
QUESTIONS = {
    "a player's season": "select g.game_date, s.goals, s.shots_on_goal from silver.skater_games s"
    " join silver.games g using (game_id) where s.player_id = {player} order by g.game_date",
    "an aggregate over plays": "select event, situation, count(*) as n, avg(distance_ft) as feet from silver.plays"
    " group by event, situation order by n desc",
    "who is on the ice at goals": "select o.player_id, count(*) as n from silver.on_ice o join silver.plays p"
    " on p.game_id = o.game_id and p.event_id = o.event_id where p.is_goal"
    " group by o.player_id order by n desc limit 10",
}
OPENED = """
import sys
from pathlib import Path
from nhl_lake import catalog
from nhl_lake.store import delta_tables
root, question = Path(sys.argv[1]), sys.argv[2]
tables = [t for t in catalog.TABLES if t.name in question]
"""
POLARS = (
    OPENED
    + """
import polars as pl
pl.SQLContext({t.name: delta_tables.scan_table(root, t) for t in tables}).execute(question).collect()
"""
)
DUCKDB = (
    OPENED
    + """
import duckdb
from nhl_lake.queries.duckdb_views import format_view_query
connection = duckdb.connect()
for t in tables:
    connection.execute(f"create schema if not exists {t.layer}")
    schema = delta_tables.scan_table(root, t).collect_schema()
    asked = format_view_query(delta_tables.open_table(root, t).file_uris(), schema)
    connection.execute(f"create view {t.name} as {asked}")
connection.execute(question).fetchall()
"""
)


def measure_least(*words: str) -> float:
    """Return the least processor time of some runs, in seconds."""
    found = []
    for _ in range(TIMES):
        began = read_child_time()
        subprocess.run(words, check=True, capture_output=True)
        found.append(read_child_time() - began)
    return min(found)


def read_child_time() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "lake"
        if len(sys.argv) > 1:
            root = Path(sys.argv[1]).absolute()
        else:
            subprocess.run(
                [sys.executable, "-m", "nhl_lake", "demo", "--root", str(root)], check=True, capture_output=True
            )
        show(root)


def show(root: Path) -> None:
    command = ["env", f"NHL_LAKE_ROOT={root}", sys.executable, "-m", "nhl_lake"]
    start = measure_least(*command, "--version")
    print(f"start of the command: {start:.2f} s of processor time = 1.0\n")
    print(f"{'question':28} {'nhl-lake sql':>14} {'Polars':>8} {'DuckDB':>8}")
    lines = pl.read_delta(str(root / "silver" / "skater_games"))
    player = lines.group_by("player_id").len().sort("len", "player_id")["player_id"][-1]
    for name, text in QUESTIONS.items():
        question = text.format(player=player)
        whole = measure_least(*command, "sql", question, "--format", "csv") / start
        engines = [measure_least(sys.executable, "-c", code, str(root), question) / start for code in (POLARS, DUCKDB)]
        print(f"{name:28} {whole:14.2f} {engines[0]:8.2f} {engines[1]:8.2f}")


if __name__ == "__main__":
    main()
