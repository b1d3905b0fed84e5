"""Compare a file of MoneyPuck with gold, column by column, under MoneyPuck's names."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from nhl_lake import layout
from nhl_lake.errors import BadInput
from nhl_lake.ingest import external
from nhl_lake.queries.moneypuck import GAMES_HISTORICAL, PLAYER_GAME_STATS, View
from nhl_lake.queries.sql import scan_view
from nhl_lake.schema.external import PLAYOFFS, SEASON
from nhl_lake.store.location import Location

FORMER_TEAMS = {"L.A": "LAK", "N.J": "NJD", "S.J": "SJS", "T.B": "TBL"}  # as MoneyPuck's older files write them
TOLERANCE = 0.005  # MoneyPuck's files have two decimals
VIEWS: Mapping[str, View] = {
    "skater_games": PLAYER_GAME_STATS, "skaters": PLAYER_GAME_STATS,
    "games": GAMES_HISTORICAL, "teams": GAMES_HISTORICAL,
}  # fmt: skip
KEYS = {
    "skater_games": ("playerId", "gameId", "situation"), "skaters": ("playerId", "situation", SEASON),
    "games": ("gameId", "team", "situation"), "teams": ("team", "situation", SEASON),
}  # fmt: skip
IDS = {"season", "gameDate", "playerId", "gameId", "playoffGame", "position", "situation", "team", SEASON, PLAYOFFS}
NOT_ADDED = ("Percentage", "Rank", "gameScore")  # a season's value is not the sum of its games'


class Difference(NamedTuple):
    """The row with the largest difference: its key, and both values."""

    key: str
    ours: float
    theirs: float


class ColumnComparison(NamedTuple):
    """A column in both. total_ratio: our total divided by theirs. correlation: None if one of them is constant."""

    column: str
    rows: int
    equal_share: float
    correlation: float | None
    total_ratio: float | None
    largest: Difference | None


class Comparison(NamedTuple):
    """A file and the lake: how many rows both have, each column in both, and the file's columns that the lake lacks."""

    file: str
    ours: str
    rows: int
    only_theirs: int
    only_ours: int
    columns: list[ColumnComparison]
    not_compared: list[str]


def compare_moneypuck(root: Location, path: Path, *, is_playoffs: bool) -> Comparison:
    """Compare a file of skaters or teams, by game or by season, with the same rows of the lake."""
    layout.require_readable_lake(root)
    read = external.read_file("moneypuck", path, is_playoffs=is_playoffs)
    kind = read.kind.kind
    if kind not in VIEWS:
        raise BadInput(
            f"{path.name} is a file of {kind}, which the lake has nothing equal to.",
            "Compare files of skaters or teams, by game or by season; `nhl-lake import` takes all of them.",
        )
    key = list(KEYS[kind])
    theirs = normalize_theirs(read.rows, kind, is_playoffs=is_playoffs)
    ours = read_ours(root, kind, theirs[SEASON].unique().to_list(), is_playoffs=is_playoffs)
    shared = theirs.join(ours, on=key, how="inner", suffix="_ours", validate="1:1")
    if shared.is_empty():
        raise BadInput(
            f"The lake has no row of {path.name}, which is about {describe_seasons(read.rows)}.",
            "Run `nhl-lake status` to see its seasons, and `nhl-lake ingest --season YEAR` to fetch one.",
        )
    names = [name for name in theirs.select(cs.numeric()).columns if f"{name}_ours" in shared.columns]
    columns = [compare_column(shared, name, key) for name in names if name not in IDS]
    known = {*IDS, *names, "name", "playerTeam", "opposingTeam", "home_or_away"}
    return Comparison(
        path.name,
        VIEWS[kind].name,
        shared.height,
        theirs.height - shared.height,
        ours.join(theirs.select(group_columns(kind)).unique(), on=group_columns(kind), how="semi").height
        - shared.height,
        sorted((one for one in columns if one is not None), key=lambda one: -one.equal_share),
        [name for name in read.rows.columns if name not in known],
    )


def group_columns(kind: str) -> list[str]:
    """Return the columns whose values a file is about as a whole: a skater's file lacks no other skater."""
    return ["playerId", SEASON] if kind == "skater_games" else [SEASON]


def describe_seasons(rows: pl.DataFrame) -> str:
    """Return the seasons of rows as text."""
    seasons = sorted(rows[SEASON].unique().to_list())
    first, last = seasons[0], seasons[-1]
    return f"season {first}" if first == last else f"seasons {first} to {last}"


def normalize_theirs(rows: pl.DataFrame, kind: str, *, is_playoffs: bool) -> pl.DataFrame:
    """Return the file's rows of the regular season or the playoffs, with the NHL's letters of teams."""
    if "gameId" in KEYS[kind]:
        rows = rows.filter(select_game_type(is_playoffs=is_playoffs))
    return rows.with_columns(pl.col("team").replace(FORMER_TEAMS)) if "team" in rows.columns else rows


def select_game_type(*, is_playoffs: bool) -> pl.Expr:
    """Return the condition for games of the regular season (02) or the playoffs (03), by their id."""
    return pl.col("gameId") // 10_000 % 100 == (3 if is_playoffs else 2)


def read_ours(root: Location, kind: str, seasons: Sequence[int], *, is_playoffs: bool) -> pl.DataFrame:
    """Return the lake's rows of seasons under MoneyPuck's names; for a file by season, the sums of the games."""
    rows = scan_view(root, VIEWS[kind]).with_columns((pl.col("season").cast(pl.Int64) // 10_000).alias(SEASON))
    rows = rows.filter(pl.col(SEASON).is_in(seasons) & select_game_type(is_playoffs=is_playoffs))
    ids = [name for name in ("playerId", "gameId") if name in VIEWS[kind].columns]
    found = rows.with_columns(pl.col(ids).cast(pl.Int64)).collect()
    if "gameId" in KEYS[kind]:
        return found
    added = [n for n in found.select(cs.numeric()).columns if n not in IDS and not any(part in n for part in NOT_ADDED)]
    sums = [pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in added]
    return found.group_by(KEYS[kind]).agg(pl.len().alias("games_played"), *sums)


def compare_column(shared: pl.DataFrame, name: str, key: Sequence[str]) -> ColumnComparison | None:
    """Compare a column over the rows in which both have a value; None if there are none."""
    ours, theirs = pl.col(f"{name}_ours").cast(pl.Float64), pl.col(name).cast(pl.Float64)
    rows = shared.select(*key, ours=ours, theirs=scale_share(name, theirs)).drop_nulls(["ours", "theirs"])
    if rows.is_empty():
        return None
    apart = (pl.col("ours") - pl.col("theirs")).abs()
    equal, correlation, total, their_total = rows.select(
        equal=(apart <= TOLERANCE + 1e-9).mean(),
        correlation=pl.corr("ours", "theirs"),
        ours=pl.col("ours").sum(),
        theirs=pl.col("theirs").sum(),
    ).row(0)
    worst = rows.sort(apart, descending=True).row(0, named=True)
    is_apart = abs(worst["ours"] - worst["theirs"]) > TOLERANCE + 1e-9
    where = " ".join(str(worst[part]) for part in key)
    return ColumnComparison(
        name,
        rows.height,
        equal,
        None if correlation is None or math.isnan(correlation) else correlation,
        total / their_total if their_total else None,
        Difference(where, worst["ours"], worst["theirs"]) if is_apart else None,
    )


def scale_share(name: str, values: pl.Expr) -> pl.Expr:
    """Return shares of the file in percent, as the lake's views have them: MoneyPuck writes 0 to 1."""
    return 100 * values if name.endswith("Percentage") else values
