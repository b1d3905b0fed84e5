"""Rows of tables, made from pages part by part; a game, player or day that cannot be made is put aside, by name.

What is made in whole slices is made by jobs, which may run anywhere: in this process, in others, on other machines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import polars as pl

from nhl_lake.errors import Broken, Unreadable
from nhl_lake.rebuild.lineage import WHOLE, Snapshot, seasons_before
from nhl_lake.schema import checks
from nhl_lake.schema.digest import sha256
from nhl_lake.schema.projection import columns_of, whole
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import REFUSALS
from nhl_lake.store import delta_tables
from nhl_lake.store.file_commit import season_sizes
from nhl_lake.store.files import File, write_file

GAMES_AT_ONCE = 200
READ_AT_ONCE = 2  # as many are read together as are made in so many goes: it takes half the time, and little room
FEW_GAMES = 50  # of which all columns are read: to find out which are looked at would take longer
FEW_BYTES = 2 * 10**6  # of files that are read: less than that is read at once
FEW_KEYS = 100
PAGES_GROW, ROWS_GROW = 25, 7  # how much room pages, and rows, take while something is made of them
BASE_BYTES = 250 * 10**6  # what a process has before it has made anything
FILE_BYTES = 256 * 10**6  # of rows in memory; some ten times what they have in a file

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


class Rows(NamedTuple):
    """Rows of a slice of a table, and what was put aside, as rows of silver.refusals."""

    rows: pl.DataFrame
    refusals: pl.DataFrame


class Job(NamedTuple):
    """Work that can be done anywhere: to make a piece of a slice of a table, and to write it into files.

    The piece is number `piece` of `of` of the slice's games, or of what else its rows go by. `memory` is in bytes.
    """

    bronze: Snapshot
    table: str
    part: str
    piece: int = 0
    of: int = 1
    memory: int | None = None


class Done(NamedTuple):
    """What came of a job: files that no commit names yet, and what was put aside; or why there is nothing."""

    part: str
    files: tuple[File, ...]
    refusals: pl.DataFrame
    error: Broken | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows that were written."""
        return sum(file.rows for file in self.files)


def work(job: Job, table: Table) -> Done:
    """Do a job: make the rows, hold them against the table's rules, write them. Done twice, it leaves a file too many.

    Rows are gathered until they fill a file, or their share of the memory.
    """
    most = min(FILE_BYTES, (job.memory or 8 * FILE_BYTES) // 8)
    part = None if job.part == WHOLE else job.part
    heap: list[pl.DataFrame] = []
    files: list[File] = []
    refusals = [nothing(table).refusals]

    def write() -> None:
        if any(frame.height for frame in heap):
            files.append(write_file(job.bronze.made, table, pl.concat(heap).sort(table.key), part))
        heap.clear()

    try:
        for found in made(job, table):
            refusals.append(found.refusals)
            heap.append(found.rows)
            if sum(frame.estimated_size() for frame in heap) >= most:
                write()
        write()
    except Broken as error:
        return Done(job.part, tuple(files), nothing(table).refusals, error)
    return Done(job.part, tuple(files), pl.concat(refusals))


def made(job: Job, table: Table, games: Sequence[int] | None = None) -> Iterator[Rows]:
    """Make a piece of a slice of a table, or some games of it, held against the table's rules, some at a time."""
    inputs = [source(job, table, read) for read in table.reads]
    if table.by is None:
        rows = built(table, job.part, read_all(table, inputs), *([job.bronze.day] if table.of_day else []))
        checks.require(table, rows)
        yield nothing(table)._replace(rows=rows)
        return
    for keys, at_once, known in loaded(job, table, inputs, games):
        for some in in_runs(keys, at_once):
            yield from attempts(table, job.part, only(table, known, some), some)


def loaded(
    job: Job, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> Iterator[tuple[Sequence[Any], int, list[pl.DataFrame]]]:
    """Yield games, or what else rows go by, how many there is room for at a time, and what a table reads of them."""
    if games is None and job.of == 1 and bytes_read(job.bronze, table, [job.part])[job.part] <= FEW_BYTES:
        # to find out what goes by what, and then to read that, would take longer than to read it all
        known = read_all(table, inputs)
        yield *parts(job, table, [frame.lazy() for frame in known], None), known
        return
    keys, at_once = parts(job, table, inputs, games)
    if len(keys) > FEW_GAMES:
        inputs = looked_at(table, inputs)
    for many in in_runs(keys, READ_AT_ONCE * at_once):
        yield many, at_once, read_all(table, only(table, inputs, many))


def bytes_read(bronze: Snapshot, table: Table, slices: Iterable[str]) -> dict[str, int]:
    """Return how many bytes the files have that slices of a table are made of."""
    found = [season_sizes(bronze.handle(read), read) for read in table.reads]
    return {
        part: sum(size.size for of in found for season, size in of.items() if goes_into(part, table, season))
        for part in slices
    }


def goes_into(part: str, table: Table, season: str | None) -> bool:
    """Whether rows of a season, or of a table that has none, go into a slice of a table."""
    return WHOLE in {part, season or WHOLE} or season in {*seasons_before(part, table.history), part}


def looked_at(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.LazyFrame]:
    """Leave the columns that a table's function looks at; of pages all are kept, to hold them against their SHA-256."""
    return [
        frame if read.is_kept else frame.select(names)
        for read, frame, names in zip(table.reads, inputs, columns_of(table), strict=True)
    ]


def make(job: Job, table: Table, games: Sequence[int] | None) -> Rows:
    """Make a slice of a table, or some games of it, held against the table's rules."""
    found = [nothing(table), *made(job, table, games)]
    return Rows(pl.concat(one.rows for one in found).sort(table.key), pl.concat(one.refusals for one in found))


def nothing(table: Table) -> Rows:
    """Return no rows of a table, and nothing put aside."""
    return Rows(pl.DataFrame(schema=table.schema), pl.DataFrame(schema=REFUSALS.schema))


def source(job: Job, table: Table, read: Table) -> pl.LazyFrame:
    """Read what goes into one slice of a table; of bronze the newest version of each page, or every one."""
    rows = job.bronze.scan(read)
    if read.partition and job.part != WHOLE:
        seasons = [*seasons_before(job.part, table.history), job.part]
        rows = rows.filter(pl.col("season").is_in([int(season) for season in seasons]))
    return delta_tables.newest_of(rows, read) if read.layer == "bronze" and not table.of_versions else rows


def parts(
    job: Job, table: Table, inputs: Sequence[pl.LazyFrame], games: Sequence[int] | None
) -> tuple[Sequence[Any], int]:
    """Return the games of a piece of a slice, or what else its rows go by, and how many there is room for at a time."""
    if games is not None:
        return games, GAMES_AT_ONCE
    found = [
        frame.select(table.by, order, room_of(read).alias("room"))
        for read, frame in zip(table.reads, inputs, strict=True)
        if table.by in read.schema
        # in the order in which the pages were kept, so that a part's pages stand in few files
        for order in [pl.col("fetched_at") if "fetched_at" in read.schema else pl.lit(None).alias("fetched_at")]
    ]
    every = pl.concat(found, how="vertical_relaxed").group_by(table.by)
    of_each = every.agg(pl.col("fetched_at").min(), pl.col("room").sum()).sort("fetched_at", table.by).collect()
    mine = of_each[of_each.height * job.piece // job.of : of_each.height * (job.piece + 1) // job.of]
    room = int(mine["room"].sum()) // max(mine.height, 1)
    return mine.get_column(str(table.by)).to_list(), games_at_once(room, job.memory)


def in_runs(keys: Sequence[Any], length: int) -> Iterator[Sequence[Any]]:
    """Cut keys into runs of a length; the last may be shorter."""
    for start in range(0, len(keys), length):
        yield keys[start : start + length]


def room_of(read: Table) -> pl.Expr:
    """Return how many bytes a row takes, roughly, while something is made of it."""
    if "body_bytes" in read.schema:
        return pl.col("body_bytes") * PAGES_GROW
    wide = sum(8 if dtype.is_numeric() or dtype.is_temporal() else 40 for dtype in read.schema.values())
    return pl.lit(wide * ROWS_GROW, pl.Int64)


def games_at_once(room: int, memory: int | None) -> int:
    """Return how many games, of so many bytes each, are made together."""
    if memory is None or not room:
        return GAMES_AT_ONCE
    return min(GAMES_AT_ONCE, max(1, (memory - BASE_BYTES) // room))


def read(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
    """Read rows; pages are held against the SHA-256 that they were kept with."""
    found = rows.collect()
    if table.layer == "bronze":
        spoilt = found.filter(pl.col("sha256").ne_missing(sha256("body")))
        if not spoilt.is_empty():
            page = spoilt.select(pl.concat_str(table.page_key, separator=" ")).row(0)[0]
            raise Unreadable(
                f"{table.name}: the page {page} is not what was kept: its SHA-256 differs.",
                "Nothing was written. The disk has damaged it: `nhl-lake doctor --deep` says what mends it.",
            )
    return found


def read_all(table: Table, inputs: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """Read what a table is made of."""
    return [read(given, rows) for given, rows in zip(table.reads, inputs, strict=True)]


def built(table: Table, part: str, inputs: Sequence[pl.DataFrame], *more: date) -> pl.DataFrame:
    """Make the rows of a table. A number that does not fit its column is an error."""
    frames = (whole(read, frame) for read, frame in zip(table.reads, inputs, strict=True))
    found = table.build(*frames, *more)
    rows = found.select(pl.col(c.name).cast(c.dtype) for c in table.columns).collect().sort(table.key)
    if table.history and part != WHOLE:
        # of the seasons before it was given, and may know more of them than of its own, of which nothing is played yet
        rows = rows.filter(~pl.col("season").is_in([int(season) for season in seasons_before(part, table.history)]))
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
    bad = checks.offenders(table, rows, by)
    return [Rows(rows.filter(~pl.col(by).is_in(list(bad))), refused(table, part, bad))]


def only(table: Table, inputs: Sequence[Frame], keys: Sequence[Any]) -> list[Frame]:
    """Leave some games, or what else rows go by, of what a table reads."""
    # up to a hundred keys are looked for in Parquet in another way, up to five times as slow: so they are said again
    some = pl.col(str(table.by)).is_in(list(keys) * (1 + FEW_KEYS // max(len(keys), 1)))
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
