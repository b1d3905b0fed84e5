"""Team statistics by season, for and against."""

import polars as pl

from nhl_lake.gold.measures import checks, ice_time, season_totals
from nhl_lake.gold.measures.situations import compute_share, situation
from nhl_lake.gold.team_game import COUNTS, TEAM_GAME
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table


def team_season(team_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team, season, game type and situation.

    Time and rates per 60 minutes cover the games with shifts.
    """
    rows = season_totals.sum_by_team(team_game, ("team_id",), COUNTS, RATES)
    return rows.with_columns(**season_totals.compute_per_60(RATES), **compute_shares()).select(list(TEAM_SEASON.schema))


def compute_shares() -> dict[str, pl.Expr]:
    """Return shares of the season's counts."""
    goals_with_shot = pl.col("shots_on_goal") - pl.col("saved_shots")  # of the games with known shots
    return {
        "shooting_share": season_totals.compute_ratio(goals_with_shot, pl.col("shots_on_goal")),
        "save_share": season_totals.compute_ratio(pl.col("saved_shots_against"), pl.col("shots_on_goal_against")),
        "faceoff_win_share": compute_share("faceoffs_won", "faceoffs_lost"),
        **{
            f"{name.removesuffix('s')}_share": compute_share(name, f"{name}_against")
            for name in ("goals", "unblocked_attempts", "attempts", "adjusted_attempts", "xg", "xg_score_adjusted")
        },
    }


RATES = tuple(
    f"{name}{side}"
    for name in ("goals", "shots_on_goal", "attempts", "adjusted_attempts", "xg", "xg_score_adjusted")
    for side in ("", "_against")
)
SHARES = {
    "shooting_share": "Shooting percentage, 0 to 1: goals out of shots on goal",
    "save_share": "Save percentage, 0 to 1: saves out of shots against; null without shots",
    "faceoff_win_share": "Faceoff win percentage, 0 to 1",
    **{
        f"{name}_share": f"Share of both teams' {name.replace('_', ' ')}s, 0 to 1"
        for name in ("goal", "unblocked_attempt", "attempt", "adjusted_attempt")
    },
    "xg_share": "Share of both teams' expected goals, 0 to 1",
    "xg_score_adjusted_share": "Share of both teams' expected goals adjusted for score and home ice, 0 to 1",
}

COLUMNS = (
    *season_totals.SEASON_COLUMNS,
    c.team_id,
    c.team_abbrev,
    situation,
    season_totals.games,
    season_totals.games_with_shifts,
    *season_totals.select_columns(TEAM_GAME.columns, (*COUNTS, *ice_time.NAMES)),
    *season_totals.declare_rates(TEAM_GAME.columns, RATES),
    *season_totals.declare_shares(SHARES),
)

TEAM_SEASON = Table(
    name="gold.team_season",
    grain="one team in one season, game type and situation",
    key=("season", "game_type", "team_id", "situation"),
    columns=COLUMNS,
    inputs=(TEAM_GAME,),
    source=team_season,
    checks=checks.STRENGTH_CHECKS | checks.TIME_CHECKS,
)
