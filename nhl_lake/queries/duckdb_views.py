"""DuckDB files: views over the lake's current data files, or copies of its tables.

Files have storage version 1.0, which every DuckDB since 1.0 reads.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from nhl_lake.errors import LakeError
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Bucket, Location

if TYPE_CHECKING:
    import duckdb

    from nhl_lake.queries.moneypuck import TableOrView

STORAGE_VERSION = "v1.0.0"
DUCKDB_TYPES = {
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.String: "VARCHAR",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
}


def create_views(root: Location, file: Path, tables: Sequence[Table]) -> "Iterator[tuple[TableOrView, int]]":
    """Write one view per table over its current files, then the views that read those tables."""
    if isinstance(root, Bucket):
        raise LakeError(
            f"The lake is in a bucket ({root}): DuckDB needs an extension to read one.",
            "`nhl-lake export TABLE --format duckdb --to lake.duckdb` copies tables into a file.",
        )
    connection = create_database(file)
    for table in tables:
        files, schema = (
            delta_tables.open_table(root.absolute(), table).file_uris(),
            delta_tables.scan_table(root, table).collect_schema(),
        )
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
        connection.execute(f"CREATE VIEW {table.name} AS {format_view_query(files, schema)}")
        connection.execute(f"COMMENT ON VIEW {table.name} IS {quote_text(f'One row is {table.grain}.')}")
        yield table, delta_tables.read_table_size(root, table)["rows"]
    from nhl_lake.queries.moneypuck import VIEWS

    for view in VIEWS:
        if set(view.inputs) <= set(tables):
            connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
            connection.execute(f"COMMENT ON VIEW {view.name} IS {quote_text(f'One row is {view.grain}.')}")
            yield view, count_rows(connection, view)
    connection.close()


def count_rows(connection: "duckdb.DuckDBPyConnection", table: "TableOrView") -> int:
    """Return the number of rows of a table or view."""
    found = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
    return found[0] if found else 0


def format_view_query(files: Sequence[str], schema: pl.Schema) -> str:
    """Return the query of a view; for a table without files, a query without rows."""
    if not files:
        nothing = ", ".join(f'NULL::{format_type(dtype)} AS "{name}"' for name, dtype in schema.items())
        return f"SELECT {nothing} WHERE false"
    names = ", ".join(f'"{name}"::{format_type(dtype)} AS "{name}"' for name, dtype in schema.items())
    listed = ", ".join(quote_text(file) for file in files)
    # only the paths have the season; old files lack columns that were added later
    return f"SELECT {names} FROM read_parquet([{listed}], hive_partitioning = true, union_by_name = true)"


def copy_tables(
    file: Path, tables: "Sequence[TableOrView]", rows: "Callable[[TableOrView], pl.LazyFrame]"
) -> "Iterator[tuple[TableOrView, int]]":
    """Copy tables through a Parquet file each, which DuckDB reads without extensions wherever the lake is."""
    connection = create_database(file)
    temporary = file.with_suffix(".temporary")
    try:
        for table in tables:
            rows(table).sink_parquet(temporary)
            if isinstance(table, Table):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
            connection.execute(f"CREATE TABLE {table.name} AS FROM read_parquet({quote_text(str(temporary))})")
            yield table, count_rows(connection, table)
    finally:
        temporary.unlink(missing_ok=True)
        connection.close()


def create_database(file: Path) -> "duckdb.DuckDBPyConnection":
    """Create a DuckDB file and return a connection to it."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise LakeError(
            "DuckDB is not installed.", "Run `pip install 'nhl-lake[duckdb]'`. `nhl-lake sql` needs no DuckDB."
        ) from error
    connection = duckdb.connect()
    connection.execute(f"ATTACH {quote_text(str(file))} AS target (STORAGE_VERSION '{STORAGE_VERSION}')")
    connection.execute("USE target")
    return connection


def format_type(dtype: object) -> str:
    """Return the DuckDB type of a Polars type."""
    if isinstance(dtype, pl.List):
        return f"{format_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        fields = ", ".join(f'"{field.name}" {format_type(field.dtype)}' for field in dtype.fields)
        return f"STRUCT({fields})"
    base = dtype.base_type() if isinstance(dtype, pl.DataType) else dtype
    return next(name for kind, name in DUCKDB_TYPES.items() if kind is base)


def quote_text(value: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"
