"""What backup commands print: progress in bytes, lists of backups, and problems."""

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from nhl_lake.cli import console, log
from nhl_lake.text import format_age, format_count

if TYPE_CHECKING:
    from nhl_lake.backup.create import BackupSummary
    from nhl_lake.backup.manifest import Manifest
    from nhl_lake.backup.prune import PruneResult
    from nhl_lake.backup.repository import BackupStatus, DrillResult
    from nhl_lake.backup.verify import VerifyResult

LINE_EVERY_S = 30.0
MAX_PROBLEMS_SHOWN = 20


class ByteProgressBar:
    """Progress in bytes: a bar with rate and time left on a terminal, a line now and then in a log, or nothing."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.what, self.size, self.so_far = "", 0, 0
        self.started_at = self.printed_at = time.monotonic()
        self.progress: Progress | None = None
        if not quiet and sys.stderr.isatty() and not log.is_json():
            self.progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=console.make_console(stderr=True),
                transient=True,
            )
            self.task = self.progress.add_task("", total=None)

    def display(self) -> AbstractContextManager[object]:
        """Show the bar while the block runs."""
        return self.progress or nullcontext()

    def begin(self, what: str, size: int) -> None:
        """Start a step with a total of bytes."""
        self.what, self.size, self.so_far = what, size, 0
        self.started_at = self.printed_at = time.monotonic()
        if self.progress:
            self.progress.reset(self.task, description=what, total=size)

    def done(self, size: int) -> None:
        """Count bytes that are done."""
        self.so_far += size
        if self.progress:
            self.progress.update(self.task, completed=self.so_far)
        elif not self.quiet and (now := time.monotonic()) - self.printed_at >= LINE_EVERY_S:
            self.printed_at = now
            rate = max(self.so_far, 1) / (now - self.started_at)
            log.write(
                "info",
                f"{self.what}: {console.format_size(self.so_far)} of {console.format_size(self.size)}, "
                f"{console.format_size(rate)} a second, "
                f"about {(self.size - self.so_far) / rate:.0f} s left",
            )


def show_backup(summary: "BackupSummary", backups: object) -> None:
    """Print what a backup did."""
    manifest = summary.manifest
    rows = sum(table.rows for table in manifest.tables)
    out = console.make_console()
    out.print(
        f"Created backup {manifest.name} at {backups}: {format_count(len(manifest.tables), 'table')}, "
        f"{format_count(rows, 'row')}, "
        f"{console.format_size(summary.bytes)} in {format_count(summary.files, 'data file')}. Copied "
        f"{console.format_size(summary.new_bytes)} in {format_count(summary.new_files, 'file')}, in "
        f"{summary.seconds:,.1f} s."
    )
    if not manifest.is_consistent:
        out.print("Commits came too fast for one snapshot: no table is newer than its sources. After a restore,")
        out.print("the next ingest or rebuild brings the tables up to date.")


def describe_backup(manifest: "Manifest") -> dict[str, object]:
    """Return the facts about a backup that --json prints."""
    return {
        "name": manifest.name,
        "number": manifest.number,
        "made_at": manifest.made_at,
        "of": manifest.of,
        "lake": manifest.lake_id,
        "source": manifest.source,
        "last_game": manifest.last_game,
        "last_run_at": manifest.last_run_at,
        "is_of_a_moment": manifest.is_consistent,
        "tables": len(manifest.tables),
        "rows": sum(table.rows for table in manifest.tables),
        "files": sum(len(table.files) for table in manifest.tables),
        "bytes": sum(file.size for table in manifest.tables for file in table.files),
    }


def show_backups(manifests: "Sequence[Manifest]") -> None:
    """Print backups, newest first."""
    from nhl_lake.backup.repository import SHORT_ID

    heads = ["backup", "created (UTC)", "tables", "rows", "files", "size", "lake", "league", "location"]
    rows = []
    for facts in map(describe_backup, manifests):
        size = console.format_size(float(str(facts["bytes"])))
        created = f"{facts['made_at']:%Y-%m-%d %H:%M}"
        lake = str(facts["lake"])[:SHORT_ID]
        counts = (facts[name] for name in ("tables", "rows", "files"))
        rows.append((facts["name"], created, *counts, size, lake, facts["source"], facts["of"]))
    console.make_console().print(console.make_grid(heads, rows, right=heads[2:6], unbroken=heads[:7]))


def show_verification(found: "VerifyResult", *, deep: bool) -> None:
    """Print the problems of backups, and what to do about them."""
    out = console.make_console()
    if found.wrong:
        some = [(w.backup, w.what, w.why) for w in found.wrong[:MAX_PROBLEMS_SHOWN]]
        out.print(console.make_grid(["backup", "what", "why"], some))
        if len(found.wrong) > MAX_PROBLEMS_SHOWN:
            out.print(f"… {len(found.wrong) - MAX_PROBLEMS_SHOWN:,} more; `--json` prints all.")
        out.print(
            "\nDamaged files were moved away. `nhl-lake backup create` copies them again while the lake has them."
        )
        return
    how = "read every byte" if deep else "compared sizes; --deep reads every byte"
    out.print(
        f"{format_count(found.backups, 'backup', 'are')} intact: "
        f"{format_count(found.objects, 'object')}, {console.format_size(found.bytes)} ({how})."
    )


def show_prune(found: "PruneResult", *, dry_run: bool) -> None:
    """Print how many backups stay, and which were removed."""
    verb = "Would remove" if dry_run else "Removed"
    console.make_console().print(
        f"{verb} {format_count(len(found.removed), 'backup')}, and "
        f"{format_count(found.objects, 'object')} that no other backup needs "
        f"({console.format_size(found.bytes)}). "
        f"{format_count(len(found.kept), 'backup', '' if dry_run else 'stay')}{' would stay' if dry_run else ''}."
    )
    for name in found.removed:
        console.make_console().print(f"  {name}")


def show_drill(drill: "DrillResult") -> None:
    """Print the result of a drill."""
    console.make_console().print(
        f"Backup {drill.backup}: {format_count(drill.tables, 'table')}, "
        f"{format_count(drill.rows, 'row')}, {console.format_size(drill.bytes)} "
        + (f"restored and verified in {drill.seconds:,.1f} s." if not drill.wrong else "cannot be restored:")
    )
    for wrong in drill.wrong:
        console.make_console().print(f"  {wrong}")


def show_backup_status(standing: "BackupStatus", now: datetime) -> None:
    """Print the age of the last backup and the last drill."""
    out = console.make_console()
    if standing.problem:
        out.print(f"\nBackups: {standing.problem}")
    elif standing.backed_up_at is None:
        out.print("\nNo backup yet. Run `nhl-lake backup create`.")
    else:
        last = standing.drill
        drilled = "never" if last is None else f"{format_age(now, last.made_at)}{', and failed' if last.wrong else ''}"
        out.print(f"\nLast backup: {format_age(now, standing.backed_up_at)}. Last drill: {drilled}.")
