"""Data files: written by Polars, in half the time and memory that delta-rs takes, and described as the log has them.

Nobody sees a file until a commit names it; what a killed run leaves, `nhl-lake maintain` removes.
"""

import io
import json
import secrets
import time
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import polars as pl
from deltalake.transaction import AddAction

from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.delta import STATS_LENGTH, gate, plain, with_stats
from nhl_lake.store.handles import path
from nhl_lake.store.location import Place

ROW_GROUP = 2**18
LEVEL = 3  # of Polars' ZSTD: as large as what delta-rs writes at 1
PAGES_LEVEL = 1  # a higher one takes twice the time, and as much room: pages are that alike


class File(NamedTuple):
    """A data file in a table's folder that no commit names yet: its season, bytes, rows and statistics."""

    name: str
    part: str | None
    size: int
    rows: int
    stats: str


def write_file(root: Place, table: Table, rows: pl.DataFrame, part: str | None) -> File:
    """Write rows of one season of a table (None: of a table without seasons) into its folder, and describe the file."""
    gate(table, rows)
    folder = "" if part is None else f"{table.partition}={part}/"
    name = f"{folder}part-{secrets.token_hex(16)}-c000.zstd.parquet"
    body = io.BytesIO()
    kept = rows.select(names_in_file(table, part))
    kept.write_parquet(
        body,
        compression="zstd",
        compression_level=PAGES_LEVEL if "body" in table.schema else LEVEL,
        row_group_size=ROW_GROUP,
        arrow_schema=plain(kept.clear()).schema,
    )
    location.write(path(root, table), name, body.getvalue(), new=True)
    return File(name, part, body.getbuffer().nbytes, rows.height, stats(table, rows))


def names_in_file(table: Table, part: str | None) -> list[str]:
    """Return the columns that stand in a file: the season stands in its folder's name."""
    return [name for name in table.schema.names() if part is None or name != table.partition]


def stats(table: Table, rows: pl.DataFrame) -> str:
    """Return what the log says of a file: its rows, and of some columns the least, the greatest, how many are null."""
    names = [name for name in with_stats(table) if name != table.partition]
    some = rows.select(names)
    least = {name: said(some[name].min()) for name in names}
    most = {name: said(some[name].max()) for name in names}
    return json.dumps(
        {
            "numRecords": rows.height,
            "minValues": {name: value for name, value in least.items() if value is not None},
            # a greatest value that is cut would be wrong
            "maxValues": {name: v for name, v in most.items() if v is not None and len(str(v)) < STATS_LENGTH},
            "nullCount": {name: some[name].null_count() for name in names},
        }
    )


def said(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    """Return a value as the log has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return value[:STATS_LENGTH] if isinstance(value, str) else value


def action(table: Table, file: File) -> AddAction:
    """Return a file as the log has it."""
    of = {} if file.part is None else {str(table.partition): file.part}
    return AddAction(file.name, file.size, of, int(time.time() * 1000), True, file.stats)
