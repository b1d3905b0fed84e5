"""A lease in a bucket: an object that one run holds, renews, and leaves to whoever comes when it is too old.

It rests on two promises of the store, which `probe` tries: to make an object only where there is none, and to replace
one only if it is the one that was read. Commits rest on the first, too: a store that breaks it loses them silently.
"""

import json
import secrets
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from nhl_lake.errors import Busy, LakeError
from nhl_lake.place import Bucket, store

TERM = timedelta(seconds=60)  # a lease that was not renewed for so long is free
EVERY_S = 15.0


class Taken(Busy):
    """Another run took the lease, because it was not renewed in time."""

    def __init__(self, root: Bucket) -> None:
        super().__init__(
            f"The lake at {root} was taken over by another run: this one could not renew its lease for a minute.",
            "Nothing is lost: what was committed is kept, and the same command goes on. Look at the network.",
        )


def probe(root: Bucket) -> None:
    """Try the store's promises; raise for one that would lose commits."""
    name = f".nhl-lake/probe-{secrets.token_hex(8)}"
    try:
        obstore.put(store(root), name, b"1", mode="create")
        makes_anew = refused(root, name, "create", AlreadyExistsError)
        swaps = refused(root, name, {"e_tag": '"0123456789abcdef0123456789abcdef"'}, PreconditionError)
    finally:
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


class Lease:
    """One run's hold on a place: `take` it, let a thread `renew` it, `release` it."""

    def __init__(self, root: Bucket, name: str, about: dict[str, object]) -> None:
        self.root, self.name = root, name
        self.about = {**about, "token": secrets.token_hex(8)}
        self.tag: str | None = None
        self.is_lost = False

    def body(self) -> bytes:
        """Return what the object holds; never the same twice, so that each has a tag of its own."""
        return json.dumps({**self.about, "turn": secrets.token_hex(4)}).encode()

    def take(self) -> bool:
        """Take the lease if it is free, or too old; return whether it is ours."""
        try:
            self.tag = obstore.put(store(self.root), self.name, self.body(), mode="create")["e_tag"]
        except AlreadyExistsError:
            return self.take_over()
        return True

    def take_over(self) -> bool:
        """Take a lease that was not renewed; of two that try, one does."""
        try:
            held = obstore.head(store(self.root), self.name)
        except FileNotFoundError:
            return False  # released just now
        if self.now() - held["last_modified"] < TERM:
            return False
        try:
            found = obstore.put(store(self.root), self.name, self.body(), mode={"e_tag": held["e_tag"]})
        except (PreconditionError, FileNotFoundError):
            return False
        self.tag = found["e_tag"]
        return True

    def now(self) -> datetime:
        """Return the store's own time: clocks of two machines may differ by more than a lease lasts."""
        name = f"{self.name}-{secrets.token_hex(4)}"
        obstore.put(store(self.root), name, b"")
        try:
            found: datetime = obstore.head(store(self.root), name)["last_modified"]
        finally:
            obstore.delete(store(self.root), name)
        return found

    def renew(self, stop: threading.Event) -> None:
        """Renew the lease until told to stop, or until it is lost."""
        renewed = time.monotonic()
        while not stop.wait(EVERY_S):
            try:
                put = obstore.put(store(self.root), self.name, self.body(), mode={"e_tag": self.tag})
                self.tag, renewed = put["e_tag"], time.monotonic()
            except (PreconditionError, FileNotFoundError):
                # a put whose answer was lost is ours all the same
                self.is_lost = not self.is_ours()
            except (BaseError, OSError):
                self.is_lost = time.monotonic() - renewed > TERM.total_seconds()
            if self.is_lost:
                return

    def is_ours(self) -> bool:
        """Whether the object is of this run; if so, take over its tag."""
        try:
            found = obstore.get(store(self.root), self.name)
        except FileNotFoundError:
            return False
        self.tag = found.meta["e_tag"]
        return bool(json.loads(bytes(found.bytes()))["token"] == self.about["token"])

    def holder(self) -> bytes:
        """Return what the object says of its holder."""
        try:
            return bytes(obstore.get(store(self.root), self.name).bytes())
        except FileNotFoundError:
            return b""

    def release(self) -> None:
        """Give the lease back."""
        if self.is_ours():
            obstore.delete(store(self.root), self.name)
