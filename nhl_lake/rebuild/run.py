"""Silver and gold, made again from bronze, offline: all of it, or the games that changed.

What changed is told by what stands in the commits themselves (`marks`), so that a killed run leaves the old state or
the new one, and the next rebuild goes on. Write, audit, publish: rows are held against their rules before they are
written; a game that breaks one is put aside, by name; a table that would lose too much stays as it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from nhl_lake.catalog import in_order
from nhl_lake.errors import Broken, Quarantined
from nhl_lake.hockey.calendar import eastern_day
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import Done, Job
from nhl_lake.rebuild.executors import ALONE, Crew
from nhl_lake.rebuild.lineage import WHOLE, Marks, Since, Snapshot
from nhl_lake.rebuild.publish import Made, Task, done, without
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import REFUSALS
from nhl_lake.store import delta_tables, handles
from nhl_lake.store.location import Place


class Report(Protocol):
    """Who is told how far a rebuild is."""

    def begin(self, slices: int) -> None:
        """So many slices of tables are to be looked at, and made if they changed."""

    def done(self, slices: float) -> None:
        """So many of them are, from the first on."""


class Means(NamedTuple):
    """Who makes whole slices, and who is told how far they are."""

    crew: Crew = ALONE
    report: Report | None = None


ALONE_AND_SILENT = Means()


class Wanted(NamedTuple):
    """What a rebuild is to do: which seasons, also what did not change, what takes rows away; by what means."""

    seasons: Sequence[int]
    everything: bool
    accept: bool
    means: Means


def rebuild(
    root: Place,
    tables: Sequence[Table] = (),
    *,
    day: date,
    seasons: Sequence[int] = (),
    everything: bool = False,
    accept: bool = False,
    means: Means = ALONE_AND_SILENT,
) -> Iterator[Made]:
    """Make tables again, in order, slice by slice; unless all is asked for, what is as it was is left alone.

    A game that cannot be made is put aside, and the others are made. A slice that breaks stays as it was, and so do
    the tables made from it. Broken is raised at the end for either. `day` is today in New York, for tables that look
    ahead; `accept` publishes tables that lose rows, too; `means` are who makes whole slices, those of a table at once.
    """
    order = tables or in_order()
    wanted = Wanted(seasons, everything, accept, means)
    with handles.keeping():
        delta_tables.repartition(root, REFUSALS)
        yield from rebuilt(lineage.snapshot(root, root, order, day=day), order, wanted)


def as_known(root: Place, to: Path, at: datetime, *, means: Means = ALONE_AND_SILENT) -> Iterator[Made]:
    """Make silver and gold in another root, as they could have been made at a moment: of pages fetched by then."""
    order = in_order()
    delta_tables.create(to, [*order, REFUSALS])
    everything = Wanted((), everything=True, accept=True, means=means)
    with handles.keeping():
        yield from rebuilt(lineage.snapshot(root, to, order, day=eastern_day(at), known_at=at), order, everything)


def rebuilt(bronze: Snapshot, tables: Sequence[Table], wanted: Wanted) -> Iterator[Made]:
    """Make tables of a snapshot of bronze."""
    code, since = lineage.code_print(), lineage.since(bronze)
    broken: dict[tuple[Table, str], Broken | None] = {}
    aside: list[str] = []
    so_far, report = 0, wanted.means.report
    every = len({part for parts in bronze.kept.values() for part in parts if is_asked(part, wanted)} - {WHOLE})
    if report:
        report.begin(sum(every if table.partition else 1 for table in tables))
    for table in tables:
        bronze = bronze.after(table)
        for task in tasks(bronze, table, lineage.wanted(bronze, table, code), wanted, since):
            good = without(task, [part for part in task.parts if is_blocked(table, part, broken)])
            broken |= dict.fromkeys(((table, part) for part in set(task.parts) - set(good.parts)), None)
            if not good.parts:
                continue
            crew = counted(wanted.means, so_far, len(good.parts))
            found, worse = done(bronze, good, crew=crew, accept=wanted.accept)
            broken |= {(table, part): error for part, error in worse.items()}
            bronze = bronze.after(table)
            for made in found:
                aside += made.refused
                yield made
        so_far += every if table.partition else 1
        if report:
            report.done(so_far)
    for worst in filter(None, broken.values()):
        raise worst
    if aside:
        raise Quarantined(
            f"{len(aside)} could not be made: {'; '.join(aside[:3])}{' …' if len(aside) > 3 else ''}",
            "Their pages are safe in bronze, everything else was made; `nhl-lake show silver.refusals` lists them.",
        )


def counted(means: Means, so_far: int, slices: int) -> Crew:
    """Return the crew, which tells after each job how far it is with so many slices of a table."""
    report = means.report
    if report is None:
        return means.crew

    def do(jobs: Sequence[Job], table: Table) -> Iterator[Done]:
        for number, one in enumerate(means.crew.do(jobs, table), start=1):
            report.done(so_far + slices * number / len(jobs))
            yield one

    return means.crew._replace(do=do)


def is_blocked(table: Table, part: str, broken: Mapping[tuple[Table, str], Broken | None]) -> bool:
    """Whether what a slice is made of could not be made."""
    return any((read, of) in broken for read in table.reads for of in (part, WHOLE))


def tasks(bronze: Snapshot, table: Table, now: Marks, wanted: Wanted, since: Since) -> Iterator[Task]:
    """Yield what is to be made of a table: whole slices in one commit, some games of a slice in one each."""
    if delta_tables.scan(bronze.made, table).collect_schema() != table.schema:
        yield Task(table, list(now), None, now, is_all=True)
        return
    done = lineage.stored(bronze.made, table, bronze.versions[table.name])
    whole: Marks = {}
    for part, mark in now.items():
        must = wanted.everything and (part != WHOLE or not wanted.seasons)
        if is_asked(part, wanted) and (must or not mark.is_of(done.get(part))):
            games = None if wanted.everything else lineage.changed(table, part, done.get(part), mark, since)
            if games is None:
                whole[part] = mark
            else:
                yield Task(table, [part], sorted(games), {part: mark}, is_all=False)
    gone = [part for part in done.keys() - now.keys() if is_asked(part, wanted)]
    if whole or gone:
        yield Task(table, [*whole, *sorted(gone)], None, whole, is_all=table.partition is None)


def is_asked(part: str, wanted: Wanted) -> bool:
    """Whether a slice is of the seasons that are wanted; a table without seasons always is."""
    return not wanted.seasons or part == WHOLE or int(part) in wanted.seasons
