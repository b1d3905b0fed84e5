"""A daily run: the lines of a crontab between markers of their own, or a systemd timer of the user."""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import time
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from nhl_lake.errors import LakeError
from nhl_lake.store.place import Place

RUN = ("ingest", "--lookback", "1", "--quiet")


class Job(NamedTuple):
    """A daily run: of which lake, when by the machine's clock, the command, its settings, its folder and its log."""

    root: Place
    at: time
    program: Sequence[str]
    settings: Mapping[str, str]
    folder: Path
    log: Path


def block(job: Job) -> str:
    """Return a job's lines of a crontab, with the markers around them."""
    words = [
        *(f"{name}={shlex.quote(value)}" for name, value in job.settings.items()),
        shlex.join([*job.program, *RUN]),
    ]
    line = f"cd {shlex.quote(str(job.folder))} && {' '.join(words)} >> {shlex.quote(str(job.log))} 2>&1"
    begin, end = markers(job.root)
    line = line.replace("%", r"\%")  # in a crontab a bare one is a new line
    return f"{begin}\n{job.at.minute} {job.at.hour} * * * {line}\n{end}\n"


def markers(root: Place) -> tuple[str, str]:
    """Return the lines between which a lake's job stands."""
    return f"# >>> nhl-lake {root} >>>", f"# <<< nhl-lake {root} <<<"


def without(crontab: str, root: Place) -> str:
    """Return a crontab without a lake's job; everything else stays as it is, to the letter."""
    begin, end = map(re.escape, markers(root))
    return re.sub(rf"^{begin}\n(?:.*\n)*?{end}\n?", "", crontab, flags=re.MULTILINE)


def within(crontab: str, root: Place) -> str | None:
    """Return a lake's job in a crontab, with its markers."""
    begin, end = map(re.escape, markers(root))
    found = re.search(rf"^{begin}\n(?:.*\n)*?{end}$", crontab, flags=re.MULTILINE)
    return found[0] if found else None


def installed(crontab: str, job: Job) -> str:
    """Return a crontab with a job in it, in place of an older one of the same lake."""
    rest = without(crontab, job.root)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{gap}{block(job)}"


def read_crontab() -> str:
    """Read the user's crontab; nobody has one before the first line."""
    found = run("crontab", "-l")
    if found.returncode and "no crontab" not in found.stderr.lower():
        raise LakeError(
            f"The crontab cannot be read: {found.stderr.strip()}", "Nothing was changed. `crontab -l` says more."
        )
    return found.stdout if not found.returncode else ""


def write_crontab(text: str) -> None:
    """Write the user's crontab."""
    done = run("crontab", "-", told=text)
    if done.returncode:
        raise LakeError(
            f"The crontab was not taken: {' '.join(done.stderr.split())}",
            "It is as before; `crontab -e` changes it by hand.",
        )


def run(*words: str, told: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the system; one that is not there is an error."""
    try:
        return subprocess.run(words, input=told, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        other = "--systemd makes a timer" if words[0] == "crontab" else "without --systemd it is a line of the crontab"
        raise LakeError(
            f"There is no {words[0]} on this machine.", f"{other}; any scheduler can run `nhl-lake {' '.join(RUN)}`."
        ) from error


def units(job: Job) -> dict[str, str]:
    """Return the files of a systemd timer of the user, by name."""
    said = "\n".join(f'Environment="{escaped(f"{name}={value}")}"' for name, value in job.settings.items())
    command = " ".join(f'"{escaped(word)}"' for word in [*job.program, *RUN])
    log, folder = (str(path).replace("%", "%%") for path in (job.log, job.folder))
    service = (
        f"[Unit]\nDescription=nhl-lake: {str(job.root).replace('%', '%%')}\n\n[Service]\nType=oneshot\n{said}\n"
        f"WorkingDirectory={folder}\nExecStart={command}\nStandardOutput=append:{log}\nStandardError=append:{log}\n"
    )
    timer = (
        f"[Unit]\nDescription=nhl-lake: {str(job.root).replace('%', '%%')}\n\n[Timer]\n"
        f"OnCalendar=*-*-* {job.at:%H:%M}:00\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    )
    name = unit(job.root)
    return {f"{name}.service": service, f"{name}.timer": timer}


def escaped(word: str) -> str:
    """Return a word as it stands between quotes in a unit."""
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")


def unit(root: Place) -> str:
    """Return the name of a lake's units."""
    return f"nhl-lake-{sha256(str(root).encode()).hexdigest()[:8]}"


def enable(folder: Path, job: Job) -> None:
    """Write a timer's files and start it."""
    systemctl("--user", "show-environment")  # nothing is written where no systemd of the user runs
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in units(job).items():
        (folder / name).write_text(text)
    systemctl("--user", "daemon-reload")
    systemctl("--user", "enable", "--now", f"{unit(job.root)}.timer")


def disable(folder: Path, root: Place) -> None:
    """Stop a timer and remove its files."""
    systemctl("--user", "disable", "--now", f"{unit(root)}.timer")
    for name in ("service", "timer"):
        (folder / f"{unit(root)}.{name}").unlink(missing_ok=True)
    systemctl("--user", "daemon-reload")


def systemctl(*words: str) -> None:
    """Tell systemd something."""
    done = run("systemctl", *words)
    if done.returncode:
        raise LakeError(
            f"systemctl {' '.join(words)}: {' '.join(done.stderr.split())}",
            "Without --systemd it is a line of the crontab.",
        )


def timer(folder: Path, root: Place) -> str | None:
    """Return a lake's timer as its files say it; none if there is none."""
    files = [folder / f"{unit(root)}.{kind}" for kind in ("timer", "service")]
    return "\n".join(f"# {file}\n{file.read_text()}" for file in files) if files[0].is_file() else None
