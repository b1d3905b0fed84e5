"""Players' lines, game by game: those of the box score, or without one those counted from the plays."""

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

GAME_COLUMNS = ("season", "game_id", "game_type", "player_id", "team_id", "is_home")
SKATER_COLUMNS = ("goals", "assists", "points", "shots_on_goal", "time_on_ice_s")
GOALIE_COLUMNS = ("decision", "saves", "shots_against", "goals_against", "time_on_ice_s")


def scan_skater_lines(root: Location) -> pl.LazyFrame:
    """Return one row per skater dressed for a final game."""
    return combine_lines(root, "silver.skater_games", "gold.skater_game", SKATER_COLUMNS)


def scan_goalie_lines(root: Location) -> pl.LazyFrame:
    """Return one row per goalie who played in a final game: by time on ice, or by shots faced if it is unknown."""
    lines = combine_lines(root, "silver.goalie_games", "gold.goalie_game", GOALIE_COLUMNS)
    faced = pl.col("shots_against").fill_null(pl.col("goals_against"))
    return lines.filter(pl.col("time_on_ice_s").fill_null(faced) > 0)


def combine_lines(root: Location, official: str, counted: str, names: tuple[str, ...]) -> pl.LazyFrame:
    """Return the lines of one table, and for players who have none there in a game those of another."""
    box, own = (delta_tables.scan_table(root, find_table(table)) for table in (official, counted))
    rest = own.filter(pl.col("situation") == ALL_SITUATIONS).join(box, on=["game_id", "player_id"], how="anti")
    return pl.concat([lines.select(*GAME_COLUMNS, *names) for lines in (box, rest)], how="vertical_relaxed")
