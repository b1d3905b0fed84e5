"""The data of player cards: what gold says, for a season at once or for one player."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import Lake
from nhl_lake.errors import LakeError
from nhl_lake.reports.player import PlayerData, read_players
from tests.support.frame_lakes import make_lake

SEASON = 20252026
SHARED = {"league_cells"}
FRAMES = [name for name in PlayerData._fields if name not in {"player", "season", "is_goalie", "total", *SHARED}]


@pytest.fixture(scope="module")
def cards(league_lake: Path) -> dict[int, PlayerData]:
    return {card.player["player_id"]: card for card in read_players(league_lake, SEASON)}


def test_everyone_who_played_has_a_card(league_lake: Path, cards: dict[int, PlayerData]):
    played = Lake(league_lake).sql(
        f"select player_id from gold.skater_season where season = {SEASON} and is_total union "
        f"select player_id from gold.goalie_season where season = {SEASON} and is_total"
    )
    assert set(cards) == set(played["player_id"])
    assert {card.is_goalie for card in cards.values()} == {True, False}


def test_one_player_is_the_same_as_in_the_season(league_lake: Path, cards: dict[int, PlayerData]):
    goalie = next(player for player, card in cards.items() if card.is_goalie)
    skater = next(player for player, card in cards.items() if card.pairs.height)
    for player in (goalie, skater):
        (alone,) = read_players(league_lake, SEASON, [player])
        assert alone.player == cards[player].player
        for name in (*FRAMES, *SHARED):
            assert_frame_equal(getattr(alone, name), getattr(cards[player], name))


def test_sections_are_rows_of_gold(league_lake: Path, cards: dict[int, PlayerData]):
    lake = Lake(league_lake)
    sums = lake.sql(
        "select player_id, sum(case when situation = '5on5' then on_ice_xg_for end) as even, "
        f"count(*) as n from gold.skater_game where season = {SEASON} and situation in ('all', '5on5') group by 1"
    )
    for player, even, rows in sums.iter_rows():
        games = cards[player].games
        assert (games.height * 2, games["even_on_ice_xg_for"].sum()) == (rows, pytest.approx(even or 0))
        assert cards[player].total["goals"] == games["goals"].sum()
    shots = lake.sql(
        "select shooter_player_id as player_id, count(*) as n, sum(cast(is_goal as int)) as goals from gold.shots "
        f"where season = {SEASON} and is_unblocked_attempt and x_ft is not null group by 1"
    )
    for player, attempts, goals in shots.drop_nulls("player_id").iter_rows():
        found = cards[player].shots
        assert (found.height, found["is_goal"].sum()) == (attempts, goals)
        on_map = found.filter(pl.col("x_ft").is_between(0, 100), pl.col("y_ft").is_between(-42.5, 42.5))
        assert cards[player].cells["attempts"].sum() == on_map.height


def test_a_line_is_on_the_cards_of_its_three_players(league_lake: Path, cards: dict[int, PlayerData]):
    lines = Lake(league_lake).sql(
        "select first_player_id, second_player_id, third_player_id, time_together_s from gold.line_season "
        f"where season = {SEASON} and time_together_s >= 300"
    )
    assert lines.height
    on_cards = sum(card.lines.height for card in cards.values())
    assert on_cards == 3 * lines.height
    for *players, seconds in lines.iter_rows():
        for player in players:
            own = cards[player].lines.filter(pl.col("time_together_s") == seconds)
            mates = {frozenset(pair) for pair in own.select("mate_1_id", "mate_2_id").iter_rows()}
            assert frozenset(players) - {player} in mates


def make_season(player: int, team: int, *, is_total: bool, **overrides: Any) -> dict[str, Any]:
    key = {"season": SEASON, "game_type": 2, "player_id": player, "team_id": team, "is_total": is_total}
    return key | {"situation": "all", "player": f"Player {player}", "games": 2, **overrides}


def make_game(player: int, game: int, team: int, **overrides: Any) -> dict[str, Any]:
    key = {"season": SEASON, "game_id": game, "game_type": 2, "player_id": player, "team_id": team, "situation": "all"}
    return key | {"game_date": None, "position": "C", **overrides}


def test_a_traded_player_has_a_row_for_each_team(tmp_path: Path):
    seasons = [
        make_season(1, 10, is_total=False, games=3), make_season(1, 11, is_total=False, games=5),
        make_season(1, 11, is_total=True, games=8), make_season(2, 10, is_total=False),
        make_season(2, 10, is_total=True),
    ]  # fmt: skip
    games = [make_game(1, 2025020001, 10), make_game(1, 2025020009, 11), make_game(2, 2025020001, 10)]
    root = make_lake(tmp_path, gold__skater_season=seasons, gold__skater_game=games)
    one, other = read_players(root, SEASON)

    assert one.seasons.select("is_total", "team_id", "games").rows() == [(True, 11, 8), (False, 11, 5), (False, 10, 3)]
    assert one.player["team_id"] == 11
    assert other.seasons["is_total"].to_list() == [True]
    assert one.total["games"] == 8


def test_without_other_tables_a_card_has_what_is_known(tmp_path: Path):
    root = make_lake(
        tmp_path,
        gold__skater_season=[make_season(1, 10, is_total=False), make_season(1, 10, is_total=True)],
        gold__skater_game=[make_game(1, 2025020001, 10)],
    )
    (card,) = read_players(root, SEASON)

    assert (card.player["player"], card.player["birth_date"]) == ("Player 1", None)
    assert card.games["even_time_on_ice_s"].to_list() == [None]
    assert card.games["result"].to_list() == [None]
    assert all(getattr(card, name).is_empty() for name in ("shots", "cells", "lines", "pairs", "rolling"))


def test_who_played_in_goal_and_out_is_what_their_page_says(tmp_path: Path):
    tables = {
        "gold__skater_season": [make_season(1, 10, is_total=True), make_season(2, 10, is_total=True)],
        "gold__goalie_season": [make_season(1, 10, is_total=True), make_season(2, 10, is_total=True)],
        "gold__skater_game": [make_game(1, 2025020001, 10), make_game(2, 2025020001, 10)],
        "gold__goalie_game": [
            {**make_game(player, 2025020002, 10), "time_on_ice_s": 60, "position": None} for player in (1, 2)
        ],
    }
    for row in tables["gold__goalie_game"]:
        del row["position"]
    page = {"player_id": 1, "first_name": "A", "last_name": "B", "position": "G"}
    root = make_lake(tmp_path, **tables, silver__players=[page])
    one, other = read_players(root, SEASON)

    assert (one.is_goalie, other.is_goalie) == (True, False)
    assert (one.player["player"], other.player["player"]) == ("A B", "Player 2")


def test_a_goalie_who_only_dressed_has_no_card(tmp_path: Path):
    game = make_game(1, 2025020001, 10, time_on_ice_s=0, unblocked_attempts_against=0)
    del game["position"]
    root = make_lake(tmp_path, gold__goalie_game=[game])
    assert list(read_players(root, SEASON)) == []


def test_a_game_before_its_season_is_an_error(tmp_path: Path):
    root = make_lake(tmp_path, gold__skater_season=[], gold__skater_game=[make_game(1, 2025020001, 10)])
    with pytest.raises(LakeError, match=r"gold\.skater_season has no row of player 1 in 2025-26"):
        list(read_players(root, SEASON))
