"""Forecasts for the games to come: fit the model to what was played, foretell, and keep both for ever."""

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
    """What was foretold: the rows that were kept, how many skaters and games, and how many nothing is known of."""

    rows: pl.DataFrame
    card: ModelCard
    games: int
    unpredicted: int


def predict_upcoming_games(root: Location, now: datetime) -> PredictionResult:
    """Foretell the shots on goal of everybody in games to come that have not begun, by both models, and keep that."""
    version = delta_tables.open_table(root, SOG_FEATURES).version()
    rows = delta_tables.scan_table(root, SOG_FEATURES, version=version)
    card = fit_model(rows.filter(~pl.col("is_upcoming")).collect())
    coming = rows.filter("is_upcoming", pl.col("start_at") > now).collect()
    name = f"{GLM} {now:%Y-%m-%dT%H:%M:%SZ}"
    told = {"made_at": now, "features_version": version}
    models: Mapping[str, pl.Expr] = {name: predict_mean(card), BASELINE_MODEL: pl.col("expected_shots_on_goal")}
    made = pl.concat(compute_predictions(coming, model, foretold, told) for model, foretold in models.items())
    checks.validate_rows(ledger.PREDICTIONS, made)
    described = {"model": name, "card": msgspec.json.encode(card).decode(), **told}
    delta_tables.create_tables(root, [ledger.MODELS, ledger.PREDICTIONS])
    delta_tables.append_to_ledger(root, ledger.MODELS, pl.DataFrame([described], schema=ledger.MODELS.schema))
    delta_tables.append_to_ledger(root, ledger.PREDICTIONS, made)
    for _ in run.rebuild(root, [SOG_PREDICTIONS], day=get_eastern_day(now)):
        pass
    unknown = coming.join(made, on=["game_id", "player_id"], how="anti").height
    return PredictionResult(made, card, coming["game_id"].n_unique(), unknown)


def compute_predictions(
    coming: pl.DataFrame, model: str, foretold: pl.Expr, told: Mapping[str, object]
) -> pl.DataFrame:
    """Return the forecasts of one model: none for a skater of whom it does not know enough."""
    chances = {
        f"chance_over_{line}".replace(".", "_"): predict_chance_over(pl.col("foretold_shots_on_goal"), line)
        for line in SHOT_LINES
    }
    return (
        coming.with_columns(foretold_shots_on_goal=foretold, model=pl.lit(model))
        .filter(pl.col("foretold_shots_on_goal") > 0)
        .with_columns(**chances, **{name: pl.lit(value) for name, value in told.items()})
        .select(pl.col(column.name).cast(column.dtype) for column in ledger.PREDICTIONS.columns)
    )
