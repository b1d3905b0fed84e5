"""Players' lines, game by game: those of the box score, or without one those counted from the plays."""

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

GAME_COLUMNS = ("season", "game_id", "game_type", "player_id", "team_id", "is_home")
SKATER_COLUMNS = ("goals", "assists", "points", "shots_on_goal", "time_on_ice_s")
GOALIE_COLUMNS = ("decision", "saves", "shots_against", "goals_against", "time_on_ice_s")
GOALIE_XG, SKATER_XG = ("goals_saved_above_expected",), ("xg",)
ON_ICE_XG = ("on_ice_xg_for", "on_ice_xg_against")  # at 5on5


def scan_skater_lines(root: Location) -> pl.LazyFrame:
    """Return one row per skater dressed for a final game."""
    return combine_lines(root, "silver.skater_games", "gold.skater_game", SKATER_COLUMNS)


def scan_goalie_lines(root: Location) -> pl.LazyFrame:
    """Return one row per goalie who played in a final game: by time on ice, or by shots faced if it is unknown."""
    lines = combine_lines(root, "silver.goalie_games", "gold.goalie_game", GOALIE_COLUMNS)
    faced = pl.col("shots_against").fill_null(pl.col("goals_against"))
    return lines.filter(pl.col("time_on_ice_s").fill_null(faced) > 0)


def add_skater_xg(root: Location, lines: pl.LazyFrame) -> pl.LazyFrame:
    """Add the skater's xG in a game, and the on-ice xG for and against at 5on5."""
    own = join_counted(root, lines, "gold.skater_game", ALL_SITUATIONS, SKATER_XG)
    return join_counted(root, own, "gold.skater_game", EVEN_SITUATION, ON_ICE_XG)


def add_goalie_xg(root: Location, lines: pl.LazyFrame) -> pl.LazyFrame:
    """Add the goals that the goalie saved above expected in a game."""
    return join_counted(root, lines, "gold.goalie_game", ALL_SITUATIONS, GOALIE_XG)


def join_counted(
    root: Location, lines: pl.LazyFrame, table: str, situation: str, names: tuple[str, ...]
) -> pl.LazyFrame:
    """Add columns of a gold table of players' games in a situation; null for players whom it does not have."""
    key = ["game_id", "player_id"]
    own = delta_tables.scan_table(root, find_table(table)).filter(pl.col("situation") == situation)
    return lines.join(own.select(*key, *names), on=key, how="left", validate="1:1")


def combine_lines(root: Location, official: str, counted: str, names: tuple[str, ...]) -> pl.LazyFrame:
    """Return the lines of one table, and for players who have none there in a game those of another."""
    box, own = (delta_tables.scan_table(root, find_table(table)) for table in (official, counted))
    rest = own.filter(pl.col("situation") == ALL_SITUATIONS).join(box, on=["game_id", "player_id"], how="anti")
    return pl.concat([lines.select(*GAME_COLUMNS, *names) for lines in (box, rest)], how="vertical_relaxed")
