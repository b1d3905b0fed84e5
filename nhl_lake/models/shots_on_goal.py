"""Forecasts of shots on goal: a small open model, what it is made of in writing, and plain ones to hold it against.

A Poisson regression on nine features, fitted by scikit-learn; kept as numbers with names, so that anyone can do the sum
and nothing but Polars is needed to foretell. Terms: Poisson deviance and the log-loss of "more than k shots", lower is
better.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
import polars as pl

from nhl_lake.errors import LakeError

GLM = "poisson-glm"
LABEL_COLUMN, LAST_10 = "shots_on_goal", "last 10"
SHOT_LINES = (0.5, 1.5, 2.5, 3.5)
OVERALL_MEAN = "all players, in hindsight"
MIN_PREDICTION = 0.05  # no forecast is of less: a skater who did not shoot in ten games may yet
L2_PENALTY = 1e-4  # keeps features that say nearly the same from being weighed one against the other
MIN_TRAINING_ROWS = 2_000
MIN_COVERAGE = 0.5  # a feature, or a plain forecast, that a smaller share of the games tell is left out

FEATURES: Mapping[str, pl.Expr] = {
    "shrunk_decayed_shots_on_goal": pl.col("shrunk_decayed_shots_on_goal").log(),
    "shrunk_shots_on_goal": pl.col("shrunk_shots_on_goal").log(),
    "expected_time_on_ice_s": pl.col("expected_time_on_ice_s").log(),
    "time_on_ice_last_game_s": pl.col("time_on_ice_last_game_s").clip(60).log(),
    "opponent_shots_on_goal_against": pl.col("opponent_shots_on_goal_against").log(),
    "team_shots_on_goal": pl.col("team_shots_on_goal").log(),
    "is_defenceman": pl.col("position").eq_missing("D").cast(pl.Float64),
    "is_home": pl.col("is_home").cast(pl.Float64),
    "is_back_to_back": pl.col("is_back_to_back").cast(pl.Float64),
}

# what needs no fitting
BASELINES: Mapping[str, pl.Expr] = {
    "position mean": pl.col("position_shots_on_goal"),
    "last 5": pl.col("mean_shots_on_goal_5"),
    LAST_10: pl.col("mean_shots_on_goal_10"),
    "last 20": pl.col("mean_shots_on_goal_20"),
    "decayed, 20 games": pl.col("decayed_shots_on_goal_20"),
    "shrunk, this season": pl.col("shrunk_shots_on_goal_of_season"),
    "shrunk, two seasons": pl.col("shrunk_shots_on_goal"),
    "shrunk and decayed": pl.col("shrunk_decayed_shots_on_goal"),
    "rate an hour x expected time": pl.col("expected_shots_on_goal"),
}


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a model: its mean and spread where it was fitted, and its weight per spread."""

    feature: str
    mean: float
    spread: float
    weight: float


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """A model: what it is, what it was fitted to, and its numbers; log of the mean = intercept + sum of the terms."""

    model: str
    rows: int
    first_date: date
    last_date: date
    intercept: float
    terms: tuple[Term, ...]


class Backtest(NamedTuple):
    """How well each forecast foretold a season; those that were left out, which too few games tell; the last model."""

    scores: pl.DataFrame
    excluded: tuple[str, ...]
    card: ModelCard


def select_covered_columns(rows: pl.DataFrame, names: Iterable[str]) -> list[str]:
    """Return the columns that enough rows have: of the others, those of a few games would speak for all."""
    return [name for name in names if rows[name].is_not_null().mean() >= MIN_COVERAGE]  # type: ignore[operator]


def list_unused_features(card: ModelCard) -> list[str]:
    """Return the features that a model does without."""
    return [name for name in FEATURES if name not in {term.feature for term in card.terms}]


def fit_model(rows: pl.DataFrame) -> ModelCard:
    """Fit the model to rows of gold.sog_features whose shots are known, by the features that most of them have."""
    regressor = import_poisson_regressor()
    known = rows.filter(pl.col(LABEL_COLUMN).is_not_null()).select(LABEL_COLUMN, "game_date", **FEATURES)
    names = select_covered_columns(known, FEATURES) if known.height else []
    known = known.drop_nulls(names)
    if known.height < MIN_TRAINING_ROWS:
        raise LakeError(
            f"{known.height:,} games of skaters are too few to fit a model to; {MIN_TRAINING_ROWS:,} are needed.",
            "Ingest an earlier season: `nhl-lake ingest --season 2024`.",
        )
    means, spreads = known.select(pl.col(names).mean()).row(0), known.select(pl.col(names).std()).row(0)
    scaled = known.select(
        (pl.col(name) - mean) / (spread or 1.0) for name, mean, spread in zip(names, means, spreads, strict=True)
    )
    fitted = regressor(alpha=L2_PENALTY, max_iter=1000).fit(scaled.to_numpy(), known[LABEL_COLUMN].to_numpy())
    first, last = known.select(first=pl.col("game_date").min(), last=pl.col("game_date").max()).row(0)
    terms = zip(names, means, spreads, fitted.coef_, strict=True)
    return ModelCard(
        model=GLM,
        rows=known.height,
        first_date=first,
        last_date=last,
        intercept=float(fitted.intercept_),
        terms=tuple(
            Term(feature=name, mean=mean, spread=spread or 1.0, weight=float(weight))
            for name, mean, spread, weight in terms
        ),
    )


def import_poisson_regressor() -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return the regression of scikit-learn, which comes with an extra: it is as big as all the rest together."""
    try:
        from sklearn.linear_model import PoissonRegressor  # noqa: PLC0415 - takes a second
    except ModuleNotFoundError as error:
        raise LakeError(
            "Forecasts are fitted by scikit-learn, which is not here.", "`pip install 'nhl-lake[predict]'`"
        ) from error
    return PoissonRegressor


def predict_mean(card: ModelCard) -> pl.Expr:
    """Return the mean that a model foretells; null where one of its features is unknown."""
    terms = [term.weight * (FEATURES[term.feature] - term.mean) / term.spread for term in card.terms]
    return pl.sum_horizontal(pl.lit(card.intercept), *terms, ignore_nulls=False).exp()


def predict_chance_over(mean: pl.Expr, line: float) -> pl.Expr:
    """Return the chance of more shots than a line, of shots that come as Poisson has it."""
    fewer = [mean.pow(k) * (-mean).exp() / math.factorial(k) for k in range(math.floor(line) + 1)]
    return 1 - pl.sum_horizontal(*fewer, ignore_nulls=False)


def backtest(rows: pl.DataFrame, season: int) -> Backtest:
    """Tell how well each forecast foretold a season, from nothing later than each game.

    The model is fitted anew for each month, to all games before it. All are held to the same games: those that every
    one of them can foretell.
    """
    rows = rows.filter(pl.col(LABEL_COLUMN).is_not_null()).sort("start_at")
    found = [one for month in list_months(rows, season) if (one := predict_month(rows, month)) is not None]
    if not found:
        raise LakeError(
            f"No game of {season} has enough games before it to fit a model to.",
            "Ingest the season before it: `nhl-lake ingest --season YEAR`.",
        )
    every = pl.concat([foretold for foretold, _ in found], how="diagonal_relaxed")
    names = select_covered_columns(every, (*BASELINES, GLM))
    left = tuple(name for name in (*BASELINES, GLM) if name not in names)
    every = every.drop_nulls(names).with_columns(pl.col(names).clip(lower_bound=MIN_PREDICTION))
    every = every.with_columns(pl.col(LABEL_COLUMN).mean().alias(OVERALL_MEAN))
    return Backtest(pl.concat(score_predictions(every, name) for name in (OVERALL_MEAN, *names)), left, found[-1][1])


def list_months(rows: pl.DataFrame, season: int) -> Sequence[tuple[date, date]]:
    """Return the first days of a season's months and of those that follow them."""
    days = rows.filter(pl.col("season") == season).select(
        first=pl.col("game_date").dt.month_start(), after=pl.col("game_date").dt.month_start().dt.offset_by("1mo")
    )
    return [(first, after) for first, after in days.unique().sort("first").iter_rows()]


def predict_month(rows: pl.DataFrame, month: tuple[date, date]) -> tuple[pl.DataFrame, ModelCard] | None:
    """Return the forecasts for the games of a month, and the model; None if there are too few games before it."""
    first, after = month
    earlier = rows.filter(pl.col("game_date") < first)
    if earlier.height < MIN_TRAINING_ROWS:
        return None
    card = fit_model(earlier)
    now = rows.filter(pl.col("game_date").is_between(first, after, closed="left"))
    return now.select(LABEL_COLUMN, **BASELINES, **{GLM: predict_mean(card)}), card


def compute_deviance_gain(scores: pl.DataFrame, over: str) -> float:
    """Return by which share of another forecast's deviance that of the model is smaller."""
    deviance: dict[str, float] = dict(scores.select("forecast", "deviance").rows())
    return 1 - deviance[GLM] / deviance[over]


def score_predictions(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """One row: how well a forecast foretold some games."""
    shots, forecast = pl.col(LABEL_COLUMN).cast(pl.Float64), pl.col(name)
    surprise = pl.when(shots > 0).then(shots * (shots / forecast).log()).otherwise(0.0)
    return rows.select(
        forecast=pl.lit(name),
        games=pl.len(),
        deviance=(2 * (surprise - (shots - forecast))).mean(),
        mean_error=(shots - forecast).abs().mean(),
        r_squared=1 - ((shots - forecast) ** 2).sum() / ((shots - shots.mean()) ** 2).sum(),
        **{f"log_loss_{line}": log_loss(shots > line, predict_chance_over(forecast, line)) for line in SHOT_LINES[1:]},
    )


def log_loss(happened: pl.Expr, chance: pl.Expr) -> pl.Expr:
    """Return the mean log-loss of chances."""
    chance = chance.clip(1e-9, 1 - 1e-9)
    return -pl.when(happened).then(chance.log()).otherwise((1 - chance).log()).mean()
