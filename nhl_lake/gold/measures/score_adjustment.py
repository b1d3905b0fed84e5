"""Attempts adjusted for score and rink: a team that leads shoots less, and the home team more, at five on five.

An attempt of the home team counts (H + A) / 2H, one of the away team (H + A) / 2A, where H and A are the attempts of
home and away teams while the home team led by as much; leads of three goals and more are one. The weights are fixed, so
that a game's numbers do not change with the games that are in the lake: all games of the regular seasons 2022-23 and
2023-24 (`python benchmarks/gold.py weights` counts them again).
"""

from collections.abc import Mapping

import polars as pl

LEADS = (-3, -2, -1, 0, 1, 2, 3)
ATTEMPT_WEIGHTS = {"home": (0.886, 0.899, 0.923, 0.973, 1.036, 1.064, 1.109),
            "away": (1.147, 1.127, 1.091, 1.028, 0.967, 0.943, 0.911)}  # fmt: skip
UNBLOCKED_WEIGHTS = {"home": (0.905, 0.916, 0.933, 0.973, 1.016, 1.050, 1.076),
             "away": (1.118, 1.101, 1.078, 1.028, 0.984, 0.955, 0.934)}  # fmt: skip


def adjust_for_score(weights: Mapping[str, tuple[float, ...]]) -> pl.Expr:
    """Return what an attempt counts, by the home team's lead before it; 1 but at five on five."""
    lead = (pl.col("home_score_before") - pl.col("away_score_before")).clip(LEADS[0], LEADS[-1])
    home, away = (lead.replace_strict(LEADS, weights[side], return_dtype=pl.Float64, default=None) for side in weights)
    own = pl.when("is_home").then(home).otherwise(away)
    return pl.when((pl.col("situation") == "5on5").fill_null(value=False)).then(own).otherwise(1.0)
