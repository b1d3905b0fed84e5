"""Lakes with backups, and what is compared of them."""

import hashlib
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from nhl_lake import catalog
from nhl_lake.backup.create import backup
from nhl_lake.schema.table import Table
from nhl_lake.store.location import Place
from tests.conftest import LEAGUE_NOW
from tests.support import lakes
from tests.support.fake_api import Silent

NOW = datetime.fromisoformat(LEAGUE_NOW)


def save(root: Place, backups: Place, *, now: datetime = NOW) -> str:
    """Back a lake up, and return the name of the backup."""
    return backup(root, backups, clock=lambda: now, report=Silent(), command="nhl-lake backup").manifest.name


def copied(root: Path, to: Path) -> Path:
    """Return a copy of a lake, with the times of its files."""
    shutil.copytree(root, to)
    return to


def tables(root: Path) -> list[Table]:
    return [table for table in catalog.TABLES if (lakes.folder(root, table) / "_delta_log").is_dir()]


def contents(root: Path) -> dict[str, tuple[int, str]]:
    """Return version and a hash of all rows, in the order of their keys, of each table of a lake."""
    return {
        table.name: (DeltaTable(lakes.folder(root, table)).version(), digest(root, table)) for table in tables(root)
    }


def rows(root: Path) -> dict[str, str]:
    """Return a hash of all rows of each table of a lake."""
    return {table.name: digest(root, table) for table in tables(root)}


def digest(root: Path, table: Table) -> str:
    """Return a hash of a table's rows, in whatever order."""
    found = lakes.rows(root, table)
    return f"{found.height} {found.hash_rows(seed=1).sort().hash(seed=2).sum()}"


def tree(root: Path) -> dict[str, str]:
    """Return the hash of every file of a folder, locks left out."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file() and ".nhl-lake" not in file.parts
    }


def keys(root: Path, table: Table) -> set[tuple[Any, ...]]:
    return set(lakes.rows(root, table).select(table.key).rows())


def later(days: float) -> datetime:
    return NOW + timedelta(days=days)
