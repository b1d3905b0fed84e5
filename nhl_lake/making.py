"""Rows of tables, made from pages part by part; a game, player or day that cannot be made is put aside, by name."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import polars as pl

from nhl_lake import check
from nhl_lake.errors import Broken, Unreadable
from nhl_lake.marks import WHOLE, Snapshot, seasons_before
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.store import lake
from nhl_lake.table import Table

GAMES_AT_ONCE = 200

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


class Rows(NamedTuple):
    """Rows of a slice of a table, and what was put aside, as rows of silver.refusals."""

    rows: pl.DataFrame
    refusals: pl.DataFrame


def make(bronze: Snapshot, table: Table, part: str, games: Sequence[int] | None) -> Rows:
    """Make a slice of a table, or some games of it, held against the table's rules."""
    inputs = [source(bronze, table, read, part) for read in table.reads]
    if table.by is None:
        frames = [read(given, frame) for given, frame in zip(table.reads, inputs, strict=True)]
        rows = built(table, part, frames, *([bronze.day] if table.of_day else []))
        check.require(table, rows)
        return nothing(table)._replace(rows=rows)
    made = [nothing(table)]
    for some in parts(table, inputs, games):
        chosen = [read(given, frame) for given, frame in zip(table.reads, only(table, inputs, some), strict=True)]
        made += attempts(table, part, chosen, some)
    rows = pl.concat(one.rows for one in made).sort(table.key)
    return Rows(rows, pl.concat(one.refusals for one in made))


def nothing(table: Table) -> Rows:
    """Return no rows of a table, and nothing put aside."""
    return Rows(pl.DataFrame(schema=table.schema), pl.DataFrame(schema=REFUSALS.schema))


def source(bronze: Snapshot, table: Table, read: Table, part: str) -> pl.LazyFrame:
    """Read what goes into one slice of a table; of bronze the newest version of each page, or every one."""
    rows = bronze.scan(read) if read.is_kept else lake.scan(bronze.made, read)
    if read.partition and part != WHOLE:
        seasons = [*seasons_before(part, table.history), part]
        rows = rows.filter(pl.col("season").is_in([int(season) for season in seasons]))
    return lake.newest_of(rows, read) if read.layer == "bronze" and not table.of_versions else rows


def parts(table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None) -> Iterator[Sequence[Any]]:
    """Yield the games of a slice, or what else its rows go by, some at a time."""
    keys: Sequence[Any] | None = games
    if keys is None:
        found = [
            frame.select(table.by, order)
            for read, frame in zip(table.reads, inputs, strict=True)
            if table.by in read.schema
            # in the order in which the pages were kept, so that a part's pages stand in few files
            for order in [pl.col("fetched_at") if "fetched_at" in read.schema else pl.lit(None).alias("fetched_at")]
        ]
        every = pl.concat(found, how="vertical_relaxed").group_by(table.by).agg(pl.col("fetched_at").min())
        keys = every.sort("fetched_at", table.by).collect().get_column(str(table.by)).to_list()
    for start in range(0, len(keys), GAMES_AT_ONCE):
        yield keys[start : start + GAMES_AT_ONCE]


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
                    "Nothing was written. The disk has damaged it: `nhl-lake doctor --deep` says what mends it.",
                )
    return found


def built(table: Table, part: str, inputs: Sequence[pl.DataFrame], *more: date) -> pl.DataFrame:
    """Make the rows of a table. A number that does not fit its column is an error."""
    found = table.build(*(frame.lazy() for frame in inputs), *more)
    rows = found.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect().sort(table.key)
    others = sorted(set(rows["season"]) - {int(part)}) if table.partition and part != WHOLE else []
    if others:
        raise Broken(f"{table.name}: pages kept under season {part} speak of {others}.", "Please report it.")
    return rows


def attempts(table: Table, part: str, inputs: Sequence[pl.DataFrame], keys: Sequence[Any]) -> list[Rows]:
    """Make some games, or what else rows go by; where one cannot be made, halve them until it is found."""
    by = str(table.by)
    try:
        rows = built(table, part, inputs)
    except (Broken, pl.exceptions.PolarsError) as error:
        if len(keys) == 1:
            reason = error.what if isinstance(error, Broken) else " ".join(str(error).split())
            return [nothing(table)._replace(refusals=refused(table, part, {keys[0]: reason}))]
        middle = len(keys) // 2
        return [
            made
            for some in (keys[:middle], keys[middle:])
            for made in attempts(table, part, only(table, inputs, some), some)
        ]
    bad = check.offenders(table, rows, by)
    return [Rows(rows.filter(~pl.col(by).is_in(list(bad))), refused(table, part, bad))]


def only(table: Table, inputs: Sequence[Frame], keys: Sequence[Any]) -> list[Frame]:
    """Leave some games, or what else rows go by, of what a table reads."""
    some = pl.col(str(table.by)).is_in(list(keys))
    return [
        frame.filter(some) if table.by in read.schema else frame
        for read, frame in zip(table.reads, inputs, strict=True)
    ]


def refused(table: Table, part: str, reasons: Mapping[Any, str]) -> pl.DataFrame:
    """Return the rows of silver.refusals for what a table puts aside."""
    rows = [
        {
            "season": None if part == WHOLE else int(part),
            "refused_by": table.name,
            "subject": subject(table, part, key),
            "game_id": key if table.by == "game_id" else None,
            "reason": reason[:500],
        }
        for key, reason in reasons.items()
    ]
    return pl.DataFrame(rows, schema=REFUSALS.schema)


def subject(table: Table, part: str, key: object) -> str:
    """Name what is put aside: a game by its id, anything else with the name of its key, and its season."""
    if table.by == "game_id":
        return str(key)
    return f"{table.by} {key}" if part == WHOLE else f"{table.by} {key} of {part}"
