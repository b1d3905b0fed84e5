"""Adjustment of shot attempts for score effects and home ice at 5on5: leading teams shoot less, home teams more.

An attempt of the home team counts (H + A) / 2H and one of the away team (H + A) / 2A. H and A are the attempts of home
and away teams at the same lead of the home team; leads of three or more goals are one group. The weights are fixed, so
a game's numbers do not depend on which games are in the lake. They come from all games of the regular seasons 2022-23
and 2023-24 (`python benchmarks/gold.py weights` computes them again).
"""

from collections.abc import Mapping

import polars as pl

LEADS = (-3, -2, -1, 0, 1, 2, 3)
ATTEMPT_WEIGHTS = {"home": (0.886, 0.899, 0.923, 0.973, 1.036, 1.064, 1.109),
            "away": (1.147, 1.127, 1.091, 1.028, 0.967, 0.943, 0.911)}  # fmt: skip
UNBLOCKED_WEIGHTS = {"home": (0.905, 0.916, 0.933, 0.973, 1.016, 1.050, 1.076),
             "away": (1.118, 1.101, 1.078, 1.028, 0.984, 0.955, 0.934)}  # fmt: skip


def adjust_for_score(weights: Mapping[str, tuple[float, ...]]) -> pl.Expr:
    """Return the weight of an attempt by the home team's lead before it; 1 in other situations than 5on5."""
    lead = (pl.col("home_score_before") - pl.col("away_score_before")).clip(LEADS[0], LEADS[-1])
    home, away = (lead.replace_strict(LEADS, weights[side], return_dtype=pl.Float64, default=None) for side in weights)
    own = pl.when("is_home").then(home).otherwise(away)
    return pl.when((pl.col("situation") == "5on5").fill_null(value=False)).then(own).otherwise(1.0)
