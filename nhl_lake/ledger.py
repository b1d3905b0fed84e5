"""The lake's own tables: what runs did, what the API answered beside pages, and which layout the lake has.

Nothing but manners rests on them: what is missing follows from bronze and the schedule. Without `lake.answers` pages
that were not there are asked for again at once.
"""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.table import Column, Table

LAYOUT = 1

META = Table(
    name="lake.meta",
    grain="one layout that the lake has had",
    key=("layout",),
    columns=(
        Column("layout", pl.Int32, "Number of the layout; a program reads those that it knows"),
        Column("source", pl.String, "Whose pages the lake keeps; others are refused", values=("NHL", "sample league")),
        Column("made_by", pl.String, "Version of nhl-lake that made it"),
        Column("made_at", c.UTC, "When", "UTC"),
    ),
    source=None,
    partition=None,
)

PAGE_COUNTS = pl.List(
    pl.Struct(
        {
            "table": pl.String,
            "asked": pl.Int64,
            "new": pl.Int64,
            "changed": pl.Int64,
            "unchanged": pl.Int64,
            "not_there": pl.Int64,
            "failed": pl.Int64,
            "reasons": pl.List(pl.String),
        }
    )
)

RUNS = Table(
    name="lake.runs",
    grain="one run of `nhl-lake ingest`, or of the demo",
    key=("run_id",),
    columns=(
        c.run_id,
        Column("command", pl.String, "The command as given"),
        Column("version", pl.String, "Version of nhl-lake"),
        Column("started_at", c.UTC, "When it began", "UTC"),
        Column("ended_at", c.UTC, "When it ended", "UTC"),
        Column("outcome", pl.String, "How it ended", values=("done", "incomplete", "stopped", "error")),
        Column("error", pl.String, "What stopped it", nullable=True),
        Column("pages", PAGE_COUNTS, "Per table: pages asked, rows new, changed, unchanged; not there (404), failed"),
        Column("rebuilt", pl.List(pl.String), "Tables made again"),
    ),
    source=None,
    partition=None,
)

ANSWERS = Table(
    name="lake.answers",
    grain="one answer of the API that brought no new row: the same page again, or 404",
    key=("table", "page", "asked_at"),
    columns=(
        Column("table", pl.String, "Bronze table that the page belongs to"),
        Column("page", pl.String, "Key of the page, its parts joined by '/'"),
        Column("answer", pl.String, "What came", values=("unchanged", "not_there")),
        Column("asked_at", c.UTC, "When it was asked for", "UTC"),
        c.state,
        c.run_id,
    ),
    source=None,
    partition=None,
)

TABLES = (META, RUNS, ANSWERS)
