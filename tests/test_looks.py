"""Of what a table is made, only the columns are read that its function looks at."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog, columns, looks
from nhl_lake.table import Column, Table

PEOPLE = Table(
    name="silver.people",
    grain="one person",
    key=("player_id",),
    columns=(columns.player_id, columns.first_name, columns.last_name, Column("age", pl.Int64, "Years", "years")),
    source=None,
    partition=None,
)


def names(people: pl.LazyFrame) -> pl.LazyFrame:
    older = people.filter(pl.col("age") > 20)
    return older.select("player_id", "first_name").join(people.select("player_id"), on="player_id")


def reader(source, *, by: str | None = "player_id") -> Table:
    return Table(
        name="gold.names",
        grain="one name",
        key=("player_id",),
        columns=(columns.player_id, columns.first_name),
        source=source,
        reads=(PEOPLE,),
        by=by,
        partition=None,
    )


def test_the_columns_that_a_function_looks_at_are_found_in_order():
    assert looks.columns_of(reader(names)) == (("player_id", "first_name", "age"),)


def test_the_key_is_read_also_where_rows_are_only_counted():
    def counted(people: pl.LazyFrame) -> pl.LazyFrame:
        return people.select(player_id=pl.len().cast(pl.Int64), first_name=pl.lit("all"))

    assert looks.columns_of(reader(counted, by=None)) == (("player_id",),)


def test_what_is_not_read_is_there_and_unknown():
    rows = pl.DataFrame({"player_id": [1], "age": [30]}, schema_overrides={"player_id": pl.Int64})
    found = looks.whole(PEOPLE, rows).collect()
    assert found.schema == PEOPLE.schema
    assert found.rows() == [(1, None, None, 30)]


@pytest.mark.parametrize("table", [t for t in catalog.in_order() if t.reads], ids=lambda table: table.name)
def test_every_table_runs_on_what_it_looks_at(table: Table):
    frames = [
        looks.whole(read, pl.DataFrame(schema=read.schema).select(names))
        for read, names in zip(table.reads, looks.columns_of(table), strict=True)
    ]
    found = table.build(*frames, *([looks.ANY_DAY] if table.of_day else [])).collect()
    assert_frame_equal(found.cast(dict(table.schema)), pl.DataFrame(schema=table.schema), check_column_order=False)
