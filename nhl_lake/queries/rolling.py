"""Rolling expected goals for and against per 60 minutes at 5on5, of skaters or teams, game by game."""

from collections.abc import Collection, Sequence

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import EVEN_SITUATION
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

WINDOW_GAMES = 10
MIN_GAMES = 3  # a rate over fewer games says little: it is null
COUNTS = ("xg_for", "xg_against", "time_on_ice_s")


def roll_skaters(
    root: Location,
    season: int,
    *,
    game_type: int = REGULAR_SEASON,
    window: int = WINDOW_GAMES,
    player_ids: Collection[int] | None = None,
) -> pl.DataFrame:
    """One row per skater and game of a season, in order, with their on-ice xG at 5on5; by default of every skater.

    Columns: season, player_id, player, and those of `roll_teams`. `team_abbrev` is the team of the game.
    """
    rows = _scan_even_strength(root, "gold.skater_game", season, game_type)
    if player_ids is not None:
        rows = rows.filter(pl.col("player_id").is_in(list(player_ids)))
    counts = {"xg_for": "on_ice_xg_for", "xg_against": "on_ice_xg_against", "time_on_ice_s": "time_on_ice_s"}
    return _roll(rows.filter(pl.col("time_on_ice_s") > 0), ("player_id", "player"), counts, window)


def roll_teams(
    root: Location,
    season: int,
    *,
    game_type: int = REGULAR_SEASON,
    window: int = WINDOW_GAMES,
    team_ids: Collection[int] | None = None,
) -> pl.DataFrame:
    """One row per team and game of a season, in order, with the team's xG at 5on5; by default of every team.

    Columns: season, team_id, team_abbrev, game_id, game_date, opponent_abbrev, is_home; xg_for, xg_against and
    time_on_ice_s (seconds) of the game; game_number (1 is the first); rolling_games, the number of games in the window
    of the last `window` games; rolling_time_on_ice_s, rolling_xg_for_per_60 and rolling_xg_against_per_60 over these
    games. The rates are null before the third game. Games without shifts or without xG are left out.
    """
    rows = _scan_even_strength(root, "gold.team_game", season, game_type)
    if team_ids is not None:
        rows = rows.filter(pl.col("team_id").is_in(list(team_ids)))
    counts = {"xg_for": "xg", "xg_against": "xg_against", "time_on_ice_s": "time_on_ice_s"}
    return _roll(rows.filter(pl.col("time_on_ice_s") > 0), ("team_id",), counts, window)


def _scan_even_strength(root: Location, table: str, season: int, game_type: int) -> pl.LazyFrame:
    rows = delta_tables.scan_table_or_empty(root, find_table(table))
    return rows.filter(season=season, game_type=game_type, situation=EVEN_SITUATION)


def _roll(rows: pl.LazyFrame, subject: Sequence[str], counts: dict[str, str], window: int) -> pl.DataFrame:
    about = ("team_abbrev", "game_id", "game_date", "opponent_abbrev", "is_home")
    known = rows.select("season", *subject, *about, **counts).drop_nulls(COUNTS)
    return add_rolling_rates(known, subject[0], window).collect()


def add_rolling_rates(rows: pl.LazyFrame, key: str, window: int) -> pl.LazyFrame:
    """Sort games by `key` and day, and add the columns from game_number on; see `roll_teams`."""
    sums = {name: pl.col(name).rolling_sum(window, min_samples=1).over(key) for name in COUNTS}
    is_enough = pl.col("rolling_games") >= min(MIN_GAMES, window)
    per_60 = {
        f"rolling_{name}_per_60": pl.when(is_enough).then(sums[name] * 3600 / sums["time_on_ice_s"])
        for name in ("xg_for", "xg_against")
    }
    return (
        rows.sort(key, "game_date", "game_id")
        .with_columns(game_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(key))
        .with_columns(rolling_games=pl.min_horizontal(pl.lit(window, dtype=pl.Int32), "game_number"))
        .with_columns(rolling_time_on_ice_s=sums["time_on_ice_s"], **per_60)
    )
