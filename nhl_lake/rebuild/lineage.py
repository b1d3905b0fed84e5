"""Lineage: what each partition was built from, stored in the tables' commits, and what changed since.

A partition is a season, or the whole of a table without seasons. Its fingerprint has the hash of the code and, for each
bronze table upstream, the Delta version and a digest of the pages: their number and the newest time. Bronze is
append-only, so page sets with equal digests are equal; others are compared page by page.
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
from nhl_lake.rebuild.input_cache import InputCache
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LINEAGE_KEY = "nhl-lake.made-of"
WHOLE_TABLE = "all"
LATEST_SEASON_END = (10, 1)  # the longest season so far, 2019-20, ended on 28 September


class PageSet(NamedTuple):
    """The pages of a bronze table in a partition, at a version of the table."""

    version: int
    digest: str


class BuildSnapshot(NamedTuple):
    """The tables' versions at the start of a rebuild. Everything is built from these and from what the rebuild writes.

    source_root: the lake that pages are read from. target_root: the lake that silver and gold are written to. as_of:
    leave out pages that were fetched later. day: the day, in New York, to build the tables for.
    """

    source_root: Location
    target_root: Location
    as_of: datetime | None
    day: date
    versions: Mapping[str, int]  # by input table
    page_sets: Mapping[str, Mapping[str, PageSet]]  # by bronze table and partition
    inputs: InputCache

    def handle(self, table: Table) -> DeltaTable:
        """Open a table at the snapshot's version."""
        return delta_tables.open_table(
            self.source_root if table.is_stored else self.target_root, table, version=self.versions[table.name]
        )

    def scan(self, table: Table) -> pl.LazyFrame:
        """Scan a table; for bronze, every version of its pages."""
        rows = pl.scan_delta(self.handle(table))
        return rows.filter(pl.col(table.timestamp_column) <= self.as_of) if table.is_stored and self.as_of else rows

    def refresh_table(self, table: Table) -> "BuildSnapshot":
        """Return the snapshot with a silver or gold table at its current version."""
        return self._replace(
            versions={**self.versions, table.name: delta_tables.open_table(self.target_root, table).version()}
        )


class Fingerprint(NamedTuple):
    """What a partition is built from: its code and that of its inputs, and the pages of each bronze table."""

    code_hash: str
    page_sets: Mapping[str, PageSet]

    def is_same_as(self, other: "Fingerprint | None") -> bool:
        """Return whether two fingerprints mean the same rows. Versions may differ by commits to other partitions."""
        return (
            other is not None
            and self.code_hash == other.code_hash
            and list_page_digests(self) == list_page_digests(other)
        )


Lineage = dict[str, Fingerprint]
FindGamesSince = Callable[[str, str, PageSet], set[int] | None]  # by bronze table and partition: see `find_games_since`


def list_page_digests(fingerprint: Fingerprint) -> dict[str, str]:
    """Return the page digests of a fingerprint, by bronze table."""
    return {name: pages.digest for name, pages in fingerprint.page_sets.items()}


def hash_code() -> str:
    """Return a hash of all code and shipped models that build rows: when one changes, everything is rebuilt."""
    home = Path(__file__).parents[1]
    packages = (file for package in ("silver", "gold", "hockey") for file in home.glob(f"{package}/**/*.py"))
    files = [*packages, *home.glob("gold/*.json"), home / "schema" / "columns.py", home / "bronze" / "lenient.py"]
    return hash_texts(*(file.read_text() for file in sorted(files)))


def hash_texts(*texts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def read_lineage(root: Location, table: Table, version: int | None = None) -> Lineage:
    """Return a table's lineage from its newest commit, or from that of a version."""
    found = delta_tables.read_commit_metadata(root, table, LINEAGE_KEY, version=version)
    return {
        partition: Fingerprint(
            fingerprint["code"], {name: PageSet(*pages) for name, pages in fingerprint["of"].items()}
        )
        for partition, fingerprint in found.items()
    }


def format_lineage(lineage: Lineage) -> str:
    """Encode a lineage for the commit metadata."""
    return json.dumps(
        {
            partition: {"code": fingerprint.code_hash, "of": fingerprint.page_sets}
            for partition, fingerprint in lineage.items()
        }
    )


def take_snapshot(
    source_root: Location, target_root: Location, tables: Iterable[Table], *, day: date, as_of: datetime | None = None
) -> BuildSnapshot:
    """Pin the versions of all input tables. The schedule, which runs write first, is pinned last.

    So a page stored in the meantime is never seen without its game.
    """
    inputs = [table for table in reversed(TABLES) if any(table in one.inputs for one in tables)]
    pages = [table for table in inputs if table.is_stored]
    # a lake of an earlier release may lack one
    delta_tables.create_tables(source_root, [table for table in pages if table.layer == "lake"])
    versions = {
        table.name: delta_tables.open_table(source_root if table.is_stored else target_root, table).version()
        for table in inputs
    }
    empty = BuildSnapshot(source_root, target_root, as_of, day, versions, {}, InputCache())
    return empty._replace(page_sets={table.name: read_page_sets(empty, table) for table in pages})


def read_page_sets(bronze: BuildSnapshot, table: Table) -> dict[str, PageSet]:
    """Return the page sets of a bronze or ledger table, by partition."""
    partition = pl.col(table.partition).cast(pl.String) if table.partition else pl.lit(WHOLE_TABLE)
    pages = bronze.scan(table).group_by(partition.alias("partition"))
    found = pages.agg(pl.len(), pl.col(table.timestamp_column).max().dt.epoch("us")).sort("partition").collect()
    version = bronze.versions[table.name]
    return {name: PageSet(version, f"{rows} {newest}") for name, rows, newest in found.iter_rows()}


def plan_lineage(bronze: BuildSnapshot, table: Table, code: str) -> Lineage:
    """Return the lineage that a table should have now, newest season first."""
    input_lineages = [read_input_lineage(bronze, input_table) for input_table in table.inputs]
    if table.partition is None:
        return {
            WHOLE_TABLE: combine_fingerprints(
                hash_partition_code(table, WHOLE_TABLE, code, bronze.day),
                (fingerprint for lineage in input_lineages for fingerprint in lineage.values()),
            )
        }
    seasons = sorted({partition for lineage in input_lineages for partition in lineage} - {WHOLE_TABLE}, reverse=True)
    return {
        season: combine_fingerprints(
            hash_partition_code(table, season, code, bronze.day),
            (
                lineage[partition]
                for lineage in input_lineages
                for partition in list_input_partitions(season, table, lineage)
            ),
        )
        for season in seasons
    }


def hash_partition_code(table: Table, partition: str, code: str, day: date) -> str:
    """Return the hash of the code that builds a partition; with upcoming games, of the day too."""
    is_over = partition != WHOLE_TABLE and day >= date(int(partition[4:]), *LATEST_SEASON_END)
    return hash_texts(code, str(day)) if table.needs_day and not is_over else code


def list_input_partitions(season: str, table: Table, lineage: Lineage) -> Iterator[str]:
    """Yield the partitions of an input that one of a table's partitions reads, earlier seasons first."""
    yield from (
        partition
        for partition in [*list_earlier_seasons(season, table.prior_seasons), season, WHOLE_TABLE]
        if partition in lineage
    )


def list_earlier_seasons(season: str, history: int) -> list[str]:
    """Return the seasons before one, oldest first: 20222023 before 20232024."""
    return [str(int(season) - 10_001 * back) for back in range(history, 0, -1)]


def combine_fingerprints(code: str, inputs: Iterable[Fingerprint]) -> Fingerprint:
    """Combine the fingerprints of inputs into one."""
    lineage = list(inputs)
    pages: dict[str, PageSet] = {}
    for fingerprint in lineage:
        for name, found in fingerprint.page_sets.items():
            pages[name] = merge_page_sets(pages.get(name), found)
    return Fingerprint(hash_texts(code, *(fingerprint.code_hash for fingerprint in lineage)), pages)


def read_input_lineage(bronze: BuildSnapshot, input_table: Table) -> Lineage:
    """Return the lineage of an input table: the pages of a bronze table, the stored lineage of any other.

    A table without seasons is represented by its rows, not its pages. Otherwise pages that change without new content,
    such as those of teams every day, would rebuild every season.
    """
    if input_table.is_stored:
        return {
            partition: Fingerprint("", {input_table.name: pages})
            for partition, pages in bronze.page_sets[input_table.name].items()
        }
    if input_table.partition is None and input_table.source is not None:
        return {WHOLE_TABLE: Fingerprint("", {input_table.name: digest_rows(bronze, input_table)})}
    return dict(sorted(read_lineage(bronze.target_root, input_table, bronze.versions[input_table.name]).items()))


def digest_rows(bronze: BuildSnapshot, table: Table) -> PageSet:
    """Return a digest of the rows of a small table, as a page set."""
    rows = bronze.scan(table).select(table.schema.names()).collect().sort(table.key)
    return PageSet(0, f"{rows.height} {hash_texts(rows.write_ndjson())}")


def merge_page_sets(one: PageSet | None, other: PageSet) -> PageSet:
    """Merge two page sets of one table. Of two versions, take the older: nothing was built from a newer one."""
    if one is None:
        return other
    digest = one.digest if one.digest == other.digest else hash_texts(one.digest, other.digest)
    return PageSet(min(one.version, other.version), digest)


def make_game_finder(bronze: BuildSnapshot) -> FindGamesSince:
    """Return a cached function that finds the games with new pages."""
    return cache(lambda name, partition, previous: find_games_since(bronze, find_table(name), partition, previous))


def find_changed_games(
    table: Table, partition: str, previous: Fingerprint | None, now: Fingerprint, since: FindGamesSince
) -> set[int] | None:
    """Return the games of a partition whose pages changed since its build; None means all games."""
    if (
        previous is None
        or previous.code_hash != now.code_hash
        or table.chunk_key != "game_id"
        or previous.page_sets.keys() != now.page_sets.keys()
    ):
        return None
    games: set[int] = set()
    for name in now.page_sets:
        if previous.page_sets[name].digest != now.page_sets[name].digest:
            changed = since(name, partition, previous.page_sets[name])
            if changed is None:
                return None
            games |= changed
    return games


def find_games_since(bronze: BuildSnapshot, table: Table, partition: str, previous: PageSet) -> set[int] | None:
    """Return the games with pages that an older version of a bronze table lacked; None if unknown."""
    if "game_id" not in table.schema or partition == WHOLE_TABLE or bronze.as_of is not None:
        return None
    key = list(dict.fromkeys([*table.page_key, table.timestamp_column]))
    in_partition = pl.col("season") == int(partition)
    try:
        old = (
            delta_tables.scan_table(bronze.source_root, table, version=previous.version)
            .filter(in_partition)
            .select(key)
            .collect()
        )
    except (LakeError, OSError, pl.exceptions.PolarsError):
        return None  # the version's files were vacuumed, or the table was restored from a backup
    newest = old.select(pl.col(table.timestamp_column).max().dt.epoch("us")).item()
    if previous.digest != f"{old.height} {newest}":
        return None
    new_pages = bronze.scan(table).filter(in_partition).select(key).join(old.lazy(), on=key, how="anti")
    return set(new_pages.select("game_id").collect()["game_id"])
