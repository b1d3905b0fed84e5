"""Compare every player's line of 2022-23 and 2023-24 with the official box score, statistic by statistic.

    python benchmarks/official.py            # the table, then every difference by name
    python benchmarks/official.py --table    # the table alone

Our lines are gold.skater_game and gold.goalie_game, built from the recorded play-by-play pages of every game. These
seasons have no recorded shifts, so ice time, plus/minus and shifts are not compared. A goalie's decision is not
compared either: gold takes it from the box score. The official lines come from fastRhockey-nhl-data (MIT), which is not
part of this repository.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from itertools import islice

import polars as pl
from gold import REALDATA, SEASONS, silver

from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.skater_game import SKATER_GAME

AT_ONCE = 50
LINE = ("game_id", "player_id")
SKATER = {
    "goals": "goals",
    "assists": "assists",
    "points": "points",
    "shots_on_goal": "shots_on_goal",
    "hits": "hits",
    "blocked_shots": "blocked_shots",
    "penalty_minutes": "pim",
    "giveaways": "giveaways",
    "takeaways": "takeaways",
    "power_play_goals": "power_play_goals",
    "faceoff_share": "faceoff_winning_pctg",
}
STRENGTHS = ("even_strength", "power_play", "shorthanded")
GOALIE = {
    "shots_against": "shots_against",
    "saves": "saves",
    "goals_against": "goals_against",
    "penalty_minutes": "pim",
    **{
        f"{strength}_{what}": f"{strength}_{what}"
        for strength in STRENGTHS
        for what in ("shots_against", "goals_against")
    },
}
KINDS = {"skater": SKATER, "goalie": GOALIE}
TABLES = {"skater": SKATER_GAME, "goalie": GOALIE_GAME}


def archive(season: int) -> Iterator[list[dict]]:
    """Yield the recorded pages of a season in batches."""
    path = REALDATA / "season-archives" / f"play-by-play_{season}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        while pages := [json.loads(line) for line in islice(lines, AT_ONCE)]:
            yield pages


def our_lines(season: int) -> dict[str, pl.DataFrame]:
    """Return one row per skater and game, and one per goalie and game, in situation `all`."""
    found: dict[str, list[pl.DataFrame]] = {"skater": [], "goalie": []}
    for pages in archive(season):
        lake = silver(pages)
        for kind, table in TABLES.items():
            inputs = [lake[read.name.removeprefix("silver.")] for read in table.inputs]
            rows = table.build(*inputs).filter(pl.col("situation") == "all")
            rows = rows.with_columns(**faceoff_share(kind), **penalty_shots(kind))
            found[kind].append(rows.select(*LINE, *KINDS[kind], "penalty_shots").collect())
    return {kind: pl.concat(frames) for kind, frames in found.items()}


def penalty_shots(kind: str) -> dict[str, pl.Expr]:
    """Return the number of a line's goals or shots from penalty shots, which have no strength in gold."""
    by_strength = pl.sum_horizontal(f"{strength}_shots_against" for strength in STRENGTHS)
    faced = pl.col("shots_against") - by_strength
    return {"penalty_shots": pl.col("penalty_shot_goals") if kind == "skater" else faced}


def faceoff_share(kind: str) -> dict[str, pl.Expr]:
    """Return the share of faceoffs won with four digits, as on the page; 0 without faceoffs."""
    taken = pl.col("faceoffs_won") + pl.col("faceoffs_lost") if kind == "skater" else None
    if taken is None:
        return {}
    return {"faceoff_share": pl.when(taken > 0).then(pl.col("faceoffs_won") / taken).otherwise(0.0)}


def official_lines(season: int) -> dict[str, pl.DataFrame]:
    """Return the official lines of a season: skaters and goalies."""
    year = season // 10_000
    lines = pl.read_parquet(REALDATA / "independent" / f"official_box_{year}_{(year + 1) % 100}.parquet")
    # shots by strength are written as saves/shots
    shots = {name: pl.col(name).str.split("/").list.last().cast(pl.Int32) for name in GOALIE if "_shots_" in name}
    lines = lines.with_columns(pl.col("player_id").cast(pl.Int64), **shots)
    # null for skaters
    lines = lines.with_columns(is_odd=pl.col("saves") + pl.col("goals_against") != pl.col("shots_against"))
    by_kind = {"skater": lines.filter(~pl.col("is_goalie")), "goalie": lines.filter("is_goalie")}
    return {
        kind: rows.select(
            *LINE, "player_name", "is_odd", **{ours: pl.col(theirs) for ours, theirs in KINDS[kind].items()}
        )
        for kind, rows in by_kind.items()
    }


def compare(kind: str, ours: pl.DataFrame, official: pl.DataFrame) -> pl.DataFrame:
    """Return one row per line and statistic: player, our value, official value, and the cause of a difference."""
    stats = list(KINDS[kind])
    keys = (*LINE, "player_name", "penalty_shots", "is_odd")
    long = [
        rows.with_columns(pl.col(stats).cast(pl.Float64)).unpivot(
            stats, index=[name for name in keys if name in rows.columns], variable_name="statistic"
        )
        for rows in (ours, official)
    ]
    both = long[0].join(long[1], on=[*LINE, "statistic"], how="full", coalesce=True, suffix="_official")
    both = both.rename({"value": "ours", "value_official": "official"}).with_columns(kind=pl.lit(kind))
    return both.with_columns(cause=cause())


def cause() -> pl.Expr:
    """Return the cause of a difference, as far as it is known from both lines."""
    has_strength = pl.col("statistic").str.contains("|".join(STRENGTHS))
    gap = pl.col("official") - pl.col("ours")
    return (
        pl.when(pl.col("official").is_null())
        .then(pl.lit("the official file has no line of a goalie who played"))
        .when(pl.col("ours").is_null())
        .then(pl.lit("gold has no line"))
        .when(has_strength & gap.is_between(1, pl.col("penalty_shots")))
        .then(pl.lit("a penalty shot: it has a strength in the official count, and none in gold"))
        .when("is_odd")
        .then(pl.lit("the official line contradicts itself: saves and goals do not add up to shots"))
        .otherwise(pl.lit("open"))
    )


def is_equal() -> pl.Expr:
    """Whether both have the same number. A missing line counts as zeros."""
    return (pl.col("ours").fill_null(0) - pl.col("official").fill_null(0)).abs() < 1e-3


def show_table(compared: pl.DataFrame) -> None:
    """Print the number of equal lines, one row per statistic."""
    for kind in KINDS:
        lines = compared.filter(pl.col("kind") == kind).group_by(LINE).agg(pl.col("ours", "official").count())
        ours, official = (lines.filter(pl.col(name) == 0).height for name in ("official", "ours"))
        print(f"{kind}s: {lines.height:,} lines, of which {ours:,} are ours alone and {official:,} official alone")
    print(f"{'':8} {'statistic':28} {'lines':>8} {'equal':>8} {'different':>9} {'games':>6}")
    for kind, names in KINDS.items():
        for name in names:
            rows = compared.filter(pl.col("kind") == kind, pl.col("statistic") == name)
            off = rows.filter(~is_equal())
            games = off["game_id"].n_unique()
            print(f"{kind:8} {name:28} {rows.height:8,} {rows.height - off.height:8,} {off.height:9,} {games:6,}")


def show_differences(compared: pl.DataFrame) -> None:
    """Print every difference: a paragraph per cause, a line per statistic."""
    off = compared.filter(~is_equal()).sort("cause", "game_id", "player_id", "statistic")
    for (cause,), rows in off.group_by("cause", maintain_order=True):
        print(f"\n{cause}: {rows.height} figures in {rows['game_id'].n_unique()} games")
        for row in rows.to_dicts():
            print(
                f"    {row['game_id']} {row['player_id']} {row['player_name'] or '':16} {row['statistic']:28}"
                f" ours {say(row['ours']):>5} official {say(row['official']):>5}"
            )


def say(value: float | None) -> str:
    """Return a number as text: counts without decimals, a missing line as a dash."""
    return "-" if value is None else f"{value:.4g}"


def main() -> None:
    """Print the chosen tables."""
    if not REALDATA.is_dir():
        sys.exit(f"No recorded pages at {REALDATA}.")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="the table alone")
    arguments = parser.parse_args()
    for season in SEASONS:
        ours, official = our_lines(season), official_lines(season)
        compared = pl.concat(compare(kind, ours[kind], official[kind]) for kind in KINDS)
        print(f"\n{season // 10_000}-{season % 100}")
        show_table(compared)
        if not arguments.table:
            show_differences(compared)


if __name__ == "__main__":
    main()
