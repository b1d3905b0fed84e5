"""Silver and gold, made again from bronze, offline: all of it, or the games that changed.

What changed is told by what stands in the commits themselves (`marks`), so that a killed run leaves the old state or
the new one, and the next rebuild goes on. Write, audit, publish: rows are held against their rules before they are
written; a game that breaks one is put aside, by name; a table that would lose too much stays as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from nhl_lake.catalog import list_build_order
from nhl_lake.errors import GamesQuarantined, ValidationFailed
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import BuildResult, BuildTask
from nhl_lake.rebuild.executors import SERIAL, Executor
from nhl_lake.rebuild.lineage import WHOLE_TABLE, BuildSnapshot, FindGamesSince, Lineage
from nhl_lake.rebuild.publish import PublishTask, RebuiltPartition, build_and_publish, drop_partitions
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables, handles
from nhl_lake.store.location import Location


class RebuildProgress(Protocol):
    """Who is told how far a rebuild is."""

    def set_total(self, partitions: int) -> None:
        """So many slices of tables are to be looked at, and made if they changed."""

    def set_completed(self, partitions: float) -> None:
        """So many of them are, from the first on."""


class Resources(NamedTuple):
    """Who makes whole slices, and who is told how far they are."""

    executor: Executor = SERIAL
    progress: RebuildProgress | None = None


DEFAULT_RESOURCES = Resources()


class Selection(NamedTuple):
    """What a rebuild is to do: which seasons, also what did not change, what takes rows away; by what means."""

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
    """Make tables again, in order, slice by slice; unless all is asked for, what is as it was is left alone.

    A game that cannot be made is put aside, and the others are made. A slice that breaks stays as it was, and so do
    the tables made from it. Broken is raised at the end for either. `day` is today in New York, for tables that look
    ahead; `accept` publishes tables that lose rows, too; `means` are who makes whole slices, those of a table at once.
    """
    order = tables or list_build_order()
    wanted = Selection(seasons, everything, allow_row_loss, resources)
    with handles.cache_folder_handles():
        delta_tables.repartition_table(root, QUARANTINE)
        yield from rebuild_tables(lineage.take_snapshot(root, root, order, day=day), order, wanted)


def rebuild_as_of(
    root: Location, to: Path, at: datetime, *, resources: Resources = DEFAULT_RESOURCES
) -> Iterator[RebuiltPartition]:
    """Make silver and gold in another root, as they could have been made at a moment: of pages fetched by then."""
    order = list_build_order()
    delta_tables.create_tables(to, [*order, QUARANTINE])
    everything = Selection((), everything=True, allow_row_loss=True, resources=resources)
    with handles.cache_folder_handles():
        yield from rebuild_tables(
            lineage.take_snapshot(root, to, order, day=get_eastern_day(at), as_of=at), order, everything
        )


def rebuild_tables(bronze: BuildSnapshot, tables: Sequence[Table], wanted: Selection) -> Iterator[RebuiltPartition]:
    """Make tables of a snapshot of bronze."""
    code, since = lineage.hash_code(), lineage.make_game_finder(bronze)
    broken: dict[tuple[Table, str], ValidationFailed | None] = {}
    aside: list[str] = []
    so_far, report = 0, wanted.resources.progress
    every = len(
        {part for parts in bronze.page_sets.values() for part in parts if is_selected(part, wanted)} - {WHOLE_TABLE}
    )
    if report:
        report.set_total(sum(every if table.partition else 1 for table in tables))
    for table in tables:
        bronze = bronze.refresh_table(table)
        for task in plan_tasks(bronze, table, lineage.plan_lineage(bronze, table, code), wanted, since):
            good = drop_partitions(task, [part for part in task.partitions if is_blocked(table, part, broken)])
            broken |= dict.fromkeys(((table, part) for part in set(task.partitions) - set(good.partitions)), None)
            if not good.partitions:
                continue
            crew = add_progress(wanted.resources, so_far, len(good.partitions))
            found, worse = build_and_publish(bronze, good, executor=crew, allow_row_loss=wanted.allow_row_loss)
            broken |= {(table, part): error for part, error in worse.items()}
            bronze = bronze.refresh_table(table)
            for made in found:
                aside += made.quarantined
                yield made
        so_far += every if table.partition else 1
        if report:
            report.set_completed(so_far)
    for worst in filter(None, broken.values()):
        raise worst
    if aside:
        raise GamesQuarantined(
            f"{len(aside)} could not be made: {'; '.join(aside[:3])}{' …' if len(aside) > 3 else ''}",
            "Their pages are safe in bronze, everything else was made; `nhl-lake show silver.quarantine` lists them.",
        )


def add_progress(means: Resources, so_far: int, slices: int) -> Executor:
    """Return the crew, which tells after each job how far it is with so many slices of a table."""
    report = means.progress
    if report is None:
        return means.executor

    def do(jobs: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
        for number, one in enumerate(means.executor.run(jobs, table), start=1):
            report.set_completed(so_far + slices * number / len(jobs))
            yield one

    return means.executor._replace(run=do)


def is_blocked(table: Table, part: str, broken: Mapping[tuple[Table, str], ValidationFailed | None]) -> bool:
    """Whether what a slice is made of could not be made."""
    return any((read, of) in broken for read in table.inputs for of in (part, WHOLE_TABLE))


def plan_tasks(
    bronze: BuildSnapshot, table: Table, now: Lineage, wanted: Selection, since: FindGamesSince
) -> Iterator[PublishTask]:
    """Yield what is to be made of a table: whole slices in one commit, some games of a slice in one each."""
    if delta_tables.scan_table(bronze.target_root, table).collect_schema() != table.schema:
        yield PublishTask(table, list(now), None, now, is_whole_table=True)
        return
    done = lineage.read_lineage(bronze.target_root, table, bronze.versions[table.name])
    whole: Lineage = {}
    for part, mark in now.items():
        must = wanted.everything and (part != WHOLE_TABLE or not wanted.seasons)
        if is_selected(part, wanted) and (must or not mark.is_same_as(done.get(part))):
            games = None if wanted.everything else lineage.find_changed_games(table, part, done.get(part), mark, since)
            if games is None:
                whole[part] = mark
            else:
                yield PublishTask(table, [part], sorted(games), {part: mark}, is_whole_table=False)
    gone = [part for part in done.keys() - now.keys() if is_selected(part, wanted)]
    if whole or gone:
        yield PublishTask(table, [*whole, *sorted(gone)], None, whole, is_whole_table=table.partition is None)


def is_selected(part: str, wanted: Selection) -> bool:
    """Whether a slice is of the seasons that are wanted; a table without seasons always is."""
    return not wanted.seasons or part == WHOLE_TABLE or int(part) in wanted.seasons
