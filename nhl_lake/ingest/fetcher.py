"""Fetch pages concurrently, and write them as they arrive."""

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.clock import Clock
from nhl_lake.ingest.client import ApiClient, FetchFailed, PageNotFound
from nhl_lake.ingest.writer import AbsentPage, FetchedPage, PageWriter
from nhl_lake.schema.table import Table
from nhl_lake.store.location import Location


class FetchProgress(Protocol):
    """Receives the progress of a run."""

    def add_pages(self, pages: int, *, is_schedule: bool = False) -> None:
        """Add pages to request: of the schedule and the lists, or of a plan."""

    def advance(self) -> None:
        """Count an answered page."""

    def log(self, line: str) -> None:
        """Print a line."""


@dataclass
class IngestRun:
    """A run in progress: its lake, its client, and its results so far."""

    root: Location
    api: ApiClient
    base_url: str | None
    clock: Clock
    progress: FetchProgress
    writer: PageWriter
    source: str = "NHL"
    requested: set[tuple[str, str]] = field(default_factory=set)
    is_stopped: bool = False
    incomplete: pl.DataFrame = field(default_factory=pl.DataFrame)  # see list_incomplete_pages
    schedule_task: asyncio.Task[Any] | None = None  # a stop cancels it


async def fetch_pages(run: IngestRun, requests: Sequence[dict[str, Any]]) -> None:
    """Fetch pages concurrently and write them. Memory holds one batch at a time."""
    tables = {table.name: table for table in endpoints.TABLES}
    queue = iter(requests)
    fetched: asyncio.Queue[FetchedPage | None] = asyncio.Queue(maxsize=192)  # pages arrive while a batch is written
    # more workers than connections: one that waits for another attempt does not block the others
    width = min(4 * run.api.rate_limit.concurrency, len(requests))

    async def worker() -> None:
        for request in queue:
            if run.is_stopped:
                return
            page = await fetch_page(run, tables[request["table"]], request)
            run.progress.advance()
            if page is not None:
                await fetched.put(page)

    async def run_workers() -> None:
        workers = [asyncio.create_task(worker()) for _ in range(width)]
        try:
            while workers and not run.is_stopped:
                done, _ = await asyncio.wait(workers, timeout=0.1, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
                workers = [task for task in workers if not task.done()]
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await fetched.put(None)

    fetching = asyncio.create_task(run_workers())
    try:
        await write_pages(run, fetched)
        await fetching
    finally:
        fetching.cancel()


async def write_pages(run: IngestRun, fetched: asyncio.Queue[FetchedPage | None]) -> None:
    """Collect pages until the last one, and write each batch when it is due."""
    while True:
        try:
            async with asyncio.timeout(1.0):  # wait_for would make a task for every page
                page = await fetched.get()
        except TimeoutError:
            page = None
            is_last = False
        else:
            is_last = page is None
        if page is not None:
            run.writer.add_page(page)
        if is_last or run.writer.needs_flush():
            await asyncio.to_thread(run.writer.flush)
        if is_last:
            return


async def fetch_page(run: IngestRun, table: Table, request: Mapping[str, Any]) -> FetchedPage | None:
    """Fetch one page, and count the result."""
    counts = run.writer.page_counts[table.name]
    url = table.endpoint.url(request, run.base_url)
    counts.asked += run.api.host(url, table.endpoint.host).unavailable_reason is None
    try:
        records = await run.api.get(url, lambda body: table.endpoint.parse(body, request), table.endpoint.host)
    except PageNotFound:
        counts.not_there += 1
        run.writer.absent_pages.append(AbsentPage(table, request["page"], run.clock(), request["state"]))
    except FetchFailed as error:
        counts.count_failure(request["page"], str(error))
    else:
        return FetchedPage(table, url, run.clock(), records)
    return None


@contextmanager
def stop_on_signals(run: IngestRun) -> Iterator[None]:
    """Let SIGINT and SIGTERM end a run: it writes the pages that have arrived, and records itself."""

    def stop() -> None:
        if not run.is_stopped:
            run.progress.log("Stopping: writing the pages that have arrived.")
        run.is_stopped = True
        if run.schedule_task is not None:
            run.schedule_task.cancel()

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM interrupt like Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
