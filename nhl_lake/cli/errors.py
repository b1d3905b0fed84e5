"""How a command ends: its exit code, and an error in two lines.

0 done, 1 an error, 2 a wrong option or setting, 3 something is incomplete, 130 interrupted.
"""

import json
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from nhl_lake.cli import log
from nhl_lake.cli.output import ERROR_HANDLER
from nhl_lake.errors import LakeError, OutOfResources, explain_shortage, is_panic, redact_secrets, summarize_error
from nhl_lake.text import show_controls

USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[
    0
]  # a wrong command or option; typer exports only its subclass
SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
OUT_OF_RANGE = re.compile(r"Input should be (?:greater|less) than or equal to \S+")
# errors of the storage libraries, by the package of their class: these are about data and disks, not bugs
STORAGE_PACKAGES = ("deltalake", "obstore", "polars")


def run_command(run: Callable[[], object]) -> int:
    """Run a command and return its exit code. An error that a user can act on is two lines on stderr."""
    log.reset()
    try:
        code = run()
    except (Exception, KeyboardInterrupt) as error:
        return report_error(error)
    except BaseException as error:
        if is_panic(error):
            return report_storage_error(error)
        raise
    return code if isinstance(code, int) else 0


def report_error(error: BaseException) -> int:
    """Print an error and return the exit code; for a bug, print the traceback."""
    if not isinstance(error, LakeError) and (shortage := explain_shortage(error)) is not None:
        error = shortage
    if isinstance(error, LakeError):
        return print_error(error.message, error.hint, error.exit_code)
    if isinstance(error, USAGE_ERROR):
        return print_usage_error(error)
    if isinstance(error, typer.Abort):
        return print_error("Stopped.", "No changes were made.", 1)
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in STORAGE_PACKAGES:
        return report_storage_error(error)
    if isinstance(error, KeyboardInterrupt):
        return 130
    text = redact_output("".join(traceback.format_exception(error)))
    if log.is_json():
        log.write("error", f"Unexpected error: {summarize_error(text.splitlines()[-1])}", traceback=text, exit_code=1)
    else:
        sys.stderr.write(show_controls(text))
    return 1


@contextmanager
def hide_engine_output() -> Iterator[None]:
    """Hide what native libraries print to stderr when they panic: the panic also arrives as an error, in two lines.

    This program's own output still goes to stderr.
    """
    screen = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=ERROR_HANDLER)
    before = sys.stderr
    with screen, tempfile.TemporaryFile() as hidden, watch_engine(hidden.fileno()):
        os.dup2(hidden.fileno(), 2)
        sys.stderr = screen
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(screen.fileno(), 2)


@contextmanager
def watch_engine(hidden: int) -> Iterator[None]:
    """Report why this process ended if a native library or the system kills it silently. A second process watches it.

    hidden: the file that has what the engine printed.
    """
    if not hasattr(os, "fork"):
        yield
        return
    from_here, here = os.pipe()
    if os.fork() == 0:
        os.close(here)
        report_sudden_end(from_here, hidden)
    os.close(from_here)
    try:
        yield
    finally:
        os.write(here, b"ended by itself")
        os.close(here)


def report_sudden_end(watched: int, hidden: int) -> NoReturn:
    """Wait for the other end of a pipe to close; if nothing was written, print why the process may have ended."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        os.close(0)  # who reads the output sees its end when the process ends
        os.close(1)
        if not os.read(watched, 1):
            text = os.pread(hidden, 2**16, 0).decode(errors="replace")
            found = (
                explain_shortage(text)
                if text
                else OutOfResources(
                    "The run was killed, by somebody or by the system, which kills when memory runs out.",
                    "Nothing was lost. Run it again. `rebuild` and `site build` use less memory with `--jobs 1`.",
                )
            )
            message = f"The engine ended this run: {summarize_error(text)}"
            hint = "`nhl-lake doctor` looks for damage. If it finds none, please report this."
            print_error(found.message if found else message, found.hint if found else hint, 1)
    finally:
        os._exit(0)


def report_storage_error(error: BaseException) -> int:
    """Print an error of a disk, a store or a storage library."""
    from nhl_lake.cli.storage_errors import translate_error

    found = translate_error(error, redact_output(summarize_error(error)))
    return print_error(found.message, found.hint, found.exit_code)


def print_usage_error(error: Exception) -> int:
    """Print the error for a wrong command or option; for an incomplete command, print its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(str(error))
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path.replace("python -m nhl_lake", "nhl-lake") if context else "nhl-lake"
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    message = OUT_OF_RANGE.sub(describe_range(getattr(error, "param", None)), message)
    return print_error(message, f"`{command} --help` lists commands and options.", 2)


def describe_range(option: object) -> str:
    """Return both ends of the range that an option takes."""
    low, high = getattr(option, "min", None), getattr(option, "max", None)
    return f"Input should be from {low:,} to {high:,}" if None not in {low, high} else r"\g<0>"


def print_error(message: str, hint: str, exit_code: int) -> int:
    """Print an error: two lines, or with `--json` an object, or a line of a log. Return the exit code."""
    if log.is_json():
        log.write("error", redact_output(message), hint=redact_output(hint), exit_code=exit_code)
        return exit_code
    if "--json" in sys.argv[1:]:
        text = json.dumps({"error": message, "hint": hint})
    else:
        text = f"{color_red('Error:')} {show_controls(message, lines=False)}\n       {show_controls(hint, lines=False)}"
    sys.stderr.write(redact_output(f"{text}\n"))
    return exit_code


def color_red(text: str) -> str:
    """Return a text in red if stderr is a terminal with colors: NO_COLOR and TERM=dumb turn them off."""
    has_color = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[1;31m{text}\x1b[0m" if has_color else text


def redact_output(text: str) -> str:
    """Return a text without keys and passwords, because people share what they see."""
    for name in SECRET_VARIABLES:
        if len(value := os.environ.get(name, "")) > 3:
            text = text.replace(value, "***")
    return redact_secrets(text)
