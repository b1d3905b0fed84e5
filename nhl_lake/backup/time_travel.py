"""A silver or gold table taken back in time; bronze and the ledger only grow, and are read as of a time instead."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.rebuild import lineage
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, locks
from nhl_lake.store.delta import make_commit_properties
from nhl_lake.store.location import Location


class RestoredVersion(NamedTuple):
    """A table that was taken back: to which of its versions, of when, and the version that it has now."""

    table: str
    to: int
    of: datetime
    version: int


def require_built_table(table: Table) -> None:
    """Raise for a table whose rows are never taken away."""
    if table.layer in {"silver", "gold"}:
        return
    raise BadInput(
        f"{table.name} only grows: to take it back in time would lose what was kept since.",
        f'Nothing was changed. `nhl-lake show {table.name} --where "fetched_at <= …"` reads it as of a time, and '
        "`nhl-lake rebuild --as-known-at WHEN --to DIR` makes silver and gold as they could have been made then.",
    )


def restore_version(
    root: Location, table: Table, *, to: int | datetime, now: datetime, command: str
) -> RestoredVersion:
    """Make a table what it was at a version, or at a moment by the clock of its commits: as a new commit."""
    require_built_table(table)
    with locks.hold_lock(root, command, now=now):
        delta = delta_tables.open_table(root, table)
        commits = {int(entry["version"]): entry for entry in delta.history()}
        version = to if isinstance(to, int) else find_version_at(table, commits, to)
        if version not in commits or version > delta.version():
            raise BadInput(
                f"{table.name} has no version {version}.", f"Its versions are {min(commits)} to {delta.version()}."
            )
        commit_restore(root, table, delta, version, find_lineage(commits, version))
        return RestoredVersion(table.name, version, get_commit_time(commits[version]), delta.version())


def find_version_at(table: Table, commits: Mapping[int, Mapping[str, Any]], moment: datetime) -> int:
    """Return the newest version of a table that was there at a moment."""
    there = [version for version, entry in commits.items() if get_commit_time(entry) <= moment]
    if not there:
        first = get_commit_time(commits[min(commits)])
        raise BadInput(
            f"{table.name} was first written on {first:%Y-%m-%d at %H:%M:%S} UTC, after that.", "Give a later --as-of."
        )
    return max(there)


def get_commit_time(entry: Mapping[str, Any]) -> datetime:
    """Return when a commit was made, by what it says itself: a file's time is that of its last copy."""
    return datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)


def find_lineage(commits: Mapping[int, Mapping[str, Any]], version: int) -> str | None:
    """Return what a table was made of at a version: else the next rebuild would take it for what it was since."""
    for earlier in sorted((v for v in commits if v <= version), reverse=True):
        if lineage.LINEAGE_KEY in commits[earlier]:
            return str(commits[earlier][lineage.LINEAGE_KEY])
    return None


def commit_restore(root: Location, table: Table, delta: DeltaTable, version: int, said: str | None) -> None:
    """Commit what a table was at a version."""
    try:
        delta.restore(version, commit_properties=make_commit_properties(delta, {lineage.LINEAGE_KEY: said or "{}"}))
    except (DeltaError, OSError) as error:
        raise LakeError(
            f"{table.name} cannot be taken back to version {version}: {' '.join(str(error).split())[:200]}",
            "Nothing was changed. Its files were removed by upkeep: `nhl-lake restore --from-backup NAME "
            f"--table {table.name}` brings them back, `nhl-lake rebuild {table.name}` makes it again.",
        ) from error
    delta_tables.sync_commits(root, table, delta)
