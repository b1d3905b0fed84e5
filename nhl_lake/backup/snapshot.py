"""The versions of a lake's tables at one moment, read while runs go on writing."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import obstore

from nhl_lake.backup.log_packs import COMMIT
from nhl_lake.store import location
from nhl_lake.store.delta import LOG
from nhl_lake.store.location import Place
from nhl_lake.store.locks import OWN

READINGS = 30
PAUSE_S = 0.1
AT_ONCE = 16
DERIVED_FIRST = ("gold", "silver", "bronze", "lake")


class Moment(NamedTuple):
    """The version of each table, and whether all tables had these at one moment."""

    versions: Mapping[str, int]
    is_one: bool


def tables(root: Place) -> list[str]:
    """Return the names of all tables in a lake's place, of those that this program does not know too."""
    layers = [layer for layer in below(root) if layer != OWN]
    return [f"{layer}.{noun}" for layer in layers for noun in below(root / layer)]


def below(folder: Place) -> list[str]:
    """Return the names of the folders in a place."""
    if isinstance(folder, Path):
        return sorted(inner.name for inner in folder.iterdir() if inner.is_dir())
    listed = obstore.list_with_delimiter(location.store(folder))
    return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in listed["common_prefixes"])


def version(root: Place, name: str) -> int | None:
    """Return the newest version of a table; None if there is no table, as where a run is about to make one."""
    folder = root.joinpath(*name.split("."))
    if isinstance(folder, Path):
        log = folder / LOG
        files: Iterable[str] = (file.name for file in log.iterdir()) if log.is_dir() else ()
    else:
        files = (file.name.rpartition("/")[2] for file in location.files(folder, LOG))
    return max((int(found[1]) for name in files if (found := COMMIT.fullmatch(name))), default=None)


def versions(root: Place, names: Iterable[str]) -> dict[str, int]:
    """Return the newest version of each table that there is, read in the order of the names."""
    if isinstance(root, Path):
        found = {name: version(root, name) for name in names}
    else:
        with ThreadPoolExecutor(AT_ONCE) as workers:
            given = list(names)
            found = dict(zip(given, workers.map(lambda name: version(root, name), given), strict=True))
    return {name: at for name, at in found.items() if at is not None}


def moment(root: Place) -> Moment:
    """Read all versions twice until both readings agree: the lake had these when the first of them was done.

    If commits come too fast for that, tables are read layer by layer, what is made before what it is made of: none is
    then newer than its sources, and a rebuild brings it to them.
    """
    for _ in range(READINGS):
        before, now = versions(root, tables(root)), versions(root, tables(root))
        if now == before:
            return Moment(now, is_one=True)
        time.sleep(PAUSE_S)
    found: dict[str, int] = {}
    for layer in DERIVED_FIRST:
        found |= versions(root, (name for name in tables(root) if name.startswith(f"{layer}.")))
    return Moment(found, is_one=False)
