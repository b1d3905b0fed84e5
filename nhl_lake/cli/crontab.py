"""Runs by the clock: the lines of a crontab between markers of their own, or systemd timers of the user."""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import time
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from nhl_lake.errors import LakeError
from nhl_lake.store.location import Location

INGEST_ARGS = ("ingest", "--lookback", "1", "--quiet")


class ScheduledRun(NamedTuple):
    """A run by the clock: its words, how long after the first one of a day, and on Sundays only or every day."""

    args: Sequence[str]
    hours_later: int
    is_weekly: bool

    def time_after(self, first: time) -> time:
        """Return the time of day of it."""
        return first.replace(hour=(first.hour + self.hours_later) % 24)


INGEST = ScheduledRun(INGEST_ARGS, 0, is_weekly=False)
BACKUP = ScheduledRun(
    ("backup", "--quiet"), 1, is_weekly=False
)  # later than a run takes, though it need not wait for one
MAINTAIN = ScheduledRun(("maintain", "--quiet"), 2, is_weekly=True)


class CronJob(NamedTuple):
    """Runs of a lake: when by the machine's clock, the program, its settings, its folder, its log, and which runs."""

    root: Location
    at: time
    program: Sequence[str]
    settings: Mapping[str, str]
    folder: Path
    log: Path
    runs: Sequence[ScheduledRun] = (INGEST,)


def format_block(job: CronJob) -> str:
    """Return a job's lines of a crontab, with the markers around them."""
    begin, end = make_markers(job.root)
    return "\n".join([begin, *(format_line(job, turn) for turn in job.runs), end, ""])


def format_line(job: CronJob, turn: ScheduledRun) -> str:
    """Return the line of one run."""
    words = [
        *(f"{name}={shlex.quote(value)}" for name, value in job.settings.items()),
        shlex.join([*job.program, *turn.args]),
    ]
    whole = f"cd {shlex.quote(str(job.folder))} && {' '.join(words)} >> {shlex.quote(str(job.log))} 2>&1"
    at, days = turn.time_after(job.at), "0" if turn.is_weekly else "*"
    escaped_line = whole.replace("%", r"\%")  # in a crontab a bare one is a new line
    return f"{at.minute} {at.hour} * * {days} {escaped_line}"


def make_markers(root: Location) -> tuple[str, str]:
    """Return the lines between which a lake's job stands."""
    return f"# >>> nhl-lake {root} >>>", f"# <<< nhl-lake {root} <<<"


def remove_block(crontab: str, root: Location) -> str:
    """Return a crontab without a lake's job; everything else stays as it is, to the letter."""
    begin, end = map(re.escape, make_markers(root))
    return re.sub(rf"^{begin}\n(?:.*\n)*?{end}\n?", "", crontab, flags=re.MULTILINE)


def find_block(crontab: str, root: Location) -> str | None:
    """Return a lake's job in a crontab, with its markers."""
    begin, end = map(re.escape, make_markers(root))
    found = re.search(rf"^{begin}\n(?:.*\n)*?{end}$", crontab, flags=re.MULTILINE)
    return found[0] if found else None


def install_block(crontab: str, job: CronJob) -> str:
    """Return a crontab with a job in it, in place of an older one of the same lake."""
    rest = remove_block(crontab, job.root)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{gap}{format_block(job)}"


def read_crontab() -> str:
    """Read the user's crontab; nobody has one before the first line."""
    found = run_program("crontab", "-l")
    if found.returncode and "no crontab" not in found.stderr.lower():
        raise LakeError(
            f"The crontab cannot be read: {found.stderr.strip()}", "Nothing was changed. `crontab -l` says more."
        )
    return found.stdout if not found.returncode else ""


def write_crontab(text: str) -> None:
    """Write the user's crontab."""
    done = run_program("crontab", "-", stdin_text=text)
    if done.returncode:
        raise LakeError(
            f"The crontab was not taken: {' '.join(done.stderr.split())}",
            "It is as before; `crontab -e` changes it by hand.",
        )


def run_program(*words: str, stdin_text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the system; one that is not there is an error."""
    try:
        return subprocess.run(words, input=stdin_text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        other = "--systemd makes a timer" if words[0] == "crontab" else "without --systemd it is a line of the crontab"
        raise LakeError(
            f"There is no {words[0]} on this machine.",
            f"{other}; any scheduler can run `nhl-lake {' '.join(INGEST_ARGS)}`.",
        ) from error


def make_all_units(job: CronJob) -> dict[str, str]:
    """Return the files of systemd timers of the user, by name."""
    return {name: text for turn in job.runs for name, text in make_unit_files(job, turn).items()}


def make_unit_files(job: CronJob, turn: ScheduledRun) -> dict[str, str]:
    """Return the two files of one run."""
    said = "\n".join(f'Environment="{escape_unit_value(f"{name}={value}")}"' for name, value in job.settings.items())
    command = " ".join(f'"{escape_unit_value(word)}"' for word in [*job.program, *turn.args])
    log, folder = (str(path).replace("%", "%%") for path in (job.log, job.folder))
    about = f"[Unit]\nDescription=nhl-lake {turn.args[0]}: {str(job.root).replace('%', '%%')}\n\n"
    service = (
        f"{about}[Service]\nType=oneshot\n{said}\n"
        f"WorkingDirectory={folder}\nExecStart={command}\nStandardOutput=append:{log}\nStandardError=append:{log}\n"
    )
    days = "Sun *-*-*" if turn.is_weekly else "*-*-*"
    when = f"OnCalendar={days} {turn.time_after(job.at):%H:%M}:00\nPersistent=true\n"
    timer = f"{about}[Timer]\n{when}\n[Install]\nWantedBy=timers.target\n"
    name = name_unit(job.root, turn)
    return {f"{name}.service": service, f"{name}.timer": timer}


def escape_unit_value(word: str) -> str:
    """Return a word as it stands between quotes in a unit."""
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")


def name_unit(root: Location, turn: ScheduledRun = INGEST) -> str:
    """Return the name of a lake's units; that of the daily run has no name of the run in it."""
    name = f"nhl-lake-{sha256(str(root).encode()).hexdigest()[:8]}"
    return name if turn is INGEST else f"{name}-{turn.args[0]}"


def enable_timers(folder: Path, job: CronJob) -> None:
    """Write the files of timers and start them, in place of all that there were."""
    run_systemctl("--user", "show-environment")  # nothing is written where no systemd of the user runs
    folder.mkdir(parents=True, exist_ok=True)
    stop_timers(folder, job.root)
    for name, text in make_all_units(job).items():
        (folder / name).write_text(text)
    run_systemctl("--user", "daemon-reload")
    for turn in job.runs:
        run_systemctl("--user", "enable", "--now", f"{name_unit(job.root, turn)}.timer")


def disable_timers(folder: Path, root: Location) -> None:
    """Stop a lake's timers and remove their files."""
    stop_timers(folder, root)
    run_systemctl("--user", "daemon-reload")


def stop_timers(folder: Path, root: Location) -> None:
    """Stop the timers that a lake has, and remove their files."""
    for turn in list_installed_runs(folder, root):
        run_systemctl("--user", "disable", "--now", f"{name_unit(root, turn)}.timer")
        for name in ("service", "timer"):
            (folder / f"{name_unit(root, turn)}.{name}").unlink(missing_ok=True)


def list_installed_runs(folder: Path, root: Location) -> list[ScheduledRun]:
    """Return the runs of a lake that there are timers of."""
    return [turn for turn in (INGEST, BACKUP, MAINTAIN) if (folder / f"{name_unit(root, turn)}.timer").is_file()]


def run_systemctl(*words: str) -> None:
    """Tell systemd something."""
    done = run_program("systemctl", *words)
    if done.returncode:
        raise LakeError(
            f"systemctl {' '.join(words)}: {' '.join(done.stderr.split())}",
            "Without --systemd it is a line of the crontab.",
        )


def read_timers(folder: Path, root: Location) -> str | None:
    """Return a lake's timers as their files say it; none if there is none."""
    names = [name_unit(root, turn) for turn in list_installed_runs(folder, root)]
    files = [folder / f"{name}.{kind}" for name in names for kind in ("timer", "service")]
    return "\n".join(f"# {file}\n{file.read_text()}" for file in files) or None
