"""The commands that keep a lake safe: `backup`, and what is done with backups."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhl_lake.backup import repository
from nhl_lake.backup.create import backup
from nhl_lake.backup.drill import drill
from nhl_lake.backup.prune import Keep, prune
from nhl_lake.backup.verify import readable, verify
from nhl_lake.cli import console, progress
from nhl_lake.cli.options import Json, Quiet, as_given, opened
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput
from nhl_lake.ingest.fetcher import terminable
from nhl_lake.settings import Settings
from nhl_lake.store.location import Place, place_from, require_backups_name

app = typer.Typer()
backup_app = typer.Typer()
app.add_typer(backup_app, name="backup")

From = Annotated[
    str | None, typer.Option("--from", metavar="URI", help="Where the backups are, if not where the settings say.")
]


def placed(uri: str | None) -> tuple[Settings, Clock, Place]:
    """Return settings, clock, and where the backups are."""
    chosen, clock = opened()
    return chosen, clock, chosen.backups if uri is None else require_backups_name(place_from(uri))


@backup_app.callback(invoke_without_command=True)
def backup_command(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URI", help="Where to, if not where the settings say: DIR, s3://…")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Also a lake that has lost pages since the last.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Back up the whole lake while runs go on; what an earlier backup has is not copied again."""
    if context.invoked_subcommand is not None:
        if to is not None or accept:
            raise BadInput("--to and --accept are of `nhl-lake backup` itself.", "Other backup commands take --from.")
        return
    chosen, clock, backups = placed(to)
    gauge = progress.Gauge(quiet=quiet or json)
    try:
        with terminable(), gauge.shown():
            done = backup(chosen.root, backups, clock=clock, report=gauge, command=as_given(), accept=accept)
    except KeyboardInterrupt as stop:
        if not quiet:
            typer.echo("Stopped: the next backup goes on from here.", err=True)
        raise typer.Exit(130) from stop
    if json:
        facts = progress.backup_facts(done.manifest)
        new = {"new_files": done.new_files, "new_bytes": done.new_bytes, "seconds": round(done.seconds, 3)}
        typer.echo(console.as_json({**facts, **new}))
    elif not quiet:
        progress.show_backup(done, backups)


@backup_app.command(name="list")
def list_command(uri: From = None, json: Json = False) -> None:
    """List the backups, the newest first."""
    _, _, backups = placed(uri)
    found, wrong = readable(backups, repository.require_any(backups))
    if json:
        typer.echo(console.as_json([progress.backup_facts(manifest) for manifest in found]))
    else:
        progress.show_backups(found)
    for one in wrong:
        typer.echo(one.why, err=True)
    if wrong:
        raise typer.Exit(1)


@backup_app.command(name="verify")
def verify_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One backup; all by default.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte.")] = False,
    uri: From = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Hold backups against what is there; exit 1 if anything is wrong."""
    _, _, backups = placed(uri)
    names = repository.require_any(backups) if name is None else [repository.find(backups, name).name]
    gauge = progress.Gauge(quiet=quiet or json)
    with gauge.shown():
        found = verify(backups, names, deep=deep, report=gauge)
    if json:
        typer.echo(console.as_json({**found._asdict(), "wrong": [wrong._asdict() for wrong in found.wrong]}))
    elif not quiet or found.wrong:
        progress.show_verified(found, deep=deep)
    if found.wrong:
        raise typer.Exit(1)


@backup_app.command(name="prune")
def prune_command(
    daily: Annotated[int, typer.Option("--keep-daily", min=0, help="The newest of each of so many days.")] = 7,
    weekly: Annotated[int, typer.Option("--keep-weekly", min=0, help="Of each of so many weeks.")] = 4,
    monthly: Annotated[int, typer.Option("--keep-monthly", min=0, help="Of each of so many months.")] = 12,
    uri: From = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Remove backups but the newest of the last days, weeks and months; the newest of all always stays."""
    _, clock, backups = placed(uri)
    repository.require_any(backups)
    found = prune(backups, Keep(daily, weekly, monthly), now=clock(), command=as_given(), dry_run=dry_run)
    if json:
        typer.echo(console.as_json(found._asdict()))
    elif not quiet:
        progress.show_pruned(found, dry_run=dry_run)


@backup_app.command(name="drill")
def drill_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which backup; the newest by default.")] = None,
    into: Annotated[
        Path | None, typer.Option("--in", metavar="DIR", help="Where there is room, if not for temporary files.")
    ] = None,
    uri: From = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rehearse a restore: bring a backup back into a temporary folder, verify it, and say how long it took."""
    _, clock, backups = placed(uri)
    manifest = repository.require_newest(backups) if name is None else repository.find(backups, name)
    gauge = progress.Gauge(quiet=quiet or json)
    with terminable(), gauge.shown():
        done = drill(backups, manifest, into=into, now=clock(), report=gauge)
    if json:
        typer.echo(console.as_json(msgspec.to_builtins(done)))
    elif not quiet or done.wrong:
        progress.show_drill(done)
    if done.wrong:
        raise typer.Exit(1)
