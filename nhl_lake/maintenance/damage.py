"""What is wrong with one table: its log, its data files and, read in full, what they hold. Nothing is changed here."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.backup import log_packs
from nhl_lake.backup.manifest import TableBackup
from nhl_lake.errors import LakeError, is_panic
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location
from nhl_lake.store.delta import DELTA_LOG, commit_name, read_add_actions
from nhl_lake.store.location import Location

LAST_CHECKPOINT = f"{DELTA_LOG}/_last_checkpoint"
MAX_NAMED = 3


class Damage(NamedTuple):
    """One thing that is wrong with a table, of a kind that `remedy` knows; files, by name, or commits, by version."""

    kind: str
    table: Table
    what: str
    files: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


class ExaminedTable(NamedTuple):
    """A table as it is examined: what a backup says of it (None: no backup has it), and its files with their sizes."""

    root: Location
    table: Table
    saved: TableBackup | None
    file_sizes: Mapping[str, int]

    def make_damage(
        self, kind: str, what: str, *, files: tuple[str, ...] = (), versions: tuple[int, ...] = ()
    ) -> Damage:
        """Return a damage of this table."""
        return Damage(kind, self.table, what, files, versions)


def examine_table(root: Location, table: Table, saved: TableBackup | None, *, deep: bool) -> list[Damage]:
    """Tell what is wrong with a table; `deep` reads every byte of it."""
    folder = delta_tables.locate_table(root, table)
    seen = ExaminedTable(root, table, saved, {file.name: file.size for file in location.list_files(folder)})
    if found := list(check_log(seen)):
        return found
    try:
        delta = delta_tables.open_table(root, table)
    except LakeError as error:
        if spoilt := find_unreadable_checkpoints(seen):
            what = f"{len(spoilt)} of its checkpoints cannot be read, and its log suffices without"
            return [seen.make_damage("checkpoint", what, files=spoilt)]
        kind = "protocol" if needs_newer_engine(str(error)) else "unreadable"
        return [seen.make_damage(kind, error.message.partition(": ")[2] or error.message)]
    found = [*check_history(seen, delta), *check_data_files(seen, delta)]
    if deep:
        gone = {name for damage in found for name in damage.files}
        found += [
            damage for name in list_live_files(delta) if name not in gone for damage in check_file_content(seen, name)
        ]
        found += check_orphan_files(seen, delta)
    return found


def needs_newer_engine(text: str) -> bool:
    """Whether an error says that a table needs a newer reader or writer."""
    said = text.lower()
    return any(
        word in said for word in ("protocol", "reader version", "writer version", "table feature", "unsupported")
    )


def check_log(seen: ExaminedTable) -> Iterator[Damage]:
    """Tell what keeps a table from being opened: no log, a hint at a checkpoint that is not there, a gap, nothing."""
    log = log_packs.list_log(delta_tables.locate_table(seen.root, seen.table))
    if not log.commits and not log.checkpoints:
        holds = [name for name in seen.file_sizes if "#" not in name]
        yield seen.make_damage("no log", "its log is gone") if holds else seen.make_damage("missing", "it is not there")
        return
    whole = [v for v, names in log.checkpoints.items() if all(seen.file_sizes.get(f"{DELTA_LOG}/{n}") for n in names)]
    lost = tuple(f"{DELTA_LOG}/{n}" for v, names in log.checkpoints.items() if v not in whole for n in names)
    if LAST_CHECKPOINT in seen.file_sizes and (lost or read_last_checkpoint(seen) not in whole):
        yield seen.make_damage("checkpoint", "its log points at a checkpoint that is gone or empty", files=lost)
    if not log.commits:
        return
    last = max(*log.commits, *whole, 0)
    needed = range(max([v for v in whole if v <= last], default=-1) + 1, last + 1)
    if gap := tuple(version for version in needed if version not in log.commits):
        yield seen.make_damage("gap", f"of its log {format_commits(gap)} {choose_verb(gap)} gone", versions=gap)
    if broken := tuple(version for version in needed if version in log.commits and is_broken_commit(seen, version)):
        what = f"of its log {format_commits(broken)} {choose_verb(broken)} empty or cut off"
        yield seen.make_damage("broken commit", what, versions=broken)


def find_unreadable_checkpoints(seen: ExaminedTable) -> tuple[str, ...]:
    """Return the checkpoint files that cannot be read, if the log leads to the newest version without them."""
    log = log_packs.list_log(delta_tables.locate_table(seen.root, seen.table))
    spoilt = {v: names for v, names in log.checkpoints.items() if not all(is_readable_parquet(seen, n) for n in names)}
    whole = [version for version in log.checkpoints if version not in spoilt]
    last = max(log.commits, default=-1)
    first = max((version for version in whole if version <= last), default=-1) + 1
    if not all(version in log.commits for version in range(first, last + 1)):
        return ()
    return tuple(f"{DELTA_LOG}/{name}" for names in spoilt.values() for name in names)


def is_readable_parquet(seen: ExaminedTable, name: str) -> bool:
    """Whether a file of a log can be read in full; raise if the store does not give it."""
    body = location.read_file(delta_tables.locate_table(seen.root, seen.table), f"{DELTA_LOG}/{name}")
    try:
        pl.read_parquet(body)
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def is_broken_commit(seen: ExaminedTable, version: int) -> bool:
    """Whether a commit is empty, as a power cut leaves one that was not synced, or breaks off."""
    try:
        lines = [
            json.loads(line)
            for line in log_packs.read_commit_bytes(
                delta_tables.locate_table(seen.root, seen.table), version
            ).splitlines()
        ]
    except ValueError:
        return True
    return not lines


def format_commits(versions: tuple[int, ...]) -> str:
    """Name some commits."""
    some = ", ".join(map(str, versions[:MAX_NAMED])) + (" …" if len(versions) > MAX_NAMED else "")
    return f"commit {some}" if len(versions) == 1 else f"commits {some}"


def choose_verb(versions: tuple[int, ...]) -> str:
    """Return the verb for so many."""
    return "is" if len(versions) == 1 else "are"


def read_last_checkpoint(seen: ExaminedTable) -> int | None:
    """Return the version of the checkpoint that a log points at."""
    try:
        return int(
            json.loads(location.read_file(delta_tables.locate_table(seen.root, seen.table), LAST_CHECKPOINT))["version"]
        )
    except (ValueError, KeyError, TypeError):
        return None


def check_history(seen: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Tell whether a table that only grows goes on from what was backed up: else a lost end does not show."""
    saved = seen.saved
    if saved is None or seen.table.layer in {"silver", "gold"}:
        return
    if str(delta.metadata().id) != saved.id:
        yield seen.make_damage("other table", f"it was made anew since the backup, which has {saved.rows:,} rows of it")
    elif delta.version() < saved.version:
        lost = tuple(range(delta.version() + 1, saved.version + 1))
        yield seen.make_damage(
            "behind",
            f"the end of its log is gone: it is at version {delta.version()}, the backup at {saved.version}",
            versions=lost,
        )
    elif commit_name(saved.version) in seen.file_sizes and (
        log_packs.hash_commit(delta_tables.locate_table(seen.root, seen.table), saved.version) != saved.head
    ):
        yield seen.make_damage(
            "other history",
            f"its commit {saved.version} is not the one that was backed up: some were lost, and others written",
        )


def list_live_files(delta: DeltaTable) -> dict[str, int]:
    """Return the data files of a table with their sizes, as its log says."""
    files = read_add_actions(delta)
    return dict(files.select("path", "size_bytes").iter_rows()) if files.height else {}


def check_data_files(seen: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Tell which data files are gone, or not as long as they were written."""
    for name, size in list_live_files(delta).items():
        if name not in seen.file_sizes:
            yield seen.make_damage(
                "file", f"its data file {name} is gone ({describe_data_file(delta, name)})", files=(name,)
            )
        elif seen.file_sizes[name] != size:
            cut = f"has {seen.file_sizes[name]:,} bytes of {size:,}"
            yield seen.make_damage(
                "file", f"its data file {name} {cut} ({describe_data_file(delta, name)})", files=(name,)
            )


def describe_data_file(delta: DeltaTable, name: str) -> str:
    """Tell from the log what is in a data file: how many rows, and the first and last of what their keys are."""
    about = read_add_actions(delta).row(by_predicate=pl.col("path") == name, named=True)
    spans = [
        f"{column} {about[f'min.{column}']} to {about[f'max.{column}']}"
        for column in ("game_id", "game_date", "player_id", "team_id", "team_abbrev", "fetched_at")
        if about.get(f"min.{column}") is not None
    ]
    season = f"season {about['partition.season']}" if "partition.season" in about else None
    return ", ".join(filter(None, [f"{about['num_records']:,} rows", season, *spans]))


def check_file_content(seen: ExaminedTable, name: str) -> Iterator[Damage]:
    """Read a data file in full: hold it against the backup's SHA-256, and each page against its own."""
    body = b"".join(location.read_chunks(delta_tables.locate_table(seen.root, seen.table), name))
    kept = {file.name: file.sha256 for file in seen.saved.files} if seen.saved else {}
    if name in kept and hashlib.sha256(body).hexdigest() != kept[name]:
        yield seen.make_damage(
            "file", f"its data file {name} is not what was backed up: its SHA-256 differs", files=(name,)
        )
        return
    try:
        rows = pl.read_parquet(
            body, columns=None if seen.table.layer != "bronze" else [*list_file_keys(seen.table), "body", "sha256"]
        )
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            yield seen.make_damage(
                "file", f"its data file {name} cannot be read: {' '.join(str(error).split())[:120]}", files=(name,)
            )
            return
        raise
    if seen.table.layer == "bronze" and (bad := find_damaged_pages(seen.table, rows)):
        some = ", ".join(bad[:MAX_NAMED]) + (" …" if len(bad) > MAX_NAMED else "")
        what = f"its data file {name} holds {len(bad)} pages that are not what was kept: {some}"
        yield seen.make_damage("file", what, files=(name,))


def list_file_keys(table: Table) -> list[str]:
    """Return the key of a page as far as it is in a data file: the partition is in its folder's name."""
    return [column for column in table.page_key if column != table.partition]


def find_damaged_pages(table: Table, rows: pl.DataFrame) -> list[str]:
    """Name the pages whose body is not the one that was kept."""
    names = pl.concat_str([pl.col(c).cast(pl.String) for c in list_file_keys(table)] or [pl.lit("")], separator="/")
    return [
        name
        for name, body, kept in rows.select(names, "body", "sha256").iter_rows()
        if hashlib.sha256(body.encode()).hexdigest() != kept
    ]


def check_orphan_files(seen: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Tell of data files that no commit names: what killed runs leave."""
    folder = delta_tables.locate_table(seen.root, seen.table)
    named = set(list_live_files(delta))
    for version in log_packs.list_log(folder).commits:
        named |= {
            entry["add"]["path"]
            for entry in map(json.loads, log_packs.read_commit_bytes(folder, version).splitlines())
            if "add" in entry
        }
    strays = tuple(
        n for n in seen.file_sizes if n.endswith(".parquet") and not n.startswith(DELTA_LOG) and n not in named
    )
    if strays:
        yield seen.make_damage(
            "strays", f"{len(strays)} files are of runs that were killed: no commit names them", files=strays
        )
