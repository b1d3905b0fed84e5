"""Rules for rows: what every table must hold, and what it declares beside."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema.table import Table


class Violation(NamedTuple):
    """A rule that rows of a table break: how many, and the keys of some."""

    table: str
    rule: str
    row_count: int
    examples: str


def list_rules(table: Table) -> dict[str, pl.Expr]:
    """Return every rule of a table: in words, and as an expression that is true where a row is good."""
    known = {f"{c.name} is known": pl.col(c.name).is_not_null() for c in table.columns if not c.nullable}
    listed = {
        f"{c.name} is one of {', '.join(c.values)}": pl.col(c.name).is_null() | pl.col(c.name).is_in(c.values)
        for c in table.columns
        if c.values
    }
    key = {f"one row for each {', '.join(table.key)}": pl.struct(table.key).is_unique()}
    return key | known | listed | dict(table.checks)


def evaluate_rules(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Return the keys of rows, and beside them for each rule, by its number, whether the row holds it."""
    good = (rule.fill_null(value=False).alias(f"rule {n}") for n, rule in enumerate(list_rules(table).values()))
    return rows.select(*table.key, *good).collect()


def find_broken_rules(table: Table, found: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rules that some of the rows that were marked break, and those rows."""
    held = found.select(pl.col("^rule [0-9]+$").all()).row(0)
    for n, (rule, is_held) in enumerate(zip(list_rules(table), held, strict=True)):
        if not is_held:
            yield rule, found.filter(pl.col(f"rule {n}").not_())


def find_violations(table: Table, rows: pl.LazyFrame) -> Iterator[Violation]:
    """Yield the rules that rows break."""
    for rule, bad in find_broken_rules(table, evaluate_rules(table, rows)):
        examples = bad.select(table.key).head(3).iter_rows()
        yield Violation(table.name, rule, bad.height, "; ".join(" ".join(map(str, key)) for key in examples))


def describe_violations(table: Table, rows: pl.DataFrame, by: str) -> dict[Any, str]:
    """Return the games, or what else rows go by, of rows that break rules, with what they break."""
    found = evaluate_rules(table, rows.lazy()).with_columns(rows[by])
    reasons: dict[Any, list[str]] = {}
    for rule, bad in find_broken_rules(table, found):
        of_each = bad.group_by(by).agg(pl.len(), pl.struct(table.key).first().alias("first"))
        for game, count, first in of_each.sort(by).iter_rows():
            where = " ".join(f"{name} {value}" for name, value in first.items() if name != by)
            reasons.setdefault(game, []).append(
                f"{count} rows break '{rule}' ({where})" if where else f"breaks '{rule}'"
            )
    return {game: "; ".join(found) for game, found in reasons.items()}


def validate_rows(table: Table, rows: pl.DataFrame) -> None:
    """Raise if rows break a rule of their table."""
    for breach in find_violations(table, rows.lazy()):
        raise ValidationFailed(
            f"{table.name}: {breach.row_count} rows break '{breach.rule}' ({', '.join(table.key)}: {breach.examples}).",
            "Nothing was written; the table is as before. Bronze is whole: `nhl-lake check` tells more.",
        )
