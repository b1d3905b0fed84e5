"""The commands that bring a lake back: restore, doctor."""

import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.backup import choose_lake, load_backup_settings, load_source_settings
from nhl_lake.cli.options import (
    BackupsOption,
    Json,
    LakeOption,
    Quiet,
    SourceOption,
    Yes,
    format_command_line,
    parse_moment,
)
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.text import format_count, show_controls

if TYPE_CHECKING:
    from nhl_lake.backup.manifest import Manifest
    from nhl_lake.cli.progress import ByteProgressBar
    from nhl_lake.clock import Clock
    from nhl_lake.maintenance.doctor import Finding, RepairResult
    from nhl_lake.schema.table import Table
    from nhl_lake.settings import Settings
    from nhl_lake.store.location import Location, Source


def restore(
    what: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="With --from-backup: a backup (default: the newest). Else a table."),
    ] = None,
    from_backup: Annotated[bool, typer.Option("--from-backup", help="Restore the lake from a backup.")] = False,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="TABLE", help="Restore only this table. Repeat for several."),
    ] = None,
    uri: SourceOption = None,
    lake: LakeOption = None,
    rebuilds: Annotated[
        bool, typer.Option("--rebuild", help="Restore only bronze, then rebuild silver and gold from it.")
    ] = False,
    to_version: Annotated[
        int | None, typer.Option("--to-version", metavar="N", help="Revert a silver or gold table to version N.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="WHEN", help="Revert a table to how it was then: 2d, a day."),
    ] = None,
    yes: Yes = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Restore a lake or tables from a backup, or revert a table.

    Verifies what it restores before it replaces anything. The old lake stays next to the new one.
    """
    from nhl_lake import catalog
    from nhl_lake.cli.progress import ByteProgressBar

    chosen, clock, backups = load_source_settings(uri)
    reverts = to_version is not None or as_of is not None
    if from_backup == reverts or (reverts and (table or uri or lake or rebuilds)) or (table and rebuilds):
        raise BadInput(
            "Say what to restore: a lake from a backup, or a table to an earlier version.",
            "`nhl-lake restore --from-backup [NAME] [--table TABLE | --rebuild]`, or "
            "`nhl-lake restore TABLE --to-version N | --as-of DAY`.",
        )
    if reverts:
        to = to_version if as_of is None else parse_moment(as_of, clock())
        revert_table(chosen, clock, what, to, yes=yes, json=json, quiet=quiet)
        return
    wanted = choose_backup(chosen, backups, what, lake)
    if not is_at(chosen.root, wanted) and lake is None and not yes:
        confirm_lake(chosen, wanted, quiet=quiet or json)
    bar = ByteProgressBar(quiet=quiet or json)
    if table:
        tables = [catalog.find_table(name) for name in dict.fromkeys(table)]
        restore_some_tables(chosen.root, backups, wanted, tables, now=clock(), bar=bar, yes=yes, json=json, quiet=quiet)
    else:
        restore_lake(
            chosen.root, backups, wanted, now=clock(), bar=bar, rebuilds=rebuilds, yes=yes, json=json, quiet=quiet
        )


def choose_backup(chosen: "Settings", backups: "Source", name: str | None, lake: str | None) -> "Manifest":
    """Return the backup to restore: the one named, else the newest of the lake that `choose_lake` finds.

    Raises if a backup of another lake than the one at the root is named without that lake's id.
    """
    from nhl_lake import layout
    from nhl_lake.backup import repository

    if name is None:
        return repository.require_newest_manifest(backups, choose_lake(chosen.root, backups, lake))
    wanted = repository.read_manifest(backups, name)
    ids = layout.read_lake_ids(chosen.root) if lake is None else repository.find_lake(backups, lake)
    if ids and not wanted.is_of(ids):
        raise BadInput(
            f"The backup {name} is of {repository.describe_lake(wanted)}, not of the lake at {chosen.root}.",
            f"To restore it nevertheless: --lake {wanted.lake_id[: repository.SHORT_ID]}.",
        )
    return wanted


def is_at(root: "Location", wanted: "Manifest") -> bool:
    """Return whether the lake of a backup is at a location."""
    from nhl_lake import layout

    return bool(found := layout.read_lake_ids(root)) and wanted.is_of(found)


def confirm_lake(chosen: "Settings", wanted: "Manifest", *, quiet: bool) -> None:
    """Show which lake a backup is of, before it takes the place of a lost one, and ask whether that is the one.

    Where nobody can answer, go on if its league or its location is that of the settings.
    """
    from nhl_lake.backup import create, repository

    about = repository.describe_lake(wanted)
    if sys.stdin.isatty():
        typer.confirm(show_controls(f"Restore {about} to {chosen.root}?"), abort=True)
        return
    league = "sample league" if chosen.api == "league:" else "NHL"
    if wanted.source != league and not create.is_same_place(wanted, chosen.root):
        raise BadInput(
            f"The only backups are of {about}, but these are the settings of a lake of the {league}.",
            f"If that is the lake: --lake {wanted.lake_id[: repository.SHORT_ID]}. --from names other backups.",
        )
    if not quiet:
        print_text(f"Restoring {about}.")


def restore_lake(
    root: "Location",
    backups: "Source",
    wanted: "Manifest",
    *,
    now: datetime,
    bar: "ByteProgressBar",
    rebuilds: bool,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Restore a complete lake."""
    from nhl_lake.backup import preflight, restore
    from nhl_lake.cli import console
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm
    from nhl_lake.maintenance import upgrade
    from nhl_lake.schema import ledger
    from nhl_lake.store import locks
    from nhl_lake.store.web_address import Website

    preflight.check_restore(root, backups, wanted)
    if not yes and (question := preflight.make_restore_prompt(root, wanted)):
        confirm_or_raise(question)
    bar.begin("restoring", restore.sum_restore_bytes(wanted, rebuilds=rebuilds))
    with interrupt_on_sigterm(), bar.display():
        is_older = wanted.layout < ledger.LAYOUT_VERSION
        done = restore.restore_lake(
            root,
            backups,
            wanted,
            now=now,
            command=format_command_line(),
            rebuilds=rebuilds and not is_older,
            on_progress=bar.done,
        )
        if is_older:
            upgrade.upgrade_lake(root, now=now, command=format_command_line(), made_by=version("nhl-lake"))
        if is_older and rebuilds:
            with locks.hold_lock(root, format_command_line(), now=now):
                done = done._replace(rebuilt=restore.rebuild_tables(root, now))
    if json:
        write_out(console.format_json(done._asdict()))
    elif not quiet:
        print_text(
            f"Restored the lake at {root} from backup {done.name}: "
            f"{format_count(done.tables, 'table')}, {format_count(done.rows, 'row')}."
        )
        if done.rebuilt:
            print_text(f"Rebuilt {len(done.rebuilt)} silver and gold tables from bronze.")
        if done.kept_as:
            print_text(f"The old lake is at {done.kept_as}. Remove it when you no longer need it.")
        if isinstance(backups, Website) and wanted.source == "NHL":
            print_text("These pages are the NHL's, whose terms allow personal, non-commercial use.")
        print_text("`nhl-lake ingest` continues from here.")


def restore_some_tables(
    root: "Location",
    backups: "Source",
    wanted: "Manifest",
    tables: "Sequence[Table]",
    *,
    now: datetime,
    bar: "ByteProgressBar",
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Restore some tables."""
    from nhl_lake.backup import restore_tables
    from nhl_lake.cli import console
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm

    for table in tables:
        if not yes and table.layer in {"silver", "gold"} and restore_tables.is_readable(root, table):
            confirm_or_raise(f"{table.name} at {root} is readable. The table of backup {wanted.name} would replace it.")
    bar.begin(
        "restoring", sum(f.size for table in tables for f in restore_tables.find_table_backup(wanted, table).files)
    )
    with interrupt_on_sigterm(), bar.display():
        done = list(
            restore_tables.restore_tables(
                root, backups, wanted, tables, now=now, command=format_command_line(), on_progress=bar.done
            )
        )
    if json:
        write_out(console.format_json([one._asdict() for one in done]))
    for one in [] if json or quiet else done:
        if one.is_replaced:
            own = f", and kept {format_count(one.added, 'newer row')}" if one.added else ""
            print_text(f"Restored {one.table} from backup {wanted.name}{own}.")
            if one.kept_as:
                print_text(f"The old table is at {one.kept_as}. Remove it when you no longer need it.")
        else:
            print_text(f"{one.table} was readable: added {format_count(one.added, 'missing row')}, removed none.")


def revert_table(
    chosen: "Settings",
    clock: "Clock",
    name: str | None,
    to: int | datetime | None,
    *,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Revert a table to an earlier version."""
    from nhl_lake import catalog
    from nhl_lake.backup import time_travel
    from nhl_lake.cli import console
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm

    if name is None or to is None:
        raise BadInput("Name a table to revert.", "`nhl-lake restore gold.skater_game --to-version 3`.")
    table = catalog.find_table(name)
    time_travel.require_built_table(table)
    if not yes:
        confirm_or_raise(
            f"{table.name} at {chosen.root} would go back to an earlier version. Its history keeps the versions since."
        )
    with interrupt_on_sigterm():
        done = time_travel.restore_version(chosen.root, table, to=to, now=clock(), command=format_command_line())
    if json:
        write_out(console.format_json(done._asdict()))
    elif not quiet:
        print_text(f"Reverted {done.table} to version {done.to} of {done.of:%Y-%m-%d %H:%M:%S} UTC.")
        print_text("The next ingest or rebuild rebuilds what changed since then.")


def confirm_or_raise(question: str) -> None:
    """Ask whether to continue. Raise if nobody can answer."""
    if not sys.stdin.isatty():
        raise LakeError(question, "No changes were made. Use --yes to skip this question.")
    typer.confirm(f"{question}\nContinue?", abort=True)


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte: finds what the disk changed.")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="Repair what can be repaired without loss.")] = False,
    drop_missing_pages: Annotated[
        bool,
        typer.Option(
            "--drop-missing-pages",
            help="With --mend: drop damaged files that no backup has. The next ingest fetches their pages again.",
        ),
    ] = False,
    uri: BackupsOption = None,
    lake: LakeOption = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Find damage in the lake, and name the command that repairs it.

    Exits with 1 if anything is damaged.
    """
    from nhl_lake.backup import repository
    from nhl_lake.cli import console
    from nhl_lake.maintenance.doctor import examine_lake, repair_lake

    chosen, clock, backups = load_backup_settings(uri)
    if drop_missing_pages and not mend:
        raise BadInput("--drop-missing-pages goes with --mend.", "`nhl-lake doctor --mend --drop-missing-pages`.")
    root, now = chosen.root, clock()
    ids = None if lake is None else repository.find_lake(backups, lake)
    done = (
        repair_lake(
            root,
            backups,
            now=now,
            deep=deep,
            drop_missing_pages=drop_missing_pages,
            command=format_command_line(),
            ids=ids,
        )
        if mend
        else []
    )
    found = examine_lake(root, backups, now=now, deep=deep, ids=ids)
    is_damaged = any(one.severity == "damage" for one in found)
    if json:
        left = [{name: value for name, value in one._asdict().items() if name != "damage"} for one in found]
        write_out(console.format_json({"mended": [one._asdict() for one in done], "found": left}))
    elif not quiet or is_damaged:
        show_examination(done, found)
    if is_damaged:
        raise typer.Exit(1)


def show_examination(done: "Sequence[RepairResult]", found: "Sequence[Finding]") -> None:
    """Print the repairs, and the remaining problems."""
    from nhl_lake.cli import console

    out = console.make_console()
    for one in done:
        out.print(f"repaired {one.where}: {one.how}")
    for finding in found:
        out.print(f"{finding.severity:8} {finding.where}: {finding.what}")
        out.print(f"         {finding.remedy}")
    if not any(finding.severity == "damage" for finding in found):
        out.print("No damage was found.")
