"""The clock: the only module that reads the time."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FIRST_YEAR, LAST_YEAR = 1917, 2199  # a time outside of these years is a typing error
Clock = Callable[[], datetime]


def make_clock(start: datetime | None = None) -> Clock:
    """Return a function that returns the current time in UTC; with `start`, a clock that begins there."""
    if start is None:
        return lambda: datetime.now(UTC)
    started_at = time.monotonic()
    return lambda: start.astimezone(UTC) + timedelta(seconds=time.monotonic() - started_at)


def make_run_id(now: datetime) -> str:
    """Return a new id of a run: when it started, and four random digits."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
