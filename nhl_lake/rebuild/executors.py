"""Executors run build tasks: in this process, in worker processes, or on the workers of a cluster.

Workers only write files that no commit refers to. The rebuild checks these files and publishes them. So a process or
machine may die at any time without a partial result.
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

BYTES_PER_WORKER = 700 * 10**6  # memory that a process needs to work well
MAX_WORKERS = 8
COMPARED_PACKAGES = ("nhl-lake", "polars", "deltalake", "msgspec", "selectolax", "obstore")

RunTasks = Callable[[Sequence[BuildTask], Table], Iterator[BuildResult]]


class Executor(NamedTuple):
    """Runs build tasks: the number of workers, the memory of each in bytes, and the function that runs tasks."""

    workers: int
    memory_per_worker: int | None
    run: RunTasks


def run_serial(tasks: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
    """Run tasks in this process, one after the other."""
    for task in tasks:
        yield run_task(task, table)


SERIAL = Executor(1, None, run_serial)


def choose_memory_limit() -> int:
    """Return half of the free memory in bytes, the default for a rebuild."""
    return int(psutil.virtual_memory().available) // 2


def choose_worker_count(memory: int) -> int:
    """Return how many worker processes fit in memory, at most one a processor."""
    return max(1, min(os.cpu_count() or 1, memory // BYTES_PER_WORKER, MAX_WORKERS))


@contextmanager
def open_process_executor(workers: int, memory: int) -> Iterator[Executor]:
    """Run tasks in worker processes. They start with the first table that has more than one task."""
    with ExitStack() as stack:

        @cache
        def pool() -> ProcessPoolExecutor:
            # spawn, not fork: delta-rs has threads, and panics in a process that has lost them
            executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), exit_with_parent)
            stack.callback(executor.shutdown, cancel_futures=True)
            return executor

        def run_tasks(tasks: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
            if workers == 1 or len(tasks) < 2:
                yield from run_serial(tasks, table)
                return
            try:
                for future in as_completed([pool().submit(run_named_task, task) for task in tasks]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise LakeError(
                    f"A process that built {table.name} was killed: the machine may be out of memory.",
                    "The table is unchanged. Run `nhl-lake rebuild --memory 1GB --jobs 1` to use less memory.",
                ) from error

        yield Executor(workers, memory // workers, run_tasks)


def run_named_task(task: BuildTask) -> BuildResult:
    """Run a task in another process, where the table is found by its name."""
    return run_task(task, find_table(task.table))


def exit_with_parent() -> None:
    """End this process when its parent ends, however that happens."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def describe_software() -> dict[str, str]:
    """Return what must be the same on every worker: Python, this program's code, and its libraries."""
    return {"Python": platform.python_version(), "code": lineage.hash_code()} | {
        name: version(name) for name in COMPARED_PACKAGES
    }
