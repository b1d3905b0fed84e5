"""The place of backups: manifests by name, what they hold by hash, what a killed backup had copied, and drills.

Names sort as backups were made: where a clock was set back, the last name is counted on.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from obstore.exceptions import BaseError

from nhl_lake.backup.manifest import Manifest, decode, encode
from nhl_lake.errors import LakeError
from nhl_lake.store import location
from nhl_lake.store.location import Place

MANIFESTS, OBJECTS, DRILLS, ASIDE, PARTIAL = "manifests", "objects", "drills", "set-aside", "partial.json"
NAME = re.compile(r"(\d{8}T\d{6}Z)(?:-(\d+))?")


class Copy(msgspec.Struct, frozen=True):
    """A data file that is in the place already: its table's id, its name, its bytes and their SHA-256."""

    id: str
    name: str
    size: int
    sha256: str


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal of a restore: of which backup, when, how long it took, and what it brought back."""

    backup: str
    made_at: datetime
    seconds: float
    tables: int
    rows: int
    bytes: int
    wrong: tuple[str, ...] = ()


class Standing(NamedTuple):
    """How safe a lake is: its newest backup, when it was made, the last drill; or why nobody can tell."""

    backup: str | None = None
    backed_up_at: datetime | None = None
    drill: Drill | None = None
    trouble: str | None = None


def object_name(sha256: str) -> str:
    """Return the name of an object in the place of backups."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def order(name: str) -> tuple[str, int]:
    """Return what backups are sorted by."""
    found = NAME.fullmatch(name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def names(backups: Place) -> list[str]:
    """Return the names of the backups, the newest first."""
    found = (re.fullmatch(rf"{MANIFESTS}/(.+)\.json", file.name) for file in location.files(backups, MANIFESTS))
    return sorted((match[1] for match in found if match and NAME.fullmatch(match[1])), key=order, reverse=True)


def next_name(newest: str | None, now: datetime) -> str:
    """Return a name for a backup made now, that sorts after the newest."""
    name = f"{now:%Y%m%dT%H%M%SZ}"
    if newest is None or order(name) > order(newest):
        return name
    base, count = order(newest)
    return f"{base}-{count + 1}"


def find(backups: Place, name: str) -> Manifest:
    """Return the manifest of a backup."""
    try:
        body = location.read(backups, f"{MANIFESTS}/{name}.json")
    except FileNotFoundError as error:
        raise LakeError(
            f"There is no backup {name} at {backups}.",
            "`nhl-lake backup list` names them; NHL_LAKE_BACKUPS or --from says where they are.",
        ) from error
    return decode(body, f"{backups}/{MANIFESTS}/{name}.json")


def newest(backups: Place) -> Manifest | None:
    """Return the newest manifest, if there is any backup."""
    found = names(backups)
    return find(backups, found[0]) if found else None


def require_any(backups: Place) -> list[str]:
    """Return the names of the backups, the newest first; raise if there is none."""
    found = names(backups)
    if not found:
        raise LakeError(
            f"There is no backup at {backups}.", "`nhl-lake backup` makes one; NHL_LAKE_BACKUPS says where."
        )
    return found


def require_newest(backups: Place) -> Manifest:
    """Return the newest manifest; raise if there is no backup."""
    return find(backups, require_any(backups)[0])


def write_manifest(backups: Place, manifest: Manifest) -> None:
    """Write a manifest: from then on the backup is one."""
    location.write(backups, f"{MANIFESTS}/{manifest.name}.json", encode(manifest), new=True)


def objects(backups: Place) -> dict[str, int]:
    """Return the size of each object by its hash."""
    return {file.name.rpartition("/")[2]: file.size for file in location.files(backups, OBJECTS)}


def partial(backups: Place) -> list[Copy]:
    """Return what a backup that did not end had copied."""
    try:
        return msgspec.json.decode(location.read(backups, PARTIAL), type=list[Copy])
    except FileNotFoundError:
        return []


def note_partial(backups: Place, copies: Iterable[Copy]) -> None:
    """Note what was copied, so that a backup that is killed goes on from there."""
    location.write(backups, PARTIAL, msgspec.json.encode(list(copies)))


def last_drill(backups: Place) -> Drill | None:
    """Return the drill that was noted last, if there was any."""
    found = drills(backups)
    return msgspec.json.decode(location.read(backups, found[0]), type=Drill) if found else None


def drills(backups: Place) -> list[str]:
    """Return the names of the notes of drills, the newest first: they are times."""
    return sorted((file.name for file in location.files(backups, DRILLS)), reverse=True)


def standing(backups: Place) -> Standing:
    """Tell how safe a lake is; of a place that cannot be read that is told, for the lake is there all the same."""
    try:
        manifest, drill = newest(backups), last_drill(backups)
    except (LakeError, OSError, BaseError, msgspec.DecodeError) as error:
        what = error.what if isinstance(error, LakeError) else " ".join(str(error).split())[:200]
        return Standing(trouble=f"{backups} cannot be read: {what}")
    return Standing(drill=drill) if manifest is None else Standing(manifest.name, manifest.made_at, drill)


def contents(manifest: Manifest) -> Iterator[tuple[str, str, int]]:
    """Yield name, hash and size of all that a backup holds."""
    for table in manifest.tables:
        yield from ((f"{table.name}/{file.name}", file.sha256, file.size) for file in table.files)
        yield from ((f"{table.name}/{file.name}", file.sha256, file.size) for file in table.checkpoint)
        yield from (
            (f"{table.name}, commits {pack.first} to {pack.last}", pack.sha256, pack.size) for pack in table.log
        )
