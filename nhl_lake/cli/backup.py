"""The commands of `nhl-lake backup`: create, list, verify, prune, drill."""

from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli import log
from nhl_lake.cli.options import (
    BackupsOption,
    DryRun,
    Json,
    LakeOption,
    Quiet,
    SourceOption,
    format_command_line,
    load_settings,
)
from nhl_lake.cli.output import write_out
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    from nhl_lake.clock import Clock
    from nhl_lake.settings import Settings
    from nhl_lake.store.location import Location, Source


def load_backup_settings(uri: str | None) -> "tuple[Settings, Clock, Location]":
    """Return the settings, the clock, and the location of the backups."""
    from nhl_lake.store.location import parse_location, require_backups_name

    chosen, clock = load_settings()
    return chosen, clock, chosen.backups if uri is None else require_backups_name(parse_location(uri))


def load_source_settings(uri: str | None) -> "tuple[Settings, Clock, Source]":
    """Return the settings, the clock, and where backups are read from: also a web host, to which nothing is written."""
    from nhl_lake.store.location import parse_source
    from nhl_lake.store.web_address import is_web_address

    if uri is None or not is_web_address(uri):
        return load_backup_settings(uri)
    chosen, clock = load_settings()
    return chosen, clock, parse_source(uri)


def choose_lake(root: "Location", backups: "Source", lake: str | None) -> "frozenset[str]":
    """Return the identity of the lake whose backups a command uses: the one named, else the one at `root`.

    Without a lake at `root`, the only one with backups is meant; if there are several, the user has to name one.
    """
    from nhl_lake import layout
    from nhl_lake.backup import repository

    if lake is not None:
        return repository.find_lake(backups, lake)
    if found := layout.read_lake_ids(root):
        return found
    repository.require_backups(backups)
    newest = repository.read_newest_of_each_lake(backups)
    if len(newest) > 1:
        raise BadInput(
            f"There is no lake at {root}, and {backups} has backups of {repository.describe_lakes(backups)}.",
            "Name one of them with --lake ID.",
        )
    return frozenset(newest)


def create(
    to: Annotated[
        str | None,
        typer.Option("--to", "-o", metavar="URI", help="DIR or s3://bucket/prefix. Default: NHL_LAKE_BACKUPS."),
    ] = None,
    allow_row_loss: Annotated[
        bool, typer.Option("--allow-row-loss", help="Also back up a lake that has lost pages since the last backup.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Back up the lake while runs go on.

    Copies only files that no earlier backup has.
    """
    from nhl_lake.backup.create import create_backup
    from nhl_lake.cli import console, progress
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm

    chosen, clock, backups = load_backup_settings(to)
    bar = progress.ByteProgressBar(quiet=quiet or json)
    try:
        with interrupt_on_sigterm(), bar.display():
            done = create_backup(
                chosen.root,
                backups,
                clock=clock,
                report=bar,
                command=format_command_line(),
                allow_row_loss=allow_row_loss,
            )
    except KeyboardInterrupt as stop:
        if not quiet:
            log.write("warning", "Stopped. The next backup continues from here.")
        raise typer.Exit(130) from stop
    if json:
        facts = progress.describe_backup(done.manifest)
        new = {"new_files": done.new_files, "new_bytes": done.new_bytes, "seconds": round(done.seconds, 3)}
        write_out(console.format_json({**facts, **new}))
    elif not quiet:
        progress.show_backup(done, backups)


def list_backups(uri: SourceOption = None, json: Json = False) -> None:
    """List the backups, newest first."""
    from nhl_lake.backup import repository
    from nhl_lake.backup.verify import read_manifests
    from nhl_lake.cli import console, progress

    _, _, backups = load_source_settings(uri)
    found, problems = read_manifests(backups, repository.require_backups(backups))
    if json:
        write_out(console.format_json([progress.describe_backup(manifest) for manifest in found]))
    else:
        progress.show_backups(found)
    for problem in problems:
        log.write("warning", problem.why)
    if problems:
        raise typer.Exit(1)


def verify(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One backup. Default: all.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte.")] = False,
    uri: BackupsOption = None,
    lake: LakeOption = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Check that every file of every backup is there.

    Compares names and sizes; with --deep also the SHA-256 of every byte. Exits with 1 if anything is wrong.
    """
    from nhl_lake.backup import repository
    from nhl_lake.backup.verify import read_manifests, verify_backups
    from nhl_lake.cli import console, progress

    chosen, clock, backups = load_backup_settings(uri)
    names = repository.require_backups(backups) if name is None else [repository.read_manifest(backups, name).name]
    if name is None:
        ids = choose_lake(chosen.root, backups, lake)
        manifests, problems = read_manifests(backups, names)
        names = [one.name for one in manifests if one.is_of(ids)] + [problem.backup for problem in problems]
    bar = progress.ByteProgressBar(quiet=quiet or json)
    with bar.display():
        found = verify_backups(backups, names, deep=deep, report=bar)
    repository.update_index(backups, now=clock(), command=format_command_line())
    if json:
        write_out(console.format_json({**found._asdict(), "wrong": [wrong._asdict() for wrong in found.wrong]}))
    elif not quiet or found.wrong:
        progress.show_verification(found, deep=deep)
    if found.wrong:
        raise typer.Exit(1)


def prune(
    daily: Annotated[int, typer.Option("--keep-daily", metavar="N", min=0, help="Keep the newest of N days.")] = 7,
    weekly: Annotated[int, typer.Option("--keep-weekly", metavar="N", min=0, help="Keep the newest of N weeks.")] = 4,
    monthly: Annotated[
        int, typer.Option("--keep-monthly", metavar="N", min=0, help="Keep the newest of N months.")
    ] = 12,
    uri: BackupsOption = None,
    lake: LakeOption = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Remove old backups, and files that no backup needs.

    Keeps the newest backup of each of the last days, weeks and months, and always the newest of all.
    """
    from nhl_lake.backup import repository
    from nhl_lake.backup.prune import RetentionPolicy, prune_backups
    from nhl_lake.cli import console, progress

    chosen, clock, backups = load_backup_settings(uri)
    repository.require_backups(backups)
    found = prune_backups(
        backups,
        RetentionPolicy(daily, weekly, monthly),
        now=clock(),
        command=format_command_line(),
        ids=choose_lake(chosen.root, backups, lake),
        dry_run=dry_run,
    )
    if json:
        write_out(console.format_json(found._asdict()))
    elif not quiet:
        progress.show_prune(found, dry_run=dry_run)


def drill(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One backup. Default: the newest.")] = None,
    into: Annotated[
        str | None, typer.Option("--in", metavar="DIR", help="Folder with room. Default: temporary files.")
    ] = None,
    uri: BackupsOption = None,
    lake: LakeOption = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rehearse a restore, and measure how long it takes.

    Restores a backup into a temporary folder, verifies it, and removes the folder. Exits with 1 if that fails.
    """
    import msgspec

    from nhl_lake.backup import repository
    from nhl_lake.backup.drill import run_drill
    from nhl_lake.cli import console, progress
    from nhl_lake.ingest.fetcher import interrupt_on_sigterm
    from nhl_lake.queries.targets import parse_folder

    folder = None if into is None else parse_folder(into)
    chosen, clock, backups = load_backup_settings(uri)
    manifest = (
        repository.require_newest_manifest(backups, choose_lake(chosen.root, backups, lake))
        if name is None
        else repository.read_manifest(backups, name)
    )
    bar = progress.ByteProgressBar(quiet=quiet or json)
    with interrupt_on_sigterm(), bar.display():
        done = run_drill(backups, manifest, into=folder, now=clock(), report=bar)
    if json:
        write_out(console.format_json(msgspec.to_builtins(done)))
    elif not quiet or done.wrong:
        progress.show_drill(done)
    if done.wrong:
        raise typer.Exit(1)
