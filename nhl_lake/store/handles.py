"""Tables, opened. Of a bucket a handle is kept: to open one takes ten requests, to see that it is the newest one.

Of a folder it is kept for as long as somebody says so, who opens the same tables hundreds of times and holds the lock.

What stands in the commits of a table is read here too: delta-rs' own history holds up every thread of the program.
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

from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG, commit_name
from nhl_lake.store.location import Bucket, Location

MAX_WORKERS = 16
FIRST_BATCH = 4  # nearly always one of the last commits says it

_newest_handles: dict[
    Location, tuple["TableHandle", int, str]
] = {}  # with its version, and the tag of that version's commit
_versioned_handles: dict[tuple[Location, int], "TableHandle"] = {}
_lock = threading.Lock()
_cache_scopes: list[object] = []


class TableHandle(DeltaTable):
    """A table that Polars can read in any place: it takes addresses for paths, and `my lake` is `my%20lake` in one."""

    def __init__(self, address: str, *, version: int | None, options: dict[str, str] | None) -> None:
        super().__init__(address, version=version, storage_options=options)
        if options is not None:
            self._storage_options = dict(location.POLARS_OPTIONS)  # Polars takes these over from here

    def file_uris(self, *filters: Any, **more: Any) -> list[str]:  # noqa: ANN401 - as delta-rs has it
        """Return the paths of the table's files."""
        return [unquote(address) for address in super().file_uris(*filters, **more)]

    @property
    def table_uri(self) -> str:
        """Return the path of the table."""
        return unquote(super().table_uri)


def locate_table(root: Location, table: Table) -> Location:
    """Return the place of a table: `bronze.play_by_play` is at ROOT/bronze/play_by_play."""
    return root.joinpath(*table.name.split("."))


def open_handle(folder: Location, version: int | None = None) -> TableHandle:
    """Open a table at its newest version, or at one that it had.

    A handle of a version that was asked for never moves; one of the newest goes on with what is written through it.
    """
    if isinstance(folder, Bucket) or _cache_scopes:
        return get_newest_handle(folder) if version is None else get_versioned_handle(folder, version)
    return open_uncached(folder, version)


@contextmanager
def cache_folder_handles() -> Iterator[None]:
    """Keep the handles of folders, too, meanwhile."""
    keeper = object()
    _cache_scopes.append(keeper)
    try:
        yield
    finally:
        _cache_scopes.remove(keeper)
        if not _cache_scopes:
            clear_folder_handles()


def open_uncached(folder: Location, version: int | None = None) -> TableHandle:
    """Open a table anew."""
    return TableHandle(str(folder), version=version, options=location.get_storage_options(folder))


def get_newest_handle(folder: Location) -> TableHandle:
    """Return the handle that is kept if it is the newest still, and of the same table; else open anew."""
    with _lock:
        held = _newest_handles.get(folder)
    if held is not None:
        delta, version, tag = held
        if delta.version() != version:  # something was written through it
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
    """Keep a handle, with its newest commit."""
    with _lock:
        _newest_handles[folder] = (delta, *commit)


def get_versioned_handle(folder: Location, version: int) -> TableHandle:
    """Return a handle of one version."""
    with _lock:
        held = _versioned_handles.get((folder, version))
    if held is None:
        held = open_uncached(folder, version)
        with _lock:
            _versioned_handles[folder, version] = held
    return held


def clear_handles() -> None:
    """Forget every handle, for tables that were put in the place of others."""
    with _lock:
        _newest_handles.clear()
        _versioned_handles.clear()


def clear_folder_handles() -> None:
    """Forget the handles of folders; those of buckets are looked after each time."""
    with _lock:
        for folder in [folder for folder in _newest_handles if not isinstance(folder, Bucket)]:
            del _newest_handles[folder]
        for key in [key for key in _versioned_handles if not isinstance(key[0], Bucket)]:
            del _versioned_handles[key]


def list_commits_from(folder: Location, version: int) -> list[tuple[int, str]]:
    """Return the numbers and tags of a table's commits from a version on."""
    if not isinstance(folder, Bucket):
        return list(
            takewhile(lambda commit: commit[1], ((n, get_file_tag(folder / commit_name(n))) for n in count(version)))
        )
    some = obstore.list(location.open_store(folder), prefix=DELTA_LOG, offset=f"{DELTA_LOG}/{version:020d}")
    names = [(found["path"].rpartition("/")[2], found["e_tag"] or "") for chunk in some for found in chunk]
    return [(int(name[:20]), tag) for name, tag in names if len(name) == 25 and name.endswith(".json")]


def get_file_tag(file: Path) -> str:
    """Return what tells a file from another that is put in its place; nothing if there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"


def read_commit_infos(folder: Location, version: int, *, since: int = -1) -> Iterator[dict[str, Any]]:
    """Yield what the commits of a table say of themselves, the newest first, until the log begins."""
    numbers = range(version, since, -1)
    if not isinstance(folder, Bucket):
        for number in numbers:
            if (text := read_commit(folder, number)) is None:
                return  # older ones are gone
            yield parse_commit_info(text)
        return
    some = FIRST_BATCH
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        while numbers:
            now, numbers, some = numbers[:some], numbers[some:], 64
            for text in pool.map(lambda number: read_commit(folder, number), now):
                if text is None:
                    return  # older ones are gone
                yield parse_commit_info(text)


def read_commit(folder: Location, number: int) -> str | None:
    """Return the text of a commit; None if there is none of that number."""
    try:
        return location.read_file(folder, commit_name(number)).decode()
    except FileNotFoundError:
        return None


def parse_commit_info(text: str) -> dict[str, Any]:
    """Return what a commit says of itself."""
    for line in text.splitlines():
        if '"commitInfo"' in line:
            found: dict[str, Any] = json.loads(line).get("commitInfo", {})
            if found:
                return found
    return {}
