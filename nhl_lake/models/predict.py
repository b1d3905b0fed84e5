"""Predict upcoming games: fit the model to played games, predict, and store both permanently."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
import polars as pl

from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.gold.sog_predictions import SOG_PREDICTIONS
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.models.shots_on_goal import GLM, SHOT_LINES, ModelCard, fit_model, predict_chance_over, predict_mean
from nhl_lake.rebuild import run
from nhl_lake.schema import checks, ledger
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
    """Predict and store the shots on goal of all skaters in games that have not begun, by both models."""
    version = delta_tables.open_table(root, SOG_FEATURES).version()
    rows = delta_tables.scan_table(root, SOG_FEATURES, version=version)
    card = fit_model(rows.filter(~pl.col("is_upcoming")).collect())
    upcoming = rows.filter("is_upcoming", pl.col("start_at") > now).collect()
    name = f"{GLM} {now:%Y-%m-%dT%H:%M:%SZ}"
    metadata = {"made_at": now, "features_version": version}
    models: Mapping[str, pl.Expr] = {name: predict_mean(card), BASELINE_MODEL: pl.col("expected_shots_on_goal")}
    predictions = pl.concat(compute_predictions(upcoming, model, mean, metadata) for model, mean in models.items())
    checks.validate_rows(ledger.PREDICTIONS, predictions)
    model_row = {"model": name, "card": msgspec.json.encode(card).decode(), **metadata}
    delta_tables.create_tables(root, [ledger.MODELS, ledger.PREDICTIONS])
    delta_tables.append_to_ledger(root, ledger.MODELS, pl.DataFrame([model_row], schema=ledger.MODELS.schema))
    delta_tables.append_to_ledger(root, ledger.PREDICTIONS, predictions)
    for _ in run.rebuild(root, [SOG_PREDICTIONS], day=get_eastern_day(now)):
        pass
    unpredicted = upcoming.join(predictions, on=["game_id", "player_id"], how="anti").height
    return PredictionResult(predictions, card, upcoming["game_id"].n_unique(), unpredicted)


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
