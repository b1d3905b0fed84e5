"""Pins: which versions of its tables a backup under way reads, so that no clean-up takes their files away."""

import contextlib
import errno
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from obstore.exceptions import PermissionDeniedError

from nhl_lake.clock import Clock
from nhl_lake.store import location
from nhl_lake.store.location import Location
from nhl_lake.store.locks import STATE_FOLDER

PINS_FOLDER = f"{STATE_FOLDER}/pins"
PIN_EXPIRY = timedelta(days=2)  # of a backup that was killed; one that lives renews its pin
RENEW_EVERY = timedelta(hours=1)
READ_ONLY_ERRNOS = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def pin_versions(root: Location, name: str, versions: Mapping[str, int], clock: Clock) -> Iterator[Callable[[], None]]:
    """Pin versions of tables while the block runs; it gets a function to call now and then, which renews the pin."""
    file = f"{PINS_FOLDER}/{name}.json"
    since = [clock()]

    def write() -> None:
        body = json.dumps({"since": since[-1].isoformat(), "versions": dict(versions)}).encode()
        with ignore_read_only():
            location.write_file(root, file, body)

    def renew() -> None:
        if clock() - since[-1] > RENEW_EVERY:
            since.append(clock())
            write()

    write()
    try:
        yield renew
    finally:
        with ignore_read_only():
            location.remove_files(root, [file])


@contextmanager
def ignore_read_only() -> Iterator[None]:
    """Go on without a pin where the lake may only be read: files that are cleaned away meanwhile are then an error."""
    try:
        yield
    except PermissionDeniedError:
        pass
    except OSError as error:
        if error.errno not in READ_ONLY_ERRNOS:
            raise


def read_pins(root: Location, now: datetime) -> dict[str, set[int]]:
    """Return the versions that backups under way read, by table."""
    found: dict[str, set[int]] = defaultdict(set)
    for file in location.list_files(root, PINS_FOLDER):
        with contextlib.suppress(FileNotFoundError):  # removed just now
            pin = json.loads(location.read_file(root, file.name))
            if now - datetime.fromisoformat(pin["since"]) < PIN_EXPIRY:
                for table, version in pin["versions"].items():
                    found[table].add(version)
    return dict(found)
