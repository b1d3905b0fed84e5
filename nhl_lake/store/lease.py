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

from nhl_lake.errors import Busy, LakeError
from nhl_lake.store.location import Bucket, store

TERM = timedelta(seconds=60)  # a lease that was not renewed for so long is free
EVERY_S = 15.0
PATIENCE_S = 15  # for one request: a renewal that comes later is none

_held: dict[Bucket, "Lease"] = {}  # of this process: `still` asks


class Taken(Busy):
    """Another run took the lease, because it was not renewed in time."""

    def __init__(self, root: Bucket) -> None:
        super().__init__(
            f"{root} may be another run's by now: this one could not renew its lease for a minute.",
            "Nothing is lost: what was committed is kept, and the same command goes on. Look at the network.",
        )


def probe(root: Bucket) -> None:
    """Try the store's promises; raise for one that would lose commits."""
    name = f".nhl-lake/probe-{secrets.token_hex(8)}"
    with contextlib.suppress(
        AlreadyExistsError
    ):  # put again after a lost answer, it finds itself: nobody else has the name
        obstore.put(store(root), name, b"1", mode="create")
    try:
        makes_anew = refused(root, name, "create", AlreadyExistsError)
        swaps = refused(root, name, {"e_tag": '"0123456789abcdef0123456789abcdef"'}, PreconditionError)
    finally:
        with contextlib.suppress(BaseError, OSError):  # a name that nobody has again
            obstore.delete(store(root), name)
    if not makes_anew or not swaps:
        header = "If-Match" if makes_anew else "If-None-Match"
        raise LakeError(
            f"The store of {root} ignores `{header}`: two runs at once would silently lose what one of them wrote.",
            "Nothing was written. Use another store (AWS S3, SeaweedFS, Cloudflare R2, MinIO), or a folder.",
        )


def refused(root: Bucket, name: str, mode: Any, as_what: type[Exception]) -> bool:  # noqa: ANN401 - as obstore has it
    """Whether a conditional put that must fail does."""
    try:
        obstore.put(store(root), name, b"2", mode=mode)
    except as_what:
        return True
    return False


def still(place: Bucket) -> None:
    """Raise if a lease that this process holds on a lake ran out: it slept, or the network did."""
    lease = _held.get(place)
    if lease is not None and lease.is_over():
        raise Taken(place)


def elapsed() -> float:
    """Return seconds that go on while the machine sleeps, where it has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """One run's hold on a place: `take` it, `keep` it while it is renewed by a thread, `release` it."""

    def __init__(self, root: Bucket, name: str, about: dict[str, object]) -> None:
        self.root, self.name = root, name
        self.about = {**about, "token": secrets.token_hex(8)}
        self.tag: str | None = None
        self.renewed_at = 0.0
        self.is_lost = False

    def body(self) -> bytes:
        """Return what the object holds; never the same twice, so that each has a tag of its own."""
        return json.dumps({**self.about, "turn": secrets.token_hex(4)}).encode()

    def store(self) -> ObjectStore:
        """Return the place, opened by one who does not wait for long."""
        return store(self.root, PATIENCE_S)

    def is_over(self) -> bool:
        """Whether it ran out, as far as this run can know: reckoned from before it was asked for."""
        return self.is_lost or elapsed() - self.renewed_at > TERM.total_seconds()

    def put(self, mode: Any) -> None:  # noqa: ANN401 - as obstore has it
        """Write the object on a condition, and note when."""
        begun = elapsed()
        self.tag = obstore.put(self.store(), self.name, self.body(), mode=mode)["e_tag"]
        self.renewed_at = begun

    def take(self) -> bool:
        """Take the lease if it is free, or too old; return whether it is ours."""
        begun = elapsed()
        try:
            self.put("create")
        except AlreadyExistsError:
            return self.is_ours(begun) or self.take_over()
        return True

    def take_over(self) -> bool:
        """Take a lease that was not renewed; of two that try, one does."""
        try:
            held = obstore.head(self.store(), self.name)
        except FileNotFoundError:
            return False  # released just now
        if self.now() - held["last_modified"] < TERM:
            return False
        begun = elapsed()
        try:
            self.put({"e_tag": held["e_tag"]})
        except (PreconditionError, FileNotFoundError):
            return self.is_ours(begun)
        return True

    def now(self) -> datetime:
        """Return the store's own time: clocks of two machines may differ by more than a lease lasts."""
        name = f"{self.name}-{secrets.token_hex(4)}"
        obstore.put(self.store(), name, b"")
        try:
            found: datetime = obstore.head(self.store(), name)["last_modified"]
        finally:
            obstore.delete(self.store(), name)
        return found

    def is_ours(self, begun: float) -> bool:
        """Whether the object is of this run: a put whose answer was lost is done. If so, take over its tag."""
        try:
            found = obstore.get(self.store(), self.name)
        except FileNotFoundError:
            return False
        if said(bytes(found.bytes())).get("token") != self.about["token"]:
            return False
        self.tag, self.renewed_at = found.meta["e_tag"], begun
        return True

    @contextlib.contextmanager
    def keep(self) -> Iterator[None]:
        """Renew the lease while something is done; raise at the end if it was lost on the way."""
        stop = threading.Event()
        keeper = threading.Thread(target=self.renew, args=(stop,), daemon=True)
        _held[self.root] = self
        keeper.start()
        try:
            yield
            still(self.root)
        finally:
            stop.set()
            keeper.join()
            del _held[self.root]

    def renew(self, stop: threading.Event) -> None:
        """Renew the lease until told to stop, or until it is lost."""
        while not stop.wait(EVERY_S) and not self.is_lost:
            begun = elapsed()
            try:
                try:
                    self.put({"e_tag": self.tag})
                except (PreconditionError, FileNotFoundError):
                    self.is_lost = not self.is_ours(begun)
            except (BaseError, OSError):
                continue  # tried again until the term is over; then `still` stops whoever writes

    def holder(self) -> bytes:
        """Return what the object says of its holder."""
        try:
            return bytes(obstore.get(self.store(), self.name).bytes())
        except FileNotFoundError:
            return b""

    def release(self) -> None:
        """Give the lease back; one that ran out may be another's already, and one that stays runs out by itself."""
        if self.is_over():
            return
        with contextlib.suppress(BaseError, OSError):
            if said(self.holder()).get("token") == self.about["token"]:
                obstore.delete(self.store(), self.name)


def said(body: bytes) -> dict[str, object]:
    """Read what a lease says; what is none says nothing."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
