"""Take a snapshot of the versions of a lake's tables, while runs may go on writing."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import obstore

from nhl_lake.backup.log_packs import COMMIT_FILE
from nhl_lake.backup.manifest import TABLE_NAME
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG
from nhl_lake.store.location import Location
from nhl_lake.store.locks import STATE_FOLDER

MAX_READINGS = 30
PAUSE_S = 0.1
MAX_WORKERS = 16
DERIVED_FIRST = ("gold", "silver", "bronze", "lake", "external")


class Snapshot(NamedTuple):
    """The version of each table, and whether all tables had these versions at the same time."""

    versions: Mapping[str, int]
    is_consistent: bool


def list_tables(root: Location) -> list[str]:
    """Return the names of all tables at a location, including those that this program does not know."""
    layers = [layer for layer in list_folders(root) if layer != STATE_FOLDER]
    names = (f"{layer}.{name}" for layer in layers for name in list_folders(root / layer))
    return [name for name in names if TABLE_NAME.fullmatch(name)]


def list_folders(folder: Location) -> list[str]:
    """Return the names of the folders at a location."""
    if isinstance(folder, Path):
        return sorted(inner.name for inner in folder.iterdir() if inner.is_dir())
    listed = obstore.list_with_delimiter(location.open_store(folder))
    return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in listed["common_prefixes"])


def read_version(root: Location, name: str) -> int | None:
    """Return the newest version of a table; None if it does not exist (yet)."""
    folder = root.joinpath(*name.split("."))
    if isinstance(folder, Path):
        log = folder / DELTA_LOG
        files: Iterable[str] = (file.name for file in log.iterdir()) if log.is_dir() else ()
    else:
        files = (file.name.rpartition("/")[2] for file in location.list_files(folder, DELTA_LOG))
    return max((int(found[1]) for name in files if (found := COMMIT_FILE.fullmatch(name))), default=None)


def read_versions(root: Location, names: Iterable[str]) -> dict[str, int]:
    """Return the newest version of each existing table, read in the order of `names`."""
    if isinstance(root, Path):
        found = {name: read_version(root, name) for name in names}
    else:
        with ThreadPoolExecutor(MAX_WORKERS) as workers:
            given = list(names)
            found = dict(zip(given, workers.map(lambda name: read_version(root, name), given), strict=True))
    return {name: at for name, at in found.items() if at is not None}


def take_snapshot(root: Location) -> Snapshot:
    """Read all versions until two readings in a row agree: the lake had these versions at that time.

    If commits come too fast for that, read the layers from gold to bronze: no table is then newer than its inputs, and
    a rebuild brings it up to date.
    """
    for _ in range(MAX_READINGS):
        before, now = read_versions(root, list_tables(root)), read_versions(root, list_tables(root))
        if now == before:
            return Snapshot(now, is_consistent=True)
        time.sleep(PAUSE_S)
    found: dict[str, int] = {}
    for layer in DERIVED_FIRST:
        found |= read_versions(root, (name for name in list_tables(root) if name.startswith(f"{layer}.")))
    return Snapshot(found, is_consistent=False)
