"""Row checks: those of every table, and those that a table declares."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema.table import Table
from nhl_lake.text import format_count


class Violation(NamedTuple):
    """A rule that rows of a table break: the number of rows, and the keys of some of them."""

    table: str
    rule: str
    row_count: int
    examples: str


def list_rules(table: Table) -> dict[str, pl.Expr]:
    """Return every rule of a table: its text, and an expression that is true for a valid row."""
    not_null = {f"{c.name} is not null": pl.col(c.name).is_not_null() for c in table.columns if not c.nullable}
    allowed = {
        f"{c.name} is one of {', '.join(c.values)}": pl.col(c.name).is_null() | pl.col(c.name).is_in(c.values)
        for c in table.columns
        if c.values
    }
    key = {f"one row per {', '.join(table.key)}": pl.struct(table.key).is_unique()}
    return key | not_null | allowed | dict(table.checks)


def evaluate_rules(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Return the keys of rows, and for each rule a column `rule <number>`: whether the row passes."""
    passes = (rule.fill_null(value=False).alias(f"rule {n}") for n, rule in enumerate(list_rules(table).values()))
    return rows.select(*table.key, *passes).collect()


def find_broken_rules(table: Table, evaluated: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each broken rule with the rows that break it, from the result of `evaluate_rules`."""
    all_pass = evaluated.select(pl.col("^rule [0-9]+$").all()).row(0)
    for n, (rule, is_passed) in enumerate(zip(list_rules(table), all_pass, strict=True)):
        if not is_passed:
            yield rule, evaluated.filter(pl.col(f"rule {n}").not_())


def find_violations(table: Table, rows: pl.LazyFrame) -> Iterator[Violation]:
    """Yield a violation for each rule that rows break."""
    for rule, invalid in find_broken_rules(table, evaluate_rules(table, rows)):
        examples = invalid.select(table.key).head(3).iter_rows()
        yield Violation(table.name, rule, invalid.height, "; ".join(" ".join(map(str, key)) for key in examples))


def describe_violations(table: Table, rows: pl.DataFrame, by: str) -> dict[Any, str]:
    """Return the value of `by` (usually the game id) of all rows that break rules, with a text on what they break."""
    evaluated = evaluate_rules(table, rows.lazy()).with_columns(rows[by])
    reasons: dict[Any, list[str]] = {}
    for rule, invalid in find_broken_rules(table, evaluated):
        by_value = invalid.group_by(by).agg(pl.len(), pl.struct(table.key).first().alias("first"))
        for value, count, first in by_value.sort(by).iter_rows():
            where = " ".join(f"{name} {part}" for name, part in first.items() if name != by)
            reasons.setdefault(value, []).append(
                f"{format_count(count, 'row', 'break')} '{rule}' ({where})" if where else f"breaks '{rule}'"
            )
    return {value: "; ".join(texts) for value, texts in reasons.items()}


def validate_rows(table: Table, rows: pl.DataFrame) -> None:
    """Raise `ValidationFailed` if rows break a rule of their table."""
    for violation in find_violations(table, rows.lazy()):
        raise ValidationFailed(
            f"{table.name}: {format_count(violation.row_count, 'row', 'break')} '{violation.rule}'"
            f" ({', '.join(table.key)}: {violation.examples}).",
            "Nothing was written, and bronze is intact. Run `nhl-lake check` for details.",
        )
