"""What tables were made of: marks that stand in their commits, slice by slice, and what changed since.

A slice is a season, or the whole of a table that has none. Its mark names the code, and of each bronze table that it
comes from, however far, the Delta version, and a print of the pages: how many there are, and when the newest came.
Bronze only grows, so that pages of equal prints are equal; unequal ones are compared page by page, version by version.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.catalog import TABLES, find
from nhl_lake.errors import LakeError
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

MADE_OF = "nhl-lake.made-of"
WHOLE = "all"
SEASON_IS_OVER = (10, 1)  # the longest yet, of 2019-20, ended on 28 September


class Pages(NamedTuple):
    """The pages of a bronze table in a slice, at a version of the table."""

    version: int
    print: str


class Snapshot(NamedTuple):
    """Tables at the versions that they have when a rebuild begins: everything is made of these, and of what it makes.

    `at` is the root that pages are read from, `made` the root of silver and gold; `known_at` is the moment whose
    knowledge is wanted, and leaves out what was fetched later. `day` is the one, in New York, that tables are made for.
    """

    at: Place
    made: Place
    known_at: datetime | None
    day: date
    versions: Mapping[str, int]  # by table that is read
    kept: Mapping[str, Mapping[str, Pages]]  # by bronze table, by slice

    def handle(self, table: Table) -> DeltaTable:
        """Open a table at the version that is read."""
        return delta_tables.handle(self.at if table.is_kept else self.made, table, version=self.versions[table.name])

    def scan(self, table: Table) -> pl.LazyFrame:
        """Read a table: of bronze every version of its pages."""
        rows = pl.scan_delta(self.handle(table))
        return rows.filter(pl.col(table.moment) <= self.known_at) if table.is_kept and self.known_at else rows

    def after(self, table: Table) -> "Snapshot":
        """Return the snapshot with a table of silver or gold as it is now; what another writes later is not seen."""
        return self._replace(versions={**self.versions, table.name: delta_tables.handle(self.made, table).version()})


class Mark(NamedTuple):
    """What a slice is made of: the code, that of what it reads too, and the pages of each bronze table, by name."""

    code: str
    of: Mapping[str, Pages]

    def is_of(self, other: "Mark | None") -> bool:
        """Whether two marks stand for the same rows: versions may differ, of commits that changed other slices."""
        return other is not None and self.code == other.code and prints(self) == prints(other)


Marks = dict[str, Mark]
Since = Callable[[str, str, Pages], set[int] | None]  # of a bronze table and a slice: see `games_since`


def prints(mark: Mark) -> dict[str, str]:
    """Return the prints of a mark."""
    return {name: pages.print for name, pages in mark.of.items()}


def code_print() -> str:
    """Return a mark of all code that makes rows: when it changes, everything is made again."""
    home = Path(__file__).parents[1]
    packages = (file for package in ("silver", "gold", "hockey") for file in home.glob(f"{package}/**/*.py"))
    files = [*packages, home / "schema" / "columns.py", home / "bronze" / "lenient.py"]
    return digest(*(file.read_text() for file in sorted(files)))


def digest(*texts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def stored(root: Place, table: Table, version: int | None = None) -> Marks:
    """Return what the slices of a table are made of, as its newest commit says, or that of a version."""
    found = delta_tables.metadata(root, table, MADE_OF, version=version)
    return {
        part: Mark(mark["code"], {name: Pages(*pages) for name, pages in mark["of"].items()})
        for part, mark in found.items()
    }


def text(marks: Marks) -> str:
    """Return marks as they stand in a commit."""
    return json.dumps({part: {"code": mark.code, "of": mark.of} for part, mark in marks.items()})


def snapshot(
    at: Place, made: Place, tables: Iterable[Table], *, day: date, known_at: datetime | None = None
) -> Snapshot:
    """Pin the tables that some tables read; of bronze last the one that runs write first, the schedule.

    So a page that is kept meanwhile is never seen without the game that it is of.
    """
    reads = [table for table in reversed(TABLES) if any(table in one.reads for one in tables)]
    pages = [table for table in reads if table.is_kept]
    delta_tables.create(
        at, [table for table in pages if table.layer == "lake"]
    )  # one that an earlier release did not have
    versions = {table.name: delta_tables.handle(at if table.is_kept else made, table).version() for table in reads}
    empty = Snapshot(at, made, known_at, day, versions, {})
    return empty._replace(kept={table.name: kept(empty, table) for table in pages})


def kept(bronze: Snapshot, table: Table) -> dict[str, Pages]:
    """Return the pages of a bronze table, or the rows of one of the ledger, by slice."""
    part = pl.col(table.partition).cast(pl.String) if table.partition else pl.lit(WHOLE)
    pages = bronze.scan(table).group_by(part.alias("slice"))
    found = pages.agg(pl.len(), pl.col(table.moment).max().dt.epoch("us")).sort("slice").collect()
    version = bronze.versions[table.name]
    return {part: Pages(version, f"{rows} {newest}") for part, rows, newest in found.iter_rows()}


def wanted(bronze: Snapshot, table: Table, code: str) -> Marks:
    """Return what each slice of a table is to be made of, the newest season first."""
    given = [sources(bronze, read) for read in table.reads]
    if table.partition is None:
        return {
            WHOLE: together(
                code_of(table, WHOLE, code, bronze.day), (mark for marks in given for mark in marks.values())
            )
        }
    seasons = sorted({part for marks in given for part in marks} - {WHOLE}, reverse=True)
    return {
        season: together(
            code_of(table, season, code, bronze.day),
            (marks[part] for marks in given for part in before(season, table, marks)),
        )
        for season in seasons
    }


def code_of(table: Table, part: str, code: str, day: date) -> str:
    """Return the mark of the code that makes a slice; of one with games to come, of the day, too."""
    is_over = part != WHOLE and day >= date(int(part[4:]), *SEASON_IS_OVER)
    return digest(code, str(day)) if table.of_day and not is_over else code


def before(season: str, table: Table, marks: Marks) -> Iterator[str]:
    """Yield the slices of what a table reads that go into one of its own: those of its history come first."""
    yield from (part for part in [*seasons_before(season, table.history), season, WHOLE] if part in marks)


def seasons_before(season: str, history: int) -> list[str]:
    """Return the seasons before one, the oldest first: 20222023 before 20232024."""
    return [str(int(season) - 10_001 * back) for back in range(history, 0, -1)]


def together(code: str, of: Iterable[Mark]) -> Mark:
    """Return the mark of what is made of others."""
    marks = list(of)
    pages: dict[str, Pages] = {}
    for mark in marks:
        for name, found in mark.of.items():
            pages[name] = joined(pages.get(name), found)
    return Mark(digest(code, *(mark.code for mark in marks)), pages)


def sources(bronze: Snapshot, read: Table) -> Marks:
    """Return what a table stands for, by slice: a bronze table its own pages, another what it was made of.

    A table without seasons stands for its rows, and not for its pages: those that change and say the same, as of teams
    day after day, would have every season made again.
    """
    if read.is_kept:
        return {part: Mark("", {read.name: pages}) for part, pages in bronze.kept[read.name].items()}
    if read.partition is None and read.source is not None:
        return {WHOLE: Mark("", {read.name: contents(bronze, read)})}
    return dict(sorted(stored(bronze.made, read, bronze.versions[read.name]).items()))


def contents(bronze: Snapshot, table: Table) -> Pages:
    """Return a print of the rows of a small table."""
    rows = bronze.scan(table).select(table.schema.names()).collect().sort(table.key)
    return Pages(0, f"{rows.height} {digest(rows.write_ndjson())}")


def joined(one: Pages | None, other: Pages) -> Pages:
    """Join what is said of the pages of one table: of two versions the older, for nothing was made of newer ones."""
    if one is None:
        return other
    print_ = one.print if one.print == other.print else digest(one.print, other.print)
    return Pages(min(one.version, other.version), print_)


def since(bronze: Snapshot) -> Since:
    """Return the way to ask for the games with new pages; what is asked of one table for many is looked up once."""
    return cache(lambda name, part, was: games_since(bronze, find(name), part, was))


def changed(table: Table, part: str, was: Mark | None, now: Mark, since: Since) -> set[int] | None:
    """Return the games of a slice whose pages have changed since it was made; None is all of them."""
    if was is None or was.code != now.code or table.by != "game_id" or was.of.keys() != now.of.keys():
        return None
    games: set[int] = set()
    for name in now.of:
        if was.of[name].print != now.of[name].print:
            some = since(name, part, was.of[name])
            if some is None:
                return None
            games |= some
    return games


def games_since(bronze: Snapshot, table: Table, part: str, was: Pages) -> set[int] | None:
    """Return the games with pages in a slice of a bronze table that an older version did not have; None if unknown."""
    if "game_id" not in table.schema or part == WHOLE or bronze.known_at is not None:
        return None
    key = list(dict.fromkeys([*table.page_key, table.moment]))
    in_slice = pl.col("season") == int(part)
    try:
        old = delta_tables.scan(bronze.at, table, version=was.version).filter(in_slice).select(key).collect()
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return None  # a version whose files are gone, or one of a table that was put back from a backup
    newest = old.select(pl.col(table.moment).max().dt.epoch("us")).item()
    if was.print != f"{old.height} {newest}":
        return None
    fresh = bronze.scan(table).filter(in_slice).select(key).join(old.lazy(), on=key, how="anti")
    return set(fresh.select("game_id").collect()["game_id"])
