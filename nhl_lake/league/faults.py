"""Faults on demand: a server that is slow, busy, broken now and then, or all of it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from nhl_lake.league.errors import InvalidLeagueOption


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
            raise InvalidLeagueOption(f"fail is a share of the requests, from 0 to 1, not {self.fail:g}.")
        if not 0 <= self.latency_ms < float("inf"):
            raise InvalidLeagueOption(f"latency is a number of milliseconds from 0 on, not {self.latency_ms:g}.")
        if self.rate < 0:
            raise InvalidLeagueOption(f"rate is a number of requests a second, 0 for no limit, not {self.rate}.")


class RequestOutcome(Enum):
    """What becomes of one request."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503 with Retry-After"
    TRUNCATED = "a body cut in half"
    CONNECTION_CLOSED = "a connection closed without an answer"
    HTML_ERROR = "an error page with status 200"
    RATE_LIMITED = "429 with Retry-After"
    SERVED = "the page"


FAILURES = (
    RequestOutcome.SERVER_ERROR,
    RequestOutcome.UNAVAILABLE,
    RequestOutcome.TRUNCATED,
    RequestOutcome.CONNECTION_CLOSED,
    RequestOutcome.HTML_ERROR,
)


@dataclass
class FaultInjector:
    """Decides what becomes of each request, and counts. Safe to share between threads."""

    faults: Faults
    clock: Callable[[], float] = time.time
    requests_by_second: Counter[int] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.faults.seed)
        self._lock = threading.Lock()

    def draw_outcome(self) -> RequestOutcome:
        """What becomes of the request that comes in now."""
        with self._lock:
            now = int(self.clock())
            self.requests_by_second[now] += 1
            failed, how = self._rng.random() < self.faults.fail, self._rng.choice(FAILURES)
            if self.faults.rate and self.requests_by_second[now] > self.faults.rate:
                return RequestOutcome.RATE_LIMITED
            return how if failed else RequestOutcome.SERVED

    def count_response(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self.statuses[status] += 1

    def count_requests(self) -> dict[str, object]:
        """How many requests came in, by status, and the most in one second."""
        with self._lock:
            return {
                "requests": sum(self.requests_by_second.values()),
                "by_status": {str(status): n for status, n in sorted(self.statuses.items())},
                "most_in_one_second": max(self.requests_by_second.values(), default=0),
            }


JSON = "application/json"
FAULT_RESPONSES: dict[RequestOutcome, tuple[int, bytes, str, dict[str, str]]] = {
    RequestOutcome.RATE_LIMITED: (429, b'{"message":"Too Many Requests"}', JSON, {"Retry-After": "1"}),
    RequestOutcome.SERVER_ERROR: (500, b'{"message":"Internal Server Error"}', JSON, {}),
    RequestOutcome.UNAVAILABLE: (503, b"", JSON, {"Retry-After": "1"}),
    RequestOutcome.HTML_ERROR: (200, b"<html><body>Please wait</body></html>", "text/html", {}),
}
