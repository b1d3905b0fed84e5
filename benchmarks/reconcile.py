"""Compare the official statistics of the recorded games with counts of their play-by-play pages.

Every line of silver.skater_games, silver.goalie_games and silver.team_games from a recorded final page is compared with
a simple count of every recorded version of that game's play-by-play page. The NHL corrects games for months, hits most
of all. So a line is compared with versions in the same page format as its own; a line without such a version is listed
separately. A goal without a shot type went in off a defender: it is not a shot on goal.

    python benchmarks/reconcile.py
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import get_game_season
from nhl_lake.silver.goalie_games import goalie_games
from nhl_lake.silver.plays import plays
from nhl_lake.silver.skater_games import skater_games
from nhl_lake.silver.team_games import team_games

SHARED = Path(__file__).resolve().parents[2] / "shared"
SKATER = (
    "goals", "assists", "shots_on_goal", "hits", "blocked_shots", "giveaways", "takeaways", "penalty_minutes",
    "faceoffs_won", "faceoffs_taken", "faceoff_share",
)  # fmt: skip
STRENGTHS = ("even_strength", "power_play", "shorthanded")
GOALIE = (
    "saves", "shots_against", "goals_against", "penalty_minutes",
    *(f"{strength}_{what}" for strength in STRENGTHS for what in ("saves", "shots_against", "goals_against")),
)  # fmt: skip
TEAM = (
    "goals", "shots_on_goal", "hits", "blocked_shots", "giveaways", "takeaways", "penalty_minutes", "faceoff_share",
    "power_play_goals",
)  # fmt: skip
ROLES = ("scoringPlayerId", "shootingPlayerId", "hittingPlayerId", "playerId", "winningPlayerId")
VERDICTS = ("equal", "other time", "unexplained")
Counts = Counter[tuple[int, str]]


def count(page: Any) -> Counts:
    """Count a page row by row, for players and teams by id; shootouts do not count."""
    found: Counts = Counter()
    team_of = {spot["playerId"]: spot["teamId"] for spot in page["rosterSpots"]}
    teams = {page["homeTeam"]["id"]: page["awayTeam"]["id"], page["awayTeam"]["id"]: page["homeTeam"]["id"]}
    for play in page["plays"]:
        details = play.get("details", {})
        if play["periodDescriptor"]["periodType"] == "SO":
            continue
        actor = next((details[role] for role in ROLES if role in details), 0)
        team = team_of.get(actor, details.get("eventOwnerTeamId", 0))
        both = [(who, name) for who in (actor, team) for name in names(play["typeDescKey"], details)]
        found.update(both)
        if play["typeDescKey"] in {"goal", "shot-on-goal"}:
            count_shot(found, play, is_home=team == page["homeTeam"]["id"], team=team)
        if play["typeDescKey"] == "faceoff":
            loser = details["losingPlayerId"]
            found.update((who, "faceoffs_taken") for who in (actor, loser, team, teams[team]))
        blocker = details.get("blockingPlayerId")
        if blocker and team_of[blocker] != team:
            found.update([(blocker, "blocked_shots"), (team_of[blocker], "blocked_shots")])
        if play["typeDescKey"] == "penalty":
            found[details.get("committedByPlayerId", 0), "penalty_minutes"] += details["duration"]
            found[details["eventOwnerTeamId"], "penalty_minutes"] += details["duration"]
    return found


def names(event: str, details: Any) -> tuple[str, ...]:
    """Return the statistics that an event adds to, for the player and the team."""
    if event == "goal":
        return ("goals", "shots_on_goal") if "shotType" in details else ("goals",)
    known = {"shot-on-goal": "shots_on_goal", "hit": "hits", "giveaway": "giveaways", "takeaway": "takeaways"}
    return ("faceoffs_won",) if event == "faceoff" else (known[event],) if event in known else ()


def count_shot(found: Counts, play: Any, *, is_home: bool, team: int) -> None:
    """Count the assists of a goal, and a shot against the goalie by the strength of the shooters."""
    details, goal = play["details"], play["typeDescKey"] == "goal"
    found.update((details[key], "assists") for key in ("assist1PlayerId", "assist2PlayerId") if key in details)
    away_goalie, away, home, home_goalie = (int(digit) for digit in play["situationCode"])
    edge = (home + home_goalie - away - away_goalie) * (1 if is_home else -1)
    # the code of a penalty shot is that of the shot (one on one), not of the game
    alone = play["situationCode"] in {"0101", "1010"}
    strength = STRENGTHS[0 if edge == 0 or alone else 1 if edge > 0 else 2]
    if goal and strength == "power_play":
        found[team, "power_play_goals"] += 1
    goalie = details.get("goalieInNetId")
    if goalie:
        shot = "shotType" in details or not goal
        kinds = [name for name, yes in (("saves", not goal), ("shots_against", shot), ("goals_against", goal)) if yes]
        found.update((goalie, name) for kind in kinds for name in (kind, f"{strength}_{kind}"))


def recorded(folder: Path) -> Iterator[Any]:
    """Yield the recorded pages of a folder, one by one."""
    for file in sorted(folder.glob("*.json")):
        yield {"id": int(file.name[:10]), "gameState": "OFF", **json.loads(file.read_text())}


def captures(realdata: Path, games: set[int]) -> Iterator[Any]:
    """Yield every recorded final play-by-play page of some games."""
    yield from (page for page in recorded(realdata / "play-by-play") if page["id"] in games)
    for archive in sorted((realdata / "season-archives").glob("*.jsonl.gz")):
        with gzip.open(archive, "rt") as lines:
            for line in lines:
                head = re.match(r'\{"id":\s*(\d+)', line)
                if head is None or int(head[1]) in games:
                    page = json.loads(line)
                    if page["id"] in games:
                        yield page


def bronze(pages: list[Any]) -> pl.LazyFrame:
    """Return recorded pages as rows of a bronze table; of two versions of a game, the last."""
    rows = {
        page["id"]: {
            "season": get_game_season(page["id"]),
            "game_id": page["id"],
            "state": page["gameState"],
            "fetched_at": datetime(2026, 1, 1, tzinfo=UTC),
            "body": json.dumps(page),
        }
        for page in pages
    }
    return pl.LazyFrame(list(rows.values()))


def is_old(page: Any) -> bool:
    """Whether a page has the format used until January 2024."""
    return "period" in page


def official(realdata: Path) -> pl.DataFrame:
    """One row per official number: game_id, who (player or team id), of (skater, goalie, team), stat, official."""
    pages = [page for page in recorded(realdata / "boxscore") if page["gameState"] in FINAL_STATES]
    boxes = bronze(pages)
    old = {page["id"]: is_old(page) for page in pages}
    rails = list(recorded(realdata / "right-rail"))
    heads = bronze(list(captures(realdata, {page["id"] for page in rails})))
    found = [
        long(skater_games(boxes), "skater", "player_id", SKATER),
        long(goalie_games(boxes), "goalie", "player_id", GOALIE),
        long(team_games(heads, bronze(rails), plays(heads)), "team", "team_id", TEAM),
    ]
    return pl.concat(found).with_columns(
        is_old=pl.col("game_id").replace_strict(old, default=False, return_dtype=pl.Boolean)
    )


def long(rows: pl.LazyFrame, of: str, key: str, stats: tuple[str, ...]) -> pl.DataFrame:
    """Return one row per number."""
    figures = rows.with_columns(pl.col(stats).cast(pl.Float64)).unpivot(stats, index=["game_id", key])
    named = figures.rename({key: "who", "variable": "stat", "value": "official"}).with_columns(of=pl.lit(of))
    return named.cast({"who": pl.Int64}).filter(pl.col("official").is_not_null()).collect()


def compare(realdata: Path) -> pl.DataFrame:
    """One row per official number, with the verdict and the counts of the versions."""
    figures = official(realdata)
    counts = {}
    for number, page in enumerate(captures(realdata, set(figures["game_id"]))):
        counts[page["id"], number] = (is_old(page), count(page))
    rows = [
        {"game_id": game, "capture": number, "capture_is_old": old, "who": who, "stat": stat, "counted": value}
        for (game, number), (old, found) in counts.items()
        for (who, stat), value in with_shares(found)
    ]
    pairs = [{"game_id": g, "capture": n, "capture_is_old": old} for (g, n), (old, _) in counts.items()]
    against = figures.join(pl.DataFrame(pairs), on="game_id").join(
        pl.DataFrame(rows, schema_overrides={"counted": pl.Float64}),
        on=["game_id", "capture", "capture_is_old", "who", "stat"],
        how="left",
    )
    same_time = pl.col("capture_is_old") == pl.col("is_old")
    equal = (pl.col("counted").fill_null(0) - pl.col("official")).abs() < 1e-4  # shares have few digits on the page
    verdict = pl.when((equal & same_time).any()).then(pl.lit("equal")).when(same_time.any()).then(pl.lit("unexplained"))
    return against.group_by("of", "stat", "game_id", "who", "official").agg(
        verdict=pl.when(equal.any() & ~same_time.any())
        .then(pl.lit("equal"))
        .otherwise(verdict.otherwise(pl.lit("other time"))),
        counted=pl.col("counted").fill_null(0),
    )


def with_shares(found: Counts) -> Iterator[tuple[tuple[int, str], float]]:
    """Yield the counts, and the share of faceoffs won."""
    yield from found.items()
    for (who, stat), taken in found.items():
        if stat == "faceoffs_taken":
            yield (who, "faceoff_share"), found[who, "faceoffs_won"] / taken


def summary(compared: pl.DataFrame) -> pl.DataFrame:
    """One row per statistic: compared lines, and the number with each verdict."""
    return (
        compared.group_by("of", "stat")
        .agg(pl.len().alias("lines"), *((pl.col("verdict") == v).sum().alias(v) for v in VERDICTS))
        .sort("of", "stat")
    )


def main() -> None:
    realdata = SHARED / "realdata"
    if not realdata.is_dir():
        sys.exit(f"no recorded pages at {realdata}")
    compared = compare(realdata)
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(summary(compared))
        print(compared.filter(pl.col("verdict") == "unexplained"))


if __name__ == "__main__":
    main()
