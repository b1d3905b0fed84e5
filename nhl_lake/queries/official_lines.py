"""Players' lines, game by game: those of the box score, or where a game has none, those counted from its plays."""

import polars as pl

from nhl_lake.catalog import find
from nhl_lake.gold.measures.situations import ALL
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

GAME = ("season", "game_id", "game_type", "player_id", "team_id", "is_home")
SKATER = ("goals", "assists", "points", "shots_on_goal", "time_on_ice_s")
GOALIE = ("decision", "saves", "shots_against", "goals_against", "time_on_ice_s")


def skater_lines(root: Place) -> pl.LazyFrame:
    """One row a skater dressed for a final game."""
    return either(root, "silver.skater_games", "gold.skater_game", SKATER)


def goalie_lines(root: Place) -> pl.LazyFrame:
    """One row a goalie who was in the net in a final game: by time on the ice, or where it is unknown by shots."""
    lines = either(root, "silver.goalie_games", "gold.goalie_game", GOALIE)
    faced = pl.col("shots_against").fill_null(pl.col("goals_against"))
    return lines.filter(pl.col("time_on_ice_s").fill_null(faced) > 0)


def either(root: Place, official: str, counted: str, names: tuple[str, ...]) -> pl.LazyFrame:
    """Return the lines of one table, and of games that it has not those of another."""
    box, own = (delta_tables.scan(root, find(table)) for table in (official, counted))
    rest = own.filter(pl.col("situation") == ALL).join(box, on="game_id", how="anti")
    return pl.concat([lines.select(*GAME, *names) for lines in (box, rest)], how="vertical_relaxed")
