"""Silver and gold are made again from bronze: the same from scratch as day by day, and nothing without cause."""

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog, lake, rebuild
from nhl_lake.errors import Broken
from tests.fake import NOON, FakeApi, Game, run

MADE = [table for table in catalog.TABLES if table.layer in {"silver", "gold"}]


def frames(root: Path) -> dict[str, pl.DataFrame]:
    return {table.name: lake.scan(root, table).sort(table.key).collect() for table in MADE}


def versions(root: Path) -> dict[str, int]:
    return {table.name: lake.handle(root, table).version() for table in MADE}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run(tmp_path, FakeApi([Game(1), Game(2)]), rebuilds=True)
    return tmp_path


def test_what_did_not_change_is_left_alone(root: Path):
    before = versions(root)

    assert list(rebuild.rebuild(root)) == []
    assert versions(root) == before


def test_everything_can_be_made_again(root: Path):
    before, made = frames(root), list(rebuild.rebuild(root, everything=True))

    assert [part.table for part in made] == [table.name for table in catalog.in_order()]
    for name, frame in frames(root).items():
        assert_frame_equal(frame, before[name])


def test_silver_and_gold_can_be_deleted_and_nothing_is_lost(root: Path):
    before = frames(root)
    shutil.rmtree(root / "silver")
    shutil.rmtree(root / "gold")
    lake.create(root, catalog.TABLES)
    list(rebuild.rebuild(root))

    for name, frame in frames(root).items():
        assert_frame_equal(frame, before[name])


def test_a_new_page_makes_the_tables_that_read_it_again_and_no_other(root: Path):
    before = versions(root)
    api = FakeApi([Game(1, scorer=8900002), Game(2)])
    summary = run(root, api, now=NOON + timedelta(hours=1), lookback_days=2, rebuilds=True)

    assert [part.table for part in summary.rebuilt] == ["silver.plays", "silver.lineups", "gold.skater_game"]
    assert versions(root)["silver.games"] == before["silver.games"]


def test_day_by_day_gives_the_same_as_from_scratch(tmp_path: Path):
    games = [Game(n, start=NOON - timedelta(days=9 - n), scorer=8900001 + n % 2) for n in range(1, 9)]
    for day in range(1, 10):
        moment = NOON - timedelta(days=9 - day) + timedelta(hours=12)
        played = [game if game.start < moment else Game(game.number, game.start, state="FUT") for game in games]
        run(tmp_path / "daily", FakeApi(played), now=moment, rebuilds=True)
    run(tmp_path / "once", FakeApi(games), now=NOON + timedelta(hours=12), rebuilds=True)

    daily, once = frames(tmp_path / "daily"), frames(tmp_path / "once")
    for name in daily:
        assert_frame_equal(daily[name], once[name])


def test_the_order_in_which_pages_were_kept_does_not_matter(tmp_path: Path):
    games = [Game(n, start=NOON - timedelta(days=n)) for n in range(1, 5)]
    run(tmp_path / "a", FakeApi(games), rebuilds=True)
    run(tmp_path / "b", FakeApi(games[:1]))
    run(tmp_path / "b", FakeApi(games[::-1]), now=NOON + timedelta(hours=1), rebuilds=True)

    for name, frame in frames(tmp_path / "a").items():
        assert_frame_equal(frame, frames(tmp_path / "b")[name])


def test_many_games_are_made_in_parts_and_the_parts_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, FakeApi([Game(n, start=NOON - timedelta(days=n)) for n in range(1, 8)]), rebuilds=True)
    whole = frames(tmp_path)
    monkeypatch.setattr(rebuild, "GAMES_AT_ONCE", 2)
    list(rebuild.rebuild(tmp_path, everything=True))

    for name, frame in frames(tmp_path).items():
        assert_frame_equal(frame, whole[name])


def test_rows_that_break_a_rule_are_not_published(root: Path):
    before = frames(root)
    twice = FakeApi([Game(1), Game(2)])
    page = Game(1).plays()
    page["plays"] = page["plays"] * 2
    twice.broken = lambda path: answer(page) if path.endswith("2025020001/play-by-play") else None
    run(root, twice, now=NOON + timedelta(hours=1), lookback_days=2)

    with pytest.raises(Broken, match="one row for each game_id, event_id"):
        list(rebuild.rebuild(root))
    assert_frame_equal(frames(root)["silver.plays"], before["silver.plays"])


def test_a_page_that_silver_cannot_read_is_named(root: Path):
    api = FakeApi([Game(1), Game(2)])
    page = Game(1).plays()
    page["plays"][0]["sortOrder"] = "first"
    api.broken = lambda path: answer(page) if path.endswith("2025020001/play-by-play") else None
    run(root, api, now=NOON + timedelta(hours=1), lookback_days=2)

    with pytest.raises(Broken, match=r"sortOrder.*2025020001"):
        list(rebuild.rebuild(root))


def answer(page: dict):
    import httpx

    return httpx.Response(200, json=page)


def test_a_table_whose_columns_changed_is_made_again_whole(root: Path):
    table = catalog.find("gold.skater_game")
    folder = lake.path(root, table)
    shutil.rmtree(folder)
    older = pl.DataFrame({"season": [20252026], "old": [1]}, schema={"season": pl.Int32, "old": pl.Int64})
    older.write_delta(str(folder), delta_write_options={"partition_by": ["season"]})
    list(rebuild.rebuild(root))

    rows = lake.scan(root, table).collect()
    assert rows.schema == table.schema
    assert rows.height > 0


def test_one_season_can_be_made_again_alone(root: Path):
    before = versions(root)

    assert list(rebuild.rebuild(root, seasons=[20242025], everything=True)) == []
    assert versions(root) == before
    assert len(list(rebuild.rebuild(root, seasons=[20252026], everything=True))) == 4


def test_a_season_that_breaks_a_rule_keeps_no_other_from_being_made(tmp_path: Path):
    run(tmp_path, FakeApi([Game(1)]), rebuilds=True)
    older = FakeApi([Game(1, year=2024, start=NOON - timedelta(days=365))])
    page = older.games[0].plays()
    page["rosterSpots"][0]["positionCode"] = "Rover"
    older.broken = lambda path: answer(page) if path.endswith("play-by-play") else None
    summary = run(tmp_path, older, now=NOON + timedelta(hours=1), seasons=(20242025,), rebuilds=True)

    assert summary.error is not None
    assert "position is one of" in summary.error.what
    plays = lake.scan(tmp_path, catalog.find("silver.plays")).collect()
    assert set(plays["season"]) == {20242025, 20252026}
    gold = lake.scan(tmp_path, catalog.find("gold.skater_game")).collect()
    assert set(gold["season"]) == {20252026}

    older.broken = lambda _: None
    long_ago = NOON.date() - timedelta(days=400)
    again = run(tmp_path, older, now=NOON + timedelta(hours=2), since=long_ago, lookback_days=400, rebuilds=True)
    assert again.exit_code == 0
    assert set(lake.scan(tmp_path, catalog.find("gold.skater_game")).collect()["season"]) == {20242025, 20252026}


def test_making_one_season_again_forgets_nothing_of_the_others(tmp_path: Path):
    games = [Game(1), Game(1, year=2024, start=NOON - timedelta(days=365))]
    run(tmp_path, FakeApi(games), since=NOON.date() - timedelta(days=400), rebuilds=True)
    list(rebuild.rebuild(tmp_path, seasons=[20252026], everything=True))

    assert list(rebuild.rebuild(tmp_path)) == []
