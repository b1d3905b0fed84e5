"""Flip random bits over a small lake, its logs, its checksums and its backups, each in a copy.

python -m benchmarks.flips --count 300

Prints, by kind of file: how many flips left the same rows, other rows or an error when the table was read; how many
`doctor --deep` named without any backup; how many gave other rows that it did not name (must be 0); and how many were
repaired by `doctor --deep --mend` with a backup.
"""

import argparse
import tempfile
from pathlib import Path

import polars as pl

from tests.support import fake_api, flips
from tests.support.backups import back_up


def main() -> None:
    """Flip bits, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, backups = Path(folder) / "lake", Path(folder) / "backups"
        for day in (1, 2):
            fake_api.run_ingest(root, fake_api.make_league(day), rebuilds=True)
        back_up(root, backups)
        found = []
        for flip in flips.flip_random_bits(root, backups, Path(folder) / "work", count=given.count, seed=given.seed):
            found.append(flip)
            if (flip.effect == "other" and not flip.is_named) or not flip.is_repaired:
                print("WRONG", flip, flush=True)
    with pl.Config(tbl_rows=-1):
        print(flips.count_flips(found))


if __name__ == "__main__":
    main()
