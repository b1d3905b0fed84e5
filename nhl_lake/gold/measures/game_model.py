"""The model of who wins a game: before it, from the form of both teams; during it, from the goals still to come.

Before: a logistic regression on the differences between the home team and the away team. During: each team's goals in
the rest of regulation are Poisson. A better team scores faster, and so does one with more players on the ice. The next
goal decides overtime, and a shootout is even. The models are numbers in this file; `benchmarks/wins.py` fits them.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from nhl_lake.gold.measures.expected_goals import logistic
from nhl_lake.schema.ledger import read_source

SIDES = ("home", "away")
REGULATION_SECONDS, OVERTIME_SECONDS = 3600, 300
ADVANTAGE_SECONDS = 60.0  # how long a power play or an extra attacker is expected to last from any moment
MAX_GOALS = 16  # no team scores more in the rest of a game


def compare_sides(name: str) -> pl.Expr:
    """Return a feature of the home team minus that of the away team."""
    home, away = (pl.col(name_feature(name, side)).cast(pl.Float64) for side in SIDES)
    return home - away


def name_feature(name: str, side: str) -> str:
    """Return the name of a team's feature for one side: home_goal_margin, is_home_back_to_back."""
    return f"is_{side}_{name.removeprefix('is_')}" if name.startswith("is_") else f"{side}_{name}"


FEATURES: Mapping[str, pl.Expr] = {
    name: compare_sides(name) for name in ("goal_margin", "unblocked_attempt_margin", "is_back_to_back")
}


class PregameModel(NamedTuple):
    """The log odds that the home team wins: the intercept plus, for each of `FEATURES`, its weight times its value."""

    intercept: float
    weights: tuple[float, ...]


class GameModel(NamedTuple):
    """The model of a league: its name, the part before a game, and the scoring rates during one.

    Rates are goals of one team an hour. `edge` is by how much the log of the home team's rate grows, and that of the
    away team's falls, with the log odds before the game. With more players, a team's rate grows by `advantage_rate`.
    """

    name: str
    pregame: PregameModel
    edge: float
    rate: float
    advantage_rate: float
    overtime_rate: float


MODELS: Mapping[str, GameModel] = {  # by the source of the lake
    "NHL": GameModel(
        "win NHL 2022-24",
        PregameModel(0.09136, (0.50727, 0.05836, -0.29819)),
        edge=0.224, rate=3.843, advantage_rate=6.838, overtime_rate=7.059,
    ),
    "sample league": GameModel(
        "win sample league",
        PregameModel(0.21224, (0.57807, -0.04831, 0.25531)),
        edge=0.228, rate=3.305, advantage_rate=7.284, overtime_rate=6.036,
    ),
}  # fmt: skip


def choose_model(meta: pl.LazyFrame) -> GameModel | None:
    """Return the model for the source of a lake (`lake.meta`); None for another league."""
    source = read_source(meta)
    return None if source is None else MODELS.get(source)


def predict_before_game(model: PregameModel) -> pl.Expr:
    """Return the probability before a game that the home team wins; null if a feature is unknown."""
    terms = (weight * feature for weight, feature in zip(model.weights, FEATURES.values(), strict=True))
    return logistic(pl.sum_horizontal(pl.lit(model.intercept), *terms, ignore_nulls=False)).round(4)


def add_win_probability(states: pl.LazyFrame, model: GameModel | None) -> pl.LazyFrame:
    """Add the probability that the home team wins to states of games; null if some of the state is unknown.

    A state: `home_lead` in goals, `home_more_players`, `period`, `seconds_left` (in regulation, or in overtime of the
    regular season), `game_type`, and `pregame_home_win_probability`.
    """
    if model is None:
        return states.with_columns(home_win_probability=pl.lit(None, pl.Float64))
    lead, left = pl.col("home_lead"), pl.col("seconds_left")
    means = {
        f"{side}_mean": rate / 3600 * left + more / 3600 * left.clip(upper_bound=ADVANTAGE_SECONDS)
        for side, rate, more in zip(SIDES, tilt_rate(model, model.rate), list_advantages(model), strict=True)
    }
    in_regulation = pl.col("win") + pl.col("tie") * predict_overtime(
        model, pl.lit(float(OVERTIME_SECONDS)), [pl.lit(0.0)] * 2
    )
    in_overtime = (
        pl.when(lead > 0).then(1.0).when(lead < 0).then(0.0)
        .when(lead == 0).then(predict_overtime(model, left, list_advantages(model)))
    )  # fmt: skip
    return (
        states.with_columns(**means)
        .pipe(compare_goals)
        .with_columns(
            home_win_probability=pl.when(pl.col("period") > 3).then(in_overtime).otherwise(in_regulation).round(5)
        )
        .drop(*means, "win", "tie")
    )


def tilt_rate(model: GameModel, rate: float) -> list[pl.Expr]:
    """Return the scoring rates of the home team and the away team, given the rate of equal teams."""
    chance = pl.col("pregame_home_win_probability")
    edge = model.edge * (chance / (1 - chance)).log()
    return [rate * edge.exp(), rate * (-edge).exp()]


def list_advantages(model: GameModel) -> list[pl.Expr]:
    """Return by how much both teams' rates grow with the players on the ice."""
    more = pl.col("home_more_players").cast(pl.Float64)
    return [model.advantage_rate * (sign * more).clip(lower_bound=0.0) for sign in (1, -1)]


def compare_goals(states: pl.LazyFrame) -> pl.LazyFrame:
    """Add the probabilities that the home team's lead lasts (`win`) or ends level (`tie`), for Poisson goals to come.

    Needs `home_lead`, `home_mean` and `away_mean`.
    """
    chances = {
        f"{side}_{goals}": (-pl.col(f"{side}_mean")).exp() * pl.col(f"{side}_mean").pow(goals) / math.factorial(goals)
        for side in SIDES
        for goals in range(MAX_GOALS)
    }
    home, away = ([f"{side}_{goals}" for goals in range(MAX_GOALS)] for side in SIDES)
    # by the goals of the away team: exactly so many, and fewer
    exactly = pl.concat_list(*away, pl.lit(0.0))
    fewer = pl.concat_list(pl.lit(0.0), *(f"fewer_than_{goals}" for goals in range(1, MAX_GOALS + 1)))
    sums = {f"fewer_than_{goals}": pl.sum_horizontal(*away[:goals]) for goals in range(1, MAX_GOALS + 1)}

    def sum_over_home_goals(name: str) -> pl.Expr:
        needed = [pl.col("home_lead").cast(pl.Int64) + goals for goals in range(MAX_GOALS)]
        found = [
            pl.when(more >= 0).then(pl.col(name).list.get(more.clip(0, MAX_GOALS))).otherwise(0.0) * pl.col(chance)
            for more, chance in zip(needed, home, strict=True)
        ]
        return pl.when(pl.col("home_lead").is_not_null()).then(pl.sum_horizontal(*found, ignore_nulls=False))

    return (
        states.with_columns(**chances)
        .with_columns(**sums)
        .with_columns(exactly=exactly, fewer=fewer)
        .with_columns(win=sum_over_home_goals("fewer"), tie=sum_over_home_goals("exactly"))
        .drop(*chances, *sums, "exactly", "fewer")
    )


def predict_overtime(model: GameModel, left: pl.Expr, advantages: list[pl.Expr]) -> pl.Expr:
    """Return the probability that the home team wins in overtime: it scores next, or wins the shootout.

    In the playoffs overtime lasts until a goal, and both teams have as many players as before.
    """
    is_playoff = pl.col("game_type") == 3
    rates = [
        pl.when(is_playoff).then(long).otherwise(short)
        for long, short in zip(tilt_rate(model, model.rate), tilt_rate(model, model.overtime_rate), strict=True)
    ]
    left = pl.when(is_playoff).then(math.inf).otherwise(left)
    first = left.clip(upper_bound=ADVANTAGE_SECONDS)
    home, away = (rate + more for rate, more in zip(rates, advantages, strict=True))
    early = 1 - (-(home + away) / 3600 * first).exp()
    late = 1 - (-(rates[0] + rates[1]) / 3600 * (left - first)).exp()
    then = late * rates[0] / (rates[0] + rates[1]) + (1 - late) * 0.5
    return early * home / (home + away) + (1 - early) * then
