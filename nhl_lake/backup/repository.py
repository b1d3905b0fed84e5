"""The backup repository: manifests by name, objects by hash, the progress of a killed backup, and drill results.

Backup names sort in the order of creation. If the clock was set back, a new name continues the last one with a number.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import msgspec
from obstore.exceptions import BaseError

from nhl_lake.backup.manifest import (
    Manifest,
    UntrustedManifest,
    damaged_manifest_error,
    decode_manifest,
    encode_manifest,
)
from nhl_lake.backup.pins import ignore_read_only
from nhl_lake.errors import BadInput, LakeError, LakeLocked, UnreadableData
from nhl_lake.hockey.ids import format_season
from nhl_lake.store import location, locks
from nhl_lake.store.location import Location, Source
from nhl_lake.store.web_address import Website
from nhl_lake.text import describe_body

MANIFESTS_FOLDER, OBJECTS_FOLDER, DRILLS_FOLDER, SET_ASIDE_FOLDER, PROGRESS_FILE, INDEX_FILE = (
    "manifests",
    "objects",
    "drills",
    "set-aside",
    "partial.json",
    "index.json",
)
MAX_INDEX_BYTES, MAX_INDEXED = 2**20, 2000  # of what a web host sends; a backup a day for five years
PLAYS_NAME = "bronze.play_by_play"
SEASON_FOLDER = re.compile(r"season=(\d{8})/")
SHORT_ID = 8  # digits of an id that are shown
BACKUP_NAME = re.compile(r"(\d{8}T\d{6}Z)(?:-(\d+))?")


class CopiedFile(msgspec.Struct, frozen=True):
    """A data file that is already copied: its table's id, its name, its size in bytes and its SHA-256."""

    id: str
    name: str
    size: int
    sha256: str


class DrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a restore drill: which backup, when, how long it took, and what it restored."""

    backup: str
    made_at: datetime
    seconds: float
    tables: int
    rows: int
    bytes: int
    wrong: tuple[str, ...] = ()
    lake: str = ""


class BackupIndex(msgspec.Struct, frozen=True):
    """The names of the backups, newest first, for web hosts, which cannot list their files."""

    format: int
    backups: tuple[str, ...]


class IndexMissing(LakeError):
    """A web host has no index of backups: an older release made them, or they are not there."""


class BackupStatus(NamedTuple):
    """A lake's newest backup, when it was created, and the last drill; or the problem that hides them."""

    backup: str | None = None
    backed_up_at: datetime | None = None
    drill: DrillResult | None = None
    problem: str | None = None


def object_name(sha256: str) -> str:
    """Return the name of an object in the repository."""
    return f"{OBJECTS_FOLDER}/{sha256[:2]}/{sha256}"


def parse_sort_key(name: str) -> tuple[str, int]:
    """Return the sort key of a backup's name."""
    found = BACKUP_NAME.fullmatch(name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def list_backups(backups: Source) -> list[str]:
    """Return the names of the backups, newest first; those of a web host by their index."""
    if isinstance(backups, Website):
        names = set(filter(BACKUP_NAME.fullmatch, read_index(backups).backups))
        return sorted(names, key=parse_sort_key, reverse=True)[:MAX_INDEXED]
    found = (
        re.fullmatch(rf"{MANIFESTS_FOLDER}/(.+)\.json", file.name)
        for file in location.list_files(backups, MANIFESTS_FOLDER)
    )
    return sorted(
        (match[1] for match in found if match and BACKUP_NAME.fullmatch(match[1])), key=parse_sort_key, reverse=True
    )


def read_index(backups: Source) -> BackupIndex:
    """Return the index of the backups; raise if it is missing or damaged."""
    try:
        body = location.read_file(backups, INDEX_FILE, max_bytes=MAX_INDEX_BYTES)
        return msgspec.json.decode(body, type=BackupIndex)
    except FileNotFoundError as error:
        raise IndexMissing(
            f"There is no index of backups at {backups}/{INDEX_FILE}.",
            "Is that the folder with the backups? Then run `nhl-lake backup verify` where they are made: it writes the "
            "index. Or name a backup: `nhl-lake restore --from-backup NAME --from URL`.",
        ) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableData(
            f"{backups}/{INDEX_FILE} is not an index of backups: {describe_body(body)}.",
            "Open that address in a browser: is it that of the folder with the backups?",
        ) from error


def write_index(backups: Location, names: Iterable[str] | None = None) -> None:
    """Write the index of the backups, by default of all that are there, if it differs. Call it with the lock only."""
    index = BackupIndex(1, tuple(list_backups(backups) if names is None else names))
    if not has_index(backups, index):
        location.write_file(backups, INDEX_FILE, msgspec.json.format(msgspec.json.encode(index)))


def has_index(backups: Location, index: BackupIndex) -> bool:
    """Return whether the stored index is this one."""
    try:
        return read_index(backups) == index
    except LakeError:
        return False


def update_index(backups: Location, *, now: datetime, command: str) -> None:
    """Write the index if it differs and no other run, which would write it, uses the backups."""
    if has_index(backups, BackupIndex(1, tuple(list_backups(backups)))):
        return
    # whoever may only read the backups can verify them
    with (
        ignore_read_only(),
        suppress(LakeLocked),
        locks.hold_lock(backups, command, now=now, wait_s=0, label=locks.BACKUPS_LABEL),
    ):
        write_index(backups)


def choose_backup_name(newest: str | None, now: datetime) -> str:
    """Return a name for a new backup that sorts after the newest one."""
    name = f"{now:%Y%m%dT%H%M%SZ}"
    if newest is None or parse_sort_key(name) > parse_sort_key(newest):
        return name
    timestamp, count = parse_sort_key(newest)
    return f"{timestamp}-{count + 1}"


def read_manifest(backups: Source, name: str, *, authenticate: bool = True) -> Manifest:
    """Return the manifest of a backup. authenticate: raise if a key is set and the manifest is not signed with it."""
    file = f"{MANIFESTS_FOLDER}/{name}.json"
    try:
        if not BACKUP_NAME.fullmatch(name):
            raise FileNotFoundError(file)
        body = location.read_file(backups, file)
    except FileNotFoundError as error:
        raise LakeError(
            f"There is no backup {name} at {backups}.",
            "Run `nhl-lake backup list` to list them. NHL_LAKE_BACKUPS or --from sets their location.",
        ) from error
    manifest = decode_manifest(body, f"{backups}/{file}", authenticate=authenticate)
    if manifest.name != name:  # an older manifest under a new name would be taken for the newest backup
        raise damaged_manifest_error(f"{backups}/{file}", f"it is the manifest of the backup {manifest.name!a}")
    return manifest


def read_manifests(backups: Source, ids: Collection[str] | None) -> Iterator[Manifest]:
    """Yield the manifests of a lake's backups, newest first (None: of all lakes). Raises at one that cannot be read."""
    for name in list_backups(backups):
        if (manifest := read_manifest(backups, name)).is_of(ids):
            yield manifest


def read_newest_manifest(backups: Source, ids: Collection[str] | None) -> Manifest | None:
    """Return the newest manifest of a lake, if there is any backup of it."""
    return next(read_manifests(backups, ids), None)


def read_trusted_manifests(backups: Location, ids: Collection[str] | None) -> Iterator[Manifest]:
    """Yield the manifests of a lake, newest first, without those that are not signed with the key that is set."""
    for name in list_backups(backups):
        with suppress(UntrustedManifest):
            if (manifest := read_manifest(backups, name)).is_of(ids):
                yield manifest


def require_backups(backups: Source) -> list[str]:
    """Return the names of the backups of all lakes, newest first; raise if there is none."""
    found = list_backups(backups)
    if not found:
        raise LakeError(
            f"There is no backup at {backups}.",
            "Run `nhl-lake backup create` to create one. NHL_LAKE_BACKUPS sets the location.",
        )
    return found


def require_newest_manifest(backups: Source, ids: Collection[str] | None = None) -> Manifest:
    """Return the newest manifest of a lake; raise if there is no backup of it."""
    require_backups(backups)
    if (found := read_newest_manifest(backups, ids)) is None:
        raise no_backup_error(backups)
    return found


def no_backup_error(backups: Source) -> LakeError:
    """Return the error for backups that are all of other lakes."""
    return LakeError(
        f"There is no backup of this lake at {backups}, only of {describe_lakes(backups)}.",
        "Run `nhl-lake backup create` to create one, or name another lake with --lake.",
    )


def write_manifest(backups: Location, manifest: Manifest) -> None:
    """Write a manifest. This completes the backup."""
    location.write_file(backups, f"{MANIFESTS_FOLDER}/{manifest.name}.json", encode_manifest(manifest), new=True)


def list_objects(backups: Location) -> dict[str, int]:
    """Return the size of each object by its hash."""
    return {file.name.rpartition("/")[2]: file.size for file in location.list_files(backups, OBJECTS_FOLDER)}


def read_progress(backups: Location) -> list[CopiedFile]:
    """Return the files that an unfinished backup has copied."""
    try:
        return msgspec.json.decode(location.read_file(backups, PROGRESS_FILE), type=list[CopiedFile])
    except FileNotFoundError:
        return []


def write_progress(backups: Location, copies: Iterable[CopiedFile]) -> None:
    """Save the list of copied files. After a kill, the next backup continues from it."""
    location.write_file(backups, PROGRESS_FILE, msgspec.json.encode(list(copies)))


def read_last_drill(backups: Location, ids: Collection[str] | None = None) -> DrillResult | None:
    """Return the result of a lake's last drill, if there was one."""
    drills = (read_drill(backups, name) for name in list_drills(backups))
    return next((drill for drill in drills if ids is None or not drill.lake or drill.lake in ids), None)


def read_drill(backups: Location, name: str) -> DrillResult:
    """Return a drill's result."""
    return msgspec.json.decode(location.read_file(backups, name), type=DrillResult)


def list_drills(backups: Location) -> list[str]:
    """Return the names of the drill results, newest first: the names are times."""
    return sorted((file.name for file in location.list_files(backups, DRILLS_FOLDER)), reverse=True)


def read_backup_status(backups: Location, ids: Collection[str] | None) -> BackupStatus:
    """Return the status of a lake's backups. A repository that cannot be read is reported in it, not raised."""
    try:
        manifest, drill = read_newest_manifest(backups, ids), read_last_drill(backups, ids)
    except (LakeError, OSError, BaseError, msgspec.DecodeError) as error:
        what = error.message if isinstance(error, LakeError) else " ".join(str(error).split())[:200]
        return BackupStatus(problem=f"{backups} cannot be read: {what}")
    return BackupStatus(drill=drill) if manifest is None else BackupStatus(manifest.name, manifest.made_at, drill)


def find_lake(backups: Source, wanted: str) -> frozenset[str]:
    """Return the identity of the only lake with backups that has this id, a beginning of it, or this league."""
    newest = read_newest_of_each_lake(backups)
    found = [lake for lake, manifest in newest.items() if is_named(manifest, wanted)]
    if len(found) == 1:
        return frozenset(found)
    problem = "matches no lake" if not found else "matches several lakes"
    raise BadInput(
        f"Invalid option: --lake {wanted} {problem} with backups at {backups}.",
        f"There are backups of {describe_lakes(backups) or 'no lake'}.",
    )


def is_named(manifest: Manifest, wanted: str) -> bool:
    """Return whether a name is a lake's id, the beginning of its id, or its league."""
    return bool(wanted) and (
        manifest.lake_id.startswith(wanted.lower()) or manifest.source.lower() == wanted.strip().lower()
    )


def read_newest_of_each_lake(backups: Source) -> dict[str, Manifest]:
    """Return the newest manifest of each lake, by identity, the newest lake first. Raises if the newest is damaged."""
    found: dict[str, Manifest] = {}
    for name in list_backups(backups):
        try:
            manifest = read_manifest(backups, name)
        except UnreadableData:
            if not found:
                raise
            continue  # an older one: `nhl-lake backup verify` names it
        found.setdefault(manifest.lake_id, manifest)
    return found


def describe_lakes(backups: Source) -> str:
    """Describe the lakes that have backups, each by its newest one."""
    return "; ".join(map(describe_lake, read_newest_of_each_lake(backups).values()))


def describe_lake(manifest: Manifest) -> str:
    """Describe the lake of a backup: its id, league, seasons, last game and newest run, and when it was backed up."""
    seasons = list_seasons(manifest)
    span = f"{format_season(seasons[0])} to {format_season(seasons[-1])}" if seasons else "no season"
    facts = [
        span if len(set(seasons)) != 1 else format_season(seasons[0]),
        f"last game {manifest.last_game}" if manifest.last_game else "",
        f"newest run {manifest.last_run_at:%Y-%m-%d %H:%M} UTC" if manifest.last_run_at else "",
        f"backed up {manifest.made_at:%Y-%m-%d %H:%M} UTC",
    ]
    return f"lake {manifest.lake_id[:SHORT_ID]} of the {manifest.source} ({', '.join(filter(None, facts))})"


def list_seasons(manifest: Manifest) -> list[int]:
    """Return the seasons with plays in a backup, from the names of its files."""
    files = next((table.files for table in manifest.tables if table.name == PLAYS_NAME), ())
    return sorted({int(found[1]) for file in files if (found := SEASON_FOLDER.match(file.name))})


def list_manifest_objects(manifest: Manifest) -> Iterator[tuple[str, str, int]]:
    """Yield name, hash and size of every object in a backup."""
    for table in manifest.tables:
        yield from ((f"{table.name}/{file.name}", file.sha256, file.size) for file in table.files)
        yield from ((f"{table.name}/{file.name}", file.sha256, file.size) for file in table.checkpoint)
        yield from (
            (f"{table.name}, commits {pack.first} to {pack.last}", pack.sha256, pack.size) for pack in table.log
        )
