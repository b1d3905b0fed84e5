"""Fit and score models of who wins a game, beside the share of home wins and Elo ratings.

Rows are those of gold.game_features. Scores are the log loss and the Brier score (the mean squared error of the
probability); lower is better.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from nhl_lake.errors import LakeError
from nhl_lake.gold.measures.game_model import FEATURES, PregameModel, predict_before_game
from nhl_lake.models.scikit_learn import import_scikit_learn
from nhl_lake.models.shots_on_goal import list_months, log_loss

LABEL_COLUMN = "is_home_win"
GAME_MODEL, ELO, HOME_RATE = "game model", "Elo", "home rate"
MIN_TRAINING_GAMES = 400  # about a third of a season
INVERSE_PENALTY = 0.1  # scikit-learn's C: stabilizes the weights, which are of related features
# the ratings that FiveThirtyEight published for the NHL, but for home ice, which is worth less today
ELO_STEP, ELO_HOME, ELO_KEPT = 6.0, 35.0, 0.7
CALIBRATION_LIMITS = (0.35, 0.45, 0.55, 0.65)


class GameBacktest(NamedTuple):
    """Scores by prediction, the calibration of the model, how much better than Elo it is, and the last model.

    scores: prediction, games, log_loss, brier, right (share of games in which the likelier team won). calibration:
    band of the predicted probability, games, predicted (mean), won (share of home wins).
    gain: log loss of Elo minus that of the model, with its standard error.
    """

    scores: pl.DataFrame
    calibration: pl.DataFrame
    gain: float
    gain_error: float
    model: PregameModel


def fit_pregame_model(rows: pl.DataFrame) -> PregameModel:
    """Fit the model to played games with known features."""
    known = rows.select(LABEL_COLUMN, **FEATURES).drop_nulls()
    if known.height < MIN_TRAINING_GAMES:
        raise LakeError(
            f"Too few games to fit a model: {known.height:,}; it needs {MIN_TRAINING_GAMES:,}.",
            "Ingest an earlier season, for example `nhl-lake ingest --season 2024`.",
        )
    values = known.select(list(FEATURES))
    means, spreads = values.mean().row(0), [spread or 1.0 for spread in values.select(pl.all().std()).row(0)]
    scaled = values.select(
        (pl.col(name) - mean) / spread for name, mean, spread in zip(FEATURES, means, spreads, strict=True)
    )
    regression = import_scikit_learn("linear_model").LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
    fitted = regression.fit(scaled.to_numpy(), known[LABEL_COLUMN].to_numpy())
    weights = [float(weight) / spread for weight, spread in zip(fitted.coef_[0], spreads, strict=True)]
    shift = sum(weight * mean for weight, mean in zip(weights, means, strict=True))
    return PregameModel(round(float(fitted.intercept_[0]) - shift, 5), tuple(round(weight, 5) for weight in weights))


def backtest(rows: pl.DataFrame, season: int) -> GameBacktest:
    """Score each prediction over a season, using only data from before each game.

    The model is refitted for each month, to all games of the lake before it. All predictions are scored on the same
    games: those that the model can predict.
    """
    played = rows.filter(pl.col(LABEL_COLUMN).is_not_null()).sort("start_at", "game_id")
    played = played.with_columns(rate_teams(played))
    months = list(predict_months(played, season))
    if not months:
        raise LakeError(
            f"Too few games before any month of {season} to fit a model.",
            "Ingest the season before it: `nhl-lake ingest --season YEAR`.",
        )
    predicted = pl.concat(games for games, _ in months).drop_nulls()
    scores = pl.concat(score_prediction(predicted, name) for name in (HOME_RATE, ELO, GAME_MODEL))
    return GameBacktest(scores, calibrate(predicted), *compare_with_elo(predicted), months[-1][1])


def predict_months(played: pl.DataFrame, season: int) -> Iterator[tuple[pl.DataFrame, PregameModel]]:
    """Yield the predictions for each month of a season, and their model; without enough games before it, nothing."""
    for first, after in list_months(played, season):
        earlier = played.filter(pl.col("game_date") < first)
        if earlier.select(LABEL_COLUMN, **FEATURES).drop_nulls().height < MIN_TRAINING_GAMES:
            continue
        model = fit_pregame_model(earlier)
        games = played.filter(pl.col("game_date").is_between(first, after, closed="left"))
        yield (
            games.select(
                LABEL_COLUMN,
                pl.lit(earlier[LABEL_COLUMN].mean()).alias(HOME_RATE),
                ELO,
                predict_before_game(model).alias(GAME_MODEL),
            ),
            model,
        )


def rate_teams(played: pl.DataFrame) -> pl.Series:
    """Return the probability of a home win by Elo ratings before each game; games are in order.

    A win by more goals counts more. Between seasons ratings move towards the mean.
    """
    ratings: dict[int, float] = {}
    chances = []
    last_season = None
    names = ("season", "home_team_id", "away_team_id", "home_score", "away_score")
    for season, home, away, home_score, away_score in played.select(names).iter_rows():
        if season != last_season:
            ratings = {team: ELO_KEPT * rating for team, rating in ratings.items()}
            last_season = season
        chance = 1 / (1 + 10 ** (-(ratings.get(home, 0.0) - ratings.get(away, 0.0) + ELO_HOME) / 400))
        chances.append(chance)
        margin = math.log(abs(home_score - away_score)) * 0.6686 + 0.8048
        change = ELO_STEP * margin * ((home_score > away_score) - chance)
        ratings[home] = ratings.get(home, 0.0) + change
        ratings[away] = ratings.get(away, 0.0) - change
    return pl.Series(ELO, chances, pl.Float64)


def score_prediction(predicted: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one row of scores for a prediction."""
    won, chance = pl.col(LABEL_COLUMN), pl.col(name)
    return predicted.select(
        prediction=pl.lit(name),
        games=pl.len(),
        log_loss=log_loss(won, chance),
        brier=((chance - won.cast(pl.Float64)) ** 2).mean(),
        right=((chance > 0.5) == won).mean(),
    )


def compare_with_elo(predicted: pl.DataFrame) -> tuple[float, float]:
    """Return by how much the model's log loss is below that of Elo, and the standard error of that."""
    elo, model = (
        pl.when(pl.col(LABEL_COLUMN)).then(pl.col(name)).otherwise(1 - pl.col(name)).log() for name in (ELO, GAME_MODEL)
    )
    gain = model - elo
    found: tuple[float, float] = predicted.select(gain.mean().alias("gain"), error=gain.std() / pl.len().sqrt()).row(0)
    return found


def calibrate(predicted: pl.DataFrame) -> pl.DataFrame:
    """Return the predicted and the actual share of home wins by bands of the model's probability."""
    limits = (0.0, *CALIBRATION_LIMITS, 1.0)
    band = pl.coalesce(
        pl.when(pl.col(GAME_MODEL) < high).then(pl.lit(f"{low:.2f} to {high:.2f}")) for low, high in pairwise(limits)
    )
    return (
        predicted.group_by(band=band)
        .agg(games=pl.len(), predicted=pl.col(GAME_MODEL).mean(), won=pl.col(LABEL_COLUMN).mean())
        .sort("band")
    )
