"""Build the rows of tables from pages, in chunks. A game, player or day that cannot be built is quarantined.

Tasks build whole partitions. They may run anywhere: in this process, in other processes, on other machines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial
from typing import Any, Literal, NamedTuple, TypeVar

import polars as pl

from nhl_lake.errors import UnreadableData, ValidationFailed
from nhl_lake.rebuild.lineage import WHOLE_TABLE, BuildSnapshot, list_earlier_seasons
from nhl_lake.schema import checks
from nhl_lake.schema.digest import hash_texts
from nhl_lake.schema.projection import fill_unread_columns, find_required_columns
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.file_commit import PartitionSize, read_season_sizes
from nhl_lake.store.files import DataFile, write_data_file

MAX_BATCH_GAMES = 200
BATCHES_PER_READ = 2  # read the games of this many batches together: half the time, for little memory
PROJECTION_MIN_GAMES = 50  # for up to this many games, read all columns: finding the required ones would take longer
READ_WHOLE_BYTES = 2 * 10**6  # inputs up to this file size are read at once
MIN_FILTER_KEYS = 100
SMALL_ROWS = 20_000  # of all inputs: a day of games
PAGE_MEMORY_FACTOR, ROW_MEMORY_FACTOR = 25, 7  # memory that pages and rows take during a build, as a multiple
PROCESS_BASE_BYTES = 250 * 10**6  # memory of a process before it builds anything
MAX_FILE_BYTES = 256 * 10**6  # of rows in memory: about ten times their size in a file

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


class BuiltRows(NamedTuple):
    """Rows of a partition, and what was quarantined, as rows of silver.quarantine."""

    rows: pl.DataFrame
    quarantined: pl.DataFrame


class BuildTask(NamedTuple):
    """A task that any executor can run: build a chunk of a partition and write it to files.

    It is chunk number `chunk` of `chunks` of the partition's games (or other chunk keys). `memory` is in bytes.
    """

    snapshot: BuildSnapshot
    table: str
    partition: str
    chunk: int = 0
    chunks: int = 1
    memory: int | None = None


class BuildResult(NamedTuple):
    """The result of a task: files that no commit refers to yet, and what was quarantined; or the error."""

    partition: str
    files: tuple[DataFile, ...]
    quarantined: pl.DataFrame
    error: ValidationFailed | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows written."""
        return sum(file.rows for file in self.files)


def run_task(task: BuildTask, table: Table) -> BuildResult:
    """Run a task: build the rows, check them against the table's rules, write them. A second run leaves extra files.

    Rows are collected until they fill a file or their share of the memory.
    """
    max_bytes = min(MAX_FILE_BYTES, (task.memory or 8 * MAX_FILE_BYTES) // 8)
    partition = None if task.partition == WHOLE_TABLE else task.partition
    pending: list[pl.DataFrame] = []
    files: list[DataFile] = []
    quarantined = [make_empty_rows(table).quarantined]

    def write() -> None:
        if any(frame.height for frame in pending):
            files.append(
                write_data_file(task.snapshot.target_root, table, pl.concat(pending).sort(table.key), partition)
            )
        pending.clear()

    try:
        for found in build_chunk(task, table):
            quarantined.append(found.quarantined)
            pending.append(found.rows)
            if sum(frame.estimated_size() for frame in pending) >= max_bytes:
                write()
        write()
    except ValidationFailed as error:
        return BuildResult(task.partition, tuple(files), make_empty_rows(table).quarantined, error)
    return BuildResult(task.partition, tuple(files), pl.concat(quarantined))


def build_chunk(task: BuildTask, table: Table, games: Sequence[int] | None = None) -> Iterator[BuiltRows]:
    """Build a chunk of a partition, or some games of it, in batches, and check them against the table's rules."""
    inputs = [scan_input(task, table, input_table) for input_table in table.inputs]
    if table.chunk_key is None:
        large = is_large(task, table)
        if large and not table.needs_day:
            inputs = select_required_columns(table, inputs)
        frames = collect_inputs(table, inputs) if large else share_inputs(task, table, inputs)
        try:
            rows = build_rows(table, task.partition, frames, *([task.snapshot.day] if table.needs_day else []))
        except pl.exceptions.PolarsError as error:  # a value that does not fit, which no game can be blamed for
            what = " ".join(str(error).split())[:300]
            raise ValidationFailed(
                f"{table.name} cannot be built: {what}",
                "It stays as it was. Please report this: a value is not checked.",
            ) from error
        checks.validate_rows(table, rows)
        yield make_empty_rows(table)._replace(rows=rows)
        return
    for keys, batch_size, frames in load_inputs(task, table, inputs, games):
        for batch in split_keys(keys, batch_size):
            yield from build_or_bisect(table, task.partition, filter_keys(table, frames, batch), batch)


def load_inputs(
    task: BuildTask, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> Iterator[tuple[Sequence[Any], int, list[pl.DataFrame]]]:
    """Yield chunk keys (such as games), the batch size that fits in memory, and the inputs of these keys."""
    if games is None and task.chunks == 1 and not is_large(task, table):
        # reading everything is faster than finding the keys first
        frames = share_inputs(task, table, inputs)
        yield *select_chunk_keys(task, table, [frame.lazy() for frame in frames], None), frames
        return
    keys, batch_size = select_chunk_keys(task, table, inputs, games)
    if len(keys) <= PROJECTION_MIN_GAMES:
        for batch in split_keys(keys, batch_size):
            yield batch, batch_size, share_inputs(task, table, filter_keys(table, inputs, batch), batch)
        return
    inputs = select_required_columns(table, inputs)
    for batch in split_keys(keys, BATCHES_PER_READ * batch_size):
        yield batch, batch_size, collect_inputs(table, filter_keys(table, inputs, batch))


def is_large(task: BuildTask, table: Table) -> bool:
    """Whether the inputs of a partition are so large that it saves time to find out what is needed of them."""
    return sum_input_bytes(task.snapshot, table, [task.partition])[task.partition] > READ_WHOLE_BYTES


def sum_input_bytes(bronze: BuildSnapshot, table: Table, partitions: Iterable[str]) -> dict[str, int]:
    """Return the file sizes of the inputs of each partition, in bytes."""
    found = [read_input_sizes(bronze, input_table) for input_table in table.inputs]
    return {
        partition: sum(
            size.size_bytes
            for sizes in found
            for season, size in sizes.items()
            if is_input_season(partition, table, season)
        )
        for partition in partitions
    }


def read_input_sizes(bronze: BuildSnapshot, input_table: Table) -> dict[str | None, PartitionSize]:
    """Return the size of each season of an input."""
    return bronze.inputs.read_sizes(
        (input_table.name, bronze.versions[input_table.name]),
        lambda: read_season_sizes(bronze.handle(input_table), input_table),
    )


def is_input_season(partition: str, table: Table, season: str | None) -> bool:
    """Return whether rows of a season (None: a table without seasons) are inputs of a partition."""
    return WHOLE_TABLE in {partition, season or WHOLE_TABLE} or season in {
        *list_earlier_seasons(partition, table.prior_seasons),
        partition,
    }


def select_required_columns(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.LazyFrame]:
    """Select the columns that a table's function requires; pages keep all, because their SHA-256 is checked."""
    return [
        frame if input_table.is_stored else frame.select(names)
        for input_table, frame, names in zip(table.inputs, inputs, find_required_columns(table), strict=True)
    ]


def build_partition(task: BuildTask, table: Table, games: Sequence[int] | None) -> BuiltRows:
    """Build a partition, or some games of it, and check it against the table's rules."""
    found = [make_empty_rows(table), *build_chunk(task, table, games)]
    return BuiltRows(pl.concat(one.rows for one in found).sort(table.key), pl.concat(one.quarantined for one in found))


@cache  # frames of many columns take a while to make
def make_empty_rows(table: Table) -> BuiltRows:
    """Return empty rows of a table, with nothing quarantined."""
    return BuiltRows(pl.DataFrame(schema=table.schema), pl.DataFrame(schema=QUARANTINE.schema))


def scan_input(task: BuildTask, table: Table, input_table: Table) -> pl.LazyFrame:
    """Scan the inputs of a partition: for bronze, the newest version of each page, or every version."""
    rows = task.snapshot.scan(input_table)
    if input_table.partition and task.partition != WHOLE_TABLE:
        seasons = [*list_earlier_seasons(task.partition, table.prior_seasons), task.partition]
        rows = rows.filter(pl.col("season").is_in([int(season) for season in seasons]))
    return (
        delta_tables.filter_newest_pages(rows, input_table)
        if input_table.layer == "bronze" and not table.needs_all_versions
        else rows
    )


def select_chunk_keys(
    task: BuildTask, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> tuple[Sequence[Any], int]:
    """Return the chunk keys (such as games) of a task, and the batch size that fits in memory."""
    if games is not None:
        return games, MAX_BATCH_GAMES
    found = [
        frame.select(table.chunk_key, order, estimate_row_bytes(input_table).alias("row_bytes"))
        for input_table, frame in zip(table.inputs, inputs, strict=True)
        if table.chunk_key in input_table.schema
        # in the order in which the pages were stored, so a chunk's pages are in few files
        for order in [pl.col("fetched_at") if "fetched_at" in input_table.schema else pl.lit(None).alias("fetched_at")]
    ]
    grouped = pl.concat(found, how="vertical_relaxed").group_by(table.chunk_key)
    by_key = (
        grouped.agg(pl.col("fetched_at").min(), pl.col("row_bytes").sum()).sort("fetched_at", table.chunk_key).collect()
    )
    selected = by_key[by_key.height * task.chunk // task.chunks : by_key.height * (task.chunk + 1) // task.chunks]
    row_bytes = int(selected["row_bytes"].sum()) // max(selected.height, 1)
    return selected.get_column(str(table.chunk_key)).to_list(), choose_batch_size(row_bytes, task.memory)


def split_keys(keys: Sequence[Any], length: int) -> Iterator[Sequence[Any]]:
    """Split keys into batches of a length; the last may be shorter."""
    for start in range(0, len(keys), length):
        yield keys[start : start + length]


def estimate_row_bytes(input_table: Table) -> pl.Expr:
    """Estimate the memory in bytes that a row takes during a build."""
    if "body_bytes" in input_table.schema:
        return pl.col("body_bytes") * PAGE_MEMORY_FACTOR
    row_width = sum(8 if dtype.is_numeric() or dtype.is_temporal() else 40 for dtype in input_table.schema.values())
    return pl.lit(row_width * ROW_MEMORY_FACTOR, pl.Int64)


def choose_batch_size(row_bytes: int, memory: int | None) -> int:
    """Return how many games of `room` bytes each to build together."""
    if memory is None or not row_bytes:
        return MAX_BATCH_GAMES
    return min(MAX_BATCH_GAMES, max(1, (memory - PROCESS_BASE_BYTES) // row_bytes))


def collect_verified(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Collect rows; check pages against their stored SHA-256."""
    found = rows.collect()
    if table.layer == "bronze":
        damaged = found.filter(found["sha256"].ne_missing(hash_texts(found["body"])))
        if not damaged.is_empty():
            page = damaged.select(pl.concat_str(table.page_key, separator=" ")).row(0)[0]
            raise UnreadableData(
                f"{table.name}: the stored page {page} is damaged: its SHA-256 differs.",
                "No changes were made. Run `nhl-lake doctor --deep` to see how to repair it.",
            )
    return found


def collect_inputs(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """Collect the inputs of a table."""
    return [collect_verified(input_table, rows) for input_table, rows in zip(table.inputs, inputs, strict=True)]


def share_inputs(
    task: BuildTask, table: Table, inputs: Sequence[pl.LazyFrame], keys: Sequence[Any] | None = None
) -> list[pl.DataFrame]:
    """Collect the inputs of a table, of some chunk keys or all; what another table has read is not read again."""
    return [
        task.snapshot.inputs.read_frame(
            (
                input_table.name,
                task.snapshot.versions[input_table.name],
                *(
                    season
                    for season in sorted(read_input_sizes(task.snapshot, input_table), key=str)
                    if is_input_season(task.partition, table, season)
                ),
                table.needs_all_versions,
                None if keys is None or table.chunk_key not in input_table.schema else (table.chunk_key, *keys),
            ),
            partial(collect_verified, input_table, rows),
        )
        for input_table, rows in zip(table.inputs, inputs, strict=True)
    ]


def build_rows(table: Table, partition: str, inputs: Sequence[pl.DataFrame], *more: date) -> pl.DataFrame:
    """Build the rows of a table. A number that does not fit its column is an error."""
    frames = (fill_unread_columns(input_table, frame) for input_table, frame in zip(table.inputs, inputs, strict=True))
    found = table.build(*frames, *more)
    rows = (
        found.select(pl.col(c.name).cast(c.dtype) for c in table.columns)
        .collect(engine=choose_engine(table, inputs))
        .sort(table.key)
    )
    if table.prior_seasons and partition != WHOLE_TABLE:
        # the function also got earlier seasons, and may return rows of those
        rows = rows.filter(
            ~pl.col("season").is_in([int(season) for season in list_earlier_seasons(partition, table.prior_seasons)])
        )
    others = sorted(set(rows["season"]) - {int(partition)}) if table.partition and partition != WHOLE_TABLE else []
    if others:
        raise ValidationFailed(
            f"{table.name}: pages stored under season {partition} are of {others}.", "This is a bug: please report it."
        )
    return rows


def choose_engine(table: Table, inputs: Sequence[pl.DataFrame]) -> Literal["in-memory", "auto"]:
    """Return the engine that builds a table: of few rows, the streaming engine takes a third longer.

    It stays for pages: the in-memory engine makes a new error of one that decoding raises, without its hint.
    """
    has_pages = any(input_table.layer == "bronze" for input_table in table.inputs)
    return "auto" if has_pages or sum(frame.height for frame in inputs) >= SMALL_ROWS else "in-memory"


def build_or_bisect(
    table: Table, partition: str, inputs: Sequence[pl.DataFrame], keys: Sequence[Any]
) -> list[BuiltRows]:
    """Build the rows of some chunk keys. If that fails, bisect the keys until the bad one is found."""
    chunk_key = str(table.chunk_key)
    try:
        rows = build_rows(table, partition, inputs)
    except (ValidationFailed, pl.exceptions.PolarsError) as error:
        if len(keys) == 1:
            reason = error.message if isinstance(error, ValidationFailed) else " ".join(str(error).split())
            return [
                make_empty_rows(table)._replace(quarantined=make_quarantine_rows(table, partition, {keys[0]: reason}))
            ]
        middle = len(keys) // 2
        return [
            built
            for batch in (keys[:middle], keys[middle:])
            for built in build_or_bisect(table, partition, filter_keys(table, inputs, batch), batch)
        ]
    violations = checks.describe_violations(table, rows, chunk_key)
    return [
        BuiltRows(
            rows.filter(~pl.col(chunk_key).is_in(list(violations))), make_quarantine_rows(table, partition, violations)
        )
    ]


def filter_keys(table: Table, inputs: Sequence[Frame], keys: Sequence[Any]) -> list[Frame]:
    """Filter a table's inputs to some chunk keys."""
    # Polars filters Parquet by fewer than a hundred keys up to five times slower: so repeat the keys
    batch = pl.col(str(table.chunk_key)).is_in(list(keys) * (1 + MIN_FILTER_KEYS // max(len(keys), 1)))
    return [
        frame.filter(batch) if table.chunk_key in input_table.schema else frame
        for input_table, frame in zip(table.inputs, inputs, strict=True)
    ]


def make_quarantine_rows(table: Table, partition: str, reasons: Mapping[Any, str]) -> pl.DataFrame:
    """Return the rows of silver.quarantine for what a table quarantines."""
    rows = [
        {
            "season": None if partition == WHOLE_TABLE else int(partition),
            "quarantined_by": table.name,
            "subject": name_subject(table, partition, key),
            "game_id": key if table.chunk_key == "game_id" else None,
            "reason": reason[:500],
        }
        for key, reason in reasons.items()
    ]
    return pl.DataFrame(rows, schema=QUARANTINE.schema)


def name_subject(table: Table, partition: str, key: object) -> str:
    """Name the subject of a quarantine: a game by its id, anything else by its key and season."""
    if table.chunk_key == "game_id":
        return str(key)
    return f"{table.chunk_key} {key}" if partition == WHOLE_TABLE else f"{table.chunk_key} {key} of {partition}"
