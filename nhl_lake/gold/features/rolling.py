"""Form: what is known of a player or a team before a game, of his or its earlier games alone.

A state stands after each game that was played. A row looks up the last state strictly before it, be it of a game that
was played or of one to come: one way for both, so that what a model learns from is what it is given.
"""

from collections.abc import Mapping, Sequence

import polars as pl

MAX_GAMES_FILLED = 10  # games in a row that do not tell something: what was known of it before is too old


def compute_game_order() -> pl.Expr:
    """Return the place of a game in time: by its start, then by its id."""
    return pl.col("start_at").dt.epoch("s") * 10_000_000 + pl.col("game_id") % 10_000_000


def join_last_state(rows: pl.LazyFrame, states: pl.LazyFrame, by: Mapping[str, str]) -> pl.LazyFrame:
    """Add to each row the last state before it of whom it names; `by` says which of its columns is which of theirs."""
    state = states.rename({theirs: ours for ours, theirs in by.items()}).sort("order")
    return rows.sort("order").join_asof(
        state, on="order", by=list(by), strategy="backward", allow_exact_matches=False, check_sortedness=False
    )


def carry_last_value(name: str, who: Sequence[str]) -> pl.Expr:
    """Return what it was in the last game that tells it, as a number."""
    return pl.col(name).cast(pl.Float64).forward_fill(MAX_GAMES_FILLED).over(who)


def average_last_games(name: str, games: int, who: Sequence[str]) -> pl.Expr:
    """Return the mean of the last games, of fewer where there are no more."""
    return pl.col(name).cast(pl.Float64).rolling_mean(games, min_samples=1).over(who)


def count_recorded_games(name: str, who: Sequence[str]) -> pl.Expr:
    """Return in how many games so far it is known."""
    return pl.col(name).is_not_null().cum_sum().over(who)


def compute_decayed_mean(name: str, half_life: float, who: Sequence[str]) -> pl.Expr:
    """Return the mean of all games so far that tell it, each weighing half of one that many of them later."""
    found = pl.col(name).cast(pl.Float64).ewm_mean(half_life=half_life, ignore_nulls=True)
    return found.forward_fill(MAX_GAMES_FILLED).over(who)


def compute_effective_games(games: pl.Expr, half_life: float) -> pl.Expr:
    """Return how many games a decayed mean stands for."""
    kept: float = 0.5 ** (1 / half_life)
    return (1 - pl.lit(kept).pow(games)) / (1 - kept)


def shrink_mean(mean: pl.Expr, weight: pl.Expr, prior: pl.Expr, games: float) -> pl.Expr:
    """Return a mean drawn to that of all players, which counts for some games; without any game it is theirs.

    The empirical Bayes estimate of a rate: who has played little is taken for nearly average.
    """
    known = mean.fill_null(0.0) * weight.fill_null(0.0)
    return (known + games * prior) / (weight.fill_null(0.0) + games)
