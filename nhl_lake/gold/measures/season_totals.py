"""Game rows added up over a season: by team, and over all teams of a player; rates and shares of what was added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.ice_time import BY_SHIFTS
from nhl_lake.gold.measures.situations import exact
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

SEASON = ("season", "game_type")
# what was counted in the games where both it and ice time are known, and that time: for rates by time
RATED, TIMED = "rated_", "timed_"

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


def by_team(rows: pl.LazyFrame, who: Sequence[str], counts: Sequence[str], rates: Sequence[str]) -> pl.LazyFrame:
    """Add up games by season and situation; what is known of no game is not known of the season."""
    schema = rows.collect_schema()
    is_timed = pl.col("time_on_ice_s").is_not_null()
    has_shifts = pl.col("time_source") == BY_SHIFTS if "time_source" in schema else is_timed
    last = (pl.col(name).sort_by("game_date", "game_id").drop_nulls().last() for name in LAST if name in schema)
    found = rows.group_by(*SEASON, *who, "situation").agg(
        *last,
        *(known_sum(name) for name in counts),
        *(pl.col(name).filter(is_timed).sum().alias(RATED + name) for name in rates),
        *(pl.col("time_on_ice_s").filter(pl.col(name).is_not_null()).sum().alias(TIMED + name) for name in rates),
        last_game_date=pl.col("game_date").max(),
        games=pl.col("game_id").n_unique(),
        games_with_shifts=has_shifts.sum(),
        games_with_time=is_timed.sum(),
    )
    return exact(found, [*counts, *(RATED + name for name in rates)])


def over_teams(rows: pl.LazyFrame, counts: Sequence[str], rates: Sequence[str]) -> pl.LazyFrame:
    """Add the row of all teams to the rows that each player has in a season."""
    sums = (*(kind + name for kind in (RATED, TIMED) for name in rates), "games", *GAMES_WITH)
    schema = rows.collect_schema()
    last = (
        pl.col(name).sort_by("last_game_date", "team_id").drop_nulls().last()
        for name in ("team_id", *LAST)
        if name in schema
    )
    total = rows.group_by(*SEASON, "player_id", "situation").agg(
        *last, *(known_sum(name) for name in counts), pl.col(*sums).sum(), pl.lit(value=True).alias("is_total")
    )
    apart = rows.with_columns(is_total=pl.lit(value=False))
    return exact(pl.concat([apart, total], how="diagonal_relaxed"), [*counts, *(RATED + name for name in rates)])


def known_sum(name: str) -> pl.Expr:
    """Return the sum of what is known; null if nothing is."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum())


def per_60(rates: Iterable[str]) -> dict[str, pl.Expr]:
    """Return counts by the hour, of the games where both they and the ice time are known; null without any."""
    hours = {name: pl.when(pl.col(TIMED + name) > 0).then(pl.col(TIMED + name) / 3600) for name in rates}
    return {f"{name}_per_60": pl.col(RATED + name) / hours[name] for name in rates}


def of(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return a share; null of nothing."""
    return pl.when(whole > 0).then(part / whole)


def rate_columns(columns: Sequence[Column], rates: Iterable[str]) -> list[Column]:
    """Declare the counts by the hour."""
    about = {column.name: column.about for column in columns}
    return [
        Column(f"{name}_per_60", pl.Float64, f"{about[name]}; in 60 minutes on the ice", nullable=True)
        for name in rates
    ]


def share_columns(shares: Mapping[str, str]) -> list[Column]:
    """Declare shares by name and meaning."""
    return [Column(name, pl.Float64, about, nullable=True) for name, about in shares.items()]


def kept(columns: Sequence[Column], names: Iterable[str]) -> list[Column]:
    """Return the columns of a game table that are added up."""
    wanted = set(names)
    return [column for column in columns if column.name in wanted]


GAMES_WITH = ("games_with_shifts", "games_with_time")
LAST = ("team_abbrev", "position")
WHEN = (c.season, c.game_type)
position = replace(c.position, nullable=True)
