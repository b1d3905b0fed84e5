"""Change values of pages of the sample league, take them through the whole road, and look for harm.

A round makes a lake of a season of the league in which the pages of four of five games, and some others, have one or
more odd values. Then it rebuilds, runs every reading command and every export, and compares the rows of the other games
with those of an undamaged lake.

    python -m benchmarks.fuzz                       # 20,000 changed pages
    python -m benchmarks.fuzz --pages 300 --seed 7  # a short round
"""

import argparse
import tempfile
from pathlib import Path

from tests.support.fuzz import Tally, fuzz_lake, make_truth


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pages", type=int, default=20_000, help="changed pages, at the least")
    asked.add_argument("--seed", type=int, default=1, help="of the first round; each next round has the next")
    asked.add_argument("--since", default="2025-10-07", help="first day")
    given = asked.parse_args()
    total = Tally()
    with tempfile.TemporaryDirectory() as folder:
        truth = make_truth(Path(folder) / "truth", given.since)
        seed = given.seed
        while total.changed < given.pages:
            found = fuzz_lake(Path(folder) / f"round{seed}", truth, given.since, seed)
            total.add(found)
            print(f"seed {seed}: {found.describe()}", flush=True)
            seed += 1
    print(f"in all: {total.describe()}")


if __name__ == "__main__":
    main()
