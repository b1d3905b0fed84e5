"""The commands that bring a lake back: `restore` and `doctor`."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from nhl_lake import catalog
from nhl_lake.backup import preflight, repository, restore, restore_tables, time_travel
from nhl_lake.backup.manifest import Manifest
from nhl_lake.cli import console
from nhl_lake.cli.backup import BackupsOption, load_backup_settings
from nhl_lake.cli.options import Json, Quiet, format_command_line, parse_moment
from nhl_lake.cli.progress import ByteProgressBar
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.ingest.fetcher import interrupt_on_sigterm
from nhl_lake.ingest.run import VERSION
from nhl_lake.maintenance import doctor, upgrade
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.settings import Settings
from nhl_lake.store import locks
from nhl_lake.store.location import Location

app = typer.Typer()

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also where there is a good lake.")]


@app.command(name="restore")
def restore_command(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="With --from-backup the backup, the newest by default; else a table."),
    ] = None,
    from_backup: Annotated[bool, typer.Option("--from-backup", help="Bring back what a backup holds.")] = False,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="TABLE", help="Only this table; may be repeated.")
    ] = None,
    uri: BackupsOption = None,
    rebuilds: Annotated[
        bool, typer.Option("--rebuild", help="Bring back bronze only; make silver and gold again from it.")
    ] = False,
    to_version: Annotated[
        int | None, typer.Option("--to-version", metavar="N", help="A silver or gold table as it was at version N.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="WHEN", help="The same, as it was on a day or at an instant.")
    ] = None,
    yes: Yes = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Bring back a lake, or tables of it, from a backup; what is there is kept beside. Or take a table back in time."""
    chosen, clock, backups = load_backup_settings(uri)
    is_back_in_time = to_version is not None or as_of is not None
    if from_backup == is_back_in_time or (is_back_in_time and (table or uri or rebuilds)) or (table and rebuilds):
        raise BadInput(
            "A restore is from a backup, or of a table to one of its versions.",
            "`nhl-lake restore --from-backup [NAME] [--table TABLE | --rebuild]`, or "
            "`nhl-lake restore TABLE --to-version N | --as-of DAY`.",
        )
    if is_back_in_time:
        to = to_version if as_of is None else parse_moment(as_of, clock())
        revert_table(chosen, clock, what, to, yes=yes, json=json, quiet=quiet)
        return
    wanted = repository.read_manifest(backups, what) if what else repository.require_newest_manifest(backups)
    gauge = ByteProgressBar(quiet=quiet or json)
    if table:
        tables = [catalog.find_table(name) for name in dict.fromkeys(table)]
        restore_some_tables(
            chosen.root, backups, wanted, tables, now=clock(), gauge=gauge, yes=yes, json=json, quiet=quiet
        )
    else:
        restore_lake(
            chosen.root, backups, wanted, now=clock(), gauge=gauge, rebuilds=rebuilds, yes=yes, json=json, quiet=quiet
        )


def restore_lake(
    root: Location,
    backups: Location,
    wanted: Manifest,
    *,
    now: datetime,
    gauge: ByteProgressBar,
    rebuilds: bool,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Bring back a whole lake."""
    preflight.check_restore(root, backups, wanted)
    if not yes and (question := preflight.make_restore_prompt(root, wanted)):
        confirm_or_raise(question)
    gauge.begin("restoring", restore.sum_restore_bytes(wanted, rebuilds=rebuilds))
    with interrupt_on_sigterm(), gauge.display():
        is_older = wanted.layout < ledger.LAYOUT_VERSION
        done = restore.restore_lake(
            root,
            backups,
            wanted,
            now=now,
            command=format_command_line(),
            rebuilds=rebuilds and not is_older,
            on_progress=gauge.done,
        )
        if is_older:
            upgrade.upgrade_lake(root, now=now, command=format_command_line(), made_by=VERSION)
        if is_older and rebuilds:
            with locks.hold_lock(root, format_command_line(), now=now):
                done = done._replace(rebuilt=restore.rebuild_tables(root, now))
    if json:
        typer.echo(console.format_json(done._asdict()))
    elif not quiet:
        typer.echo(f"The lake at {root} is that of backup {done.name}: {done.tables} tables, {done.rows:,} rows.")
        if done.rebuilt:
            typer.echo(f"Made again from bronze: {len(done.rebuilt)} tables of silver and gold.")
        if done.kept_as:
            typer.echo(f"What was there is kept at {done.kept_as}: remove it when you need it no more.")
        typer.echo("`nhl-lake ingest` goes on from here.")


def restore_some_tables(
    root: Location,
    backups: Location,
    wanted: Manifest,
    tables: Sequence[Table],
    *,
    now: datetime,
    gauge: ByteProgressBar,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Bring back some tables."""
    for table in tables:
        if not yes and table.layer in {"silver", "gold"} and restore_tables.is_readable(root, table):
            confirm_or_raise(f"{table.name} at {root} is whole, and would give way to that of backup {wanted.name}.")
    gauge.begin(
        "restoring", sum(f.size for table in tables for f in restore_tables.find_table_backup(wanted, table).files)
    )
    with interrupt_on_sigterm(), gauge.display():
        done = list(
            restore_tables.restore_tables(
                root, backups, wanted, tables, now=now, command=format_command_line(), on_progress=gauge.done
            )
        )
    if json:
        typer.echo(console.format_json([one._asdict() for one in done]))
    for one in [] if json or quiet else done:
        if one.is_replaced:
            own = f", with {one.added:,} newer rows of what was there" if one.added else ""
            typer.echo(f"{one.table} is that of backup {wanted.name}{own}.")
            if one.kept_as:
                typer.echo(f"What was there is kept at {one.kept_as}: remove it when you need it no more.")
        else:
            typer.echo(f"{one.table} can be read: {one.added:,} rows that it lacked were added, none was taken away.")


def revert_table(
    chosen: Settings, clock: Clock, what: str | None, to: int | datetime | None, *, yes: bool, json: bool, quiet: bool
) -> None:
    """Take a table back in time."""
    if what is None or to is None:
        raise BadInput("Which table?", "`nhl-lake restore gold.skater_game --to-version 3`.")
    table = catalog.find_table(what)
    time_travel.require_built_table(table)
    if not yes:
        confirm_or_raise(
            f"{table.name} at {chosen.root} would become what it was; its versions since stay in its history."
        )
    with interrupt_on_sigterm():
        done = time_travel.restore_version(chosen.root, table, to=to, now=clock(), command=format_command_line())
    if json:
        typer.echo(console.format_json(done._asdict()))
    elif not quiet:
        typer.echo(f"{done.table} is what it was at version {done.to}, of {done.of:%Y-%m-%d %H:%M:%S} UTC.")
        typer.echo("The next ingest or rebuild makes it anew where its pages or the code have changed since.")


def confirm_or_raise(question: str) -> None:
    """Ask whether to go on; where there is nobody to ask, raise."""
    if not sys.stdin.isatty():
        raise LakeError(question, "Nothing was changed. `--yes` does it without asking.")
    typer.confirm(f"{question}\nGo on?", abort=True)


@app.command(name="doctor")
def doctor_command(
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte: what the disk changed shows only so.")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="Mend what can be mended without losing anything.")] = False,
    give_up: Annotated[
        bool,
        typer.Option(
            "--give-up-lost-pages",
            help="With --mend: take files that are lost, and in no backup, out of bronze; ingest asks again.",
        ),
    ] = False,
    uri: BackupsOption = None,
    json: Json = False,
) -> None:
    """Tell what is wrong with the lake, and the command that mends it; exit 1 if anything is damaged."""
    chosen, clock, backups = load_backup_settings(uri)
    if give_up and not mend:
        raise BadInput("--give-up-lost-pages goes with --mend.", "`nhl-lake doctor --mend --give-up-lost-pages`.")
    root, now = chosen.root, clock()
    done = (
        doctor.repair_lake(root, backups, now=now, deep=deep, drop_missing_pages=give_up, command=format_command_line())
        if mend
        else []
    )
    found = doctor.examine_lake(root, backups, now=now, deep=deep)
    if json:
        left = [{name: value for name, value in one._asdict().items() if name != "damage"} for one in found]
        typer.echo(console.format_json({"mended": [one._asdict() for one in done], "found": left}))
    else:
        show_examination(done, found)
    if any(one.severity == "damage" for one in found):
        raise typer.Exit(1)


def show_examination(done: Sequence[doctor.RepairResult], found: Sequence[doctor.Finding]) -> None:
    """Print what was mended, and what is wrong."""
    out = console.make_console()
    for one in done:
        out.print(f"mended   {one.where}: {one.how}", markup=False)
    for finding in found:
        out.print(f"{finding.severity:8} {finding.where}: {finding.what}", markup=False)
        out.print(f"         {finding.remedy}", markup=False)
    if not any(finding.severity == "damage" for finding in found):
        out.print("No damage was found.")
