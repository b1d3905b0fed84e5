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

from nhl_lake.catalog import find_table
from nhl_lake.errors import LakeError
from nhl_lake.rebuild import lineage
from nhl_lake.rebuild.build import BuildResult, BuildTask, run_task
from nhl_lake.schema.table import Table

BYTES_PER_WORKER = 700 * 10**6  # bytes that a process does its work well in
MAX_WORKERS = 8
COMPARED_PACKAGES = ("nhl-lake", "polars", "deltalake", "msgspec", "selectolax", "obstore")

RunTasks = Callable[[Sequence[BuildTask], Table], Iterator[BuildResult]]


class Executor(NamedTuple):
    """Who makes slices: how many hands there are, how many bytes each may take, and the way to have jobs done."""

    workers: int
    memory_per_worker: int | None
    run: RunTasks


def run_serial(jobs: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
    """Do jobs here, one after the other."""
    for job in jobs:
        yield run_task(job, table)


SERIAL = Executor(1, None, run_serial)


def choose_memory_limit() -> int:
    """Return half of the memory that is free, in bytes: what a rebuild takes unless it is told."""
    return int(psutil.virtual_memory().available) // 2


def choose_worker_count(memory: int) -> int:
    """Return how many processes there is room for, and a processor each."""
    return max(1, min(os.cpu_count() or 1, memory // BYTES_PER_WORKER, MAX_WORKERS))


@contextmanager
def open_process_executor(hands: int, memory: int) -> Iterator[Executor]:
    """Have slices made by some processes; they begin with the first table that has more than one job."""
    with ExitStack() as stack:

        @cache
        def pool() -> ProcessPoolExecutor:
            # not forked: delta-rs has threads, and panics in a process that has lost them
            spawned = ProcessPoolExecutor(hands, multiprocessing.get_context("spawn"), exit_with_parent)
            stack.callback(spawned.shutdown, cancel_futures=True)
            return spawned

        def do(jobs: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
            if hands == 1 or len(jobs) < 2:
                yield from run_serial(jobs, table)
                return
            try:
                for future in as_completed([pool().submit(run_named_task, job) for job in jobs]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise LakeError(
                    f"A process that made {table.name} was killed: the machine may be short of memory.",
                    "The table is as before. `nhl-lake rebuild --memory 1GB --jobs 1` takes less of it.",
                ) from error

        yield Executor(hands, memory // hands, do)


def run_named_task(job: BuildTask) -> BuildResult:
    """Do a job in another process: tables go by their names there."""
    return run_task(job, find_table(job.table))


def exit_with_parent() -> None:
    """Let this process end when the one that began it does, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def describe_software() -> dict[str, str]:
    """Return what must be the same wherever rows are made: the program, what it is made of, its libraries."""
    return {"Python": platform.python_version(), "code": lineage.hash_code()} | {
        name: version(name) for name in COMPARED_PACKAGES
    }
