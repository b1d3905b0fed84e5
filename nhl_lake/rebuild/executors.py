"""Who makes the slices of tables: this process alone, some processes beside it, or the workers of a cluster.

Whoever makes them writes files that nobody sees; the rebuild that asked for them holds these against the table and
publishes them. So a process, a worker or a machine may go at any moment, and nothing is half there.
"""

import multiprocessing
import os
import platform
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

import psutil

from nhl_lake.catalog import find
from nhl_lake.errors import LakeError
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import Done, Job, work
from nhl_lake.schema.table import Table

ROOM = 700 * 10**6  # bytes that a process does its work well in
MOST_HANDS = 8
ALIKE = ("nhl-lake", "polars", "deltalake", "msgspec", "selectolax", "obstore")

Do = Callable[[Sequence[Job], Table], Iterator[Done]]


class Crew(NamedTuple):
    """Who makes slices: how many hands there are, how many bytes each may take, and the way to have jobs done."""

    hands: int
    memory: int | None
    do: Do


def alone(jobs: Sequence[Job], table: Table) -> Iterator[Done]:
    """Do jobs here, one after the other."""
    for job in jobs:
        yield work(job, table)


ALONE = Crew(1, None, alone)


def half_of_free() -> int:
    """Return half of the memory that is free, in bytes: what a rebuild takes unless it is told."""
    return int(psutil.virtual_memory().available) // 2


def hands_for(memory: int) -> int:
    """Return how many processes there is room for, and a processor each."""
    return max(1, min(os.cpu_count() or 1, memory // ROOM, MOST_HANDS))


@contextmanager
def processes(hands: int, memory: int) -> Iterator[Crew]:
    """Have slices made by some processes; they begin with the first table that has more than one job."""
    with ExitStack() as stack:

        @cache
        def pool() -> ProcessPoolExecutor:
            # not forked: delta-rs has threads, and panics in a process that has lost them
            spawned = ProcessPoolExecutor(hands, multiprocessing.get_context("spawn"), end_with_parent)
            stack.callback(spawned.shutdown, cancel_futures=True)
            return spawned

        def do(jobs: Sequence[Job], table: Table) -> Iterator[Done]:
            if hands == 1 or len(jobs) < 2:
                yield from alone(jobs, table)
                return
            try:
                for future in as_completed([pool().submit(by_name, job) for job in jobs]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise LakeError(
                    f"A process that made {table.name} was killed: the machine may be short of memory.",
                    "The table is as before. `nhl-lake rebuild --memory 1GB --jobs 1` takes less of it.",
                ) from error

        yield Crew(hands, memory // hands, do)


def by_name(job: Job) -> Done:
    """Do a job in another process: tables go by their names there."""
    return work(job, find(job.table))


def end_with_parent() -> None:
    """Let this process end when the one that began it does, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def footprint() -> dict[str, str]:
    """Return what must be the same wherever rows are made: the program, what it is made of, its libraries."""
    return {"Python": platform.python_version(), "code": lineage.code_print()} | {name: version(name) for name in ALIKE}
