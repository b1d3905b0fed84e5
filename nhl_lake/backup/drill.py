"""A drill: a backup is restored into a folder of its own and held against its manifest, to know that it can be."""

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
    """Restore a backup into a temporary folder, verify it, note how it went, and take the folder away again."""
    require_disk_space(manifest, into)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nhl-lake-drill-", dir=into) as folder:
        report.begin("restoring", restore.sum_restore_bytes(manifest))
        wrong: tuple[str, ...] = ()
        try:
            restore.fetch_tables(
                backups, manifest, Path(folder) / "lake", tables=manifest.tables, on_progress=report.done
            )
            restore.verify_tables(Path(folder) / "lake", manifest.tables)
        except UnreadableData as error:
            wrong = (error.message,)
    done = DrillResult(
        backup=manifest.name,
        made_at=now,
        seconds=round(time.monotonic() - began, 3),
        tables=len(manifest.tables),
        rows=sum(table.rows for table in manifest.tables),
        bytes=restore.sum_restore_bytes(manifest),
        wrong=wrong,
    )
    location.write_file(backups, f"{repository.DRILLS_FOLDER}/{now:%Y%m%dT%H%M%S%fZ}.json", msgspec.json.encode(done))
    return done


def require_disk_space(manifest: Manifest, into: Path | None) -> None:
    """Raise if a drill does not fit on the disk."""
    folder = into or Path(tempfile.gettempdir())
    needed, free = restore.sum_restore_bytes(manifest), shutil.disk_usage(folder).free
    if needed > free:
        raise LakeError(
            f"The drill takes {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in {folder}.",
            "`nhl-lake backup drill --in DIR` takes another folder for the time that it lasts.",
        )
