"""Commits to tables: tried again where two writers meet, known as ours where an answer is lost, brought to the disk."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import polars as pl
import stamina
from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from obstore.exceptions import BaseError

from nhl_lake.errors import Broken, Unavailable
from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.delta import AFTERWARDS, MARK, PARQUET, commit_name, gate, guard, plain
from nhl_lake.store.files import File, action, write_file
from nhl_lake.store.handles import notes, opened, path
from nhl_lake.store.lease import still
from nhl_lake.store.location import Bucket, Place
from nhl_lake.store.s3_errors import outage


def tries() -> Iterator[stamina.Attempt]:
    """Yield tries at a commit: of two writers from one version one conflicts, reads again, and decides again."""
    yield from stamina.retry_context(on=CommitFailedError, attempts=20, timeout=120, wait_initial=0.05, wait_max=2)


@contextmanager
def committing(
    root: Place, table: Table, delta: DeltaTable, metadata: Mapping[str, str] | None = None
) -> Iterator[CommitProperties]:
    """Hold a commit on a handle, with the properties to make it with; then bring it to the disk.

    A store may take a commit and its answer be lost; the commit is tried again, and found to be there already, which
    looks like another writer's. So each carries a mark by which it is known as ours.
    """
    version = delta.version()
    if isinstance(root, Path):
        yield guard(delta, metadata)
        sync(root, table, delta, since=version)
        return
    still(root)
    mark = secrets.token_hex(8)
    try:
        yield guard(delta, {**(metadata or {}), MARK: mark})
    except (DeltaError, OSError) as error:
        is_taken = is_there(path(root, table), version, mark)
        if is_taken is None and isinstance(error, CommitFailedError):
            raise unknown(root, table) from error  # tried again, what it adds might stand there twice
        if not is_taken:
            if not isinstance(error, CommitFailedError) and (trouble := outage(error, root)):
                raise trouble from error
            raise


def is_there(folder: Place, version: int, mark: str) -> bool | None:
    """Whether one of the commits after a version has a mark; None if the store does not say."""
    try:
        newest = opened(folder).version()
        return any(said.get(MARK) == mark for said in notes(folder, newest, since=version))
    except (BaseError, DeltaError, OSError):
        return None  # the error that led here is the one to show


def unknown(root: Place, table: Table) -> Unavailable:
    """Return the error for a commit of which nobody can tell whether the store has taken it."""
    return Unavailable(
        f"Whether the last commit to {table.name} was taken is not known: the store of {root} does not say.",
        "Nothing was lost. Run the same command again: it goes on from what is there.",
    )


def write(
    root: Place, table: Table, delta: DeltaTable, rows: pl.DataFrame, properties: CommitProperties | None = None
) -> None:
    """Append rows to a table, each season's in a file of its own, on the handle that they were decided on."""
    if delta.schema() != Schema.from_arrow(table.schema):
        raise Broken(
            f"{table.name} at {path(root, table)} has other columns than this release writes.",
            "Nothing was written. `nhl-lake upgrade` brings a lake to this release; `nhl-lake doctor` looks it over.",
        )
    gate(table, rows)  # before it is cut by a season that it may not have
    parts = rows.partition_by(table.partition, as_dict=True) if table.partition else {(None,): rows}
    files = [write_file(root, table, some, part and str(part)) for (part,), some in parts.items()]
    put(delta, table, files, properties or guard(delta), mode="append")


def put(
    delta: DeltaTable,
    table: Table,
    files: Sequence[File],
    properties: CommitProperties,
    *,
    mode: Literal["append", "overwrite"],
    seasons: Sequence[str] | None = None,
) -> None:
    """Name files in a table's log, in one commit: beside what it has, or in the place of seasons (None: of all)."""
    # a table that is made anew has the columns of today
    is_new = mode == "overwrite" and seasons is None
    delta.create_write_transaction(
        [action(table, file) for file in files],
        mode,
        Schema.from_arrow(table.schema) if is_new else delta.schema(),
        [table.partition] if table.partition else None,
        None if seasons is None else [(str(table.partition), "in", list(seasons))],
        commit_properties=properties,
        post_commithook_properties=AFTERWARDS,
    )
    delta.update_incremental()


def renew(delta: DeltaTable, table: Table, rows: pl.DataFrame, properties: CommitProperties) -> None:
    """Put rows in the place of those with their keys; MERGE would too, and write texts as few readers know them."""
    gate(table, rows)
    (key,) = table.key
    write_deltalake(
        delta,
        plain(rows),
        mode="overwrite",
        predicate=f"{key} IN ({', '.join(str(int(value)) for value in rows[key])})",  # literals: it skips files by them
        writer_properties=PARQUET,
        commit_properties=properties,
        post_commithook_properties=AFTERWARDS,
    )


def last_commit(delta: DeltaTable, folder: Path) -> Path:
    """Return the file of a table's newest commit."""
    return folder / commit_name(delta.version())


def sync(root: Place, table: Table, delta: DeltaTable, *, since: int | None = None) -> None:
    """Bring a handle's newest commit to the disk, or those since a version, with checkpoints, and the folders above.

    An empty checkpoint, which a power cut would leave, closes the whole table.
    """
    folder = path(root, table)
    if isinstance(folder, Bucket) or isinstance(root, Bucket):
        return  # what a store has taken is kept
    newest = delta.version()
    files: list[Path] = []
    for version in range(newest if since is None else min(since + 1, newest), newest + 1):
        log = folder / commit_name(version)
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        files += [log, *(folder / entry["add"]["path"] for entry in entries if "add" in entry)]
        if checkpoints := list(log.parent.glob(f"{log.stem}.checkpoint*")):
            files += [*checkpoints, log.parent / "_last_checkpoint"]
    location.sync([*files, *{above for file in files for above in file.parents if above.is_relative_to(root)}])
