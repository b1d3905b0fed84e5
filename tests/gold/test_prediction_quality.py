"""Tests of prediction quality: better than the mean of the last ten games, but not too good to be true."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.sog_features import SOG_FEATURES, sog_features
from nhl_lake.league import League
from nhl_lake.models import shots_on_goal
from nhl_lake.models.shots_on_goal import GLM
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.rosters import ROSTERS

SEASON = 20252026
LATER = datetime(2030, 1, 1, tzinfo=UTC)
ON_GOAL = ("shot-on-goal", "goal")
Line = tuple[int, int, str, int, int | None]  # player, team, position, shots on goal, time on the ice


def build_features(pages: Iterator[tuple[dict[str, Any], list[Line]]]) -> pl.DataFrame:
    """Return the features of games, given each player's team, shots and ice time."""
    games: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for page, lines in pages:
        sides = {side: page[f"{side}Team"] for side in ("home", "away")}
        about = {"season": page["season"], "game_id": page["id"], "game_type": page["gameType"]}
        about |= {"game_date": date.fromisoformat(page["gameDate"])}
        names = {f"{side}_team_{name}": team[name] for side, team in sides.items() for name in ("id", "abbrev")}
        start = datetime.fromisoformat(page["startTimeUTC"])
        games.append(about | names | {"start_at": start, "game_state": "OFF", "schedule_state": "OK"})
        abbrevs = {team["id"]: team["abbrev"] for team in sides.values()}
        others = {names["home_team_id"]: names["away_team_id"], names["away_team_id"]: names["home_team_id"]}
        for player, team, position, shots, seconds in lines:
            identity = {"player_id": player, "position": position, "team_id": team, "team_abbrev": abbrevs[team]}
            opponent = {"opponent_team_id": others[team], "opponent_abbrev": abbrevs[others[team]]}
            counted = {"situation": "all", "shots_on_goal": shots, "time_on_ice_s": seconds}
            rows.append(about | identity | opponent | counted | {"is_home": team == names["home_team_id"]})
    teams = pl.DataFrame({"team_id": sorted({row["team_id"] for row in rows})}, schema={"team_id": pl.Int32})
    given = {GAMES: games, SKATER_GAME: rows, ROSTERS: [], PLAYS: []}
    frames = {t: pl.LazyFrame(some, schema_overrides=dict(t.schema)) if some else None for t, some in given.items()}
    full = {
        t: (pl.LazyFrame(schema=t.schema) if f is None else f.select(pad_frame(f, t.schema))) for t, f in frames.items()
    }
    lineage = teams.lazy().with_columns(team_key=pl.col("team_id"))
    found = sog_features(full[GAMES], full[SKATER_GAME], full[ROSTERS], lineage, full[PLAYS], date(2100, 1, 1))
    return found.collect().cast(dict(SOG_FEATURES.schema))


def pad_frame(frame: pl.LazyFrame, schema: pl.Schema) -> list[pl.Expr]:
    there = frame.collect_schema().names()
    return [pl.col(n) if n in there else pl.lit(None, t).alias(n) for n, t in schema.items()]


def list_league_games(seed: int, games: int) -> Iterator[tuple[dict[str, Any], list[Line]]]:
    """Yield the first regular-season games of a season of the simulated league, from their box scores."""
    league = League(seed=seed, seasons=(SEASON,))
    regular = [game for game in league.engine.schedule(SEASON) if game.game_type == 2 and game.is_played]
    for game in regular[:games]:
        page = json.loads(league.answer(f"/v1/gamecenter/{game.game_id}/boxscore", LATER).body)
        yield page, [line for side in ("home", "away") for line in list_box_lines(page, side)]


def list_box_lines(page: dict[str, Any], side: str) -> Iterator[Line]:
    for group in ("forwards", "defense"):
        for line in page["playerByGameStats"][f"{side}Team"][group]:
            minutes, seconds = line["toi"].split(":")
            shots = line.get("sog", line.get("shots", 0))
            team = page[f"{side}Team"]["id"]
            yield line["playerId"], team, line["position"], shots, 60 * int(minutes) + int(seconds)


def list_archived_games(folder: Path, season: int) -> Iterator[tuple[dict[str, Any], list[Line]]]:
    """Yield the recorded games of a season: the dressed players, and the shots in the plays."""
    with gzip.open(folder / "season-archives" / f"play-by-play_{season}.jsonl.gz") as lines:
        for text in lines:
            page = json.loads(text)
            shots = Counter(
                play["details"].get("scoringPlayerId") or play["details"]["shootingPlayerId"]
                for play in page["plays"]
                if play["typeDescKey"] in ON_GOAL and play["periodDescriptor"]["periodType"] != "SO"
            )
            spots = [spot for spot in page["rosterSpots"] if spot["positionCode"] != "G"]
            yield page, [(s["playerId"], s["teamId"], s["positionCode"], shots[s["playerId"]], None) for s in spots]


def map_deviances(found: shots_on_goal.Backtest) -> dict[str, float]:
    return dict(found.scores.select("prediction", "deviance").rows())


def get_r_squared(found: shots_on_goal.Backtest) -> float:
    return float(found.scores["r_squared"].max())  # type: ignore[arg-type]


@pytest.mark.league
@pytest.mark.soak
@pytest.mark.parametrize("seed", [5])
def test_model_beats_the_last_ten_games_by_a_twentieth_on_five_hundred_league_games(seed: int):
    found = shots_on_goal.backtest(build_features(list_league_games(seed, 500)), SEASON)

    assert found.excluded == ()
    assert map_deviances(found)[GLM] < 0.95 * map_deviances(found)["last 10"]
    assert map_deviances(found)[GLM] < min(value for name, value in map_deviances(found).items() if name != GLM)
    assert 0.05 < get_r_squared(found) < 0.30


@pytest.fixture(scope="module")
def recorded(realdata: Path) -> pl.DataFrame:
    """The features of a recorded season."""
    return build_features(list_archived_games(realdata, 20232024))


def test_model_beats_the_last_ten_games_by_a_twentieth_on_a_recorded_season(recorded: pl.DataFrame):
    found = shots_on_goal.backtest(recorded, 20232024)

    assert found.excluded == ("rate an hour x expected time",)
    assert shots_on_goal.list_unused_features(found.card) == ["expected_time_on_ice_s", "time_on_ice_last_game_s"]
    assert map_deviances(found)[GLM] < 0.95 * map_deviances(found)["last 10"]
    assert 0.15 < get_r_squared(found) < 0.30  # a higher score is impossible before a game: the features would leak it


def test_feature_that_leaks_the_game_is_detected(recorded: pl.DataFrame):
    rows = recorded.sort("player_id", "start_at")
    leak = pl.mean_horizontal(pl.col("shots_on_goal").shift(n).over("player_id") for n in range(3)) + 0.1
    leaking = rows.with_columns(shrunk_decayed_shots_on_goal=leak, shrunk_shots_on_goal=leak)

    assert get_r_squared(shots_on_goal.backtest(leaking, 20232024)) > 0.30
