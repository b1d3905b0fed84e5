"""Faults on demand: a server that is slow, busy, broken now and then, or all of it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from nhl_lake.league.errors import BadLeague


@dataclass(frozen=True)
class Faults:
    """How a server misbehaves; by default it does not.

    `latency_ms` passes before every answer; more than `rate` requests in one second are refused with 429 (0: no limit);
    a share `fail` of the others fails in one of the ways of `Fate`, drawn from `seed`.
    """

    latency_ms: float = 0
    rate: int = 0
    fail: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.fail <= 1:
            raise BadLeague(f"fail is a share of the requests, from 0 to 1, not {self.fail:g}.")
        if not 0 <= self.latency_ms < float("inf"):
            raise BadLeague(f"latency is a number of milliseconds from 0 on, not {self.latency_ms:g}.")
        if self.rate < 0:
            raise BadLeague(f"rate is a number of requests a second, 0 for no limit, not {self.rate}.")


class Fate(Enum):
    """What becomes of one request."""

    BROKEN = "500"
    AWAY = "503 with Retry-After"
    CUT = "a body cut in half"
    CLOSED = "a connection closed without an answer"
    HTML = "an error page with status 200"
    BUSY = "429 with Retry-After"
    SERVED = "the page"


FAILURES = (Fate.BROKEN, Fate.AWAY, Fate.CUT, Fate.CLOSED, Fate.HTML)


@dataclass
class Gate:
    """Decides what becomes of each request, and counts. Safe to share between threads."""

    faults: Faults
    second: Callable[[], float] = time.time
    seen: Counter[int] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.faults.seed)
        self._lock = threading.Lock()

    def fate(self) -> Fate:
        """What becomes of the request that comes in now."""
        with self._lock:
            now = int(self.second())
            self.seen[now] += 1
            failed, how = self._dice.random() < self.faults.fail, self._dice.choice(FAILURES)
            if self.faults.rate and self.seen[now] > self.faults.rate:
                return Fate.BUSY
            return how if failed else Fate.SERVED

    def answered(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self.statuses[status] += 1

    def stats(self) -> dict[str, object]:
        """How many requests came in, by status, and the most in one second."""
        with self._lock:
            return {
                "requests": sum(self.seen.values()),
                "by_status": {str(status): n for status, n in sorted(self.statuses.items())},
                "most_in_one_second": max(self.seen.values(), default=0),
            }


JSON = "application/json"
UNSERVED: dict[Fate, tuple[int, bytes, str, dict[str, str]]] = {
    Fate.BUSY: (429, b'{"message":"Too Many Requests"}', JSON, {"Retry-After": "1"}),
    Fate.BROKEN: (500, b'{"message":"Internal Server Error"}', JSON, {}),
    Fate.AWAY: (503, b"", JSON, {"Retry-After": "1"}),
    Fate.HTML: (200, b"<html><body>Please wait</body></html>", "text/html", {}),
}
