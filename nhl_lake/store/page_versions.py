"""Find the pages that differ from the newest stored version of their key."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake.schema.table import Table

SameContent = Callable[[str, str], bool]


class StoreResult(NamedTuple):
    """The result of storing a batch of pages: counts of new and changed pages, and keys of unchanged ones."""

    new: int
    changed: int
    unchanged: pl.DataFrame


def find_new_versions(
    table: Table, rows: pl.DataFrame, stored: pl.LazyFrame, is_same: SameContent
) -> tuple[pl.DataFrame, StoreResult]:
    """Return the new and changed rows of a batch, and the counts.

    A version is never older than the one it replaces: if the clock was set back, it gets the old time plus 1 µs.
    """
    page_key = list(table.page_key)
    rows = rows.unique(page_key, keep="last", maintain_order=True)
    if table.partition == "season":
        stored = stored.filter(pl.col("season").is_in(rows["season"].unique().to_list()))
    # a postponed game's entry may lack its day, so the day under which the schedule lists it is content too
    day = "game_date" if "game_date" in table.schema and "game_date" not in page_key else None
    last = (
        stored.join(rows.lazy().select(page_key), on=page_key, how="semi")
        .select(*page_key, "fetched_at", last_sha="sha256", last_day=day or pl.lit(None, pl.Date))
        .sort("fetched_at")
        .unique(page_key, keep="last", maintain_order=True)
        .rename({"fetched_at": "last_at"})
        .collect()
    )
    rows = rows.join(last, on=page_key, how="left", maintain_order="left")
    is_new = pl.col("last_sha").is_null()
    is_rescheduled = is_new.not_() & (pl.col(day).ne_missing(pl.col("last_day")) if day else pl.lit(value=False))
    new, rescheduled = rows.filter(is_new), rows.filter(is_rescheduled)
    different = rows.filter(is_new.not_() & is_rescheduled.not_() & (pl.col("last_sha") != pl.col("sha256")))
    changed = pl.concat(
        [rescheduled, different if different.is_empty() else filter_changed_content(table, different, stored, is_same)]
    )
    fetched_at = pl.max_horizontal("fetched_at", pl.col("last_at") + timedelta(microseconds=1))
    to_store = pl.concat([new, changed]).with_columns(fetched_at=fetched_at).select(table.schema.names())
    unchanged = rows.select(page_key).join(to_store.select(page_key), on=page_key, how="anti")
    return to_store, StoreResult(new.height, changed.height, unchanged)


def filter_changed_content(
    table: Table, rows: pl.DataFrame, stored: pl.LazyFrame, is_same: SameContent
) -> pl.DataFrame:
    """Filter to the rows whose content, not only whose bytes, differs from the newest stored version."""
    page_key = list(table.page_key)
    old = (
        stored.join(rows.lazy().select(*page_key, fetched_at="last_at"), on=[*page_key, "fetched_at"], how="semi")
        .select(*page_key, stored_body="body")
        .collect()
    )
    rows = rows.join(old, on=page_key, how="left", maintain_order="left")
    differs = [not is_same(stored_body, body) for stored_body, body in rows.select("stored_body", "body").iter_rows()]
    return rows.filter(pl.Series(differs, dtype=pl.Boolean)).drop("stored_body")


def normalize_content(body: str, volatile: frozenset[str]) -> str | bytes:
    """Return a page's content without its volatile keys, for comparison. HTML is returned unchanged."""
    if body.lstrip()[:1] not in {"{", "["}:
        return body
    try:
        page = msgspec.json.decode(body)
    except msgspec.MsgspecError:  # stored by an older release, which did not look at every number
        return body
    # encoded again, because Python objects compare true and 1 as equal
    return msgspec.json.encode(drop_keys(page, volatile), order="sorted")


def drop_keys(value: object, keys: frozenset[str]) -> object:
    """Return a JSON value without some keys, at any depth."""
    if isinstance(value, dict):
        return {k: drop_keys(v, keys) for k, v in value.items() if k not in keys}
    if isinstance(value, list):
        return [drop_keys(v, keys) for v in value]
    return value
