"""Rows of tables, made from pages part by part; a game, player or day that cannot be made is put aside, by name.

What is made in whole slices is made by jobs, which may run anywhere: in this process, in others, on other machines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import polars as pl

from nhl_lake.errors import UnreadableData, ValidationFailed
from nhl_lake.rebuild.lineage import WHOLE_TABLE, BuildSnapshot, list_earlier_seasons
from nhl_lake.schema import checks
from nhl_lake.schema.digest import hash_texts
from nhl_lake.schema.projection import fill_unread_columns, find_required_columns
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.file_commit import read_season_sizes
from nhl_lake.store.files import DataFile, write_data_file

MAX_BATCH_GAMES = 200
BATCHES_PER_READ = 2  # as many are read together as are made in so many goes: it takes half the time, and little room
PROJECTION_MIN_GAMES = 50  # of which all columns are read: to find out which are looked at would take longer
READ_WHOLE_BYTES = 2 * 10**6  # of files that are read: less than that is read at once
MIN_FILTER_KEYS = 100
PAGE_MEMORY_FACTOR, ROW_MEMORY_FACTOR = 25, 7  # how much room pages, and rows, take while something is made of them
PROCESS_BASE_BYTES = 250 * 10**6  # what a process has before it has made anything
MAX_FILE_BYTES = 256 * 10**6  # of rows in memory; some ten times what they have in a file

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


class BuiltRows(NamedTuple):
    """Rows of a slice of a table, and what was put aside, as rows of silver.quarantine."""

    rows: pl.DataFrame
    quarantined: pl.DataFrame


class BuildTask(NamedTuple):
    """Work that can be done anywhere: to make a piece of a slice of a table, and to write it into files.

    The piece is number `piece` of `of` of the slice's games, or of what else its rows go by. `memory` is in bytes.
    """

    snapshot: BuildSnapshot
    table: str
    partition: str
    chunk: int = 0
    chunks: int = 1
    memory: int | None = None


class BuildResult(NamedTuple):
    """What came of a job: files that no commit names yet, and what was put aside; or why there is nothing."""

    partition: str
    files: tuple[DataFile, ...]
    quarantined: pl.DataFrame
    error: ValidationFailed | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows that were written."""
        return sum(file.rows for file in self.files)


def run_task(job: BuildTask, table: Table) -> BuildResult:
    """Do a job: make the rows, hold them against the table's rules, write them. Done twice, it leaves a file too many.

    Rows are gathered until they fill a file, or their share of the memory.
    """
    most = min(MAX_FILE_BYTES, (job.memory or 8 * MAX_FILE_BYTES) // 8)
    part = None if job.partition == WHOLE_TABLE else job.partition
    heap: list[pl.DataFrame] = []
    files: list[DataFile] = []
    refusals = [make_empty_rows(table).quarantined]

    def write() -> None:
        if any(frame.height for frame in heap):
            files.append(write_data_file(job.snapshot.target_root, table, pl.concat(heap).sort(table.key), part))
        heap.clear()

    try:
        for found in build_chunk(job, table):
            refusals.append(found.quarantined)
            heap.append(found.rows)
            if sum(frame.estimated_size() for frame in heap) >= most:
                write()
        write()
    except ValidationFailed as error:
        return BuildResult(job.partition, tuple(files), make_empty_rows(table).quarantined, error)
    return BuildResult(job.partition, tuple(files), pl.concat(refusals))


def build_chunk(job: BuildTask, table: Table, games: Sequence[int] | None = None) -> Iterator[BuiltRows]:
    """Make a piece of a slice of a table, or some games of it, held against the table's rules, some at a time."""
    inputs = [scan_input(job, table, read) for read in table.inputs]
    if table.chunk_key is None:
        rows = build_rows(
            table, job.partition, collect_inputs(table, inputs), *([job.snapshot.day] if table.needs_day else [])
        )
        checks.validate_rows(table, rows)
        yield make_empty_rows(table)._replace(rows=rows)
        return
    for keys, at_once, known in load_inputs(job, table, inputs, games):
        for some in split_keys(keys, at_once):
            yield from build_or_bisect(table, job.partition, filter_keys(table, known, some), some)


def load_inputs(
    job: BuildTask, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> Iterator[tuple[Sequence[Any], int, list[pl.DataFrame]]]:
    """Yield games, or what else rows go by, how many there is room for at a time, and what a table reads of them."""
    if (
        games is None
        and job.chunks == 1
        and sum_input_bytes(job.snapshot, table, [job.partition])[job.partition] <= READ_WHOLE_BYTES
    ):
        # to find out what goes by what, and then to read that, would take longer than to read it all
        known = collect_inputs(table, inputs)
        yield *select_chunk_keys(job, table, [frame.lazy() for frame in known], None), known
        return
    keys, at_once = select_chunk_keys(job, table, inputs, games)
    if len(keys) > PROJECTION_MIN_GAMES:
        inputs = select_required_columns(table, inputs)
    for many in split_keys(keys, BATCHES_PER_READ * at_once):
        yield many, at_once, collect_inputs(table, filter_keys(table, inputs, many))


def sum_input_bytes(bronze: BuildSnapshot, table: Table, slices: Iterable[str]) -> dict[str, int]:
    """Return how many bytes the files have that slices of a table are made of."""
    found = [read_season_sizes(bronze.handle(read), read) for read in table.inputs]
    return {
        part: sum(
            size.size_bytes for of in found for season, size in of.items() if is_input_season(part, table, season)
        )
        for part in slices
    }


def is_input_season(part: str, table: Table, season: str | None) -> bool:
    """Whether rows of a season, or of a table that has none, go into a slice of a table."""
    return WHOLE_TABLE in {part, season or WHOLE_TABLE} or season in {
        *list_earlier_seasons(part, table.prior_seasons),
        part,
    }


def select_required_columns(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.LazyFrame]:
    """Leave the columns that a table's function looks at; of pages all are kept, to hold them against their SHA-256."""
    return [
        frame if read.is_stored else frame.select(names)
        for read, frame, names in zip(table.inputs, inputs, find_required_columns(table), strict=True)
    ]


def build_partition(job: BuildTask, table: Table, games: Sequence[int] | None) -> BuiltRows:
    """Make a slice of a table, or some games of it, held against the table's rules."""
    found = [make_empty_rows(table), *build_chunk(job, table, games)]
    return BuiltRows(pl.concat(one.rows for one in found).sort(table.key), pl.concat(one.quarantined for one in found))


def make_empty_rows(table: Table) -> BuiltRows:
    """Return no rows of a table, and nothing put aside."""
    return BuiltRows(pl.DataFrame(schema=table.schema), pl.DataFrame(schema=QUARANTINE.schema))


def scan_input(job: BuildTask, table: Table, read: Table) -> pl.LazyFrame:
    """Read what goes into one slice of a table; of bronze the newest version of each page, or every one."""
    rows = job.snapshot.scan(read)
    if read.partition and job.partition != WHOLE_TABLE:
        seasons = [*list_earlier_seasons(job.partition, table.prior_seasons), job.partition]
        rows = rows.filter(pl.col("season").is_in([int(season) for season in seasons]))
    return (
        delta_tables.filter_newest_pages(rows, read)
        if read.layer == "bronze" and not table.needs_all_versions
        else rows
    )


def select_chunk_keys(
    job: BuildTask, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> tuple[Sequence[Any], int]:
    """Return the games of a piece of a slice, or what else its rows go by, and how many there is room for at a time."""
    if games is not None:
        return games, MAX_BATCH_GAMES
    found = [
        frame.select(table.chunk_key, order, estimate_row_bytes(read).alias("room"))
        for read, frame in zip(table.inputs, inputs, strict=True)
        if table.chunk_key in read.schema
        # in the order in which the pages were kept, so that a part's pages stand in few files
        for order in [pl.col("fetched_at") if "fetched_at" in read.schema else pl.lit(None).alias("fetched_at")]
    ]
    every = pl.concat(found, how="vertical_relaxed").group_by(table.chunk_key)
    of_each = every.agg(pl.col("fetched_at").min(), pl.col("room").sum()).sort("fetched_at", table.chunk_key).collect()
    mine = of_each[of_each.height * job.chunk // job.chunks : of_each.height * (job.chunk + 1) // job.chunks]
    room = int(mine["room"].sum()) // max(mine.height, 1)
    return mine.get_column(str(table.chunk_key)).to_list(), choose_batch_size(room, job.memory)


def split_keys(keys: Sequence[Any], length: int) -> Iterator[Sequence[Any]]:
    """Cut keys into runs of a length; the last may be shorter."""
    for start in range(0, len(keys), length):
        yield keys[start : start + length]


def estimate_row_bytes(read: Table) -> pl.Expr:
    """Return how many bytes a row takes, roughly, while something is made of it."""
    if "body_bytes" in read.schema:
        return pl.col("body_bytes") * PAGE_MEMORY_FACTOR
    wide = sum(8 if dtype.is_numeric() or dtype.is_temporal() else 40 for dtype in read.schema.values())
    return pl.lit(wide * ROW_MEMORY_FACTOR, pl.Int64)


def choose_batch_size(room: int, memory: int | None) -> int:
    """Return how many games, of so many bytes each, are made together."""
    if memory is None or not room:
        return MAX_BATCH_GAMES
    return min(MAX_BATCH_GAMES, max(1, (memory - PROCESS_BASE_BYTES) // room))


def collect_verified(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Read rows; pages are held against the SHA-256 that they were kept with."""
    found = rows.collect()
    if table.layer == "bronze":
        spoilt = found.filter(found["sha256"].ne_missing(hash_texts(found["body"])))
        if not spoilt.is_empty():
            page = spoilt.select(pl.concat_str(table.page_key, separator=" ")).row(0)[0]
            raise UnreadableData(
                f"{table.name}: the page {page} is not what was kept: its SHA-256 differs.",
                "Nothing was written. The disk has damaged it: `nhl-lake doctor --deep` says what mends it.",
            )
    return found


def collect_inputs(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """Read what a table is made of."""
    return [collect_verified(given, rows) for given, rows in zip(table.inputs, inputs, strict=True)]


def build_rows(table: Table, part: str, inputs: Sequence[pl.DataFrame], *more: date) -> pl.DataFrame:
    """Make the rows of a table. A number that does not fit its column is an error."""
    frames = (fill_unread_columns(read, frame) for read, frame in zip(table.inputs, inputs, strict=True))
    found = table.build(*frames, *more)
    rows = found.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect().sort(table.key)
    if table.prior_seasons and part != WHOLE_TABLE:
        # of the seasons before it was given, and may know more of them than of its own, of which nothing is played yet
        rows = rows.filter(
            ~pl.col("season").is_in([int(season) for season in list_earlier_seasons(part, table.prior_seasons)])
        )
    others = sorted(set(rows["season"]) - {int(part)}) if table.partition and part != WHOLE_TABLE else []
    if others:
        raise ValidationFailed(f"{table.name}: pages kept under season {part} speak of {others}.", "Please report it.")
    return rows


def build_or_bisect(table: Table, part: str, inputs: Sequence[pl.DataFrame], keys: Sequence[Any]) -> list[BuiltRows]:
    """Make some games, or what else rows go by; where one cannot be made, halve them until it is found."""
    by = str(table.chunk_key)
    try:
        rows = build_rows(table, part, inputs)
    except (ValidationFailed, pl.exceptions.PolarsError) as error:
        if len(keys) == 1:
            reason = error.message if isinstance(error, ValidationFailed) else " ".join(str(error).split())
            return [make_empty_rows(table)._replace(quarantined=make_quarantine_rows(table, part, {keys[0]: reason}))]
        middle = len(keys) // 2
        return [
            made
            for some in (keys[:middle], keys[middle:])
            for made in build_or_bisect(table, part, filter_keys(table, inputs, some), some)
        ]
    bad = checks.describe_violations(table, rows, by)
    return [BuiltRows(rows.filter(~pl.col(by).is_in(list(bad))), make_quarantine_rows(table, part, bad))]


def filter_keys(table: Table, inputs: Sequence[Frame], keys: Sequence[Any]) -> list[Frame]:
    """Leave some games, or what else rows go by, of what a table reads."""
    # up to a hundred keys are looked for in Parquet in another way, up to five times as slow: so they are said again
    some = pl.col(str(table.chunk_key)).is_in(list(keys) * (1 + MIN_FILTER_KEYS // max(len(keys), 1)))
    return [
        frame.filter(some) if table.chunk_key in read.schema else frame
        for read, frame in zip(table.inputs, inputs, strict=True)
    ]


def make_quarantine_rows(table: Table, part: str, reasons: Mapping[Any, str]) -> pl.DataFrame:
    """Return the rows of silver.quarantine for what a table puts aside."""
    rows = [
        {
            "season": None if part == WHOLE_TABLE else int(part),
            "quarantined_by": table.name,
            "subject": name_subject(table, part, key),
            "game_id": key if table.chunk_key == "game_id" else None,
            "reason": reason[:500],
        }
        for key, reason in reasons.items()
    ]
    return pl.DataFrame(rows, schema=QUARANTINE.schema)


def name_subject(table: Table, part: str, key: object) -> str:
    """Name what is put aside: a game by its id, anything else with the name of its key, and its season."""
    if table.chunk_key == "game_id":
        return str(key)
    return f"{table.chunk_key} {key}" if part == WHOLE_TABLE else f"{table.chunk_key} {key} of {part}"
