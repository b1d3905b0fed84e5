"""Who is likely to shoot in the games to come, as it was foretold last, and what the forecast rests on."""

from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find
from nhl_lake.models.shots_on_goal import GLM
from nhl_lake.silver.parsing.person import full_name
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

NEEDED = ("gold.sog_predictions", "gold.sog_features")
WHO = ("game_id", "player_id")
ABOUT = ("projection_basis", "is_back_to_back", "mean_shots_on_goal_10")


class Foretold(NamedTuple):
    """Skaters by the shots that are foretold of them, and the games of the slate of which nothing is."""

    shooters: pl.DataFrame
    silent: int


def foretold(root: Place, slate: pl.DataFrame) -> Foretold:
    """Return the newest forecast of every skater who may play in the slate's games, those who shoot most first."""
    if not all(delta_tables.is_table(root, find(name)) for name in NEEDED):
        return Foretold(pl.DataFrame(), slate.height)
    predictions, features = (delta_tables.scan(root, find(name)) for name in NEEDED)
    games = slate.select("game_id", "start_at", *(f"{side}_team_{what}" for side in SIDES for what in ("id", "abbrev")))
    is_home = pl.col("team_id") == pl.col("home_team_id")
    names = delta_tables.scan(root, find("silver.players")).select("player_id", player=full_name())
    newest = (
        predictions.filter(pl.col("model").str.starts_with(GLM))
        .join(games.lazy(), on="game_id", suffix="_of_game", validate="m:1")
        .sort("made_at")
        .unique(WHO, keep="last", maintain_order=True)
    )
    rows = (
        # who is not expected any more, as after a trade, is left out
        newest.join(
            features.filter("is_upcoming").select(*WHO, "team_id", *ABOUT), on=[*WHO, "team_id"], validate="1:1"
        )
        .join(names, on="player_id", how="left", validate="m:1")
        .with_columns(
            team=pl.when(is_home).then("home_team_abbrev").otherwise("away_team_abbrev"),
            opponent=pl.when(is_home).then("away_team_abbrev").otherwise("home_team_abbrev"),
        )
        .sort("foretold_shots_on_goal", "player_id", "game_id", descending=[True, False, False])
        .select("game_date", "player", "player_id", "team", "opponent", *SAID, *ABOUT, "game_id", "model", "made_at")
        .collect()
    )
    return Foretold(rows, slate.height - rows["game_id"].n_unique())


SIDES = ("home", "away")
SAID = ("foretold_shots_on_goal", "chance_over_2_5")
