"""Faults on demand: a server that is slow, limits requests, or fails now and then."""

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
    """The faults of a server; by default it has none.

    latency_ms: the wait before every answer. rate: more requests in a second get a 429 (0: no limit). fail: the share
    of the other requests that fail, in one of the ways of `RequestOutcome`, drawn from `seed`.
    """

    latency_ms: float = 0
    rate: int = 0
    fail: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.fail <= 1:
            raise InvalidLeagueOption(f"fail is a share of requests from 0 to 1, not {self.fail:g}.")
        if not 0 <= self.latency_ms < float("inf"):
            raise InvalidLeagueOption(f"latency is a number of milliseconds, 0 or more, not {self.latency_ms:g}.")
        if self.rate < 0:
            raise InvalidLeagueOption(f"rate is a number of requests a second (0: no limit), not {self.rate}.")


class RequestOutcome(Enum):
    """The outcome of a request: an answer, or one of the faults."""

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
    """Decides the outcome of each request, and counts requests. Thread-safe."""

    faults: Faults
    clock: Callable[[], float] = time.time
    requests_by_second: Counter[int] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.faults.seed)
        self._lock = threading.Lock()

    def draw_outcome(self) -> RequestOutcome:
        """Draw the outcome of the request that has just arrived."""
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
        """Return the number of requests by status, and the most in one second."""
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
