"""What a table's function looks at: the columns of each table that it reads."""

from collections.abc import Iterator
from functools import cache

import polars as pl
from polars.io.plugins import register_io_source

from nhl_lake.schema.table import Table


@cache
def find_required_columns(table: Table) -> tuple[tuple[str, ...], ...]:
    """Return the columns of each table that a table reads which its function looks at, and the one that it goes by.

    Polars tells: the function is run on tables without rows, of which it asks for the columns that the plan needs. What
    it never gets to, for want of rows, it does not ask for: a law over the catalogue holds this against the plans.
    """
    asked: list[set[str]] = [{str(table.chunk_key), read.key[0]} for read in table.inputs]
    frames = [track_requested_columns(read, names) for read, names in zip(table.inputs, asked, strict=True)]
    found = table.build(*frames)
    found.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect()
    return tuple(
        tuple(name for name in read.schema if name in names) for read, names in zip(table.inputs, asked, strict=True)
    )


def track_requested_columns(table: Table, asked: set[str]) -> pl.LazyFrame:
    """Return a table without rows that notes which of its columns are asked for."""

    def rows(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        asked.update(table.schema if columns is None else columns)
        yield pl.DataFrame(schema=table.schema).select(columns or pl.all())

    return register_io_source(rows, schema=table.schema, is_pure=True)


def fill_unread_columns(table: Table, rows: pl.DataFrame) -> pl.LazyFrame:
    """Give rows back the columns that were not read, unknown: nobody looks at them."""
    return rows.lazy().select(
        pl.col(name) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in table.schema.items()
    )
