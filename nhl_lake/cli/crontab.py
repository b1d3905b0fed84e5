"""Scheduled runs: lines of the crontab between markers, or systemd user timers."""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nhl_lake.errors import BadInput, LakeError

if TYPE_CHECKING:
    from nhl_lake.store.location import Location

WAIT_ARGS = ("--wait", "10m")  # a run by hand may hold the lake then
INGEST_ARGS = ("ingest", "--lookback", "1", *WAIT_ARGS, "--quiet")


class ScheduledRun(NamedTuple):
    """A scheduled run: its arguments, hours after the first run of the day, every day or on Sundays."""

    args: Sequence[str]
    hours_later: int
    is_weekly: bool

    def time_after(self, first: time) -> time:
        """Return its time of day, given that of the first run."""
        return first.replace(hour=(first.hour + self.hours_later) % 24)


INGEST = ScheduledRun(INGEST_ARGS, 0, is_weekly=False)
BACKUP = ScheduledRun(
    ("backup", "create", *WAIT_ARGS, "--quiet"), 1, is_weekly=False
)  # an hour is longer than an ingest takes
MAINTAIN = ScheduledRun(("maintain", *WAIT_ARGS, "--quiet"), 2, is_weekly=True)


class CronJob(NamedTuple):
    """The scheduled runs of a lake: time of day, program, environment variables, working folder, log and runs."""

    root: "Location"
    at: time
    program: Sequence[str]
    settings: Mapping[str, str]
    folder: Path
    log: Path
    runs: Sequence[ScheduledRun] = (INGEST,)


def format_block(job: CronJob) -> str:
    """Return the lines of a job for the crontab, between its markers."""
    begin, end = make_markers(job.root)
    return "\n".join([begin, *(format_line(job, run) for run in job.runs), end, ""])


def format_line(job: CronJob, run: ScheduledRun) -> str:
    """Return the line of one run for the crontab."""
    words = [
        *(f"{name}={shlex.quote(value)}" for name, value in job.settings.items()),
        shlex.join([*job.program, *run.args]),
    ]
    line = f"cd {shlex.quote(str(job.folder))} && {' '.join(words)} >> {shlex.quote(str(job.log))} 2>&1"
    at, days = run.time_after(job.at), "0" if run.is_weekly else "*"
    escaped_line = line.replace("%", r"\%")  # a bare % is a new line in a crontab
    return f"{at.minute} {at.hour} * * {days} {escaped_line}"


def make_markers(root: "Location") -> tuple[str, str]:
    """Return the marker lines around the job of a lake."""
    return f"# >>> nhl-lake {root} >>>", f"# <<< nhl-lake {root} <<<"


def remove_block(crontab: str, root: "Location") -> str:
    """Return a crontab without the job of a lake. No other character changes."""
    begin, end = map(re.escape, make_markers(root))
    return re.sub(rf"^{begin}\n(?:.*\n)*?{end}\n?", "", crontab, flags=re.MULTILINE)


def find_block(crontab: str, root: "Location") -> str | None:
    """Return the job of a lake in a crontab, with its markers; None if it has none."""
    begin, end = map(re.escape, make_markers(root))
    found = re.search(rf"^{begin}\n(?:.*\n)*?{end}$", crontab, flags=re.MULTILINE)
    return found[0] if found else None


def install_block(crontab: str, job: CronJob) -> str:
    """Return a crontab with a job. It replaces an older job of the same lake."""
    rest = remove_block(crontab, job.root)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{gap}{format_block(job)}"


def read_crontab() -> str:
    """Read the user's crontab; empty if there is none yet."""
    found = run_program("crontab", "-l")
    if found.returncode and "no crontab" not in found.stderr.lower():
        raise LakeError(
            f"Cannot read the crontab: {found.stderr.strip()}", "No changes were made. `crontab -l` shows more."
        )
    return found.stdout if not found.returncode else ""


def write_crontab(text: str) -> None:
    """Write the user's crontab."""
    done = run_program("crontab", "-", stdin_text=text)
    if done.returncode:
        raise LakeError(
            f"Cannot write the crontab: {' '.join(done.stderr.split())}",
            "No changes were made. `crontab -e` edits it by hand.",
        )


def run_program(*words: str, stdin_text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the system. Raise if the machine does not have it."""
    try:
        return subprocess.run(words, input=stdin_text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        other = "Use --systemd" if words[0] == "crontab" else "Leave out --systemd to use the crontab"
        raise LakeError(
            f"This machine has no {words[0]}.",
            f"{other}, or let any scheduler run `nhl-lake {' '.join(INGEST_ARGS)}`.",
        ) from error


def make_all_units(job: CronJob) -> dict[str, str]:
    """Return the text of every systemd unit file, by name."""
    return {name: text for run in job.runs for name, text in make_unit_files(job, run).items()}


def make_unit_files(job: CronJob, run: ScheduledRun) -> dict[str, str]:
    """Return the two unit files of one run, by name."""
    environment = "\n".join(
        f'Environment="{escape_unit_value(f"{name}={value}")}"' for name, value in job.settings.items()
    )
    # only a command expands variables
    command = " ".join(f'"{escape_unit_value(word).replace("$", "$$")}"' for word in [*job.program, *run.args])
    log, folder = (escape_unit_path(path) for path in (job.log, job.folder))
    about = f"[Unit]\nDescription=nhl-lake {run.args[0]}: {str(job.root).replace('%', '%%')}\n\n"
    service = (
        f"{about}[Service]\nType=oneshot\n{environment}\n"
        f"WorkingDirectory={folder}\nExecStart={command}\nStandardOutput=append:{log}\nStandardError=append:{log}\n"
    )
    days = "Sun *-*-*" if run.is_weekly else "*-*-*"
    when = f"OnCalendar={days} {run.time_after(job.at):%H:%M}:00\nPersistent=true\n"
    timer = f"{about}[Timer]\n{when}\n[Install]\nWantedBy=timers.target\n"
    name = name_unit(job.root, run)
    return {f"{name}.service": service, f"{name}.timer": timer}


def escape_unit_value(word: str) -> str:
    """Return a word escaped for quotes in a unit file."""
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def escape_unit_path(path: Path) -> str:
    """Return a path for a unit file, where it goes to the end of the line. Raise if the line would lose its end."""
    if str(path).endswith(("\\", " ")):
        raise BadInput(
            f"{str(path)!r} ends in a blank or a backslash, which a systemd unit cannot hold.",
            "Use a folder with another name, or leave out --systemd to use the crontab.",
        )
    return str(path).replace("%", "%%")


def name_unit(root: "Location", run: ScheduledRun = INGEST) -> str:
    """Return the name of the units of a lake; that of the ingest has no suffix."""
    name = f"nhl-lake-{sha256(str(root).encode()).hexdigest()[:8]}"
    return name if run is INGEST else f"{name}-{run.args[0]}"


def enable_timers(folder: Path, job: CronJob) -> None:
    """Write the unit files and start the timers. They replace all older timers of the lake."""
    run_systemctl("--user", "show-environment")  # raises before anything is written if no user systemd runs
    folder.mkdir(parents=True, exist_ok=True)
    stop_timers(folder, job.root)
    for name, text in make_all_units(job).items():
        (folder / name).write_text(text)
    run_systemctl("--user", "daemon-reload")
    for run in job.runs:
        run_systemctl("--user", "enable", "--now", f"{name_unit(job.root, run)}.timer")


def disable_timers(folder: Path, root: "Location") -> None:
    """Stop the timers of a lake, remove their files, and reload systemd."""
    stop_timers(folder, root)
    run_systemctl("--user", "daemon-reload")


def stop_timers(folder: Path, root: "Location") -> None:
    """Stop the timers of a lake and remove their files."""
    for run in list_installed_runs(folder, root):
        run_systemctl("--user", "disable", "--now", f"{name_unit(root, run)}.timer")
        for name in ("service", "timer"):
            (folder / f"{name_unit(root, run)}.{name}").unlink(missing_ok=True)


def list_installed_runs(folder: Path, root: "Location") -> list[ScheduledRun]:
    """Return the runs of a lake that have a timer."""
    return [run for run in (INGEST, BACKUP, MAINTAIN) if (folder / f"{name_unit(root, run)}.timer").is_file()]


def run_systemctl(*words: str) -> None:
    """Run systemctl. Raise if it fails."""
    done = run_program("systemctl", *words)
    if done.returncode:
        raise LakeError(
            f"systemctl {' '.join(words)}: {' '.join(done.stderr.split())}",
            "Leave out --systemd to use the crontab.",
        )


def read_timers(folder: Path, root: "Location") -> str | None:
    """Return the text of the unit files of a lake; None if there are none."""
    names = [name_unit(root, run) for run in list_installed_runs(folder, root)]
    files = [folder / f"{name}.{kind}" for name in names for kind in ("timer", "service")]
    return "\n".join(f"# {file}\n{file.read_text()}" for file in files) or None
