"""A drill: a backup is restored into a folder of its own and held against its manifest, to know that it can be."""

import shutil
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec

from nhl_lake.backup import repository, restore
from nhl_lake.backup.manifest import Manifest
from nhl_lake.backup.objects import Report
from nhl_lake.backup.repository import Drill
from nhl_lake.errors import LakeError, Unreadable
from nhl_lake.store import location
from nhl_lake.store.location import Place


def drill(backups: Place, manifest: Manifest, *, into: Path | None, now: datetime, report: Report) -> Drill:
    """Restore a backup into a temporary folder, verify it, note how it went, and take the folder away again."""
    require_room(manifest, into)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nhl-lake-drill-", dir=into) as folder:
        report.begin("restoring", restore.size(manifest))
        wrong: tuple[str, ...] = ()
        try:
            restore.fetch(backups, manifest, Path(folder) / "lake", tables=manifest.tables, told=report.done)
            restore.verify(Path(folder) / "lake", manifest.tables)
        except Unreadable as error:
            wrong = (error.what,)
    done = Drill(
        backup=manifest.name,
        made_at=now,
        seconds=round(time.monotonic() - began, 3),
        tables=len(manifest.tables),
        rows=sum(table.rows for table in manifest.tables),
        bytes=restore.size(manifest),
        wrong=wrong,
    )
    location.write(backups, f"{repository.DRILLS}/{now:%Y%m%dT%H%M%S%fZ}.json", msgspec.json.encode(done))
    return done


def require_room(manifest: Manifest, into: Path | None) -> None:
    """Raise if a drill does not fit on the disk."""
    folder = into or Path(tempfile.gettempdir())
    needed, free = restore.size(manifest), shutil.disk_usage(folder).free
    if needed > free:
        raise LakeError(
            f"The drill takes {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in {folder}.",
            "`nhl-lake backup drill --in DIR` takes another folder for the time that it lasts.",
        )
