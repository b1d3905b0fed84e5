"""Skater statistics by season, for each team and over all teams."""

import polars as pl

from nhl_lake.gold.measures import checks, season_totals, shrinkage
from nhl_lake.gold.measures.situations import SHARE_COUNTS, compute_share, situation
from nhl_lake.gold.skater_game import ADDITIVE_COUNTS, SKATER_GAME
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table


def skater_season(skater_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater, season, game type, team and situation; rows with `is_total` are over all teams of the skater.

    Every skater has a total, even with one team: filter on `is_total` before you sum. Counts that need shifts, and ice
    time by situation, cover the games with shifts; ice time in `all` also covers games with only a box score. A rate
    per 60 minutes covers the games in which both the count and the ice time are known. Goals above expected are also
    shrunk toward the league's mean; see docs/explanation/models.md.
    """
    summed = (*RATES, "game_score")
    totals = season_totals.add_player_totals(
        season_totals.sum_by_team(skater_game, PLAYER_TEAM_KEY, ADDITIVE_COUNTS, summed), ADDITIVE_COUNTS, summed
    )
    shrunk = shrinkage.add_shrunk_goals(totals, ABOVE, "xg", "xg_variance", sign=1)
    return shrunk.with_columns(**season_totals.compute_per_60(RATES), **compute_shares()).select(
        list(SKATER_SEASON.schema)
    )


def compute_shares() -> dict[str, pl.Expr]:
    """Return shares of the season's counts, and the game score per game."""
    goals_with_shot = pl.col("shots_on_goal") - pl.col("saved_shots")  # of the games with known shots
    end_zone_starts = pl.col("offensive_zone_starts") + pl.col("defensive_zone_starts")
    return {
        "shooting_share": season_totals.compute_ratio(goals_with_shot, pl.col("shots_on_goal")),
        "faceoff_win_share": compute_share("faceoffs_won", "faceoffs_lost"),
        "offensive_zone_start_share": season_totals.compute_ratio(pl.col("offensive_zone_starts"), end_zone_starts),
        **{
            f"{where}_{name}_share": compute_share(f"{where}_{count}_for", f"{where}_{count}_against")
            for where in ("on_ice", "off_ice")
            for name, count in SHARE_COUNTS.items()
        },
        "game_score_per_game": season_totals.compute_ratio(pl.col("rated_game_score"), pl.col("games_with_shifts")),
    }


PLAYER_TEAM_KEY = ("player_id", "team_id")
SIDES = ("for", "against")
ABOVE = "goals_above_expected"
RATES = (
    "goals",
    "assists",
    "points",
    "shots_on_goal",
    "unblocked_attempts",
    "attempts",
    "xg",
    "hits",
    "blocked_shots",
    "takeaways",
    "giveaways",
    "penalties",
    "penalties_drawn",
    *(
        f"on_ice_{name}_{side}"
        for name in ("goals", "shots_on_goal", "attempts", "xg", "xg_score_adjusted")
        for side in SIDES
    ),
    *(f"on_ice_adjusted_attempts_{side}" for side in SIDES),
)
SHARES = {
    "shooting_share": "Shooting percentage, 0 to 1: goals out of shots on goal",
    "faceoff_win_share": "Faceoff win percentage, 0 to 1",
    "offensive_zone_start_share": "Share of offensive-zone starts out of offensive- and defensive-zone starts, 0 to 1",
    **{
        f"{where}_{name}_share": f"Share of both teams' {description} {when}"
        for where, when in (("on_ice", "while on the ice"), ("off_ice", "while on the bench"))
        for name, description in (
            ("goal", "goals"),
            ("unblocked_attempt", "unblocked attempts (Fenwick)"),
            ("attempt", "shot attempts (Corsi)"),
            ("xg", "expected goals"),
        )
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
    Column("game_score_per_game", pl.Float64, "Game score per game, over the games with shifts", nullable=True),
    *season_totals.declare_rates(SKATER_GAME.columns, RATES),
    *season_totals.declare_shares(SHARES),
    *shrinkage.declare_columns(ABOVE, "xg", "Goals above expected"),
)

SKATER_SEASON = Table(
    name="gold.skater_season",
    grain="one skater in a season, game type and situation: for one team, or over all teams (`is_total`)",
    key=("season", "game_type", "player_id", "team_id", "is_total", "situation"),
    columns=COLUMNS,
    inputs=(SKATER_GAME,),
    source=skater_season,
    checks=checks.STRENGTH_CHECKS
    | checks.SEASON_TIME_CHECKS
    | checks.SKATER_CHECKS
    | checks.SEASON_SHIFT_CHECKS
    | shrinkage.check_interval(ABOVE),
)
