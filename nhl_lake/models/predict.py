"""Predict upcoming games, their winners and the shots on goal in them, and store that permanently."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake.gold.game_features import GAME_FEATURES
from nhl_lake.gold.game_predictions import GAME_PREDICTIONS
from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.gold.sog_predictions import SOG_PREDICTIONS
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.models.shots_on_goal import GLM, SHOT_LINES, ModelCard, fit_model, predict_chance_over, predict_mean
from nhl_lake.models.storage import append_if_new, store_model
from nhl_lake.rebuild import run
from nhl_lake.rebuild.publish import RebuiltPartition
from nhl_lake.schema import checks, ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

BASELINE_MODEL = "rate-x-time"


class PredictionResult(NamedTuple):
    """Stored predictions, the model, the number of games, and the number of skaters without a prediction."""

    rows: pl.DataFrame
    card: ModelCard
    games: int
    unpredicted: int


def predict_upcoming_games(root: Location, now: datetime) -> PredictionResult:
    """Predict and store the winners and the shots on goal of games that have not begun.

    Fits the model of shots on goal; the model of winners is fixed.
    """
    for _ in refresh_game_predictions(root, now):
        pass
    version = delta_tables.open_table(root, SOG_FEATURES).version()
    card = fit_model(
        delta_tables.scan_table(root, SOG_FEATURES, version=version).filter(~pl.col("is_upcoming")).collect()
    )
    name = f"{GLM} {now:%Y-%m-%dT%H:%M:%SZ}"
    store_model(root, name, card, now, version)
    result = apply_model(root, name, card, version, now)
    for _ in rebuild_predictions(root, now):
        pass
    return result


def refresh_predictions(root: Location, now: datetime) -> Iterator[RebuiltPartition]:
    """Predict upcoming games by the models that are there, without fitting, and yield what is rebuilt.

    Does nothing without a model, and if the features are those of the newest predictions.
    """
    yield from refresh_game_predictions(root, now)
    yield from refresh_shot_predictions(root, now)


def refresh_game_predictions(root: Location, now: datetime) -> Iterator[RebuiltPartition]:
    """Store the probabilities that gold.game_features has of games that have not begun; yield what is rebuilt."""
    if not delta_tables.has_table(root, GAME_FEATURES):
        return
    version = delta_tables.open_table(root, GAME_FEATURES).version()
    if read_newest_version(root, ledger.GAME_PREDICTIONS) == version:
        return
    predictions = (
        delta_tables.scan_table(root, GAME_FEATURES, version=version)
        .filter("is_upcoming", pl.col("start_at") > now, pl.col("home_win_probability").is_not_null())
        .with_columns(made_at=pl.lit(now), features_version=pl.lit(version))
        .select(pl.col(column.name).cast(column.dtype) for column in ledger.GAME_PREDICTIONS.columns)
        .collect()
    )
    if predictions.is_empty():
        return
    checks.validate_rows(ledger.GAME_PREDICTIONS, predictions)
    append_if_new(root, ledger.GAME_PREDICTIONS, predictions)
    yield from run.rebuild(root, [GAME_PREDICTIONS], day=get_eastern_day(now))


def refresh_shot_predictions(root: Location, now: datetime) -> Iterator[RebuiltPartition]:
    """Predict the shots of upcoming games by the newest stored model, and yield what is rebuilt."""
    models = delta_tables.scan_table_or_empty(root, ledger.MODELS)
    model = ledger.select_newest_model(models, GLM).collect()
    if model.is_empty() or not delta_tables.has_table(root, SOG_FEATURES):
        return
    version = delta_tables.open_table(root, SOG_FEATURES).version()
    if read_newest_version(root, ledger.PREDICTIONS) == version:
        return
    card = msgspec.json.decode(model["card"].item(), type=ModelCard)
    apply_model(root, model["model"].item(), card, version, now)
    yield from rebuild_predictions(root, now)


def read_newest_version(root: Location, table: Table) -> int | None:
    """Return the version of the features that the newest predictions were computed from; None without any."""
    stored = delta_tables.scan_table_or_empty(root, table).select("made_at", "features_version")
    versions = stored.sort("made_at").tail(1).collect()["features_version"].to_list()
    return versions[0] if versions else None


def apply_model(root: Location, name: str, card: ModelCard, version: int, now: datetime) -> PredictionResult:
    """Predict the games that have not begun by a model and by the baseline, and store the predictions."""
    upcoming = (
        delta_tables.scan_table(root, SOG_FEATURES, version=version)
        .filter("is_upcoming", pl.col("start_at") > now)
        .collect()
    )
    metadata = {"made_at": now, "features_version": version}
    models: Mapping[str, pl.Expr] = {name: predict_mean(card), BASELINE_MODEL: pl.col("expected_shots_on_goal")}
    predictions = pl.concat(compute_predictions(upcoming, model, mean, metadata) for model, mean in models.items())
    checks.validate_rows(ledger.PREDICTIONS, predictions)
    append_if_new(root, ledger.PREDICTIONS, predictions)
    unpredicted = upcoming.join(predictions, on=["game_id", "player_id"], how="anti").height
    return PredictionResult(predictions, card, upcoming["game_id"].n_unique(), unpredicted)


def rebuild_predictions(root: Location, now: datetime) -> Iterator[RebuiltPartition]:
    """Rebuild the table that sets predictions beside results."""
    return run.rebuild(root, [SOG_PREDICTIONS], day=get_eastern_day(now))


def compute_predictions(
    upcoming: pl.DataFrame, model: str, mean: pl.Expr, metadata: Mapping[str, object]
) -> pl.DataFrame:
    """Return the predictions of one model; skaters with unknown features have none."""
    chances = {
        f"chance_over_{line}".replace(".", "_"): predict_chance_over(pl.col("predicted_shots_on_goal"), line)
        for line in SHOT_LINES
    }
    return (
        upcoming.with_columns(predicted_shots_on_goal=mean, model=pl.lit(model))
        .filter(pl.col("predicted_shots_on_goal") > 0)
        .with_columns(**chances, **{name: pl.lit(value) for name, value in metadata.items()})
        .select(pl.col(column.name).cast(column.dtype) for column in ledger.PREDICTIONS.columns)
    )
