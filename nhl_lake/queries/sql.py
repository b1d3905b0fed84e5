"""Questions to the lake in SQL, answered by Polars: tables by their names, as of their newest versions, read only."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

import polars as pl
import polars.selectors as cs

from nhl_lake import catalog
from nhl_lake.errors import BadInput, is_panic
from nhl_lake.queries.moneypuck import VIEWS, View
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

READ_QUERY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(select|with|values|from|explain)\b", re.IGNORECASE | re.DOTALL
)
UNKNOWN_TABLE = re.compile(r"relation '([^']+)' was not found")
UNKNOWN_COLUMN = re.compile(r'unable to find column "([^"]+)"; valid columns: \[([^\]]*)\]')
MAX_MESSAGE_LENGTH = 240


def run_query(root: Location, sql: str) -> pl.LazyFrame:
    """Return the answer to a question in SQL over all tables of the lake: `select … from gold.skater_game`."""
    if not READ_QUERY.match(sql):
        raise BadInput(
            "That is no question: the lake is only read, by SELECT or WITH … SELECT.",
            "`nhl-lake tables` lists the tables, docs/TABLES.md explains their columns.",
        )
    tables = {table.name: delta_tables.scan_table(root, table) for table in find_named_tables(sql)}
    return plan_query(pl.SQLContext(tables | {view.name: scan_view(root, view) for view in find_named_views(sql)}), sql)


def scan_view(root: Location, view: View) -> pl.LazyFrame:
    """Return the rows of a view."""
    return pl.SQLContext({table.name: delta_tables.scan_table(root, table) for table in view.inputs}).execute(
        view.sql, eager=False
    )


def find_named_tables(sql: str) -> list[Table]:
    """Return the tables whose names stand in a question: to open every table would take longer than the answer."""
    text = sql.replace('"', "")
    return [table for table in catalog.TABLES if re.search(rf"\b{re.escape(table.name)}\b", text)]


def find_named_views(sql: str) -> list[View]:
    """Return the views whose names stand in a question, likewise; not where they are the end of a table's."""
    text = sql.replace('"', "")
    return [view for view in VIEWS if re.search(rf"(?<![\w.]){view.name}\b", text)]


def plan_query(context: pl.SQLContext[pl.LazyFrame], sql: str) -> pl.LazyFrame:
    """Plan a question, and say in two lines what is wrong with it. Exact decimals become plain numbers."""
    try:
        found = context.execute(sql, eager=False)
        schema = found.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise_query_error(str(error), error)
    except BaseException as error:
        if is_panic(error):
            raise_query_error(str(error), error)
        raise
    unknown = [name for name, dtype in schema.items() if dtype == pl.Null]
    return found.with_columns(cs.decimal().cast(pl.Float64), *(pl.col(name).cast(pl.String) for name in unknown))


def collect_query(rows: pl.LazyFrame) -> pl.DataFrame:
    """Work out an answer. What goes wrong in a data file is the lake's trouble, all else the question's."""
    try:
        return rows.collect()
    except pl.exceptions.PolarsError as error:
        if "parquet" in str(error).lower():
            raise
        raise_query_error(str(error), error)


def list_versions(root: Location, table: Table) -> pl.DataFrame:
    """Return the versions of a table, the newest first: when each was written, how, and the rows that came."""
    rows = [
        {
            "version": entry["version"],
            "written_at": entry.get("timestamp"),
            "operation": entry.get("operation"),
            "rows_added": entry.get("operationMetrics", {}).get("num_added_rows"),
        }
        for entry in delta_tables.open_table(root, table).history()
    ]
    kinds = {"version": pl.Int64, "written_at": pl.Int64, "operation": pl.String, "rows_added": pl.Int64}
    found = pl.DataFrame(rows, schema=kinds)
    return found.with_columns(pl.from_epoch("written_at", "ms").dt.replace_time_zone("UTC"))


def raise_query_error(said: str, error: BaseException) -> NoReturn:
    """Raise what is wrong with a question, with the name that may be meant."""
    if found := UNKNOWN_TABLE.search(said):
        try:
            catalog.find_table(found[1])
        except BadInput as unknown:
            raise unknown from error
    if found := UNKNOWN_COLUMN.search(said):
        raise BadInput(
            f"There is no column '{found[1]}'.", suggest_column(found[1], re.findall(r'"([^"]+)"', found[2]))
        ) from error
    line = " ".join(said.partition("Resolved plan")[0].partition("This error occurred")[0].split())[:MAX_MESSAGE_LENGTH]
    hint = "`nhl-lake tables` lists the tables, docs/QUESTIONS.md has examples."
    if "division by zero" in line:
        hint = "Divide by nullif(…, 0): what cannot be divided is then null."
    raise BadInput(f"The question cannot be answered: {line}", hint) from error


def suggest_column(name: str, names: Sequence[str]) -> str:
    """Return a hint at the column that a name may stand for, or at those that there are."""
    near = get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean '{near[0]}'?"
    return (
        f"There are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}." if names else "docs/TABLES.md has them."
    )
