"""The commands that keep a lake safe: `backup`, and what is done with backups."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhl_lake.backup import repository
from nhl_lake.backup.create import create_backup
from nhl_lake.backup.drill import run_drill
from nhl_lake.backup.prune import RetentionPolicy, prune_backups
from nhl_lake.backup.verify import read_manifests, verify_backups
from nhl_lake.cli import console, progress
from nhl_lake.cli.options import Json, Quiet, format_command_line, load_settings
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput
from nhl_lake.ingest.fetcher import interrupt_on_sigterm
from nhl_lake.settings import Settings
from nhl_lake.store.location import Location, parse_location, require_backups_name

app = typer.Typer()
backup_app = typer.Typer()
app.add_typer(backup_app, name="backup")

BackupsOption = Annotated[
    str | None, typer.Option("--from", metavar="URI", help="Where the backups are, if not where the settings say.")
]


def load_backup_settings(uri: str | None) -> tuple[Settings, Clock, Location]:
    """Return settings, clock, and where the backups are."""
    chosen, clock = load_settings()
    return chosen, clock, chosen.backups if uri is None else require_backups_name(parse_location(uri))


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
    chosen, clock, backups = load_backup_settings(to)
    gauge = progress.ByteProgressBar(quiet=quiet or json)
    try:
        with interrupt_on_sigterm(), gauge.display():
            done = create_backup(
                chosen.root, backups, clock=clock, report=gauge, command=format_command_line(), allow_row_loss=accept
            )
    except KeyboardInterrupt as stop:
        if not quiet:
            typer.echo("Stopped: the next backup goes on from here.", err=True)
        raise typer.Exit(130) from stop
    if json:
        facts = progress.describe_backup(done.manifest)
        new = {"new_files": done.new_files, "new_bytes": done.new_bytes, "seconds": round(done.seconds, 3)}
        typer.echo(console.format_json({**facts, **new}))
    elif not quiet:
        progress.show_backup(done, backups)


@backup_app.command(name="list")
def list_command(uri: BackupsOption = None, json: Json = False) -> None:
    """List the backups, the newest first."""
    _, _, backups = load_backup_settings(uri)
    found, wrong = read_manifests(backups, repository.require_backups(backups))
    if json:
        typer.echo(console.format_json([progress.describe_backup(manifest) for manifest in found]))
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
    uri: BackupsOption = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Hold backups against what is there; exit 1 if anything is wrong."""
    _, _, backups = load_backup_settings(uri)
    names = repository.require_backups(backups) if name is None else [repository.read_manifest(backups, name).name]
    gauge = progress.ByteProgressBar(quiet=quiet or json)
    with gauge.display():
        found = verify_backups(backups, names, deep=deep, report=gauge)
    if json:
        typer.echo(console.format_json({**found._asdict(), "wrong": [wrong._asdict() for wrong in found.wrong]}))
    elif not quiet or found.wrong:
        progress.show_verification(found, deep=deep)
    if found.wrong:
        raise typer.Exit(1)


@backup_app.command(name="prune")
def prune_command(
    daily: Annotated[int, typer.Option("--keep-daily", min=0, help="The newest of each of so many days.")] = 7,
    weekly: Annotated[int, typer.Option("--keep-weekly", min=0, help="Of each of so many weeks.")] = 4,
    monthly: Annotated[int, typer.Option("--keep-monthly", min=0, help="Of each of so many months.")] = 12,
    uri: BackupsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Remove backups but the newest of the last days, weeks and months; the newest of all always stays."""
    _, clock, backups = load_backup_settings(uri)
    repository.require_backups(backups)
    found = prune_backups(
        backups, RetentionPolicy(daily, weekly, monthly), now=clock(), command=format_command_line(), dry_run=dry_run
    )
    if json:
        typer.echo(console.format_json(found._asdict()))
    elif not quiet:
        progress.show_prune(found, dry_run=dry_run)


@backup_app.command(name="drill")
def drill_command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which backup; the newest by default.")] = None,
    into: Annotated[
        Path | None, typer.Option("--in", metavar="DIR", help="Where there is room, if not for temporary files.")
    ] = None,
    uri: BackupsOption = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rehearse a restore: bring a backup back into a temporary folder, verify it, and say how long it took."""
    _, clock, backups = load_backup_settings(uri)
    manifest = repository.require_newest_manifest(backups) if name is None else repository.read_manifest(backups, name)
    gauge = progress.ByteProgressBar(quiet=quiet or json)
    with interrupt_on_sigterm(), gauge.display():
        done = run_drill(backups, manifest, into=into, now=clock(), report=gauge)
    if json:
        typer.echo(console.format_json(msgspec.to_builtins(done)))
    elif not quiet or done.wrong:
        progress.show_drill(done)
    if done.wrong:
        raise typer.Exit(1)
