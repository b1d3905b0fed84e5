"""The commands of a daily run: install, show, remove; each shows what it changes before it does."""

import sys
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from nhl_lake import settings
from nhl_lake.cli import crontab
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.store.location import Location, expand_home

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A daily run, by cron or a systemd timer.")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Systemd = Annotated[bool, typer.Option("--systemd", help="A systemd timer of the user, not a line of the crontab.")]


@app.command()
def install(
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When, by this machine's clock: 09:00.")] = "09:00",
    log: Annotated[Path | None, typer.Option("--log", metavar="FILE", help="Where what it says goes.")] = None,
    backs_up: Annotated[
        bool, typer.Option("--backup", help="Also back up every day, an hour later, to NHL_LAKE_BACKUPS.")
    ] = False,
    maintains: Annotated[
        bool, typer.Option("--maintain", help="Also tend the lake on Sundays, two hours later.")
    ] = False,
    systemd: Systemd = False,
    yes: Yes = False,
) -> None:
    """Run `nhl-lake ingest --lookback 1 --quiet` every day, with the settings that hold now."""
    turns = (crontab.INGEST, *([crontab.BACKUP] if backs_up else []), *([crontab.MAINTAIN] if maintains else []))
    job = make_job(
        parse_time(at),
        (expand_home(log) if log else platformdirs.user_log_path("nhl-lake") / "ingest.log").absolute(),
        turns=turns,
    )
    if systemd:
        confirm_change("\n".join(f"# {name}\n{text}" for name, text in crontab.make_all_units(job).items()), yes=yes)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        crontab.enable_timers(find_units_folder(), job)
    else:
        text = crontab.install_block(crontab.read_crontab(), job)
        confirm_change(crontab.format_block(job), yes=yes)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        crontab.write_crontab(text)
    when = [
        f"{turn.args[0]} {'on Sundays' if turn.is_weekly else 'every day'} at {turn.time_after(job.at):%H:%M}"
        for turn in turns
    ]
    typer.echo(f"Installed: {', '.join(when)}; what they say goes to {job.log}.")


@app.command()
def show() -> None:
    """Print the daily run of this lake, if there is one."""
    root = make_absolute(settings.load()[0].root)
    found = [text for text in (read_installed_block(root), crontab.read_timers(find_units_folder(), root)) if text]
    typer.echo("\n".join(found) if found else f"No daily run of {root} is installed: `nhl-lake schedule install`.")


@app.command()
def remove(yes: Yes = False) -> None:
    """Remove the daily run of this lake; whatever else there is stays as it is."""
    root = make_absolute(settings.load()[0].root)
    line, timer = read_installed_block(root), crontab.read_timers(find_units_folder(), root)
    if line is None and timer is None:
        typer.echo(f"No daily run of {root} is installed.")
        return
    confirm_change("\n".join(text for text in (line, timer) if text), yes=yes)
    if line is not None:
        crontab.write_crontab(crontab.remove_block(crontab.read_crontab(), root))
    if timer is not None:
        crontab.disable_timers(find_units_folder(), root)
    typer.echo("Removed.")


def read_installed_block(root: Location) -> str | None:
    """Return the lines of the crontab; a machine without one has none."""
    try:
        return crontab.find_block(crontab.read_crontab(), root)
    except LakeError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def make_job(at: time, log: Path, *, turns: Sequence[crontab.ScheduledRun]) -> crontab.CronJob:
    """Return the job of this lake: cron and systemd know nothing of the environment or the folder of today."""
    chosen, found = settings.load()
    if crontab.BACKUP in turns and any(setting.name == "backups" and setting.origin == "default" for setting in found):
        raise BadInput(
            f"--backup: nothing says where daily backups go, but {chosen.backups} by default, beside the lake.",
            "Set NHL_LAKE_BACKUPS to a place that is not lost with the lake: another disk, or s3://bucket/prefix.",
        )
    # an instant to take for now is for trials: a daily run of it would do the same thing for ever
    kept = [s for s in found if s.origin.startswith("environment") and s.name != "now"]
    said = {f"NHL_LAKE_{s.name.upper()}": str(s.value) for s in kept}
    places = {"NHL_LAKE_ROOT": str(make_absolute(chosen.root)), "NHL_LAKE_BACKUPS": str(make_absolute(chosen.backups))}
    return crontab.CronJob(
        make_absolute(chosen.root), at, (sys.executable, "-m", "nhl_lake"), said | places, Path.cwd(), log, turns
    )


def make_absolute(place: Location) -> Location:
    """Return a place by its whole name."""
    return place.absolute() if isinstance(place, Path) else place


def find_units_folder() -> Path:
    """Return where systemd looks for the user's units."""
    return platformdirs.user_config_path("systemd") / "user"


def parse_time(text: str) -> time:
    """Return the time of day that a text names."""
    try:
        hour, minute = text.split(":")
        return time(int(hour), int(minute))
    except ValueError as error:
        raise BadInput(f"--at {text} is no time of day.", "Write it as in --at 09:00.") from error


def confirm_change(text: str, *, yes: bool) -> None:
    """Show what is to be changed, and go on only if that is wanted."""
    typer.echo(text.rstrip("\n"))
    if not yes and not typer.confirm("Is that right?"):
        typer.echo("Nothing was changed.")
        raise typer.Exit(1)
