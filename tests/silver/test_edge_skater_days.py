"""Tests of EDGE figures by day, on handwritten pages and those of the league."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from nhl_lake.bronze.endpoints import EDGE_SKATERS
from nhl_lake.schema import checks
from nhl_lake.silver.edge_skater_days import EDGE_SKATER_DAYS
from tests.league.league_pages import get_league
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.support.documented_pages import EDGE_SKATER

NOON = datetime(2023, 11, 2, 17, tzinfo=UTC)
KEY = {"season": 20232024, "game_type": 2, "player_id": 8470001}


def make_versions(*versions: tuple[datetime, dict[str, Any]]) -> pl.LazyFrame:
    return pl.concat([make_pages(page, fetched_at=at, **KEY) for at, page in versions])


def build_days(*versions: tuple[datetime, dict[str, Any]]) -> pl.DataFrame:
    found = build_table(EDGE_SKATER_DAYS, make_versions(*versions))
    checks.validate_rows(EDGE_SKATER_DAYS, found)
    return found


def test_a_page_is_one_row_in_kilometers_and_shares():
    assert build_days((NOON, EDGE_SKATER)).to_dicts() == [
        KEY
        | {
            "as_of_date": date(2023, 11, 2), "games": 14, "top_skating_speed_kmh": 36.21, "bursts_over_20_mph": 21,
            "distance_km": 67.59, "longest_game_distance_km": 5.63, "top_shot_speed_kmh": 146.45,
            "top_skating_speed_kmh_percentile": 0.875, "bursts_over_20_mph_percentile": 0.5,
            "distance_km_percentile": 0.625, "longest_game_distance_km_percentile": 0.25,
            "top_shot_speed_kmh_percentile": 0.75, "offensive_zone_share": 0.42, "neutral_zone_share": 0.18,
            "defensive_zone_share": 0.4, "even_strength_offensive_zone_share": 0.4,
        }
    ]  # fmt: skip


def test_the_last_version_of_a_day_in_new_york_counts():
    def play(games: int) -> dict[str, Any]:
        return EDGE_SKATER | {"player": {"gamesPlayed": games}}

    late = datetime(2023, 11, 3, 3, 30, tzinfo=UTC)  # 23:30 on the second
    found = build_days((late, play(15)), (NOON, play(14)), (late + timedelta(hours=1), play(16)))

    assert found.select("as_of_date", "games").rows() == [(date(2023, 11, 2), 15), (date(2023, 11, 3), 16)]


def test_what_a_page_lacks_is_unknown_and_one_odd_field_costs_one_field():
    odd = EDGE_SKATER | {"skatingSpeed": {"speedMax": {"metric": "fast", "percentile": 0.5}}, "topShotSpeed": None}
    empty, found = build_days((NOON, {"player": {"id": 8470001}}), (NOON + timedelta(days=1), odd)).to_dicts()

    assert {name for name, value in empty.items() if value is not None} == {*KEY, "as_of_date"}
    assert (found["top_skating_speed_kmh"], found["top_skating_speed_kmh_percentile"]) == (None, 0.5)
    assert (found["bursts_over_20_mph"], found["top_shot_speed_kmh"], found["distance_km"]) == (None, None, 67.59)
    assert build_table(EDGE_SKATER_DAYS, NO_PAGES).is_empty()


@pytest.mark.league
def test_figures_of_the_league_grow_and_some_players_have_no_page():
    engine = get_league().engine
    skaters = [p.player_id for p in engine.get_players(20242025).values() if p.position != "G"]
    days = [datetime(2024, 12, 2, 17, tzinfo=UTC) + timedelta(days=n) for n in (0, 10)]
    path = "/v1/edge/skater-detail/{}/20242025/2"
    absent = next(p for p in skaters if get_league().answer(path.format(p), days[1]).status == 404)
    rows = []
    for player in (*skaters[:20], absent):
        for day in days:
            answer = get_league().answer(path.format(player), day)
            assert (answer.status == 404) == (player == absent)
            if player != absent:
                (record,) = EDGE_SKATERS.endpoint.parse(answer.body, KEY | {"player_id": player})
                page = json.loads(record.body)
                rows.append(make_pages(page, fetched_at=day, **KEY | {"player_id": player}))
    found = build_table(EDGE_SKATER_DAYS, pl.concat(rows))
    checks.validate_rows(EDGE_SKATER_DAYS, found)

    by_player = pl.col("player_id")
    assert found.select((pl.col("distance_km").diff().over(by_player) >= 0).all()).item()
    assert found.select((pl.col("top_shot_speed_kmh").diff().over(by_player) == 0).all()).item()
    assert found.select((pl.col("games").diff().over(by_player) > 0).any()).item()
