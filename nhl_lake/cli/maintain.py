"""The commands that tend a lake, `maintain` and `upgrade`: parse, call one function, print."""

from collections.abc import Iterable
from typing import Annotated

import typer

from nhl_lake import layout
from nhl_lake.backup.pins import read_pins
from nhl_lake.cli import console
from nhl_lake.cli.options import Json, Quiet, format_command_line, load_settings
from nhl_lake.ingest.fetcher import interrupt_on_sigterm
from nhl_lake.ingest.run import VERSION
from nhl_lake.maintenance import compaction
from nhl_lake.maintenance import upgrade as upgrades
from nhl_lake.maintenance.compaction import MaintenanceResult, OrphanCleanup
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, locks

app = typer.Typer()


@app.command()
def maintain(
    table: Annotated[
        list[str] | None, typer.Argument(help="Tables or layers to tend: gold silver.plays; all by default.")
    ] = None,
    keep_days: Annotated[
        int,
        typer.Option("--keep-days", metavar="N", min=0, help="Keep what was replaced for N days, at the least 30."),
    ] = compaction.KEEP_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Merge small files, write checkpoints, remove leftovers and what no version of the last 90 days needs."""
    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    tables = compaction.select_tables(chosen.root, table or [])
    compaction.require_keep_days(tables, keep_days)
    tend = compaction.preview_maintenance if dry_run else compaction.maintain_tables
    with interrupt_on_sigterm(), locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        try:
            swept = compaction.remove_orphan_files(chosen.root, now=clock(), dry_run=dry_run)
            tended = list(tend(chosen.root, tables, days=keep_days, pins=read_pins(chosen.root, clock())))
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
    if json:
        rows = [found._asdict() for found in tended]
        typer.echo(console.format_json({"dry_run": dry_run, "leftovers": swept._asdict(), "tables": rows}))
    elif not quiet:
        show_maintenance(tended, swept, dry_run=dry_run)


def show_maintenance(tended: Iterable[MaintenanceResult], swept: OrphanCleanup, *, dry_run: bool) -> None:
    """Print what changed, or would: tables with fewer files or with removed ones, and the sums."""
    every = list(tended)
    heads = ["table", "files", "then", "bytes", "then", "removed", "their bytes"]
    rows = [
        (
            t.table,
            t.files,
            t.files_after,
            console.format_size(t.bytes),
            console.format_size(t.bytes_after),
            t.removed,
            console.format_size(t.removed_bytes),
        )
        for t in every
        if t.files != t.files_after or t.removed
    ]
    out = console.make_console()
    if rows:
        out.print(console.make_grid(heads, rows, right=heads[1:]))
    files, then, removed = (sum(getattr(t, name) for t in every) for name in ("files", "files_after", "removed"))
    freed = console.format_size(sum(t.removed_bytes for t in every) + swept.bytes)
    out.print(
        f"{len(every)} tables: {files:,} live files {'would become about' if dry_run else 'are now'} {then:,}; "
        f"{removed:,} old ones and {swept.files:,} leftovers of killed runs "
        f"{'would be' if dry_run else 'were'} removed, {freed}."
    )


@app.command()
def upgrade(quiet: Quiet = False, json: Json = False) -> None:
    """Bring a lake that an older release made to today's layout: copied, changed, verified, then put in place."""
    chosen, clock = load_settings()
    atomic_swap.require_no_unfinished_swap(chosen.root)
    layout.require_lake_exists(chosen.root)
    done = upgrades.upgrade_lake(chosen.root, now=clock(), command=format_command_line(), made_by=VERSION)
    if json:
        kept_as = None if done is None else str(done.kept_as)
        typer.echo(
            console.format_json({"layout": ledger.LAYOUT_VERSION, "is_changed": done is not None, "kept_as": kept_as})
        )
    elif done is None:
        print_line(f"The lake has layout {ledger.LAYOUT_VERSION} already: nothing is to be done.", quiet=quiet)
    else:
        print_line(
            f"The lake has layout {ledger.LAYOUT_VERSION} now; {done.pages:,} pages are as they were. "
            f"The old one, of layout {done.layout}, is at {done.kept_as}: remove it when you miss nothing.",
            quiet=quiet,
        )


def print_line(line: str, *, quiet: bool) -> None:
    """Print a line unless it is to be quiet."""
    if not quiet:
        console.make_console().print(line)
