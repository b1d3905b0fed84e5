"""Tests of corrections: changes in final games are found in the page versions of bronze."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from nhl_lake.queries import corrections
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

HOUR = timedelta(hours=1)
GAME = 2025020001


def store_new_version(root: Path, page: dict, hours: int) -> None:
    """Store a new version of the play-by-play page of the only game."""
    api = FakeApi([FakeGame(1)])
    api.fail_request = lambda path: httpx.Response(200, json=page) if path.endswith("play-by-play") else None
    run_ingest(root, api, now=NOON + hours * HOUR, lookback_days=2)


def list_corrections(root: Path, since: int = 0) -> set[tuple]:
    """Return the corrections since some hours after the first run, without seen_at."""
    rows, unread = corrections.find_corrections(root, NOON + since * HOUR)
    assert unread == []
    return set(rows.select("table", "player_id", "event_id", "field", "was", "is").rows())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    return tmp_path


def test_unchanged_pages_have_no_corrections(root: Path):
    run_ingest(root, FakeApi([FakeGame(1)]), now=NOON + HOUR, lookback_days=2)

    assert list_corrections(root) == set()


def test_a_goal_given_to_another_player_changes_the_play_and_both_lines(root: Path):
    run_ingest(root, FakeApi([FakeGame(1, scorer=8900002)]), now=NOON + HOUR, lookback_days=2)

    assert list_corrections(root) == {
        ("silver.plays", 8900002, 7, "shooter_player_id", "8900001", "8900002"),
        ("silver.skater_games", 8900001, None, "goals", "1", "0"),
        ("silver.skater_games", 8900001, None, "points", "1", "0"),
        ("silver.skater_games", 8900002, None, "goals", "0", "1"),
        ("silver.skater_games", 8900002, None, "points", "0", "1"),
    }


def test_a_removed_or_new_play_is_one_correction(root: Path):
    page = FakeGame(1).make_play_by_play()
    hit = page["plays"][0] | {"eventId": 8, "sortOrder": 10, "typeCode": 503, "typeDescKey": "hit"}
    hit["details"] = {"hittingPlayerId": 8900002, "hitteePlayerId": 8900003, "eventOwnerTeamId": 101}
    store_new_version(root, page | {"plays": [*page["plays"], hit]}, 1)
    store_new_version(root, page, 2)

    assert list_corrections(root, since=2) == {("silver.plays", 8900002, 8, "event", "hit", None)}
    assert list_corrections(root) == list_corrections(root, since=2) | {
        ("silver.plays", 8900002, 8, "event", None, "hit")
    }


def test_each_correction_has_the_time_it_was_seen(root: Path):
    store_new_version(root, FakeGame(1, scorer=8900002).make_play_by_play(), 3)
    rows, _ = corrections.find_corrections(root, NOON)

    assert set(rows["seen_at"]) == {NOON + 3 * HOUR}
    assert set(rows["game_id"]) == {GAME}


def test_changes_before_a_game_is_final_are_not_corrections(tmp_path: Path):
    for hours, state in enumerate(("LIVE", "FINAL")):
        run_ingest(tmp_path, FakeApi([FakeGame(1, state=state)]), now=NOON + hours * HOUR, lookback_days=2)

    assert list_corrections(tmp_path) == set()


def test_new_keys_of_a_page_format_are_not_corrections(root: Path):
    api, box = FakeApi([FakeGame(1)]), FakeGame(1).make_boxscore()
    for line in (*box["playerByGameStats"]["homeTeam"]["forwards"], *box["playerByGameStats"]["homeTeam"]["defense"]):
        line |= {"giveaways": 1, "toi": "00:41"}
    api.fail_request = lambda path: httpx.Response(200, json=box) if path.endswith("boxscore") else None
    run_ingest(root, api, now=NOON + HOUR, lookback_days=2)

    assert {field for _, _, _, field, _, _ in list_corrections(root)} == {"time_on_ice_s"}


def test_an_unreadable_version_is_named_and_the_others_are_compared(root: Path):
    odd = FakeGame(1).make_play_by_play()
    odd["homeTeam"]["id"] = "of Alpha"
    store_new_version(root, odd, 1)
    store_new_version(root, FakeGame(1, scorer=8900002).make_play_by_play(), 2)
    rows, unread = corrections.find_corrections(root, NOON)

    assert len(unread) == 1
    assert unread[0].startswith(f"{GAME}: ")
    assert "homeTeam" in unread[0]
    assert rows.select("field", "was", "is").rows() == [("shooter_player_id", "8900001", "8900002")]
    assert rows["seen_at"].to_list() == [NOON + 2 * HOUR]


@pytest.fixture
def long(root: Path) -> dict:
    """The page of the game with twenty hits after its goal; the lake has it last."""
    page = FakeGame(1).make_play_by_play()
    for n in range(20):
        hit = page["plays"][0] | {"eventId": 20 + n, "sortOrder": 30 + n, "typeCode": 503, "typeDescKey": "hit"}
        hit["timeInPeriod"] = f"19:{n:02d}"
        hit["details"] = {"hittingPlayerId": 8900002, "hitteePlayerId": 8900003, "eventOwnerTeamId": 101}
        page["plays"].append(hit)
    return page


def test_plays_missing_at_the_end_are_one_row(root: Path, long: dict):
    plays = len(long["plays"])
    store_new_version(root, long | {"plays": []}, 1)
    store_new_version(root, long | {"plays": long["plays"][:-5]}, 2)
    store_new_version(root, long, 3)

    def rows(was: int, now: int) -> tuple:
        return ("silver.plays", None, None, "rows", f"{was}", f"{now}")

    assert list_corrections(root, since=3) == {rows(plays - 5, plays)}
    assert list_corrections(root, since=2) == {rows(plays - 5, plays), rows(0, plays - 5)}
    assert list_corrections(root) == {rows(plays - 5, plays), rows(0, plays - 5), rows(plays - 20, 0)}


def test_changes_in_a_truncated_page_are_corrections_too(root: Path, long: dict):
    store_new_version(root, long | {"plays": long["plays"][:-5]}, 1)
    long["plays"][3]["details"]["hittingPlayerId"] = 8900004
    store_new_version(root, long | {"plays": long["plays"][:2] + long["plays"][3:]}, 2)

    assert list_corrections(root, since=2) == {
        ("silver.plays", None, None, "rows", f"{len(long['plays']) - 5}", f"{len(long['plays']) - 1}"),
        ("silver.plays", 8900004, long["plays"][3]["eventId"], "hitter_player_id", "8900002", "8900004"),
        ("silver.plays", 8900002, long["plays"][2]["eventId"], "event", "hit", None),
    }


def test_a_box_score_without_lines_is_one_row(tmp_path: Path):
    for hours, has_lines in enumerate((False, True)):
        api, box = FakeApi([FakeGame(1)]), FakeGame(1).make_boxscore()
        if not has_lines:
            box = {name: value for name, value in box.items() if name != "playerByGameStats"}
        api.fail_request = lambda path, box=box: httpx.Response(200, json=box) if path.endswith("boxscore") else None
        run_ingest(tmp_path, api, now=NOON + hours * HOUR, lookback_days=2)
    box = FakeGame(1).make_boxscore()["playerByGameStats"]
    lines = [sum(len(team[kind]) for team in box.values() for kind in kinds)
             for kinds in (("forwards", "defense"), ("goalies",))]  # fmt: skip

    assert list_corrections(tmp_path) == {
        (table, None, None, "rows", "0", f"{count}")
        for table, count in zip(("silver.skater_games", "silver.goalie_games"), lines, strict=True)
        if count
    }


def test_plays_missing_in_overtime_are_one_row(root: Path, long: dict):
    for number, play in enumerate(long["plays"][-8:]):
        play["periodDescriptor"] = {"number": 4, "periodType": "OT"}
        play["timeInPeriod"] = f"04:{number:02d}"
    store_new_version(root, long | {"plays": long["plays"][:-6]}, 1)
    store_new_version(root, long, 2)

    assert list_corrections(root, since=2) == {("silver.plays", None, None, "rows", "15", "21")}


def test_a_goalie_named_later_is_a_correction(root: Path):
    page = FakeGame(1).make_play_by_play()
    goal = next(play for play in page["plays"] if play["typeDescKey"] == "goal")
    goal["details"]["goalieInNetId"] = 8900001
    store_new_version(root, page, 1)

    assert list_corrections(root) == {("silver.plays", 8900001, 7, "goalie_player_id", None, "8900001")}
