"""Rebuild silver and gold from bronze, offline: everything, or the games that changed.

The lineage in the tables' commits shows what changed. A killed run leaves the old or the new state, and the next
rebuild continues. Write, audit, publish: rows are checked against their rules before they are written. A game that
breaks a rule is quarantined by name; a table that would lose too many rows stays unchanged.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from nhl_lake.catalog import list_build_order
from nhl_lake.errors import GamesQuarantined, ValidationFailed
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import BuildResult, BuildTask
from nhl_lake.rebuild.executors import SERIAL, Executor
from nhl_lake.rebuild.intact_inputs import Verified, require_intact_inputs
from nhl_lake.rebuild.lineage import WHOLE_TABLE, BuildSnapshot, FindGamesSince, Lineage
from nhl_lake.rebuild.lost_model import require_no_lost_model
from nhl_lake.rebuild.publish import PublishTask, RebuiltPartition, build_and_publish, drop_partitions
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables, handles
from nhl_lake.store.location import Location


class RebuildProgress(Protocol):
    """Receives the progress of a rebuild."""

    def set_total(self, partitions: int) -> None:
        """Report the number of partitions to check and, if they changed, to build."""

    def set_completed(self, partitions: float) -> None:
        """Report the number of partitions done so far."""


class Resources(NamedTuple):
    """The executor that builds whole partitions, and the progress report."""

    executor: Executor = SERIAL
    progress: RebuildProgress | None = None


DEFAULT_RESOURCES = Resources()


class Selection(NamedTuple):
    """What to rebuild: which seasons, whether also unchanged partitions and row losses, and with which resources."""

    seasons: Sequence[int]
    everything: bool
    allow_row_loss: bool
    resources: Resources


def rebuild(
    root: Location,
    tables: Sequence[Table] = (),
    *,
    day: date,
    seasons: Sequence[int] = (),
    everything: bool = False,
    allow_row_loss: bool = False,
    resources: Resources = DEFAULT_RESOURCES,
) -> Iterator[RebuiltPartition]:
    """Rebuild tables in order, partition by partition. Skip unchanged partitions unless `everything` is set.

    A game that cannot be built is quarantined, and the others are built. A partition that fails stays unchanged, and so
    do the tables built from it. In both cases an error is raised at the end.

    day: today in New York, for tables with upcoming games. allow_row_loss: also publish tables that lose rows.
    """
    order = tables or list_build_order()
    selection = Selection(seasons, everything, allow_row_loss, resources)
    with handles.cache_folder_handles():
        if XG_MODEL in order:
            require_no_lost_model(root)
        delta_tables.repartition_table(root, QUARANTINE)
        yield from rebuild_tables(lineage.take_snapshot(root, root, order, day=day), order, selection)


def rebuild_as_of(
    root: Location, to: Path, at: datetime, *, resources: Resources = DEFAULT_RESOURCES
) -> Iterator[RebuiltPartition]:
    """Build silver and gold at another location as of a time: only from pages fetched by then."""
    order = list_build_order()
    delta_tables.create_tables(to, [*order, QUARANTINE])
    everything = Selection((), everything=True, allow_row_loss=True, resources=resources)
    with handles.cache_folder_handles():
        yield from rebuild_tables(
            lineage.take_snapshot(root, to, order, day=get_eastern_day(at), as_of=at), order, everything
        )


def rebuild_tables(bronze: BuildSnapshot, tables: Sequence[Table], selection: Selection) -> Iterator[RebuiltPartition]:
    """Rebuild tables from a snapshot of bronze."""
    code, since = lineage.hash_code(), lineage.make_game_finder(bronze)
    broken: dict[tuple[Table, str], ValidationFailed | None] = {}
    quarantined: list[str] = []
    verified: Verified = set()
    completed, progress = 0, selection.resources.progress
    season_count = len(
        {
            partition
            for partitions in bronze.page_sets.values()
            for partition in partitions
            if is_selected(partition, selection)
        }
        - {WHOLE_TABLE}
    )
    if progress:
        progress.set_total(sum(season_count if table.partition else 1 for table in tables))
    for table in tables:
        bronze = bronze.refresh_table(table)
        for task in plan_tasks(bronze, table, lineage.plan_lineage(bronze, table, code), selection, since):
            buildable = drop_partitions(
                task, [partition for partition in task.partitions if is_blocked(table, partition, broken)]
            )
            broken |= dict.fromkeys(
                ((table, partition) for partition in set(task.partitions) - set(buildable.partitions)), None
            )
            if not buildable.partitions:
                continue
            require_intact_inputs(bronze, buildable, verified)
            executor = add_progress(selection.resources, completed, len(buildable.partitions))
            found, errors = build_and_publish(
                bronze, buildable, executor=executor, allow_row_loss=selection.allow_row_loss
            )
            broken |= {(table, partition): error for partition, error in errors.items()}
            bronze = bronze.refresh_table(table)
            for rebuilt in found:
                quarantined += rebuilt.quarantined
                yield rebuilt
        completed += season_count if table.partition else 1
        if progress:
            progress.set_completed(completed)
    for error in filter(None, broken.values()):
        raise error
    if quarantined:
        raise GamesQuarantined(
            f"Quarantined {len(quarantined)}: {'; '.join(quarantined[:3])}{' …' if len(quarantined) > 3 else ''}",
            "Their pages are safe in bronze, and everything else was built. Run `nhl-lake show silver.quarantine`.",
        )


def add_progress(resources: Resources, completed: int, partitions: int) -> Executor:
    """Return an executor that reports the progress after each task."""
    progress = resources.progress
    if progress is None:
        return resources.executor

    def run_tasks(tasks: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
        for number, result in enumerate(resources.executor.run(tasks, table), start=1):
            progress.set_completed(completed + partitions * number / len(tasks))
            yield result

    return resources.executor._replace(run=run_tasks)


def is_blocked(table: Table, partition: str, broken: Mapping[tuple[Table, str], ValidationFailed | None]) -> bool:
    """Return whether an input of a partition could not be built."""
    return any(
        (input_table, input_partition) in broken
        for input_table in table.inputs
        for input_partition in (partition, WHOLE_TABLE)
    )


def plan_tasks(
    bronze: BuildSnapshot, table: Table, current: Lineage, selection: Selection, since: FindGamesSince
) -> Iterator[PublishTask]:
    """Yield what to build of a table: whole partitions in one commit; some games of a partition in a commit each."""
    if delta_tables.scan_table(bronze.target_root, table).collect_schema() != table.schema:
        yield PublishTask(table, list(current), None, current, is_whole_table=True)
        return
    previous = lineage.read_lineage(bronze.target_root, table, bronze.versions[table.name])
    whole: Lineage = {}
    for partition, fingerprint in current.items():
        is_forced = selection.everything and (partition != WHOLE_TABLE or not selection.seasons)
        if is_selected(partition, selection) and (is_forced or not fingerprint.is_same_as(previous.get(partition))):
            games = (
                None
                if selection.everything
                else lineage.find_changed_games(table, partition, previous.get(partition), fingerprint, since)
            )
            if games is None:
                whole[partition] = fingerprint
            else:
                yield PublishTask(table, [partition], sorted(games), {partition: fingerprint}, is_whole_table=False)
    removed = [partition for partition in previous.keys() - current.keys() if is_selected(partition, selection)]
    if whole or removed:
        yield PublishTask(table, [*whole, *sorted(removed)], None, whole, is_whole_table=table.partition is None)


def is_selected(partition: str, selection: Selection) -> bool:
    """Return whether a partition is selected; that of a table without seasons always is."""
    return not selection.seasons or partition == WHOLE_TABLE or int(partition) in selection.seasons
