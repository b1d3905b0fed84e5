"""Sections of pages: which columns of which table, for which rows, in which order; read in bulk and split by page."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


class Section(NamedTuple):
    """Where the rows of a section are: a table, its columns, the order of the rows, and which rows."""

    table: str
    columns: tuple[str, ...]
    order: tuple[str, ...] = ()
    descending: tuple[bool, ...] | bool = False
    where: pl.Expr | None = None


def plan_section(root: Location, section: Section, season: int, key: str, ids: Collection[int] | None) -> pl.LazyFrame:
    """Return the rows of a section in a season, in order: `key`, then its columns. `ids`: only these pages."""
    order = list_order(section)
    columns = list(dict.fromkeys((key, *section.columns)))
    rows = filter_section(root, section, season, key, ids)
    return rows.sort(key, *order, descending=flatten_order(section, len(order)), nulls_last=True).select(columns)


def scan_section(root: Location, section: Section, season: int, key: str) -> pl.LazyFrame:
    """Return the rows of a section in a season, in any order, with the columns that say the order."""
    columns = dict.fromkeys((key, *section.columns, *list_order(section)))
    return filter_section(root, section, season, key, None).select(list(columns))


def filter_section(
    root: Location, section: Section, season: int, key: str, ids: Collection[int] | None
) -> pl.LazyFrame:
    """Return the rows of the section's table that belong to it, with all columns."""
    rows = delta_tables.scan_table_or_empty(root, find_table(section.table)).filter(pl.col("season") == season)
    if ids is not None:
        rows = rows.filter(pl.col(key).is_in(sorted(ids)))
    return rows if section.where is None else rows.filter(section.where)


def list_order(section: Section) -> tuple[str, ...]:
    """Return the columns by which the rows of a page are sorted: those of the section, or else the table's key."""
    return section.order or find_table(section.table).key


def flatten_order(section: Section, count: int) -> list[bool]:
    """Return whether each column of the order descends; pages themselves ascend."""
    down = section.descending
    return [False, *([down] * count if isinstance(down, bool) else down)]


def read_sections(
    root: Location, sections: Mapping[str, Section], season: int, key: str, ids: Collection[int] | None = None
) -> dict[str, pl.DataFrame]:
    """Return the rows of several sections, each table read once."""
    plans = [plan_section(root, section, season, key, ids) for section in sections.values()]
    return dict(zip(sections, pl.collect_all(plans), strict=True))


def split_by_page(frames: Mapping[str, pl.DataFrame], key: str) -> dict[str, dict[int, pl.DataFrame]]:
    """Return the rows of each section by page, without the column of the page."""
    split = {}
    for name, rows in frames.items():
        parts = rows.partition_by(key, as_dict=True, include_key=False)
        split[name] = {int(str(page)): part for (page,), part in parts.items()}
    return split
