"""Find the damage of one table: its log, its data files and, with `deep`, their content. Read-only."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.backup import log_packs
from nhl_lake.backup.manifest import TableBackup
from nhl_lake.errors import LakeError, is_panic, raise_shortage
from nhl_lake.maintenance.compaction import DATA_NAME
from nhl_lake.schema.digest import hash_texts
from nhl_lake.schema.table import Table
from nhl_lake.store import checksums, delta_tables, location
from nhl_lake.store.checksums import RecordedChecksums
from nhl_lake.store.delta import DELTA_LOG, commit_name, list_live_files, read_add_actions
from nhl_lake.store.location import Location
from nhl_lake.text import format_count

LAST_CHECKPOINT = f"{DELTA_LOG}/_last_checkpoint"
MAX_NAMED = 3


class Damage(NamedTuple):
    """One damage of a table, of a kind that `repair` knows: files by name, or commits by version."""

    kind: str
    table: Table
    what: str
    files: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


class ExaminedTable(NamedTuple):
    """A table under examination: its entry in a backup (None: no backup has it), its files' sizes and checksums."""

    root: Location
    table: Table
    saved: TableBackup | None
    file_sizes: Mapping[str, int]
    recorded: RecordedChecksums  # empty unless every byte is read

    def make_damage(
        self, kind: str, what: str, *, files: tuple[str, ...] = (), versions: tuple[int, ...] = ()
    ) -> Damage:
        """Return a damage of this table."""
        return Damage(kind, self.table, what, files, versions)


def examine_table(root: Location, table: Table, saved: TableBackup | None, *, deep: bool) -> list[Damage]:
    """Return the damage of a table; `deep` reads every byte."""
    folder = delta_tables.locate_table(root, table)
    sizes = {file.name: file.size for file in location.list_files(folder)}
    recorded = checksums.read_checksums(folder) if deep else RecordedChecksums({})
    examined = ExaminedTable(root, table, saved, sizes, recorded)
    if found := [*check_log(examined), *check_checkpoints(examined)]:
        return found
    try:
        delta = delta_tables.open_table(root, table)
    except LakeError as error:
        if unreadable := find_unreadable_checkpoints(examined):
            what = f"{len(unreadable)} of its checkpoints cannot be read; the log is complete without them"
            return [examined.make_damage("checkpoint", what, files=unreadable)]
        kind = "protocol" if needs_newer_engine(str(error)) else "unreadable"
        return [examined.make_damage(kind, error.message.partition(": ")[2] or error.message)]
    found = [*check_history(examined, delta), *check_data_files(examined, delta)]
    if deep:
        damaged_files = {name for damage in found for name in damage.files}
        found += [
            damage
            for name in list_live_files(delta)
            if name not in damaged_files
            for damage in check_file_content(examined, name)
        ]
        found += check_orphan_files(examined, delta)
        found += check_replaced_files(examined, delta)
        found += check_records(examined, delta)
    return found


def needs_newer_engine(text: str) -> bool:
    """Return whether an error says that a table needs a newer reader or writer."""
    message = text.lower()
    return any(
        word in message for word in ("protocol", "reader version", "writer version", "table feature", "unsupported")
    )


def check_log(examined: ExaminedTable) -> Iterator[Damage]:
    """Yield what prevents a table from being opened: no log, a missing checkpoint, missing or broken commits."""
    log = log_packs.list_log(delta_tables.locate_table(examined.root, examined.table))
    if not log.commits and not log.checkpoints:
        has_files = any("#" not in name for name in examined.file_sizes)
        yield examined.make_damage(*(("no log", "its log is missing") if has_files else ("missing", "it is missing")))
        return
    complete = [
        v for v, names in log.checkpoints.items() if all(examined.file_sizes.get(f"{DELTA_LOG}/{n}") for n in names)
    ]
    lost = tuple(f"{DELTA_LOG}/{n}" for v, names in log.checkpoints.items() if v not in complete for n in names)
    if LAST_CHECKPOINT in examined.file_sizes and (lost or read_last_checkpoint(examined) not in complete):
        yield examined.make_damage("checkpoint", "its log points to a checkpoint that is missing or empty", files=lost)
    if not log.commits:
        return
    last = max(*log.commits, *complete, 0)
    needed = range(max([v for v in complete if v <= last], default=-1) + 1, last + 1)
    if gap := tuple(version for version in needed if version not in log.commits):
        yield examined.make_damage("gap", f"{format_commits(gap)} of its log {choose_verb(gap)} missing", versions=gap)
    broken = tuple(version for version in needed if version in log.commits and is_broken_commit(examined, version))
    if broken:
        what = f"{format_commits(broken)} of its log {choose_verb(broken)} empty or truncated"
        yield examined.make_damage("broken commit", what, versions=broken)
    elif changed := find_changed_commits(examined, log.commits):
        what = f"{format_commits(changed)} of its log {choose_verb(changed)} damaged: the SHA-256 differs"
        yield examined.make_damage("broken commit", what, versions=changed)


def find_changed_commits(examined: ExaminedTable, versions: Iterable[int]) -> tuple[int, ...]:
    """Return the commits whose text does not have its recorded hash."""
    folder = delta_tables.locate_table(examined.root, examined.table)
    recorded = (version for version in sorted(versions) if commit_name(version) in examined.recorded.hashes)
    return tuple(
        version
        for version in recorded
        if not examined.recorded.is_intact(commit_name(version), log_packs.hash_commit(folder, version))
    )


def check_checkpoints(examined: ExaminedTable) -> Iterator[Damage]:
    """Yield the checkpoints that do not have their recorded hash."""
    folder = delta_tables.locate_table(examined.root, examined.table)
    names = [name for name in examined.file_sizes if name.startswith(DELTA_LOG) and name.endswith(".parquet")]
    if damaged := tuple(name for name in names if not is_recorded_content(examined, folder, name)):
        yield examined.make_damage("checkpoint", "a checkpoint is damaged: its SHA-256 differs", files=damaged)


def is_recorded_content(examined: ExaminedTable, folder: Location, name: str) -> bool:
    """Return whether a file has its recorded hash, or none is recorded."""
    if name not in examined.recorded.hashes:
        return True
    return examined.recorded.is_intact(name, checksums.hash_file(folder, name))


def find_unreadable_checkpoints(examined: ExaminedTable) -> tuple[str, ...]:
    """Return the unreadable checkpoint files, if the log is complete without them."""
    log = log_packs.list_log(delta_tables.locate_table(examined.root, examined.table))
    unreadable = {
        v: names for v, names in log.checkpoints.items() if not all(is_readable_parquet(examined, n) for n in names)
    }
    complete = [version for version in log.checkpoints if version not in unreadable]
    last = max(log.commits, default=-1)
    first = max((version for version in complete if version <= last), default=-1) + 1
    if not all(version in log.commits for version in range(first, last + 1)):
        return ()
    return tuple(f"{DELTA_LOG}/{name}" for names in unreadable.values() for name in names)


def is_readable_parquet(examined: ExaminedTable, name: str) -> bool:
    """Return whether a Parquet file of the log can be read; raise if the store cannot deliver it."""
    body = location.read_file(delta_tables.locate_table(examined.root, examined.table), f"{DELTA_LOG}/{name}")
    try:
        pl.read_parquet(body)
    except BaseException as error:
        raise_shortage(error)
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def is_broken_commit(examined: ExaminedTable, version: int) -> bool:
    """Return whether a commit is empty, as after a power cut, or truncated."""
    try:
        lines = [
            json.loads(line)
            for line in log_packs.read_commit_bytes(
                delta_tables.locate_table(examined.root, examined.table), version
            ).splitlines()
        ]
    except ValueError:
        return True
    return not lines


def format_commits(versions: tuple[int, ...]) -> str:
    """Format commit versions for a message."""
    shown = ", ".join(map(str, versions[:MAX_NAMED])) + (" …" if len(versions) > MAX_NAMED else "")
    return f"commit {shown}" if len(versions) == 1 else f"commits {shown}"


def choose_verb(versions: tuple[int, ...]) -> str:
    """Return "is" or "are"."""
    return "is" if len(versions) == 1 else "are"


def read_last_checkpoint(examined: ExaminedTable) -> int | None:
    """Return the version of the checkpoint that the log points to."""
    try:
        return int(
            json.loads(location.read_file(delta_tables.locate_table(examined.root, examined.table), LAST_CHECKPOINT))[
                "version"
            ]
        )
    except (ValueError, KeyError, TypeError):
        return None


def check_history(examined: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Yield damage if a table lacks commits at its end that were recorded, or does not continue its backup."""
    folder = delta_tables.locate_table(examined.root, examined.table)
    newest = max(map(checksums.parse_version, examined.file_sizes), default=-1)
    is_lost = newest > delta.version() and commit_name(newest) not in examined.file_sizes
    saved = examined.saved
    if is_lost and (saved is None or saved.version <= delta.version()):
        lost = tuple(range(delta.version() + 1, newest + 1))
        what = f"the end of its log is missing: it is at version {delta.version()}, its checksums at {newest}"
        yield examined.make_damage("behind", what, versions=lost)
        return
    if saved is None or examined.table.layer in {"silver", "gold", "external"}:
        return
    if str(delta.metadata().id) != saved.id:
        yield examined.make_damage(
            "other table", f"it was created again after the backup, which has {format_count(saved.rows, 'row')} of it"
        )
    elif delta.version() < saved.version:
        lost = tuple(range(delta.version() + 1, saved.version + 1))
        yield examined.make_damage(
            "behind",
            f"the end of its log is missing: it is at version {delta.version()}, the backup at {saved.version}",
            versions=lost,
        )
    elif commit_name(saved.version) in examined.file_sizes and (
        log_packs.hash_commit(folder, saved.version) != saved.head
    ):
        yield examined.make_damage(
            "other history",
            f"its commit {saved.version} differs from the backup: commits were lost and others written",
        )


def check_data_files(examined: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Yield data files that are missing or have the wrong size."""
    for name, size in list_live_files(delta).items():
        if name not in examined.file_sizes:
            yield examined.make_damage(
                "file", f"its data file {name} is missing ({describe_data_file(delta, name)})", files=(name,)
            )
        elif examined.file_sizes[name] != size:
            actual = f"has {examined.file_sizes[name]:,} bytes of {size:,}"
            yield examined.make_damage(
                "file", f"its data file {name} {actual} ({describe_data_file(delta, name)})", files=(name,)
            )


def describe_data_file(delta: DeltaTable, name: str) -> str:
    """Describe a data file from the log: its row count, season and key ranges."""
    stats = read_add_actions(delta).row(by_predicate=pl.col("path") == name, named=True)
    spans = [
        f"{column} {stats[f'min.{column}']} to {stats[f'max.{column}']}"
        for column in ("game_id", "game_date", "player_id", "team_id", "team_abbrev", "fetched_at")
        if stats.get(f"min.{column}") is not None
    ]
    season = f"season {stats['partition.season']}" if "partition.season" in stats else None
    return ", ".join(filter(None, [format_count(stats["num_records"], "row"), season, *spans]))


def check_file_content(examined: ExaminedTable, name: str) -> Iterator[Damage]:
    """Read a data file in full: check it against the backup's SHA-256, and each page against its own."""
    body = b"".join(location.read_chunks(delta_tables.locate_table(examined.root, examined.table), name))
    if not examined.recorded.is_intact(name, checksums.hash_bytes(body)):
        yield examined.make_damage(
            "file", f"its data file {name} is damaged: its SHA-256 differs from the recorded one", files=(name,)
        )
        return
    expected = {file.name: file.sha256 for file in examined.saved.files} if examined.saved else {}
    if name in expected and hashlib.sha256(body).hexdigest() != expected[name]:
        yield examined.make_damage(
            "file", f"its data file {name} differs from the backup: its SHA-256 is wrong", files=(name,)
        )
        return
    try:
        rows = pl.read_parquet(
            body,
            columns=None if examined.table.layer != "bronze" else [*list_file_keys(examined.table), "body", "sha256"],
        )
    except BaseException as error:
        raise_shortage(error)
        if isinstance(error, Exception) or is_panic(error):
            yield examined.make_damage(
                "file", f"its data file {name} cannot be read: {' '.join(str(error).split())[:120]}", files=(name,)
            )
            return
        raise
    if examined.table.layer == "bronze" and (damaged := find_damaged_pages(examined.table, rows)):
        shown = ", ".join(damaged[:MAX_NAMED]) + (" …" if len(damaged) > MAX_NAMED else "")
        what = f"its data file {name} has {format_count(len(damaged), 'page')} whose SHA-256 is wrong: {shown}"
        yield examined.make_damage("file", what, files=(name,))


def list_file_keys(table: Table) -> list[str]:
    """Return the page key columns in a data file: the partition column is only in its folder's name."""
    return [column for column in table.page_key if column != table.partition]


def find_damaged_pages(table: Table, rows: pl.DataFrame) -> list[str]:
    """Return the names of the pages whose body does not match its SHA-256."""
    names = pl.concat_str([pl.col(c).cast(pl.String) for c in list_file_keys(table)] or [pl.lit("")], separator="/")
    is_damaged = rows["sha256"].ne_missing(hash_texts(rows["body"]))
    return rows.filter(is_damaged).select(names.alias("page"))["page"].to_list()


def check_replaced_files(examined: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Yield the files of older versions that do not have their recorded hash."""
    folder, live = delta_tables.locate_table(examined.root, examined.table), list_live_files(delta)
    names = [name for name in examined.file_sizes if DATA_NAME.fullmatch(name) and name not in live]
    for name in names:
        if not is_recorded_content(examined, folder, name):
            yield examined.make_damage(
                "old file", f"its data file {name} of an older version is damaged: its SHA-256 differs", files=(name,)
            )


def check_records(examined: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Yield the files of checksums that are damaged themselves, and how many files have no checksum."""
    if examined.recorded.damaged:
        what = f"{len(examined.recorded.damaged)} of its files of checksums are damaged"
        yield examined.make_damage("checksums", what, files=examined.recorded.damaged)
    elif missing := [name for name in list_live_files(delta) if name not in examined.recorded.hashes]:
        yield examined.make_damage("unrecorded", f"{len(missing)} of its data files have no recorded SHA-256 yet")


def find_commits_unlike_backup(
    root: Location, backups: Location, table: Table, saved: Iterable[TableBackup]
) -> tuple[int, ...]:
    """Return the commits of a table that differ from a backup whose later commits are the table's."""
    folder = delta_tables.locate_table(root, table)
    present = log_packs.list_log(folder).commits
    for one in saved:
        if one.version not in present or log_packs.hash_commit(folder, one.version) != one.head:
            continue  # the table did not continue this backup, or its end is damaged
        try:
            texts = dict(log_packs.read_packed_commits(backups, one))
        except (LakeError, FileNotFoundError):
            continue  # `nhl-lake backup verify` names it; an older backup may have the commits
        common = sorted(texts.keys() & present)
        return tuple(v for v in common if log_packs.read_commit_bytes(folder, v) != texts[v])
    return ()


def check_orphan_files(examined: ExaminedTable, delta: DeltaTable) -> Iterator[Damage]:
    """Yield the data files that no commit refers to: killed runs leave them."""
    folder = delta_tables.locate_table(examined.root, examined.table)
    referenced = set(list_live_files(delta))
    for version in log_packs.list_log(folder).commits:
        referenced |= {
            entry["add"]["path"]
            for entry in map(json.loads, log_packs.read_commit_bytes(folder, version).splitlines())
            if "add" in entry
        }
    strays = tuple(name for name in examined.file_sizes if DATA_NAME.fullmatch(name) and name not in referenced)
    if strays:
        yield examined.make_damage(
            "strays", f"{format_count(len(strays), 'file')} of killed runs: no commit refers to them", files=strays
        )
