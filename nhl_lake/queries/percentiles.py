"""Percentiles: how a player's season compares with those of the players at the same position."""

from typing import Final, NamedTuple

import polars as pl

from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.measures.combinations import DEFENSE_POSITIONS, FORWARD_POSITIONS
from nhl_lake.gold.measures.shrinkage import list_names
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.gold.skater_rapm import NET, SKATER_RAPM
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

POWER_PLAY, SHORTHANDED = "5on4", "4on5"
MIN_TIME_SHARE = 0.25  # of the most ice time of any player at the position, in the situation
# seconds that are too few in any case, as after one game
LEAST_TIME_S: Final = {ALL_SITUATIONS: 1800, EVEN_SITUATION: 1200, POWER_PLAY: 300, SHORTHANDED: 300}
MIN_PLAYERS = 10  # among fewer, a percentile says little
FORWARD, DEFENSE, GOALIE = "F", "D", "G"


class Statistic(NamedTuple):
    """A column of a season's table, in a situation, and how to show it: per_60, share (0 to 1) or goals."""

    name: str
    label: str
    table: Table
    column: str
    situation: str
    unit: str
    is_low_better: bool = False


def _declare(table: Table, column: str, situation: str, label: str, *, is_low_better: bool = False) -> Statistic:
    unit = next((unit for unit in ("per_60", "share") if column.endswith(f"_{unit}")), "goals")
    name = column if situation == ALL_SITUATIONS else f"{column}_{situation}"
    return Statistic(name, label, table, column, situation, unit, is_low_better)


SKATER_STATISTICS: Final = (
    _declare(SKATER_SEASON, "points_per_60", EVEN_SITUATION, "Points per 60, 5on5"),
    _declare(SKATER_SEASON, "goals_per_60", EVEN_SITUATION, "Goals per 60, 5on5"),
    _declare(SKATER_SEASON, "assists_per_60", EVEN_SITUATION, "Assists per 60, 5on5"),
    _declare(SKATER_SEASON, "xg_per_60", EVEN_SITUATION, "Own xG per 60, 5on5"),
    _declare(SKATER_SEASON, "shots_on_goal_per_60", EVEN_SITUATION, "Shots on goal per 60, 5on5"),
    _declare(SKATER_SEASON, list_names("goals_above_expected")[2], ALL_SITUATIONS, "Goals above expected, shrunk"),
    _declare(SKATER_SEASON, "on_ice_xg_for_per_60", EVEN_SITUATION, "On-ice xG for per 60, 5on5"),
    _declare(
        SKATER_SEASON, "on_ice_xg_against_per_60", EVEN_SITUATION, "On-ice xG against per 60, 5on5", is_low_better=True
    ),
    _declare(SKATER_SEASON, "on_ice_xg_share", EVEN_SITUATION, "Share of on-ice xG, 5on5"),
    _declare(SKATER_SEASON, "on_ice_attempt_share", EVEN_SITUATION, "Share of on-ice shot attempts (Corsi), 5on5"),
    _declare(SKATER_RAPM, NET, EVEN_SITUATION, "Effect on xG per 60 (RAPM), 5on5"),
    _declare(SKATER_SEASON, "points_per_60", POWER_PLAY, "Points per 60, 5on4"),
    _declare(SKATER_SEASON, "xg_per_60", POWER_PLAY, "Own xG per 60, 5on4"),
    _declare(
        SKATER_SEASON, "on_ice_xg_against_per_60", SHORTHANDED, "On-ice xG against per 60, 4on5", is_low_better=True
    ),
    _declare(SKATER_SEASON, "penalties_drawn_per_60", ALL_SITUATIONS, "Penalties drawn per 60"),
    _declare(SKATER_SEASON, "penalties_per_60", ALL_SITUATIONS, "Penalties taken per 60", is_low_better=True),
)
GOALIE_STATISTICS: Final = (
    _declare(
        GOALIE_SEASON, list_names("goals_saved_above_expected")[2], ALL_SITUATIONS, "Goals saved above expected, shrunk"
    ),
    _declare(GOALIE_SEASON, "goals_saved_above_expected", ALL_SITUATIONS, "Goals saved above expected"),
    _declare(GOALIE_SEASON, "save_share", ALL_SITUATIONS, "Save percentage"),
    _declare(GOALIE_SEASON, "save_share", EVEN_SITUATION, "Save percentage, 5on5"),
    _declare(GOALIE_SEASON, "save_share", SHORTHANDED, "Save percentage, 4on5"),
    _declare(GOALIE_SEASON, "unblocked_save_share", ALL_SITUATIONS, "Save percentage of unblocked attempts (Fenwick)"),
    _declare(GOALIE_SEASON, "goals_against_per_60", ALL_SITUATIONS, "Goals against per 60", is_low_better=True),
)
STATISTICS: Final = (*SKATER_STATISTICS, *GOALIE_STATISTICS)


def read_percentiles(root: Location, season: int, *, game_type: int = REGULAR_SEASON) -> pl.DataFrame:
    """One row per player and statistic of a season, over all teams of the player, in the order of `STATISTICS`.

    Columns: season, game_type, player_id, player, team_abbrev (of the last game), position_group (F, D or G; null if
    the position is unknown); statistic, label, unit (per_60, share or goals); table_name, column_name and situation:
    where the value comes from; value; time_on_ice_s, in the situation; min_time_on_ice_s, a quarter of the most of any
    player of the group, but at least `LEAST_TIME_S`; players, how many are compared; percentile, from 0 to 100 for the
    best.

    The percentile is the share of the other compared players whose value is worse; equal values count half. It is null
    with too little ice time, without a value or a group, or if fewer than ten players are compared.
    """
    tables = {statistic.table.name: statistic.table for statistic in STATISTICS}
    seasons = {name: _scan_season(root, table, season, game_type) for name, table in tables.items()}
    parts = [_select_statistic(seasons[one.table.name], number) for number, one in enumerate(STATISTICS)]
    rows = add_percentiles(pl.concat(parts)).sort("player_id", "number")
    return rows.select(PERCENTILE_COLUMNS).collect()


def add_percentiles(values: pl.LazyFrame, min_players: int = MIN_PLAYERS) -> pl.LazyFrame:
    """Add min_time_on_ice_s, players and percentile to values of one or more statistics; see `read_percentiles`.

    Needs the columns number (of the statistic), position_group, value, is_low_better, time_on_ice_s and least_time_s.
    """
    group = ["number", "position_group"]
    is_enough = pl.col("time_on_ice_s") >= pl.col("min_time_on_ice_s")
    is_compared = is_enough & pl.col("value").is_not_null() & pl.col("position_group").is_not_null()
    better = pl.when("is_low_better").then(-pl.col("value")).otherwise("value")
    worse = pl.when("is_compared").then(better).rank("average").over(group) - 1
    quarter = (pl.col("time_on_ice_s").max().over(group) * MIN_TIME_SHARE).ceil().cast(pl.Int32)
    return (
        values.with_columns(min_time_on_ice_s=pl.max_horizontal(quarter, "least_time_s"))
        .with_columns(is_compared=is_compared.fill_null(value=False))
        .with_columns(players=pl.col("is_compared").sum().over(group).cast(pl.Int32))
        .with_columns(percentile=pl.when(pl.col("players") >= min_players).then(worse * 100 / (pl.col("players") - 1)))
    )


PERCENTILE_COLUMNS: Final = (
    "season", "game_type", "player_id", "player", "team_abbrev", "position_group", "statistic", "label", "unit",
    "table_name", "column_name", "situation", "value", "time_on_ice_s", "min_time_on_ice_s", "players", "percentile",
)  # fmt: skip


def _scan_season(root: Location, table: Table, season: int, game_type: int) -> pl.LazyFrame:
    """Return the rows of a season over all teams of each player."""
    rows = delta_tables.scan_table_or_empty(root, table).filter(season=season, game_type=game_type)
    return rows.filter("is_total") if "is_total" in rows.collect_schema().names() else rows


def _select_statistic(season: pl.LazyFrame, number: int) -> pl.LazyFrame:
    """Return the values of one statistic, of every player with a season in its table."""
    statistic = STATISTICS[number]
    rows = season.filter(situation=statistic.situation)
    names = rows.collect_schema().names()
    value = pl.col(statistic.column) if statistic.column in names else pl.lit(None)  # of an older release
    group = group_position() if "position" in names else pl.lit(GOALIE)
    return rows.select(
        "season", "game_type", "player_id", "player", "team_abbrev",
        pl.col("time_on_ice_s").cast(pl.Int32),
        position_group=group,
        number=pl.lit(number, dtype=pl.Int32),
        statistic=pl.lit(statistic.name),
        label=pl.lit(statistic.label),
        unit=pl.lit(statistic.unit),
        table_name=pl.lit(statistic.table.name),
        column_name=pl.lit(statistic.column),
        situation=pl.lit(statistic.situation),
        value=value.cast(pl.Float64),
        is_low_better=pl.lit(statistic.is_low_better),
        least_time_s=pl.lit(LEAST_TIME_S[statistic.situation], dtype=pl.Int32),
    )  # fmt: skip


def group_position() -> pl.Expr:
    """Return the group of a skater's position: F or D; null if it is unknown."""
    is_forward, is_defense = (pl.col("position").is_in(names) for names in (FORWARD_POSITIONS, DEFENSE_POSITIONS))
    return pl.when(is_forward).then(pl.lit(FORWARD)).when(is_defense).then(pl.lit(DEFENSE))
