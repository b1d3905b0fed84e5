"""A model of shots on goal, with its model card, and baselines to compare it with.

The model is a Poisson regression on nine features, fitted by scikit-learn. It is stored as named numbers, so prediction
needs only Polars, and anyone can recompute it. Scores are the Poisson deviance and the log-loss of "more than k shots";
lower is better.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake.errors import LakeError
from nhl_lake.models.scikit_learn import import_scikit_learn
from nhl_lake.text import format_count

GLM = "poisson-glm"
LABEL_COLUMN, LAST_10 = "shots_on_goal", "last 10"
SHOT_LINES = (0.5, 1.5, 2.5, 3.5)
OVERALL_MEAN = "all players, in hindsight"
MIN_PREDICTION = 0.05  # lower limit: a skater without a shot in ten games may still shoot
L2_PENALTY = 1e-4  # stabilizes the weights of correlated features
MIN_TRAINING_ROWS = 2_000
MIN_COVERAGE = 0.5  # a feature or baseline that is known in a smaller share of games is left out


def take_log(value: pl.Expr) -> pl.Expr:
    """Return the logarithm of positive numbers; null of others, which no game has unless its pages are wrong."""
    return pl.when(value > 0).then(value.log())


FEATURES: Mapping[str, pl.Expr] = {
    "shrunk_decayed_shots_on_goal": take_log(pl.col("shrunk_decayed_shots_on_goal")),
    "shrunk_shots_on_goal": take_log(pl.col("shrunk_shots_on_goal")),
    "expected_time_on_ice_s": take_log(pl.col("expected_time_on_ice_s")),
    "time_on_ice_last_game_s": take_log(pl.col("time_on_ice_last_game_s").clip(60)),
    "opponent_shots_on_goal_against": take_log(pl.col("opponent_shots_on_goal_against")),
    "team_shots_on_goal": take_log(pl.col("team_shots_on_goal")),
    "is_defenseman": pl.col("position").eq_missing("D").cast(pl.Float64),
    "is_home": pl.col("is_home").cast(pl.Float64),
    "is_back_to_back": pl.col("is_back_to_back").cast(pl.Float64),
}

# predictions that need no fitting
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
    """One feature of a model: its mean and standard deviation in training, and its weight per standard deviation."""

    feature: str
    mean: float
    spread: float
    weight: float


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model: its training data and its numbers. The log of the mean is the intercept plus the sum of terms."""

    model: str
    rows: int
    first_date: date
    last_date: date
    intercept: float
    terms: tuple[Term, ...]


class Backtest(NamedTuple):
    """Scores of each prediction over a season, the predictions left out for low coverage, and the last model."""

    scores: pl.DataFrame
    excluded: tuple[str, ...]
    card: ModelCard


def select_covered_columns(rows: pl.DataFrame, names: Iterable[str]) -> list[str]:
    """Return the columns that are known in enough rows."""
    return [name for name in names if rows[name].is_not_null().mean() >= MIN_COVERAGE]  # type: ignore[operator]


def list_unused_features(card: ModelCard) -> list[str]:
    """Return the features that a model does not use."""
    return [name for name in FEATURES if name not in {term.feature for term in card.terms}]


def fit_model(rows: pl.DataFrame) -> ModelCard:
    """Fit the model to rows of gold.sog_features with known shots, by the features that most of them have."""
    regressor = import_scikit_learn("linear_model").PoissonRegressor
    known = rows.filter(pl.col(LABEL_COLUMN).is_not_null()).select(LABEL_COLUMN, "game_date", **FEATURES)
    names = select_covered_columns(known, FEATURES) if known.height else []
    known = known.drop_nulls(names)
    if known.height < MIN_TRAINING_ROWS:
        raise LakeError(
            f"Too few rows to fit a model: {format_count(known.height, 'skater game')}; "
            f"it needs {MIN_TRAINING_ROWS:,}.",
            "Ingest an earlier season, for example `nhl-lake ingest --season 2024`.",
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


def predict_mean(card: ModelCard) -> pl.Expr:
    """Return the mean that a model predicts; null if one of its features is unknown."""
    terms = [term.weight * (FEATURES[term.feature] - term.mean) / term.spread for term in card.terms]
    return pl.sum_horizontal(pl.lit(card.intercept), *terms, ignore_nulls=False).exp()


def predict_chance_over(mean: pl.Expr, line: float) -> pl.Expr:
    """Return the probability of more shots than a line, for Poisson-distributed shots."""
    fewer = [mean.pow(k) * (-mean).exp() / math.factorial(k) for k in range(math.floor(line) + 1)]
    return 1 - pl.sum_horizontal(*fewer, ignore_nulls=False)


def backtest(rows: pl.DataFrame, season: int) -> Backtest:
    """Score each prediction over a season, using only data from before each game.

    The model is refitted for each month, to all games before it. All predictions are scored on the same games: those
    that every one of them can predict.
    """
    rows = rows.filter(pl.col(LABEL_COLUMN).is_not_null()).sort("start_at")
    months = [found for month in list_months(rows, season) if (found := predict_month(rows, month)) is not None]
    if not months:
        raise LakeError(
            f"Too few games before any month of {season} to fit a model.",
            "Ingest the season before it: `nhl-lake ingest --season YEAR`.",
        )
    predicted = pl.concat([predictions for predictions, _ in months], how="diagonal_relaxed")
    names = select_covered_columns(predicted, (*BASELINES, GLM))
    excluded = tuple(name for name in (*BASELINES, GLM) if name not in names)
    predicted = predicted.drop_nulls(names).with_columns(pl.col(names).clip(lower_bound=MIN_PREDICTION))
    predicted = predicted.with_columns(pl.col(LABEL_COLUMN).mean().alias(OVERALL_MEAN))
    scores = pl.concat(score_predictions(predicted, name) for name in (OVERALL_MEAN, *names))
    return Backtest(scores, excluded, months[-1][1])


def list_months(rows: pl.DataFrame, season: int) -> Sequence[tuple[date, date]]:
    """Return the first day of each month of a season, and of the month after it."""
    days = rows.filter(pl.col("season") == season).select(
        first=pl.col("game_date").dt.month_start(), after=pl.col("game_date").dt.month_start().dt.offset_by("1mo")
    )
    return [(first, after) for first, after in days.unique().sort("first").iter_rows()]


def predict_month(rows: pl.DataFrame, month: tuple[date, date]) -> tuple[pl.DataFrame, ModelCard] | None:
    """Return the predictions for the games of a month, and the model; None with too few games before it."""
    first, after = month
    earlier = rows.filter(pl.col("game_date") < first)
    if earlier.height < MIN_TRAINING_ROWS:
        return None
    card = fit_model(earlier)
    games = rows.filter(pl.col("game_date").is_between(first, after, closed="left"))
    return games.select(LABEL_COLUMN, **BASELINES, **{GLM: predict_mean(card)}), card


def compute_deviance_gain(scores: pl.DataFrame, over: str) -> float:
    """Return the reduction of the model's deviance relative to another prediction, as a share."""
    deviance: dict[str, float] = dict(scores.select("prediction", "deviance").rows())
    return 1 - deviance[GLM] / deviance[over]


def score_predictions(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one row of scores for a prediction."""
    shots, prediction = pl.col(LABEL_COLUMN).cast(pl.Float64), pl.col(name)
    log_ratio = pl.when(shots > 0).then(shots * (shots / prediction).log()).otherwise(0.0)
    return rows.select(
        prediction=pl.lit(name),
        games=pl.len(),
        deviance=(2 * (log_ratio - (shots - prediction))).mean(),
        mean_error=(shots - prediction).abs().mean(),
        r_squared=1 - ((shots - prediction) ** 2).sum() / ((shots - shots.mean()) ** 2).sum(),
        **{
            f"log_loss_{line}": log_loss(shots > line, predict_chance_over(prediction, line)) for line in SHOT_LINES[1:]
        },
    )


def log_loss(happened: pl.Expr, chance: pl.Expr) -> pl.Expr:
    """Return the mean log-loss of predicted probabilities."""
    chance = chance.clip(1e-9, 1 - 1e-9)
    return -pl.when(happened).then(chance.log()).otherwise((1 - chance).log()).mean()
