"""What is wrong with one table: its log, its data files and, read in full, what they hold. Nothing is changed here."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from nhl_lake.backup import log_packs
from nhl_lake.backup.manifest import Saved
from nhl_lake.errors import LakeError, is_panic
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location
from nhl_lake.store.delta import LOG, adds, commit_name
from nhl_lake.store.location import Place

HINT = f"{LOG}/_last_checkpoint"
NAMED = 3


class Damage(NamedTuple):
    """One thing that is wrong with a table, of a kind that `remedy` knows; files, by name, or commits, by version."""

    kind: str
    table: Table
    what: str
    files: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


class Seen(NamedTuple):
    """A table as it is examined: what a backup says of it (None: no backup has it), and its files with their sizes."""

    root: Place
    table: Table
    saved: Saved | None
    there: Mapping[str, int]

    def damage(self, kind: str, what: str, *, files: tuple[str, ...] = (), versions: tuple[int, ...] = ()) -> Damage:
        """Return a damage of this table."""
        return Damage(kind, self.table, what, files, versions)


def examine(root: Place, table: Table, saved: Saved | None, *, deep: bool) -> list[Damage]:
    """Tell what is wrong with a table; `deep` reads every byte of it."""
    folder = delta_tables.path(root, table)
    seen = Seen(root, table, saved, {file.name: file.size for file in location.files(folder)})
    if found := list(of_log(seen)):
        return found
    try:
        delta = delta_tables.handle(root, table)
    except LakeError as error:
        if spoilt := spoilt_checkpoints(seen):
            what = f"{len(spoilt)} of its checkpoints cannot be read, and its log suffices without"
            return [seen.damage("checkpoint", what, files=spoilt)]
        kind = "protocol" if is_of_newer_engine(str(error)) else "unreadable"
        return [seen.damage(kind, error.what.partition(": ")[2] or error.what)]
    found = [*of_history(seen, delta), *of_files(seen, delta)]
    if deep:
        gone = {name for damage in found for name in damage.files}
        found += [damage for name in live(delta) if name not in gone for damage in of_bytes(seen, name)]
        found += of_strays(seen, delta)
    return found


def is_of_newer_engine(text: str) -> bool:
    """Whether an error says that a table needs a newer reader or writer."""
    said = text.lower()
    return any(
        word in said for word in ("protocol", "reader version", "writer version", "table feature", "unsupported")
    )


def of_log(seen: Seen) -> Iterator[Damage]:
    """Tell what keeps a table from being opened: no log, a hint at a checkpoint that is not there, a gap, nothing."""
    log = log_packs.listed(delta_tables.path(seen.root, seen.table))
    if not log.commits and not log.checkpoints:
        holds = [name for name in seen.there if "#" not in name]
        yield seen.damage("no log", "its log is gone") if holds else seen.damage("missing", "it is not there")
        return
    whole = [v for v, names in log.checkpoints.items() if all(seen.there.get(f"{LOG}/{n}") for n in names)]
    lost = tuple(f"{LOG}/{n}" for v, names in log.checkpoints.items() if v not in whole for n in names)
    if HINT in seen.there and (lost or hinted(seen) not in whole):
        yield seen.damage("checkpoint", "its log points at a checkpoint that is gone or empty", files=lost)
    if not log.commits:
        return
    last = max(*log.commits, *whole, 0)
    needed = range(max([v for v in whole if v <= last], default=-1) + 1, last + 1)
    if gap := tuple(version for version in needed if version not in log.commits):
        yield seen.damage("gap", f"of its log {commits(gap)} {are(gap)} gone", versions=gap)
    if broken := tuple(version for version in needed if version in log.commits and is_broken(seen, version)):
        what = f"of its log {commits(broken)} {are(broken)} empty or cut off"
        yield seen.damage("broken commit", what, versions=broken)


def spoilt_checkpoints(seen: Seen) -> tuple[str, ...]:
    """Return the checkpoint files that cannot be read, if the log leads to the newest version without them."""
    log = log_packs.listed(delta_tables.path(seen.root, seen.table))
    spoilt = {v: names for v, names in log.checkpoints.items() if not all(is_parquet(seen, n) for n in names)}
    whole = [version for version in log.checkpoints if version not in spoilt]
    last = max(log.commits, default=-1)
    first = max((version for version in whole if version <= last), default=-1) + 1
    if not all(version in log.commits for version in range(first, last + 1)):
        return ()
    return tuple(f"{LOG}/{name}" for names in spoilt.values() for name in names)


def is_parquet(seen: Seen, name: str) -> bool:
    """Whether a file of a log can be read in full; raise if the store does not give it."""
    body = location.read(delta_tables.path(seen.root, seen.table), f"{LOG}/{name}")
    try:
        pl.read_parquet(body)
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            return False
        raise
    return True


def is_broken(seen: Seen, version: int) -> bool:
    """Whether a commit is empty, as a power cut leaves one that was not synced, or breaks off."""
    try:
        lines = [
            json.loads(line)
            for line in log_packs.commit(delta_tables.path(seen.root, seen.table), version).splitlines()
        ]
    except ValueError:
        return True
    return not lines


def commits(versions: tuple[int, ...]) -> str:
    """Name some commits."""
    some = ", ".join(map(str, versions[:NAMED])) + (" …" if len(versions) > NAMED else "")
    return f"commit {some}" if len(versions) == 1 else f"commits {some}"


def are(versions: tuple[int, ...]) -> str:
    """Return the verb for so many."""
    return "is" if len(versions) == 1 else "are"


def hinted(seen: Seen) -> int | None:
    """Return the version of the checkpoint that a log points at."""
    try:
        return int(json.loads(location.read(delta_tables.path(seen.root, seen.table), HINT))["version"])
    except (ValueError, KeyError, TypeError):
        return None


def of_history(seen: Seen, delta: DeltaTable) -> Iterator[Damage]:
    """Tell whether a table that only grows goes on from what was backed up: else a lost end does not show."""
    saved = seen.saved
    if saved is None or seen.table.layer in {"silver", "gold"}:
        return
    if str(delta.metadata().id) != saved.id:
        yield seen.damage("other table", f"it was made anew since the backup, which has {saved.rows:,} rows of it")
    elif delta.version() < saved.version:
        lost = tuple(range(delta.version() + 1, saved.version + 1))
        yield seen.damage(
            "behind",
            f"the end of its log is gone: it is at version {delta.version()}, the backup at {saved.version}",
            versions=lost,
        )
    elif commit_name(saved.version) in seen.there and (
        log_packs.head(delta_tables.path(seen.root, seen.table), saved.version) != saved.head
    ):
        yield seen.damage(
            "other history",
            f"its commit {saved.version} is not the one that was backed up: some were lost, and others written",
        )


def live(delta: DeltaTable) -> dict[str, int]:
    """Return the data files of a table with their sizes, as its log says."""
    files = adds(delta)
    return dict(files.select("path", "size_bytes").iter_rows()) if files.height else {}


def of_files(seen: Seen, delta: DeltaTable) -> Iterator[Damage]:
    """Tell which data files are gone, or not as long as they were written."""
    for name, size in live(delta).items():
        if name not in seen.there:
            yield seen.damage("file", f"its data file {name} is gone ({contents(delta, name)})", files=(name,))
        elif seen.there[name] != size:
            cut = f"has {seen.there[name]:,} bytes of {size:,}"
            yield seen.damage("file", f"its data file {name} {cut} ({contents(delta, name)})", files=(name,))


def contents(delta: DeltaTable, name: str) -> str:
    """Tell from the log what is in a data file: how many rows, and the first and last of what their keys are."""
    about = adds(delta).row(by_predicate=pl.col("path") == name, named=True)
    spans = [
        f"{column} {about[f'min.{column}']} to {about[f'max.{column}']}"
        for column in ("game_id", "game_date", "player_id", "team_id", "team_abbrev", "fetched_at")
        if about.get(f"min.{column}") is not None
    ]
    season = f"season {about['partition.season']}" if "partition.season" in about else None
    return ", ".join(filter(None, [f"{about['num_records']:,} rows", season, *spans]))


def of_bytes(seen: Seen, name: str) -> Iterator[Damage]:
    """Read a data file in full: hold it against the backup's SHA-256, and each page against its own."""
    body = b"".join(location.pieces(delta_tables.path(seen.root, seen.table), name))
    kept = {file.name: file.sha256 for file in seen.saved.files} if seen.saved else {}
    if name in kept and hashlib.sha256(body).hexdigest() != kept[name]:
        yield seen.damage("file", f"its data file {name} is not what was backed up: its SHA-256 differs", files=(name,))
        return
    try:
        rows = pl.read_parquet(
            body, columns=None if seen.table.layer != "bronze" else [*in_file(seen.table), "body", "sha256"]
        )
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            yield seen.damage(
                "file", f"its data file {name} cannot be read: {' '.join(str(error).split())[:120]}", files=(name,)
            )
            return
        raise
    if seen.table.layer == "bronze" and (bad := damaged_pages(seen.table, rows)):
        some = ", ".join(bad[:NAMED]) + (" …" if len(bad) > NAMED else "")
        what = f"its data file {name} holds {len(bad)} pages that are not what was kept: {some}"
        yield seen.damage("file", what, files=(name,))


def in_file(table: Table) -> list[str]:
    """Return the key of a page as far as it is in a data file: the partition is in its folder's name."""
    return [column for column in table.page_key if column != table.partition]


def damaged_pages(table: Table, rows: pl.DataFrame) -> list[str]:
    """Name the pages whose body is not the one that was kept."""
    names = pl.concat_str([pl.col(c).cast(pl.String) for c in in_file(table)] or [pl.lit("")], separator="/")
    return [
        name
        for name, body, kept in rows.select(names, "body", "sha256").iter_rows()
        if hashlib.sha256(body.encode()).hexdigest() != kept
    ]


def of_strays(seen: Seen, delta: DeltaTable) -> Iterator[Damage]:
    """Tell of data files that no commit names: what killed runs leave."""
    folder = delta_tables.path(seen.root, seen.table)
    named = set(live(delta))
    for version in log_packs.listed(folder).commits:
        named |= {
            entry["add"]["path"]
            for entry in map(json.loads, log_packs.commit(folder, version).splitlines())
            if "add" in entry
        }
    strays = tuple(n for n in seen.there if n.endswith(".parquet") and not n.startswith(LOG) and n not in named)
    if strays:
        yield seen.damage(
            "strays", f"{len(strays)} files are of runs that were killed: no commit names them", files=strays
        )
