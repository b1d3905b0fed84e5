"""Check that daily runs find all corrections and fixes of a league with defects, and count their requests.

The sample league corrects statistics about 1, 3, 7 and 20 days after a game. Charts, plays, box scores and reports of
many games have defects for some days (`nhl_lake/league/defects.py`). The benchmark runs `ingest --lookback 1` every day
at 09:00 for a month, then on 35 days without games, in which the last second looks fall due. For each run it prints the
requests, those of the same day without second looks, the exit code, and what the run named as incomplete. At the end it
compares the lake with one that was ingested from complete pages, and `corrections` with the real changes.

    python benchmarks/month.py                      # an hour, with all games
    python benchmarks/month.py --days 10 --one-in 3
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import league_months
from tests.support.league_months import LeagueMonth, MonthRun

AFTER = 35
MOST = 2.5


def print_run(run: MonthRun, first_look: MonthRun) -> None:
    """Print the row of a run."""
    print(
        f"{run.now:%Y-%m-%d}{run.request_counts.total():10}{first_look.request_counts.total():10}{run.summary.exit_code:6}",
        flush=True,
    )
    for line in run.summary.incomplete:
        print(f"{'':38}{line}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--days", type=int, default=30, help="days with games")
    asked.add_argument("--one-in", type=int, default=1, help="play one of N games")
    given = asked.parse_args()
    month = LeagueMonth(given.days, given.one_in)
    print(f"{len(month.list_games())} games")
    print("run         requests     first  exit")
    with tempfile.TemporaryDirectory() as folder:
        played = league_months.play_month(Path(folder), month, range(given.days + AFTER), print_run)
        unlike = league_months.count_differing_rows(played.root, played.reference_root)
        listed, expected = (
            Counter(found)
            for found in (
                league_months.list_corrections(played.root),
                league_months.expect_corrections(played.root, month),
            )
        )
    codes = Counter(run.summary.exit_code for run in played.runs)
    ratio = played.compute_request_ratio()
    print(f"requests of a day with games: {ratio:.2f} times those without second looks")
    print(f"runs by exit code: {dict(sorted(codes.items()))}; last run: {played.runs[-1].summary.exit_code}")
    print(f"rows that differ from the truth: {sum(unlike.values())} {unlike or ''}")
    print(
        f"corrections: {listed.total():,} listed, {expected.total():,} expected; "
        f"{(listed - expected).total()} too many, {(expected - listed).total()} missing"
    )
    sys.exit(ratio >= MOST or bool(unlike) or listed != expected or played.runs[-1].summary.exit_code != 0)


if __name__ == "__main__":
    main()
