"""Calibration: how often what was predicted came true, in bands of the prediction."""

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

XG, GAME = "xg", "game"
BANDS, MIN_BAND = 10, 30  # a band of fewer predictions says little
Z_95 = 1.959964  # of the normal distribution: a 95 % interval


def read_calibration(root: Location, of: str = XG, season: int | None = None) -> pl.DataFrame:
    """One row per band of predictions, at most ten of equal size; see `count_bands`. By default of all regular seasons.

    of: "xg", the goals of unblocked attempts; or "game", the home wins by the probability before the game, without the
    seasons that its model has no probability for.
    """
    if of == XG:
        rows = delta_tables.scan_table(root, find_table("gold.shots")).filter(
            "is_unblocked_attempt", ~pl.col("is_penalty_shot"), pl.col("game_type") == REGULAR_SEASON
        )
        pairs = rows.select("season", predicted="xg", is_true="is_goal")
    elif of == GAME:
        rows = delta_tables.scan_table(root, find_table("gold.game_features"))
        rows = rows.filter(pl.col("game_type") == REGULAR_SEASON, ~pl.col("is_upcoming"))
        pairs = rows.select("season", predicted="home_win_probability", is_true="is_home_win")
    else:
        raise BadInput(f"There is no prediction '{of}'.", "There are 'xg' (goals) and 'game' (home wins).")
    chosen = pairs if season is None else pairs.filter(season=season)
    return count_bands(chosen.drop_nulls().collect())


def count_bands(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return up to ten bands of about equal size, of 30 predictions or more, the lowest predictions first.

    pairs: predicted and is_true. Columns: band, count, predicted (mean), observed (share of `is_true`), low and high:
    the ends of Wilson's 95 % interval of the observed share.
    """
    bands = max(1, min(BANDS, pairs.height // MIN_BAND))
    band = ((pl.col("predicted").rank("average") - 0.5) * bands / pl.len()).floor()  # equal ones are in one band
    n, p = pl.col("count"), pl.col("observed")
    middle, spread = p + Z_95**2 / (2 * n), Z_95 * (p * (1 - p) / n + Z_95**2 / (4 * n**2)).sqrt()
    return (
        pairs.with_columns(band=band.cast(pl.Int32))
        .group_by("band")
        .agg(count=pl.len(), predicted=pl.col("predicted").mean().round(9), observed=pl.col("is_true").mean())
        .sort("band")
        .with_columns(low=(middle - spread) / (1 + Z_95**2 / n), high=(middle + spread) / (1 + Z_95**2 / n))
    )
