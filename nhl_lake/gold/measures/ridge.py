"""Ridge regression of expected goals on the players on the ice (regularized adjusted plus-minus).

Rows are stints, weighted by their length. Players' effects have mean 0 and a common spread. The spread is not fixed:
results are averages over some spreads, each weighted by how likely it makes the season's xG. With little data the
spreads are about equally likely, and effects are near 0 with wide intervals.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]

# standard deviation of the effects, as a share of the standard deviation of the xG of an hour; equally likely at first
SPREADS = tuple(step / 50 for step in range(1, 31))


class Totals(NamedTuple):
    """Weighted sums over stints: all that a ridge regression needs of them.

    time: hours that two players share, negative for opponents if they count with the other sign. xg: xG with a player
    on the ice. covariate_time and covariate_xg: the same for covariates, and player_covariates for both. noise: the
    variance of the xG of an hour, after covariates.
    """

    time: "Floats"
    xg: "Floats"
    player_covariates: "Floats"
    covariate_time: "Floats"
    covariate_xg: "Floats"
    noise: float


class Effects(NamedTuple):
    """Effects of players on the xG of an hour: mean and variance, given the season."""

    mean: "Floats"
    variance: "Floats"


def count_shared_time(ours: "Integers", theirs: "Integers", hours: "Floats", players: int) -> "Floats":
    """Return the hours that each two players share: one of a row of `ours`, the other of the same row of `theirs`."""
    import numpy as np  # noqa: PLC0415 - takes a tenth of a second, and only a rebuild needs it

    total = np.zeros(players * players)
    for one in ours.T:
        for other in theirs.T:
            total += np.bincount(one * players + other, weights=hours, minlength=players * players)
    return total.reshape(players, players)


def sum_rows(on_ice: "Integers", signs: "Floats", values: "Floats", players: int) -> "Floats":
    """Return, for each player, the sum of the values of the rows with the player, times the sign of the place."""
    import numpy as np  # noqa: PLC0415

    total = np.zeros(players)
    for one, sign in zip(on_ice.T, signs, strict=True):
        total += sign * np.bincount(one, weights=values, minlength=players)
    return total


def sum_stints(
    time: "Floats", on_ice: "Integers", signs: "Floats", hours: "Floats", xg: "Floats", covariates: "Floats"
) -> Totals:
    """Return the sums over stints. `on_ice` has a row per stint, with the numbers of the players."""
    import numpy as np  # noqa: PLC0415

    players = time.shape[0]
    weighted = covariates * hours[:, None]
    of_players = np.column_stack([sum_rows(on_ice, signs, column, players) for column in weighted.T])
    of_both, of_xg = covariates.T @ weighted, covariates.T @ xg
    plain = np.linalg.pinv(of_both, hermitian=True) @ of_xg  # some covariates may never occur
    noise = float(((xg - weighted @ plain) ** 2).sum() / hours.sum())
    return Totals(time, sum_rows(on_ice, signs, xg, players), of_players, of_both, of_xg, noise)


def fit_ridge(totals: Totals, spreads: Sequence[float] = SPREADS) -> Effects:
    """Return the effects of players. A spread s is the ridge penalty 1 / s², in hours; covariates have none."""
    import numpy as np  # noqa: PLC0415

    adjusted = totals.player_covariates @ np.linalg.pinv(totals.covariate_time, hermitian=True)
    time = totals.time - adjusted @ totals.player_covariates.T
    xg = totals.xg - adjusted @ totals.covariate_xg
    hours, vectors = np.linalg.eigh((time + time.T) / 2)
    rotated = vectors.T @ xg
    penalties = 1 / np.square(spreads)
    shares = 1 / (hours.clip(0)[:, None] + penalties)
    fits = (np.log(shares * penalties) + np.square(rotated)[:, None] * shares / totals.noise).sum(axis=0) / 2
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    means = vectors @ (shares * rotated[:, None])
    mean = means @ weights
    variance = totals.noise * (np.square(vectors) @ (shares @ weights)) + np.square(means) @ weights - np.square(mean)
    return Effects(mean, variance.clip(0))
