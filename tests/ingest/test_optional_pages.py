"""Optional pages of an ingest: requested only by name, after the rebuild where they depend on it; 404 is an answer."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import find_table
from nhl_lake.quality import audit
from tests.support.commands import CommandResult
from tests.support.documented_pages import EDGE_SKATER
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest
from tests.support.lakes import read_rows

DAY = timedelta(days=1)
EVERY = frozenset(endpoints.OPTIONAL_PAGES)
OPTIONAL = [table for table in endpoints.TABLES if table.endpoint.only_with]
SILVER = ("silver.edge_skater_days", "silver.game_stars", "silver.official_statistics", "gold.skater_game")
PLAYED = ("silver.edge_skater_days", "silver.skater_games")


def answer_optional(path: str) -> httpx.Response | None:
    """Answer like the API: the first skater has an EDGE page, the second has none."""
    if path.startswith("v1/edge/skater-detail/8900001/"):
        return httpx.Response(200, json=EDGE_SKATER | {"player": {"id": 8900001, "gamesPlayed": 1}})
    if path.startswith("v1/edge/team-detail/"):
        return httpx.Response(200, json={"team": {"id": int(path.split("/")[3])}})
    if path.startswith("v1/partner-game/"):
        return httpx.Response(200, json={"games": []})
    if "/summary?" in path:
        game = int(path.rpartition("=")[2])
        goals = {"goals": 2} if "/skater/" in path else {}
        row = {"gameId": game, "playerId": 8900001, "teamId": 101, **goals}
        return httpx.Response(200, json={"data": [row], "total": 1})
    return None


def make_api(*games: FakeGame) -> FakeApi:
    """Return an API that has optional pages too."""
    api = FakeApi(list(games))

    def answer(path: str) -> httpx.Response | None:
        if path.endswith("/landing") and "gamecenter" in path:
            game = next(game for game in api.games if str(game.id) in path)
            star = {"star": 1, "playerId": game.scorer, "teamAbbrev": "AAA", "position": "C"}
            return httpx.Response(200, json=game.make_header() | {"summary": {"threeStars": [star]}})
        return answer_optional(path)

    api.fail_request = answer
    return api


def count_requests(api: FakeApi, part: str) -> int:
    return sum(count for path, count in api.request_counts.items() if part in path)


def test_without_names_no_optional_page_is_requested_and_the_run_is_complete(tmp_path: Path):
    api = make_api(FakeGame(1, start=NOON - DAY))
    summary = run_ingest(tmp_path, api)

    assert summary.exit_code == 0
    assert {table.name for table in OPTIONAL} & set(summary.page_counts) == set()
    assert all(read_rows(tmp_path, table).is_empty() for table in OPTIONAL)


def test_every_optional_page_is_stored_once_and_edge_after_the_rebuild(tmp_path: Path):
    api = make_api(FakeGame(1, start=NOON - DAY))
    summary = run_ingest(tmp_path, api, only=SILVER, with_pages=EVERY)

    assert summary.exit_code == 0, summary.incomplete
    counts = {table.name: summary.page_counts[table.name] for table in OPTIONAL if table is not endpoints.EDGE_GOALIES}
    assert {name.removeprefix("bronze."): (one.asked, one.new, one.not_there) for name, one in counts.items()} == {
        "landing": (1, 1, 0),
        "edge_skaters": (2, 1, 1),  # 8900002 has none
        "edge_teams": (2, 2, 0),
        "skater_reports": (1, 1, 0),
        "goalie_reports": (1, 1, 0),
        "team_reports": (1, 1, 0),
        "odds": (2, 2, 0),
    }
    assert count_requests(api, "goalie-detail") == 0  # the goalie did not play
    rows = read_rows(tmp_path, find_table("silver.edge_skater_days"))
    assert rows.select("player_id", "games", "distance_km").rows() == [(8900001, 1, 67.59)]
    assert read_rows(tmp_path, find_table("silver.game_stars"))["player_id"].to_list() == [8900001]


def test_over_days_a_player_is_requested_once_after_each_game_and_an_absent_page_weekly(tmp_path: Path):
    first, second = FakeGame(1, start=NOON - DAY), FakeGame(2, start=NOON + 2 * DAY)
    api = make_api(first)
    asked = []
    mornings = (0, 1, 3, 4, 7, 8)
    for n in mornings:
        if n == 3:
            api.games.append(second)
        before = [count_requests(api, f"skater-detail/890000{player}/") for player in (1, 2)]
        now = NOON + n * DAY
        assert run_ingest(tmp_path, api, now=now, only=PLAYED, with_pages=frozenset({"edge"})).exit_code == 0
        asked.append(
            [
                count_requests(api, f"skater-detail/890000{player}/") - b
                for player, b in zip((1, 2), before, strict=True)
            ]
        )

    assert [n for n, (one, _) in zip(mornings, asked, strict=True) if one] == [0, 3]
    assert [n for n, (_, other) in zip(mornings, asked, strict=True) if other] == [0, 7]
    assert max(max(counts) for counts in asked) == 1


def test_landing_gets_the_second_looks_of_other_game_pages_and_reports_change_with_the_box_score(tmp_path: Path):
    game = FakeGame(1, start=NOON - DAY)
    api = make_api(game)
    for hours in (0, 24, 48, 72, 24 * 7):
        if hours == 72:
            game.scorer = 8900002
        run_ingest(tmp_path, api, now=NOON + timedelta(hours=hours), with_pages=EVERY - {"edge", "odds"})

    looks = count_requests(api, "boxscore")
    assert looks > 2
    assert count_requests(api, "/landing") - count_requests(api, "v1/player/") == looks
    assert count_requests(api, "skater/summary") == 2


def test_odds_are_requested_in_each_run_and_stored_when_they_change(tmp_path: Path):
    api = make_api(FakeGame(1, start=NOON - DAY))
    for hours in (0, 0.5, 2):
        run_ingest(tmp_path, api, now=NOON + timedelta(hours=hours), with_pages=frozenset({"odds"}))

    assert count_requests(api, "partner-game") == 4
    assert read_rows(tmp_path, endpoints.ODDS).height == 2


def test_check_names_statistics_that_differ_from_the_official_reports(tmp_path: Path):
    api = make_api(FakeGame(1, start=NOON - DAY))
    run_ingest(tmp_path, api, only=SILVER, with_pages=frozenset({"reports"}))

    assert audit.find_report_differences(tmp_path) == [
        audit.Finding("gold.skater_game", "goals differs from the official report", "warning", 1, str(api.games[0].id))
    ]


def test_a_run_with_names_after_one_without_fetches_what_is_missing(tmp_path: Path):
    api = make_api(FakeGame(1, start=NOON - 20 * DAY))
    run_ingest(tmp_path, api, only=PLAYED)
    summary = run_ingest(tmp_path, api, now=NOON + DAY, with_pages=frozenset({"edge", "landing"}))

    assert summary.page_counts["bronze.landing"].new == 1
    assert summary.page_counts["bronze.edge_skaters"].new == 1


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), {"bronze.odds"}),
        (("--with", "none"), set()),
        (("--with", "landing,odds"), {"bronze.landing", "bronze.odds"}),
        (
            ("--with", "landing", "--with", "reports"),
            {
                "bronze.landing",
                "bronze.skater_reports",
                "bronze.goalie_reports",
                "bronze.team_reports",
            },
        ),
    ],
)
def test_the_option_wins_over_the_setting_and_the_dry_run_lists_the_pages(
    words: tuple[str, ...], names: set[str], run_here: Callable[..., CommandResult], tmp_path: Path
):
    ended = run_here(
        *("ingest", "--since", "2026-01-06", *words, "--dry-run", "--json"),
        root=tmp_path / "lake",
        api="league:",
        now=NOON - 3 * DAY,
        **{"with": "odds"},
    )

    assert {row["table"] for row in ended.json} & {table.name for table in OPTIONAL} == names


def test_a_name_that_there_is_not_is_refused(run_here: Callable[..., CommandResult], tmp_path: Path):
    ended = run_here("ingest", "--with", "edges", root=tmp_path / "lake", api="league:", now=NOON)

    assert ended.code != 0
    assert "edges" in ended.err
    assert list(tmp_path.iterdir()) == []
