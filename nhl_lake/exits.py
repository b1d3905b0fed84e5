"""How a command ends: its exit code, and an error in two lines."""

import errno
import sys
from collections.abc import Callable

import deltalake.exceptions
import obstore.exceptions
import polars as pl

from nhl_lake.errors import LakeError, is_panic


def guarded(run: Callable[[], object]) -> int:
    """Run a command and return its exit code; an error that a user can act on is two lines on stderr."""
    try:
        code = run()
    except LakeError as error:
        return said(error)
    except (deltalake.exceptions.DeltaError, obstore.exceptions.BaseError, OSError, pl.exceptions.PolarsError) as error:
        return said(translated(error))
    except BaseException as error:
        if is_panic(error):
            return said(translated(error))
        raise
    return code if isinstance(code, int) else 0


def translated(error: BaseException) -> LakeError:
    """Put an error of the disk or of the engine into two lines."""
    line = " ".join(str(error).split())[:300]
    number = getattr(error, "errno", None)
    again = "Nothing was lost. {}, then run the same command again."
    if number == errno.ENOSPC or "No space left" in line or "os error 28" in line:
        return LakeError(f"The disk is full: {line}", again.format("Make room"))
    if "File too large" in line or "os error 27" in line:
        return LakeError(f"A file may not grow: {line}", again.format("Raise the limit"))
    if number in {errno.EACCES, errno.EROFS, errno.EPERM} or "os error 13" in line:
        return LakeError(f"The lake's folder may not be written: {line}", again.format("Give yourself the right to"))
    if ".parquet" in line or isinstance(error, FileNotFoundError) or is_panic(error):
        return LakeError(
            f"A data file of the lake is gone or damaged: {line}",
            "Put the table's folder back from a backup, or move it away to have its pages fetched again.",
        )
    return LakeError(f"{type(error).__name__}: {line}", "Nothing was lost. If it comes again, please report it.")


def said(error: LakeError) -> int:
    """Say an error in two lines."""
    sys.stderr.write(f"Error: {error.what}\n       {error.hint}\n")
    return 1
