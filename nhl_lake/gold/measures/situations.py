"""The situations of gold tables: 5on5, 5on4, 4on5, other, and all together."""

from collections.abc import Iterable, Sequence

import polars as pl
from polars import selectors

from nhl_lake.hockey import strength
from nhl_lake.schema.table import Column

ALL_SITUATIONS, EVEN_SITUATION, OTHER_SITUATION = "all", "5on5", "other"
MIRRORED_SITUATIONS = {"5on4": "4on5", "4on5": "5on4"}
# names of shares, and the counts that they are of
SHARE_COUNTS = {"goal": "goals", "unblocked_attempt": "unblocked_attempts", "attempt": "attempts", "xg": "xg"}

situation = Column(
    "situation",
    pl.String,
    "Own skaters on the opponent's, with both goalies in; other is everything else or unknown; all is the total",
    values=(ALL_SITUATIONS, *strength.SITUATIONS),
)


def mirror_situation() -> pl.Expr:
    """Return the situation from the opponent's view."""
    return pl.col("situation").replace(MIRRORED_SITUATIONS)


def orient_situation() -> pl.Expr:
    """Return the situation of an event from the view of the row's team, the acting team or its opponent."""
    own = pl.when(pl.col("team_id") == pl.col("acting_team_id")).then("situation").otherwise(mirror_situation())
    return own.fill_null(OTHER_SITUATION)


def expand_situations(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Repeat each row for every situation except `all`."""
    return rows.join(pl.LazyFrame({"situation": strength.SITUATIONS}), how="cross")


def add_all_situations(rows: pl.LazyFrame, key: Sequence[str], counts: Sequence[str]) -> pl.LazyFrame:
    """Add a row over all situations for each key. A count that is null in one situation is null in `all`."""
    sums = (pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()) for name in counts)
    same = pl.all().exclude(*key, *counts, "situation").first()
    totals = rows.group_by(key).agg(same, *sums, pl.lit(ALL_SITUATIONS).alias("situation"))
    return round_sums(pl.concat([rows, totals], how="diagonal_relaxed"), counts)


def round_sums(rows: pl.LazyFrame, names: Iterable[str]) -> pl.LazyFrame:
    """Round sums of weights and of xG to their five decimals, so that the order of addition does not show."""
    return rows.with_columns((selectors.float() & selectors.by_name(*names)).round(5))


def compute_share(one: str, other: str) -> pl.Expr:
    """Return the first count as a share of both; null if both are 0."""
    both = pl.col(one) + pl.col(other)
    return pl.when(both > 0).then(pl.col(one) / both)
