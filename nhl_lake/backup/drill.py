"""Run a restore drill: restore a backup into a temporary folder and check it against its manifest."""

import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec

from nhl_lake.backup import repository, restore
from nhl_lake.backup.manifest import Manifest
from nhl_lake.backup.objects import BackupReport
from nhl_lake.backup.repository import DrillResult
from nhl_lake.errors import LakeError, UnreadableData
from nhl_lake.store import location
from nhl_lake.store.location import Location


def run_drill(
    backups: Location, manifest: Manifest, *, into: Path | None, now: datetime, report: BackupReport
) -> DrillResult:
    """Restore a backup into a temporary folder, verify it, record the result, and remove the folder."""
    require_disk_space(manifest, into)
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nhl-lake-drill-", dir=into) as folder:
        report.begin("restoring", restore.sum_restore_bytes(manifest))
        problems: tuple[str, ...] = ()
        try:
            restore.fetch_tables(
                backups, manifest, Path(folder) / "lake", tables=manifest.tables, on_progress=report.done
            )
            restore.verify_tables(Path(folder) / "lake", manifest.tables)
        except UnreadableData as error:
            problems = (error.message,)
    result = DrillResult(
        backup=manifest.name,
        made_at=now,
        seconds=round(time.monotonic() - started_at, 3),
        tables=len(manifest.tables),
        rows=sum(table.rows for table in manifest.tables),
        bytes=restore.sum_restore_bytes(manifest),
        wrong=problems,
        lake=manifest.lake_id,
    )
    location.write_file(backups, f"{repository.DRILLS_FOLDER}/{now:%Y%m%dT%H%M%S%fZ}.json", msgspec.json.encode(result))
    return result


def require_disk_space(manifest: Manifest, into: Path | None) -> None:
    """Raise if there is not enough disk space for a drill."""
    folder = into or Path(tempfile.gettempdir())
    needed, free = restore.sum_restore_bytes(manifest), shutil.disk_usage(folder).free
    if needed > free:
        raise LakeError(
            f"The drill needs {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free in {folder}.",
            "Use a temporary folder on another disk: `nhl-lake backup drill --in DIR`.",
        )
