"""The lake-wide lock: one run writes at a time, and whoever waits is told for whom."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from nhl_lake.errors import Busy

OWN = ".nhl-lake"  # folder of the lock and of the request pace


@contextmanager
def locked(root: Path, who: str, *, now: datetime, wait_s: float = 5.0) -> Iterator[None]:
    """Hold the lake: one run writes at a time. The kernel frees the lock when its holder dies."""
    own = root / OWN
    own.mkdir(parents=True, exist_ok=True)
    holder = own / "holder.json"
    lock = FileLock(own / "lock", timeout=wait_s)
    try:
        lock.acquire()
    except Timeout as error:
        raise busy(root, holder) from error
    try:
        holder.write_text(json.dumps({"command": who, "process": os.getpid(), "since": now.isoformat()}))
        yield
    finally:
        lock.release()


def busy(root: Path, holder: Path) -> Busy:
    """Say who holds the lake."""
    try:
        who = json.loads(holder.read_text())
        by = f"`{who['command']}` (process {who['process']}, since {who['since'][:19]} UTC)"
    except (OSError, ValueError, KeyError):
        by = "another run"
    return Busy(f"The lake at {root} is held by {by}.", "Wait until it is done, or stop it; then run again.")
