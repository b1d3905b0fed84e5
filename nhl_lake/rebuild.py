"""Silver and gold, made again from bronze, offline: all of it, or the games that changed.

What changed is told by what stands in the commits themselves (`marks`), so that a killed run leaves the old state or
the new one, and the next rebuild goes on. Write, audit, publish: rows are held against their rules before they are
written; a game that breaks one is put aside, by name; a table that would lose too much stays as it was.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from nhl_lake import marks
from nhl_lake.catalog import in_order
from nhl_lake.errors import Broken
from nhl_lake.hockey.calendar import eastern_day
from nhl_lake.making import Rows, make, nothing
from nhl_lake.marks import MADE_OF, WHOLE, Marks, Snapshot
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.store import lake
from nhl_lake.store.place import Place
from nhl_lake.table import Table

FEW = 3


class Made(NamedTuple):
    """A slice of a table that was made again: a season (None: all of it), some games of it (None: all)."""

    table: str
    season: int | None
    rows: int
    games: int | None
    refused: tuple[str, ...]  # the games that were put aside, each with the reason


class Wanted(NamedTuple):
    """What a rebuild is to do: which seasons, also what did not change, also what takes rows away."""

    seasons: Sequence[int]
    everything: bool
    accept: bool


def rebuild(
    root: Place,
    tables: Sequence[Table] = (),
    *,
    day: date,
    seasons: Sequence[int] = (),
    everything: bool = False,
    accept: bool = False,
) -> Iterator[Made]:
    """Make tables again, in order, slice by slice; unless all is asked for, what is as it was is left alone.

    A game that cannot be made is put aside, and the others are made. A slice that breaks stays as it was, and so do
    the tables made from it. Broken is raised at the end for either. `day` is today in New York, for tables that look
    ahead; `accept` publishes tables that lose rows, too.
    """
    order = tables or in_order()
    yield from rebuilt(marks.snapshot(root, root, order, day=day), order, Wanted(seasons, everything, accept))


def as_known(root: Place, to: Path, at: datetime) -> Iterator[Made]:
    """Make silver and gold in another root, as they could have been made at a moment: of pages fetched by then."""
    order = in_order()
    lake.create(to, [*order, REFUSALS])
    everything = Wanted((), everything=True, accept=True)
    yield from rebuilt(marks.snapshot(root, to, order, day=eastern_day(at), known_at=at), order, everything)


def rebuilt(bronze: Snapshot, tables: Sequence[Table], wanted: Wanted) -> Iterator[Made]:
    """Make tables of a snapshot of bronze."""
    code = marks.code_print()
    broken: dict[tuple[Table, str], Broken | None] = {}
    aside: list[str] = []
    for table in tables:
        for task in tasks(bronze, table, marks.wanted(bronze, table, code), wanted):
            if any((read, part) in broken for read in table.reads for part in (*task.parts, WHOLE)):
                broken |= dict.fromkeys(((table, part) for part in task.parts), None)
                continue
            try:
                found = done(bronze, task, wanted)
            except Broken as error:
                broken |= dict.fromkeys(((table, part) for part in task.parts), error)
                continue
            for made in found:
                aside += made.refused
                yield made
    for worst in filter(None, broken.values()):
        raise worst
    if aside:
        raise Broken(
            f"{len(aside)} could not be made: {'; '.join(aside[:3])}{' …' if len(aside) > 3 else ''}",
            "Their pages are safe in bronze, everything else was made; `nhl-lake show silver.refusals` lists them.",
        )


class Task(NamedTuple):
    """What is made and published in one commit: slices of a table, or some games of one; and the marks it leaves."""

    table: Table
    parts: Sequence[str]
    games: Sequence[int] | None
    where: str | None
    marks: Marks  # none of a slice that has no pages any more


def tasks(bronze: Snapshot, table: Table, now: Marks, wanted: Wanted) -> Iterator[Task]:
    """Yield what is to be made of a table; if its columns have changed, all in one commit."""
    if lake.scan(bronze.made, table).collect_schema() != table.schema:
        yield Task(table, list(now), None, None, now)
        return
    done = marks.stored(bronze.made, table)
    for part, mark in now.items():
        must = wanted.everything and (part != WHOLE or not wanted.seasons)
        if is_asked(part, wanted) and (must or not mark.is_of(done.get(part))):
            games = None if wanted.everything else marks.changed(bronze, table, part, done.get(part), mark)
            yield Task(table, [part], games, where(part, games), {part: mark})
    for part in done.keys() - now.keys():
        if is_asked(part, wanted):
            yield Task(table, [part], None, where(part, None), {})


def is_asked(part: str, wanted: Wanted) -> bool:
    """Whether a slice is of the seasons that are wanted; a table without seasons always is."""
    return not wanted.seasons or part == WHOLE or int(part) in wanted.seasons


def where(part: str, games: Sequence[int] | None) -> str | None:
    """Return the predicate of a slice, or of some games of it; None is the whole table."""
    if part == WHOLE:
        return None
    some = "" if games is None else f" AND game_id IN ({', '.join(map(str, games or [0]))})"  # no game has the id 0
    return f"season = {part}{some}"


def done(bronze: Snapshot, task: Task, wanted: Wanted) -> list[Made]:
    """Make what a task asks for, hold it against what is there, and publish it."""
    none = nothing(task.table)
    made = {part: make(bronze, task.table, part, task.games) if task.marks else none for part in task.parts}
    if not wanted.accept and (task.where is not None or task.table.partition is None):
        for found in made.values():
            audit(bronze.made, task, found)
    # first what is put aside: a run that is killed in between makes the slice again
    for part, found in made.items():
        put_aside(bronze.made, task, part, found.refusals)
    rows = pl.concat([none.rows, *(found.rows for found in made.values())])
    others = {} if task.where is None else marks.stored(bronze.made, task.table)
    kept = {part: mark for part, mark in others.items() if part not in task.parts} | task.marks
    lake.replace(bronze.made, task.table, rows, where=task.where, metadata={MADE_OF: marks.text(kept)})
    return [
        Made(
            task.table.name,
            None if part == WHOLE else int(part),
            found.rows.height,
            None if task.games is None else len(task.games),
            tuple(f"{what} by {name}: {reason}" for _, name, what, _, reason in found.refusals.iter_rows()),
        )
        for part, found in made.items()
    ]


def audit(root: Place, task: Task, found: Rows) -> None:
    """Refuse what would take rows away from a table: a few games that are put aside may go, by name."""
    old = lake.scan(root, task.table)
    if task.where is not None:
        old = old.filter(pl.sql_expr(task.where.partition(" AND ")[0]))
    before = old.select(pl.len()).collect().item()
    if task.games is not None:
        old = old.filter(pl.col("game_id").is_in(list(task.games)))
    gone = old
    if task.table.by == "game_id":
        aside = pl.concat([found.refusals.lazy().select("game_id"), lake.scan(root, REFUSALS).select("game_id")])
        excused = old.join(aside, on="game_id", how="semi").select("game_id").unique().sort("game_id").head(FEW)
        gone = old.join(excused, on="game_id", how="anti")
    after = before - gone.select(pl.len()).collect().item() + found.rows.height
    after += 0 if task.table.by == "game_id" else found.refusals.head(FEW).height
    if after < (1 - task.table.may_lose) * before:
        raise Broken(
            f"{task.table.name} ({task.where or 'all of it'}): {before:,} rows would become {after:,}.",
            "Nothing was written; the table is as before. If that is right: `nhl-lake rebuild --accept`.",
        )


def put_aside(root: Place, task: Task, part: str, refusals: pl.DataFrame) -> None:
    """Write what a table put aside in place of what it had put aside before."""
    of_slice = where(part, task.games)
    which = f"refused_by = '{task.table.name}'" + (f" AND {of_slice}" if of_slice else "")
    if not refusals.is_empty() or not lake.scan(root, REFUSALS).filter(pl.sql_expr(which)).collect().is_empty():
        lake.replace(root, REFUSALS, refusals, where=which, metadata={})
