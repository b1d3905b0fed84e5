"""Make backups while two writers, a compaction and a vacuum run, and print the results of each such storm.

Every backup is restored and must be the lake at one time (tests/backup/test_storm.py has the short form). The benchmark
ends at the first backup that is not.

    python -m benchmarks.storm                          # 20 storms of a minute, some half an hour
    python -m benchmarks.storm --storms 3 --seconds 20
"""

import argparse
import tempfile
from pathlib import Path

from tests.support.storm import back_up_in_storm


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--storms", type=int, default=20)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--backups", type=int, default=6, help="minimum length of a storm")
    given = asked.parse_args()
    for number in range(1, given.storms + 1):
        with tempfile.TemporaryDirectory() as folder:
            print(f"{number:3}  {back_up_in_storm(Path(folder), given.seconds, given.backups)}", flush=True)


if __name__ == "__main__":
    main()
