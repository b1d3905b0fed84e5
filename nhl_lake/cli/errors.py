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

from nhl_lake.cli.encoding import ERRORS
from nhl_lake.errors import LakeError, brief, is_panic, redacted
from nhl_lake.store.location import no_links
from nhl_lake.store.s3_errors import outage

CLOSED = ("A file or folder may not be read or written", "Give yourself the right to")
FULL = ("The disk is full", "Make room")
ON_DISKS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: ("A file may not grow", "Raise the limit"),
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
    errno.EROFS: CLOSED,
    errno.EMFILE: ("Too many files are open", "Raise the limit (`ulimit -n`)"),
    errno.EIO: ("The disk fails", "Look after the disk, back up what can be read"),
}
# as delta-rs and obstore say that a file could not be given its name by a link
NO_LINK = re.compile(r"(?i)unable to (copy|rename|link) file.*os error (1|31|38|45|95|524)\b")
OPENS_DOORS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")


def guarded(run: Callable[[], object]) -> int:
    """Run a command and return its exit code; an error that a user can act on is two lines on stderr."""
    try:
        code = run()
    except LakeError as error:
        return said(error)
    except (deltalake.exceptions.DeltaError, obstore.exceptions.BaseError, OSError, pl.exceptions.PolarsError) as error:
        return said(translated(error))
    except Exception:
        # a defect: whoever reports it shows all of it
        sys.stderr.write(shown(traceback.format_exc()))
        return 1
    except BaseException as error:
        if is_panic(error):
            return said(translated(error))
        raise
    return code if isinstance(code, int) else 0


@contextmanager
def muted() -> Iterator[None]:
    """Keep off the screen what the engine prints when it panics: that comes as an error, too, and is said in two lines.

    What this program prints itself goes where it always does.
    """
    screen = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=ERRORS)
    before = sys.stderr
    with screen, tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        sys.stderr = screen
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(screen.fileno(), 2)


def translated(error: BaseException) -> LakeError:
    """Put an error of the disk, of a store or of the engine into two lines."""
    if (found := outage(error)) is not None:
        return found
    line = shown(brief(error))
    if NO_LINK.search(line):
        return no_links("this lake")
    number = getattr(error, "errno", None) or next(iter(map(int, re.findall(r"os error (\d+)", line))), None)
    if number in ON_DISKS:
        what, remedy = ON_DISKS[number]
        return LakeError(f"{what}: {line}", f"Nothing was lost. {remedy}, then run the same command again.")
    if "parquet" in line.lower() or isinstance(error, FileNotFoundError) or is_panic(error):
        return LakeError(
            f"A data file of the lake is gone or damaged: {line}",
            "`nhl-lake doctor` says which, and what mends it: from a backup, or by asking the API again.",
        )
    return LakeError(f"{type(error).__name__}: {line}", "Nothing was lost. If it comes again, please report it.")


def said(error: LakeError) -> int:
    """Say an error in two lines."""
    sys.stderr.write(shown(f"Error: {error.what}\n       {error.hint}\n"))
    return 1


def shown(text: str) -> str:
    """Return a text as it may be shown, and sent to others: without keys and passwords."""
    for name in OPENS_DOORS:
        if len(value := os.environ.get(name, "")) > 3:
            text = text.replace(value, "***")
    return redacted(text)
