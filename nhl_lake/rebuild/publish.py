"""Slices of tables, or some of their games, made and published: what is written, is audited before it is seen."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import polars as pl

from nhl_lake.errors import ValidationFailed
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import BuildResult, BuildTask, build_partition, sum_input_bytes
from nhl_lake.rebuild.executors import Executor
from nhl_lake.rebuild.lineage import LINEAGE_KEY, WHOLE_TABLE, BuildSnapshot, Lineage
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables, location
from nhl_lake.store.file_commit import PartitionSize, publish_files, read_season_sizes
from nhl_lake.store.files import DataFile
from nhl_lake.store.location import Location

MAX_EXCUSED = 3
CHUNK_BYTES = 10**6  # of files that are read; less than that is not worth the way to another process
TASKS_PER_WORKER = 8


class RebuiltPartition(NamedTuple):
    """A slice of a table that was made again: a season (None: all of it), some games of it (None: all)."""

    table: str
    season: int | None
    rows: int
    games: int | None
    quarantined: tuple[str, ...]  # the games that were put aside, each with the reason


class PublishTask(NamedTuple):
    """What is made and published in one commit: slices of a table, or some games of one; and the marks they leave."""

    table: Table
    partitions: Sequence[str]
    games: Sequence[int] | None
    lineage: Lineage  # none of a slice that has no pages any more
    is_whole_table: bool  # of the table: its columns, too, are those of today


def drop_partitions(task: PublishTask, parts: Sequence[str]) -> PublishTask:
    """Leave slices out of a task; of a table that is made anew all are."""
    if parts and task.is_whole_table:
        return task._replace(partitions=(), lineage={})
    rest = [part for part in task.partitions if part not in parts]
    return task._replace(partitions=rest, lineage={part: task.lineage[part] for part in rest if part in task.lineage})


def make_predicate(task: PublishTask, part: str) -> str | None:
    """Return the predicate of a slice of a task, or of some games of it; None is the whole table."""
    if part == WHOLE_TABLE or task.is_whole_table:
        return None
    if task.games is None:
        return f"season = {part}"
    return f"season = {part} AND game_id IN ({', '.join(map(str, task.games or [0]))})"  # no game has the id 0


def build_and_publish(
    bronze: BuildSnapshot, task: PublishTask, *, executor: Executor, allow_row_loss: bool
) -> tuple[list[RebuiltPartition], dict[str, ValidationFailed]]:
    """Make what a task asks for, hold it against what is there, and publish it; and tell which slices broke."""
    if task.games is not None:
        return rebuild_games(bronze, task, allow_row_loss=allow_row_loss)
    found = run_build_tasks(bronze, task, executor)
    broken = {part: one.error for part in found for one in found[part] if one.error}
    there = read_season_sizes(delta_tables.open_table(bronze.target_root, task.table), task.table)
    for part in [] if allow_row_loss else [part for part in found if part not in broken]:
        if has_enough_rows(task, there.get(None if part == WHOLE_TABLE else part), count_rows(found[part])):
            continue
        if error := check_row_loss(
            bronze.target_root, task, part, count_rows(found[part]), collect_quarantined(found[part])
        ):
            broken[part] = error
    good = drop_partitions(task, list(broken))
    location.remove_files(
        delta_tables.locate_table(bronze.target_root, task.table),
        (file.name for part in found.keys() - set(good.partitions) for file in list_files(found[part])),
    )
    if good.partitions:
        every = [one for part in good.partitions for one in found[part]]
        # first what is put aside: a run that is killed in between makes the slices again
        write_quarantine(bronze.target_root, good, collect_quarantined(every))
        seasons, says = (
            None if task.is_whole_table else good.partitions,
            make_lineage_metadata(bronze.target_root, good),
        )
        publish_files(bronze.target_root, task.table, list_files(every), seasons=seasons, metadata=says)
    return [
        summarize_partition(good, part, count_rows(found[part]), collect_quarantined(found[part]))
        for part in good.partitions
    ], broken


def count_rows(some: Sequence[BuildResult]) -> int:
    """Return how many rows pieces of a slice have."""
    return sum(one.rows for one in some)


def list_files(some: Sequence[BuildResult]) -> list[DataFile]:
    """Return the files of pieces of slices."""
    return [file for one in some for file in one.files]


def run_build_tasks(bronze: BuildSnapshot, task: PublishTask, crew: Executor) -> dict[str, list[BuildResult]]:
    """Let the crew make whole slices, in pieces if they are large; return what came of each slice."""
    of_each = plan_chunks(bronze, task, crew)
    jobs = [
        BuildTask(bronze, task.table.name, part, piece, of, crew.memory_per_worker)
        for part, of in of_each.items()
        for piece in range(of)
    ]
    found: dict[str, list[BuildResult]] = {part: [] for part in task.partitions}
    for one in crew.run(jobs, task.table):
        found[one.partition].append(one)
    return found


def plan_chunks(bronze: BuildSnapshot, task: PublishTask, crew: Executor) -> dict[str, int]:
    """Return into how many pieces each slice is cut, by the size of the files that it is made of.

    Each hand is to have some: one that is done with its last waits for the others.
    """
    if task.table.chunk_key is None or crew.workers == 1:
        return dict.fromkeys(task.lineage, 1)
    most = min(2 * crew.workers, ceil(TASKS_PER_WORKER * crew.workers / max(len(task.lineage), 1)))
    bytes_of = sum_input_bytes(bronze, task.table, task.lineage)
    in_turns = {part: ceil(size // CHUNK_BYTES / crew.workers) * crew.workers for part, size in bytes_of.items()}
    return {part: min(most, turns) if bytes_of[part] >= 2 * CHUNK_BYTES else 1 for part, turns in in_turns.items()}


def rebuild_games(
    bronze: BuildSnapshot, task: PublishTask, *, allow_row_loss: bool
) -> tuple[list[RebuiltPartition], dict[str, ValidationFailed]]:
    """Make some games of a slice, and put them in the place of what was there of them."""
    (part,), table = task.partitions, task.table
    try:
        found = build_partition(BuildTask(bronze, table.name, part), table, task.games)
    except ValidationFailed as error:
        return [], {part: error}
    loses = not allow_row_loss and loses_games(bronze.target_root, task, part, found.rows)
    if loses and (worse := check_row_loss(bronze.target_root, task, part, found.rows.height, found.quarantined)):
        return [], {part: worse}
    write_quarantine(bronze.target_root, task, found.quarantined)
    metadata = make_lineage_metadata(bronze.target_root, task)
    delta_tables.replace_rows(
        bronze.target_root, table, found.rows, where=make_predicate(task, part), metadata=metadata
    )
    return [summarize_partition(task, part, found.rows.height, found.quarantined)], {}


def loses_games(root: Location, task: PublishTask, part: str, rows: pl.DataFrame) -> bool:
    """Whether a game that a table has rows of would have none. A changed page may well have fewer rows than before."""
    old = delta_tables.scan_table(root, task.table).filter(
        pl.col("season") == int(part), pl.col("game_id").is_in(list(task.games or []))
    )
    return not old.join(rows.lazy(), on="game_id", how="anti").head(1).collect().is_empty()


def collect_quarantined(found: Sequence[BuildResult]) -> pl.DataFrame:
    """Return what the pieces of a slice put aside."""
    return pl.concat([pl.DataFrame(schema=QUARANTINE.schema), *(one.quarantined for one in found)])


def make_lineage_metadata(root: Location, task: PublishTask) -> dict[str, str]:
    """Return what the commit of a task says: of what its slices are made, and the others still are."""
    others = {} if task.is_whole_table else lineage.read_lineage(root, task.table)
    kept = {part: mark for part, mark in others.items() if part not in task.partitions} | task.lineage
    return {LINEAGE_KEY: lineage.format_lineage(kept)}


def summarize_partition(task: PublishTask, part: str, rows: int, aside: pl.DataFrame) -> RebuiltPartition:
    """Tell of a slice that was made."""
    return RebuiltPartition(
        task.table.name,
        None if part == WHOLE_TABLE else int(part),
        rows,
        None if task.games is None else len(task.games),
        tuple(f"{what} by {name}: {reason}" for _, name, what, _, reason in aside.iter_rows()),
    )


def has_enough_rows(task: PublishTask, there: PartitionSize | None, rows: int) -> bool:
    """Whether a slice has as many rows as it must, told without reading any: those that are there count themselves."""
    before = 0 if there is None else there.rows
    return before is not None and rows >= (1 - task.table.max_row_loss) * before


def check_row_loss(
    root: Location, task: PublishTask, part: str, rows: int, aside: pl.DataFrame
) -> ValidationFailed | None:
    """Return what speaks against taking rows away from a table: a few games that are put aside may go, by name."""
    if task.is_whole_table and task.table.partition is not None:
        return None  # its columns are other ones
    old = delta_tables.scan_table(root, task.table)
    if part != WHOLE_TABLE:
        old = old.filter(pl.col("season") == int(part))
    before = old.select(pl.len()).collect().item()
    if task.games is not None:
        old = old.filter(pl.col("game_id").is_in(list(task.games)))
    gone = old
    if task.table.chunk_key == "game_id":
        named = pl.concat([aside.lazy().select("game_id"), delta_tables.scan_table(root, QUARANTINE).select("game_id")])
        excused = old.join(named, on="game_id", how="semi").select("game_id").unique().sort("game_id").head(MAX_EXCUSED)
        gone = old.join(excused, on="game_id", how="anti")
    if task.table.chunk_key is None:
        gone = filter_rows_with_inputs(root, task.table, old)
        before -= old.select(pl.len()).collect().item() - gone.select(pl.len()).collect().item()
    after = before - gone.select(pl.len()).collect().item() + rows
    after += 0 if task.table.chunk_key == "game_id" else aside.head(MAX_EXCUSED).height
    if after >= (1 - task.table.max_row_loss) * before:
        return None
    return ValidationFailed(
        f"{task.table.name} ({make_predicate(task, part) or 'all of it'}): {before:,} rows would become {after:,}.",
        "Nothing was written; the table is as before. If that is right: `nhl-lake rebuild --allow-row-loss`.",
    )


def filter_rows_with_inputs(root: Location, table: Table, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Leave rows of players and teams of whom a table's inputs still tell; those were held against their own rows.

    A page of another game's players adds them to a season, until it is healed.
    """
    for name in {"player_id", "team_id"} & set(table.key):
        inputs = [delta_tables.scan_table(root, read).select(name) for read in table.inputs if name in read.schema]
        if inputs:
            rows = rows.join(pl.concat(inputs).unique(), on=name, how="semi")
    return rows


def write_quarantine(root: Location, task: PublishTask, aside: pl.DataFrame) -> None:
    """Write what a table put aside in place of what it had put aside before."""
    which = f"quarantined_by = '{task.table.name}'"
    if task.games is not None:
        which += f" AND {make_predicate(task, task.partitions[0])}"
    elif not task.is_whole_table:
        which += f" AND season IN ({', '.join(task.partitions)})"
    if not aside.is_empty() or has_rows(root, QUARANTINE, which):
        delta_tables.replace_rows(root, QUARANTINE, aside, where=which, metadata={})


def has_rows(root: Location, table: Table, which: str) -> bool:
    """Whether a table has rows that a predicate picks; of one that has none its log says so."""
    if not delta_tables.read_table_size(root, table)["rows"]:
        return False
    return not delta_tables.scan_table(root, table).filter(pl.sql_expr(which)).head(1).collect().is_empty()
