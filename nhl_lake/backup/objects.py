"""Data files on their way into the place of backups: what is there already, what is to be copied, what was copied."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from deltalake import DeltaTable

from nhl_lake.backup import repository, staging
from nhl_lake.backup.manifest import StoredFile
from nhl_lake.backup.repository import CopiedFile
from nhl_lake.backup.staging import Staging
from nhl_lake.errors import UnreadableData
from nhl_lake.store import location
from nhl_lake.store.location import Location

SAVE_EVERY_S, SAVE_EVERY_BYTES = 10.0, 256 * 2**20  # meanwhile workers go on copying
MAX_MANIFESTS_READ = 8  # so many earlier backups are asked what a file holds


class BackupReport(Protocol):
    """Who is told how a backup goes on."""

    def begin(self, what: str, size: int) -> None:
        """So many bytes are to be dealt with."""

    def done(self, size: int) -> None:
        """So many of them are."""


class SourceTable(NamedTuple):
    """A table at the version that is backed up: its Delta id, how many rows, data files, and its handle."""

    name: str
    folder: Location
    id: str
    version: int
    rows: int
    files: tuple[tuple[str, int], ...]
    delta: DeltaTable


class DataFileDamaged(UnreadableData):
    """A data file that cannot be backed up."""

    def __init__(self, table: SourceTable, name: str, why: str) -> None:
        super().__init__(
            f"{table.name}: the data file {table.folder}/{name} of version {table.version} {why}.",
            "Earlier backups are as they were, this one was not made. `nhl-lake doctor` finds the damage and mends it.",
        )


class DataFileMissing(DataFileDamaged):
    """A data file that is not there: lost, or cleaned up just now."""


@dataclass
class Objects:
    """What the place of backups has: objects by hash, what files of tables are known to hold, and what was copied."""

    staging_area: Staging
    hashes: dict[tuple[str, str, int], str]  # by the table's id, the file's name and size: no name is used again
    copies: list[CopiedFile]
    saved_at: float = field(default_factory=time.monotonic)
    unsaved_bytes: int = 0

    def find_stored(self, table: SourceTable, name: str, size: int) -> StoredFile | None:
        """Return a file that is there already."""
        sha256 = self.hashes.get((table.id, name, size))
        return (
            StoredFile(name=name, size=size, sha256=sha256)
            if sha256 and self.staging_area.stored.get(sha256) == size
            else None
        )

    def record_copy(self, table: SourceTable, stored: StoredFile) -> None:
        """Take note of a file that was copied, now and then on disk."""
        self.hashes[table.id, stored.name, stored.size] = stored.sha256
        self.copies.append(CopiedFile(table.id, stored.name, stored.size, stored.sha256))
        self.unsaved_bytes += stored.size
        if self.unsaved_bytes > SAVE_EVERY_BYTES or time.monotonic() - self.saved_at > SAVE_EVERY_S:
            self.save_progress()

    def save_progress(self) -> None:
        """Note on disk what was copied, when it is there."""
        if self.copies:
            staging.finalize_staged_files(self.staging_area)
            repository.write_progress(self.staging_area.backups, self.copies)
        self.saved_at, self.unsaved_bytes = time.monotonic(), 0


@contextmanager
def open_objects(backups: Location) -> Iterator[Objects]:
    """Take stock of the place of backups; what the block copies is noted on disk, however it ends."""
    copies = repository.read_progress(backups)
    hashes: dict[tuple[str, str, int], str] = {}
    for name in reversed(repository.list_backups(backups)[:MAX_MANIFESTS_READ]):
        for table in repository.read_manifest(backups, name).tables:
            hashes |= {(table.id, file.name, file.size): file.sha256 for file in table.files}
    hashes |= {(copy.id, copy.name, copy.size): copy.sha256 for copy in copies}
    stock = Objects(staging.open_staging(backups), hashes, copies)
    try:
        yield stock
    except BaseException:
        stock.save_progress()
        raise
    finally:
        staging.discard_staged_files(stock.staging_area)


def copy_data_files(
    tables: Sequence[SourceTable],
    objects: Objects,
    *,
    workers: Executor,
    report: BackupReport,
    renew: Callable[[], None],
) -> dict[str, tuple[StoredFile, ...]]:
    """Copy what is not there yet, and return the files of each table as they are in the place of backups."""
    found: dict[str, list[StoredFile]] = {table.name: [] for table in tables}
    waiting: dict[Future[StoredFile], SourceTable] = {}
    for table in tables:
        for name, size in table.files:
            if kept := objects.find_stored(table, name, size):
                found[table.name].append(kept)
            else:
                waiting[workers.submit(copy_data_file, table, name, size=size, objects=objects)] = table
    report.begin("copying", sum(size for table in tables for _, size in table.files) - sum_file_sizes(found))
    try:
        for future in as_completed(waiting):
            table, stored = waiting[future], future.result()
            objects.record_copy(table, stored)
            found[table.name].append(stored)
            report.done(stored.size)
            renew()
    finally:
        for future in waiting:
            future.cancel()
    return {name: tuple(sorted(files, key=lambda file: file.name)) for name, files in found.items()}


def sum_file_sizes(found: dict[str, list[StoredFile]]) -> int:
    """Return the bytes of files."""
    return sum(file.size for files in found.values() for file in files)


def copy_data_file(table: SourceTable, name: str, *, size: int, objects: Objects) -> StoredFile:
    """Copy a data file; raise if it is not what it was."""
    try:
        sha256, read = staging.store_object(objects.staging_area, location.read_chunks(table.folder, name))
    except FileNotFoundError as error:
        raise DataFileMissing(table, name, "is gone") from error
    if read != size:
        raise DataFileDamaged(table, name, f"has {read:,} bytes, and {size:,} in the log")
    if (was := objects.hashes.get((table.id, name, size), sha256)) != sha256:
        raise DataFileDamaged(
            table, name, f"is not what an earlier backup has of it (SHA-256 {was[:12]}…): the disk damaged it"
        )
    return StoredFile(name=name, size=size, sha256=sha256)
