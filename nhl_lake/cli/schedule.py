"""The commands of `nhl-lake schedule`: install, show, remove. Each shows a change before it makes it."""

import os
import re
import sys
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.commands import use_variable
from nhl_lake.cli.options import Json, Quiet, Yes, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.cli.ping import VARIABLE, mask_variable
from nhl_lake.errors import BadInput, LakeError

# what the runs need to find a store; keys are not copied into files
STORE_VARIABLES = (
    "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ALLOW_HTTP", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
ROLE_VARIABLES = STORE_VARIABLES[4:5] + STORE_VARIABLES[6:]
KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

if TYPE_CHECKING:
    from nhl_lake.cli.crontab import CronJob, ScheduledRun
    from nhl_lake.store.location import Location


def install(
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Time of day by this machine's clock.")] = "09:00",
    log: Annotated[str | None, typer.Option("--log", metavar="FILE", help="Log file of the runs.")] = None,
    backs_up: Annotated[bool, typer.Option("--backup", help="Also back up every day, an hour later.")] = False,
    maintains: Annotated[bool, typer.Option("--maintain", help="Also run maintenance on Sundays.")] = False,
    ping: Annotated[
        str | None, typer.Option("--ping", metavar="URL", help="Let the ingest request URL at its end, or URL/fail.")
    ] = None,
    systemd: Annotated[bool, typer.Option("--systemd", help="Use a systemd user timer, not the crontab.")] = False,
    yes: Yes = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run `nhl-lake ingest --lookback 1 --wait 10m --quiet` every day.

    The run uses the current settings.
    """
    import platformdirs

    from nhl_lake.cli import console, crontab
    from nhl_lake.queries.targets import parse_folder

    runs = (crontab.INGEST, *([crontab.BACKUP] if backs_up else []), *([crontab.MAINTAIN] if maintains else []))
    log_file = parse_folder(log) if log is not None else platformdirs.user_log_path("nhl-lake") / "ingest.log"
    with use_variable(VARIABLE, ping):
        job = make_job(parse_time(at), log_file.absolute(), runs=runs)
    credentials = describe_credentials(job, read_environment_files() if systemd else crontab.read_crontab())
    if credentials and not quiet and not json:
        print_text(credentials)
    if systemd:
        confirm_change(
            "\n".join(f"# {name}\n{text}" for name, text in crontab.make_all_units(job).items()), yes=yes, json=json
        )
        job.log.parent.mkdir(parents=True, exist_ok=True)
        crontab.enable_timers(find_units_folder(), job)
    else:
        text = crontab.install_block(crontab.read_crontab(), job)
        confirm_change(crontab.format_block(job), yes=yes, json=json)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        crontab.write_crontab(text)
    if json:
        times = [
            {"command": run.args[0], "at": f"{run.time_after(job.at):%H:%M}", "is_weekly": run.is_weekly}
            for run in runs
        ]
        write_out(console.format_json({"runs": times, "log": job.log, "credentials": credentials}))
    if quiet or json:
        return
    when = [
        f"{run.args[0]} {'on Sundays' if run.is_weekly else 'every day'} at {run.time_after(job.at):%H:%M}"
        for run in runs
    ]
    print_text(f"Installed: {', '.join(when)}. Log: {job.log}.")


def show(json: Json = False) -> None:
    """Show the daily run of this lake."""
    from nhl_lake.cli import console, crontab

    root = make_absolute(load_settings()[0].root)
    line, timers = read_installed_block(root), crontab.read_timers(find_units_folder(), root)
    line, timers = (text and mask_variable(text) for text in (line, timers))
    if json:
        write_out(console.format_json({"crontab": line, "systemd": timers}))
        return
    found = [text for text in (line, timers) if text]
    print_text("\n".join(found) or f"No daily run of {root} is installed. Run `nhl-lake schedule install`.")


def remove(yes: Yes = False, quiet: Quiet = False, json: Json = False) -> None:
    """Remove the daily run of this lake.

    Other lines of the crontab do not change.
    """
    from nhl_lake.cli import console, crontab

    root = make_absolute(load_settings()[0].root)
    line, timer = read_installed_block(root), crontab.read_timers(find_units_folder(), root)
    if line is None and timer is None:
        if json:
            write_out(console.format_json({"crontab": None, "systemd": None}))
        elif not quiet:
            print_text(f"No daily run of {root} is installed.")
        return
    confirm_change("\n".join(text for text in (line, timer) if text), yes=yes, json=json)
    if line is not None:
        crontab.write_crontab(crontab.remove_block(crontab.read_crontab(), root))
    if timer is not None:
        crontab.disable_timers(find_units_folder(), root)
    if json:
        removed = {"crontab": line and mask_variable(line), "systemd": timer and mask_variable(timer)}
        write_out(console.format_json(removed))
    elif not quiet:
        print_text("Removed.")


def read_installed_block(root: "Location") -> str | None:
    """Return this lake's lines of the crontab; None if it has none, or the machine has no crontab."""
    from nhl_lake.cli import crontab

    try:
        return crontab.find_block(crontab.read_crontab(), root)
    except LakeError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def make_job(at: time, log: Path, *, runs: "Sequence[ScheduledRun]") -> "CronJob":
    """Return the job of this lake with everything it needs: cron knows neither the environment nor the folder."""
    from nhl_lake import settings
    from nhl_lake.cli import crontab
    from nhl_lake.store.location import Bucket, is_control_character

    chosen, found = settings.load()
    if crontab.BACKUP in runs and any(setting.name == "backups" and setting.origin == "default" for setting in found):
        raise BadInput(
            f"--backup needs a location for daily backups. The default, {chosen.backups}, is next to the lake.",
            "Set NHL_LAKE_BACKUPS to another disk, or to s3://bucket/prefix.",
        )
    if crontab.BACKUP in runs and any(s.name == "backup_key" and s.origin.startswith("environment") for s in found):
        raise BadInput(
            "The key of the backups is in the environment, which scheduled backups do not have.",
            'Write it into the nhl-lake.toml of the lake as backup_key = "…", readable only for you.',
        )
    # NHL_LAKE_NOW is for trials: a daily run with it would do the same thing every day
    given = [s for s in found if s.origin.startswith("environment") and s.name not in {"now", "backup_key"}]
    variables = {f"NHL_LAKE_{s.name.upper()}": str(s.value) for s in given}
    if chosen.ping is not None and VARIABLE in variables:
        variables[VARIABLE] = chosen.ping.get_secret_value()
    locations = {
        "NHL_LAKE_ROOT": str(make_absolute(chosen.root)),
        "NHL_LAKE_BACKUPS": str(make_absolute(chosen.backups)),
    }
    if config := os.environ.get(settings.CONFIG_VARIABLE):
        locations[settings.CONFIG_VARIABLE] = str(Path(config).absolute())
    if any(isinstance(location, Bucket) for location in (chosen.root, chosen.backups)):
        locations |= {name: os.environ[name] for name in STORE_VARIABLES if name in os.environ}
    words = (sys.executable, "-m", "nhl_lake")
    job = crontab.CronJob(make_absolute(chosen.root), at, words, variables | locations, Path.cwd(), log, runs)
    for text in (sys.executable, *job.settings.values(), str(job.folder), str(log)):
        if any(map(is_control_character, text)):
            raise BadInput(
                f"{text!a} has a line break or another control character: it cannot go into a schedule.",
                "Use a folder, file or setting with another name.",
            )
    return job


def describe_credentials(job: "CronJob", installed: str) -> str | None:
    """Return which credentials for its bucket a job will have; None if it needs none. Raise if it will have none.

    installed: the lines that also set variables for the job, those of the crontab or of systemd's environment files.
    """
    places = [
        text for name in ("NHL_LAKE_ROOT", "NHL_LAKE_BACKUPS") if (text := job.settings[name]).startswith("s3://")
    ]
    if not places:
        return None
    if found := [name for name in ROLE_VARIABLES if name in job.settings]:
        return f"For {places[0]} the runs use the role of {found[0]}."
    set_there = [name for name in KEY_VARIABLES if re.search(rf"^\s*{name}\s*=", installed, re.MULTILINE)]
    if len(set_there) == len(KEY_VARIABLES):
        return f"For {places[0]} the runs use {' and '.join(KEY_VARIABLES)} as set there."
    if any(name in os.environ for name in KEY_VARIABLES):
        raise BadInput(
            f"The runs would have no credentials for {places[0]}: they do not see the keys of this shell.",
            f"Write {' and '.join(KEY_VARIABLES)} at the top of the crontab (`crontab -e`), or with --systemd into "
            f"{find_units_folder().parent.parent / 'environment.d' / 'nhl-lake.conf'}. Then install again.",
        )
    return f"For {places[0]} the runs use the role of this machine; without one they will fail."


def read_environment_files() -> str:
    """Return the text of the files that set variables for systemd's units of the user."""
    folder = find_units_folder().parent.parent / "environment.d"
    return "\n".join(file.read_text() for file in sorted(folder.glob("*.conf")))


def make_absolute(location: "Location") -> "Location":
    """Return a location with its full path."""
    return location.absolute() if isinstance(location, Path) else location


def find_units_folder() -> Path:
    """Return the folder in which systemd looks for units of the user."""
    import platformdirs

    return platformdirs.user_config_path("systemd") / "user"


def parse_time(text: str) -> time:
    """Return the time of day of `--at`."""
    try:
        hour, minute = text.split(":")
        return time(int(hour), int(minute))
    except ValueError as error:
        raise BadInput(f"Invalid option: --at {text} is not a time of day.", "Write --at 09:00.") from error


def confirm_change(text: str, *, yes: bool, json: bool) -> None:
    """Print a change and ask for confirmation. With --json nothing is printed or asked: raise without --yes."""
    if json:
        if not yes:
            raise BadInput("--json does not ask for confirmation.", "Add --yes, or leave out --json to see the change.")
        return
    print_text(mask_variable(text.rstrip("\n")))
    if not yes and not typer.confirm("Continue?"):
        print_text("No changes were made.")
        raise typer.Exit(1)
