"""The season 2023-24 from recorded pages to gold: goals and shots agree with the headers of the pages."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest

from nhl_lake import catalog
from tests.support import lakes
from tests.support.replay import select_games

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
GAMES = 1400
LAST_DAYS = ["2023-10-22", pytest.param("2024-06-30", marks=pytest.mark.soak)]


def by_goalies(page, team):
    """Count the goals and the shots on goal, goals among them, of a team's goalies."""
    goalies = {
        spot["playerId"] for spot in page["rosterSpots"] if (spot["positionCode"], spot["teamId"]) == ("G", team)
    }
    found = Counter()
    for play in page["plays"]:
        details = play.get("details", {})
        shooter = details.get("scoringPlayerId") or details.get("shootingPlayerId")
        if shooter in goalies and play["typeDescKey"] in {"goal", "shot-on-goal"}:
            found[play["typeDescKey"]] += 1
    return found["goal"], found.total()


def read_headers(realdata, last_day):
    """Return score, shots on goal, and goals and shots of goalies, by game and team, as the recorded pages say."""
    shown = {}
    with gzip.open(realdata / "season-archives" / "play-by-play_20232024.jsonl.gz") as lines:
        for line in lines:
            page = json.loads(line)
            if page["gameDate"] > last_day:
                continue
            home, away = page["homeTeam"], page["awayTeam"]
            for team, other in ((home, away), (away, home)):
                won = page["gameOutcome"]["lastPeriodType"] == "SO" and team["score"] > other["score"]
                shown[page["id"], team["id"]] = (team["score"] - won, team["sog"], *by_goalies(page, team["id"]))
    return shown


@pytest.fixture
def season_pages(realdata, replay_module, tmp_path):
    """The season as one archive has it: single pages recorded apart are left out, one of which has a goal thrice."""
    root = tmp_path / "archive"
    root.mkdir()
    for name in ("season-archives", "statsrest-season", "statsrest-teams"):
        (root / name).symlink_to(realdata / name)
    pages = replay_module.Pages(root, ["20232024"], None)
    yield pages
    pages.spool.close()


def ingest_season(replay, pages, run_here, root):
    server = replay(pages=pages, as_of=NOW)
    ended = run_here("ingest", "--season", "2023", "--json", root=root, api=server.base_url, now=NOW, concurrency=8)
    assert ended.code == 0, ended.err
    assert ended.json["tables"]["bronze.play_by_play"]["new"] == len(pages.games)
    return root


@pytest.mark.parametrize("last_day", LAST_DAYS)
def test_goals_of_every_team_are_the_final_scores_and_shots_those_of_the_header(
    last_day, realdata, season_pages, replay, run_here, tmp_path
):
    headers = read_headers(realdata, last_day)
    numbers = [number for number, head in season_pages.games.items() if head["gameDate"] <= last_day]
    pages = select_games(season_pages, None, numbers)
    root = ingest_season(replay, pages, run_here, tmp_path / "lake")
    is_all = len(numbers) == GAMES
    assert is_all or len(numbers) > 60
    skaters = lakes.read_rows(root, catalog.find_table("gold.skater_game")).filter(pl.col("situation") == "all")
    teams = {
        (game, team): (goals, shots)
        for game, team, goals, shots in skaters.group_by("game_id", "team_id")
        .agg(pl.col("goals", "shots_on_goal").cast(pl.Int64).sum())
        .rows()
    }

    assert teams.keys() == headers.keys()
    assert len(teams) == 2 * len(numbers)
    goals_off = {
        key: (teams[key][0], score - g) for key, (score, _, g, _) in headers.items() if teams[key][0] != score - g
    }
    assert goals_off == {}
    assert sum(goals for _, _, goals, _ in headers.values()) == is_all

    skaters_off = {key for key, (_, shown, _, _) in headers.items() if teams[key][1] != shown}
    off = {key for key, (_, shown, _, goalies) in headers.items() if teams[key][1] + goalies != shown}
    print("game, team: shots in gold, of goalies, in the header")  # noqa: T201 - the list is wanted
    for key in sorted(skaters_off | off):
        print(*key, *teams[key][1:], headers[key][3], headers[key][1], sep=", ")  # noqa: T201
    agreeing = len(numbers) - len({game for game, _ in skaters_off})
    print(f"skaters alone: {agreeing} of {len(numbers)} games agree with the header")  # noqa: T201
    assert off == set()
