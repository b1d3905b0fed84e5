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

from nhl_lake.catalog import TABLES, find_table
from nhl_lake.errors import LakeError
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LINEAGE_KEY = "nhl-lake.made-of"
WHOLE_TABLE = "all"
LATEST_SEASON_END = (10, 1)  # the longest yet, of 2019-20, ended on 28 September


class PageSet(NamedTuple):
    """The pages of a bronze table in a slice, at a version of the table."""

    version: int
    digest: str


class BuildSnapshot(NamedTuple):
    """Tables at the versions that they have when a rebuild begins: everything is made of these, and of what it makes.

    `at` is the root that pages are read from, `made` the root of silver and gold; `known_at` is the moment whose
    knowledge is wanted, and leaves out what was fetched later. `day` is the one, in New York, that tables are made for.
    """

    source_root: Location
    target_root: Location
    as_of: datetime | None
    day: date
    versions: Mapping[str, int]  # by table that is read
    page_sets: Mapping[str, Mapping[str, PageSet]]  # by bronze table, by slice

    def handle(self, table: Table) -> DeltaTable:
        """Open a table at the version that is read."""
        return delta_tables.open_table(
            self.source_root if table.is_stored else self.target_root, table, version=self.versions[table.name]
        )

    def scan(self, table: Table) -> pl.LazyFrame:
        """Read a table: of bronze every version of its pages."""
        rows = pl.scan_delta(self.handle(table))
        return rows.filter(pl.col(table.timestamp_column) <= self.as_of) if table.is_stored and self.as_of else rows

    def refresh_table(self, table: Table) -> "BuildSnapshot":
        """Return the snapshot with a table of silver or gold as it is now; what another writes later is not seen."""
        return self._replace(
            versions={**self.versions, table.name: delta_tables.open_table(self.target_root, table).version()}
        )


class Fingerprint(NamedTuple):
    """What a slice is made of: the code, that of what it reads too, and the pages of each bronze table, by name."""

    code_hash: str
    page_sets: Mapping[str, PageSet]

    def is_same_as(self, other: "Fingerprint | None") -> bool:
        """Whether two marks stand for the same rows: versions may differ, of commits that changed other slices."""
        return (
            other is not None
            and self.code_hash == other.code_hash
            and list_page_digests(self) == list_page_digests(other)
        )


Lineage = dict[str, Fingerprint]
FindGamesSince = Callable[[str, str, PageSet], set[int] | None]  # of a bronze table and a slice: see `games_since`


def list_page_digests(mark: Fingerprint) -> dict[str, str]:
    """Return the prints of a mark."""
    return {name: pages.digest for name, pages in mark.page_sets.items()}


def hash_code() -> str:
    """Return a mark of all code that makes rows: when it changes, everything is made again."""
    home = Path(__file__).parents[1]
    packages = (file for package in ("silver", "gold", "hockey") for file in home.glob(f"{package}/**/*.py"))
    files = [*packages, home / "schema" / "columns.py", home / "bronze" / "lenient.py"]
    return hash_texts(*(file.read_text() for file in sorted(files)))


def hash_texts(*texts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def read_lineage(root: Location, table: Table, version: int | None = None) -> Lineage:
    """Return what the slices of a table are made of, as its newest commit says, or that of a version."""
    found = delta_tables.read_commit_metadata(root, table, LINEAGE_KEY, version=version)
    return {
        part: Fingerprint(mark["code"], {name: PageSet(*pages) for name, pages in mark["of"].items()})
        for part, mark in found.items()
    }


def format_lineage(marks: Lineage) -> str:
    """Return marks as they stand in a commit."""
    return json.dumps({part: {"code": mark.code_hash, "of": mark.page_sets} for part, mark in marks.items()})


def take_snapshot(
    at: Location, made: Location, tables: Iterable[Table], *, day: date, as_of: datetime | None = None
) -> BuildSnapshot:
    """Pin the tables that some tables read; of bronze last the one that runs write first, the schedule.

    So a page that is kept meanwhile is never seen without the game that it is of.
    """
    reads = [table for table in reversed(TABLES) if any(table in one.inputs for one in tables)]
    pages = [table for table in reads if table.is_stored]
    delta_tables.create_tables(
        at, [table for table in pages if table.layer == "lake"]
    )  # one that an earlier release did not have
    versions = {
        table.name: delta_tables.open_table(at if table.is_stored else made, table).version() for table in reads
    }
    empty = BuildSnapshot(at, made, as_of, day, versions, {})
    return empty._replace(page_sets={table.name: read_page_sets(empty, table) for table in pages})


def read_page_sets(bronze: BuildSnapshot, table: Table) -> dict[str, PageSet]:
    """Return the pages of a bronze table, or the rows of one of the ledger, by slice."""
    part = pl.col(table.partition).cast(pl.String) if table.partition else pl.lit(WHOLE_TABLE)
    pages = bronze.scan(table).group_by(part.alias("slice"))
    found = pages.agg(pl.len(), pl.col(table.timestamp_column).max().dt.epoch("us")).sort("slice").collect()
    version = bronze.versions[table.name]
    return {part: PageSet(version, f"{rows} {newest}") for part, rows, newest in found.iter_rows()}


def plan_lineage(bronze: BuildSnapshot, table: Table, code: str) -> Lineage:
    """Return what each slice of a table is to be made of, the newest season first."""
    given = [read_input_lineage(bronze, read) for read in table.inputs]
    if table.partition is None:
        return {
            WHOLE_TABLE: combine_fingerprints(
                hash_partition_code(table, WHOLE_TABLE, code, bronze.day),
                (mark for marks in given for mark in marks.values()),
            )
        }
    seasons = sorted({part for marks in given for part in marks} - {WHOLE_TABLE}, reverse=True)
    return {
        season: combine_fingerprints(
            hash_partition_code(table, season, code, bronze.day),
            (marks[part] for marks in given for part in list_input_partitions(season, table, marks)),
        )
        for season in seasons
    }


def hash_partition_code(table: Table, part: str, code: str, day: date) -> str:
    """Return the mark of the code that makes a slice; of one with games to come, of the day, too."""
    is_over = part != WHOLE_TABLE and day >= date(int(part[4:]), *LATEST_SEASON_END)
    return hash_texts(code, str(day)) if table.needs_day and not is_over else code


def list_input_partitions(season: str, table: Table, marks: Lineage) -> Iterator[str]:
    """Yield the slices of what a table reads that go into one of its own: those of its history come first."""
    yield from (
        part for part in [*list_earlier_seasons(season, table.prior_seasons), season, WHOLE_TABLE] if part in marks
    )


def list_earlier_seasons(season: str, history: int) -> list[str]:
    """Return the seasons before one, the oldest first: 20222023 before 20232024."""
    return [str(int(season) - 10_001 * back) for back in range(history, 0, -1)]


def combine_fingerprints(code: str, of: Iterable[Fingerprint]) -> Fingerprint:
    """Return the mark of what is made of others."""
    marks = list(of)
    pages: dict[str, PageSet] = {}
    for mark in marks:
        for name, found in mark.page_sets.items():
            pages[name] = merge_page_sets(pages.get(name), found)
    return Fingerprint(hash_texts(code, *(mark.code_hash for mark in marks)), pages)


def read_input_lineage(bronze: BuildSnapshot, read: Table) -> Lineage:
    """Return what a table stands for, by slice: a bronze table its own pages, another what it was made of.

    A table without seasons stands for its rows, and not for its pages: those that change and say the same, as of teams
    day after day, would have every season made again.
    """
    if read.is_stored:
        return {part: Fingerprint("", {read.name: pages}) for part, pages in bronze.page_sets[read.name].items()}
    if read.partition is None and read.source is not None:
        return {WHOLE_TABLE: Fingerprint("", {read.name: digest_rows(bronze, read)})}
    return dict(sorted(read_lineage(bronze.target_root, read, bronze.versions[read.name]).items()))


def digest_rows(bronze: BuildSnapshot, table: Table) -> PageSet:
    """Return a print of the rows of a small table."""
    rows = bronze.scan(table).select(table.schema.names()).collect().sort(table.key)
    return PageSet(0, f"{rows.height} {hash_texts(rows.write_ndjson())}")


def merge_page_sets(one: PageSet | None, other: PageSet) -> PageSet:
    """Join what is said of the pages of one table: of two versions the older, for nothing was made of newer ones."""
    if one is None:
        return other
    print_ = one.digest if one.digest == other.digest else hash_texts(one.digest, other.digest)
    return PageSet(min(one.version, other.version), print_)


def make_game_finder(bronze: BuildSnapshot) -> FindGamesSince:
    """Return the way to ask for the games with new pages; what is asked of one table for many is looked up once."""
    return cache(lambda name, part, was: find_games_since(bronze, find_table(name), part, was))


def find_changed_games(
    table: Table, part: str, was: Fingerprint | None, now: Fingerprint, since: FindGamesSince
) -> set[int] | None:
    """Return the games of a slice whose pages have changed since it was made; None is all of them."""
    if (
        was is None
        or was.code_hash != now.code_hash
        or table.chunk_key != "game_id"
        or was.page_sets.keys() != now.page_sets.keys()
    ):
        return None
    games: set[int] = set()
    for name in now.page_sets:
        if was.page_sets[name].digest != now.page_sets[name].digest:
            some = since(name, part, was.page_sets[name])
            if some is None:
                return None
            games |= some
    return games


def find_games_since(bronze: BuildSnapshot, table: Table, part: str, was: PageSet) -> set[int] | None:
    """Return the games with pages in a slice of a bronze table that an older version did not have; None if unknown."""
    if "game_id" not in table.schema or part == WHOLE_TABLE or bronze.as_of is not None:
        return None
    key = list(dict.fromkeys([*table.page_key, table.timestamp_column]))
    in_slice = pl.col("season") == int(part)
    try:
        old = (
            delta_tables.scan_table(bronze.source_root, table, version=was.version)
            .filter(in_slice)
            .select(key)
            .collect()
        )
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return None  # a version whose files are gone, or one of a table that was put back from a backup
    newest = old.select(pl.col(table.timestamp_column).max().dt.epoch("us")).item()
    if was.digest != f"{old.height} {newest}":
        return None
    fresh = bronze.scan(table).filter(in_slice).select(key).join(old.lazy(), on=key, how="anti")
    return set(fresh.select("game_id").collect()["game_id"])
