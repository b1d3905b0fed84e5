"""Compare a season of the simulated league with the NHL's 2023-24, statistic by statistic.

    python benchmarks/likeness.py REALDATA [--games N] [--seed S]

REALDATA is a folder with season-archives/play-by-play_20232024.jsonl.gz (one page per line), boxscore/ and
shiftcharts*/. It is not part of this repository: without it only the simulated column is printed. Statistics of plays
are means per regular-season game of 2023-24. Ice time is from the folder's box scores, and shifts from its charts, most
of which are from playoffs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from math import hypot
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from nhl_lake.league.engine import Engine
from nhl_lake.league.model import Game

SEASON = 20242025
SHOTS = ("goal", "shot-on-goal", "missed-shot", "blocked-shot")
UNEVEN = {"1451": 0, "1351": 0, "1341": 0, "1541": 1, "1531": 1, "1431": 1}


class Row(NamedTuple):
    """An event, in the columns that both sources have."""

    kind: str
    period: int
    second: int
    situation: str
    home: bool | None
    x: int | None  # toward the net that the acting team attacks
    y: int | None
    goalie: bool
    detail: str


def simulated_rows(game: Game) -> list[Row]:
    """Return the rows of a simulated game, without its shootout."""
    return [
        Row(
            e.kind, e.period, e.second, e.situation or "", None if e.side is None else e.side == 0,
            None if e.x is None else e.x if (e.side == 0) == (e.home_defending_side == "left") else -e.x, e.y,
            e.goalie is not None,
            e.penalty_type or e.shot_type or "",
        )
        for e in game.events if e.period_type != "SO"
    ]  # fmt: skip


def real_rows(page: dict) -> list[Row]:
    """Return the rows of a recorded page, without its shootout."""
    home = page["homeTeam"]["id"]
    rows = []
    for play in page["plays"]:
        about = play["periodDescriptor"]
        if about["periodType"] == "SO":
            continue
        details = play.get("details", {})
        owner, x = details.get("eventOwnerTeamId"), details.get("xCoord")
        toward = (owner == home) == (play.get("homeTeamDefendingSide") == "left")
        minutes, seconds = play["timeInPeriod"].split(":")
        rows.append(
            Row(
                play["typeDescKey"], about["number"], 60 * int(minutes) + int(seconds), play.get("situationCode", ""),
                None if owner is None else owner == home, None if x is None else x if toward else -x,
                details.get("yCoord"),
                "goalieInNetId" in details, details.get("typeCode") or details.get("shotType") or "",
            )
        )  # fmt: skip
    return rows


def count(rows: list[Row], found: Counter[str], distances: dict[str, list[float]]) -> None:
    """Add a game to the counts."""
    before: Row | None = None
    advantage = None
    for row in rows:
        found[row.kind] += 1
        found["attempts"] += row.kind in SHOTS
        found["on goal"] += row.kind in SHOTS[:2]
        found["home attempts"] += row.kind in SHOTS and row.home is True
        if row.situation and row.situation not in ("1010", "0101"):
            state = UNEVEN.get(row.situation)
            found["power plays"] += state is not None and state != advantage
            advantage = state
        if row.kind == "goal":
            found[f"goals in period {row.period}"] += 1
            found["power-play goals"] += UNEVEN.get(row.situation) == (0 if row.home else 1)
            found["empty-net goals"] += not row.goalie
        if row.kind == "penalty":
            found["fighting and other majors"] += row.detail == "MAJ"
        if row.kind in SHOTS[:3] and row.x is not None and row.goalie:
            distance = hypot(89 - row.x, row.y or 0)
            distances["goals" if row.kind == "goal" else "others"].append(distance)
            near = before is not None and before.period == row.period
            if near and before is not None:
                shot = before.kind in SHOTS[1:3] and before.home == row.home
                found["rebounds"] += shot and row.second - before.second <= 3
                toward = None if before.x is None else before.x if before.home == row.home else -before.x
                rush = toward is not None and toward <= 25 and before.kind != "faceoff"
                found["rushes"] += rush and row.second - before.second <= 4
        if row.kind != "delayed-penalty":
            before = row


def measures(games: Iterable[list[Row]], kinds: Counter[str]) -> dict[str, float]:
    """Return means per game; `kinds` counts how games ended."""
    found: Counter[str] = Counter()
    distances: dict[str, list[float]] = {"goals": [], "others": []}
    number = 0
    for rows in games:
        number += 1
        count(rows, found, distances)
    names = {
        "goals": "goal", "shots on goal": "on goal", "shot attempts": "attempts", "missed shots": "missed-shot",
        "blocked shots": "blocked-shot",
        "hits": "hit", "giveaways": "giveaway", "takeaways": "takeaway", "faceoffs": "faceoff",
        "stoppages": "stoppage", "penalties": "penalty",
        "delayed penalties": "delayed-penalty", "majors": "fighting and other majors", "power plays": "power plays",
        "power-play goals": "power-play goals", "empty-net goals": "empty-net goals",
        "goals, 1st period": "goals in period 1",
        "goals, 2nd period": "goals in period 2", "goals, 3rd period": "goals in period 3", "rebounds": "rebounds",
        "rushes": "rushes",
    }  # fmt: skip
    table = {name: found[key] / number for name, key in names.items()}
    table["home share of attempts"] = found["home attempts"] / found["attempts"]
    table["share going to overtime"] = (kinds["OT"] + kinds["SO"]) / number
    table["share going to a shootout"] = kinds["SO"] / number
    table["shot distance (ft)"] = mean(distances["others"] + distances["goals"])
    table["goal distance (ft)"] = mean(distances["goals"])
    return table


def ice_time(stays: Iterable[tuple[str, list[int]]]) -> dict[str, float]:
    """Return shift length, and shifts and ice time per player, from (position, seconds of each shift)."""
    by_position: dict[str, list[list[int]]] = {"F": [], "D": []}
    for position, lengths in stays:
        if position in by_position:
            by_position[position].append(lengths)
    table = {}
    for key, name in (("F", "forwards"), ("D", "defensemen")):
        rows = by_position[key]
        if rows:
            table[f"shift length, {name} (s)"] = mean(length for row in rows for length in row)
            table[f"ice time, {name} (min)"] = mean(sum(row) for row in rows) / 60
    return table


def measure_simulated(seed: int, number: int) -> tuple[dict[str, float], float]:
    """Return all statistics of a simulated season, and the seconds per game."""
    engine = Engine(seed)
    games = [game for game in engine.schedule(SEASON) if game.game_type == 2][:number]
    kinds: Counter[str] = Counter()
    stays: list[tuple[str, list[int]]] = []

    def played() -> Iterator[list[Row]]:
        for scheduled in games:
            game = engine.get_game(scheduled.game_id)
            kinds[game.outcome.last_period_type] += 1
            lengths: dict[int, list[int]] = {}
            for shift in game.shifts:
                lengths.setdefault(shift.player_id, []).append(shift.end - shift.start)
            for lineup in game.outcome.lineups:
                for spot in lineup.dressed_players:
                    position = "F" if spot.position in "CLR" else spot.position
                    stays.append((position, lengths.get(spot.player.player_id, [0])))
            yield simulated_rows(game)

    start = time.perf_counter()
    table = measures(list(played()), kinds)
    per_game = (time.perf_counter() - start) / len(games)
    return table | measure_endings(engine) | ice_time(stays), per_game


def measure_endings(engine: Engine) -> dict[str, float]:
    """Return the shares of overtimes and shootouts in four seasons: one season alone is off by a tenth by chance."""
    games = [g for i in range(4) for g in engine.schedule(SEASON + 10001 * i) if g.game_type == 2]
    kinds = Counter(engine.get_outcome(game.game_id).last_period_type for game in games)
    return {
        "share going to overtime": (kinds["OT"] + kinds["SO"]) / len(games),
        "share going to a shootout": kinds["SO"] / len(games),
    }


def measure_recorded(folder: Path) -> dict[str, float]:
    """Return the same statistics of the recorded season."""
    kinds: Counter[str] = Counter()
    games = []
    with gzip.open(folder / "season-archives" / "play-by-play_20232024.jsonl.gz", "rt") as lines:
        for line in lines:
            page = json.loads(line)
            if page["gameType"] == 2:
                kinds[page["gameOutcome"]["lastPeriodType"]] += 1
                games.append(real_rows(page))
    table = measures(games, kinds) | shift_lengths(folder)
    return table | {f"ice time, {name} (min)": minutes for name, minutes in box_scores(folder).items()}


def shift_lengths(folder: Path) -> dict[str, float]:
    """Return shift lengths from the folder's charts, with positions from the season's pages."""
    position: dict[int, str] = {}
    with gzip.open(folder / "season-archives" / "play-by-play_20222023.jsonl.gz", "rt") as lines:
        for line in lines:
            position |= {spot["playerId"]: spot["positionCode"] for spot in json.loads(line)["rosterSpots"]}
    rows = []
    for path in sorted((folder / "shiftcharts-derived").glob("*.json")):
        lengths: dict[int, set[tuple[int, int, int]]] = {}
        for row in json.loads(path.read_text())["data"]:
            if row["typeCode"] == 517 and row["duration"]:
                lengths.setdefault(row["playerId"], set()).add(
                    (row["period"], seconds(row["startTime"]), seconds(row["endTime"]))
                )
        for player, stays in lengths.items():
            code = position.get(player, "?")
            rows.append(("F" if code in "CLR" else code, [end - start for _, start, end in stays]))
    return {key: value for key, value in ice_time(rows).items() if key.startswith("shift")}


def box_scores(folder: Path) -> dict[str, float]:
    """Return the minutes per forward and per defenseman in the folder's final games."""
    minutes: dict[str, list[float]] = {"forwards": [], "defensemen": []}
    for path in sorted((folder / "boxscore").glob("*.json")):
        page = json.loads(path.read_text())
        players = page.get("playerByGameStats") or page.get("boxscore", {}).get("playerByGameStats")
        if players and page["gameState"] in ("OFF", "FINAL"):
            for side in ("awayTeam", "homeTeam"):
                minutes["forwards"] += [seconds(row["toi"]) / 60 for row in players[side]["forwards"]]
                minutes["defensemen"] += [seconds(row["toi"]) / 60 for row in players[side]["defense"]]
    return {name: mean(values) for name, values in minutes.items()}


def seconds(clock: str) -> int:
    """ "12:31" as seconds."""
    whole, part = clock.split(":")
    return 60 * int(whole) + int(part)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("realdata", nargs="?", type=Path)
    parser.add_argument("--games", type=int, default=1312)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    ours, per_game = measure_simulated(asked.seed, asked.games)
    theirs: dict[str, float] = {}
    if asked.realdata and (asked.realdata / "season-archives").is_dir():
        theirs = measure_recorded(asked.realdata)
    else:
        print("Without the folder of the recorded season, only the simulated league is shown.")
    print(f"{'per game':32}{'simulated':>10}{'2023-24':>10}{'ratio':>8}")
    for name, value in ours.items():
        beside = theirs.get(name)
        print(f"{name:32}{value:10.3f}" + ("" if beside is None else f"{beside:10.3f}{value / beside:8.2f}"))
    print(f"{asked.games} games, {1000 * per_game:.1f} ms each, seed {asked.seed}")


if __name__ == "__main__":
    main()
