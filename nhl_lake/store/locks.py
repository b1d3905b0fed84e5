"""The lake-wide lock: one run writes at a time. The error names the run that holds it."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from nhl_lake.errors import LakeLocked
from nhl_lake.store.lease import Lease, probe_store, require_lease
from nhl_lake.store.location import Bucket, Location

LAKE_LABEL, BACKUPS_LABEL = "The lake", "The backup repository"
lock_timeout_s: ContextVar[float] = ContextVar("lock_timeout_s", default=5.0)
STATE_FOLDER = ".nhl-lake"  # holds the lock and the rate limit's state


def locate_state_folder(root: Location) -> Path:
    """Return this machine's folder for state that is not part of the lake: in the lake's folder or the user's cache."""
    if isinstance(root, Path):
        return root / STATE_FOLDER
    return user_cache_path("nhl-lake") / sha256(str(root).encode()).hexdigest()[:16]


@contextmanager
def wait_for_lock(seconds: float) -> Iterator[None]:
    """Inside the block, let `hold_lock` wait this many seconds for another run."""
    token = lock_timeout_s.set(seconds)
    try:
        yield
    finally:
        lock_timeout_s.reset(token)


@contextmanager
def hold_lock(
    root: Location, command: str, *, now: datetime, wait_s: float | None = None, label: str = LAKE_LABEL
) -> Iterator[None]:
    """Hold the lock on a location. If the holder dies, the lock is free at once, or within a minute (S3)."""
    wait_s = lock_timeout_s.get() if wait_s is None else wait_s
    details = {"command": command, "process": os.getpid(), "host": socket.gethostname(), "since": now.isoformat()}
    if isinstance(root, Bucket):
        with hold_lease(root, details, wait_s=wait_s, label=label):
            yield
        return
    folder = locate_state_folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "holder.json"
    lock = FileLock(folder / "lock", timeout=wait_s)
    try:
        lock.acquire()
    except Timeout as error:
        raise lock_held_error(root, holder.read_bytes() if holder.is_file() else b"", label=label) from error
    try:
        holder.write_text(json.dumps(details))
        yield
    finally:
        lock.release()


@contextmanager
def hold_lease(root: Bucket, details: dict[str, object], *, wait_s: float, label: str) -> Iterator[None]:
    """Hold the lock on a bucket by a lease: an object that is created only if absent, and renewed while held."""
    probe_store(root)
    lease = Lease(root, f"{STATE_FOLDER}/lease.json", details)
    deadline = time.monotonic() + wait_s
    while not lease.acquire():
        if time.monotonic() > deadline:
            raise lock_held_error(root, lease.read_holder(), label=label)
        time.sleep(min(1.0, wait_s))
    try:
        with lease.hold():
            yield
    finally:
        lease.release()


def require_lock(root: Location) -> None:
    """Raise if this process' lock has expired. A folder's lock never does; a lease may while the machine sleeps."""
    if isinstance(root, Bucket):
        require_lease(root)


def lock_held_error(root: Location, holder_info: bytes, *, label: str) -> LakeLocked:
    """Return the error that names the run that holds the lock."""
    try:
        who = json.loads(holder_info)
        by = f"`{who['command']}` (process {who['process']} on {who['host']}, since {who['since'][:19]} UTC)"
    except (ValueError, KeyError):
        by = "another run"
    return LakeLocked(
        f"{label} at {root} is in use by {by}.", "Use --wait 10m to wait for it, or stop it and run again."
    )
