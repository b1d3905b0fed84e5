"""Copy data files into the backup repository, and track which objects are already there."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol

from deltalake import DeltaTable

from nhl_lake.backup import repository, staging
from nhl_lake.backup.manifest import StoredFile, has_signing_key
from nhl_lake.backup.repository import CopiedFile
from nhl_lake.backup.staging import Staging
from nhl_lake.errors import UnreadableData
from nhl_lake.store import location
from nhl_lake.store.checksums import RecordedChecksums
from nhl_lake.store.location import Location

SAVE_EVERY_S, SAVE_EVERY_BYTES = 10.0, 256 * 2**20  # workers go on copying during a save
MAX_MANIFESTS_READ = 8  # look for known hashes in this many earlier backups


class BackupReport(Protocol):
    """Receives the progress of a backup."""

    def begin(self, what: str, size: int) -> None:
        """Start a phase of `size` bytes."""

    def done(self, size: int) -> None:
        """Report that `size` more bytes are done."""


class SourceTable(NamedTuple):
    """A table at the version to back up: its Delta id, row count, data files and handle.

    read_checksums: reads its recorded checksums, once.
    """

    name: str
    folder: Location
    id: str
    version: int
    rows: int
    files: tuple[tuple[str, int], ...]
    delta: DeltaTable
    read_checksums: Callable[[], RecordedChecksums]


class DataFileDamaged(UnreadableData):
    """A data file that cannot be backed up."""

    def __init__(self, table: SourceTable, name: str, reason: str) -> None:
        super().__init__(
            f"{table.name}: the data file {table.folder}/{name} of version {table.version} {reason}.",
            "No backup was created; earlier backups are unchanged. Run `nhl-lake doctor` to find the damage.",
        )


class DataFileMissing(DataFileDamaged):
    """A data file that is missing: lost, or just cleaned up."""


@dataclass
class Objects:
    """The state of the backup repository: stored objects, known hashes of data files, and the files copied so far."""

    staging_area: Staging
    hashes: dict[tuple[str, str, int], str]  # by the table's id and the file's name and size: names are never reused
    copies: list[CopiedFile]
    saved_at: float = field(default_factory=time.monotonic)
    unsaved_bytes: int = 0

    def find_stored(self, table: SourceTable, name: str, size: int) -> StoredFile | None:
        """Return a file's entry if its object is already stored."""
        sha256 = self.hashes.get((table.id, name, size))
        return (
            StoredFile(name=name, size=size, sha256=sha256)
            if sha256 and self.staging_area.stored.get(sha256) == size
            else None
        )

    def record_copy(self, table: SourceTable, stored: StoredFile) -> None:
        """Record a copied file; save the progress to disk from time to time."""
        self.hashes[table.id, stored.name, stored.size] = stored.sha256
        self.copies.append(CopiedFile(table.id, stored.name, stored.size, stored.sha256))
        self.unsaved_bytes += stored.size
        if self.unsaved_bytes > SAVE_EVERY_BYTES or time.monotonic() - self.saved_at > SAVE_EVERY_S:
            self.save_progress()

    def save_progress(self) -> None:
        """Finalize the copied files, then save the list of them to disk."""
        if self.copies:
            staging.finalize_staged_files(self.staging_area)
            repository.write_progress(self.staging_area.backups, self.copies)
        self.saved_at, self.unsaved_bytes = time.monotonic(), 0


@contextmanager
def open_objects(backups: Location) -> Iterator[Objects]:
    """Open the backup repository's objects. The progress of the block is saved to disk even if it fails."""
    copies = repository.read_progress(backups)
    hashes: dict[tuple[str, str, int], str] = {}
    for manifest in reversed(list(islice(repository.read_trusted_manifests(backups, None), MAX_MANIFESTS_READ))):
        for table in manifest.tables:
            hashes |= {(table.id, file.name, file.size): file.sha256 for file in table.files}
    if not has_signing_key():  # nothing signs the list of a killed backup: its files are read again
        hashes |= {(copy.id, copy.name, copy.size): copy.sha256 for copy in copies}
    objects = Objects(staging.open_staging(backups), hashes, copies)
    try:
        yield objects
    except BaseException:
        objects.save_progress()
        raise
    finally:
        staging.discard_staged_files(objects.staging_area)


def copy_data_files(
    tables: Sequence[SourceTable],
    objects: Objects,
    *,
    workers: Executor,
    report: BackupReport,
    renew: Callable[[], None],
) -> dict[str, tuple[StoredFile, ...]]:
    """Copy the data files that are not stored yet, and return the entries of each table's files."""
    found: dict[str, list[StoredFile]] = {table.name: [] for table in tables}
    pending: dict[Future[StoredFile], SourceTable] = {}
    for table in tables:
        for name, size in table.files:
            if stored_file := objects.find_stored(table, name, size):
                found[table.name].append(stored_file)
            else:
                pending[workers.submit(copy_data_file, table, name, size=size, objects=objects)] = table
    report.begin("copying", sum(size for table in tables for _, size in table.files) - sum_file_sizes(found))
    try:
        for future in as_completed(pending):
            table, stored = pending[future], future.result()
            objects.record_copy(table, stored)
            found[table.name].append(stored)
            report.done(stored.size)
            renew()
    finally:
        for future in pending:
            future.cancel()
    return {name: tuple(sorted(files, key=lambda file: file.name)) for name, files in found.items()}


def sum_file_sizes(found: dict[str, list[StoredFile]]) -> int:
    """Return the total bytes of files."""
    return sum(file.size for files in found.values() for file in files)


def copy_data_file(table: SourceTable, name: str, *, size: int, objects: Objects) -> StoredFile:
    """Copy a data file; raise if it is missing or has changed."""
    try:
        sha256, read = staging.store_object(objects.staging_area, location.read_chunks(table.folder, name))
    except FileNotFoundError as error:
        raise DataFileMissing(table, name, "is missing") from error
    if read != size:
        raise DataFileDamaged(table, name, f"has {read:,} bytes, but {size:,} in the log")
    if not table.read_checksums().is_intact(name, sha256):
        raise DataFileDamaged(table, name, "is damaged: its SHA-256 differs from the recorded one")
    if (earlier := objects.hashes.get((table.id, name, size), sha256)) != sha256:
        raise DataFileDamaged(
            table, name, f"differs from the copy in an earlier backup (SHA-256 {earlier[:12]}…): it is damaged"
        )
    return StoredFile(name=name, size=size, sha256=sha256)
