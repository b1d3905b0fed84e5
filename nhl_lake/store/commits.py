"""Commit to Delta tables: retry on conflicts, detect our own commit after a lost response, and sync to disk."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from obstore.exceptions import BaseError

from nhl_lake.errors import StorageUnavailable, ValidationFailed
from nhl_lake.schema.table import Table
from nhl_lake.store import checksums, location
from nhl_lake.store.delta import (
    COMMIT_TOKEN,
    POST_COMMIT,
    WRITER_PROPERTIES,
    commit_name,
    list_live_files,
    make_commit_properties,
    require_schema,
    to_arrow,
)
from nhl_lake.store.files import DataFile, make_add_action, write_data_file
from nhl_lake.store.handles import locate_table, open_handle, read_commit_infos
from nhl_lake.store.lease import require_lease
from nhl_lake.store.location import Bucket, Location
from nhl_lake.store.s3_errors import explain_s3_error

if TYPE_CHECKING:
    import stamina


def retry_commits() -> "Iterator[stamina.Attempt]":
    """Yield commit attempts. If two writers start from one version, one conflicts; it must read and decide again."""
    import stamina  # only writers need it

    yield from stamina.retry_context(on=CommitFailedError, attempts=20, timeout=120, wait_initial=0.05, wait_max=2)


@contextmanager
def begin_commit(
    root: Location, table: Table, delta: DeltaTable, metadata: Mapping[str, str] | None = None
) -> Iterator[CommitProperties]:
    """Yield the properties for a commit on a handle; afterwards sync the commit to disk.

    A bucket may accept a commit although its response is lost. The retry then finds a commit that looks like another
    writer's. Each commit therefore carries a token that identifies it as ours.
    """
    version = delta.version()
    if isinstance(root, Path):
        yield make_commit_properties(delta, metadata)
        sync_commits(root, table, delta, since=version)
        return
    require_lease(root)
    token = secrets.token_hex(8)
    try:
        yield make_commit_properties(delta, {**(metadata or {}), COMMIT_TOKEN: token})
    except (DeltaError, OSError) as error:
        is_committed = has_commit(locate_table(root, table), version, token)
        if is_committed is None and isinstance(error, CommitFailedError):
            raise commit_unknown_error(root, table) from error  # a retry might add the rows twice
        if not is_committed:
            if not isinstance(error, CommitFailedError) and (explained := explain_s3_error(error, root)):
                raise explained from error
            raise
    checksums.record_commits(locate_table(root, table), range(version + 1, delta.version() + 1))


def has_commit(folder: Location, version: int, token: str) -> bool | None:
    """Return whether one of the commits after a version has a token; None if the store does not answer."""
    try:
        newest = open_handle(folder).version()
        return any(commit.get(COMMIT_TOKEN) == token for commit in read_commit_infos(folder, newest, since=version))
    except (BaseError, DeltaError, OSError):
        return None  # the caller shows the original error


def commit_unknown_error(root: Location, table: Table) -> StorageUnavailable:
    """Return the error for a commit that the store may or may not have accepted."""
    return StorageUnavailable(
        f"The store of {root} did not confirm the last commit to {table.name}: it may or may not be there.",
        "No data was lost. Run the same command again: it continues from the stored rows.",
    )


def append_rows(
    root: Location, table: Table, delta: DeltaTable, rows: pl.DataFrame, properties: CommitProperties | None = None
) -> None:
    """Append rows to a table, one file per season, on the handle that was used to select them."""
    if delta.schema() != Schema.from_arrow(table.schema):
        raise ValidationFailed(
            f"{table.name} at {locate_table(root, table)} does not have the columns of this release.",
            "No changes were made. Run `nhl-lake upgrade` to convert the lake, or `nhl-lake doctor` to check it.",
        )
    require_schema(table, rows)  # before the split by season: the column may be missing
    partitions = rows.partition_by(table.partition, as_dict=True) if table.partition else {(None,): rows}
    files = [write_data_file(root, table, chunk, value and str(value)) for (value,), chunk in partitions.items()]
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
    """Add files to a table's log in one commit: append them, or overwrite `seasons` (None: the whole table)."""
    for file in files:
        checksums.remember_hash(file.name, file.sha256)
    # a table that is overwritten completely gets the current columns
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


def overwrite_by_key(
    root: Location, delta: DeltaTable, table: Table, rows: pl.DataFrame, properties: CommitProperties
) -> None:
    """Replace the rows that have the same keys. MERGE would too, but writes strings in a type that few readers know."""
    require_schema(table, rows)
    checksums.require_intact_files(root, table, list_live_files(delta))  # the other rows of these files are copied
    (key,) = table.key
    write_deltalake(
        delta,
        to_arrow(rows),
        mode="overwrite",
        predicate=f"{key} IN ({', '.join(str(int(value)) for value in rows[key])})",  # literals let delta-rs skip files
        writer_properties=WRITER_PROPERTIES,
        commit_properties=properties,
        post_commithook_properties=POST_COMMIT,
    )


def locate_last_commit(delta: DeltaTable, folder: Path) -> Path:
    """Return the file of a table's newest commit."""
    return folder / commit_name(delta.version())


def sync_commits(root: Location, table: Table, delta: DeltaTable, *, since: int | None = None) -> None:
    """Sync to disk a handle's newest commit, or those since a version, with checkpoints and the parent folders.

    A power cut could otherwise leave an empty checkpoint, and then the table cannot be opened. Then record the SHA-256
    of what was committed.
    """
    folder = locate_table(root, table)
    newest = delta.version()
    if isinstance(folder, Bucket) or isinstance(root, Bucket):
        checksums.record_commits(folder, [newest])  # a bucket stores what it has accepted
        return
    files: list[Path] = []
    for version in range(newest if since is None else min(since + 1, newest), newest + 1):
        log = folder / commit_name(version)
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        files += [log, *(folder / entry["add"]["path"] for entry in entries if "add" in entry)]
        if checkpoints := list(log.parent.glob(f"{log.stem}.checkpoint*")):
            files += [*checkpoints, log.parent / "_last_checkpoint"]
    location.fsync_paths(
        [*files, *{parent for file in files for parent in file.parents if parent.is_relative_to(root)}]
    )
    if since is None:
        checksums.record_commits(folder, [newest])
    else:
        checksums.record_recent_commits(folder, since, newest)
