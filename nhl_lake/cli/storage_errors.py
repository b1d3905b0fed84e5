"""Errors of disks, stores and storage libraries, with what to do about them."""

import errno
import re

from nhl_lake.errors import LakeError, explain_shortage, is_panic
from nhl_lake.store.location import no_hard_links_error
from nhl_lake.store.s3_errors import explain_s3_error

NO_PERMISSION = ("No permission to read or write a file or folder", "Change its permissions")
DISK_FULL = ("The disk is full", "Free some space")
DISK_ERRORS = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: ("A file may not grow: there is a limit on its size", "Raise the limit (`ulimit -f`)"),
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    errno.EROFS: NO_PERMISSION,
    errno.EMFILE: ("Too many files are open", "Raise the limit (`ulimit -n`)"),
    errno.EIO: ("The disk fails", "Check the disk, and back up what is readable"),
}
# how delta-rs and obstore report that a file system has no hard links
NO_LINK_ERROR = re.compile(r"(?i)unable to (copy|rename|link) file.*os error (1|31|38|45|95|524)\b")


def translate_error(error: BaseException, line: str) -> LakeError:
    """Return an error of a disk, a store or a storage library with a hint. `line` is its message without secrets."""
    for found in (explain_shortage(error), explain_s3_error(error)):
        if found is not None:
            return found
    if NO_LINK_ERROR.search(line):
        return no_hard_links_error("this lake")
    number = getattr(error, "errno", None) or next(iter(map(int, re.findall(r"os error (\d+)", line))), None)
    if number in DISK_ERRORS:
        what, action = DISK_ERRORS[number]
        return LakeError(f"{what}: {line}", f"Nothing was lost. {action}, then run the same command again.")
    if "parquet" in line.lower() or isinstance(error, FileNotFoundError) or is_panic(error):
        return LakeError(
            f"A data file of the lake is missing or damaged: {line}",
            "`nhl-lake doctor` names it, and the command that restores it from a backup or fetches it again.",
        )
    return LakeError(f"{type(error).__name__}: {line}", "Nothing was lost. If it happens again, please report it.")
