"""Second looks: corrections that come days later, incomplete pages that get fixed, and how runs end meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from nhl_lake.catalog import find_table
from nhl_lake.ingest.run import IngestSummary
from nhl_lake.queries.corrections import find_corrections
from nhl_lake.queries.status import read_status
from nhl_lake.store import delta_tables
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

DAY = timedelta(days=1)
CHART = "stats/rest/en/shiftcharts?cayenneExp=gameId=2025020001"
TABLES = ("silver.game_quality", "gold.skater_game", "gold.skater_season")
Answer = Callable[[str], httpx.Response | None]


def daily(root: Path, api: FakeApi, now: datetime) -> IngestSummary:
    return run_ingest(root, api, now=now, only=TABLES, lookback_days=1)


def of_game(root: Path, table: str) -> pl.DataFrame:
    return delta_tables.scan_table(root, find_table(table)).filter(pl.col("game_id") == 2025020001).collect()


def test_daily_runs_find_a_correction_after_the_first_fetch(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    daily(tmp_path, api, NOON)
    api.games[0] = replace(api.games[0], scorer=8900002)
    ends = [daily(tmp_path, api, NOON + n * DAY).exit_code for n in (1, 2, 3)]
    found, _ = find_corrections(tmp_path, NOON - DAY)

    assert ends == [0, 0, 0]
    goals = of_game(tmp_path, "gold.skater_game").filter(situation="all", goals=1)
    assert goals["player_id"].to_list() == [8900002]
    scorer = found.filter(pl.col("field") == "shooter_player_id")
    assert scorer.select("was", "is").rows() == [("8900001", "8900002")]


def test_a_complete_game_gets_second_looks_at_four_ages(tmp_path: Path):
    api = FakeApi([FakeGame(1)])
    path = "v1/gamecenter/2025020001/boxscore"
    days = []
    for n in (0, 1, 2, 3, 4, 6, 7, 8, 15, 29, 30, 31, 34):  # each age, and the days around it
        before = api.request_counts[path]
        run_ingest(tmp_path, api, now=NOON + n * DAY)
        days += [n] * (api.request_counts[path] - before)

    assert days == [0, 1, 3, 7, 30]


def answer_plays_that_end_early(path: str) -> httpx.Response | None:
    if not path.endswith("play-by-play"):
        return None
    page = FakeGame(1).make_play_by_play()
    start = {"eventId": 1, "sortOrder": 1, "typeCode": 520, "typeDescKey": "period-start", "timeInPeriod": "00:00"}
    start["periodDescriptor"] = {"number": 2, "periodType": "REG"}
    return httpx.Response(200, json=page | {"plays": [start, *page["plays"]]})


def answer_no_plays(path: str) -> httpx.Response | None:
    return (
        httpx.Response(200, json=FakeGame(1).make_play_by_play() | {"plays": []})
        if path.endswith("play-by-play")
        else None
    )


def answer_box_without_lines(path: str) -> httpx.Response | None:
    return httpx.Response(200, json=FakeGame(1).make_header()) if path.endswith("boxscore") else None


def answer_box_with_another_scorer(path: str) -> httpx.Response | None:
    return (
        httpx.Response(200, json=replace(FakeGame(1), scorer=8900002).make_boxscore())
        if path.endswith("boxscore")
        else None
    )


def answer_plays_with_a_missing_goal(path: str) -> httpx.Response | None:
    if not path.endswith("play-by-play"):
        return None
    page = FakeGame(1).make_play_by_play()
    page["homeTeam"]["score"] = 2
    return httpx.Response(200, json=page)


def answer_pages_before_the_goal(path: str) -> httpx.Response | None:
    """Return pages that agree with each other, but not with the score that the schedule has."""
    if not path.endswith(("play-by-play", "boxscore")):
        return None
    game = replace(FakeGame(1), scorer=0)
    page = game.make_play_by_play() if path.endswith("play-by-play") else game.make_boxscore()
    page["homeTeam"]["score"] = 0
    for play in page.get("plays", []):
        hit = {"hittingPlayerId": 8900001, "eventOwnerTeamId": 101}
        play |= {"typeCode": 503, "typeDescKey": "hit", "details": hit}
    return httpx.Response(200, json=page)


def answer_invalid_row(path: str) -> httpx.Response | None:
    if not path.endswith("play-by-play"):
        return None
    page = FakeGame(1).make_play_by_play()
    return httpx.Response(200, json=page | {"plays": [*page["plays"], page["plays"][0] | {"eventId": None}]})


def answer_players_of_another_team(path: str) -> httpx.Response | None:
    if not path.endswith("play-by-play"):
        return None
    page = FakeGame(1).make_play_by_play()
    return httpx.Response(200, json=page | {"rosterSpots": [spot | {"teamId": 999} for spot in page["rosterSpots"]]})


def empty_chart(path: str) -> httpx.Response | None:
    return httpx.Response(200, json={"data": [], "total": 0}) if path == CHART else None


def answer_box_with_more_ice_time(path: str) -> httpx.Response | None:
    """Return a box score with more ice time than the chart: the chart lacks two periods."""
    if not path.endswith("boxscore"):
        return None
    page = FakeGame(1).make_boxscore()
    page["playerByGameStats"]["homeTeam"]["forwards"][0]["toi"] = "20:40"
    return httpx.Response(200, json=page)


def answer_page_for_quarantine(path: str) -> httpx.Response | None:
    """Return a page without the id of an assisting player, which is required."""
    if not path.endswith("boxscore"):
        return None
    page = FakeGame(1).make_boxscore()
    page["homeTeam"]["id"] = "of Alpha"
    return httpx.Response(200, json=page)


BROKEN: dict[str, tuple[Answer, str]] = {
    "plays that end early": (answer_plays_that_end_early, "the plays reach the end of the game"),
    "no plays": (answer_no_plays, "an official play-by-play page has plays"),
    "no lines": (answer_box_without_lines, "a box score has player lines"),
    "another scorer": (answer_box_with_another_scorer, "goals match the box score for every skater"),
    "another score": (answer_plays_with_a_missing_goal, "goals add up to the final score"),
    "a score of before": (answer_pages_before_the_goal, "the page's score matches the schedule"),
    "a play that cannot be read": (answer_invalid_row, "every row of bronze.play_by_play is valid"),
    "another team": (answer_players_of_another_team, "every dressed player belongs to a team in the game"),
    "an empty chart": (empty_chart, "shifts cover the ice time of the box score"),
    "a chart that lacks time": (answer_box_with_more_ice_time, "shifts cover the ice time of the box score"),
    "quarantine": (answer_page_for_quarantine, "quarantined by silver."),
}
ALWAYS_RUN = ("no plays", "another scorer")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(*case, id=name, marks=() if name in ALWAYS_RUN else pytest.mark.soak)
        for name, case in BROKEN.items()
    ],
)
def test_runs_with_a_broken_page_end_with_3_and_the_same_reason_until_it_is_fixed(
    broken: Answer, reason: str, tmp_path: Path
):
    api = FakeApi([FakeGame(1)], fail_request=broken)
    ended = [daily(tmp_path, api, NOON + n * DAY) for n in range(3)]

    assert [summary.exit_code for summary in ended] == [3, 3, 3]
    for summary in ended:
        (line,) = summary.incomplete
        assert reason in line
        assert "2025020001" in line
        assert line == ended[0].incomplete[0]
    last = read_status(tmp_path, NOON + 2 * DAY)
    assert (last.seasons[0].complete, last.seasons[0].incomplete) == (0, 1)
    assert reason in last.reasons["why"].item()

    api.fail_request = lambda _: None
    ends = [daily(tmp_path, api, NOON + n * DAY) for n in range(3, 6)]
    assert ends[-1].exit_code == 0
    assert ends[-1].incomplete == []
    assert read_status(tmp_path, NOON + 6 * DAY).seasons[0].complete == 1


@pytest.mark.soak
def test_players_of_a_wrong_page_leave_the_season_when_the_page_is_fixed(tmp_path: Path):
    others = [{"playerId": 8900100 + n, "teamId": 101, "positionCode": "C", "sweaterNumber": n} for n in range(1, 20)]
    page = FakeGame(2).make_play_by_play() | {"rosterSpots": others}
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: httpx.Response(200, json=page) if path.endswith("2025020002/play-by-play") else None
    assert daily(tmp_path, api, NOON).exit_code == 3

    api.fail_request = lambda _: None
    assert daily(tmp_path, api, NOON + DAY).exit_code == 0
    players = delta_tables.scan_table(tmp_path, find_table("gold.skater_season")).select("player_id").unique().collect()
    assert sorted(players["player_id"]) == [8900001, 8900002]


@pytest.mark.soak
def test_an_incomplete_page_is_requested_on_fewer_and_fewer_days(tmp_path: Path):
    api = FakeApi([FakeGame(1)], fail_request=answer_box_without_lines)
    path = "v1/gamecenter/2025020001/boxscore"
    days = []
    for n in range(20):
        before = api.request_counts[path]
        only = TABLES if n == 0 else ()
        assert run_ingest(tmp_path, api, now=NOON + n * DAY, only=only, second_looks=()).exit_code == 3
        days += [n] * (api.request_counts[path] - before)

    assert days == [0, 1, 2, 4, 8, 15]


def test_the_run_that_finds_a_chart_incomplete_requests_the_reports(tmp_path: Path):
    api = FakeApi([FakeGame(1)], fail_request=answer_box_with_more_ice_time)
    daily(tmp_path, api, NOON)

    assert [path for path in api.request_counts if "TH020001" in path or "TV020001" in path]


@pytest.mark.soak
def test_every_run_reports_a_failed_page_with_the_reason(tmp_path: Path):
    api = FakeApi(
        [FakeGame(1)], fail_request=lambda path: httpx.Response(500) if path.endswith("play-by-play") else None
    )
    ended = [daily(tmp_path, api, NOON + n * DAY) for n in (0, 1)]

    assert [summary.exit_code for summary in ended] == [3, 3]
    assert ended[0].incomplete == ended[1].incomplete == ["1 game: failed play by play: status 500 (2025020001)"]
    found = read_status(tmp_path, NOON + DAY)
    assert found.failures.select("table", "page", "failure").rows() == [
        ("bronze.play_by_play", "2025020001", "status 500")
    ]
    assert found.last_run is not None
    assert "status 500" in found.last_run["error"]


def test_a_run_reports_a_failed_roster_besides_the_games(tmp_path: Path):
    api = FakeApi([FakeGame(1)], fail_request=lambda path: httpx.Response(500) if "roster" in path else None)
    summary = daily(tmp_path, api, NOON)

    assert summary.exit_code == 3
    assert summary.incomplete == ["2 pages of bronze.rosters: status 500 (20252026/AAA)"]
