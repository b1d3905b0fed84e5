"""What skaters did in a season, for each team and for all of them."""

import polars as pl

from nhl_lake.gold.measures import checks, season_totals
from nhl_lake.gold.measures.situations import compute_share, situation
from nhl_lake.gold.skater_game import ADDITIVE_COUNTS, SKATER_GAME
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table


def skater_season(skater_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater, season, game type, team and situation, and one with `is_total` over all his teams.

    Everybody has a total, who played for one team too: sum one kind of row, not both. What is counted by shifts,
    and ice time by situation, is of the games with shifts; ice time in all of those with a box score too. A rate by 60
    minutes is of the games where both its parts are known.
    """
    summed = (*RATES, "game_score")
    whole = season_totals.add_player_totals(
        season_totals.sum_by_team(skater_game, PLAYER_TEAM_KEY, ADDITIVE_COUNTS, summed), ADDITIVE_COUNTS, summed
    )
    return whole.with_columns(**season_totals.compute_per_60(RATES), **compute_shares()).select(
        list(SKATER_SEASON.schema)
    )


def compute_shares() -> dict[str, pl.Expr]:
    """Return the shares of what was added up, and the game score of a game."""
    shot = pl.col("shots_on_goal") - pl.col("saved_shots")  # goals that were shot, of the games whose shots are known
    started = pl.col("offensive_zone_starts") + pl.col("defensive_zone_starts")
    return {
        "shooting_share": season_totals.compute_ratio(shot, pl.col("shots_on_goal")),
        "faceoff_win_share": compute_share("faceoffs_won", "faceoffs_lost"),
        "offensive_zone_start_share": season_totals.compute_ratio(pl.col("offensive_zone_starts"), started),
        **{
            f"{where}_{name[:-1]}_share": compute_share(f"{where}_{name}_for", f"{where}_{name}_against")
            for where in ("on_ice", "off_ice")
            for name in ("goals", "unblocked_attempts", "attempts")
        },
        "game_score_per_game": season_totals.compute_ratio(pl.col("rated_game_score"), pl.col("games_with_shifts")),
    }


PLAYER_TEAM_KEY = ("player_id", "team_id")
SIDES = ("for", "against")
RATES = (
    "goals",
    "assists",
    "points",
    "shots_on_goal",
    "unblocked_attempts",
    "attempts",
    "hits",
    "blocked_shots",
    "takeaways",
    "giveaways",
    "penalties",
    "penalties_drawn",
    *(f"on_ice_{name}_{side}" for name in ("goals", "shots_on_goal", "attempts") for side in SIDES),
    *(f"on_ice_adjusted_attempts_{side}" for side in SIDES),
)
SHARES = {
    "shooting_share": "Share of his shots on goal that were goals",
    "faceoff_win_share": "Share of his faceoffs that he won",
    "offensive_zone_start_share": "Share of his shifts that began in the offensive zone, of those in either end zone",
    **{
        f"{where}_{name}_share": f"Share of both teams' {name.replace('_', ' ')}s {when}"
        for where, when in (("on_ice", "while he was on the ice"), ("off_ice", "while he was on the bench"))
        for name in ("goal", "unblocked_attempt", "attempt")
    },
}

COLUMNS = (
    *season_totals.SEASON_COLUMNS,
    c.player_id,
    season_totals.player,
    c.team_id,
    season_totals.is_total,
    c.team_abbrev,
    season_totals.position,
    situation,
    season_totals.games,
    season_totals.games_with_shifts,
    season_totals.games_with_time,
    *season_totals.select_columns(SKATER_GAME.columns, ADDITIVE_COUNTS),
    Column("game_score_per_game", pl.Float64, "Game score of a game, of those with shifts", nullable=True),
    *season_totals.declare_rates(SKATER_GAME.columns, RATES),
    *season_totals.declare_shares(SHARES),
)

SKATER_SEASON = Table(
    name="gold.skater_season",
    grain="one skater in one season, game type and situation: for one team, or over all of them (`is_total`)",
    key=("season", "game_type", "player_id", "team_id", "is_total", "situation"),
    columns=COLUMNS,
    inputs=(SKATER_GAME,),
    source=skater_season,
    checks=checks.STRENGTH_CHECKS | checks.SEASON_TIME_CHECKS | checks.SKATER_CHECKS | checks.SEASON_SHIFT_CHECKS,
)
