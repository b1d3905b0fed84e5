"""The lake's own tables: its layout, its runs, the answers of the API that are not new pages, and predictions.

A run can plan its requests without most of them, because what is missing follows from bronze and the schedule. Without
`lake.answers` it asks at once for pages that were not found, and it reads the complete schedule. Only `lake.listings`
says that a game is gone: no page does, and without it such games are upcoming until the next run. Predictions are
stored here because they were made before the games and cannot be rebuilt.
"""

from dataclasses import replace

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table

LAYOUT_VERSION = 2
FORMER_NAMES = {"lake.forecasts": "lake.predictions"}  # in lakes and backups of an earlier layout

META = Table(
    name="lake.meta",
    grain="one layout version that the lake has had",
    key=("layout",),
    columns=(
        Column("layout", pl.Int32, "Layout version; nhl-lake only opens layouts that it knows"),
        Column(
            "source",
            pl.String,
            "Source of the lake's pages; pages of another source are not accepted",
            values=("NHL", "sample league"),
        ),
        Column("made_by", pl.String, "Version of nhl-lake that wrote this layout"),
        Column("made_at", c.UTC, "When the layout was written", "UTC"),
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
        Column("command", pl.String, "Command that started the run"),
        Column("version", pl.String, "Version of nhl-lake"),
        Column("started_at", c.UTC, "When the run started", "UTC"),
        Column("ended_at", c.UTC, "When the run ended", "UTC"),
        Column("outcome", pl.String, "How the run ended", values=("done", "incomplete", "stopped", "error")),
        Column("error", pl.String, "Why the run stopped, or what it left incomplete", nullable=True),
        Column(
            "pages",
            PAGE_COUNTS,
            "Per bronze table: pages requested; new, changed, unchanged rows; not found (404); failed",
        ),
        Column("rebuilt", pl.List(pl.String), "Tables that were rebuilt"),
    ),
    source=None,
    partition=None,
)

ANSWERS = Table(
    name="lake.answers",
    grain="one answer of the API that adds no page to bronze: an unchanged page, a 404, or a week of the schedule",
    key=("table", "page", "asked_at"),
    columns=(
        Column("table", pl.String, "Bronze table that the page belongs to"),
        Column(
            "page",
            pl.String,
            "Key of the page, joined by '/'. For the schedule: season, first day of the week, games listed; or season "
            "and 'whole' once everything that could still change had been read",
        ),
        Column("answer", pl.String, "The answer", values=("unchanged", "not_there", "read")),
        Column("asked_at", c.UTC, "When the page was requested", "UTC"),
        c.state,
        c.run_id,
    ),
    source=None,
    partition=None,
)

LISTINGS = Table(
    name="lake.listings",
    grain="one change of a game's listing: a complete read of the schedule no longer lists it, or lists it again",
    key=("game_id", "asked_at"),
    columns=(
        c.season,
        c.game_id,
        Column("asked_at", c.UTC, "When the schedule was read", "UTC"),
        Column("is_listed", pl.Boolean, "Whether the schedule listed the game then"),
        c.run_id,
    ),
    source=None,
)


def declare_probability(name: str, line: str) -> Column:
    """Declare the probability of more shots than a line."""
    return Column(name, pl.Float64, f"Probability of more than {line} shots on goal")


model = Column("model", pl.String, "Model: its kind, and when it was fitted")
made_at = Column("made_at", c.UTC, "When the prediction was made", "UTC")
features_version = Column("features_version", pl.Int64, "Version of gold.sog_features that it was computed from")

PREDICTIONS = Table(
    name="lake.predictions",
    grain="one prediction by a model, made at one time, of a skater's shots on goal in a game that had not begun",
    key=("game_id", "player_id", "model", "made_at"),
    columns=(
        c.season,
        c.game_id,
        c.game_date,
        c.start_at,
        c.player_id,
        c.team_id,
        model,
        made_at,
        features_version,
        Column("predicted_shots_on_goal", pl.Float64, "Mean of the predicted shots on goal"),
        *(declare_probability(f"chance_over_{n}_5", f"{n}.5") for n in range(4)),
    ),
    source=None,
    checks={
        "made before the game began": pl.col("made_at") < pl.col("start_at"),
        "more shots are less likely": pl.col("chance_over_0_5").is_between(pl.col("chance_over_1_5"), 1)
        & pl.col("chance_over_2_5").is_between(pl.col("chance_over_3_5"), pl.col("chance_over_1_5")),
        "predictions are above zero": (pl.col("predicted_shots_on_goal") > 0) & (pl.col("chance_over_3_5") >= 0),
    },
)

GAME_PREDICTIONS = Table(
    name="lake.game_predictions",
    grain="one prediction by a model, made at one time, of the winner of a game that had not begun",
    key=("game_id", "model", "made_at"),
    columns=(
        c.season,
        c.game_id,
        c.game_date,
        c.start_at,
        c.home_team_id,
        c.away_team_id,
        model,
        made_at,
        replace(features_version, description="Version of gold.game_features that it was computed from"),
        c.home_win_probability,
    ),
    source=None,
    checks={
        "made before the game began": pl.col("made_at") < pl.col("start_at"),
        "either team may win": pl.col("home_win_probability").is_between(0, 1, closed="none"),
    },
)

MODELS = Table(
    name="lake.models",
    grain="one fitted model",
    key=("model", "made_at"),  # names have whole seconds
    columns=(
        model,
        Column("made_at", c.UTC, "When the model was fitted", "UTC"),
        replace(
            features_version,
            description="Version of the table that it was fitted to: gold.shots for xG, gold.sog_features for others",
            nullable=True,  # of a model that `nhl-lake doctor --mend` has from gold.xg_model
        ),
        Column("card", pl.String, "The model as JSON: training rows, dates, intercept, and the weight of each feature"),
    ),
    source=None,
    partition=None,
)

TABLES = (META, RUNS, ANSWERS, LISTINGS, PREDICTIONS, GAME_PREDICTIONS, MODELS)


def read_source(meta: pl.LazyFrame) -> str | None:
    """Return the source of a lake's pages by `lake.meta`; None if it names none, or several."""
    sources = meta.select("source").unique().collect()["source"].to_list()
    return sources[0] if len(sources) == 1 else None


def select_newest_model(models: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Return the newest row of `lake.models` of a kind, such as `xg`: the first word of a model's name."""
    return select_models(models, kind).tail(1)


def select_models(models: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Return the rows of `lake.models` of a kind, the newest last."""
    return models.filter(pl.col("model").str.split(" ").list.first() == kind).sort("made_at")
