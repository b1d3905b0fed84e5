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
from nhl_lake.store.delta import MAX_STATS_LENGTH, list_stats_columns, require_schema, to_arrow
from nhl_lake.store.handles import locate_table
from nhl_lake.store.location import Location

ROW_GROUP_SIZE = 2**18
COMPRESSION_LEVEL = 3  # of Polars' ZSTD: as large as what delta-rs writes at 1
PAGES_COMPRESSION_LEVEL = 1  # a higher one takes twice the time, and as much room: pages are that alike


class DataFile(NamedTuple):
    """A data file in a table's folder that no commit names yet: its season, bytes, rows and statistics."""

    name: str
    partition: str | None
    size: int
    rows: int
    stats: str


def write_data_file(root: Location, table: Table, rows: pl.DataFrame, partition: str | None) -> DataFile:
    """Write rows of one season of a table (None: of a table without seasons) into its folder, and describe the file."""
    require_schema(table, rows)
    folder = "" if partition is None else f"{table.partition}={partition}/"
    name = f"{folder}part-{secrets.token_hex(16)}-c000.zstd.parquet"
    body = io.BytesIO()
    kept = rows.select(list_file_columns(table, partition))
    kept.write_parquet(
        body,
        compression="zstd",
        compression_level=PAGES_COMPRESSION_LEVEL if "body" in table.schema else COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP_SIZE,
        arrow_schema=to_arrow(kept.clear()).schema,
    )
    location.write_file(locate_table(root, table), name, body.getvalue(), new=True)
    return DataFile(name, partition, body.getbuffer().nbytes, rows.height, collect_stats(table, rows))


def list_file_columns(table: Table, partition: str | None) -> list[str]:
    """Return the columns that stand in a file: the season stands in its folder's name."""
    return [name for name in table.schema.names() if partition is None or name != table.partition]


def collect_stats(table: Table, rows: pl.DataFrame) -> str:
    """Return what the log says of a file: its rows, and of some columns the least, the greatest, how many are null."""
    names = [name for name in list_stats_columns(table) if name != table.partition]
    some = rows.select(names)
    least = {name: to_stats_value(some[name].min()) for name in names}
    most = {name: to_stats_value(some[name].max()) for name in names}
    return json.dumps(
        {
            "numRecords": rows.height,
            "minValues": {name: value for name, value in least.items() if value is not None},
            # a greatest value that is cut would be wrong
            "maxValues": {name: v for name, v in most.items() if v is not None and len(str(v)) < MAX_STATS_LENGTH},
            "nullCount": {name: some[name].null_count() for name in names},
        }
    )


def to_stats_value(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    """Return a value as the log has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return value[:MAX_STATS_LENGTH] if isinstance(value, str) else value


def make_add_action(table: Table, file: DataFile) -> AddAction:
    """Return a file as the log has it."""
    of = {} if file.partition is None else {str(table.partition): file.partition}
    return AddAction(file.name, file.size, of, int(time.time() * 1000), True, file.stats)
