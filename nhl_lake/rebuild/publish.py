"""Slices of tables, or some of their games, made and published: what is written, is audited before it is seen."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import polars as pl

from nhl_lake.errors import Broken
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import Done, Job, bytes_read, make
from nhl_lake.rebuild.executors import Crew
from nhl_lake.rebuild.lineage import MADE_OF, WHOLE, Marks, Snapshot
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import REFUSALS
from nhl_lake.store import delta_tables, location
from nhl_lake.store.file_commit import Size, publish, season_sizes
from nhl_lake.store.files import File
from nhl_lake.store.location import Place

FEW = 3
PIECE_BYTES = 10**6  # of files that are read; less than that is not worth the way to another process
JOBS_A_HAND = 8


class Made(NamedTuple):
    """A slice of a table that was made again: a season (None: all of it), some games of it (None: all)."""

    table: str
    season: int | None
    rows: int
    games: int | None
    refused: tuple[str, ...]  # the games that were put aside, each with the reason


class Task(NamedTuple):
    """What is made and published in one commit: slices of a table, or some games of one; and the marks they leave."""

    table: Table
    parts: Sequence[str]
    games: Sequence[int] | None
    marks: Marks  # none of a slice that has no pages any more
    is_all: bool  # of the table: its columns, too, are those of today


def without(task: Task, parts: Sequence[str]) -> Task:
    """Leave slices out of a task; of a table that is made anew all are."""
    if parts and task.is_all:
        return task._replace(parts=(), marks={})
    rest = [part for part in task.parts if part not in parts]
    return task._replace(parts=rest, marks={part: task.marks[part] for part in rest if part in task.marks})


def where(task: Task, part: str) -> str | None:
    """Return the predicate of a slice of a task, or of some games of it; None is the whole table."""
    if part == WHOLE or task.is_all:
        return None
    if task.games is None:
        return f"season = {part}"
    return f"season = {part} AND game_id IN ({', '.join(map(str, task.games or [0]))})"  # no game has the id 0


def done(bronze: Snapshot, task: Task, *, crew: Crew, accept: bool) -> tuple[list[Made], dict[str, Broken]]:
    """Make what a task asks for, hold it against what is there, and publish it; and tell which slices broke."""
    if task.games is not None:
        return some_games(bronze, task, accept=accept)
    found = slices(bronze, task, crew)
    broken = {part: one.error for part in found for one in found[part] if one.error}
    there = season_sizes(delta_tables.handle(bronze.made, task.table), task.table)
    for part in [] if accept else [part for part in found if part not in broken]:
        if is_enough(task, there.get(None if part == WHOLE else part), rows_of(found[part])):
            continue
        if error := audit(bronze.made, task, part, rows_of(found[part]), refusals(found[part])):
            broken[part] = error
    good = without(task, list(broken))
    location.remove(
        delta_tables.path(bronze.made, task.table),
        (file.name for part in found.keys() - set(good.parts) for file in files_of(found[part])),
    )
    if good.parts:
        every = [one for part in good.parts for one in found[part]]
        # first what is put aside: a run that is killed in between makes the slices again
        put_aside(bronze.made, good, refusals(every))
        seasons, says = None if task.is_all else good.parts, left_marks(bronze.made, good)
        publish(bronze.made, task.table, files_of(every), seasons=seasons, metadata=says)
    return [told(good, part, rows_of(found[part]), refusals(found[part])) for part in good.parts], broken


def rows_of(some: Sequence[Done]) -> int:
    """Return how many rows pieces of a slice have."""
    return sum(one.rows for one in some)


def files_of(some: Sequence[Done]) -> list[File]:
    """Return the files of pieces of slices."""
    return [file for one in some for file in one.files]


def slices(bronze: Snapshot, task: Task, crew: Crew) -> dict[str, list[Done]]:
    """Let the crew make whole slices, in pieces if they are large; return what came of each slice."""
    of_each = pieces(bronze, task, crew)
    jobs = [
        Job(bronze, task.table.name, part, piece, of, crew.memory)
        for part, of in of_each.items()
        for piece in range(of)
    ]
    found: dict[str, list[Done]] = {part: [] for part in task.parts}
    for one in crew.do(jobs, task.table):
        found[one.part].append(one)
    return found


def pieces(bronze: Snapshot, task: Task, crew: Crew) -> dict[str, int]:
    """Return into how many pieces each slice is cut, by the size of the files that it is made of.

    Each hand is to have some: one that is done with its last waits for the others.
    """
    if task.table.by is None or crew.hands == 1:
        return dict.fromkeys(task.marks, 1)
    most = min(2 * crew.hands, ceil(JOBS_A_HAND * crew.hands / max(len(task.marks), 1)))
    bytes_of = bytes_read(bronze, task.table, task.marks)
    in_turns = {part: ceil(size // PIECE_BYTES / crew.hands) * crew.hands for part, size in bytes_of.items()}
    return {part: min(most, turns) if bytes_of[part] >= 2 * PIECE_BYTES else 1 for part, turns in in_turns.items()}


def some_games(bronze: Snapshot, task: Task, *, accept: bool) -> tuple[list[Made], dict[str, Broken]]:
    """Make some games of a slice, and put them in the place of what was there of them."""
    (part,), table = task.parts, task.table
    try:
        found = make(Job(bronze, table.name, part), table, task.games)
    except Broken as error:
        return [], {part: error}
    loses = not accept and loses_games(bronze.made, task, part, found.rows)
    if loses and (worse := audit(bronze.made, task, part, found.rows.height, found.refusals)):
        return [], {part: worse}
    put_aside(bronze.made, task, found.refusals)
    metadata = left_marks(bronze.made, task)
    delta_tables.replace(bronze.made, table, found.rows, where=where(task, part), metadata=metadata)
    return [told(task, part, found.rows.height, found.refusals)], {}


def loses_games(root: Place, task: Task, part: str, rows: pl.DataFrame) -> bool:
    """Whether a game that a table has rows of would have none. A changed page may well have fewer rows than before."""
    old = delta_tables.scan(root, task.table).filter(
        pl.col("season") == int(part), pl.col("game_id").is_in(list(task.games or []))
    )
    return not old.join(rows.lazy(), on="game_id", how="anti").head(1).collect().is_empty()


def refusals(found: Sequence[Done]) -> pl.DataFrame:
    """Return what the pieces of a slice put aside."""
    return pl.concat([pl.DataFrame(schema=REFUSALS.schema), *(one.refusals for one in found)])


def left_marks(root: Place, task: Task) -> dict[str, str]:
    """Return what the commit of a task says: of what its slices are made, and the others still are."""
    others = {} if task.is_all else lineage.stored(root, task.table)
    kept = {part: mark for part, mark in others.items() if part not in task.parts} | task.marks
    return {MADE_OF: lineage.text(kept)}


def told(task: Task, part: str, rows: int, aside: pl.DataFrame) -> Made:
    """Tell of a slice that was made."""
    return Made(
        task.table.name,
        None if part == WHOLE else int(part),
        rows,
        None if task.games is None else len(task.games),
        tuple(f"{what} by {name}: {reason}" for _, name, what, _, reason in aside.iter_rows()),
    )


def is_enough(task: Task, there: Size | None, rows: int) -> bool:
    """Whether a slice has as many rows as it must, told without reading any: those that are there count themselves."""
    before = 0 if there is None else there.rows
    return before is not None and rows >= (1 - task.table.may_lose) * before


def audit(root: Place, task: Task, part: str, rows: int, aside: pl.DataFrame) -> Broken | None:
    """Return what speaks against taking rows away from a table: a few games that are put aside may go, by name."""
    if task.is_all and task.table.partition is not None:
        return None  # its columns are other ones
    old = delta_tables.scan(root, task.table)
    if part != WHOLE:
        old = old.filter(pl.col("season") == int(part))
    before = old.select(pl.len()).collect().item()
    if task.games is not None:
        old = old.filter(pl.col("game_id").is_in(list(task.games)))
    gone = old
    if task.table.by == "game_id":
        named = pl.concat([aside.lazy().select("game_id"), delta_tables.scan(root, REFUSALS).select("game_id")])
        excused = old.join(named, on="game_id", how="semi").select("game_id").unique().sort("game_id").head(FEW)
        gone = old.join(excused, on="game_id", how="anti")
    if task.table.by is None:
        gone = told_of(root, task.table, old)
        before -= old.select(pl.len()).collect().item() - gone.select(pl.len()).collect().item()
    after = before - gone.select(pl.len()).collect().item() + rows
    after += 0 if task.table.by == "game_id" else aside.head(FEW).height
    if after >= (1 - task.table.may_lose) * before:
        return None
    return Broken(
        f"{task.table.name} ({where(task, part) or 'all of it'}): {before:,} rows would become {after:,}.",
        "Nothing was written; the table is as before. If that is right: `nhl-lake rebuild --accept`.",
    )


def told_of(root: Place, table: Table, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Leave rows of players and teams of whom a table's inputs still tell; those were held against their own rows.

    A page of another game's players adds them to a season, until it is healed.
    """
    for name in {"player_id", "team_id"} & set(table.key):
        inputs = [delta_tables.scan(root, read).select(name) for read in table.reads if name in read.schema]
        if inputs:
            rows = rows.join(pl.concat(inputs).unique(), on=name, how="semi")
    return rows


def put_aside(root: Place, task: Task, aside: pl.DataFrame) -> None:
    """Write what a table put aside in place of what it had put aside before."""
    which = f"refused_by = '{task.table.name}'"
    if task.games is not None:
        which += f" AND {where(task, task.parts[0])}"
    elif not task.is_all:
        which += f" AND season IN ({', '.join(task.parts)})"
    if not aside.is_empty() or has_rows(root, REFUSALS, which):
        delta_tables.replace(root, REFUSALS, aside, where=which, metadata={})


def has_rows(root: Place, table: Table, which: str) -> bool:
    """Whether a table has rows that a predicate picks; of one that has none its log says so."""
    if not delta_tables.size(root, table)["rows"]:
        return False
    return not delta_tables.scan(root, table).filter(pl.sql_expr(which)).head(1).collect().is_empty()
