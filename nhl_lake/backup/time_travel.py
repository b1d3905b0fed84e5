"""Restore a silver or gold table to an earlier version. Bronze and the ledger are append-only and never go back."""

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
    """A table restored to version `to`, committed at `of`; `version` is its new version."""

    table: str
    to: int
    of: datetime
    version: int


def require_built_table(table: Table) -> None:
    """Raise for an append-only table."""
    if table.layer in {"silver", "gold"}:
        return
    raise BadInput(
        f"{table.name} is append-only: an earlier version would lose the rows stored since.",
        f'No changes were made. Use `nhl-lake show {table.name} --where "fetched_at <= …"` to read it as of a time, or '
        "`nhl-lake rebuild --as-known-at WHEN --to DIR` to build silver and gold as of then.",
    )


def restore_version(
    root: Location, table: Table, *, to: int | datetime, now: datetime, command: str
) -> RestoredVersion:
    """Restore a table to a version, or to the version at a time, as a new commit."""
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


def find_version_at(table: Table, commits: Mapping[int, Mapping[str, Any]], at: datetime) -> int:
    """Return the version that a table had at a time."""
    earlier_versions = [version for version, entry in commits.items() if get_commit_time(entry) <= at]
    if not earlier_versions:
        first = get_commit_time(commits[min(commits)])
        raise BadInput(
            f"{table.name} was first written on {first:%Y-%m-%d at %H:%M:%S} UTC, after that.", "Use a later --as-of."
        )
    return max(earlier_versions)


def get_commit_time(entry: Mapping[str, Any]) -> datetime:
    """Return the time of a commit from its content: the file's time may be that of a copy."""
    return datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)


def find_lineage(commits: Mapping[int, Mapping[str, Any]], version: int) -> str | None:
    """Return a table's lineage at a version. Without it, the next rebuild would treat the table as up to date."""
    for earlier in sorted((v for v in commits if v <= version), reverse=True):
        if lineage.LINEAGE_KEY in commits[earlier]:
            return str(commits[earlier][lineage.LINEAGE_KEY])
    return None


def commit_restore(root: Location, table: Table, delta: DeltaTable, version: int, lineage_text: str | None) -> None:
    """Commit the restore of a table to a version."""
    try:
        delta.restore(
            version, commit_properties=make_commit_properties(delta, {lineage.LINEAGE_KEY: lineage_text or "{}"})
        )
    except (DeltaError, OSError) as error:
        raise LakeError(
            f"Cannot restore {table.name} to version {version}: {' '.join(str(error).split())[:200]}",
            "No changes were made. Maintenance removed its files. Run `nhl-lake restore --from-backup NAME "
            f"--table {table.name}` to restore them, or `nhl-lake rebuild {table.name}` to rebuild the table.",
        ) from error
    delta_tables.sync_commits(root, table, delta)
