"""Loaded by a worker of a cluster that is to die once as it writes, with half a file written: `dask worker --preload`.

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
    """Write half of the first file, and die; later ones are written."""
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
    """What `location` is to the module that writes files, but for `write_file`."""

    write_file = staticmethod(crash_in_write)

    def __getattr__(self, name: str) -> Any:
        return getattr(location, name)


files.location = CrashingLocation()  # type: ignore[assignment]
