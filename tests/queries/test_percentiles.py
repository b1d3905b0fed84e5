"""Percentiles: the share of other players who are worse, among those at the position with enough minutes."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.queries import percentiles
from tests.support import lakes

VALUES = st.one_of(st.none(), st.integers(-3, 3).map(float))
Player = tuple[str | None, float | None, int | None]  # position, value, seconds


def rank(*players: Player, is_low_better: bool = False, least: int = 0) -> list[dict[str, object]]:
    columns = {"position_group": pl.String, "value": pl.Float64, "time_on_ice_s": pl.Int32}
    rows = pl.LazyFrame(list(players), schema=columns, orient="row")
    about = rows.with_columns(number=0, is_low_better=is_low_better, least_time_s=least)
    found = percentiles.add_percentiles(about, min_players=2)
    return found.collect().to_dicts()


def test_the_best_have_100_and_the_worst_0():
    rows = rank(("F", 1.0, 600), ("F", 3.0, 600), ("F", 2.0, 600), ("D", 9.0, 600), ("D", 8.0, 600))
    assert [row["percentile"] for row in rows] == [0, 100, 50, 100, 0]
    assert [row["players"] for row in rows] == [3, 3, 3, 2, 2]


def test_less_is_better_where_it_is():
    assert [row["percentile"] for row in rank(("G", 1.0, 60), ("G", 3.0, 60), is_low_better=True)] == [100, 0]


def test_too_few_minutes_are_not_compared():
    rows = rank(("F", 1.0, 1001), ("F", 9.0, 250), ("F", 2.0, 251), ("F", 5.0, None))
    assert [row["min_time_on_ice_s"] for row in rows] == [251] * 4  # a quarter of the most
    assert [row["percentile"] for row in rows] == [0, None, 100, None]
    assert {row["players"] for row in rows} == {2}


def test_one_game_is_too_little_for_everybody():
    rows = rank(("F", 1.0, 900), ("F", 2.0, 1200), ("F", 3.0, 1300), least=1200)
    assert [row["min_time_on_ice_s"] for row in rows] == [1200] * 3
    assert [row["percentile"] for row in rows] == [None, 0, 100]


def test_an_unknown_value_or_position_has_no_percentile():
    rows = rank(("F", None, 600), (None, 1.0, 600), (None, 2.0, 600), ("F", 1.0, 600), ("F", 0.0, 600))
    assert [row["percentile"] for row in rows] == [None, None, None, 100, 0]


def test_nobody_is_compared_with_themselves_or_with_a_few():
    assert rank(("D", 1.0, 600))[0]["percentile"] is None
    for count, lowest in ((9, None), (10, 0)):
        rows = pl.LazyFrame({"value": [float(value) for value in range(count)]}).with_columns(
            position_group=pl.lit("G"), time_on_ice_s=600, number=0, is_low_better=False, least_time_s=0
        )
        assert percentiles.add_percentiles(rows).collect()["percentile"][0] == lowest


@given(st.lists(st.tuples(st.just("F"), VALUES, st.integers(0, 100)), max_size=12), st.booleans())
def test_percentiles_are_shares_of_worse_players(players: list[Player], is_low_better: bool):  # noqa: FBT001
    rows = rank(*players, is_low_better=is_low_better)
    compared = [row for row in rows if row["percentile"] is not None]
    for row in compared:
        others = [other["value"] for other in compared if other is not row]
        sign = -1 if is_low_better else 1
        worse = sum(sign * v < sign * row["value"] for v in others) + sum(v == row["value"] for v in others) / 2
        assert row["percentile"] == pytest.approx(100 * worse / len(others))


def test_values_are_those_of_gold(league_lake: Path):
    found = percentiles.read_percentiles(league_lake, 20252026)
    assert found.columns == list(percentiles.PERCENTILE_COLUMNS)
    assert not found.select(pl.struct("player_id", "statistic").is_duplicated().any()).item()
    for statistic in percentiles.STATISTICS:
        gold = lakes.read_rows(league_lake, catalog.find_table(statistic.table.name))
        gold = gold.filter(situation=statistic.situation, game_type=2, season=20252026)
        if "is_total" in gold.columns:
            gold = gold.filter("is_total")
        rows = found.filter(
            table_name=statistic.table.name, column_name=statistic.column, situation=statistic.situation
        )
        assert set(rows["statistic"]) == {statistic.name}
        both = rows.join(gold, on="player_id", validate="1:1", suffix="_of_gold")
        assert both.height == rows.height == gold.height > 0
        assert both["value"].equals(both[statistic.column].cast(pl.Float64), check_names=False)
    assert set(found["position_group"]) == {"F", "D", "G"}


def test_all_three_groups_have_percentiles_from_0_to_100(league_lake: Path):
    found = percentiles.read_percentiles(league_lake, 20252026).drop_nulls("percentile")
    extremes = found.group_by("position_group").agg(low=pl.col("percentile").min(), high=pl.col("percentile").max())
    assert sorted(extremes.rows()) == [("D", 0, 100), ("F", 0, 100), ("G", 0, 100)]
    assert found.filter(pl.col("time_on_ice_s") < pl.col("min_time_on_ice_s")).is_empty()


def test_a_season_without_games_has_no_rows(league_lake: Path):
    assert percentiles.read_percentiles(league_lake, 19992000).is_empty()
