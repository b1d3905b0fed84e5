"""Expected goals (xG): the probability that an unblocked attempt becomes a goal, from what is known before it.

A model is numbers: boosted trees for attempts against a goalie, a logistic curve for empty nets, and a constant for
penalty shots. `models/expected_goals.py` fits it. Who shoots, and who is in the net, is no part of it.
"""

import math
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import msgspec
import polars as pl

from nhl_lake.gold.measures.trees import Forest, Tree, is_complete_tree, make_forest, sum_trees
from nhl_lake.hockey.shot_context import FLURRY_KEY

SHOT_TYPES = ("wrist", "snap", "slap", "backhand", "tip-in", "deflected", "wrap-around")  # others are rare
PREVIOUS_EVENTS = (
    "faceoff", "hit", "giveaway", "takeaway", "shot-on-goal", "missed-shot", "blocked-shot",
)  # fmt: skip
DANGER_CLASSES = ("low", "medium", "high")
MEDIUM_DANGER, HIGH_DANGER = 0.08, 0.20
UNMODELED_MISS = "short"  # a miss that falls short of the net; recorded since 2023-24 only


def flag(condition: pl.Expr) -> pl.Expr:
    """Return 1.0 or 0.0; null if unknown."""
    return condition.cast(pl.Float64)


TO_GOAL_LINE = 89 - pl.col("x_ft")
FEATURES: Mapping[str, pl.Expr] = {
    "distance_ft": pl.col("distance_ft"),
    "angle_deg": pl.col("angle_deg"),
    "x_ft": pl.col("x_ft"),
    "feet_aside": pl.col("y_ft").abs(),
    # the angle between the posts, as the shooter sees them
    "open_net_deg": pl.arctan2(6 * TO_GOAL_LINE, TO_GOAL_LINE**2 + pl.col("y_ft") ** 2 - 9).degrees(),
    "is_defenseman": flag(pl.col("shooter_position") == "D"),
    "own_skaters": pl.col("own_skaters"),
    "opponent_skaters": pl.col("opponent_skaters"),
    "more_skaters": pl.col("own_skaters") - pl.col("opponent_skaters"),
    "is_own_net_empty": flag(pl.col("is_own_net_empty")),
    "score_difference": pl.col("score_difference").clip(-3, 3),
    "is_rebound": flag(pl.col("is_rebound")),
    "is_rush": flag(pl.col("is_rush")),
    "flurry_number": pl.col("flurry_number").clip(1, 5),
    "seconds_since_previous_event": pl.col("seconds_since_previous_event"),
    "seconds_since_stop": pl.col("seconds_since_stop"),
    "is_own_previous_event": flag(pl.col("is_own_previous_event")),
    "previous_x_ft": pl.col("previous_x_ft"),
    "previous_feet_aside": pl.col("previous_y_ft").abs(),
    "feet_across_from_previous_event": pl.col("y_ft") * pl.col("previous_y_ft").sign(),
    "previous_distance_ft": ((89 - pl.col("previous_x_ft")) ** 2 + pl.col("previous_y_ft") ** 2).sqrt(),
    "feet_from_previous_event": pl.col("feet_from_previous_event"),
    "feet_a_second": pl.col("feet_from_previous_event") / pl.col("seconds_since_previous_event").clip(1),
    # the angle that the goalie must turn from the previous event to the shot
    "turn_deg": (
        pl.arctan2(pl.col("y_ft"), TO_GOAL_LINE) - pl.arctan2(pl.col("previous_y_ft"), 89 - pl.col("previous_x_ft"))
    ).abs().degrees(),
    **{f"is_{name}": flag(pl.col("shot_type") == name) for name in SHOT_TYPES},
    **{f"follows_{name}": flag(pl.col("previous_event") == name) for name in PREVIOUS_EVENTS},
}  # fmt: skip


class XgModel(msgspec.Struct, eq=False, frozen=True, kw_only=True):
    """A fitted model of expected goals.

    trained_through: the last game date of its training rows by season, in ISO form. The log odds of an attempt are the
    intercept plus one leaf of each tree.
    """

    name: str
    rows: int
    trained_through: Mapping[str, str]
    features: tuple[str, ...]
    intercept: float
    trees: tuple[Tree, ...]
    empty_net: tuple[float, ...]
    penalty_shot: float

    def __post_init__(self) -> None:
        """Raise ValueError if the model could not be applied: a later release may have fitted it."""
        if unknown := sorted(set(self.features) - FEATURES.keys()):
            raise ValueError(f"unknown features: {', '.join(unknown)}")
        if not all(is_complete_tree(tree, len(self.features)) for tree in self.trees):
            raise ValueError("a tree names a feature or a node that it does not have")
        if len(self.empty_net) != len(list_empty_net_terms()) or not 0 <= self.penalty_shot <= 1:
            raise ValueError("the weights of empty nets or the share of penalty shots are wrong")
        for season, last in self.trained_through.items():
            int(season), date.fromisoformat(last)


def is_modeled() -> pl.Expr:
    """Whether the model of attempts against a goalie applies.

    The type and the location of the shot must be known, and a goalie must be in the net. A row without a type is always
    a goal (put in by a defender, or awarded), so its type would tell the result.
    """
    applies = is_located_attempt() & ~pl.col("is_opponent_net_empty") & pl.col("shot_type").is_not_null()
    return applies.fill_null(value=False)


def is_empty_net_attempt() -> pl.Expr:
    """Whether the model of empty nets applies."""
    return (is_located_attempt() & pl.col("is_opponent_net_empty")).fill_null(value=False)


def is_located_attempt() -> pl.Expr:
    """Whether a row is an unblocked attempt in play with a location, and not a miss that fell short."""
    return (
        pl.col("is_unblocked_attempt")
        & ~pl.col("is_penalty_shot")
        & pl.col("distance_ft").is_not_null()
        & pl.col("reason").ne_missing(UNMODELED_MISS)
    )


def add_expected_goals(shots: pl.LazyFrame, model: XgModel | None) -> pl.LazyFrame:
    """Add xG, its flurry-adjusted form, the model's name, and whether the attempt was a training row.

    xG is null for blocked attempts (their location is the block's) and where the model does not apply. The shots of a
    flurry can only become one goal: in the adjusted form, each counts by the probability that no earlier one went in.
    """
    if model is None:
        unknown = {name: pl.lit(None, pl.Float64) for name in ("xg", "xg_flurry_adjusted")}
        return shots.with_columns(
            **unknown,
            xg_model=pl.lit(None, pl.String), xg_in_sample=pl.lit(None, pl.Boolean), danger_xg=pl.lit(None, pl.String),
        )  # fmt: skip
    missed = (1 - pl.col("xg").fill_null(0.0)).cum_prod().shift(1, fill_value=1.0).over(FLURRY_KEY)
    return (
        shots.with_columns(xg=predict_xg(model))
        .with_columns(
            xg_flurry_adjusted=pl.when(pl.col("flurry").is_null()).then("xg").otherwise(pl.col("xg") * missed).round(5),
            xg_model=pl.when(pl.col("xg").is_not_null()).then(pl.lit(model.name)),
            xg_in_sample=pl.when(pl.col("xg").is_not_null()).then(is_training_row(model)),
            danger_xg=classify_danger(),
        )
    )  # fmt: skip


def predict_xg(model: XgModel) -> pl.Expr:
    """Return the xG of attempts to five decimals; null where the model does not apply."""
    return (
        pl.when(is_modeled())
        .then(predict_with_goalie(model))
        .when(is_empty_net_attempt())
        .then(predict_empty_net(model))
        .when(pl.col("is_penalty_shot") & pl.col("is_unblocked_attempt"))
        .then(model.penalty_shot)
        .round(5)
    )


def is_training_row(model: XgModel) -> pl.Expr:
    """Whether an attempt is of a season and day that the model was trained on."""
    found = [
        (pl.col("season") == int(season)) & (pl.col("game_date") <= pl.lit(last).str.to_date())
        for season, last in model.trained_through.items()
    ]
    return pl.any_horizontal(pl.lit(value=False), *found)


def classify_danger() -> pl.Expr:
    """Return the danger of an attempt by its xG: low, medium or high."""
    low, medium, high = map(pl.lit, DANGER_CLASSES)
    xg = pl.col("xg")
    return pl.when(xg < MEDIUM_DANGER).then(low).when(xg < HIGH_DANGER).then(medium).when(xg.is_not_null()).then(high)


def predict_with_goalie(model: XgModel) -> pl.Expr:
    """Return the probability of a goal against a goalie."""

    def sum_leaves(rows: pl.Series) -> pl.Series:
        columns = [rows.struct.field(name).fill_null(math.nan).to_numpy() for name in model.features]
        return pl.Series(rows.name, sum_trees(make_model_forest(model), columns, model.intercept))

    features = pl.struct(FEATURES[name].cast(pl.Float64).alias(name) for name in model.features)
    return logistic(features.map_batches(sum_leaves, return_dtype=pl.Float64, is_elementwise=True))


@lru_cache(2)
def make_model_forest(model: XgModel) -> Forest:
    """Return the trees of a model, ready to be applied."""
    return make_forest(model.trees)


def predict_empty_net(model: XgModel) -> pl.Expr:
    """Return the probability of a goal at an empty net."""
    return logistic(
        pl.sum_horizontal(weight * value for weight, value in zip(model.empty_net, list_empty_net_terms(), strict=True))
    )


def list_empty_net_terms() -> list[pl.Expr]:
    """Return the terms of the model of empty nets, in the order of its weights."""
    distance = pl.col("distance_ft") / 100
    return [pl.lit(1.0), distance, distance**2, pl.col("angle_deg") / 90]


def logistic(log_odds: pl.Expr) -> pl.Expr:
    """Return the probability of log odds."""
    return 1 / (1 + (-log_odds).exp())
