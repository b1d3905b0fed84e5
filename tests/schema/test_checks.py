"""Tests of row checks: what is found, how it is reported, and that no invalid row passes."""

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.schema.checks import Violation
from nhl_lake.schema.table import Column, Table

STICKS = Table(
    name="gold.sticks",
    grain="one stick of a player",
    key=("player_id", "stick"),
    columns=(
        Column("player_id", pl.Int64, "Player id"),
        Column("stick", pl.Int32, "Number of the stick"),
        Column("hand", pl.String, "Hand", values=("L", "R"), nullable=True),
        Column("length_cm", pl.Float64, "Length", "cm", nullable=True),
    ),
    source=None,
    partition=None,
    checks={"a stick has a length": pl.col("length_cm") > 0},
)


def make_sticks(*rows: tuple[int | None, int, str | None, float | None]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=STICKS.schema, orient="row")


def list_violations(*rows: tuple[int | None, int, str | None, float | None]) -> list[Violation]:
    return list(checks.find_violations(STICKS, make_sticks(*rows)))


def test_rules_have_a_text():
    assert list(checks.list_rules(STICKS)) == [
        "one row per player_id, stick",
        "player_id is not null",
        "stick is not null",
        "hand is one of L, R",
        "a stick has a length",
    ]


def test_valid_rows_break_no_rule():
    assert list_violations((7, 1, "L", 150.0), (7, 2, "R", 150.0), (8, 1, None, 150.0)) == []


def test_empty_table_breaks_no_rule():
    assert list_violations() == []
    checks.validate_rows(STICKS, make_sticks().collect())


def test_violation_names_table_rule_number_of_rows_and_three_keys():
    assert list_violations(*((7, n, "X", 150.0) for n in range(5)), (8, 9, "L", 150.0)) == [
        Violation("gold.sticks", "hand is one of L, R", 5, "7 0; 7 1; 7 2")
    ]


def test_each_broken_rule_is_reported():
    found = list_violations((7, 1, "X", 0.0), (7, 1, "L", 150.0), (None, 2, "R", 150.0))

    assert [(breach.rule, breach.row_count) for breach in found] == [
        ("one row per player_id, stick", 2),
        ("player_id is not null", 1),
        ("hand is one of L, R", 1),
        ("a stick has a length", 1),
    ]


def test_rule_that_evaluates_to_null_is_broken():
    assert [breach.rule for breach in list_violations((7, 1, "L", None))] == ["a stick has a length"]


def test_nullable_enumerated_column_may_be_null():
    assert list_violations((7, 1, None, 150.0)) == []


def test_invalid_rows_raise_with_rule_keys_and_next_step():
    with pytest.raises(ValidationFailed) as error:
        checks.validate_rows(STICKS, make_sticks((7, 1, "L", 150.0), (7, 2, "X", 150.0)).collect())

    assert error.value.message == "gold.sticks: 1 row breaks 'hand is one of L, R' (player_id, stick: 7 2)."
    assert error.value.hint.startswith("Nothing was written, and bronze is intact.")


def test_valid_rows_pass():
    checks.validate_rows(STICKS, make_sticks((7, 1, "L", 150.0)).collect())
