"""The newest predictions of shots on goal for upcoming games, and the features that explain them."""

from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.hockey.names import format_full_name
from nhl_lake.models.shots_on_goal import GLM
from nhl_lake.queries.player import read_players
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

REQUIRED_TABLES = ("gold.sog_predictions", "gold.sog_features")
PREDICTION_KEY = ("game_id", "player_id")
FEATURE_COLUMNS = ("projection_basis", "is_back_to_back", "mean_shots_on_goal_10")


class UpcomingPredictions(NamedTuple):
    """Skaters by predicted shots on goal, and the number of upcoming games without predictions."""

    shooters: pl.DataFrame
    unpredicted_games: int


def read_predictions(root: Location, upcoming: pl.DataFrame) -> UpcomingPredictions:
    """Return the newest prediction of every skater who may play in the upcoming games, most shots first."""
    if not all(delta_tables.has_table(root, find_table(name)) for name in REQUIRED_TABLES):
        return UpcomingPredictions(pl.DataFrame(), upcoming.height)
    predictions, features = (delta_tables.scan_table(root, find_table(name)) for name in REQUIRED_TABLES)
    games = upcoming.select(
        "game_id", "start_at", *(f"{side}_team_{what}" for side in SIDES for what in ("id", "abbrev"))
    )
    is_home = pl.col("team_id") == pl.col("home_team_id")
    names = read_players(root).lazy().select("player_id", player=format_full_name())
    newest = (
        predictions.filter(pl.col("model").str.starts_with(GLM))
        .join(games.lazy(), on="game_id", suffix="_of_game", validate="m:1")
        .sort("made_at")
        .unique(PREDICTION_KEY, keep="last", maintain_order=True)
    )
    rows = (
        # a skater who is no longer expected to play, as after a trade, is left out
        newest.join(
            features.filter("is_upcoming").select(*PREDICTION_KEY, "team_id", *FEATURE_COLUMNS),
            on=[*PREDICTION_KEY, "team_id"],
            validate="1:1",
        )
        .join(names, on="player_id", how="left", validate="m:1")
        .with_columns(
            team=pl.when(is_home).then("home_team_abbrev").otherwise("away_team_abbrev"),
            opponent=pl.when(is_home).then("away_team_abbrev").otherwise("home_team_abbrev"),
        )
        .sort("predicted_shots_on_goal", "player_id", "game_id", descending=[True, False, False])
        .select(
            "game_date",
            "player",
            "player_id",
            "team",
            "opponent",
            *PREDICTION_COLUMNS,
            *FEATURE_COLUMNS,
            "game_id",
            "model",
            "made_at",
        )
        .collect()
    )
    return UpcomingPredictions(rows, upcoming.height - rows["game_id"].n_unique())


SIDES = ("home", "away")
PREDICTION_COLUMNS = ("predicted_shots_on_goal", "chance_over_2_5")
