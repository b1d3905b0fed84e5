"""How a command ends: its exit code, and an error in two lines."""

import sys
from collections.abc import Callable

import deltalake.exceptions
import polars as pl

from nhl_lake.errors import LakeError


def guarded(run: Callable[[], object]) -> int:
    """Run a command and return its exit code; an error that a user can act on is two lines on stderr."""
    try:
        code = run()
    except LakeError as error:
        return said(error)
    except (deltalake.exceptions.DeltaError, OSError, pl.exceptions.PolarsError) as error:
        return said(translated(error))
    return code if isinstance(code, int) else 0


def translated(error: Exception) -> LakeError:
    """Put an error of the disk or of the engine into two lines."""
    line = " ".join(str(error).split())[:200]
    if getattr(error, "errno", None) == 28 or "No space left" in line or "os error 28" in line:
        return LakeError(f"The disk is full: {line}", "Nothing was lost. Make room, then run the same command again.")
    if "File too large" in line or "os error 27" in line:
        return LakeError(f"A file may not grow: {line}", "Nothing was lost. Raise the limit, then run again.")
    return LakeError(f"{type(error).__name__}: {line}", "`nhl-lake status` tells which tables can be read.")


def said(error: LakeError) -> int:
    """Say an error in two lines."""
    sys.stderr.write(f"Error: {error.what}\n       {error.hint}\n")
    return 1
