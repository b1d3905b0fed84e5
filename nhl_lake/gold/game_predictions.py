"""Predictions of who wins, as made before the games, with the results."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.game_features import GAME_COLUMNS, is_home_win
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES

RESULT_COLUMNS = ("home_team_abbrev", "away_team_abbrev", "home_score", "away_score")


def game_predictions(game_predictions: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per prediction; the scores and `is_home_win` are null until the game is final.

    Predictions are only added. A new prediction for the same game does not replace an earlier one.
    """
    lead = pl.col("home_score") - pl.col("away_score")
    results = games.select("game_id", *RESULT_COLUMNS, is_home_win=pl.when(lead != 0).then(lead > 0))
    return game_predictions.join(results, on="game_id", how="left", validate="m:1").select(
        column.name for column in COLUMNS
    )


COLUMNS = (
    *ledger.GAME_PREDICTIONS.columns,
    *(replace(GAME_COLUMNS[name], nullable=True) for name in RESULT_COLUMNS),
    is_home_win,
)

GAME_PREDICTIONS = Table(
    name="gold.game_predictions",
    grain=ledger.GAME_PREDICTIONS.grain,
    key=ledger.GAME_PREDICTIONS.key,
    columns=COLUMNS,
    source=game_predictions,
    chunk_key="game_id",
    inputs=(ledger.GAME_PREDICTIONS, GAMES),
    checks=ledger.GAME_PREDICTIONS.checks,
)
