"""How a command ends: its exit code, and an error in two lines."""

import errno
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import deltalake.exceptions
import obstore.exceptions
import polars as pl

from nhl_lake.cli.encoding import ERROR_HANDLER
from nhl_lake.errors import LakeError, is_panic, redact_secrets, summarize_error
from nhl_lake.store.location import no_hard_links_error
from nhl_lake.store.s3_errors import explain_s3_error

NO_PERMISSION = ("A file or folder may not be read or written", "Give yourself the right to")
DISK_FULL = ("The disk is full", "Make room")
DISK_ERRORS = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: ("A file may not grow", "Raise the limit"),
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    errno.EROFS: NO_PERMISSION,
    errno.EMFILE: ("Too many files are open", "Raise the limit (`ulimit -n`)"),
    errno.EIO: ("The disk fails", "Look after the disk, back up what can be read"),
}
# as delta-rs and obstore say that a file could not be given its name by a link
NO_LINK_ERROR = re.compile(r"(?i)unable to (copy|rename|link) file.*os error (1|31|38|45|95|524)\b")
SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")


def run_command(run: Callable[[], object]) -> int:
    """Run a command and return its exit code; an error that a user can act on is two lines on stderr."""
    try:
        code = run()
    except LakeError as error:
        return print_error(error)
    except (deltalake.exceptions.DeltaError, obstore.exceptions.BaseError, OSError, pl.exceptions.PolarsError) as error:
        return print_error(translate_error(error))
    except Exception:
        # a defect: whoever reports it shows all of it
        sys.stderr.write(redact_output(traceback.format_exc()))
        return 1
    except BaseException as error:
        if is_panic(error):
            return print_error(translate_error(error))
        raise
    return code if isinstance(code, int) else 0


@contextmanager
def hide_engine_output() -> Iterator[None]:
    """Keep off the screen what the engine prints when it panics: that comes as an error, too, and is said in two lines.

    What this program prints itself goes where it always does.
    """
    screen = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=ERROR_HANDLER)
    before = sys.stderr
    with screen, tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        sys.stderr = screen
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(screen.fileno(), 2)


def translate_error(error: BaseException) -> LakeError:
    """Put an error of the disk, of a store or of the engine into two lines."""
    if (found := explain_s3_error(error)) is not None:
        return found
    line = redact_output(summarize_error(error))
    if NO_LINK_ERROR.search(line):
        return no_hard_links_error("this lake")
    number = getattr(error, "errno", None) or next(iter(map(int, re.findall(r"os error (\d+)", line))), None)
    if number in DISK_ERRORS:
        what, remedy = DISK_ERRORS[number]
        return LakeError(f"{what}: {line}", f"Nothing was lost. {remedy}, then run the same command again.")
    if "parquet" in line.lower() or isinstance(error, FileNotFoundError) or is_panic(error):
        return LakeError(
            f"A data file of the lake is gone or damaged: {line}",
            "`nhl-lake doctor` says which, and what mends it: from a backup, or by asking the API again.",
        )
    return LakeError(f"{type(error).__name__}: {line}", "Nothing was lost. If it comes again, please report it.")


def print_error(error: LakeError) -> int:
    """Say an error in two lines."""
    sys.stderr.write(redact_output(f"Error: {error.message}\n       {error.hint}\n"))
    return 1


def redact_output(text: str) -> str:
    """Return a text as it may be shown, and sent to others: without keys and passwords."""
    for name in SECRET_VARIABLES:
        if len(value := os.environ.get(name, "")) > 3:
            text = text.replace(value, "***")
    return redact_secrets(text)
