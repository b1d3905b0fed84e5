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
from nhl_lake.cli.backup import From, placed
from nhl_lake.cli.options import Json, Quiet, as_given, moment_from
from nhl_lake.cli.progress import Gauge
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.ingest.fetcher import terminable
from nhl_lake.ingest.run import VERSION
from nhl_lake.maintenance import doctor, upgrade
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.settings import Settings
from nhl_lake.store import locks
from nhl_lake.store.location import Place

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
    uri: From = None,
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
    chosen, clock, backups = placed(uri)
    is_back_in_time = to_version is not None or as_of is not None
    if from_backup == is_back_in_time or (is_back_in_time and (table or uri or rebuilds)) or (table and rebuilds):
        raise BadInput(
            "A restore is from a backup, or of a table to one of its versions.",
            "`nhl-lake restore --from-backup [NAME] [--table TABLE | --rebuild]`, or "
            "`nhl-lake restore TABLE --to-version N | --as-of DAY`.",
        )
    if is_back_in_time:
        to = to_version if as_of is None else moment_from(as_of, clock())
        take_back(chosen, clock, what, to, yes=yes, json=json, quiet=quiet)
        return
    wanted = repository.find(backups, what) if what else repository.require_newest(backups)
    gauge = Gauge(quiet=quiet or json)
    if table:
        tables = [catalog.find(name) for name in dict.fromkeys(table)]
        some_back(chosen.root, backups, wanted, tables, now=clock(), gauge=gauge, yes=yes, json=json, quiet=quiet)
    else:
        all_back(
            chosen.root, backups, wanted, now=clock(), gauge=gauge, rebuilds=rebuilds, yes=yes, json=json, quiet=quiet
        )


def all_back(
    root: Place,
    backups: Place,
    wanted: Manifest,
    *,
    now: datetime,
    gauge: Gauge,
    rebuilds: bool,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Bring back a whole lake."""
    preflight.check(root, backups, wanted)
    if not yes and (question := preflight.question(root, wanted)):
        ask(question)
    gauge.begin("restoring", restore.size(wanted, rebuilds=rebuilds))
    with terminable(), gauge.shown():
        is_older = wanted.layout < ledger.LAYOUT
        done = restore.restore(
            root, backups, wanted, now=now, command=as_given(), rebuilds=rebuilds and not is_older, told=gauge.done
        )
        if is_older:
            upgrade.upgrade(root, now=now, command=as_given(), made_by=VERSION)
        if is_older and rebuilds:
            with locks.locked(root, as_given(), now=now):
                done = done._replace(rebuilt=restore.remade(root, now))
    if json:
        typer.echo(console.as_json(done._asdict()))
    elif not quiet:
        typer.echo(f"The lake at {root} is that of backup {done.name}: {done.tables} tables, {done.rows:,} rows.")
        if done.rebuilt:
            typer.echo(f"Made again from bronze: {len(done.rebuilt)} tables of silver and gold.")
        if done.kept_as:
            typer.echo(f"What was there is kept at {done.kept_as}: remove it when you need it no more.")
        typer.echo("`nhl-lake ingest` goes on from here.")


def some_back(
    root: Place,
    backups: Place,
    wanted: Manifest,
    tables: Sequence[Table],
    *,
    now: datetime,
    gauge: Gauge,
    yes: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Bring back some tables."""
    for table in tables:
        if not yes and table.layer in {"silver", "gold"} and restore_tables.is_whole(root, table):
            ask(f"{table.name} at {root} is whole, and would give way to that of backup {wanted.name}.")
    gauge.begin("restoring", sum(f.size for table in tables for f in restore_tables.saved_of(wanted, table).files))
    with terminable(), gauge.shown():
        done = list(restore_tables.regain(root, backups, wanted, tables, now=now, command=as_given(), told=gauge.done))
    if json:
        typer.echo(console.as_json([one._asdict() for one in done]))
    for one in [] if json or quiet else done:
        if one.is_replaced:
            own = f", with {one.added:,} newer rows of what was there" if one.added else ""
            typer.echo(f"{one.table} is that of backup {wanted.name}{own}.")
            if one.kept_as:
                typer.echo(f"What was there is kept at {one.kept_as}: remove it when you need it no more.")
        else:
            typer.echo(f"{one.table} can be read: {one.added:,} rows that it lacked were added, none was taken away.")


def take_back(
    chosen: Settings, clock: Clock, what: str | None, to: int | datetime | None, *, yes: bool, json: bool, quiet: bool
) -> None:
    """Take a table back in time."""
    if what is None or to is None:
        raise BadInput("Which table?", "`nhl-lake restore gold.skater_game --to-version 3`.")
    table = catalog.find(what)
    time_travel.require_made(table)
    if not yes:
        ask(f"{table.name} at {chosen.root} would become what it was; its versions since stay in its history.")
    with terminable():
        done = time_travel.take_back(chosen.root, table, to=to, now=clock(), command=as_given())
    if json:
        typer.echo(console.as_json(done._asdict()))
    elif not quiet:
        typer.echo(f"{done.table} is what it was at version {done.to}, of {done.of:%Y-%m-%d %H:%M:%S} UTC.")
        typer.echo("The next ingest or rebuild makes it anew where its pages or the code have changed since.")


def ask(question: str) -> None:
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
    uri: From = None,
    json: Json = False,
) -> None:
    """Tell what is wrong with the lake, and the command that mends it; exit 1 if anything is damaged."""
    chosen, clock, backups = placed(uri)
    if give_up and not mend:
        raise BadInput("--give-up-lost-pages goes with --mend.", "`nhl-lake doctor --mend --give-up-lost-pages`.")
    root, now = chosen.root, clock()
    done = doctor.mend(root, backups, now=now, deep=deep, gives_up=give_up, command=as_given()) if mend else []
    found = doctor.examine(root, backups, now=now, deep=deep)
    if json:
        left = [{name: value for name, value in one._asdict().items() if name != "damage"} for one in found]
        typer.echo(console.as_json({"mended": [one._asdict() for one in done], "found": left}))
    else:
        show(done, found)
    if any(one.severity == "damage" for one in found):
        raise typer.Exit(1)


def show(done: Sequence[doctor.Mended], found: Sequence[doctor.Finding]) -> None:
    """Print what was mended, and what is wrong."""
    out = console.console()
    for one in done:
        out.print(f"mended   {one.where}: {one.how}", markup=False)
    for finding in found:
        out.print(f"{finding.severity:8} {finding.where}: {finding.what}", markup=False)
        out.print(f"         {finding.remedy}", markup=False)
    if not any(finding.severity == "damage" for finding in found):
        out.print("No damage was found.")
