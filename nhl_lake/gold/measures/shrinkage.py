"""Goals above expected of a season, shrunk toward the mean of the league (empirical Bayes), with an 80 % interval.

A player's goals are their xG, times the league's goals per xG, times a factor of their own. The factor has mean 1; how
far it spreads between players is learned from the season. The data of all players say how likely each of some spreads
is, and results are averages over the spreads, weighted by that. With little data, spreads are about equally likely.
"""

from collections.abc import Sequence

import polars as pl

from nhl_lake.gold.measures.situations import round_sums
from nhl_lake.schema.table import Column

SPREADS = tuple(step / 50 for step in range(26))  # standard deviations of the factor, 0 to 0.5, equally likely at first
INTERVAL_SHARE, INTERVAL_DEVIATIONS = "80 %", 1.2816  # of a normal distribution
LEAGUE_KEY = ("season", "game_type", "situation")
CALIBRATION = "league_goals_per_xg"


def list_names(above: str) -> tuple[str, ...]:
    """Return the names of the columns that follow from goals above expected, or from goals saved above expected."""
    shrunk = f"shrunk_{above}"
    return (CALIBRATION, f"calibrated_{above}", shrunk, f"{shrunk}_low", f"{shrunk}_high")


def declare_columns(above: str, xg: str, what: str) -> list[Column]:
    """Declare the columns of `add_shrunk_goals`."""
    calibration, calibrated, shrunk, low, high = list_names(above)
    texts = {
        calibration: "Goals per xG of the whole league in this season, game type and situation: 1 if the model fits it",
        calibrated: f"{what}, with {xg} multiplied by `{calibration}`; the league's sum is 0",
        shrunk: f"{what} that are likely the player's own: `{calibrated}`, times the share that is not chance"
        f" (s² / (s² + `{xg.replace('xg', 'xg_variance')}`), s: spread between players, in goals of this player)",
        low: f"Lower end of the {INTERVAL_SHARE} interval of `{shrunk}`",
        high: f"Upper end of the {INTERVAL_SHARE} interval of `{shrunk}`",
    }
    return [Column(name, pl.Float64, text, nullable=True) for name, text in texts.items()]


def check_interval(above: str) -> dict[str, pl.Expr]:
    """Return the check that a shrunk value is in its interval."""
    *_, shrunk, low, high = list_names(above)
    inside = (pl.col(low) <= pl.col(shrunk)) & (pl.col(shrunk) <= pl.col(high))
    return {"the shrunk value is within its interval": pl.col(shrunk).is_null() | inside}


def add_shrunk_goals(rows: pl.LazyFrame, above: str, xg: str, variance: str, *, sign: int) -> pl.LazyFrame:
    """Add the columns of `declare_columns` to rows of a season, by the rows over all teams (`is_total`).

    `sign` is 1 if `above` is goals minus xG, and -1 if it is xG minus goals. Values are null without xG.
    """
    calibration, calibrated, shrunk, low, high = list_names(above)
    totals = pl.col(xg, above).filter("is_total").sum()
    league = rows.group_by(LEAGUE_KEY).agg(totals).select(
        *LEAGUE_KEY, pl.when(pl.col(xg) > 0).then(1 + sign * pl.col(above) / pl.col(xg)).alias(calibration)
    )  # fmt: skip
    expected = pl.col(calibration) * pl.col(xg)
    known = (
        rows.join(league, on=LEAGUE_KEY, validate="m:1")
        .with_columns(
            # of shots with probability p: sum of p (1 - p), with p calibrated
            noise=expected - pl.col(calibration) ** 2 * (pl.col(xg) - pl.col(variance)),
            expected=expected,
            deviation=pl.col(above) + sign * (pl.col(xg) - expected),
        )
        .cache()
    )
    weighted = known.join(weigh_spreads(known), on=LEAGUE_KEY, validate="m:1")
    mean, own_variance = average_over_spreads()
    found = weighted.with_columns(mean=mean).with_columns(half=INTERVAL_DEVIATIONS * own_variance.clip(0).sqrt())
    has_attempts = pl.col("noise") > 0
    values = {calibrated: pl.col("deviation"), shrunk: pl.col("mean"), low: pl.col("mean") - pl.col("half"),
              high: pl.col("mean") + pl.col("half")}  # fmt: skip
    added = found.with_columns(pl.when(has_attempts).then(value).alias(name) for name, value in values.items())
    return round_sums(added, list_names(above))


def weigh_spreads(known: pl.LazyFrame) -> pl.LazyFrame:
    """One row per season, game type and situation: the weight of each spread, by how likely it makes the goals."""
    likelihoods = (measure_likelihood(spread).alias(name) for name, spread in name_spreads())
    names = [name for name, _ in name_spreads()]
    league = known.filter("is_total", pl.col("noise") > 0).group_by(LEAGUE_KEY).agg(likelihoods)
    best, total = pl.max_horizontal(names), pl.sum_horizontal(names)
    # without a player there is no likelihood: equal weights, which nobody uses
    return (
        known.select(LEAGUE_KEY).unique().join(league, on=LEAGUE_KEY, how="left", validate="1:1")
        .with_columns(pl.col(names).fill_null(0.0))
        .with_columns((pl.col(name) - best).exp() for name in names)
        .with_columns(pl.col(name) / total for name in names)
    )  # fmt: skip


def measure_likelihood(spread: float) -> pl.Expr:
    """Return the log likelihood of the players' goals if their factors have this spread."""
    variance = pl.col("noise") + (spread * pl.col("expected")) ** 2
    return (-(variance.log() + pl.col("deviation") ** 2 / variance) / 2).sum()


def average_over_spreads() -> tuple[pl.Expr, pl.Expr]:
    """Return mean and variance of a player's own goals above expected, given their goals."""
    means, squares = [], []
    for name, spread in name_spreads():
        between = (spread * pl.col("expected")) ** 2
        share = between / (between + pl.col("noise"))
        mean = share * pl.col("deviation")
        means.append(pl.col(name) * mean)
        squares.append(pl.col(name) * (between * (1 - share) + mean**2))
    return pl.sum_horizontal(means), pl.sum_horizontal(squares) - pl.sum_horizontal(means) ** 2


def name_spreads() -> Sequence[tuple[str, float]]:
    """Return the spreads, each with the name of the column of its weight."""
    return [(f"spread_{number}", spread) for number, spread in enumerate(SPREADS)]
