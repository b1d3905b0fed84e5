"""DuckDB files: views over the lake's current data files, or copies of its tables.

The file is of a version that DuckDB reads since 1.0: that of the library here would close it to older programs.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from nhl_lake.errors import LakeError
from nhl_lake.queries.moneypuck import VIEWS, Named
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Bucket, Place

if TYPE_CHECKING:
    import duckdb

READ_SINCE = "v1.0.0"
TYPES = {
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
    pl.String: "VARCHAR",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
}


def views(root: Place, file: Path, tables: Sequence[Table]) -> Iterator[tuple[Named, int]]:
    """Write a view a table over the files that it has now; the columns in their order. Then those that read them."""
    if isinstance(root, Bucket):
        raise LakeError(
            f"The lake is in a bucket ({root}): DuckDB reads one only with an extension of its own.",
            "`nhl-lake export TABLE --format duckdb --to lake.duckdb` copies tables into a file.",
        )
    connection = opened(file)
    for table in tables:
        files, schema = (
            delta_tables.handle(root.absolute(), table).file_uris(),
            delta_tables.scan(root, table).collect_schema(),
        )
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
        connection.execute(f"CREATE VIEW {table.name} AS {over(files, schema)}")
        connection.execute(f"COMMENT ON VIEW {table.name} IS {text(f'One row is {table.grain}.')}")
        yield table, delta_tables.size(root, table)["rows"]
    for view in VIEWS:
        if set(view.reads) <= set(tables):
            connection.execute(f"CREATE VIEW {view.name} AS {view.sql}")
            connection.execute(f"COMMENT ON VIEW {view.name} IS {text(f'One row is {view.grain}.')}")
            yield view, counted(connection, view)
    connection.close()


def counted(connection: "duckdb.DuckDBPyConnection", table: Named) -> int:
    """Count rows."""
    found = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
    return found[0] if found else 0


def over(files: Sequence[str], schema: pl.Schema) -> str:
    """Return the question that a view asks; of a table without files one that has no rows."""
    if not files:
        nothing = ", ".join(f'NULL::{type_of(dtype)} AS "{name}"' for name, dtype in schema.items())
        return f"SELECT {nothing} WHERE false"
    names = ", ".join(f'"{name}"::{type_of(dtype)} AS "{name}"' for name, dtype in schema.items())
    listed = ", ".join(text(file) for file in files)
    # the season stands in the paths only; a column that came later is not in old files
    return f"SELECT {names} FROM read_parquet([{listed}], hive_partitioning = true, union_by_name = true)"


def copies(file: Path, tables: Sequence[Named], rows: Callable[[Named], pl.LazyFrame]) -> Iterator[tuple[Named, int]]:
    """Write a table for each, by way of a Parquet file: wherever the lake is, DuckDB reads that without extensions."""
    connection = opened(file)
    passing = file.with_suffix(".passing")
    try:
        for table in tables:
            rows(table).sink_parquet(passing)
            if isinstance(table, Table):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.layer}")
            connection.execute(f"CREATE TABLE {table.name} AS FROM read_parquet({text(str(passing))})")
            yield table, counted(connection, table)
    finally:
        passing.unlink(missing_ok=True)
        connection.close()


def opened(file: Path) -> "duckdb.DuckDBPyConnection":
    """Make a DuckDB file."""
    try:
        import duckdb  # noqa: PLC0415 - 24 MB that only these two commands need: an extra
    except ModuleNotFoundError as error:
        raise LakeError(
            "DuckDB is not installed.", "pip install 'nhl-lake[duckdb]'; `nhl-lake sql` does without."
        ) from error
    connection = duckdb.connect()
    connection.execute(f"ATTACH {text(str(file))} AS made (STORAGE_VERSION '{READ_SINCE}')")
    connection.execute("USE made")
    return connection


def type_of(dtype: object) -> str:
    """Return DuckDB's name of a type."""
    if isinstance(dtype, pl.List):
        return f"{type_of(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        fields = ", ".join(f'"{field.name}" {type_of(field.dtype)}' for field in dtype.fields)
        return f"STRUCT({fields})"
    base = dtype.base_type() if isinstance(dtype, pl.DataType) else dtype
    return next(name for kind, name in TYPES.items() if kind is base)


def text(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
