"""Which pages are news: those that differ from the newest kept version of their key."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake.schema.table import Table

SameContent = Callable[[str, str], bool]


class StoreResult(NamedTuple):
    """What a batch of pages was to a bronze table: rows new, rows changed, and the keys of those unchanged."""

    new: int
    changed: int
    unchanged: pl.DataFrame


def find_new_versions(
    table: Table, rows: pl.DataFrame, stored: pl.LazyFrame, is_same: SameContent
) -> tuple[pl.DataFrame, StoreResult]:
    """Return the rows that are news to the table, and count what the batch was to it.

    A version is never older than the one that it replaces: where a clock was set back, it is counted on by 1 µs.
    """
    page = list(table.page_key)
    rows = rows.unique(page, keep="last", maintain_order=True)
    if table.partition == "season":
        stored = stored.filter(pl.col("season").is_in(rows["season"].unique().to_list()))
    # a postponed game's entry may say nothing of its day: the day that it stands under is content too
    day = "game_date" if "game_date" in table.schema and "game_date" not in page else None
    last = (
        stored.join(rows.lazy().select(page), on=page, how="semi")
        .select(*page, "fetched_at", last_sha="sha256", last_day=day or pl.lit(None, pl.Date))
        .sort("fetched_at")
        .unique(page, keep="last", maintain_order=True)
        .rename({"fetched_at": "last_at"})
        .collect()
    )
    rows = rows.join(last, on=page, how="left", maintain_order="left")
    is_new = pl.col("last_sha").is_null()
    is_moved = is_new.not_() & (pl.col(day).ne_missing(pl.col("last_day")) if day else pl.lit(value=False))
    new, moved = rows.filter(is_new), rows.filter(is_moved)
    other = rows.filter(is_new.not_() & is_moved.not_() & (pl.col("last_sha") != pl.col("sha256")))
    changed = pl.concat([moved, other if other.is_empty() else filter_changed_content(table, other, stored, is_same)])
    later = pl.max_horizontal("fetched_at", pl.col("last_at") + timedelta(microseconds=1))
    fresh = pl.concat([new, changed]).with_columns(fetched_at=later).select(table.schema.names())
    unchanged = rows.select(page).join(fresh.select(page), on=page, how="anti")
    return fresh, StoreResult(new.height, changed.height, unchanged)


def filter_changed_content(
    table: Table, rows: pl.DataFrame, stored: pl.LazyFrame, is_same: SameContent
) -> pl.DataFrame:
    """Leave the rows whose content, not only whose bytes, differs from the newest kept version."""
    page = list(table.page_key)
    old = (
        stored.join(rows.lazy().select(*page, fetched_at="last_at"), on=[*page, "fetched_at"], how="semi")
        .select(*page, was="body")
        .collect()
    )
    rows = rows.join(old, on=page, how="left", maintain_order="left")
    differs = [not is_same(was, body) for was, body in zip(rows["was"], rows["body"], strict=True)]
    return rows.filter(pl.Series(differs, dtype=pl.Boolean)).drop("was")


def normalize_content(body: str, volatile: frozenset[str]) -> str | bytes:
    """Return what a page says, without the keys that change while nothing happens; HTML is what it is."""
    if body.lstrip()[:1] not in {"{", "["}:
        return body
    # as text again, and not as objects: to Python true is 1
    return msgspec.json.encode(drop_keys(msgspec.json.decode(body), volatile), order="sorted")


def drop_keys(value: object, keys: frozenset[str]) -> object:
    """Leave keys out of a JSON value, at any depth."""
    if isinstance(value, dict):
        return {k: drop_keys(v, keys) for k, v in value.items() if k not in keys}
    if isinstance(value, list):
        return [drop_keys(v, keys) for v in value]
    return value
