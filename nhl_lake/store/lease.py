"""A lease in a bucket: an object that one run holds, renews, and leaves to whoever comes when it is too old.

It rests on two promises of the store, which `probe` tries: to make an object only where there is none, and to replace
one only if it is the one that was read. Commits rest on the first, too: a store that breaks it loses them silently.
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

LEASE_TTL = timedelta(seconds=60)  # a lease that was not renewed for so long is free
RENEW_EVERY_S = 15.0
REQUEST_TIMEOUT_S = 15  # for one request: a renewal that comes later is none

_held_leases: dict[Bucket, "Lease"] = {}  # of this process: `still` asks


class LeaseLost(LakeLocked):
    """Another run took the lease, because it was not renewed in time."""

    def __init__(self, root: Bucket) -> None:
        super().__init__(
            f"{root} may be another run's by now: this one could not renew its lease for a minute.",
            "Nothing is lost: what was committed is kept, and the same command goes on. Look at the network.",
        )


def probe_store(root: Bucket) -> None:
    """Try the store's promises; raise for one that would lose commits."""
    name = f".nhl-lake/probe-{secrets.token_hex(8)}"
    with contextlib.suppress(
        AlreadyExistsError
    ):  # put again after a lost answer, it finds itself: nobody else has the name
        obstore.put(open_store(root), name, b"1", mode="create")
    try:
        makes_anew = is_put_refused(root, name, "create", AlreadyExistsError)
        swaps = is_put_refused(root, name, {"e_tag": '"0123456789abcdef0123456789abcdef"'}, PreconditionError)
    finally:
        with contextlib.suppress(BaseError, OSError):  # a name that nobody has again
            obstore.delete(open_store(root), name)
    if not makes_anew or not swaps:
        header = "If-Match" if makes_anew else "If-None-Match"
        raise LakeError(
            f"The store of {root} ignores `{header}`: two runs at once would silently lose what one of them wrote.",
            "Nothing was written. Use another store (AWS S3, SeaweedFS, Cloudflare R2, MinIO), or a folder.",
        )


def is_put_refused(root: Bucket, name: str, mode: Any, as_what: type[Exception]) -> bool:  # noqa: ANN401 - as obstore has it
    """Whether a conditional put that must fail does."""
    try:
        obstore.put(open_store(root), name, b"2", mode=mode)
    except as_what:
        return True
    return False


def require_lease(place: Bucket) -> None:
    """Raise if a lease that this process holds on a lake ran out: it slept, or the network did."""
    lease = _held_leases.get(place)
    if lease is not None and lease.is_expired():
        raise LeaseLost(place)


def read_uptime_s() -> float:
    """Return seconds that go on while the machine sleeps, where it has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """One run's hold on a place: `take` it, `keep` it while it is renewed by a thread, `release` it."""

    def __init__(self, root: Bucket, name: str, about: dict[str, object]) -> None:
        self.root, self.name = root, name
        self.details = {**about, "token": secrets.token_hex(8)}
        self.etag: str | None = None
        self.renewed_at = 0.0
        self.is_lost = False

    def encode_body(self) -> bytes:
        """Return what the object holds; never the same twice, so that each has a tag of its own."""
        return json.dumps({**self.details, "turn": secrets.token_hex(4)}).encode()

    def open_store(self) -> ObjectStore:
        """Return the place, opened by one who does not wait for long."""
        return open_store(self.root, REQUEST_TIMEOUT_S)

    def is_expired(self) -> bool:
        """Whether it ran out, as far as this run can know: reckoned from before it was asked for."""
        return self.is_lost or read_uptime_s() - self.renewed_at > LEASE_TTL.total_seconds()

    def put_object(self, mode: Any) -> None:  # noqa: ANN401 - as obstore has it
        """Write the object on a condition, and note when."""
        begun = read_uptime_s()
        self.etag = obstore.put(self.open_store(), self.name, self.encode_body(), mode=mode)["e_tag"]
        self.renewed_at = begun

    def acquire(self) -> bool:
        """Take the lease if it is free, or too old; return whether it is ours."""
        begun = read_uptime_s()
        try:
            self.put_object("create")
        except AlreadyExistsError:
            return self.is_ours(begun) or self.acquire_expired()
        return True

    def acquire_expired(self) -> bool:
        """Take a lease that was not renewed; of two that try, one does."""
        try:
            held = obstore.head(self.open_store(), self.name)
        except FileNotFoundError:
            return False  # released just now
        if self.read_store_time() - held["last_modified"] < LEASE_TTL:
            return False
        begun = read_uptime_s()
        try:
            self.put_object({"e_tag": held["e_tag"]})
        except (PreconditionError, FileNotFoundError):
            return self.is_ours(begun)
        return True

    def read_store_time(self) -> datetime:
        """Return the store's own time: clocks of two machines may differ by more than a lease lasts."""
        name = f"{self.name}-{secrets.token_hex(4)}"
        obstore.put(self.open_store(), name, b"")
        try:
            found: datetime = obstore.head(self.open_store(), name)["last_modified"]
        finally:
            obstore.delete(self.open_store(), name)
        return found

    def is_ours(self, begun: float) -> bool:
        """Whether the object is of this run: a put whose answer was lost is done. If so, take over its tag."""
        try:
            found = obstore.get(self.open_store(), self.name)
        except FileNotFoundError:
            return False
        if parse_holder(bytes(found.bytes())).get("token") != self.details["token"]:
            return False
        self.etag, self.renewed_at = found.meta["e_tag"], begun
        return True

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Renew the lease while something is done; raise at the end if it was lost on the way."""
        stop = threading.Event()
        keeper = threading.Thread(target=self.renew_until, args=(stop,), daemon=True)
        _held_leases[self.root] = self
        keeper.start()
        try:
            yield
            require_lease(self.root)
        finally:
            stop.set()
            keeper.join()
            del _held_leases[self.root]

    def renew_until(self, stop: threading.Event) -> None:
        """Renew the lease until told to stop, or until it is lost."""
        while not stop.wait(RENEW_EVERY_S) and not self.is_lost:
            begun = read_uptime_s()
            try:
                try:
                    self.put_object({"e_tag": self.etag})
                except (PreconditionError, FileNotFoundError):
                    self.is_lost = not self.is_ours(begun)
            except (BaseError, OSError):
                continue  # tried again until the term is over; then `still` stops whoever writes

    def read_holder(self) -> bytes:
        """Return what the object says of its holder."""
        try:
            return bytes(obstore.get(self.open_store(), self.name).bytes())
        except FileNotFoundError:
            return b""

    def release(self) -> None:
        """Give the lease back; one that ran out may be another's already, and one that stays runs out by itself."""
        if self.is_expired():
            return
        with contextlib.suppress(BaseError, OSError):
            if parse_holder(self.read_holder()).get("token") == self.details["token"]:
                obstore.delete(self.open_store(), self.name)


def parse_holder(body: bytes) -> dict[str, object]:
    """Read what a lease says; what is none says nothing."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
