"""Ratings of skaters: game score, and rank by ice time."""

import polars as pl

from nhl_lake.gold.measures.situations import ALL_SITUATIONS

GAME_SCORE_WEIGHTS = {
    "goals": 0.75,
    "primary_assists": 0.70,
    "secondary_assists": 0.55,
    "shots_on_goal": 0.075,
    "blocked_shots": 0.05,
    "penalties_drawn": 0.15,
    "penalties": -0.15,
    "faceoffs_won": 0.01,
    "faceoffs_lost": -0.01,
}
ON_ICE_WEIGHTS = {
    "on_ice_attempts_for": 0.05,
    "on_ice_attempts_against": -0.05,
    "on_ice_goals_for": 0.15,
    "on_ice_goals_against": -0.15,
}


def game_score() -> pl.Expr:
    """Return the game score after Dom Luszczyszyn: the same in all situations of a game; null if a part is unknown."""
    own, on_ice = sum_weighted(GAME_SCORE_WEIGHTS), sum_weighted(ON_ICE_WEIGHTS)
    part = (
        pl.when(pl.col("situation") == ALL_SITUATIONS)
        .then(own)
        .when(pl.col("situation") == "5on5")
        .then(on_ice)
        .otherwise(0.0)
    )
    game = ("game_id", "player_id")
    is_known = part.is_not_null().all().over(game) & pl.col("on_ice_attempts_for").is_not_null()
    return pl.when(is_known).then(part.sum().over(game).round(6))


def sum_weighted(weights: dict[str, float]) -> pl.Expr:
    """Return the weighted sum of columns; null if one is null."""
    return pl.sum_horizontal((weight * pl.col(name) for name, weight in weights.items()), ignore_nulls=False)


def rank_ice_time() -> pl.Expr:
    """Return the rank by ice time among the team's forwards, or among its defensemen; null without ice time."""
    time = pl.when(pl.col("time_on_ice_s") > 0).then("time_on_ice_s")
    peers = ("game_id", "team_id", "situation", pl.col("position").eq_missing("D"))
    return time.rank("min", descending=True).over(*peers)
