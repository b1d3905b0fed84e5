"""Fit and score models of expected goals (xG).

Rows are those of gold.shots. scikit-learn fits; the result is an `XgModel`, which is numbers only and is read without
scikit-learn. Fitting the same rows again gives the same model, bit for bit.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from nhl_lake.errors import LakeError
from nhl_lake.gold.measures.expected_goals import (
    FEATURES,
    XgModel,
    is_empty_net_attempt,
    is_modeled,
    is_training_row,
    list_empty_net_terms,
    predict_xg,
)
from nhl_lake.gold.measures.trees import Tree
from nhl_lake.hockey.ids import format_season
from nhl_lake.models.scikit_learn import import_scikit_learn

if TYPE_CHECKING:
    import numpy as np

MIN_TRAINING_ROWS = 20_000  # about a quarter of a season
MIN_EMPTY_NET_ROWS = 100
MIN_PENALTY_SHOTS = 20
PENALTY_SHOT_PRIOR, EMPTY_NET_PRIOR = 0.31, (0.9, -1.2, 0.0, -0.5)  # with too few rows: rounded, of all recorded ones
# deeper trees gain nothing on the season after, and take longer to read
SETTINGS: Mapping[str, Any] = {
    "learning_rate": 0.05, "max_iter": 300, "max_leaf_nodes": 10, "min_samples_leaf": 400, "l2_regularization": 20.0,
    "max_features": 0.15,
}  # fmt: skip
TENS_OF_FEET = (pl.col("distance_ft") / 10).floor().cast(pl.Int64) * 10
REPORT_CELLS: Mapping[str, pl.Expr] = {
    "season": pl.col("season").cast(pl.String),
    "strength": pl.coalesce("strength_state", pl.lit("unknown")),
    "score": pl.col("score_difference").clip(-3, 3).cast(pl.String),
    "rebound": pl.col("is_rebound").cast(pl.String),
    "rush": pl.col("is_rush").cast(pl.String),
    "shot type": pl.coalesce("shot_type", pl.lit("unknown")),
    "distance": pl.when(pl.col("distance_ft") < 90)
    .then(pl.format("{} to {} ft", TENS_OF_FEET, TENS_OF_FEET + 10))
    .when(pl.col("distance_ft") >= 90)
    .then(pl.lit("90 ft and more")),
    "arena of": pl.when("is_home").then("team_abbrev").otherwise("opponent_abbrev"),
    "period": pl.col("period").clip(1, 4).cast(pl.String),
}


class XgScores(NamedTuple):
    """How a model does on rows that it was not trained on, with a goalie in the net.

    cells: kind, cell, attempts, goals, xg, and goals as a share of xG. bins: ten groups by xG, of equal size.
    """

    rows: int
    auc: float
    log_loss: float
    null_log_loss: float
    goals_per_xg: float
    cells: pl.DataFrame
    bins: pl.DataFrame

    @property
    def gain(self) -> float:
        """By how much the log loss is below that of a model that knows only the mean, as a share."""
        return 1 - self.log_loss / self.null_log_loss

    @property
    def largest_gap(self) -> float:
        """The largest difference of goals an attempt and mean xG over the tenths."""
        return float(self.bins.select((pl.col("goal_share") - pl.col("xg")).abs().max()).item())


def fit_xg_model(shots: pl.DataFrame, name: str, settings: Mapping[str, Any] = SETTINGS) -> XgModel:
    """Fit the model to rows of gold.shots of the regular season and the playoffs."""
    shots = shots.filter(pl.col("game_type").is_in([2, 3])).sort("game_id", "event_number")
    known = shots.filter(is_modeled())
    if known.height < MIN_TRAINING_ROWS:
        raise LakeError(
            f"Too few shots to fit a model: {known.height:,} unblocked attempts; it needs {MIN_TRAINING_ROWS:,}.",
            "Ingest a season, for example `nhl-lake ingest --season 2024`.",
        )
    seasons = known.group_by("season").agg(pl.col("game_date").max()).sort("season")
    trained_through = {str(season): day.isoformat() for season, day in seasons.iter_rows()}
    features = list_known_features(known)
    intercept, trees = fit_trees(known, features, settings)
    return XgModel(
        name=name,
        rows=known.height,
        trained_through=trained_through,
        features=features,
        intercept=intercept,
        trees=trees,
        empty_net=fit_empty_net(shots.filter(is_empty_net_attempt())),
        penalty_shot=fit_penalty_shots(shots.filter("is_penalty_shot", "is_unblocked_attempt")),
    )


def list_known_features(rows: pl.DataFrame) -> tuple[str, ...]:
    """Return the features that at least one row has: plays of old seasons lack some, and scikit-learn needs one."""
    counts = rows.select(value.count().alias(name) for name, value in FEATURES.items())
    return tuple(name for name, count in counts.row(0, named=True).items() if count)


def fit_trees(
    known: pl.DataFrame, features: Iterable[str], settings: Mapping[str, Any]
) -> tuple[float, tuple[Tree, ...]]:
    """Return the intercept and the trees of boosting on attempts against a goalie."""
    ensemble = import_scikit_learn("ensemble")
    model = ensemble.HistGradientBoostingClassifier(early_stopping=False, random_state=0, **settings)
    model.fit(make_matrix(known, features), known["is_goal"].to_numpy())
    found = (copy_tree(predictor.nodes) for (predictor,) in model._predictors)
    return round(float(model._baseline_prediction.item()), 9), tuple(found)


def make_matrix(rows: pl.DataFrame, features: Iterable[str]) -> "np.ndarray[Any, Any]":
    """Return features of rows as a matrix; unknown is NaN."""
    return rows.select(FEATURES[name].cast(pl.Float64).alias(name) for name in features).to_numpy()


def copy_tree(nodes: Any) -> Tree:  # noqa: ANN401 - a structured array
    """Return a tree of scikit-learn as numbers, rounded so that they are short in text.

    Thresholds are rounded up: many are values of training rows, which belong on the left.
    """
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=tuple(-1 if is_leaf else int(n) for n, is_leaf in zip(nodes["feature_idx"], leaf, strict=True)),
        threshold=tuple(0.0 if is_leaf else math.ceil(float(n) * 10_000) / 10_000
                        for n, is_leaf in zip(nodes["num_threshold"], leaf, strict=True)),
        left=tuple(map(int, nodes["left"])),
        right=tuple(map(int, nodes["right"])),
        unknown_left=tuple(map(bool, nodes["missing_go_to_left"])),
        value=tuple(round(float(n), 6) if is_leaf else 0.0 for n, is_leaf in zip(nodes["value"], leaf, strict=True)),
    )  # fmt: skip


def fit_empty_net(rows: pl.DataFrame) -> tuple[float, ...]:
    """Return the weights of the logistic curve of attempts at an empty net."""
    if rows.height < MIN_EMPTY_NET_ROWS or rows["is_goal"].n_unique() == 1:
        return EMPTY_NET_PRIOR
    terms = rows.select(**{f"term_{nth}": term for nth, term in enumerate(list_empty_net_terms())}).drop("term_0")
    model = import_scikit_learn("linear_model").LogisticRegression(C=10.0, max_iter=1000)
    model.fit(terms.fill_null(0.0).to_numpy(), rows["is_goal"].to_numpy())
    return (round(float(model.intercept_[0]), 6), *(round(float(weight), 6) for weight in model.coef_[0]))


def fit_penalty_shots(rows: pl.DataFrame) -> float:
    """Return the share of penalty shots that are goals."""
    if rows.height < MIN_PENALTY_SHOTS:
        return PENALTY_SHOT_PRIOR
    return round(float(rows["is_goal"].cast(pl.Float64).sum()) / rows.height, 4)


def select_held_out(shots: pl.DataFrame, *models: XgModel) -> pl.DataFrame:
    """Return the shots of games that none of the models was trained on."""
    return shots.filter(~pl.any_horizontal(is_training_row(model) for model in models))


def score_xg_model(shots: pl.DataFrame, model: XgModel) -> XgScores:
    """Score a model on attempts against a goalie. Raises if some of them were training rows."""
    rows = shots.filter(is_modeled())
    if rows.select(is_training_row(model).any()).item():
        raise LakeError(
            f"The model '{model.name}' was trained on some of these games: its scores there say nothing.",
            f"Choose other games; it was trained on {describe_training(model)}.",
        )
    return score_predictions(rows.with_columns(xg=predict_xg(model)))


def score_predictions(rows: pl.DataFrame) -> XgScores:
    """Score the xG of rows by AUC, log loss and calibration."""
    goals = pl.col("is_goal").cast(pl.Float64)
    chance = pl.col("xg").clip(1e-6, 1 - 1e-6)
    loss = -(goals * chance.log() + (1 - goals) * (1 - chance).log()).mean()
    mean = goals.mean()
    null = -(mean * mean.log() + (1 - mean) * (1 - mean).log())
    # the share of pairs of a goal and another attempt in which the goal has the higher xG; ties count half
    ranks = pl.col("xg").rank("average").filter("is_goal").sum()
    scored = goals.sum()
    auc = (ranks - scored * (scored + 1) / 2) / (scored * (pl.len() - scored))
    auc, loss, null, ratio = rows.select(auc=auc, loss=loss, null=null, ratio=goals.sum() / pl.col("xg").sum()).row(0)
    cells = pl.concat(
        rows.group_by(cell=value.fill_null("unknown"))
        .agg(attempts=pl.len(), goals=goals.sum(), xg=pl.col("xg").sum())
        .select(pl.lit(kind).alias("kind"), "cell", "attempts", "goals", "xg")
        .sort(pl.col("cell").cast(pl.Float64, strict=False), "cell")
        for kind, value in REPORT_CELLS.items()
    ).with_columns(goals_per_xg=pl.col("goals") / pl.col("xg"))
    tenth = (pl.col("xg").rank("ordinal") * 10 / (pl.len() + 1)).floor().cast(pl.Int8)
    bins = rows.group_by(bin=tenth).agg(attempts=pl.len(), goal_share=goals.mean(), xg=pl.col("xg").mean())
    return XgScores(rows.height, auc, loss, null, ratio, cells, bins.sort("bin"))


def describe_training(model: XgModel) -> str:
    """Return the training seasons, with the last day of each: "2022-23 to 2023-06-13"."""
    return ", ".join(f"{format_season(int(season))} to {day}" for season, day in model.trained_through.items())


def encode_model(model: XgModel) -> str:
    """Return a model as JSON."""
    return msgspec.json.encode(model).decode()
