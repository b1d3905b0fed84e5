"""The lake's own tables: what runs did, what the API answered beside pages, and which layout the lake has.

Nothing but manners rests on the first three: what is missing follows from bronze and the schedule. Without
`lake.answers` pages that were not there are asked for again at once, and the schedule is read whole. That a game is
gone, a page can tell only by not telling of it: `lake.listings` keeps that; without it such games are to come until the
next run. Forecasts are here because nothing can make them again: they were made before the games.
"""

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table

LAYOUT_VERSION = 1

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
        Column("error", pl.String, "What stopped it, or what it left incomplete", nullable=True),
        Column("pages", PAGE_COUNTS, "Per table: pages asked, rows new, changed, unchanged; not there (404), failed"),
        Column("rebuilt", pl.List(pl.String), "Tables made again"),
    ),
    source=None,
    partition=None,
)

ANSWERS = Table(
    name="lake.answers",
    grain="one answer of the API that is no page of bronze: the same page again, 404, or a week of the schedule",
    key=("table", "page", "asked_at"),
    columns=(
        Column("table", pl.String, "Bronze table that the page belongs to"),
        Column(
            "page",
            pl.String,
            "Key of the page, its parts joined by '/'. Of the schedule: season, first day of a week, games listed; or "
            "season and 'whole', when all that could still change had been read",
        ),
        Column("answer", pl.String, "What came", values=("unchanged", "not_there", "read")),
        Column("asked_at", c.UTC, "When it was asked for", "UTC"),
        c.state,
        c.run_id,
    ),
    source=None,
    partition=None,
)

LISTINGS = Table(
    name="lake.listings",
    grain="one time that a whole reading of the schedule did not list a game to be played any more, or did so again",
    key=("game_id", "asked_at"),
    columns=(
        c.season,
        c.game_id,
        Column("asked_at", c.UTC, "When the schedule was read", "UTC"),
        Column("is_listed", pl.Boolean, "Whether the schedule listed it then"),
        c.run_id,
    ),
    source=None,
)


def declare_probability(name: str, line: str) -> Column:
    """Declare the chance of more shots than a line."""
    return Column(name, pl.Float64, f"Chance of more than {line} shots on goal")


model = Column("model", pl.String, "Model: its kind, and the moment at which it was fitted")
features_version = Column("features_version", pl.Int64, "Version of gold.sog_features that it was made of")

PREDICTIONS = Table(
    name="lake.forecasts",
    grain="one forecast, by a model and at a moment, of a skater's shots on goal in a game that had not begun",
    key=("game_id", "player_id", "model", "made_at"),
    columns=(
        c.season,
        c.game_id,
        c.game_date,
        c.start_at,
        c.player_id,
        c.team_id,
        model,
        Column("made_at", c.UTC, "When", "UTC"),
        features_version,
        Column("foretold_shots_on_goal", pl.Float64, "Mean that is foretold"),
        *(declare_probability(f"chance_over_{n}_5", f"{n}.5") for n in range(4)),
    ),
    source=None,
    checks={
        "made before the game began": pl.col("made_at") < pl.col("start_at"),
        "more shots are less likely": pl.col("chance_over_0_5").is_between(pl.col("chance_over_1_5"), 1)
        & pl.col("chance_over_2_5").is_between(pl.col("chance_over_3_5"), pl.col("chance_over_1_5")),
        "a forecast is above nothing": (pl.col("foretold_shots_on_goal") > 0) & (pl.col("chance_over_3_5") >= 0),
    },
)

MODELS = Table(
    name="lake.models",
    grain="one model, as it was fitted at a moment",
    key=("model",),
    columns=(
        model,
        Column("made_at", c.UTC, "When", "UTC"),
        features_version,
        Column("card", pl.String, "What it is made of, as JSON: rows, days, intercept, and the weight of each feature"),
    ),
    source=None,
    partition=None,
)

TABLES = (META, RUNS, ANSWERS, LISTINGS, PREDICTIONS, MODELS)
