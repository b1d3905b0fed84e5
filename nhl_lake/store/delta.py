"""Delta settings of the lake's tables: properties, Parquet options, the schema check and commit transactions."""

from collections.abc import Mapping

import polars as pl
from arro3.core import DataType, Field, Schema
from arro3.core import Table as Arrow
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
)

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema.table import Table

DELTA_LOG = "_delta_log"
APP_ID = "nhl-lake"
COMMIT_TOKEN = "nhl-lake.mark"  # commit metadata key: identifies the writer of a commit to a bucket
POST_COMMIT = PostCommitHookProperties(cleanup_expired_logs=False)  # `nhl-lake maintain` cleans up logs
STATS_COLUMNS = {"season", "game_id", "game_date", "fetched_at", "player_id", "team_id", "team_abbrev", "run_id"}

# ZSTD turns the truncation of string statistics off, and the log would hold a page of 200 KB twice: set it again.
# A higher level takes more time and saves no space on such similar pages. Bodies are unique and never filtered on.
BODY_PROPERTIES = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
MAX_STATS_LENGTH = 64
WRITER_PROPERTIES = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    statistics_truncate_length=MAX_STATS_LENGTH,
    column_properties={"body": BODY_PROPERTIES},
)


def get_table_properties(table: Table) -> dict[str, str | None]:
    """Return the Delta settings of a table."""
    return {
        "delta.appendOnly": str(table.is_append_only).lower(),
        # without the word "interval" Delta silently uses 30 days
        "delta.logRetentionDuration": "interval 3650 days",
        "delta.deletedFileRetentionDuration": "interval 90 days",
        "delta.checkpointInterval": "20",
        "delta.dataSkippingStatsColumns": ",".join(list_stats_columns(table)),
    }


def list_stats_columns(table: Table) -> list[str]:
    """Return the columns for which the log stores the minimum and maximum of each file."""
    return [name for name in table.schema.names() if name in STATS_COLUMNS | set(table.key)]


def require_schema(table: Table, rows: pl.DataFrame) -> None:
    """Raise if a frame differs from the declared schema: delta-rs would write 1.5 to an integer column as 1."""
    if rows.schema != table.schema:
        differences = [f"{n} {d}" for n, d in rows.schema.items() if table.schema.get(n) != d]
        differences += [f"no {n}" for n in table.schema if n not in rows.schema]
        raise ValidationFailed(
            f"{table.name}: the frame differs from the declared schema: {', '.join(differences) or 'column order'}",
            "No changes were made. This is a bug in nhl-lake: please report it.",
        )


def to_arrow(rows: pl.DataFrame) -> Arrow:
    """Convert a frame to Arrow, with strings in the type that every reader supports.

    A Parquet file stores the Arrow schema. Polars exports string views, and some readers, such as Daft, reject those.
    """
    table = Arrow.from_arrow(rows)
    fields = [to_arrow_field(table.schema.field(n)) for n in range(table.num_columns)]
    columns = [column.cast(field) for column, field in zip(table.columns, fields, strict=True)]
    return Arrow.from_arrays(columns, schema=Schema(fields))


def to_arrow_field(field: Field) -> Field:
    """Convert a field: strings, at any depth, get the type that every reader supports."""
    data_type = field.type
    if DataType.is_string_view(data_type):
        data_type = DataType.large_utf8()
    elif DataType.is_large_list(data_type) and data_type.value_field is not None:
        data_type = DataType.large_list(to_arrow_field(data_type.value_field))
    elif DataType.is_struct(data_type):
        data_type = DataType.struct([to_arrow_field(inner) for inner in data_type.fields])
    return field.with_type(data_type)


def commit_name(version: int) -> str:
    """Return the path of a commit file in its table's folder."""
    return f"{DELTA_LOG}/{version:020d}.json"


def read_add_actions(delta: DeltaTable) -> pl.DataFrame:
    """Return the live data files of a table, one row per file, as in its log. May be empty."""
    return pl.DataFrame(delta.get_add_actions(flatten=True))


def list_live_files(delta: DeltaTable) -> dict[str, int]:
    """Return the live data files of a table and their sizes in bytes."""
    files = read_add_actions(delta)
    return dict(files.select("path", "size_bytes").iter_rows()) if files.height else {}


def make_commit_properties(delta: DeltaTable, metadata: Mapping[str, str] | None = None) -> CommitProperties:
    """Return commit properties with an application transaction: of two writers from one version, one conflicts.

    The number only has to be greater than the earlier ones; the next version is, so the log need not be read.
    """
    transaction = Transaction(APP_ID, delta.version() + 1)
    return CommitProperties(app_transactions=[transaction], custom_metadata=dict(metadata or {}))
