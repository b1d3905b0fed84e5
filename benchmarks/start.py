"""Measure everyday commands from a cold start: `benchmarks/start.py [LAKE]`. Without LAKE, on the demo's lake.

Each is a process of its own, measured by the least processor time of six runs that take turns. Ratios are to
`import polars`, and to Polars alone that counts the rows of one Delta table.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.sql import read_child_time

ROUNDS = 6
COUNT = "import polars as pl; pl.SQLContext(t=pl.scan_delta({plays!r})).execute('select count(*) from t').collect()"


def list_commands(root: Path) -> dict[str, list[str]]:
    program = [sys.executable, "-m", "nhl_lake"]
    return {
        "import polars": [sys.executable, "-c", "import polars"],
        "pl.scan_delta": [sys.executable, "-c", COUNT.format(plays=str(root / "silver" / "plays"))],
        "nhl-lake --help": [*program, "--help"],
        "nhl-lake sql": [*program, "--root", str(root), "sql", "select count(*) from silver.plays"],
        "nhl-lake sql --json": [*program, "--root", str(root), "sql", "--json", "select count(*) from silver.plays"],
        "nhl-lake status": [*program, "--root", str(root), "status"],
    }


def main() -> None:
    with TemporaryDirectory() as folder:
        root = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else Path(folder) / "lake"
        if len(sys.argv) < 2:
            words = [sys.executable, "-m", "nhl_lake", "demo", "--root", str(root)]
            subprocess.run(words, check=True, capture_output=True)
        commands = list_commands(root)
        least = dict.fromkeys(commands, float("inf"))
        for _ in range(ROUNDS):
            for name, words in commands.items():
                began = read_child_time()
                subprocess.run(words, check=True, capture_output=True)
                least[name] = min(least[name], read_child_time() - began)
    print("| command | processor s | times import polars | times pl.scan_delta |\n| --- | ---: | ---: | ---: |")
    for name, seconds in least.items():
        ratios = (seconds / least[base] for base in ("import polars", "pl.scan_delta"))
        print(f"| `{name}` | {seconds:.2f} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")


if __name__ == "__main__":
    main()
