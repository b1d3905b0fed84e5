"""What goes to stderr: text for a reader, or with `--log-format json` one JSON object a line for a log collector.

A line has time, level (info, warning, error), run, message and fields. The run is the id in `lake.runs` for an ingest;
other commands have an id of their own, so that their lines can be found together.
"""

import json
import os
import sys
from itertools import pairwise
from typing import Literal, NamedTuple

from nhl_lake.cli.output import print_text
from nhl_lake.clock import Clock, make_clock, make_run_id
from nhl_lake.text import show_controls

Level = Literal["info", "warning", "error"]
VARIABLE = "NHL_LAKE_LOG_FORMAT"
OPTION = "--log-format"


class Log(NamedTuple):
    """The format of the lines, the clock, and the id of this run."""

    is_json: bool
    clock: Clock
    run_id: str


_current: list[Log] = []


def configure(log_format: str, clock: Clock) -> None:
    """Set the format and the clock, by the settings. A new run begins."""
    _current[:] = [Log(log_format == "json", clock, make_run_id(clock()))]


def reset() -> None:
    """Forget the settings: until they are read, the option and the variable of the environment say the format."""
    _current.clear()


def get_log() -> Log:
    """Return the log of this run."""
    if not _current:
        configure(guess_format(), make_clock())
    return _current[0]


def guess_format() -> str:
    """Return the format that the command line names, or the environment; an invalid setting is reported in it."""
    words = sys.argv[1:]
    options = [word.partition("=")[2] for word in words if word.startswith(f"{OPTION}=")]
    options += [after for word, after in pairwise(words) if word == OPTION]
    return options[-1] if options else os.environ.get(VARIABLE, "text")


def is_json() -> bool:
    """Return whether lines are JSON: a bar of progress would break them."""
    return get_log().is_json


def write(level: Level, message: str, **fields: object) -> None:
    """Write a line: the message alone for a reader, everything as JSON."""
    if is_json():
        write_event(level, message, **fields)
    else:
        print_text(show_controls(message, lines=False), err=True)


def write_event(level: Level, message: str, **fields: object) -> None:
    """Write a line that only a log collector needs; nothing for a reader."""
    log = get_log()
    if not log.is_json:
        return
    time = log.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": time, "level": level, "run": log.run_id, "message": message, "fields": fields}
    sys.stderr.write(f"{json.dumps(line, default=str)}\n")  # ASCII: a name can hold no line break and no control
    sys.stderr.flush()
