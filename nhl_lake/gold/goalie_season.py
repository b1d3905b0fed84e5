"""Goalie statistics by season, for each team and over all teams."""

import polars as pl

from nhl_lake.gold.goalie_game import COUNTS, GOALIE_GAME, SAVED_ABOVE
from nhl_lake.gold.measures import checks, season_totals, shrinkage
from nhl_lake.gold.measures.attempts import declare_count
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, situation
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table


def goalie_season(goalie_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie, season, game type, team and situation; rows with `is_total` are over all teams of the goalie.

    Every goalie has a total, even with one team: filter on `is_total` before you sum. Games that the goalie only
    dressed for are left out. Counts that need shifts, and ice time by situation, cover the games with shifts; ice time
    in `all` also covers games with only a box score. A rate per 60 minutes covers the games in which both the count and
    the ice time are known. Goals saved above expected are also shrunk toward the league's mean; see
    docs/explanation/models.md.
    """
    decided = {name: (pl.col("decision") == decision).cast(pl.Int32) for name, decision in DECISIONS.items()}
    goals_among_unblocked = pl.when(pl.col("unblocked_attempts_against").is_not_null()).then("goals_against")
    played = goalie_game.filter(has_played()).with_columns(**decided, goals_among_unblocked=goals_among_unblocked)
    summed = (*COUNTS, *DECISIONS, "goals_among_unblocked")
    totals = season_totals.add_player_totals(
        season_totals.sum_by_team(played, PLAYER_TEAM_KEY, summed, RATES), summed, RATES
    )
    saves = season_totals.compute_ratio(pl.col("saves"), pl.col("shots_against"))
    unblocked = pl.col("unblocked_attempts_against")
    shrunk = shrinkage.add_shrunk_goals(totals, SAVED_ABOVE, "xg_against", "xg_variance_against", sign=-1)
    return shrunk.with_columns(
        **season_totals.compute_per_60(RATES),
        save_share=saves,
        unblocked_save_share=season_totals.compute_ratio(unblocked - pl.col("goals_among_unblocked"), unblocked),
    ).select(list(GOALIE_SEASON.schema))


def has_played() -> pl.Expr:
    """Whether a goalie played: by ice time, or else by shots against, or else by goals against or a decision."""
    faced = pl.coalesce("unblocked_attempts_against", "shots_against") > 0
    allowed = (pl.col("goals_against") > 0).fill_null(value=False)
    on_ice = pl.coalesce(pl.col("time_on_ice_s") > 0, faced, allowed | pl.col("decision").is_not_null())
    return (on_ice & (pl.col("situation") == ALL_SITUATIONS)).any().over("game_id", "player_id")


PLAYER_TEAM_KEY = ("player_id", "team_id")
DECISIONS = {"wins": "W", "losses": "L", "overtime_losses": "O"}
RATES = ("goals_against", "shots_against", "unblocked_attempts_against", "attempts_against")

COLUMNS = (
    *season_totals.SEASON_COLUMNS,
    c.player_id,
    season_totals.player,
    c.team_id,
    season_totals.is_total,
    c.team_abbrev,
    situation,
    season_totals.games,
    season_totals.games_with_shifts,
    season_totals.games_with_time,
    declare_count("wins", "Wins, by the box score; null if no decision is known"),
    declare_count("losses", "Regulation losses, by the box score"),
    declare_count("overtime_losses", "Overtime and shootout losses, by the box score"),
    *season_totals.select_columns(GOALIE_GAME.columns, COUNTS),
    *season_totals.declare_rates(GOALIE_GAME.columns, RATES),
    *season_totals.select_columns(GOALIE_GAME.columns, ("save_share",)),
    *season_totals.declare_shares({"unblocked_save_share": "Save percentage on unblocked attempts (Fenwick), 0 to 1"}),
    *shrinkage.declare_columns(SAVED_ABOVE, "xg_against", "Goals saved above expected"),
)

GOALIE_SEASON = Table(
    name="gold.goalie_season",
    grain="one goalie in a season, game type and situation: for one team, or over all teams (`is_total`)",
    key=("season", "game_type", "player_id", "team_id", "is_total", "situation"),
    columns=COLUMNS,
    inputs=(GOALIE_GAME,),
    source=goalie_season,
    checks=checks.SEASON_TIME_CHECKS | shrinkage.check_interval(SAVED_ABOVE),
)
