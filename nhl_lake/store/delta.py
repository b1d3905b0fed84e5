"""How tables of the lake look to Delta: their settings, their Parquet, the gate that frames pass, and the guard."""

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
COMMIT_TOKEN = "nhl-lake.mark"  # of a commit to a bucket, by which its writer knows it
POST_COMMIT = PostCommitHookProperties(cleanup_expired_logs=False)  # that is left to `nhl-lake maintain`
STATS_COLUMNS = {"season", "game_id", "game_date", "fetched_at", "player_id", "team_id", "team_abbrev", "run_id"}

# ZSTD switches the truncation of string statistics off, and a page of 200 KB stands twice in the log: set it again.
# A higher level takes more time, and no less room where pages are this alike; no page is looked up, or there twice.
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
        # without the word "interval" the value is taken and means 30 days
        "delta.logRetentionDuration": "interval 3650 days",
        "delta.deletedFileRetentionDuration": "interval 90 days",
        "delta.checkpointInterval": "20",
        "delta.dataSkippingStatsColumns": ",".join(list_stats_columns(table)),
    }


def list_stats_columns(table: Table) -> list[str]:
    """Return the columns of which the log says, file by file, what is the least and the greatest in them."""
    return [name for name in table.schema.names() if name in STATS_COLUMNS | set(table.key)]


def require_schema(table: Table, rows: pl.DataFrame) -> None:
    """Hold a frame against the declared schema: delta-rs would write 1.5 into an integer column as 1, silently."""
    if rows.schema != table.schema:
        wrong = [f"{n} {d}" for n, d in rows.schema.items() if table.schema.get(n) != d]
        wrong += [f"no {n}" for n in table.schema if n not in rows.schema]
        raise ValidationFailed(
            f"{table.name}: the frame differs from the declared schema: {', '.join(wrong) or 'order of columns'}",
            "Nothing was written. This is a defect of nhl-lake: please report it.",
        )


def to_arrow(rows: pl.DataFrame) -> Arrow:
    """Return a frame as Arrow, its texts of the type that every reader knows: a file says what it was written from.

    Polars hands over views of texts; Daft, for one, refuses a file that says so.
    """
    table = Arrow.from_arrow(rows)
    fields = [to_arrow_field(table.schema.field(n)) for n in range(table.num_columns)]
    columns = [column.cast(field) for column, field in zip(table.columns, fields, strict=True)]
    return Arrow.from_arrays(columns, schema=Schema(fields))


def to_arrow_field(field: Field) -> Field:
    """Return a field whose texts, at any depth, are of the type that every reader knows."""
    kind = field.type
    if DataType.is_string_view(kind):
        kind = DataType.large_utf8()
    elif DataType.is_large_list(kind) and kind.value_field is not None:
        kind = DataType.large_list(to_arrow_field(kind.value_field))
    elif DataType.is_struct(kind):
        kind = DataType.struct([to_arrow_field(inner) for inner in kind.fields])
    return field.with_type(kind)


def commit_name(version: int) -> str:
    """Return the name of a commit in its table's folder."""
    return f"{DELTA_LOG}/{version:020d}.json"


def read_add_actions(delta: DeltaTable) -> pl.DataFrame:
    """Return the live data files of a table, a row each, as its log describes them; of a table without any, nothing."""
    return pl.DataFrame(delta.get_add_actions(flatten=True))


def make_commit_properties(delta: DeltaTable, metadata: Mapping[str, str] | None = None) -> CommitProperties:
    """Return commit properties with a transaction of ours: of two writers from one version, one conflicts.

    Any number does that is greater than those before; what it was would be asked of the log.
    """
    turn = Transaction(APP_ID, delta.version() + 1)
    return CommitProperties(app_transactions=[turn], custom_metadata=dict(metadata or {}))
