"""Silver and gold, made again from bronze, offline: all of it, or what changed.

What changed is told by what stands in the commits themselves: each says, season by season, of which input it was made
and by which code. A killed run leaves the old state or the new one, and the next rebuild goes on.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from nhl_lake import check, lake
from nhl_lake.catalog import in_order
from nhl_lake.errors import Broken
from nhl_lake.table import Table

MADE_OF = "nhl-lake.made-of"
GAMES_AT_ONCE = 100

Prints = dict[str, str]


class Made(NamedTuple):
    """A season of a table that was made again."""

    table: str
    season: int
    rows: int


def rebuild(
    root: Path, tables: Sequence[Table] = (), *, seasons: Sequence[int] = (), everything: bool = False
) -> Iterator[Made]:
    """Make tables again, in order, a season at a time; unless all is asked for, what is as it was is left alone.

    A season that breaks a rule stays as it was, and so do the tables made from it. The others are made all the same,
    and Broken is raised at the end.
    """
    code = code_print()
    broken: dict[tuple[Table, str], Broken | None] = {}
    for table in tables or in_order():
        done = lake.metadata(root, table, MADE_OF)
        same_shape = lake.scan(root, table).collect_schema() == table.schema
        wanted = prints(root, table, code)
        asked = [season for season in wanted if not seasons or int(season) in seasons]
        stale = [season for season in asked if everything or done.get(season) != wanted[season]]
        if not same_shape:
            yield from reshape(root, table, wanted)
            continue
        for season in stale:
            if any((read, season) in broken for read in table.reads):
                broken[table, season] = None
                continue
            try:
                rows = made(root, table, int(season))
            except Broken as error:
                broken[table, season] = error
                continue
            done = done | {season: wanted[season]}
            lake.replace(root, table, rows, season=int(season), metadata={MADE_OF: json.dumps(done)})
            yield Made(table.name, int(season), rows.height)
    for found in filter(None, broken.values()):
        raise found


def reshape(root: Path, table: Table, wanted: Prints) -> Iterator[Made]:
    """Make a table whose columns have changed: all seasons, in one commit."""
    parts = {season: made(root, table, int(season)) for season in wanted}
    rows = pl.concat([pl.DataFrame(schema=table.schema), *parts.values()])
    lake.replace(root, table, rows, season=None, metadata={MADE_OF: json.dumps(wanted)})
    for season, part in parts.items():
        yield Made(table.name, int(season), part.height)


def made(root: Path, table: Table, season: int) -> pl.DataFrame:
    """Make one season of a table, held against its rules."""
    inputs = [source(root, read, season) for read in table.reads]
    rows = pl.concat(table.build(*part).collect() for part in parts(table, inputs))
    rows = rows.select(pl.col(c.name).cast(c.dtype) for c in table.columns).sort(table.key)
    check.require(table, rows)
    return rows


def source(root: Path, table: Table, season: int) -> pl.LazyFrame:
    """Read one season of a table; of bronze the newest pages."""
    if table.layer == "bronze":
        return lake.newest(root, table, seasons=[season])
    return lake.scan(root, table).filter(pl.col("season") == season)


def parts(table: Table, inputs: list[pl.LazyFrame]) -> Iterator[list[pl.LazyFrame]]:
    """Cut what a table reads from pages into parts that never meet."""
    if table.by is None or not any(read.layer == "bronze" for read in table.reads):
        yield inputs
        return
    # in the order in which the pages were kept, so that a part's pages stand in few files
    order = inputs[0].select(table.by, "fetched_at").sort("fetched_at").collect()[table.by]
    for start in range(0, max(len(order), 1), GAMES_AT_ONCE):
        some = order.slice(start, GAMES_AT_ONCE).to_list()
        yield [frame.filter(pl.col(table.by).is_in(some)) for frame in inputs]


def prints(root: Path, table: Table, code: str) -> Prints:
    """Return what each season of a table is to be made of: its inputs and the code, as one mark."""
    found: dict[str, list[str]] = {}
    for read in table.reads:
        marks = page_prints(root, read) if read.layer == "bronze" else lake.metadata(root, read, MADE_OF)
        for season, mark in marks.items():
            found.setdefault(season, []).append(f"{read.name} {mark}")
    return {season: digest(code, *marks) for season, marks in sorted(found.items(), reverse=True)}


def page_prints(root: Path, table: Table) -> Prints:
    """Return a mark of each season of a bronze table: it only grows, so that its count and newest row tell all."""
    pages = lake.scan(root, table).group_by("season").agg(pl.len(), pl.col("fetched_at").max().dt.epoch("us"))
    return {str(season): f"{rows} {last}" for season, rows, last in pages.collect().iter_rows()}


def code_print() -> str:
    """Return a mark of all code that makes rows: when it changes, everything is made again."""
    home = Path(__file__).parent
    files = [*home.glob("silver/*.py"), *home.glob("gold/*.py"), *home.glob("hockey/*.py"), home / "columns.py"]
    return digest(*(file.read_text() for file in sorted(files)))


def digest(*texts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
