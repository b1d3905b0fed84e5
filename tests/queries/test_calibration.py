"""Calibration: bands of predictions, and how often each came true."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.queries.calibration import count_bands, read_calibration
from tests.support import lakes

PAIRS = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), max_size=400)


def make_pairs(pairs: list[tuple[float, bool]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"predicted": pl.Float64, "is_true": pl.Boolean}, orient="row")


@given(PAIRS)
def test_every_prediction_is_in_one_band(pairs: list[tuple[float, bool]]):
    rows = make_pairs(pairs)
    bands = count_bands(rows)
    assert bands["count"].sum() == len(pairs)
    assert bands.height <= max(1, min(10, len(pairs) // 30))
    assert bands["predicted"].is_sorted()
    assert (bands["predicted"] * bands["count"]).sum() == pytest.approx(rows["predicted"].sum())
    assert (bands["observed"] * bands["count"]).sum() == pytest.approx(rows["is_true"].sum())
    assert bands.select((pl.col("low") <= pl.col("observed") + 1e-9) & (pl.col("observed") <= pl.col("high") + 1e-9))[
        "low"
    ].all()


def test_equal_predictions_are_in_one_band():
    bands = count_bands(make_pairs([(0.5, False)] * 150 + [(0.5, True)] * 150))
    assert bands.select("count", "observed").rows() == [(300, 0.5)]


def test_the_interval_is_that_of_wilson():
    band = count_bands(make_pairs([(0.5, True)] * 3 + [(0.5, False)] * 7)).row(0, named=True)
    assert (band["low"], band["high"]) == (pytest.approx(0.1078, abs=1e-4), pytest.approx(0.6032, abs=1e-4))


def test_goals_and_wins_are_those_of_gold(league_lake: Path):
    shots = lakes.read_rows(league_lake, catalog.find_table("gold.shots"))
    known = shots.filter("is_unblocked_attempt", ~pl.col("is_penalty_shot"), game_type=2).drop_nulls("xg")
    bands = read_calibration(league_lake)
    assert bands.height == 10
    assert bands["count"].sum() == known.height
    assert (bands["observed"] * bands["count"]).sum() == pytest.approx(known["is_goal"].sum())
    wins = read_calibration(league_lake, "game")
    played = lakes.read_rows(league_lake, catalog.find_table("gold.game_features"))
    assert wins["count"].sum() == played.drop_nulls(["is_home_win", "home_win_probability"]).height
    assert read_calibration(league_lake, season=19992000).is_empty()


def test_another_prediction_is_named_as_unknown(league_lake: Path):
    with pytest.raises(BadInput, match="There is no prediction 'weather'"):
        read_calibration(league_lake, "weather")
