"""A lease in a bucket: an object that one run holds and renews. Another run may take it when it has expired.

The lease needs two features of the store, which `probe_store` tests: create an object only if it is absent
(If-None-Match), and replace an object only if it is unchanged (If-Match). Commits need the first one too: a store that
ignores it loses commits silently.
"""

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import ObjectStore

from nhl_lake.errors import LakeError, LakeLocked
from nhl_lake.store.location import Bucket, open_store

LEASE_TTL = timedelta(seconds=60)  # a lease expires when it was not renewed for this long
STORE_CLOCK_STEP = timedelta(seconds=1)  # stores give an object's time in whole seconds, rounded down
RENEW_EVERY_S = 15.0
REQUEST_TIMEOUT_S = 15  # for one request: a later renewal would be useless

_held_leases: dict[Bucket, "Lease"] = {}  # the leases of this process, for `require_lease`


class LeaseLost(LakeLocked):
    """The lease was not renewed in time, so another run may hold it."""

    def __init__(self, root: Bucket) -> None:
        super().__init__(
            f"The lock on {root} expired: this run could not renew it for a minute. Another run may hold it now.",
            "Committed data is safe. Check the network, then run the same command again: it continues.",
        )


def probe_store(root: Bucket) -> None:
    """Test the store's conditional writes; raise for a store that would lose commits."""
    name = f".nhl-lake/probe-{secrets.token_hex(8)}"
    # a retry after a lost response finds the probe itself: nobody else uses this name
    with contextlib.suppress(AlreadyExistsError):
        obstore.put(open_store(root), name, b"1", mode="create")
    try:
        has_if_none_match = is_put_refused(root, name, "create", AlreadyExistsError)
        has_if_match = is_put_refused(root, name, {"e_tag": '"0123456789abcdef0123456789abcdef"'}, PreconditionError)
    finally:
        with contextlib.suppress(BaseError, OSError):  # the name is never used again
            obstore.delete(open_store(root), name)
    if not has_if_none_match or not has_if_match:
        header = "If-Match" if has_if_none_match else "If-None-Match"
        raise LakeError(
            f"The store of {root} ignores `{header}`: two concurrent runs would silently lose data.",
            "No changes were made. Use another store (AWS S3, SeaweedFS, Cloudflare R2, MinIO) or a folder.",
        )


def is_put_refused(root: Bucket, name: str, mode: Any, expected: type[Exception]) -> bool:  # noqa: ANN401 - obstore's type
    """Return whether a conditional put that must fail does fail."""
    try:
        obstore.put(open_store(root), name, b"2", mode=mode)
    except expected:
        return True
    return False


def require_lease(root: Bucket) -> None:
    """Raise if this process' lease has expired, because the machine slept or the network failed."""
    lease = _held_leases.get(root)
    if lease is not None and lease.is_expired():
        raise LeaseLost(root)


def read_uptime_s() -> float:
    """Return a clock in seconds that also counts while the machine sleeps, if the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """One run's lease on a location: `acquire` it, `hold` it while a thread renews it, `release` it."""

    def __init__(self, root: Bucket, name: str, holder: dict[str, object]) -> None:
        self.root, self.name = root, name
        self.details = {**holder, "token": secrets.token_hex(8)}
        self.etag: str | None = None
        self.renewed_at = 0.0
        self.is_lost = False

    def encode_body(self) -> bytes:
        """Return the content of the object. It is never the same twice, so each version has its own tag."""
        return json.dumps({**self.details, "turn": secrets.token_hex(4)}).encode()

    def open_store(self) -> ObjectStore:
        """Open the location with a short timeout."""
        return open_store(self.root, REQUEST_TIMEOUT_S)

    def is_expired(self) -> bool:
        """Return whether the lease has expired, counted from before the last renewal was sent."""
        return self.is_lost or read_uptime_s() - self.renewed_at > LEASE_TTL.total_seconds()

    def put_object(self, mode: Any) -> None:  # noqa: ANN401 - obstore's type
        """Write the object under a condition, and record the time."""
        started_at = read_uptime_s()
        self.etag = obstore.put(self.open_store(), self.name, self.encode_body(), mode=mode)["e_tag"]
        self.renewed_at = started_at

    def acquire(self) -> bool:
        """Take the lease if it is free or expired; return whether we have it."""
        started_at = read_uptime_s()
        try:
            self.put_object("create")
        except AlreadyExistsError:
            return self.is_ours(started_at) or self.acquire_expired()
        return True

    def acquire_expired(self) -> bool:
        """Take an expired lease. If two runs try, one succeeds."""
        try:
            current = obstore.head(self.open_store(), self.name)
        except FileNotFoundError:
            return False  # released just now
        # one step more: between 10.9 s and 12.0 s a clock of whole seconds counts two
        if self.read_store_time() - current["last_modified"] < LEASE_TTL + STORE_CLOCK_STEP:
            return False
        started_at = read_uptime_s()
        try:
            self.put_object({"e_tag": current["e_tag"]})
        except (PreconditionError, FileNotFoundError):
            return self.is_ours(started_at)
        return True

    def read_store_time(self) -> datetime:
        """Return the store's time: the clocks of two machines may differ by more than the lease's duration."""
        name = f"{self.name}-{secrets.token_hex(4)}"
        obstore.put(self.open_store(), name, b"")
        try:
            found: datetime = obstore.head(self.open_store(), name)["last_modified"]
        finally:
            obstore.delete(self.open_store(), name)
        return found

    def is_ours(self, started_at: float) -> bool:
        """Return whether the object is ours, as after a put whose response was lost. If so, record its tag."""
        try:
            found = obstore.get(self.open_store(), self.name)
        except FileNotFoundError:
            return False
        if parse_holder(bytes(found.bytes())).get("token") != self.details["token"]:
            return False
        self.etag, self.renewed_at = found.meta["e_tag"], started_at
        return True

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Renew the lease in a thread inside the block; raise at the end if it was lost."""
        stop = threading.Event()
        renewer = threading.Thread(target=self.renew_until, args=(stop,), daemon=True)
        _held_leases[self.root] = self
        renewer.start()
        try:
            yield
            require_lease(self.root)
        finally:
            stop.set()
            renewer.join()
            del _held_leases[self.root]

    def renew_until(self, stop: threading.Event) -> None:
        """Renew the lease until `stop` is set or the lease is lost."""
        while not stop.wait(RENEW_EVERY_S) and not self.is_lost:
            started_at = read_uptime_s()
            try:
                try:
                    self.put_object({"e_tag": self.etag})
                except (PreconditionError, FileNotFoundError):
                    self.is_lost = not self.is_ours(started_at)
            except (BaseError, OSError):
                continue  # retry until the lease expires; then `require_lease` stops the writers

    def read_holder(self) -> bytes:
        """Return the content of the lease object; empty if there is none."""
        try:
            return bytes(obstore.get(self.open_store(), self.name).bytes())
        except FileNotFoundError:
            return b""

    def release(self) -> None:
        """Release the lease. An expired one may belong to another run; one that cannot be deleted expires by itself."""
        if self.is_expired():
            return
        with contextlib.suppress(BaseError, OSError):
            if parse_holder(self.read_holder()).get("token") == self.details["token"]:
                obstore.delete(self.open_store(), self.name)


def parse_holder(body: bytes) -> dict[str, object]:
    """Return the content of a lease object; empty if it is not valid JSON."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
