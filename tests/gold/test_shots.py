"""Shots and their expected goals: which attempts have one, what it is made of, and that nothing leaks into it."""

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold import xg_model
from nhl_lake.gold.measures import expected_goals
from nhl_lake.gold.shots import SHOTS
from nhl_lake.schema.ledger import META, MODELS
from tests.gold.game_builders import FACEOFF, build_game_silver
from tests.gold.league_tables import build_league_silver, make_model
from tests.silver.bronze_pages import build_table
from tests.silver.play_builders import make_shot

AT_32 = {"goalieInNetId": 32}
NEAR, FAR = {"xCoord": 80, "yCoord": 2}, {"xCoord": 30, "yCoord": -30}


def build_shots(*plays: dict[str, Any], model: pl.LazyFrame | None = None) -> list[dict[str, Any]]:
    found = build_game_silver(FACEOFF, *plays)
    inputs = (found[name].lazy() for name in ("plays", "lineups", "games"))
    return build_table(SHOTS, *inputs, make_model() if model is None else model).to_dicts()


def test_an_attempt_near_the_net_is_worth_more():
    near, far = build_shots(make_shot(details=AT_32 | NEAR), make_shot(details=AT_32 | FAR))

    assert near["xg"] > 2 * far["xg"] > 0
    assert (near["xg_model"], near["shooter_position"]) == ("xg NHL 2022-24", "C")


def test_a_goal_has_the_xg_of_a_save_from_the_same_place():
    (save,) = build_shots(make_shot(details=AT_32 | NEAR))
    (goal,) = build_shots(make_shot("goal", details=AT_32 | NEAR))

    assert goal["xg"] == save["xg"]
    assert (goal["is_goal"], save["is_goal"]) == (True, False)


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"shotType": None}, id="no type"),
        pytest.param({"xCoord": None, "yCoord": None}, id="no location"),
        pytest.param({"reason": "short"}, id="a miss that fell short"),
    ],
)
def test_an_attempt_without_what_the_model_needs_has_no_xg(details: dict[str, Any]):
    kind = "goal" if "shotType" in details else "missed-shot"
    (row,) = build_shots(make_shot(kind, details=AT_32 | NEAR | details))

    assert (row["xg"], row["xg_flurry_adjusted"], row["danger_xg"], row["xg_model"]) == (None,) * 4


def test_a_blocked_attempt_has_no_xg():
    (row,) = build_shots(make_shot("blocked-shot", details=NEAR | {"blockingPlayerId": 83}))
    assert row["xg"] is None


def test_an_empty_net_has_a_model_of_its_own():
    near, far = build_shots(make_shot(details=NEAR, situationCode="0651"), make_shot(details=FAR, situationCode="0651"))
    assert near["is_opponent_net_empty"]
    assert near["xg"] > far["xg"] > 0.3


def test_later_shots_of_a_flurry_count_by_the_chance_that_none_went_in():
    first, second = build_shots(
        make_shot(details=AT_32 | NEAR, timeInPeriod="01:00"), make_shot(details=AT_32 | NEAR, timeInPeriod="01:02")
    )
    assert (first["flurry_number"], second["flurry_number"]) == (1, 2)
    assert first["xg_flurry_adjusted"] == first["xg"]
    assert second["xg_flurry_adjusted"] == pytest.approx(second["xg"] * (1 - first["xg"]), abs=2e-5)


def test_without_a_model_there_is_no_xg():
    (row,) = build_shots(make_shot(details=AT_32 | NEAR), model=pl.LazyFrame(schema=xg_model.XG_MODEL.schema))
    assert (row["xg"], row["xg_in_sample"]) == (None, None)


def test_a_row_says_whether_its_game_was_a_training_row():
    (row,) = build_shots(make_shot(details=AT_32 | NEAR))  # of October 2023
    assert row["xg_in_sample"]


def test_a_model_that_the_lake_fitted_replaces_the_one_of_the_package():
    meta = pl.LazyFrame([{"layout": 2, "source": "NHL", "made_by": "x", "made_at": None}], schema=META.schema)
    card = make_model().collect()["card"].item()
    fitted = [{"model": "poisson-glm 1", "card": "{}"}, {"model": "xg 2026", "card": card}]
    of_package = build_table(xg_model.XG_MODEL, meta, pl.LazyFrame(schema=MODELS.schema)).to_dicts()
    of_lake = build_table(xg_model.XG_MODEL, meta, pl.LazyFrame(fitted, schema=MODELS.schema)).to_dicts()

    assert [(row["model"], row["source"]) for row in of_package] == [("xg NHL 2022-24", "shipped")]
    assert [(row["model"], row["source"]) for row in of_lake] == [("xg 2026", "fitted")]


def test_features_read_no_result():
    forbidden = {"is_goal", "event", "outcome", "is_shot_on_goal", "goalie_player_id", "shooter_player_id", "reason"}
    read = {name for feature in expected_goals.FEATURES.values() for name in feature.meta.root_names()}

    assert not read & forbidden
    assert read <= set(SHOTS.schema)


@pytest.mark.league
def test_rows_in_another_order_have_the_same_xg():
    found = build_league_silver(1)
    names = ("plays", "lineups", "games")
    rows, turned = (
        build_table(SHOTS, *(frame.lazy() for frame in frames), make_model())
        for frames in ([found[name] for name in names], [found[name].reverse() for name in names])
    )
    assert rows["xg"].drop_nulls().len() > 200
    assert_frame_equal(rows, turned)
