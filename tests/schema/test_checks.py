"""Rules for rows: what is found, how it is said, and that nothing bad is let through."""

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
    checks={"a stick has a length": pl.col("length_cm") > 0},
)


def sticks(*rows: tuple[int | None, int, str | None, float | None]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=STICKS.schema, orient="row")


def breaches(*rows: tuple[int | None, int, str | None, float | None]) -> list[Violation]:
    return list(checks.find_violations(STICKS, sticks(*rows)))


def test_rules_are_said_in_words():
    assert list(checks.list_rules(STICKS)) == [
        "one row for each player_id, stick",
        "player_id is known",
        "stick is known",
        "hand is one of L, R",
        "a stick has a length",
    ]


def test_good_rows_break_no_rule():
    assert breaches((7, 1, "L", 150.0), (7, 2, "R", 150.0), (8, 1, None, 150.0)) == []


def test_no_rows_break_no_rule():
    assert breaches() == []
    checks.validate_rows(STICKS, sticks().collect())


def test_a_breach_names_the_table_the_rule_how_many_rows_and_the_keys_of_three():
    assert breaches(*((7, n, "X", 150.0) for n in range(5)), (8, 9, "L", 150.0)) == [
        Violation("gold.sticks", "hand is one of L, R", 5, "7 0; 7 1; 7 2")
    ]


def test_each_rule_that_is_broken_is_named():
    found = breaches((7, 1, "X", 0.0), (7, 1, "L", 150.0), (None, 2, "R", 150.0))

    assert [(breach.rule, breach.row_count) for breach in found] == [
        ("one row for each player_id, stick", 2),
        ("player_id is known", 1),
        ("hand is one of L, R", 1),
        ("a stick has a length", 1),
    ]


def test_a_rule_whose_answer_is_unknown_is_broken():
    assert [breach.rule for breach in breaches((7, 1, "L", None))] == ["a stick has a length"]


def test_a_nullable_enumerated_column_may_be_null():
    assert breaches((7, 1, None, 150.0)) == []


def test_what_breaks_a_rule_is_refused_with_the_rule_the_keys_and_what_stays():
    with pytest.raises(ValidationFailed) as error:
        checks.validate_rows(STICKS, sticks((7, 1, "L", 150.0), (7, 2, "X", 150.0)).collect())

    assert error.value.message == "gold.sticks: 1 rows break 'hand is one of L, R' (player_id, stick: 7 2)."
    assert error.value.hint.startswith("Nothing was written; the table is as before.")


def test_what_holds_its_rules_is_let_through():
    checks.validate_rows(STICKS, sticks((7, 1, "L", 150.0)).collect())
