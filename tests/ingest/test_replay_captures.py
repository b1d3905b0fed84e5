"""Games that were recorded more than once, games that are not over, and pages that are gone."""

import json
import random
import shutil
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from nhl_lake.bronze import endpoints
from tests.support import lakes

END = datetime(2024, 1, 10, 12, tzinfo=UTC)
TWICE = {
    2023020001, 2023020058, 2023020185, 2023020201, 2023020204, 2023020248, 2023020280, 2023020448, 2023020456,
    2023020499, 2023020504, 2023020507, 2023020510, 2023020513, 2023020514, 2023020515, 2023020520, 2023020523,
    2023020524, 2023020581,
}  # fmt: skip
THRICE = 2023020204


def recorded(realdata, game, capture):
    """The text of a game's play-by-play page in its n-th capture, or its last."""
    suffix = "" if capture == 1 else f"__v{capture}"
    path = realdata / "play-by-play" / f"{game}{suffix}.json"
    return path.read_text() if path.exists() else recorded(realdata, game, capture - 1)


def says(body):
    """Return a page without its volatile keys."""

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k not in endpoints.VOLATILE_KEYS}
        return [plain(v) for v in value] if isinstance(value, list) else value

    return json.dumps(plain(json.loads(body)), sort_keys=True)


def distinct(bodies):
    """Return the bodies that differ from the previous one."""
    versions = []
    for body in bodies:
        if not versions or says(body) != says(versions[-1]):
            versions.append(body)
    return versions


def test_every_capture_of_a_game_is_stored_in_order_and_one_that_returns_is_a_version_too(
    realdata, replay, run_here, tmp_path
):
    root = tmp_path / "lake"
    server = replay(games=TWICE, as_of=END)
    shown = []
    for day, capture in enumerate([1, 2, 3, 3, 1]):
        server.pages.capture = capture
        words = ("ingest", "--lookback", "365", "--no-rebuild", "--json")
        ended = run_here(*words, root=root, api=server.base_url, now=END + timedelta(days=day))
        assert ended.code in {0, 3}, ended.err
        shown.append(ended.json["tables"]["bronze.play_by_play"])

    pages = lakes.read_rows(root, endpoints.PLAY_BY_PLAY).sort("fetched_at")
    for game in sorted(TWICE):
        expected = distinct([recorded(realdata, game, n) for n in (1, 2, 3, 3, 1)])
        assert pages.filter(game_id=game)["body"].to_list() == expected, game
    assert pages.filter(game_id=THRICE).height >= 3
    assert shown[0]["new"] == len(TWICE)
    assert shown[1]["changed"] >= 18
    assert shown[3]["changed"] == 0
    assert shown[3]["unchanged"] == len(TWICE)


def numbers(root, table, **where):
    return lakes.read_rows(root, table).filter(**where).height


def in_state(server, game, state):
    """Set the state of a game in the schedule."""
    head = server.pages.games[game] | {"gameState": state}
    server.pages.games = {**server.pages.games, game: head}
    server.pages.by_date[head["gameDate"]] = [
        head if other["id"] == game else other for other in server.pages.by_date[head["gameDate"]]
    ]


def half_played(server, game):
    """Serve a game's page as of the middle of the game."""
    whole = server.pages.play_by_play

    def page(number, as_of):
        if number != game:
            return whole(number, as_of)
        found = json.loads(whole(number, as_of)) | {"gameState": "LIVE"}
        return json.dumps(found | {"plays": found["plays"][:150]}).encode()

    server.pages.play_by_play = page


@pytest.mark.soak
@pytest.mark.parametrize("game", [THRICE, 2023020058])
def test_a_game_that_is_upcoming_then_live_then_official_is_final_only_at_the_end(
    game, archive, replay, run_here, tmp_path
):
    root = tmp_path / "lake"
    start = datetime.fromisoformat(archive().games[game]["startTimeUTC"])
    server = replay(games=[2023020001, game], as_of=start - timedelta(hours=5))

    def ingest(now):
        server.args.as_of = now
        ended = run_here("ingest", "--lookback", "3", "--json", root=root, api=server.base_url, now=now)
        assert ended.code in {0, 3}, ended.err
        return run_here("status", "--json", root=root, now=now).json["seasons"][0]

    status = ingest(start - timedelta(hours=5))
    assert numbers(root, endpoints.PLAY_BY_PLAY, game_id=game) == 0
    assert (status["complete"] + status["partial"] + status["incomplete"], status["pending"], status["upcoming"]) == (
        1,
        0,
        1,
    )

    # long after the game must be over, the schedule and the page still say LIVE
    server.args.as_of = start + timedelta(hours=7)
    in_state(server, game, "LIVE")
    whole = server.pages.play_by_play
    half_played(server, game)
    status = ingest(start + timedelta(hours=7))
    assert lakes.read_rows(root, endpoints.PLAY_BY_PLAY).filter(game_id=game)["state"].to_list() == ["LIVE"]
    assert (status["complete"] + status["partial"] + status["incomplete"], status["pending"]) == (1, 1)

    # the schedule calls it official before the page does
    in_state(server, game, "OFF")
    status = ingest(start + timedelta(hours=8))
    assert lakes.read_rows(root, endpoints.PLAY_BY_PLAY).filter(game_id=game)["state"].to_list() == ["LIVE"]
    assert (status["complete"] + status["partial"] + status["incomplete"], status["pending"]) == (1, 1)
    for name in ("silver.plays", "silver.lineups", "gold.skater_game"):
        table = next(table for table in lakes.BUILT_TABLES if table.name == name)
        assert numbers(root, table, game_id=game) == 0, name
    scores = next(table for table in lakes.BUILT_TABLES if table.name == "silver.games")

    server.pages.play_by_play = whole
    status = ingest(start + timedelta(hours=9))
    states = lakes.read_rows(root, endpoints.PLAY_BY_PLAY).filter(game_id=game).sort("fetched_at")["state"].to_list()
    assert states == ["LIVE", "OFF"]
    assert (status["complete"] + status["partial"] + status["incomplete"], status["pending"]) == (2, 0)
    for table in lakes.GAME_TABLES:
        assert numbers(root, table, game_id=game) > 0, table.name
    assert lakes.read_rows(root, scores).filter(game_id=game).select("home_score").item() is not None


def test_a_box_score_that_was_recorded_live_is_requested_again_though_the_game_is_official(replay, run_here, tmp_path):
    root = tmp_path / "lake"
    now = datetime(2023, 12, 1, 12, tzinfo=UTC)
    server = replay(games=[2023020065, 2023020066], as_of=now)
    for _ in range(2):
        assert run_here("ingest", root=root, api=server.base_url, now=now).code in {0, 3}

    states = dict(lakes.read_rows(root, endpoints.BOXSCORE).select("game_id", "state").rows())
    assert states == {2023020065: "OFF", 2023020066: "LIVE"}
    planned = run_here("ingest", "--dry-run", "--json", root=root, api=server.base_url, now=now).json
    assert ("bronze.boxscore", "2023020066") in {(request["table"], request["page"]) for request in planned}
    assert "2023020065" not in {request["page"] for request in planned if request["table"] == "bronze.boxscore"}


def without(root, table, gone):
    """Rewrite a table of a copied lake without some of its pages."""
    folder = lakes.locate_table(root, table)
    left = lakes.read_rows(root, table).filter(lakes.make_page_names(table).is_in(gone).not_())
    DeltaTable(folder).alter.set_table_properties({"delta.appendOnly": "false"})
    write_deltalake(folder, left, mode="overwrite")


def list_planned_pages(run_here, server, root, now):
    planned = run_here("ingest", "--dry-run", "--json", root=root, api=server.base_url, now=now).json
    return {(request["table"], request["page"]) for request in planned}


@pytest.mark.soak
def test_the_plan_names_the_pages_that_a_lake_lost(archive, replay, run_here, tmp_path):
    rng = random.Random(11)
    root = tmp_path / "lake"
    games = [number for number, head in archive().games.items() if head["gameDate"] <= "2023-10-21"]
    now = datetime(2023, 10, 22, 12, tzinfo=UTC)
    server = replay(games=games, as_of=now)
    for _ in range(2):
        assert run_here("ingest", "--no-rebuild", root=root, api=server.base_url, now=now).code in {0, 3}
    before = list_planned_pages(run_here, server, root, now)
    assert lakes.read_rows(root, endpoints.PLAY_BY_PLAY).height == len(games)

    for trial in range(2):
        copy = tmp_path / f"copy{trial}"
        shutil.copytree(root, copy)
        gone = set()
        # a player on a lost roster is requested after the roster, in the same run
        people = endpoints.ROSTERS if trial == 1 else endpoints.PLAYERS
        for table in (endpoints.PLAY_BY_PLAY, endpoints.SHIFT_CHARTS, endpoints.BOXSCORE, people):
            held = sorted(lakes.read_rows(copy, table).select(lakes.make_page_names(table)).to_series())
            some = rng.sample(held, min(len(held), rng.randint(1, 12)))
            without(copy, table, some)
            gone |= {(table.name, page) for page in some}
        versions = lakes.read_versions(copy)
        found = list_planned_pages(run_here, server, copy, now)
        assert found - before == gone - before
        assert before <= found
        assert lakes.read_versions(copy) == versions
        assert run_here("ingest", root=copy, api=server.base_url, now=now).code in {0, 3}
        assert lakes.read_all_pages(copy) == lakes.read_all_pages(root)


def test_a_season_of_gaps_is_planned_newest_first(archive, replay, run_here, tmp_path):
    root = tmp_path / "lake"
    games = [number for number, head in archive().games.items() if number % 40 == 0]
    server = replay(games=games, as_of=END)

    planned = run_here("ingest", "--dry-run", "--json", root=root, api=server.base_url, now=END).json

    days = pl.DataFrame(planned).filter(pl.col("game_date").is_not_null())["game_date"].to_list()
    assert days == sorted(days, reverse=True)
    assert {int(request["page"]) for request in planned if request["table"] == "bronze.play_by_play"} == {
        number for number in games if server.pages.played(number, END)
    }
    assert not root.exists() or not list(root.rglob("*.parquet"))
