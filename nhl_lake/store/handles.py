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
from nhl_lake.store.delta import LOG, commit_name
from nhl_lake.store.location import Bucket, Place

AT_ONCE = 16
FEW = 4  # nearly always one of the last commits says it

_held: dict[Place, tuple["Opened", int, str]] = {}  # with its version, and the tag of that version's commit
_pinned: dict[tuple[Place, int], "Opened"] = {}
_turn = threading.Lock()
_keepers: list[object] = []


class Opened(DeltaTable):
    """A table that Polars can read in any place: it takes addresses for paths, and `my lake` is `my%20lake` in one."""

    def __init__(self, address: str, *, version: int | None, options: dict[str, str] | None) -> None:
        super().__init__(address, version=version, storage_options=options)
        if options is not None:
            self._storage_options = dict(location.READING)  # Polars takes these over from here

    def file_uris(self, *filters: Any, **more: Any) -> list[str]:  # noqa: ANN401 - as delta-rs has it
        """Return the paths of the table's files."""
        return [unquote(address) for address in super().file_uris(*filters, **more)]

    @property
    def table_uri(self) -> str:
        """Return the path of the table."""
        return unquote(super().table_uri)


def path(root: Place, table: Table) -> Place:
    """Return the place of a table: `bronze.play_by_play` is at ROOT/bronze/play_by_play."""
    return root.joinpath(*table.name.split("."))


def opened(folder: Place, version: int | None = None) -> Opened:
    """Open a table at its newest version, or at one that it had.

    A handle of a version that was asked for never moves; one of the newest goes on with what is written through it.
    """
    if isinstance(folder, Bucket) or _keepers:
        return newest(folder) if version is None else pinned(folder, version)
    return at(folder, version)


@contextmanager
def keeping() -> Iterator[None]:
    """Keep the handles of folders, too, meanwhile."""
    keeper = object()
    _keepers.append(keeper)
    try:
        yield
    finally:
        _keepers.remove(keeper)
        if not _keepers:
            forget_folders()


def at(folder: Place, version: int | None = None) -> Opened:
    """Open a table anew."""
    return Opened(str(folder), version=version, options=location.options(folder))


def newest(folder: Place) -> Opened:
    """Return the handle that is kept if it is the newest still, and of the same table; else open anew."""
    with _turn:
        held = _held.get(folder)
    if held is not None:
        delta, version, tag = held
        if delta.version() != version:  # something was written through it
            version, tag = delta.version(), ""
        found = commits_from(folder, version)
        if len(found) == 1 and found[0][0] == version and tag in {"", found[0][1]}:
            hold(folder, delta, found[0])
            return delta
    delta = at(folder)
    found = commits_from(folder, delta.version())
    if len(found) == 1:
        hold(folder, delta, found[0])
    return delta


def hold(folder: Place, delta: Opened, commit: tuple[int, str]) -> None:
    """Keep a handle, with its newest commit."""
    with _turn:
        _held[folder] = (delta, *commit)


def pinned(folder: Place, version: int) -> Opened:
    """Return a handle of one version."""
    with _turn:
        held = _pinned.get((folder, version))
    if held is None:
        held = at(folder, version)
        with _turn:
            _pinned[folder, version] = held
    return held


def forget() -> None:
    """Forget every handle, for tables that were put in the place of others."""
    with _turn:
        _held.clear()
        _pinned.clear()


def forget_folders() -> None:
    """Forget the handles of folders; those of buckets are looked after each time."""
    with _turn:
        for folder in [folder for folder in _held if not isinstance(folder, Bucket)]:
            del _held[folder]
        for key in [key for key in _pinned if not isinstance(key[0], Bucket)]:
            del _pinned[key]


def commits_from(folder: Place, version: int) -> list[tuple[int, str]]:
    """Return the numbers and tags of a table's commits from a version on."""
    if not isinstance(folder, Bucket):
        return list(takewhile(lambda commit: commit[1], ((n, tag_of(folder / commit_name(n))) for n in count(version))))
    some = obstore.list(location.store(folder), prefix=LOG, offset=f"{LOG}/{version:020d}")
    names = [(found["path"].rpartition("/")[2], found["e_tag"] or "") for chunk in some for found in chunk]
    return [(int(name[:20]), tag) for name, tag in names if len(name) == 25 and name.endswith(".json")]


def tag_of(file: Path) -> str:
    """Return what tells a file from another that is put in its place; nothing if there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size}"


def notes(folder: Place, version: int, *, since: int = -1) -> Iterator[dict[str, Any]]:
    """Yield what the commits of a table say of themselves, the newest first, until the log begins."""
    numbers = range(version, since, -1)
    if not isinstance(folder, Bucket):
        for number in numbers:
            if (text := commit(folder, number)) is None:
                return  # older ones are gone
            yield note(text)
        return
    some = FEW
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while numbers:
            now, numbers, some = numbers[:some], numbers[some:], 64
            for text in pool.map(lambda number: commit(folder, number), now):
                if text is None:
                    return  # older ones are gone
                yield note(text)


def commit(folder: Place, number: int) -> str | None:
    """Return the text of a commit; None if there is none of that number."""
    try:
        return location.read(folder, commit_name(number)).decode()
    except FileNotFoundError:
        return None


def note(text: str) -> dict[str, Any]:
    """Return what a commit says of itself."""
    for line in text.splitlines():
        if '"commitInfo"' in line:
            found: dict[str, Any] = json.loads(line).get("commitInfo", {})
            if found:
                return found
    return {}
