"""The data of two pages: all skaters, and all goalies, of a regular season, a row each."""

from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.reports.league import REGULAR_SEASON
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

KEY = ("season", "game_type", "player_id", "player", "team_abbrev")
SKATER_COLUMNS = (
    *KEY, "position", "games", "games_with_shifts", "games_with_time", "goals", "assists", "points",
    "power_play_points", "shots_on_goal", "shooting_share", "xg", "goals_above_expected", "hits",
    "blocked_shots", "faceoff_win_share", "penalty_minutes", "penalties_drawn", "time_on_ice_s",
    "power_play_time_on_ice_s",
)  # fmt: skip
EVEN_COLUMNS = ("on_ice_xg_share", "on_ice_attempt_share")
GOALIE_COLUMNS = (
    *KEY, "games", "games_with_time", "wins", "losses", "overtime_losses", "shots_against", "goals_against",
    "save_share", "xg_against", "goals_saved_above_expected", "shrunk_goals_saved_above_expected",
    "goals_against_per_60", "time_on_ice_s",
)  # fmt: skip


class AllPlayers(NamedTuple):
    """All skaters or all goalies of a regular season: a row a player, over all of the player's teams."""

    season: int
    rows: pl.DataFrame


def read_skaters(root: Location, season: int) -> AllPlayers:
    """Return the skaters, most points first. `even_…` are shares at 5on5."""
    rows = scan_totals(root, "gold.skater_season", season)
    even = rows.filter(situation=EVEN_SITUATION).select("player_id", pl.col(EVEN_COLUMNS).name.prefix("even_"))
    skaters = rows.filter(situation=ALL_SITUATIONS).select(SKATER_COLUMNS)
    skaters = skaters.join(even, on="player_id", how="left", validate="1:1")
    order = ["points", "goals", "games", "player_id"]
    return AllPlayers(season, skaters.sort(order, descending=[True, True, False, False], nulls_last=True).collect())


def read_goalies(root: Location, season: int) -> AllPlayers:
    """Return the goalies, most games first."""
    goalies = scan_totals(root, "gold.goalie_season", season).filter(situation=ALL_SITUATIONS).select(GOALIE_COLUMNS)
    return AllPlayers(season, goalies.sort("games", "player_id", descending=[True, False]).collect())


def scan_totals(root: Location, table: str, season: int) -> pl.LazyFrame:
    """Return the rows of a regular season over all teams of each player."""
    rows = delta_tables.scan_table_or_empty(root, find_table(table))
    return rows.filter(pl.col("is_total"), season=season, game_type=REGULAR_SEASON)
