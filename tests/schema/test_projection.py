"""Tests of required columns: only the columns that a table's function reads are loaded."""

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.schema import columns, projection
from nhl_lake.schema.table import Column, Table

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


def reader(source) -> Table:
    return Table(
        name="gold.names",
        grain="one name",
        key=("player_id",),
        columns=(columns.player_id, columns.first_name),
        source=source,
        inputs=(PEOPLE,),
        chunk_key="player_id",
        partition=None,
    )


def test_required_columns_are_found_in_order():
    assert projection.find_required_columns(reader(names)) == (("player_id", "first_name", "age"),)


def test_key_is_read_even_if_rows_are_only_counted():
    def counted(people: pl.LazyFrame) -> pl.LazyFrame:
        return people.select(player_id=pl.len().cast(pl.Int64), first_name=pl.lit("all"))

    assert projection.find_required_columns(reader(counted)) == (("player_id",),)


def test_unread_columns_are_null():
    rows = pl.DataFrame({"player_id": [1], "age": [30]}, schema_overrides={"player_id": pl.Int64})
    found = projection.fill_unread_columns(PEOPLE, rows).collect()
    assert found.schema == PEOPLE.schema
    assert found.rows() == [(1, None, None, 30)]


APART = pytest.mark.parametrize(
    "table",
    [table for table in catalog.list_build_order() if not table.needs_day],
    ids=lambda table: table.name,
)


@APART
def test_no_plan_reads_more_than_the_required_columns(table: Table):
    """Held against the plans themselves, where it makes no difference what is run, and in which order."""
    rows = table.build(*(pl.LazyFrame(schema=read.schema) for read in table.inputs))
    needed = projections(rows.select(pl.col(column.name).cast(column.dtype) for column in table.columns))
    for read, names in zip(table.inputs, projection.find_required_columns(table), strict=True):
        assert needed.get(tuple(read.schema), set()) <= set(names), read.name


def projections(rows: pl.LazyFrame) -> dict[tuple[str, ...], set[str]]:
    """Return the columns that the optimised plan takes of each frame, by all the columns that the frame has."""
    nodes: Any = rows._ldf.visit()
    found: dict[tuple[str, ...], set[str]] = {}
    todo, visited = [nodes.get_node()], set()
    while todo:
        number = todo.pop()
        if number not in visited:
            visited.add(number)
            nodes.set_node(number)
            node = nodes.view_current_node()
            todo += nodes.get_inputs()
            if type(node).__name__ == "DataFrameScan":
                every = tuple(node.df.columns())
                found[every] = found.get(every, set()) | set(node.projection or every)
    return found


def test_unreachable_columns_are_detected_by_comparing_plans():
    def never(people: pl.LazyFrame) -> pl.LazyFrame:
        no_rows = people.select("player_id").filter(pl.lit(value=False)).cache()
        return no_rows.join(people.select("player_id", "first_name"), on="player_id")

    assert "first_name" in projections(never(pl.LazyFrame(schema=PEOPLE.schema)))[tuple(PEOPLE.schema)]


@APART
def test_every_table_builds_from_its_required_columns(table: Table):
    frames = [
        projection.fill_unread_columns(read, pl.DataFrame(schema=read.schema).select(names))
        for read, names in zip(table.inputs, projection.find_required_columns(table), strict=True)
    ]
    every = table.build(*(pl.LazyFrame(schema=read.schema) for read in table.inputs)).collect()
    found = table.build(*frames).collect()
    assert_frame_equal(*(rows.cast(dict(table.schema)) for rows in (found, every)), check_row_order=False)
