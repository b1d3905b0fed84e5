"""Rolling form of a player or team before a game, from earlier games only.

Each played game gives a state after it. A row gets the last state strictly before its game. Played and upcoming games
are handled in the same way, so a model is trained on the same kind of data that it predicts from.
"""

from collections.abc import Mapping, Sequence

import polars as pl

MAX_GAMES_FILLED = 10  # a value is carried over at most this many games without one


def compute_game_order() -> pl.Expr:
    """Return a number that orders games by start, then by id."""
    return pl.col("start_at").dt.epoch("s") * 10_000_000 + pl.col("game_id") % 10_000_000


def join_last_state(rows: pl.LazyFrame, states: pl.LazyFrame, by: Mapping[str, str]) -> pl.LazyFrame:
    """Add the last state before each row; `by` maps key columns of `rows` to those of `states`."""
    state = states.rename({state_key: row_key for row_key, state_key in by.items()}).sort("order")
    return rows.sort("order").join_asof(
        state, on="order", by=list(by), strategy="backward", allow_exact_matches=False, check_sortedness=False
    )


def carry_last_value(name: str, keys: Sequence[str]) -> pl.Expr:
    """Return the value of the last game that has one, as a float."""
    return pl.col(name).cast(pl.Float64).forward_fill(MAX_GAMES_FILLED).over(keys)


def average_last_games(name: str, games: int, keys: Sequence[str]) -> pl.Expr:
    """Return the mean of the last games, or of all if there are fewer."""
    return pl.col(name).cast(pl.Float64).rolling_mean(games, min_samples=1).over(keys)


def count_recorded_games(name: str, keys: Sequence[str]) -> pl.Expr:
    """Return the number of games so far that have a value."""
    return pl.col(name).is_not_null().cum_sum().over(keys)


def compute_decayed_mean(name: str, half_life: float, keys: Sequence[str]) -> pl.Expr:
    """Return the exponentially weighted mean of all games so far that have a value; `half_life` is in games."""
    found = pl.col(name).cast(pl.Float64).ewm_mean(half_life=half_life, ignore_nulls=True)
    return found.forward_fill(MAX_GAMES_FILLED).over(keys)


def compute_effective_games(games: pl.Expr, half_life: float) -> pl.Expr:
    """Return the effective number of games of a decayed mean."""
    decay: float = 0.5 ** (1 / half_life)
    return (1 - pl.lit(decay).pow(games)) / (1 - decay)


def shrink_mean(mean: pl.Expr, weight: pl.Expr, prior: pl.Expr, games: float) -> pl.Expr:
    """Return a mean shrunk toward a prior that counts as so many games; without any game it is the prior.

    This is the empirical Bayes estimate of a rate: a player with few games is close to average.
    """
    known = mean.fill_null(0.0) * weight.fill_null(0.0)
    return (known + games * prior) / (weight.fill_null(0.0) + games)
