"""Build the plays of the recorded seasons, time it, and show where a simple count of shots differs.

A simple count takes every goal as a shot on goal. The officials do not count a goal without a shot (it has no shot
type).

    python benchmarks/plays.py
"""

import gzip
import json
import sys
from pathlib import Path
from time import perf_counter

import polars as pl

from nhl_lake.silver.plays import PLAYS, plays

ARCHIVES = Path(__file__).resolve().parents[2] / "shared" / "realdata" / "season-archives"
AT_ONCE = 100
EVENT = pl.col("event")
TOTALS = {
    "games": pl.col("game_id").n_unique(),
    "goals": pl.col("is_goal").sum(),
    "shots on goal": pl.col("is_shot_on_goal").sum(),
    "misses": (EVENT == "missed-shot").sum(),
    "blocks": (EVENT == "blocked-shot").sum(),
    "attempts": pl.col("is_attempt").sum(),
    "rebounds": pl.col("is_rebound").sum(),
    "rushes": pl.col("is_rush").sum(),
    "hits": (EVENT == "hit").sum(),
    "penalties": (EVENT == "penalty").sum(),
    "penalty shots": pl.col("is_penalty_shot").sum(),
}


def main() -> None:
    if not ARCHIVES.is_dir():
        sys.exit(f"No recorded seasons at {ARCHIVES}.")
    for archive in sorted(ARCHIVES.glob("play-by-play_*.jsonl.gz")):
        with gzip.open(archive, "rt", encoding="utf-8") as lines:
            pages = pl.DataFrame({"body": [line.strip() for line in lines]}).with_columns(state=pl.lit("OFF")).lazy()
        began = perf_counter()
        count = pages.select(pl.len()).collect().item()
        rows = pl.concat(plays(pages.slice(start, AT_ONCE)).collect() for start in range(0, count, AT_ONCE))
        rows = rows.cast(dict(PLAYS.schema))
        print(f"{archive.name}: {rows.height:,} plays in {perf_counter() - began:.1f} s")
        in_play = rows.filter(pl.col("period_type") != "SO")
        for what, total in in_play.select(expr.alias(name) for name, expr in TOTALS.items()).to_dicts()[0].items():
            print(f"    {what:14} {total:>10,}")
        differences(in_play, pages)


def differences(in_play: pl.DataFrame, pages: pl.LazyFrame) -> None:
    """Print the games whose header has another number of shots than a simple count, and the explanation."""
    shots = in_play.filter(pl.col("is_shot_on_goal") | pl.col("is_goal")).group_by("game_id", "is_home").len()
    found = {(game, home): count for game, home, count in shots.rows()}
    without_shot = in_play.filter(pl.col("is_goal") & ~pl.col("is_shot_on_goal")).group_by("game_id", "is_home").len()
    known = {(game, home): count for game, home, count in without_shot.rows()}
    print("    game, team: simple count, header, goals without a shot")
    for body in pages.select("body").collect()["body"]:
        page = json.loads(body)
        for side, home in (("homeTeam", True), ("awayTeam", False)):
            key, team = (page["id"], home), page[side]
            if found.get(key, 0) != team["sog"]:
                print(f"    {page['id']} {team['abbrev']}: {found.get(key, 0)}, {team['sog']}, {known.get(key, 0)}")


if __name__ == "__main__":
    main()
