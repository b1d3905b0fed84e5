"""Build partitions, or some of their games, and publish them after an audit."""

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
from nhl_lake.text import format_count

MAX_EXCUSED = 3
CHUNK_BYTES = 10**6  # input files below this size are not worth another process
TASKS_PER_WORKER = 8


class RebuiltPartition(NamedTuple):
    """A rebuilt partition: its season (None: the whole table) and the number of rebuilt games (None: all)."""

    table: str
    season: int | None
    rows: int
    games: int | None
    quarantined: tuple[str, ...]  # the quarantined games, each with the reason


class PublishTask(NamedTuple):
    """What one commit builds and publishes: partitions of a table, or some games of one; and their new lineage."""

    table: Table
    partitions: Sequence[str]
    games: Sequence[int] | None
    lineage: Lineage  # has no entry for a partition without pages
    is_whole_table: bool  # also updates the table's columns


def drop_partitions(task: PublishTask, partitions: Sequence[str]) -> PublishTask:
    """Remove partitions from a task; a task for a whole table loses all."""
    if partitions and task.is_whole_table:
        return task._replace(partitions=(), lineage={})
    rest = [partition for partition in task.partitions if partition not in partitions]
    return task._replace(
        partitions=rest, lineage={partition: task.lineage[partition] for partition in rest if partition in task.lineage}
    )


def make_predicate(task: PublishTask, partition: str) -> str | None:
    """Return the SQL predicate of a task's partition or games; None for the whole table."""
    if partition == WHOLE_TABLE or task.is_whole_table:
        return None
    if task.games is None:
        return f"season = {partition}"
    return f"season = {partition} AND game_id IN ({', '.join(map(str, task.games or [0]))})"  # no game has the id 0


def build_and_publish(
    bronze: BuildSnapshot, task: PublishTask, *, executor: Executor, allow_row_loss: bool
) -> tuple[list[RebuiltPartition], dict[str, ValidationFailed]]:
    """Build a task's partitions, compare them with the existing rows, and publish them; return results and errors."""
    if task.games is not None:
        return rebuild_games(bronze, task, allow_row_loss=allow_row_loss)
    found = run_build_tasks(bronze, task, executor)
    broken = {partition: result.error for partition in found for result in found[partition] if result.error}
    sizes = read_season_sizes(delta_tables.open_table(bronze.target_root, task.table), task.table)
    for partition in [] if allow_row_loss else [partition for partition in found if partition not in broken]:
        if has_enough_rows(
            task, sizes.get(None if partition == WHOLE_TABLE else partition), count_rows(found[partition])
        ):
            continue
        if error := check_row_loss(
            bronze.target_root, task, partition, count_rows(found[partition]), collect_quarantined(found[partition])
        ):
            broken[partition] = error
    publishable = drop_partitions(task, list(broken))
    location.remove_files(
        delta_tables.locate_table(bronze.target_root, task.table),
        (
            file.name
            for partition in found.keys() - set(publishable.partitions)
            for file in list_files(found[partition])
        ),
    )
    if publishable.partitions:
        results = [result for partition in publishable.partitions for result in found[partition]]
        # quarantine first: if the run is killed in between, the next one rebuilds the partitions
        write_quarantine(bronze.target_root, publishable, collect_quarantined(results))
        publish_files(
            bronze.target_root,
            task.table,
            list_files(results),
            seasons=None if task.is_whole_table else publishable.partitions,
            metadata=make_lineage_metadata(bronze.target_root, publishable),
        )
    return [
        summarize_partition(publishable, partition, count_rows(found[partition]), collect_quarantined(found[partition]))
        for partition in publishable.partitions
    ], broken


def count_rows(results: Sequence[BuildResult]) -> int:
    """Return the number of rows of some results."""
    return sum(result.rows for result in results)


def list_files(results: Sequence[BuildResult]) -> list[DataFile]:
    """Return the files of some results."""
    return [file for result in results for file in result.files]


def run_build_tasks(bronze: BuildSnapshot, task: PublishTask, executor: Executor) -> dict[str, list[BuildResult]]:
    """Let the executor build whole partitions, large ones in chunks; return the results by partition."""
    chunk_counts = plan_chunks(bronze, task, executor)
    tasks = [
        BuildTask(bronze, task.table.name, partition, chunk, chunks, executor.memory_per_worker)
        for partition, chunks in chunk_counts.items()
        for chunk in range(chunks)
    ]
    found: dict[str, list[BuildResult]] = {partition: [] for partition in task.partitions}
    for result in executor.run(tasks, task.table):
        found[result.partition].append(result)
    return found


def plan_chunks(bronze: BuildSnapshot, task: PublishTask, executor: Executor) -> dict[str, int]:
    """Return the number of chunks of each partition, by the size of its input files.

    Every worker should get several: a worker without tasks waits for the others.
    """
    if task.table.chunk_key is None or executor.workers == 1:
        return dict.fromkeys(task.lineage, 1)
    max_chunks = min(2 * executor.workers, ceil(TASKS_PER_WORKER * executor.workers / max(len(task.lineage), 1)))
    bytes_of = sum_input_bytes(bronze, task.table, task.lineage)
    turns_by_partition = {
        partition: ceil(size // CHUNK_BYTES / executor.workers) * executor.workers
        for partition, size in bytes_of.items()
    }
    return {
        partition: min(max_chunks, turns) if bytes_of[partition] >= 2 * CHUNK_BYTES else 1
        for partition, turns in turns_by_partition.items()
    }


def rebuild_games(
    bronze: BuildSnapshot, task: PublishTask, *, allow_row_loss: bool
) -> tuple[list[RebuiltPartition], dict[str, ValidationFailed]]:
    """Build some games of a partition, and replace their rows."""
    (partition,), table = task.partitions, task.table
    try:
        found = build_partition(BuildTask(bronze, table.name, partition), table, task.games)
    except ValidationFailed as error:
        return [], {partition: error}
    loses = not allow_row_loss and loses_games(bronze.target_root, task, partition, found.rows)
    if loses and (loss := check_row_loss(bronze.target_root, task, partition, found.rows.height, found.quarantined)):
        return [], {partition: loss}
    write_quarantine(bronze.target_root, task, found.quarantined)
    metadata = make_lineage_metadata(bronze.target_root, task)
    delta_tables.replace_rows(
        bronze.target_root, table, found.rows, where=make_predicate(task, partition), metadata=metadata
    )
    return [summarize_partition(task, partition, found.rows.height, found.quarantined)], {}


def loses_games(root: Location, task: PublishTask, partition: str, rows: pl.DataFrame) -> bool:
    """Return whether a game with rows would have none left. Fewer rows are fine: a changed page may have fewer."""
    old = delta_tables.scan_table(root, task.table).filter(
        pl.col("season") == int(partition), pl.col("game_id").is_in(list(task.games or []))
    )
    return not old.join(rows.lazy(), on="game_id", how="anti").head(1).collect().is_empty()


def collect_quarantined(found: Sequence[BuildResult]) -> pl.DataFrame:
    """Return everything that some results quarantined."""
    return pl.concat([pl.DataFrame(schema=QUARANTINE.schema), *(result.quarantined for result in found)])


def make_lineage_metadata(root: Location, task: PublishTask) -> dict[str, str]:
    """Return the commit metadata of a task: the lineage of its partitions and of all others."""
    others = {} if task.is_whole_table else lineage.read_lineage(root, task.table)
    merged = {
        partition: fingerprint for partition, fingerprint in others.items() if partition not in task.partitions
    } | task.lineage
    return {LINEAGE_KEY: lineage.format_lineage(merged)}


def summarize_partition(task: PublishTask, partition: str, rows: int, quarantined: pl.DataFrame) -> RebuiltPartition:
    """Return the summary of a rebuilt partition."""
    return RebuiltPartition(
        task.table.name,
        None if partition == WHOLE_TABLE else int(partition),
        rows,
        None if task.games is None else len(task.games),
        tuple(f"{what} by {name}: {reason}" for _, name, what, _, reason in quarantined.iter_rows()),
    )


def has_enough_rows(task: PublishTask, existing: PartitionSize | None, rows: int) -> bool:
    """Return whether a partition keeps enough rows, by the row counts in the log."""
    before = 0 if existing is None else existing.rows
    return before is not None and rows >= (1 - task.table.max_row_loss) * before


def check_row_loss(
    root: Location, task: PublishTask, partition: str, rows: int, quarantined: pl.DataFrame
) -> ValidationFailed | None:
    """Return the error if a table would lose too many rows. A few quarantined games are excused."""
    if task.is_whole_table and task.table.partition is not None:
        return None  # its columns have changed
    old = delta_tables.scan_table(root, task.table)
    if partition != WHOLE_TABLE:
        old = old.filter(pl.col("season") == int(partition))
    before = old.select(pl.len()).collect().item()
    if task.games is not None:
        old = old.filter(pl.col("game_id").is_in(list(task.games)))
    lost = old
    if task.table.chunk_key == "game_id":
        quarantined_games = pl.concat(
            [quarantined.lazy().select("game_id"), delta_tables.scan_table(root, QUARANTINE).select("game_id")]
        )
        excused = (
            old.join(quarantined_games, on="game_id", how="semi")
            .select("game_id")
            .unique()
            .sort("game_id")
            .head(MAX_EXCUSED)
        )
        lost = old.join(excused, on="game_id", how="anti")
    if task.table.chunk_key is None:
        lost = filter_rows_with_inputs(root, task.table, old)
        before -= old.select(pl.len()).collect().item() - lost.select(pl.len()).collect().item()
    after = before - lost.select(pl.len()).collect().item() + rows
    after += 0 if task.table.chunk_key == "game_id" else quarantined.head(MAX_EXCUSED).height
    if after >= (1 - task.table.max_row_loss) * before:
        return None
    where = make_predicate(task, partition) or "all of it"
    return ValidationFailed(
        f"{task.table.name} ({where}): {format_count(before, 'row')} would become {after:,}.",
        "No changes were made. If that is right, run `nhl-lake rebuild --allow-row-loss`.",
    )


def filter_rows_with_inputs(root: Location, table: Table, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Filter to the players and teams that the table's inputs still have; the inputs passed their own row loss check.

    A page with another game's players adds them to a season until the page is corrected.
    """
    for name in {"player_id", "team_id"} & set(table.key):
        inputs = [delta_tables.scan_table(root, read).select(name) for read in table.inputs if name in read.schema]
        if inputs:
            rows = rows.join(pl.concat(inputs).unique(), on=name, how="semi")
    return rows


def write_quarantine(root: Location, task: PublishTask, quarantined: pl.DataFrame) -> None:
    """Replace the table's earlier quarantine rows by the new ones."""
    predicate = f"quarantined_by = '{task.table.name}'"
    if task.games is not None:
        predicate += f" AND {make_predicate(task, task.partitions[0])}"
    elif not task.is_whole_table:
        predicate += f" AND season IN ({', '.join(task.partitions)})"
    if not quarantined.is_empty() or has_rows(root, QUARANTINE, predicate):
        delta_tables.replace_rows(root, QUARANTINE, quarantined, where=predicate, metadata={})


def has_rows(root: Location, table: Table, predicate: str) -> bool:
    """Return whether a table has rows that match a predicate."""
    if not delta_tables.read_table_size(root, table)["rows"]:
        return False
    return not delta_tables.scan_table(root, table).filter(pl.sql_expr(predicate)).head(1).collect().is_empty()
