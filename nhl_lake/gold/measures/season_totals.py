"""Game rows added up over a season: by team, and over all teams of a player; rates and shares of what was added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.ice_time import SOURCE_SHIFTS
from nhl_lake.gold.measures.situations import round_sums
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

SEASON_KEY = ("season", "game_type")
# what was counted in the games where both it and ice time are known, and that time: for rates by time
RATE_PREFIX, TIME_PREFIX = "rated_", "timed_"

games = Column("games", pl.Int16, "Games played")
games_with_shifts = Column(
    "games_with_shifts", pl.Int16, "Games of them with shifts: only there is known what is counted by them"
)
games_with_time = Column(
    "games_with_time", pl.Int16, "Games of them whose ice time is known: by shifts, or by the box score"
)
is_total = Column(
    "is_total", pl.Boolean, "Whether the row is over all his teams: every player has one, `team_id` is his last team"
)


def sum_by_team(rows: pl.LazyFrame, who: Sequence[str], counts: Sequence[str], rates: Sequence[str]) -> pl.LazyFrame:
    """Add up games by season and situation; what is known of no game is not known of the season."""
    schema = rows.collect_schema()
    is_timed = pl.col("time_on_ice_s").is_not_null()
    has_shifts = pl.col("time_source") == SOURCE_SHIFTS if "time_source" in schema else is_timed
    last = (
        pl.col(name).sort_by("game_date", "game_id").drop_nulls().last() for name in LAST_VALUE_NAMES if name in schema
    )
    found = rows.group_by(*SEASON_KEY, *who, "situation").agg(
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
    """Add the row of all teams to the rows that each player has in a season."""
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
    apart = rows.with_columns(is_total=pl.lit(value=False))
    return round_sums(
        pl.concat([apart, total], how="diagonal_relaxed"), [*counts, *(RATE_PREFIX + name for name in rates)]
    )


def sum_known(name: str) -> pl.Expr:
    """Return the sum of what is known; null if nothing is."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum())


def compute_per_60(rates: Iterable[str]) -> dict[str, pl.Expr]:
    """Return counts by the hour, of the games where both they and the ice time are known; null without any."""
    hours = {name: pl.when(pl.col(TIME_PREFIX + name) > 0).then(pl.col(TIME_PREFIX + name) / 3600) for name in rates}
    return {f"{name}_per_60": pl.col(RATE_PREFIX + name) / hours[name] for name in rates}


def compute_ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return a share; null of nothing."""
    return pl.when(whole > 0).then(part / whole)


def declare_rates(columns: Sequence[Column], rates: Iterable[str]) -> list[Column]:
    """Declare the counts by the hour."""
    about = {column.name: column.description for column in columns}
    return [
        Column(f"{name}_per_60", pl.Float64, f"{about[name]}; in 60 minutes on the ice", nullable=True)
        for name in rates
    ]


def declare_shares(shares: Mapping[str, str]) -> list[Column]:
    """Declare shares by name and meaning."""
    return [Column(name, pl.Float64, about, nullable=True) for name, about in shares.items()]


def select_columns(columns: Sequence[Column], names: Iterable[str]) -> list[Column]:
    """Return the columns of a game table that are added up."""
    wanted = set(names)
    return [column for column in columns if column.name in wanted]


COVERAGE_COUNTS = ("games_with_shifts", "games_with_time")
LAST_VALUE_NAMES = ("player", "team_abbrev", "position")
SEASON_COLUMNS = (c.season, c.game_type)
player = replace(c.player, description="Full name, as the page of the last game gives it")
position = replace(c.position, nullable=True)
