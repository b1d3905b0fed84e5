"""A preload for `dask worker --preload`: the worker dies once while it writes, with half a file written.

FLAG is a file that tells whether one has died already.
"""

import os
import signal
from pathlib import Path
from typing import Any

from nhl_lake.store import files, location

CRASH_FLAG = Path(os.environ["NHL_LAKE_TEST_FLAG"])
KILLS_NANNY = os.environ.get("NHL_LAKE_TEST_NODE") == "yes"


def crash_in_write(root: Any, name: str, body: bytes, *, new: bool = False) -> None:
    """Write half of the first file and die. Write later files completely."""
    try:
        CRASH_FLAG.open("x").close()
    except FileExistsError:
        location.write_file(root, name, body, new=new)
        return
    location.write_file(root, name, body[: len(body) // 2], new=new)
    if KILLS_NANNY:
        os.kill(os.getppid(), signal.SIGKILL)  # its nanny, who would begin another
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingLocation:
    """The module `location` with another `write_file`."""

    write_file = staticmethod(crash_in_write)

    def __getattr__(self, name: str) -> Any:
        return getattr(location, name)


files.location = CrashingLocation()  # type: ignore[assignment]
