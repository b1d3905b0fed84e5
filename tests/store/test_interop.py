"""Other programs read the lake's tables: rules for Spark and Databricks, and reads by DuckDB, pandas and Arrow.

What cannot be had from the package index (Spark's Delta jars) stands in docs/how-to/other-programs.md with the line
that opens a table; benchmarks/readers.py tries readers that are too large to be installed for the tests.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import arro3.io
import duckdb
import polars as pl
import pytest
from arro3.core import DataType, Field
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.bronze.endpoints import PLAYERS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.maintenance import compaction
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from tests.support import lakes

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
# of Delta's own words, those that stand in its documentation: Spark refuses to write a table that says others
SETTINGS = {
    "delta.appendOnly",
    "delta.checkpointInterval",
    "delta.dataSkippingStatsColumns",
    "delta.deletedFileRetentionDuration",
    "delta.logRetentionDuration",
}
SIMPLE = {"string", "long", "integer", "short", "double", "boolean", "date", "timestamp"}

every_table = pytest.mark.parametrize("table", catalog.TABLES, ids=lambda table: table.name)


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its reader of Delta tables, which is Delta's own kernel and comes from a Python package."""
    found = find_spec("duckdb_extension_delta")
    if found is None:
        pytest.skip("DuckDB's reader of Delta tables is packed for Linux on x86-64 only")
    assert found.submodule_search_locations
    (extension,) = Path(found.submodule_search_locations[0]).rglob("delta.duckdb_extension")
    config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"LOAD '{extension}'")
        yield connection


def types(fields: Any) -> Iterator[Any]:
    """Yield the Delta types of fields, at any depth."""
    for field in fields:
        kind = field.type
        while hasattr(kind, "element_type"):
            kind = kind.element_type
        if hasattr(kind, "fields"):
            yield from types(kind.fields)
        else:
            yield kind.type


def has_views(field: Field) -> bool:
    """Return whether a field, at any depth, is a string view, which only some readers know."""
    kind = field.type
    inner = [kind.value_field] if DataType.is_list(kind) or DataType.is_large_list(kind) else []
    inner += kind.fields if DataType.is_struct(kind) else []
    is_view = DataType.is_string_view(kind) or DataType.is_binary_view(kind)
    return is_view or any(has_views(one) for one in inner)


def written_as_views(folder: Path) -> list[str]:
    """Return the columns that a table's files store as string views."""
    return [
        field.name
        for file in DeltaTable(folder).file_uris()
        for field in arro3.io.read_parquet(file).schema
        if has_views(field)
    ]


@every_table
def test_table_needs_only_the_first_reader_version(league_lake: Path, table: Table):
    asked = DeltaTable(lakes.locate_table(league_lake, table)).protocol()

    assert (asked.min_reader_version, asked.min_writer_version) == (1, 2)
    assert not asked.reader_features
    assert not asked.writer_features


@every_table
def test_table_has_types_and_settings_that_every_reader_knows(league_lake: Path, table: Table):
    delta = DeltaTable(lakes.locate_table(league_lake, table))

    assert set(types(delta.schema().fields)) <= SIMPLE
    assert set(delta.metadata().configuration) <= SETTINGS


@every_table
def test_files_store_plain_strings(league_lake: Path, table: Table):
    assert written_as_views(lakes.locate_table(league_lake, table)) == []


def test_check_for_string_views_looks_at_any_depth(tmp_path: Path):
    rows = pl.DataFrame({"deep": [[{"texts": ["a"]}]], "text": ["a"], "number": [1]})
    rows.write_delta(str(tmp_path / "table"))

    assert written_as_views(tmp_path / "table") == ["deep", "text"]


def players(*numbers: int, body: str) -> pl.DataFrame:
    """Return pages of players."""
    about = {"fetched_at": NOW, "url": "u", "sha256": body, "run_id": "r", "body_bytes": len(body), "body": body}
    return pl.DataFrame([{"player_id": n, **about} for n in numbers], schema=PLAYERS.schema)


def test_strings_stay_plain_after_append_merge_replace_and_compaction(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [PLAYERS, SKATER_GAME])
    folder = lakes.locate_table(tmp_path, PLAYERS)

    def keep(rows: pl.DataFrame) -> None:
        delta_tables.store_pages(tmp_path, PLAYERS, rows, lambda a, b: a == b)
        assert written_as_views(folder) == []

    keep(players(1, 2, 3, body="was"))
    keep(players(2, body="is"))
    for number in range(4, 20):
        keep(players(number, body="new"))
    files = len(DeltaTable(folder).file_uris())
    compaction.compact_crowded_tables(tmp_path, [PLAYERS])

    assert len(DeltaTable(folder).file_uris()) < files
    assert written_as_views(folder) == []
    assert dict(lakes.read_rows(tmp_path, PLAYERS).sort("player_id").select("player_id", "body").rows()) == {
        1: "was", 2: "is", 3: "was", **dict.fromkeys(range(4, 20), "new"),
    }  # fmt: skip

    text = {name: "x" if dtype == pl.String else None for name, dtype in SKATER_GAME.schema.items()}
    games = pl.DataFrame([text | {"season": 20252026}] * 2, schema=SKATER_GAME.schema)
    for where in (None, "season = 20252026"):
        delta_tables.replace_rows(tmp_path, SKATER_GAME, games, where=where, metadata={})
        assert written_as_views(lakes.locate_table(tmp_path, SKATER_GAME)) == []


def sorted_alike(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """Sort columns and rows."""
    flat = [name for name, dtype in like.schema.items() if not dtype.is_nested()]
    return rows.select(like.columns).sort(flat, nulls_last=True)


@every_table
def test_duckdb_reads_what_polars_reads(league_lake: Path, duck: duckdb.DuckDBPyConnection, table: Table):
    folder = lakes.locate_table(league_lake, table)
    ours = lakes.read_rows(league_lake, table)

    theirs = pl.DataFrame(duck.sql(f"FROM delta_scan('{folder}')"))

    instants = pl.selectors.datetime().dt.convert_time_zone("UTC")
    theirs = theirs.with_columns(instants)
    assert_frame_equal(sorted_alike(theirs, ours), sorted_alike(ours, ours), check_exact=True)


def test_pandas_reads_the_rows_through_duckdb(league_lake: Path, duck: duckdb.DuckDBPyConnection):
    pytest.importorskip("pandas", reason="pandas is a development tool: pip install -e .[dev]")
    ours = lakes.read_rows(league_lake, SKATER_GAME)

    theirs = duck.sql(f"FROM delta_scan('{lakes.locate_table(league_lake, SKATER_GAME)}')").df()

    assert len(theirs) == ours.height
    assert theirs["goals"].sum() == ours["goals"].sum()
    assert sorted(theirs["player_id"]) == ours["player_id"].sort().to_list()


@every_table
def test_arrow_reads_every_file_with_the_types_of_the_log(league_lake: Path, table: Table):
    delta = DeltaTable(lakes.locate_table(league_lake, table))
    rows = 0
    for file in delta.file_uris():
        found = arro3.io.read_parquet(file).read_all()
        schema = pl.DataFrame(found).schema
        assert dict(schema) == {name: dtype for name, dtype in table.schema.items() if name != table.partition}
        rows += found.num_rows

    assert rows == lakes.read_rows(league_lake, table).height
