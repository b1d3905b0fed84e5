"""The situations that gold counts by: three of them, all others in one, and everything together."""

from collections.abc import Iterable, Sequence

import polars as pl
from polars import selectors

from nhl_lake.hockey import strength
from nhl_lake.schema.table import Column

ALL_SITUATIONS, OTHER_SITUATION = "all", "other"
MIRRORED_SITUATIONS = {"5on4": "4on5", "4on5": "5on4"}

situation = Column(
    "situation",
    pl.String,
    "Own skaters on the others', with both goalies in; other is anything else, and what is not known; all is all",
    values=(ALL_SITUATIONS, *strength.SITUATIONS),
)


def mirror_situation() -> pl.Expr:
    """Return the situation as the other team has it."""
    return pl.col("situation").replace(MIRRORED_SITUATIONS)


def orient_situation() -> pl.Expr:
    """Return the situation of an event as the team of a row has it, be it the acting team or the other one."""
    own = pl.when(pl.col("team_id") == pl.col("acting_team_id")).then("situation").otherwise(mirror_situation())
    return own.fill_null(OTHER_SITUATION)


def expand_situations(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Give each row one of every situation, but for all together."""
    return rows.join(pl.LazyFrame({"situation": strength.SITUATIONS}), how="cross")


def add_all_situations(rows: pl.LazyFrame, key: Sequence[str], counts: Sequence[str]) -> pl.LazyFrame:
    """Add a row over all situations to those of each key. What is not known of one of them is not known of all."""
    whole = (pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()) for name in counts)
    same = pl.all().exclude(*key, *counts, "situation").first()
    together = rows.group_by(key).agg(same, *whole, pl.lit(ALL_SITUATIONS).alias("situation"))
    return round_sums(pl.concat([rows, together], how="diagonal_relaxed"), counts)


def round_sums(rows: pl.LazyFrame, names: Iterable[str]) -> pl.LazyFrame:
    """Round sums of weights, which have three decimals: in their last digits stands in which order they were added."""
    return rows.with_columns((selectors.float() & selectors.by_name(*names)).round(3))


def compute_share(one: str, other: str) -> pl.Expr:
    """Return the first count as a share of both; null where there is neither."""
    both = pl.col(one) + pl.col(other)
    return pl.when(both > 0).then(pl.col(one) / both)
