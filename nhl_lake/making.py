"""Rows of tables, made from pages part by part; a game that cannot be made is put aside, by name."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from nhl_lake import check, lake
from nhl_lake.errors import Broken, Unreadable
from nhl_lake.marks import WHOLE, Snapshot
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.table import Table

GAMES_AT_ONCE = 200


class Rows(NamedTuple):
    """Rows of a slice of a table, and the games that were put aside, as rows of silver.refusals."""

    rows: pl.DataFrame
    refusals: pl.DataFrame


def make(bronze: Snapshot, table: Table, part: str, games: Sequence[int] | None) -> Rows:
    """Make a slice of a table, or some games of it, held against the table's rules."""
    inputs = [source(bronze, read, part, of_versions=table.of_versions) for read in table.reads]
    if table.by != "game_id":
        rows = built(table, part, [read(given, frame) for given, frame in zip(table.reads, inputs, strict=True)])
        check.require(table, rows)
        return Rows(rows, REFUSALS_OF_NONE)
    made = []
    for some in parts(table, inputs, games):
        chosen = [
            read(given, frame.filter(pl.col("game_id").is_in(some)) if "game_id" in given.schema else frame)
            for given, frame in zip(table.reads, inputs, strict=True)
        ]
        made += attempts(table, part, chosen, some)
    rows = pl.concat([pl.DataFrame(schema=table.schema), *(one.rows for one in made)]).sort(table.key)
    refusals = pl.concat([REFUSALS_OF_NONE, *(one.refusals for one in made)])
    return Rows(rows, refusals.with_columns(season=pl.lit(int(part), pl.Int32)))


def source(bronze: Snapshot, table: Table, part: str, *, of_versions: bool) -> pl.LazyFrame:
    """Read one slice of a table; of bronze the newest version of each page, or every one."""
    rows = bronze.scan(table) if table.layer == "bronze" else lake.scan(bronze.made, table)
    if table.partition and part != WHOLE:
        rows = rows.filter(pl.col("season") == int(part))
    return lake.newest_of(rows, table) if table.layer == "bronze" and not of_versions else rows


def parts(table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None) -> Iterator[Sequence[int]]:
    """Yield the games of a slice, some at a time."""
    if games is None:
        found = [
            frame.select("game_id", order)
            for read, frame in zip(table.reads, inputs, strict=True)
            if "game_id" in read.schema
            # in the order in which the pages were kept, so that a part's pages stand in few files
            for order in [pl.col("fetched_at") if "fetched_at" in read.schema else pl.lit(None).alias("fetched_at")]
        ]
        ids = pl.concat(found, how="vertical_relaxed").group_by("game_id").agg(pl.col("fetched_at").min())
        games = ids.sort("fetched_at", "game_id").collect()["game_id"].to_list()
    for start in range(0, len(games), GAMES_AT_ONCE):
        yield games[start : start + GAMES_AT_ONCE]


def read(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Read rows; pages are held against the SHA-256 that they were kept with."""
    found = rows.collect()
    if table.layer == "bronze":
        for name, body, kept in found.select(
            pl.concat_str(table.page_key, separator=" "), "body", "sha256"
        ).iter_rows():
            if hashlib.sha256(body.encode()).hexdigest() != kept:
                raise Unreadable(
                    f"{table.name}: the page {name} is not what was kept: its SHA-256 differs.",
                    "Nothing was written. The disk has damaged it: put the table's folder back from a backup.",
                )
    return found


def built(table: Table, part: str, inputs: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Make the rows of a table. A number that does not fit its column is an error."""
    found = table.build(*(frame.lazy() for frame in inputs))
    rows = found.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect().sort(table.key)
    if table.partition and part != WHOLE and set(rows["season"]) - {int(part)}:
        others = sorted(set(rows["season"]) - {int(part)})
        raise Broken(f"{table.name}: pages kept under season {part} speak of {others}.", "Please report it.")
    return rows


def attempts(table: Table, part: str, inputs: Sequence[pl.DataFrame], games: Sequence[int]) -> list[Rows]:
    """Make some games; where one cannot be made, halve them until it is found, and put it aside."""
    try:
        rows = built(table, part, inputs)
    except (Broken, pl.exceptions.PolarsError) as error:
        if len(games) == 1:
            reason = error.what if isinstance(error, Broken) else " ".join(str(error).split())
            return [Rows(pl.DataFrame(schema=table.schema), refused(table, {games[0]: reason}))]
        middle = len(games) // 2
        return [
            made
            for some in (games[:middle], games[middle:])
            for made in attempts(table, part, only(inputs, some), some)
        ]
    bad = check.offenders(table, rows, "game_id")
    return [Rows(rows.filter(~pl.col("game_id").is_in(list(bad))), refused(table, bad))]


def only(inputs: Sequence[pl.DataFrame], games: Sequence[int]) -> list[pl.DataFrame]:
    """Leave some games of what is read."""
    return [f.filter(pl.col("game_id").is_in(list(games))) if "game_id" in f.columns else f for f in inputs]


def refused(table: Table, reasons: dict[int, str]) -> pl.DataFrame:
    """Return the rows of silver.refusals for games that a table puts aside; the season is set where it is known."""
    rows = {"game_id": list(reasons), "refused_by": table.name, "reason": [reason[:500] for reason in reasons.values()]}
    return pl.DataFrame({"season": None, **rows}, schema=REFUSALS.schema)


REFUSALS_OF_NONE = pl.DataFrame(schema=REFUSALS.schema)
