"""The commands that look after a lake: maintain, upgrade."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import MAX_DAYS, DryRun, Json, Quiet, format_command_line, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.maintenance.compaction import MaintenanceResult, OrphanCleanup

KEEP_DAYS = 90


def maintain(
    table: Annotated[
        list[str] | None, typer.Argument(help="Tables or layers: gold silver.plays. Default: all.")
    ] = None,
    keep_days: Annotated[
        int,
        typer.Option(
            "--keep-days",
            metavar="N",
            min=0,
            max=MAX_DAYS,
            help="Keep old versions for N days, at least 30 for bronze.",
        ),
    ] = KEEP_DAYS,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Compact small files, and remove files that nothing needs.

    Merges small files, writes checkpoints, removes what killed runs left, and vacuums files that no version of the
    last N days needs.
    """
    from nhl_lake import layout
    from nhl_lake.backup.pins import read_pins
    from nhl_lake.cli import console
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm
    from nhl_lake.maintenance import compaction
    from nhl_lake.store import locks

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    tables = compaction.select_tables(chosen.root, table or [])
    compaction.require_keep_days(tables, keep_days)
    run = compaction.preview_maintenance if dry_run else compaction.maintain_tables
    with interrupt_on_sigterm(), locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        try:
            orphans = compaction.remove_orphan_files(chosen.root, now=clock(), dry_run=dry_run)
            results = list(run(chosen.root, tables, days=keep_days, pins=read_pins(chosen.root, clock())))
        except KeyboardInterrupt as stop:
            raise typer.Exit(130) from stop
    if json:
        rows = [result._asdict() for result in results]
        write_out(console.format_json({"dry_run": dry_run, "leftovers": orphans._asdict(), "tables": rows}))
    elif not quiet:
        show_maintenance(results, orphans, dry_run=dry_run)


def show_maintenance(results: "Iterable[MaintenanceResult]", orphans: "OrphanCleanup", *, dry_run: bool) -> None:
    """Print the tables with fewer or removed files, and the totals."""
    from nhl_lake.cli import console

    every = list(results)
    heads = ["table", "files", "after", "size", "after", "removed", "freed"]
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
    files, after, removed = (sum(getattr(t, name) for t in every) for name in ("files", "files_after", "removed"))
    for t in every:
        for name in t.left_alone:
            out.print(f"Left alone, because nhl-lake did not write it: {t.table}: {name}", markup=False)
    freed = console.format_size(sum(t.removed_bytes for t in every) + orphans.bytes)
    verb = "Would merge" if dry_run else "Merged"
    out.print(
        f"{format_count(len(every), 'table')}. {verb} {format_count(files, 'file')} into "
        f"{'about ' if dry_run else ''}{after:,}. "
        f"{'Would remove' if dry_run else 'Removed'} {format_count(removed, 'old file')} and "
        f"{format_count(orphans.files, 'leftover')} of killed "
        f"runs: {freed}."
    )


def upgrade(quiet: Quiet = False, json: Json = False) -> None:
    """Upgrade a lake of an older release to this layout.

    Works on a copy, verifies it, then puts it in place. The old lake stays next to the new one.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.maintenance import upgrade as upgrades
    from nhl_lake.schema import ledger
    from nhl_lake.store import atomic_swap

    chosen, clock = load_settings()
    atomic_swap.require_no_unfinished_swap(chosen.root)
    layout.require_lake_exists(chosen.root)
    done = upgrades.upgrade_lake(chosen.root, now=clock(), command=format_command_line(), made_by=version("nhl-lake"))
    if json:
        kept_as = None if done is None else str(done.kept_as)
        print_text(
            console.format_json({"layout": ledger.LAYOUT_VERSION, "is_changed": done is not None, "kept_as": kept_as})
        )
    elif quiet:
        return
    elif done is None:
        print_text(f"The lake already has layout {ledger.LAYOUT_VERSION}. No changes were made.")
    else:
        print_text(
            f"The lake now has layout {ledger.LAYOUT_VERSION}; {format_count(done.pages, 'page')} did not change.\n"
            f"The old lake (layout {done.layout}) is at {done.kept_as}. Remove it when you no longer need it.\n"
            "Run `nhl-lake rebuild` to build silver and gold."
        )
