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

from nhl_lake.errors import StorageUnavailable, ValidationFailed
from nhl_lake.schema.table import Table
from nhl_lake.store import location
from nhl_lake.store.delta import (
    COMMIT_TOKEN,
    POST_COMMIT,
    WRITER_PROPERTIES,
    commit_name,
    make_commit_properties,
    require_schema,
    to_arrow,
)
from nhl_lake.store.files import DataFile, make_add_action, write_data_file
from nhl_lake.store.handles import locate_table, open_handle, read_commit_infos
from nhl_lake.store.lease import require_lease
from nhl_lake.store.location import Bucket, Location
from nhl_lake.store.s3_errors import explain_s3_error


def retry_commits() -> Iterator[stamina.Attempt]:
    """Yield tries at a commit: of two writers from one version one conflicts, reads again, and decides again."""
    yield from stamina.retry_context(on=CommitFailedError, attempts=20, timeout=120, wait_initial=0.05, wait_max=2)


@contextmanager
def begin_commit(
    root: Location, table: Table, delta: DeltaTable, metadata: Mapping[str, str] | None = None
) -> Iterator[CommitProperties]:
    """Hold a commit on a handle, with the properties to make it with; then bring it to the disk.

    A store may take a commit and its answer be lost; the commit is tried again, and found to be there already, which
    looks like another writer's. So each carries a mark by which it is known as ours.
    """
    version = delta.version()
    if isinstance(root, Path):
        yield make_commit_properties(delta, metadata)
        sync_commits(root, table, delta, since=version)
        return
    require_lease(root)
    mark = secrets.token_hex(8)
    try:
        yield make_commit_properties(delta, {**(metadata or {}), COMMIT_TOKEN: mark})
    except (DeltaError, OSError) as error:
        is_taken = has_commit(locate_table(root, table), version, mark)
        if is_taken is None and isinstance(error, CommitFailedError):
            raise commit_unknown_error(root, table) from error  # tried again, what it adds might stand there twice
        if not is_taken:
            if not isinstance(error, CommitFailedError) and (trouble := explain_s3_error(error, root)):
                raise trouble from error
            raise


def has_commit(folder: Location, version: int, mark: str) -> bool | None:
    """Whether one of the commits after a version has a mark; None if the store does not say."""
    try:
        newest = open_handle(folder).version()
        return any(said.get(COMMIT_TOKEN) == mark for said in read_commit_infos(folder, newest, since=version))
    except (BaseError, DeltaError, OSError):
        return None  # the error that led here is the one to show


def commit_unknown_error(root: Location, table: Table) -> StorageUnavailable:
    """Return the error for a commit of which nobody can tell whether the store has taken it."""
    return StorageUnavailable(
        f"Whether the last commit to {table.name} was taken is not known: the store of {root} does not say.",
        "Nothing was lost. Run the same command again: it goes on from what is there.",
    )


def append_rows(
    root: Location, table: Table, delta: DeltaTable, rows: pl.DataFrame, properties: CommitProperties | None = None
) -> None:
    """Append rows to a table, each season's in a file of its own, on the handle that they were decided on."""
    if delta.schema() != Schema.from_arrow(table.schema):
        raise ValidationFailed(
            f"{table.name} at {locate_table(root, table)} has other columns than this release writes.",
            "Nothing was written. `nhl-lake upgrade` brings a lake to this release; `nhl-lake doctor` looks it over.",
        )
    require_schema(table, rows)  # before it is cut by a season that it may not have
    parts = rows.partition_by(table.partition, as_dict=True) if table.partition else {(None,): rows}
    files = [write_data_file(root, table, some, part and str(part)) for (part,), some in parts.items()]
    commit_files(delta, table, files, properties or make_commit_properties(delta), mode="append")


def commit_files(
    delta: DeltaTable,
    table: Table,
    files: Sequence[DataFile],
    properties: CommitProperties,
    *,
    mode: Literal["append", "overwrite"],
    seasons: Sequence[str] | None = None,
) -> None:
    """Name files in a table's log, in one commit: beside what it has, or in the place of seasons (None: of all)."""
    # a table that is made anew has the columns of today
    is_new = mode == "overwrite" and seasons is None
    delta.create_write_transaction(
        [make_add_action(table, file) for file in files],
        mode,
        Schema.from_arrow(table.schema) if is_new else delta.schema(),
        [table.partition] if table.partition else None,
        None if seasons is None else [(str(table.partition), "in", list(seasons))],
        commit_properties=properties,
        post_commithook_properties=POST_COMMIT,
    )
    delta.update_incremental()


def overwrite_by_key(delta: DeltaTable, table: Table, rows: pl.DataFrame, properties: CommitProperties) -> None:
    """Put rows in the place of those with their keys; MERGE would too, and write texts as few readers know them."""
    require_schema(table, rows)
    (key,) = table.key
    write_deltalake(
        delta,
        to_arrow(rows),
        mode="overwrite",
        predicate=f"{key} IN ({', '.join(str(int(value)) for value in rows[key])})",  # literals: it skips files by them
        writer_properties=WRITER_PROPERTIES,
        commit_properties=properties,
        post_commithook_properties=POST_COMMIT,
    )


def locate_last_commit(delta: DeltaTable, folder: Path) -> Path:
    """Return the file of a table's newest commit."""
    return folder / commit_name(delta.version())


def sync_commits(root: Location, table: Table, delta: DeltaTable, *, since: int | None = None) -> None:
    """Bring a handle's newest commit to the disk, or those since a version, with checkpoints, and the folders above.

    An empty checkpoint, which a power cut would leave, closes the whole table.
    """
    folder = locate_table(root, table)
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
    location.fsync_paths([*files, *{above for file in files for above in file.parents if above.is_relative_to(root)}])
