"""Pins: the table versions that a running backup reads. Vacuum keeps the files of pinned versions."""

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
PIN_EXPIRY = timedelta(days=2)  # for the pin of a killed backup; a running one renews its pin
RENEW_EVERY = timedelta(hours=1)
READ_ONLY_ERRNOS = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def pin_versions(root: Location, name: str, versions: Mapping[str, int], clock: Clock) -> Iterator[Callable[[], None]]:
    """Pin table versions inside the block. Yields a function that renews the pin; call it from time to time."""
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
    """Continue if a location is read-only. Without a pin, a file that is vacuumed in the meantime is an error."""
    try:
        yield
    except PermissionDeniedError:
        pass
    except OSError as error:
        if error.errno not in READ_ONLY_ERRNOS:
            raise


def read_pins(root: Location, now: datetime) -> dict[str, set[int]]:
    """Return the pinned versions, by table."""
    found: dict[str, set[int]] = defaultdict(set)
    for file in location.list_files(root, PINS_FOLDER):
        with contextlib.suppress(FileNotFoundError):  # removed just now
            pin = json.loads(location.read_file(root, file.name))
            if now - datetime.fromisoformat(pin["since"]) < PIN_EXPIRY:
                for table, version in pin["versions"].items():
                    found[table].add(version)
    return dict(found)
