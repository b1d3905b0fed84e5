"""Open tables, cache their handles, and read their commits.

Handles of bucket tables are cached: opening one takes ten requests, and checking that it is the newest takes one.
Handles of folder tables are cached inside `cache_folder_handles`, for callers that hold the lock and open the same
tables hundreds of times. Commits are read here too, because delta-rs' own history call blocks every thread.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import obstore
from deltalake import DeltaTable

from nhl_lake.schema.table import Table, TableName
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Bucket, Location

MAX_WORKERS = 16
FIRST_BATCH = 4  # nearly always one of the last commits has it

# handle, version, and the tag of that version's commit
_newest_handles: dict[Location, tuple["TableHandle", int, str]] = {}
_versioned_handles: dict[tuple[Location, int], "TableHandle"] = {}
_lock = threading.Lock()
_cache_scopes: list[object] = []


class TableHandle(DeltaTable):
    """A table that Polars can read anywhere: it needs paths, but delta-rs returns `my lake` as `my%20lake`."""

    def __init__(self, address: str, *, version: int | None, options: dict[str, str] | None) -> None:
        super().__init__(address, version=version, storage_options=options)
        if options is not None:
            self._storage_options = dict(location.POLARS_OPTIONS)  # Polars reads them from this attribute

    def file_uris(self, *filters: Any, **more: Any) -> list[str]:  # noqa: ANN401 - the signature of delta-rs
        """Return the paths of the table's files."""
        return [unquote(address) for address in super().file_uris(*filters, **more)]

    @property
    def table_uri(self) -> str:
        """Return the path of the table."""
        return unquote(super().table_uri)


def locate_table(root: Location, table: Table | TableName) -> Location:
    """Return the location of a table: `bronze.play_by_play` is at ROOT/bronze/play_by_play."""
    return root.joinpath(*table.name.split("."))


def open_handle(folder: Location, version: int | None = None) -> TableHandle:
    """Open a table at its newest version, or at `version`.

    A handle of a given version never moves. A handle of the newest version follows the commits made through it.
    """
    if isinstance(folder, Bucket) or _cache_scopes:
        return get_newest_handle(folder) if version is None else get_versioned_handle(folder, version)
    return open_uncached(folder, version)


@contextmanager
def cache_folder_handles() -> Iterator[None]:
    """Cache the handles of folder tables inside the block."""
    scope = object()
    _cache_scopes.append(scope)
    try:
        yield
    finally:
        _cache_scopes.remove(scope)
        if not _cache_scopes:
            clear_folder_handles()


def open_uncached(folder: Location, version: int | None = None) -> TableHandle:
    """Open a table without the cache."""
    return TableHandle(str(folder), version=version, options=location.get_storage_options(folder))


def get_newest_handle(folder: Location) -> TableHandle:
    """Return the cached handle if it is still the newest version of the same table; else open the table."""
    with _lock:
        cached = _newest_handles.get(folder)
    if cached is not None:
        delta, version, tag = cached
        if delta.version() != version:  # a commit was made through it
            version, tag = delta.version(), ""
        found = list_commits_from(folder, version)
        if len(found) == 1 and found[0][0] == version and tag in {"", found[0][1]}:
            cache_handle(folder, delta, found[0])
            return delta
    delta = open_uncached(folder)
    found = list_commits_from(folder, delta.version())
    if len(found) == 1:
        cache_handle(folder, delta, found[0])
    return delta


def cache_handle(folder: Location, delta: TableHandle, commit: tuple[int, str]) -> None:
    """Cache a handle with its newest commit."""
    with _lock:
        _newest_handles[folder] = (delta, *commit)


def get_versioned_handle(folder: Location, version: int) -> TableHandle:
    """Return a handle of one version, cached."""
    with _lock:
        cached = _versioned_handles.get((folder, version))
    if cached is None:
        cached = open_uncached(folder, version)
        with _lock:
            _versioned_handles[folder, version] = cached
    return cached


def clear_handles() -> None:
    """Clear the cache; call it after tables were replaced by others."""
    with _lock:
        _newest_handles.clear()
        _versioned_handles.clear()


def clear_folder_handles() -> None:
    """Clear the cached handles of folder tables; those of buckets are checked on each use."""
    with _lock:
        for folder in [folder for folder in _newest_handles if not isinstance(folder, Bucket)]:
            del _newest_handles[folder]
        for key in [key for key in _versioned_handles if not isinstance(key[0], Bucket)]:
            del _versioned_handles[key]


def list_commits_from(folder: Location, version: int) -> list[tuple[int, str]]:
    """Return the versions and tags of a table's commits, starting at a version."""
    if not isinstance(folder, Bucket):
        return list(
            takewhile(lambda commit: commit[1], ((n, get_file_tag(folder / commit_name(n))) for n in count(version)))
        )
    pages = obstore.list(location.open_store(folder), prefix=DELTA_LOG, offset=f"{DELTA_LOG}/{version:020d}")
    names = [(found["path"].rpartition("/")[2], found["e_tag"] or "") for chunk in pages for found in chunk]
    return [(int(name[:20]), tag) for name, tag in names if len(name) == 25 and name.endswith(".json")]


def get_file_tag(file: Path) -> str:
    """Return a tag that changes when a file is replaced; "" if there is no file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"


def read_commit_infos(folder: Location, version: int, *, since: int = -1) -> Iterator[dict[str, Any]]:
    """Yield the commit info of a table's commits, newest first, back to the start of its log."""
    numbers = range(version, since, -1)
    if not isinstance(folder, Bucket):
        for number in numbers:
            if (text := read_commit(folder, number)) is None:
                return  # older commits were cleaned up
            yield parse_commit_info(text)
        return
    batch_size = FIRST_BATCH
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        while numbers:
            batch, numbers, batch_size = numbers[:batch_size], numbers[batch_size:], 64
            for text in pool.map(lambda number: read_commit(folder, number), batch):
                if text is None:
                    return  # older commits were cleaned up
                yield parse_commit_info(text)


def read_commit(folder: Location, number: int) -> str | None:
    """Return the text of a commit; None if it does not exist."""
    try:
        return location.read_file(folder, commit_name(number)).decode()
    except FileNotFoundError:
        return None


def parse_commit_info(text: str) -> dict[str, Any]:
    """Return the `commitInfo` entry of a commit; empty if it has none."""
    for line in text.splitlines():
        if '"commitInfo"' in line:
            found: dict[str, Any] = json.loads(line).get("commitInfo", {})
            if found:
                return found
    return {}
