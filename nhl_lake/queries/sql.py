"""SQL over the lake's tables, run by Polars: each table at its newest version, read only."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl
import polars.selectors as cs

from nhl_lake import gold, silver
from nhl_lake.errors import COLOR_CODE, BadInput, is_panic, raise_shortage
from nhl_lake.schema import external, ledger
from nhl_lake.schema.layers import list_layer_files
from nhl_lake.schema.table import Table, TableName
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

if TYPE_CHECKING:
    from nhl_lake.queries.moneypuck import View

Frame = pl.DataFrame | pl.LazyFrame
READ_QUERY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(select|with|values|from|explain)\b", re.IGNORECASE | re.DOTALL
)
# anywhere, quoted or not: what is a literal and what is a name is the engine's to decide
FILE_READER = re.compile(
    r"\b((?:read|scan)_(?:csv|parquet|ipc|nd_?json|json|avro|delta|iceberg|excel|ods|lines|text|database|feather|arrow)\w*)",
    re.IGNORECASE,
)
UNKNOWN_TABLE = re.compile(r"relation '([^']+)' was not found")
UNKNOWN_COLUMN = re.compile(r'unable to find column "([^"]+)"; valid columns: \[([^\]]*)\]')
TABLE_NAME = re.compile(r"\b(?:bronze|silver|gold|lake|external)\.\w+")
BUILT_LAYERS = {"silver": silver, "gold": gold}
VIEW_NAMES = ("player_game_stats", "games_historical", "schedule", "skaters")
MAX_MESSAGE_LENGTH = 240


def run_query(root: Location, sql: str, frames: Mapping[str, Frame] | None = None) -> pl.LazyFrame:
    """Return the result of a query over the tables of the lake, and over frames by their names."""
    if not READ_QUERY.match(sql):
        raise BadInput(
            "Queries can only read: begin with SELECT or WITH.",
            "`nhl-lake tables` lists the tables, `nhl-lake tables gold.skater_game` the columns of one.",
        )
    frames = frames or {}
    if taken := [name for name in frames if name in VIEW_NAMES]:
        raise BadInput(
            f"'{taken[0]}' is the name of a view of the lake.", f"Pass the frame under another name: my_{taken[0]}=…"
        )
    tables = {table.name: delta_tables.scan_table(root, table) for table in find_named_tables(sql)}
    views = {view.name: scan_view(root, view) for view in find_named_views(sql)}
    return plan_query(pl.SQLContext({**tables, **views, **frames}), sql)


def scan_view(root: Location, view: "View") -> pl.LazyFrame:
    """Return the rows of a view."""
    return pl.SQLContext({table.name: delta_tables.scan_table(root, table) for table in view.inputs}).execute(
        view.sql, eager=False
    )


def find_named_tables(sql: str) -> list[TableName]:
    """Return the tables that a query names: opening every table would take longer than the query."""
    names = dict.fromkeys(TABLE_NAME.findall(sql.replace('"', "")))
    return [TableName(name) for name in names if is_table_name(name)]


def is_table_name(name: str) -> bool:
    """Return whether there is a table of this name. Loading the catalog takes longer than most queries."""
    layer, _, file = name.partition(".")
    if layer in BUILT_LAYERS:
        return file in list_layer_files(BUILT_LAYERS[layer])
    if layer == "bronze":
        from nhl_lake.bronze import endpoints

        return name in {table.name for table in endpoints.TABLES}
    return name in {table.name for table in (*ledger.TABLES, *external.TABLES)}


def find_named_views(sql: str) -> "list[View]":
    """Return the views that a query names; the end of a table's name does not count."""
    text = sql.replace('"', "")
    names = [name for name in VIEW_NAMES if re.search(rf"(?<![\w.]){name}\b", text)]
    if not names:
        return []
    from nhl_lake.queries.moneypuck import VIEWS

    return [view for view in VIEWS if view.name in names]


def plan_query(context: "pl.SQLContext[Any]", sql: str) -> pl.LazyFrame:
    """Plan a query, and explain in two lines what is wrong with it. Exact decimals become plain numbers.

    A query that names a function that reads files is refused before the engine sees it: planning would open the file.
    """
    if reader := FILE_READER.search(sql):
        raise BadInput(
            f"A query reads tables of the lake only, not files: {reader[1]} is not allowed.",
            "In Python, pass a frame of your own: lake.sql('select … from mine', mine=pl.read_csv(FILE)).",
        )
    try:
        found = context.execute(sql, eager=False)
        schema = found.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise_query_error(str(error))
    except BaseException as error:
        raise_shortage(error)
        if is_panic(error):
            raise_query_error(str(error))
        raise
    unknown = [name for name, dtype in schema.items() if dtype == pl.Null]
    return found.with_columns(cs.decimal().cast(pl.Float64), *(pl.col(name).cast(pl.String) for name in unknown))


def collect_query(rows: pl.LazyFrame) -> pl.DataFrame:
    """Run a query. Errors in data files are raised as they are; all others are errors in the query."""
    try:
        return rows.collect()
    except pl.exceptions.PolarsError as error:
        raise_shortage(error)
        if "parquet" in str(error).lower():
            raise
        raise_query_error(str(error))


def filter_rows(rows: pl.LazyFrame, where: str) -> pl.LazyFrame:
    """Return the rows that meet an SQL condition; dates and times are texts, as in a query."""
    return plan_query(pl.SQLContext({"rows": rows}), f"select * from rows where {where}")


def list_versions(root: Location, table: Table) -> pl.DataFrame:
    """Return the versions of a table, newest first: when each was written, by which operation, and its new rows."""
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


def raise_query_error(message: str) -> NoReturn:
    """Raise the error for an invalid query; suggest a similar name."""
    message = COLOR_CODE.sub("", message)
    if found := UNKNOWN_TABLE.search(message):
        from nhl_lake import catalog

        try:
            catalog.find_table(found[1])
        except BadInput as unknown:
            raise unknown from None  # Polars' own error is long and says less
    if found := UNKNOWN_COLUMN.search(message):
        raise BadInput(
            f"There is no column '{found[1]}'.", suggest_column(found[1], re.findall(r'"([^"]+)"', found[2]))
        ) from None
    line = " ".join(message.partition("Resolved plan")[0].partition("This error occurred")[0].split())[
        :MAX_MESSAGE_LENGTH
    ]
    hint = "`nhl-lake tables` lists the tables, docs/how-to/questions.md has examples."
    if "division by zero" in line:
        hint = "Divide by nullif(…, 0): the result is then null."
    raise BadInput(f"The query cannot be run: {line}", hint) from None


def suggest_column(name: str, names: Sequence[str]) -> str:
    """Return a hint: a column with a similar name, or the existing columns."""
    near = get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean '{near[0]}'?"
    if not names:
        return "`nhl-lake tables NAME` lists a table's columns."
    return f"Columns are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}."
