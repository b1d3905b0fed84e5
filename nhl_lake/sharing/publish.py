"""Publish tables of a lake: a Parquet file for each table and season, a landing page, and the manifest last.

Only what changed is written. Only files that the manifest of the last publication names are removed. Files are sorted
by their key, so the same rows are the same bytes.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import polars as pl
from deltalake import DeltaTable

from nhl_lake import layout
from nhl_lake.backup.create import read_layout_and_source
from nhl_lake.backup.snapshot import take_snapshot
from nhl_lake.errors import BadInput, LakeError, LakeLocked
from nhl_lake.queries.targets import explain_output_errors
from nhl_lake.reports.lake_card import read_overview
from nhl_lake.schema.table import Table
from nhl_lake.sharing.landing import render_landing_page
from nhl_lake.sharing.manifest import (
    FORMAT,
    LANDING_PAGE,
    MANIFEST,
    Publication,
    PublishedColumn,
    PublishedFile,
    PublishedTable,
    encode_publication,
    locate_file,
    read_publication,
)
from nhl_lake.store import checksums, delta_tables, location, locks
from nhl_lake.store.delta import read_add_actions, to_arrow
from nhl_lake.store.location import Bucket, Location

ROW_GROUP_SIZE = 2**17  # readers over HTTP ask for the row groups that they need
COMPRESSION_LEVEL = 6
WRITER = 1  # raise it when the same rows become other bytes
DRAFTS_PREFIX = ".nhl-lake-drafts-"
DRAFTS = re.compile(rf"{re.escape(DRAFTS_PREFIX)}\w+", re.ASCII)
LABEL = "The publication"
OnFile = Callable[[int, int], object]


class PublishSummary(NamedTuple):
    """The result: the publication, and how many of its Parquet files were written and removed."""

    publication: Publication
    written: int
    removed: int

    @property
    def files(self) -> int:
        """Return the number of Parquet files."""
        return sum(len(table.files) for table in self.publication.tables)

    @property
    def bytes(self) -> int:
        """Return the bytes of the Parquet files."""
        return sum(table.bytes for table in self.publication.tables)


class FileToPublish(NamedTuple):
    """A season of a table, or a whole table: at one version, with a digest of its data files."""

    table: Table
    delta: DeltaTable
    season: int | None
    made_of: str

    @property
    def path(self) -> str:
        """Return its path in the publication."""
        return locate_file(self.table.name, self.season)


def publish_tables(
    root: Location,
    target: Location,
    tables: Sequence[Table],
    *,
    seasons: Sequence[int],
    now: datetime,
    command: str,
    on_file: OnFile = lambda done, total: None,
) -> PublishSummary:
    """Publish tables of a lake to a folder or a bucket: all seasons or some. on_file: called with done and total."""
    require_outside(root, target)
    with lock_target(target, command, now=now):
        previous = read_previous(root, target)
        versions = take_snapshot(root).versions
        stored = [table for table in tables if table.name in versions]
        files = [file for table in stored for file in list_files(root, table, versions[table.name], seasons)]
        with explain_output_errors(target), make_drafts_folder(target) as drafts:
            published = draft_files(files, previous, target, drafts, on_file)
            publication = describe_publication(root, stored, published, now)
            if previous is not None and is_same(previous, publication):
                publication = previous
            changed = [file for file in files if (drafts / file.path).is_file()]
            for file in changed:
                location.write_file(target, file.path, location.read_chunks(drafts, file.path))
            write_if_different(target, LANDING_PAGE, render_landing_page(publication).encode())
            write_if_different(target, MANIFEST, encode_publication(publication))  # last: it completes the publication
            stale = sorted(set(list_paths(previous)) - set(list_paths(publication)))
            remove_stale_files(target, stale)
    return PublishSummary(publication, len(changed), len(stale))


def require_outside(root: Location, target: Location) -> None:
    """Raise if the publication would be in the lake, or the lake in the publication."""
    if isinstance(root, Path) and isinstance(target, Path):
        one, other = root.resolve(), target.resolve()
        is_inside = one.is_relative_to(other) or other.is_relative_to(one)
    else:
        is_inside = f"{root}/".startswith(f"{target}/") or f"{target}/".startswith(f"{root}/")
    if is_inside:
        raise BadInput(f"{target} and the lake at {root} are inside each other.", "Publish to a folder of its own.")


@contextmanager
def lock_target(target: Location, command: str, *, now: datetime) -> Iterator[None]:
    """Let one command at a time write to a publication. No file of a folder shows it: web hosts would serve it."""
    if isinstance(target, Bucket):
        with locks.hold_lock(target, command, now=now, label=LABEL):
            yield
        return
    with explain_output_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        handle = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LakeLocked(
                f"{LABEL} at {target} is in use by another run.", "Run it again when that ends."
            ) from error
        for left in target.iterdir():  # of a killed run
            if DRAFTS.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
        yield
    finally:
        os.close(handle)


def read_previous(root: Location, target: Location) -> Publication | None:
    """Return the last publication there; None in an empty place. Raises in a place of something else."""
    if not location.has_file(target, MANIFEST):
        others = target.iterdir() if isinstance(target, Path) else location.list_files(target)
        if any(not other.name.startswith(locks.STATE_FOLDER) for other in others):
            raise BadInput(
                f"{target} is not empty, and has no {MANIFEST} of a publication.",
                "Publish to a new or an empty folder.",
            )
        return None
    previous = read_publication(target)
    if previous.lake not in layout.read_lake_ids(root):
        raise BadInput(
            f"{target} is a publication of another lake, of the {previous.league}.",
            "Publish to a new or an empty folder.",
        )
    return previous


def list_files(root: Location, table: Table, version: int, seasons: Sequence[int]) -> Iterator[FileToPublish]:
    """Yield the files of a table: one for each season, all or some; or one for a table without seasons."""
    delta = delta_tables.open_table(root, table, version=version)
    actions = read_add_actions(delta)
    paths: list[str] = actions["path"].to_list() if actions.height else []
    by_season: dict[int | None, list[str]] = {} if table.partition else {None: paths}
    for path in paths if table.partition else []:
        value = path.partition("=")[2].partition("/")[0]
        if not value.isdecimal():
            raise LakeError(f"{table.name} has rows without a season: {path}.", "`nhl-lake rebuild --all` corrects it.")
        by_season.setdefault(int(value), []).append(path)
    for season in sorted(by_season, key=lambda one: one or 0):
        if not seasons or season is None or season in seasons:
            yield FileToPublish(table, delta, season, hash_sources(table, by_season[season]))


def hash_sources(table: Table, paths: Sequence[str]) -> str:
    """Return a digest of what a file is made of: data files, which never change, its columns, and how it is written."""
    columns = [f"{name} {dtype}" for name, dtype in table.schema.items()]
    facts = [WRITER, pl.__version__, table.key, columns, sorted(paths)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@contextmanager
def make_drafts_folder(target: Location) -> Iterator[Path]:
    """Make a folder for drafts, which is removed after the block."""
    place = target if isinstance(target, Path) else None
    with TemporaryDirectory(prefix=DRAFTS_PREFIX, dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def draft_files(
    files: Sequence[FileToPublish], previous: Publication | None, target: Location, drafts: Path, on_file: OnFile
) -> dict[str, PublishedFile]:
    """Write drafts of the files that are not published yet as they are; return what the manifest says of each file."""
    known = {
        locate_file(table.name, f.season): f for table in (previous.tables if previous else ()) for f in table.files
    }
    sizes = {file.name: file.size for file in location.list_files(target)} if isinstance(target, Bucket) else {}

    def is_stored(path: str, file: PublishedFile) -> bool:
        """Return whether a file is there: by its SHA-256; in a bucket by its size and what the manifest says."""
        if isinstance(target, Path):
            return (target / path).is_file() and checksums.hash_file(target, path) == file.sha256
        return path in known and known[path].sha256 == file.sha256 and sizes.get(path) == file.bytes

    found = {}
    for number, file in enumerate(files):
        on_file(number, len(files))
        published = known.get(file.path)
        if published is None or published.made_of != file.made_of or not is_stored(file.path, published):
            published = draft_file(file, drafts)
            if is_stored(file.path, published):
                (drafts / file.path).unlink()
        found[file.path] = published
    on_file(len(files), len(files))
    return found


def draft_file(file: FileToPublish, drafts: Path) -> PublishedFile:
    """Write the draft of a file: the rows by their key, and plain strings instead of views, which few readers know."""
    rows = pl.scan_delta(file.delta)
    if file.table.partition is not None:
        rows = rows.filter(pl.col(file.table.partition) == file.season)
    found = rows.sort(file.table.key, nulls_last=True, maintain_order=True).collect()
    draft = drafts / file.path
    draft.parent.mkdir(parents=True, exist_ok=True)
    found.write_parquet(
        draft,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP_SIZE,
        arrow_schema=to_arrow(found.clear()).schema,
    )
    sha256 = checksums.hash_file(drafts, file.path)
    return PublishedFile(file.season, found.height, draft.stat().st_size, sha256, file.made_of)


def describe_publication(
    root: Location, tables: Sequence[Table], files: dict[str, PublishedFile], now: datetime
) -> Publication:
    """Return the manifest of a publication."""
    last: date | None = read_overview(root).seasons["last_day"].max()  # type: ignore[assignment]
    return Publication(
        format=FORMAT,
        made_by=version("nhl-lake"),
        published_at=now,
        lake=min(layout.read_lake_ids(root)),
        league=read_layout_and_source(root)[1],
        data_through=last,
        tables=tuple(describe_table(table, files) for table in tables),
    )


def describe_table(table: Table, files: dict[str, PublishedFile]) -> PublishedTable:
    """Return what the manifest says of a table."""
    own = tuple(file for path, file in files.items() if path == locate_file(table.name, file.season))
    columns = tuple(PublishedColumn(c.name, str(c.dtype), c.unit, c.description) for c in table.columns)
    return PublishedTable(table.name, table.grain, tuple(table.key), columns, own)


def is_same(previous: Publication, publication: Publication) -> bool:
    """Return whether two manifests differ only in when they were written."""
    return msgspec.structs.replace(publication, published_at=previous.published_at) == previous


def remove_stale_files(target: Location, paths: Sequence[str]) -> None:
    """Remove files that the publication no longer has, and in a folder the folders that are empty then."""
    location.remove_files(target, paths)
    if isinstance(target, Path):
        for path in paths:
            for folder in list((target / path).parents)[: path.count("/")]:
                with suppress(OSError):  # it has other files
                    folder.rmdir()


def list_paths(publication: Publication | None) -> Iterator[str]:
    """Yield the paths of the Parquet files of a publication."""
    for table in publication.tables if publication else ():
        yield from (locate_file(table.name, file.season) for file in table.files)


def write_if_different(target: Location, name: str, body: bytes) -> None:
    """Write a file unless it is there with these bytes."""
    if not location.has_file(target, name) or location.read_file(target, name) != body:
        location.write_file(target, name, body)
