"""The clock: the one place that reads the time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def make_clock(start: datetime | None = None) -> Clock:
    """Return a function that tells the time (UTC): the machine's, or `start` and on from there."""
    if start is None:
        return lambda: datetime.now(UTC)
    began = time.monotonic()
    return lambda: start.astimezone(UTC) + timedelta(seconds=time.monotonic() - began)
