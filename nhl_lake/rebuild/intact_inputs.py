"""Check the data files that a rebuild reads or rewrites against their recorded SHA-256, each once."""

from collections.abc import Iterable

import polars as pl

from nhl_lake.rebuild.build import is_input_season
from nhl_lake.rebuild.lineage import BuildSnapshot
from nhl_lake.rebuild.publish import PublishTask
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import checksums, delta_tables
from nhl_lake.store.delta import read_add_actions

Verified = set[tuple[object, ...]]  # the files, and the seasons of a table's version, that were checked


def require_intact_inputs(bronze: BuildSnapshot, task: PublishTask, verified: Verified) -> None:
    """Raise if a file that a task reads is damaged, or one whose other rows it copies when it replaces some games."""
    rewritten = [task.table] if task.games is not None else []
    for table in (*task.table.inputs, *rewritten):
        for partition in {*task.lineage, *task.partitions}:
            seen = (table.name, bronze.versions[table.name], partition, task.table.prior_seasons)
            if seen not in verified:
                require_intact_partition(bronze, table, partition, task.table, verified)
                verified.add(seen)
    if (QUARANTINE.name,) not in verified:  # each task may replace its rows in it
        quarantine = delta_tables.open_table(bronze.target_root, QUARANTINE)
        checksums.require_intact_files(bronze.target_root, QUARANTINE, list_paths(read_add_actions(quarantine)))
        verified.add((QUARANTINE.name,))


def require_intact_partition(
    bronze: BuildSnapshot, table: Table, partition: str, built: Table, verified: Verified
) -> None:
    """Raise if a file of a table that has rows for a partition of the table to build is damaged."""
    files = read_add_actions(bronze.handle(table))
    if files.is_empty():
        return
    if table.partition:
        seasons = files[f"partition.{table.partition}"].cast(pl.String)
        files = files.filter(pl.Series([is_input_season(partition, built, season) for season in seasons]))
    new = [name for name in list_paths(files) if (table.name, name) not in verified]
    root = bronze.source_root if table.is_stored else bronze.target_root
    if new:
        checksums.require_intact_files(root, table, new)
        verified.update((table.name, name) for name in new)


def list_paths(files: pl.DataFrame) -> Iterable[str]:
    """Return the names of data files."""
    return files["path"].to_list() if files.height else []
