"""Season totals of game rows: by team, and over all teams of a player; rates and shares of the totals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.ice_time import SOURCE_SHIFTS
from nhl_lake.gold.measures.situations import round_sums
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

SEASON_KEY = ("season", "game_type")
# count and ice time of the games in which both are known: for rates per 60 minutes
RATE_PREFIX, TIME_PREFIX = "rated_", "timed_"

games = Column("games", pl.Int16, "Games played")
games_with_shifts = Column("games_with_shifts", pl.Int16, "Games with shifts: counts that need shifts cover only these")
games_with_time = Column("games_with_time", pl.Int16, "Games with known ice time, from shifts or the box score")
is_total = Column(
    "is_total", pl.Boolean, "Whether the row is over all teams; every player has one, with `team_id` of the last team"
)


def sum_by_team(rows: pl.LazyFrame, keys: Sequence[str], counts: Sequence[str], rates: Sequence[str]) -> pl.LazyFrame:
    """Add up games by season and situation; a count that is null in all games is null in the season."""
    schema = rows.collect_schema()
    is_timed = pl.col("time_on_ice_s").is_not_null()
    has_shifts = pl.col("time_source") == SOURCE_SHIFTS if "time_source" in schema else is_timed
    last = (
        pl.col(name).sort_by("game_date", "game_id").drop_nulls().last() for name in LAST_VALUE_NAMES if name in schema
    )
    found = rows.group_by(*SEASON_KEY, *keys, "situation").agg(
        *last,
        *(sum_known(name) for name in counts),
        *(pl.col(name).filter(is_timed).sum().alias(RATE_PREFIX + name) for name in rates),
        *(pl.col("time_on_ice_s").filter(pl.col(name).is_not_null()).sum().alias(TIME_PREFIX + name) for name in rates),
        last_game_date=pl.col("game_date").max(),
        games=pl.col("game_id").n_unique(),
        games_with_shifts=has_shifts.sum(),
        games_with_time=is_timed.sum(),
    )
    return round_sums(found, [*counts, *(RATE_PREFIX + name for name in rates)])


def add_player_totals(rows: pl.LazyFrame, counts: Sequence[str], rates: Sequence[str]) -> pl.LazyFrame:
    """Add a row over all teams for each player and season."""
    sums = (*(kind + name for kind in (RATE_PREFIX, TIME_PREFIX) for name in rates), "games", *COVERAGE_COUNTS)
    schema = rows.collect_schema()
    last = (
        pl.col(name).sort_by("last_game_date", "team_id").drop_nulls().last()
        for name in ("team_id", *LAST_VALUE_NAMES)
        if name in schema
    )
    total = rows.group_by(*SEASON_KEY, "player_id", "situation").agg(
        *last, *(sum_known(name) for name in counts), pl.col(*sums).sum(), pl.lit(value=True).alias("is_total")
    )
    by_team = rows.with_columns(is_total=pl.lit(value=False))
    return round_sums(
        pl.concat([by_team, total], how="diagonal_relaxed"), [*counts, *(RATE_PREFIX + name for name in rates)]
    )


def sum_known(name: str) -> pl.Expr:
    """Return the sum of the known values; null without any."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum())


def compute_per_60(rates: Iterable[str]) -> dict[str, pl.Expr]:
    """Return counts per 60 minutes, over the games in which count and ice time are known; null without any."""
    hours = {name: pl.when(pl.col(TIME_PREFIX + name) > 0).then(pl.col(TIME_PREFIX + name) / 3600) for name in rates}
    return {f"{name}_per_60": pl.col(RATE_PREFIX + name) / hours[name] for name in rates}


def compute_ratio(part: pl.Expr, total: pl.Expr) -> pl.Expr:
    """Return a ratio; null if the denominator is 0."""
    return pl.when(total > 0).then(part / total)


def declare_rates(columns: Sequence[Column], rates: Iterable[str]) -> list[Column]:
    """Declare the rates per 60 minutes of counts."""
    descriptions = {column.name: column.description for column in columns}
    return [
        Column(f"{name}_per_60", pl.Float64, f"{descriptions[name]}; per 60 minutes", nullable=True) for name in rates
    ]


def declare_shares(shares: Mapping[str, str]) -> list[Column]:
    """Declare shares by name and description."""
    return [Column(name, pl.Float64, text, nullable=True) for name, text in shares.items()]


def select_columns(columns: Sequence[Column], names: Iterable[str]) -> list[Column]:
    """Return the columns with the given names, in the order of the table."""
    selected = set(names)
    return [column for column in columns if column.name in selected]


COVERAGE_COUNTS = ("games_with_shifts", "games_with_time")
LAST_VALUE_NAMES = ("player", "team_abbrev", "position")
SEASON_COLUMNS = (c.season, c.game_type)
player = replace(c.player, description="Full name, as on the page of the last game")
position = replace(c.position, nullable=True)
