"""Lakes with backups, and how to compare them."""

import hashlib
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from nhl_lake import catalog
from nhl_lake.backup.create import BackupSummary, create_backup
from nhl_lake.schema.table import Table
from nhl_lake.store.location import Location
from tests.support import lakes
from tests.support.commands import LEAGUE_NOW
from tests.support.fake_api import NOON, SilentReport, fixed_clock

NOW = datetime.fromisoformat(LEAGUE_NOW)


def back_up(root: Location, backups: Location, *, now: datetime = NOON, **options: Any) -> BackupSummary:
    """Back up a lake."""
    clock, report = fixed_clock(now), SilentReport()
    return create_backup(root, backups, clock=clock, report=report, command="nhl-lake backup create", **options)


def make_backup(root: Location, backups: Location, *, now: datetime = NOW) -> str:
    """Back up the sample league's lake. Return the name of the backup."""
    return back_up(root, backups, now=now).manifest.name


def copy_lake(root: Path, to: Path) -> Path:
    """Copy a lake, with the times of its files."""
    shutil.copytree(root, to)
    return to


def list_tables(root: Path) -> list[Table]:
    return [table for table in catalog.TABLES if (lakes.locate_table(root, table) / "_delta_log").is_dir()]


def read_table_states(root: Path) -> dict[str, tuple[int, str]]:
    """Return the version and a hash of all rows of each table of a lake."""
    return {
        table.name: (DeltaTable(lakes.locate_table(root, table)).version(), hash_table(root, table))
        for table in list_tables(root)
    }


def hash_all_tables(root: Path) -> dict[str, str]:
    """Return a hash of all rows of each table of a lake."""
    return {table.name: hash_table(root, table) for table in list_tables(root)}


def hash_table(root: Path, table: Table) -> str:
    """Return a hash of a table's rows that does not depend on their order."""
    found = lakes.read_rows(root, table)
    return f"{found.height} {found.hash_rows(seed=1).sort().hash(seed=2).sum()}"


def hash_files(root: Path) -> dict[str, str]:
    """Return the hash of every file of a folder, without locks."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file() and ".nhl-lake" not in file.parts
    }


def read_keys(root: Path, table: Table) -> set[tuple[Any, ...]]:
    return set(lakes.read_rows(root, table).select(table.key).rows())


def days_later(days: float) -> datetime:
    return NOW + timedelta(days=days)
