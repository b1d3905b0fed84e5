"""Data files on their way into the place of backups: what is there already, what is to be copied, what was copied."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from deltalake import DeltaTable

from nhl_lake.backup import repository, staging
from nhl_lake.backup.manifest import Stored
from nhl_lake.backup.repository import Copy
from nhl_lake.backup.staging import Drafts
from nhl_lake.errors import Unreadable
from nhl_lake.store import location
from nhl_lake.store.location import Place

NOTED_EVERY_S, NOTED_EVERY_BYTES = 10.0, 256 * 2**20  # meanwhile workers go on copying
RECALLED = 8  # so many earlier backups are asked what a file holds


class Report(Protocol):
    """Who is told how a backup goes on."""

    def begin(self, what: str, size: int) -> None:
        """So many bytes are to be dealt with."""

    def done(self, size: int) -> None:
        """So many of them are."""


class Live(NamedTuple):
    """A table at the version that is backed up: its Delta id, how many rows, data files, and its handle."""

    name: str
    folder: Place
    id: str
    version: int
    rows: int
    files: tuple[tuple[str, int], ...]
    delta: DeltaTable


class Lost(Unreadable):
    """A data file that cannot be backed up."""

    def __init__(self, table: Live, name: str, why: str) -> None:
        super().__init__(
            f"{table.name}: the data file {table.folder}/{name} of version {table.version} {why}.",
            "Earlier backups are as they were, this one was not made. `nhl-lake doctor` finds the damage and mends it.",
        )


class Gone(Lost):
    """A data file that is not there: lost, or cleaned up just now."""


@dataclass
class Stock:
    """What the place of backups has: objects by hash, what files of tables are known to hold, and what was copied."""

    drafts: Drafts
    hashes: dict[tuple[str, str, int], str]  # by the table's id, the file's name and size: no name is used again
    copies: list[Copy]
    noted_at: float = field(default_factory=time.monotonic)
    unnoted: int = 0

    def kept(self, table: Live, name: str, size: int) -> Stored | None:
        """Return a file that is there already."""
        sha256 = self.hashes.get((table.id, name, size))
        return Stored(name=name, size=size, sha256=sha256) if sha256 and self.drafts.there.get(sha256) == size else None

    def take(self, table: Live, stored: Stored) -> None:
        """Take note of a file that was copied, now and then on disk."""
        self.hashes[table.id, stored.name, stored.size] = stored.sha256
        self.copies.append(Copy(table.id, stored.name, stored.size, stored.sha256))
        self.unnoted += stored.size
        if self.unnoted > NOTED_EVERY_BYTES or time.monotonic() - self.noted_at > NOTED_EVERY_S:
            self.note()

    def note(self) -> None:
        """Note on disk what was copied, when it is there."""
        if self.copies:
            staging.settle(self.drafts)
            repository.note_partial(self.drafts.backups, self.copies)
        self.noted_at, self.unnoted = time.monotonic(), 0


@contextmanager
def stocked(backups: Place) -> Iterator[Stock]:
    """Take stock of the place of backups; what the block copies is noted on disk, however it ends."""
    copies = repository.partial(backups)
    hashes: dict[tuple[str, str, int], str] = {}
    for name in reversed(repository.names(backups)[:RECALLED]):
        for table in repository.find(backups, name).tables:
            hashes |= {(table.id, file.name, file.size): file.sha256 for file in table.files}
    hashes |= {(copy.id, copy.name, copy.size): copy.sha256 for copy in copies}
    stock = Stock(staging.drafts(backups), hashes, copies)
    try:
        yield stock
    except BaseException:
        stock.note()
        raise
    finally:
        staging.discard(stock.drafts)


def copy(
    tables: Sequence[Live], stock: Stock, *, workers: Executor, report: Report, renew: Callable[[], None]
) -> dict[str, tuple[Stored, ...]]:
    """Copy what is not there yet, and return the files of each table as they are in the place of backups."""
    found: dict[str, list[Stored]] = {table.name: [] for table in tables}
    waiting: dict[Future[Stored], Live] = {}
    for table in tables:
        for name, size in table.files:
            if kept := stock.kept(table, name, size):
                found[table.name].append(kept)
            else:
                waiting[workers.submit(copied, table, name, size=size, stock=stock)] = table
    report.begin("copying", sum(size for table in tables for _, size in table.files) - held(found))
    try:
        for future in as_completed(waiting):
            table, stored = waiting[future], future.result()
            stock.take(table, stored)
            found[table.name].append(stored)
            report.done(stored.size)
            renew()
    finally:
        for future in waiting:
            future.cancel()
    return {name: tuple(sorted(files, key=lambda file: file.name)) for name, files in found.items()}


def held(found: dict[str, list[Stored]]) -> int:
    """Return the bytes of files."""
    return sum(file.size for files in found.values() for file in files)


def copied(table: Live, name: str, *, size: int, stock: Stock) -> Stored:
    """Copy a data file; raise if it is not what it was."""
    try:
        sha256, read = staging.deposit(stock.drafts, location.pieces(table.folder, name))
    except FileNotFoundError as error:
        raise Gone(table, name, "is gone") from error
    if read != size:
        raise Lost(table, name, f"has {read:,} bytes, and {size:,} in the log")
    if (was := stock.hashes.get((table.id, name, size), sha256)) != sha256:
        raise Lost(table, name, f"is not what an earlier backup has of it (SHA-256 {was[:12]}…): the disk damaged it")
    return Stored(name=name, size=size, sha256=sha256)
