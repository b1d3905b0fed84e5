"""Loaded by a worker of a cluster that is to die once as it writes, with half a file written: `dask worker --preload`.

FLAG is a file that tells whether one has died already.
"""

import os
import signal
from pathlib import Path
from typing import Any

from nhl_lake.store import files, location

FLAG = Path(os.environ["NHL_LAKE_TEST_FLAG"])
WHOLE_NODE = os.environ.get("NHL_LAKE_TEST_NODE") == "yes"


def write(root: Any, name: str, body: bytes, *, new: bool = False) -> None:
    """Write half of the first file, and die; later ones are written."""
    try:
        FLAG.open("x").close()
    except FileExistsError:
        location.write(root, name, body, new=new)
        return
    location.write(root, name, body[: len(body) // 2], new=new)
    if WHOLE_NODE:
        os.kill(os.getppid(), signal.SIGKILL)  # its nanny, who would begin another
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """What `place` is to the module that writes files, but for `write`."""

    write = staticmethod(write)

    def __getattr__(self, name: str) -> Any:
        return getattr(location, name)


files.place = Dying()  # type: ignore[assignment]
