"""Measure how well strength is known where situation codes are wrong, on two recorded seasons.

The codes of 2022-23 and 2023-24 are clean, so the benchmark corrupts them: a skater of one team, or of both, is missing
from the codes for the rest of the game, for 5 to 40 minutes, after a real penalty that never ends, or for a minute
again and again. Then it compares skaters' power-play goals and goalies' shots against by strength with the official box
score: by the codes alone, and by silver.plays. Games of goalies with a penalty shot are left out.

    python benchmarks/strength.py
"""

import gzip
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import polars as pl

from nhl_lake.hockey import strength
from nhl_lake.silver.plays import PLAYS, plays

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"
SEASONS = {20222023: "2022_23", 20232024: "2023_24"}
AT_ONCE = 100
HOME, AWAY = 2, 1  # the place of a team's skaters in a code
FEWEST, PERIOD_S = 3, 1200
Page = dict[str, Any]


def seconds_of(play: Page) -> int:
    """Return the second of the game of a play."""
    minutes, seconds = play["timeInPeriod"].split(":")
    return PERIOD_S * (play["periodDescriptor"]["number"] - 1) + 60 * int(minutes) + int(seconds)


def remove_skater(page: Page, team: int, is_wrong: Callable[[int], bool]) -> None:
    """Remove a skater of a team from the codes in the given seconds."""
    for play in page["plays"]:
        code = play.get("situationCode", "")
        is_in_play = (
            len(code) == 4 and play["periodDescriptor"]["periodType"] != "SO" and code not in strength.ONE_ON_ONE
        )
        if is_in_play and is_wrong(seconds_of(play)) and int(code[team]) > FEWEST:
            play["situationCode"] = code[:team] + str(int(code[team]) - 1) + code[team + 1 :]


def rest_of_game(page: Page, dice: random.Random) -> None:
    """Remove a skater for the rest of the game."""
    start = dice.randrange(3000)
    remove_skater(page, dice.choice((HOME, AWAY)), lambda second: second >= start)


def some_minutes(page: Page, dice: random.Random) -> None:
    """Remove a skater for 5 to 40 minutes."""
    start, length = dice.randrange(3300), dice.randrange(300, 2400)
    remove_skater(page, dice.choice((HOME, AWAY)), lambda second: start <= second < start + length)


def penalty_without_end(page: Page, dice: random.Random) -> None:
    """Remove a penalized skater from the end of a minor on."""
    minors = [p for p in page["plays"] if p["typeDescKey"] == "penalty" and p["details"].get("duration") == 2]
    if minors:
        minor = dice.choice(minors)
        start = seconds_of(minor) + 120
        team = HOME if minor["details"]["eventOwnerTeamId"] == page["homeTeam"]["id"] else AWAY
        remove_skater(page, team, lambda second: second > start)


def both_teams(page: Page, dice: random.Random) -> None:
    """Remove a skater of each team, at different times."""
    for team in (HOME, AWAY):
        start, length = dice.randrange(3000), dice.randrange(300, 3600)
        remove_skater(page, team, lambda second, a=start, b=start + length: a <= second < b)  # type: ignore[misc]


def now_and_then(page: Page, dice: random.Random) -> None:
    """Remove a skater of either team for a minute, again and again."""
    for start in range(0, 3600, 120):
        if dice.random() < 0.5:
            remove_skater(page, dice.choice((HOME, AWAY)), lambda second, a=start: a <= second < a + 60)  # type: ignore[misc]


KINDS: dict[str, Callable[[Page, random.Random], None]] = {
    "rest of the game": rest_of_game,
    "5 to 40 minutes": some_minutes,
    "penalty without end": penalty_without_end,
    "both teams": both_teams,
    "now and then": now_and_then,
}


def read_pages(season: int) -> Iterator[list[Page]]:
    """Yield the recorded pages of a season in batches."""
    path = REALDATA / "season-archives" / f"play-by-play_{season}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    for start in range(0, len(pages), AT_ONCE):
        yield pages[start : start + AT_ONCE]


def build_plays(season: int, *, is_spoilt: bool) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    """Return plays, the kind of corruption of each game, and the seconds that it took."""
    found, kinds, took = [], [], 0.0
    for pages in read_pages(season):
        for page in pages:
            dice = random.Random(page["id"])
            kind = dice.choice(list(KINDS)) if is_spoilt else "none"
            if is_spoilt:
                KINDS[kind](page, dice)
            kinds.append((page["id"], kind))
        bodies = pl.LazyFrame({"body": [json.dumps(page) for page in pages], "state": "OFF"})
        began = perf_counter()
        found.append(plays(bodies).collect())
        took += perf_counter() - began
    kind_of = pl.DataFrame(kinds, {"game_id": pl.Int64, "kind": pl.String}, orient="row")
    return pl.concat(found).cast(dict(PLAYS.schema)), kind_of, took


def by_codes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return plays with strength from their codes alone."""
    players = strength.parse_situation_code(pl.col("situation_code"), is_penalty_shot=pl.col("is_penalty_shot"))
    return rows.with_columns(**players).with_columns(strength_state=strength.classify_strength())


def wrong_skaters(rows: pl.DataFrame, box: pl.DataFrame) -> pl.DataFrame:
    """Return the games with a skater whose power-play goals differ from the official ones."""
    goals = rows.filter("is_goal", pl.col("strength_state") == "PP").group_by("game_id", player_id="shooter_player_id")
    lines = box.filter(~pl.col("is_goalie")).join(rows, on="game_id", how="semi")
    both = lines.join(goals.agg(ours=pl.len()), on=["game_id", "player_id"], how="left")
    return both.filter(pl.col("ours").fill_null(0) != pl.col("power_play_goals")).select("game_id").unique()


def wrong_goalies(rows: pl.DataFrame, box: pl.DataFrame) -> pl.DataFrame:
    """Return the games with a goalie whose shots by strength are not the official ones; no games with penalty shots."""
    shots = rows.filter("is_shot_on_goal").group_by("game_id", player_id="goalie_player_id")
    names = {"EV": "even_strength", "PP": "power_play", "SH": "shorthanded"}
    counts = shots.agg((pl.col("strength_state") == state).sum().alias(f"ours_{name}") for state, name in names.items())
    penalty_shots = rows.filter("is_penalty_shot", pl.col("period_type") != "SO")
    lines = box.filter("is_goalie").join(rows, on="game_id", how="semi").join(penalty_shots, on="game_id", how="anti")
    both = lines.join(counts, on=["game_id", "player_id"], how="left")
    is_off = pl.any_horizontal(
        pl.col(f"{name}_shots_against").str.split("/").list.last().cast(pl.Int64) != pl.col(f"ours_{name}").fill_null(0)
        for name in names.values()
    )
    return both.filter(is_off).select("game_id").unique()


def main() -> None:
    """Print the games that are wrong by the codes, and by silver.plays."""
    if not REALDATA.is_dir():
        sys.exit(f"No recorded seasons at {REALDATA}.")
    print(f"{'season':9} {'codes spoilt':20} {'games':>6}   skaters' power-play goals   goalies' shots by strength")
    print(f"{'':9} {'':20} {'':6}   {'codes':>12} {'silver.plays':>12}   {'codes':>12} {'silver.plays':>12}")
    for season, name in SEASONS.items():
        box = pl.read_parquet(REALDATA / "independent" / f"official_box_{name}.parquet").cast({"player_id": pl.Int64})
        for is_spoilt in (False, True):
            rows, kinds, took = build_plays(season, is_spoilt=is_spoilt)
            wrong = [
                wrong_of(found, box).join(kinds, on="game_id")
                for wrong_of in (wrong_skaters, wrong_goalies)
                for found in (by_codes(rows), rows)
            ]
            for kind, games in kinds.group_by("kind").len().sort("kind").rows():
                counts = [games_wrong.filter(pl.col("kind") == kind).height for games_wrong in wrong]
                print(
                    f"{season:9} {kind:20} {games:6,}   {counts[0]:12} {counts[1]:12}   {counts[2]:12} {counts[3]:12}"
                )
            print(f"          {rows.height:,} plays in {took:.1f} s")


if __name__ == "__main__":
    main()
