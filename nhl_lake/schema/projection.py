"""Required columns: the columns of its inputs that a table's function reads."""

from collections.abc import Iterator
from functools import cache

import polars as pl
from polars.io.plugins import register_io_source

from nhl_lake.schema.table import Table


@cache
def find_required_columns(table: Table) -> tuple[tuple[str, ...], ...]:
    """Return, for each input of a table, the columns that its function reads, and the chunk key.

    The function runs once on inputs without rows, which record the columns that Polars requests. Code that only runs on
    rows is not seen here, so a test of every table compares the result with the query plans.
    """
    requested: list[set[str]] = [{str(table.chunk_key), read.key[0]} for read in table.inputs]
    frames = [track_requested_columns(read, names) for read, names in zip(table.inputs, requested, strict=True)]
    built = table.build(*frames)
    built.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect()
    return tuple(
        tuple(name for name in read.schema if name in names)
        for read, names in zip(table.inputs, requested, strict=True)
    )


def track_requested_columns(table: Table, requested: set[str]) -> pl.LazyFrame:
    """Return a table without rows that adds the columns that are requested from it to `requested`."""

    def rows(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        requested.update(table.schema if columns is None else columns)
        yield pl.DataFrame(schema=table.schema).select(columns or pl.all())

    return register_io_source(rows, schema=table.schema, is_pure=True)


def fill_unread_columns(table: Table, rows: pl.DataFrame) -> pl.LazyFrame:
    """Add the columns that were not read, as null: no function uses them."""
    return rows.lazy().select(
        pl.col(name) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in table.schema.items()
    )
