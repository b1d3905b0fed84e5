"""Tests of trace: the rows of a game, or of a player in it, in every layer."""

from pathlib import Path

import pytest

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.queries import trace
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

GAME = 2025020001


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run_ingest(tmp_path, FakeApi([FakeGame(1), FakeGame(2)]), rebuilds=True)
    return tmp_path


def test_trace_has_every_table_with_games_and_only_rows_of_that_game(root: Path):
    found = {entry.table.name: entry for entry in trace.trace_game(root, GAME)}

    assert set(found) == {table.name for table in catalog.TABLES if "game_id" in table.schema}
    assert found["bronze.play_by_play"].row_count == 1
    assert found["bronze.play_by_play"].rows["state"].to_list() == ["OFF"]
    assert found["silver.plays"].row_count == 1
    assert found["silver.lineups"].row_count == 3
    assert found["silver.games"].rows["game_id"].to_list() == [GAME]


def test_trace_of_a_player_has_the_rows_that_name_them(root: Path):
    found = {entry.table.name: entry.rows for entry in trace.trace_game(root, GAME, 8900001)}

    assert found["silver.plays"]["shooter_player_id"].to_list() == [8900001]
    assert found["silver.skater_games"]["goals"].to_list() == [1]
    assert dict(found["gold.skater_game"].select("situation", "goals").rows())["all"] == 1
    assert found["silver.stints"]["home_skater_player_ids"].to_list() == [[8900001]]
    assert found["silver.goalie_games"].is_empty()


def test_an_unknown_game_is_an_error(root: Path):
    with pytest.raises(BadInput, match="no game 1999020001 in the lake"):
        list(trace.trace_game(root, 1999020001))
    with pytest.raises(BadInput, match="No player with the id 99"):
        list(trace.trace_game(root, GAME, 99))
