"""Tests of the model of shots on goal: checks by hand, recovery of known parameters, and correct scores."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from nhl_lake.errors import LakeError
from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.models import shots_on_goal
from nhl_lake.models.shots_on_goal import BASELINES, FEATURES, GLM, ModelCard, Term

LABEL = "shots_on_goal"


def make_features(count: int = 6_000, seed: int = 1, **overrides: pl.Series) -> pl.DataFrame:
    """Return rows of gold.sog_features over two months, with Poisson-distributed shots that depend on them."""
    dice = np.random.default_rng(seed)
    skill = dice.gamma(4, 0.4, count) + 0.2
    minutes = dice.uniform(600, 1400, count)
    defence = dice.random(count) < 0.3
    mean = skill * (minutes / 1000) ** 0.5 * np.where(defence, 0.8, 1.0)
    days = [date(2025, 10, 7) + timedelta(days=60 * n // count) for n in range(count)]
    named = {
        "season": pl.Series([20252026] * count),
        "game_id": pl.Series(range(count)),
        "player_id": pl.Series(range(count)),
        "game_date": pl.Series(days),
        "start_at": pl.Series([datetime(d.year, d.month, d.day, 23, tzinfo=UTC) for d in days]),
        LABEL: pl.Series(dice.poisson(mean)),
        "position": pl.Series(np.where(defence, "D", "C")),
        "shrunk_decayed_shots_on_goal": pl.Series(skill),
        "shrunk_shots_on_goal": pl.Series(skill * dice.uniform(0.7, 1.4, count)),
        "expected_time_on_ice_s": pl.Series(minutes),
        "time_on_ice_last_game_s": pl.Series(minutes * dice.uniform(0.8, 1.2, count)),
        "opponent_shots_on_goal_against": pl.Series(dice.uniform(25, 35, count)),
        "team_shots_on_goal": pl.Series(dice.uniform(25, 35, count)),
        "is_home": pl.Series(dice.random(count) < 0.5),
        "is_back_to_back": pl.Series(dice.random(count) < 0.2),
        "mean_shots_on_goal_10": pl.Series(dice.poisson(10 * mean) / 10),
        "position_shots_on_goal": pl.Series([1.6] * count),
        **overrides,
    }
    return pl.DataFrame({name: named.get(name) for name in SOG_FEATURES.schema}).cast(dict(SOG_FEATURES.schema))


def test_fit_recovers_the_parameters():
    card = shots_on_goal.fit_model(make_features(20_000))

    weights = {term.feature: term.weight / term.spread for term in card.terms}  # per unit of the feature
    assert weights["shrunk_decayed_shots_on_goal"] + weights["shrunk_shots_on_goal"] == pytest.approx(1, abs=0.05)
    assert weights["expected_time_on_ice_s"] + weights["time_on_ice_last_game_s"] == pytest.approx(0.5, abs=0.07)
    assert weights["is_defenseman"] == pytest.approx(math.log(0.8), abs=0.04)
    assert abs(weights["is_home"]) < 0.03


def test_prediction_of_a_model_card_can_be_checked_by_hand():
    terms = (
        Term(feature="is_home", mean=0.5, spread=0.5, weight=0.1),
        Term(feature="shrunk_shots_on_goal", mean=0.0, spread=2.0, weight=0.4),
    )
    card = ModelCard(
        model=GLM, rows=1, first_date=date(2025, 1, 1), last_date=date(2025, 1, 1), intercept=0.3, terms=terms
    )
    rows = pl.DataFrame({"is_home": [True, False, None], "shrunk_shots_on_goal": [math.e, 1.0, 1.0]})

    found = rows.select(shots_on_goal.predict_mean(card)).to_series().to_list()
    assert found[:2] == pytest.approx([math.exp(0.3 + 0.1 + 0.2), math.exp(0.3 - 0.1)])
    assert found[2] is None  # unknown is not zero


def test_probabilities_of_more_shots_are_those_of_poisson():
    rows = pl.DataFrame({"mean": [0.5, 2.0]})

    found = rows.select(
        shots_on_goal.predict_chance_over(pl.col("mean"), 0.5).alias("0"),
        shots_on_goal.predict_chance_over(pl.col("mean"), 2.5).alias("2"),
    )
    assert found["0"].to_list() == pytest.approx([1 - math.exp(-0.5), 1 - math.exp(-2)])
    assert found["2"].to_list() == pytest.approx([1 - math.exp(-0.5) * (1 + 0.5 + 0.125), 1 - math.exp(-2) * 5])


def test_scores_can_be_checked_by_hand():
    rows = pl.DataFrame({LABEL: [0, 3], "a": [0.5, 2.0]})
    found = shots_on_goal.score_predictions(rows, "a").row(0, named=True)

    assert found["games"] == 2
    assert found["deviance"] == pytest.approx((2 * 0.5 + 2 * (3 * math.log(1.5) - 1)) / 2)
    assert found["mean_error"] == pytest.approx(0.75)
    assert found["r_squared"] == pytest.approx(1 - (0.25 + 1) / 4.5)
    never, over = math.exp(-0.5) * (1 + 0.5 + 0.125), 1 - math.exp(-2) * 5
    assert found["log_loss_2.5"] == pytest.approx(-(math.log(never) + math.log(over)) / 2)


@pytest.mark.parametrize("share", [0.0, 0.03, 0.4])
def test_rarely_known_feature_is_left_out_without_losing_games(share: float):
    rows = make_features()
    is_told = pl.int_range(pl.len()) < share * pl.len()
    rows = rows.with_columns(
        pl.when(is_told).then(name).alias(name) for name in ("expected_time_on_ice_s", "time_on_ice_last_game_s")
    )
    card = shots_on_goal.fit_model(rows)

    assert card.rows == rows.height
    assert shots_on_goal.list_unused_features(card) == ["expected_time_on_ice_s", "time_on_ice_last_game_s"]


def test_mostly_known_feature_is_used_and_other_games_are_left_out():
    rows = make_features().with_columns(
        expected_time_on_ice_s=pl.when(pl.int_range(pl.len()) % 4 > 0).then("expected_time_on_ice_s")
    )
    card = shots_on_goal.fit_model(rows)

    assert shots_on_goal.list_unused_features(card) == []
    assert card.rows == rows.height * 3 // 4


def test_rarely_known_prediction_is_left_out_without_losing_games():
    rows = make_features().with_columns(
        expected_shots_on_goal=pl.when(pl.int_range(pl.len()) % 30 == 0).then(1.5),
        decayed_shots_on_goal_20=pl.when(pl.int_range(pl.len()) % 30 > 0).then(1.5),
    )
    found = shots_on_goal.backtest(rows, 20252026)

    assert "rate an hour x expected time" in found.excluded
    assert "decayed, 20 games" not in found.excluded
    months = sum(d >= date(2025, 11, 1) for d in rows["game_date"])
    assert set(found.scores["games"]) == {sum(n % 30 > 0 for n in range(6_000 - months, 6_000))}


def test_feature_that_is_never_known_is_left_out():
    rows = make_features().with_columns(
        expected_time_on_ice_s=pl.lit(None, pl.Float64), time_on_ice_last_game_s=pl.lit(None, pl.Float64)
    )

    assert {term.feature for term in shots_on_goal.fit_model(rows).terms} == FEATURES.keys() - {
        "expected_time_on_ice_s",
        "time_on_ice_last_game_s",
    }


@pytest.mark.parametrize(
    "name", [name for name, value in FEATURES.items() if "log" in str(value) and "clip" not in str(value)]
)
def test_feature_without_a_logarithm_is_unknown_in_its_rows_alone(name: str):
    rows = make_features()
    odd = rows.with_columns(pl.when(pl.int_range(pl.len()) < 9).then(0).otherwise(name).alias(name))
    card = shots_on_goal.fit_model(odd)
    predicted = odd.select(mean=shots_on_goal.predict_mean(card))["mean"]
    assert card.rows == rows.height - 9
    assert predicted.head(9).is_null().all()
    assert predicted.tail(-9).is_finite().all()


def test_too_few_games_raise_an_error_with_a_next_step():
    with pytest.raises(LakeError, match="Too few rows to fit a model"):
        shots_on_goal.fit_model(make_features(500))


def test_backtest_predicts_every_month_from_the_games_before_it(monkeypatch: pytest.MonkeyPatch):
    fits: list[tuple[date, date]] = []
    fit = shots_on_goal.fit_model

    def noted(rows: pl.DataFrame) -> ModelCard:
        card = fit(rows)
        fits.append((card.first_date, card.last_date))
        return card

    monkeypatch.setattr(shots_on_goal, "fit_model", noted)
    found = shots_on_goal.backtest(make_features(), 20252026).scores

    assert fits == [(date(2025, 10, 7), date(2025, 10, 31)), (date(2025, 10, 7), date(2025, 11, 30))]
    assert set(found["games"]) == {6_000 - sum(d < date(2025, 11, 1) for d in make_features()["game_date"])}


def test_backtest_ranks_a_better_prediction_first():
    found = {
        row["prediction"]: row for row in shots_on_goal.backtest(make_features(), 20252026).scores.iter_rows(named=True)
    }

    assert set(found) == {"all players, in hindsight", "position mean", "last 10", "shrunk, two seasons",
                          "shrunk and decayed", GLM}  # fmt: skip
    assert found[GLM]["deviance"] < found["last 10"]["deviance"] < found["position mean"]["deviance"]
    assert found["all players, in hindsight"]["r_squared"] == pytest.approx(0)


def test_gain_over_a_prediction_is_a_share_of_its_deviance():
    scores = pl.DataFrame({"prediction": [GLM, "last 10"], "deviance": [0.9, 1.2]})

    assert shots_on_goal.compute_deviance_gain(scores, "last 10") == pytest.approx(0.25)


def test_season_without_earlier_games_cannot_be_backtested():
    with pytest.raises(LakeError, match="Too few games before any month"):
        shots_on_goal.backtest(make_features(1_000), 20252026)


def test_every_feature_and_baseline_reads_columns_of_the_table():
    for name, forecast in {**FEATURES, **BASELINES}.items():
        assert set(forecast.meta.root_names()) <= set(SOG_FEATURES.schema), name
