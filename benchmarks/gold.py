"""Compare gold of the recorded seasons with MoneyPuck, and compute the weights of adjusted attempts.

    python benchmarks/gold.py            # every team of 2022-23 and one skater, column by column
    python benchmarks/gold.py weights    # the attempts by lead, from which the weights follow

MoneyPuck's files (MoneyPuck.com, for non-commercial use with credit) are only read; nothing of them is stored.
"""

import gzip
import json
import sys
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.gold.measures.score_adjustment import LEADS
from nhl_lake.gold.measures.season_totals import sum_known
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.queries.moneypuck import SKATER_NAMES, TEAM_NAMES
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS, lineups
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS, plays
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"
SEASONS = (20222023, 20232024)
SITUATIONS = ("all", "5on5", "5on4", "4on5", "other")
AT_ONCE = 100
PLAYER = 8477493  # the skater with a file of games


def archive(season: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the recorded pages of a season in batches."""
    path = REALDATA / "season-archives" / f"play-by-play_{season}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    for start in range(0, len(pages), AT_ONCE):
        yield pages[start : start + AT_ONCE]


def silver(pages: list[dict[str, Any]]) -> dict[str, pl.LazyFrame]:
    """Build silver from play-by-play pages; there are no shifts, and no model of xG."""
    rows = [
        {"season": page["season"], "game_id": page["id"], "state": "OFF", "body": json.dumps(page)} for page in pages
    ]
    bodies = pl.DataFrame(rows).with_columns(fetched_at=pl.lit(0)).lazy()
    games = pl.LazyFrame([scheduled(page) for page in pages], schema=GAMES.schema)
    empty = bodies.clear()
    found = {
        "games": games,
        "plays": plays(bodies).collect().cast(dict(PLAYS.schema)).lazy(),
        "lineups": lineups(bodies, empty, empty).collect().cast(dict(LINEUPS.schema)).lazy(),
    }
    none = (SHIFTS, STINTS, ON_ICE, SKATER_GAMES, GOALIE_GAMES, XG_MODEL)
    return found | {table.name.split(".")[1]: pl.LazyFrame(schema=table.schema) for table in none}


def build(table: Table, frames: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    """Build a table of gold from the tables that it reads, by name."""
    inputs = (frames[read.name.split(".")[1]] for read in table.inputs)
    return table.build(*inputs).collect().cast(dict(table.schema))  # type: ignore[arg-type]


def scheduled(page: dict[str, Any]) -> dict[str, Any]:
    """Return a game's entry in the schedule, from its page."""
    sides = {f"{side}_team_{name}": page[f"{side}Team"][name] for side in ("home", "away") for name in ("id", "abbrev")}
    day = date.fromisoformat(page["gameDate"])
    return {"season": page["season"], "game_id": page["id"], "game_type": page["gameType"], "game_date": day} | sides


def played(plays: pl.LazyFrame) -> pl.DataFrame:
    """Estimate the seconds by team and situation from the plays, because there are no shifts.

    A code is the state before its event, and the end of a penalty is not an event. So half of the time between two
    events goes to the code of each.
    """
    named = {"1551": "5on5", "1451": "5on4", "1541": "4on5"}
    period = ("game_id", "period")
    code = pl.col("situation_code").backward_fill().over(period).forward_fill().over(period)
    half = (pl.col("game_seconds") - pl.col("game_seconds").shift(1, fill_value=0).over("game_id")) / 2
    rows = (
        plays.filter(pl.col("period_type") != "SO")
        .sort("game_id", "event_number")
        .with_columns(home=code.replace_strict(named, default="other"), half=half)
        .with_columns(before=pl.col("home").shift(1).over(period).fill_null(pl.col("home")))
        .select("game_id", "home_team_id", "away_team_id", seconds="half", home=pl.concat_list("home", "before"))
        .explode("home")
        .collect()
    )
    away = pl.col("home").replace({"5on4": "4on5", "4on5": "5on4"})
    sides = {"home_team_id": pl.col("home"), "away_team_id": away}
    both = pl.concat(
        rows.select("seconds", "game_id", team_id=team, situation=situation) for team, situation in sides.items()
    )
    return pl.concat([both, both.with_columns(situation=pl.lit("all"))])


def sums(season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the regular season of every team by situation, and every game of the skater with a file."""
    teams, skaters = [], []
    for pages in archive(season):
        found = silver(pages)
        found["shots"] = build(SHOTS, found).lazy()
        team = build(TEAM_GAME, found)
        time = played(found["plays"]).group_by("game_id", "team_id", "situation").agg(pl.col("seconds").sum())
        teams.append(team.join(time, on=["game_id", "team_id", "situation"], how="left"))
        skaters.append(build(SKATER_GAME, found).filter(pl.col("player_id") == PLAYER))
    regular = pl.concat(teams).filter(pl.col("game_type") == 2)
    return regular.group_by("team_abbrev", "situation").agg(
        sum_known(name).cast(pl.Float64) for name in (*TEAM_NAMES, "seconds")
    ), pl.concat(skaters)


def list_known(rows: pl.DataFrame, names: Collection[str]) -> list[str]:
    """Return the columns that have a value; print the others: they need shifts or xG."""
    unknown = [name for name in names if rows[name].is_null().all()]
    print(f"Not compared, because there are no shifts and no xG: {', '.join(unknown)}")
    return [name for name in names if name not in unknown]


def main() -> None:
    """Print the chosen tables."""
    if not REALDATA.is_dir():
        sys.exit(f"No recorded pages at {REALDATA}.")
    if sys.argv[1:] == ["weights"]:
        weights()
        return
    found = {season: sums(season) for season in SEASONS}
    show_teams(found[SEASONS[0]][0])
    show_skater(pl.concat(found[season][1] for season in SEASONS))


def read_moneypuck() -> pl.DataFrame:
    """Return MoneyPuck's teams of 2022-23, one row per team and situation, with our abbreviations."""
    theirs = pl.read_csv(REALDATA / "independent" / "moneypuck_teams_2022_regular.csv", infer_schema_length=None)
    names = {"L.A": "LAK", "N.J": "NJD", "S.J": "SJS", "T.B": "TBL"}
    return theirs.rename({"team": "abbrev"}).with_columns(team_abbrev=pl.col("abbrev").replace(names))


def show_teams(ours: pl.DataFrame) -> None:
    """Print the totals of all teams by column and situation: ours, MoneyPuck's, and the number of equal teams."""
    both = ours.join(read_moneypuck(), on=["team_abbrev", "situation"], validate="1:1")
    print(
        "Teams, 2022-23, regular season: totals of all teams, ours and MoneyPuck's; number of equal teams, largest gap"
    )
    print(f"{'':32} {'situation':9} {'ours':>11} {'theirs':>11} {'gap':>8} {'equal':>6} {'most':>6}")
    columns = {name: f"{theirs}For" for name, theirs in TEAM_NAMES.items()} | {"seconds": "iceTime"}
    for name in list_known(both, columns):
        column = columns[name]
        for situation in SITUATIONS:
            rows = both.filter(pl.col("situation") == situation)
            one, other = rows[name], rows[column].cast(pl.Float64)
            gap = one - other
            equal = (gap.abs() < 0.5).sum() if name.startswith("adjusted") else (gap == 0).sum()
            share = (one.sum() - other.sum()) / other.sum()
            sums = f"{one.sum():11,.0f} {other.sum():11,.0f} {share:8.2%}"
            print(f"{name:32} {situation:9} {sums} {equal:>3}/{rows.height} {gap.abs().max():6,.0f}")


def show_skater(ours: pl.DataFrame) -> None:
    """Print, by column, the share of games in which a skater's values are equal."""
    theirs = pl.read_csv(REALDATA / "independent" / f"moneypuck_game_by_game_{PLAYER}.csv", infer_schema_length=None)
    both = ours.join(
        theirs.rename({"gameId": "game_id"}), on=["game_id", "situation"], suffix="_theirs", validate="1:1"
    )
    games = both["game_id"].n_unique()
    print(f"\nOne skater ({PLAYER}), {games} games of 2022-23 and 2023-24: share of games with equal values")
    print(f"{'':32} " + " ".join(f"{situation:>7}" for situation in SITUATIONS) + "    ours  theirs")
    for name in list_known(both, SKATER_NAMES):
        column = SKATER_NAMES[name]
        theirs_name = f"{column}_theirs" if f"{column}_theirs" in both.columns else column
        is_equal = (pl.col(name).cast(pl.Float64) - pl.col(theirs_name).cast(pl.Float64)).abs() < 0.05
        shares = {s: both.filter(pl.col("situation") == s).select(is_equal.mean()).item() for s in SITUATIONS}
        whole = both.filter(pl.col("situation") == "all")
        cells = " ".join(f"{shares[situation]:7.1%}" for situation in SITUATIONS)
        print(f"{name:32} {cells} {whole[name].sum():7,.0f} {whole[theirs_name].cast(pl.Float64).sum():7,.0f}")


def weights() -> None:
    """Print the attempts of home and away teams by the home team's lead, and the resulting weights."""
    rows = []
    for season in SEASONS:
        for pages in archive(season):
            found = silver(pages)["plays"]
            rows.append(
                found.filter(pl.col("is_attempt"), pl.col("situation") == "5on5", pl.col("game_type") == 2).collect()
            )
    shots = pl.concat(rows).with_columns(
        lead=(pl.col("home_score_before") - pl.col("away_score_before")).clip(LEADS[0], LEADS[-1])
    )
    for what in ("is_attempt", "is_unblocked_attempt"):
        home, away = pl.col("is_home").sum(), (~pl.col("is_home")).sum()
        counted = shots.filter(what).group_by("lead").agg(home=home, away=away).sort("lead")
        print(what)
        for lead, home_shots, away_shots in counted.rows():
            both = home_shots + away_shots
            print(
                f"  {lead:+d} {home_shots:7,} {away_shots:7,}  {both / 2 / home_shots:.3f} {both / 2 / away_shots:.3f}"
            )


if __name__ == "__main__":
    main()
