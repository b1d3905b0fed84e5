"""The data of the page on the lake itself: data through, incomplete pages, corrections, predictions beside results."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import TABLES, find_table
from nhl_lake.queries.corrections import find_corrections
from nhl_lake.queries.status import LakeStatus, read_status
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

CORRECTION_AGE = timedelta(days=7)
MAX_PREDICTED_GAMES = 30
BAND_COUNT = 10


class StatusData(NamedTuple):
    """What the page on the lake shows."""

    status: LakeStatus
    corrections: pl.DataFrame  # rows of `find_corrections` of the last seven days, the newest first, with the teams
    unread: list[str]  # pages that could not be compared
    predictions: pl.DataFrame  # the last games with a prediction and a result, the newest first
    bands: pl.DataFrame  # all of them by predicted probability: band, games, predicted, won
    tables: pl.DataFrame  # one row per table: name, rows, bytes


def read_lake_status(root: Location, now: datetime) -> StatusData:
    """Return the page on the lake."""
    corrections, unread = find_corrections(root, now - CORRECTION_AGE)
    predictions = read_compared_predictions(root)
    games = delta_tables.scan_table_or_empty(root, find_table("silver.games")).select(
        "game_id", "game_date", "home_team_abbrev", "away_team_abbrev"
    )
    about = games.filter(pl.col("game_id").is_in(corrections["game_id"].unique().to_list())).collect()
    named = corrections.join(about, on="game_id", how="left", maintain_order="left", validate="m:1")
    return StatusData(
        read_status(root, now),
        named.reverse(),
        unread,
        predictions.head(MAX_PREDICTED_GAMES),
        summarize_bands(predictions),
        read_sizes(root),
    )


def read_compared_predictions(root: Location) -> pl.DataFrame:
    """Return the newest prediction of each game that is over, the newest game first. A tie counts for nobody."""
    rows = delta_tables.scan_table_or_empty(root, find_table("gold.game_predictions"))
    newest = rows.filter(pl.col("is_home_win").is_not_null()).sort("made_at").group_by("game_id").last()
    return newest.sort("start_at", "game_id", descending=True).collect()


def summarize_bands(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per tenth of predicted probability: its lower end, games, mean prediction, share of home wins."""
    band = (pl.col("home_win_probability") * BAND_COUNT).floor().clip(0, BAND_COUNT - 1) / BAND_COUNT
    return (
        predictions.group_by(band=band)
        .agg(
            games=pl.len(),
            predicted=pl.col("home_win_probability").mean(),
            won=pl.col("is_home_win").cast(pl.Float64).mean(),
        )
        .sort("band")
    )


def read_sizes(root: Location) -> pl.DataFrame:
    """Return one row per table of the lake: name, rows, bytes."""
    sizes = delta_tables.read_table_sizes(root, TABLES)
    rows = [(table.name, size["rows"], size["bytes"]) for table, size in sizes]
    return pl.DataFrame(rows, schema={"table": pl.String, "rows": pl.Int64, "bytes": pl.Int64}, orient="row")
