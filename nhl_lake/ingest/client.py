"""The one door to the network: asks politely, tries again where that may help, and says what came."""

import asyncio
import itertools
import random
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

import httpx
import stamina
from pyrate_limiter import Limiter, Rate, SQLiteBucket

from nhl_lake.bronze import limits
from nhl_lake.errors import LakeLocked, PageRejected, PageTooLarge, redact_secrets
from nhl_lake.ingest.transport import Answer, InProcess, Way

AGAIN = frozenset({408, 425, 429})
MOVED = frozenset({301, 302, 303, 307, 308})
ATTEMPTS = 8
FIRST_TRIES = 3  # requests to a host that has never answered; then it cannot be reached
FAILURES_IN_A_ROW = 12  # pages of one host; then it has stopped answering
REFUSALS = 5
MOVES = 20
PATIENCE_S = 600.0
ANSWER_S = 120.0  # a whole answer: each piece in time would let a page drip for days
LONGEST_WAIT_S = 120.0

T = TypeVar("T")


class TransientError(Exception):
    """An answer that may be another one later; `after_s` is what the server asked to wait."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class FetchFailed(Exception):
    """A page that could not be had, with the reason."""


class InvalidPage(FetchFailed):
    """A page that came, and was refused each time: the API is there, the page is odd."""


class HostUnavailable(FetchFailed):
    """A page of a host that cannot be reached, or that has stopped answering: nothing more is asked of it."""


class PageNotFound(Exception):
    """The answer 404: there is no such page, or none yet."""


@dataclass(frozen=True)
class RateLimit:
    """How to ask: requests a second (0: no limit), how many at once, under which name, and the first wait."""

    rate: float
    concurrency: int
    user_agent: str
    first_backoff_s: float = 1.0


@dataclass
class Host:
    """The health of one host, over all its pages.

    failures: pages in a row that it did not give; before its first answer, requests in a row. quiet_until: when it may
    be asked again. gone: why nothing more is asked of it.
    """

    name: str
    has_answered: bool = False
    failures: int = 0
    quiet_until: float = 0.0
    unavailable_reason: str | None = None

    def count_failed_request(self, error: Exception) -> None:
        """Count a request without an answer. A host that has never answered is given up after a few."""
        if self.has_answered:
            return
        self.failures += 1
        if self.failures >= FIRST_TRIES:
            self.unavailable_reason = self.unavailable_reason or f"{self.name} cannot be reached: {describe(error)}"

    def count_failed_page(self, reason: str) -> None:
        """Count a page that the host did not give, whatever the tries."""
        if not self.has_answered:
            return
        self.failures += 1
        if self.failures >= FAILURES_IN_A_ROW:
            self.unavailable_reason = self.unavailable_reason or f"{self.name} had stopped answering: {reason}"


def describe(error: Exception) -> str:
    """Name an error of the network in one line."""
    return redact_secrets(f"{type(error).__name__} {error}".strip())


@dataclass
class ApiClient:
    """An open door: a way, its pace and manners, and the health of each host."""

    way: Way
    pace: Limiter | None
    rate_limit: RateLimit
    places: asyncio.Semaphore
    hosts: dict[str, Host] = field(default_factory=dict)

    def host(self, url: str, kind: str | None = None) -> Host:
        """Return the host of a page. `kind` is the host that one address stands for, if it stands for several."""
        address = origin(url)
        key = kind or address
        if key not in self.hosts:
            names = dict.fromkeys((host_name(key), host_name(address)))  # both, where one stands in for the other
            self.hosts[key] = Host(" at ".join(names))
        return self.hosts[key]

    async def get(self, url: str, accept: Callable[[bytes], T], kind: str | None = None) -> T:
        """Ask for a page until `accept` takes it; raise NotThere, or Failed with the last reason.

        A body that `accept` refuses is asked for again: cut bodies and error pages come with status 200 too.
        Raises HostGone, without asking, for a page of a host that is given up; `kind` names the host (see `host`).
        """
        host = self.host(url, kind)
        if host.unavailable_reason is not None:
            raise HostUnavailable(f"not asked for: {host.unavailable_reason}")
        try:
            found = await self._had(url, accept, host)
        except InvalidPage:
            raise  # an odd page says nothing of the others: it must not end the asking
        except PageNotFound:
            host.failures = 0
            raise
        except FetchFailed as error:
            host.count_failed_page(str(error))
            raise
        host.failures = 0
        return found

    async def _had(self, url: str, accept: Callable[[bytes], T], host: Host) -> T:
        """Ask for a page, again where that may help; raise what came of it in the door's own terms."""
        try:
            try:
                return await self._accepted(url, accept, host)
            except (PageRejected, TransientError, httpx.TransportError) as error:
                return await self._insisted(url, accept, host, error)
        except PageRejected as error:
            raise InvalidPage(str(error)) from error
        except (TransientError, httpx.InvalidURL) as error:
            raise FetchFailed(str(error)) from error
        except httpx.TransportError as error:
            if host.unavailable_reason is not None and not host.has_answered:
                raise HostUnavailable(host.unavailable_reason) from error
            raise FetchFailed(describe(error)) from error

    async def _accepted(self, url: str, accept: Callable[[bytes], T], host: Host) -> T:
        """Ask for a page once."""
        try:
            body = await self._once(url, host)
        except httpx.TransportError as error:
            host.count_failed_request(error)
            raise
        limits.check_depth(body)
        return accept(body)

    async def _insisted(self, url: str, accept: Callable[[bytes], T], host: Host, first: Exception | None) -> T:
        """Ask for a page again, after the first request failed: most do not, and need no book of attempts."""
        attempts = stamina.retry_context(
            on=self._again(host),
            attempts=ATTEMPTS,
            timeout=PATIENCE_S,
            wait_initial=self.rate_limit.first_backoff_s,
            wait_jitter=self.rate_limit.first_backoff_s,
            wait_max=60.0,
        )
        async for attempt in attempts:
            with attempt:
                if first is not None:
                    error, first = first, None
                    raise error
                return await self._accepted(url, accept, host)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _again(self, host: Host) -> Callable[[Exception], float | bool]:
        """Return the rule whether to ask again: after longer and longer waits with jitter, or as the server asks."""
        refusals = itertools.count()
        first, jitter = self.rate_limit.first_backoff_s, random.uniform(0.0, self.rate_limit.first_backoff_s)

        def again(error: Exception) -> float | bool:
            if host.unavailable_reason is not None:
                return False
            if isinstance(error, TransientError) and error.after_s is not None:
                return error.after_s + jitter
            if isinstance(error, PageTooLarge):
                return False
            if isinstance(error, PageRejected):
                # a cut body is mended at once; a server that answers nonsense does so for longer than anyone waits
                refusal = next(refusals)
                return refusal < REFUSALS and min(first * 2**refusal, 4.0) / 2 + jitter
            return isinstance(error, TransientError | httpx.TransportError)

        return again

    async def _once(self, url: str, host: Host) -> bytes:
        async with self.places:
            await self._turn(host)
            if host.unavailable_reason is not None:  # it was given up while this request waited
                raise HostUnavailable(f"not asked for: {host.unavailable_reason}")
            answer = await self._followed(url)
        if not host.has_answered:
            host.has_answered, host.failures, host.unavailable_reason = True, 0, None
        if answer.status == httpx.codes.NOT_FOUND:
            raise PageNotFound
        if answer.status in AGAIN or httpx.codes.is_server_error(answer.status):
            after_s = retry_after(answer.headers)
            if answer.status == httpx.codes.TOO_MANY_REQUESTS:
                # one page's 429 is meant for all pages of its host
                until = time.monotonic() + (after_s or self.rate_limit.first_backoff_s)
                host.quiet_until = max(host.quiet_until, until)
            raise TransientError(f"status {answer.status}", after_s)
        if not httpx.codes.is_success(answer.status):
            raise FetchFailed(f"status {answer.status}")
        return limits.decompress_body(answer.body, answer.headers.get("Content-Encoding", ""))

    async def _followed(self, url: str) -> Answer:
        """Send the request, and follow an answer that says where on its host the page has moved to."""
        headers = {"User-Agent": self.rate_limit.user_agent, "Accept-Encoding": limits.CONTENT_ENCODING}
        require_host(origin(url))
        place = url
        for _ in range(MOVES):
            answer = await self._answer(place, headers)
            if answer.status not in MOVED or "Location" not in answer.headers:
                return answer
            place = str(moved(httpx.URL(place), answer.headers["Location"]))
        raise FetchFailed(f"redirected {MOVES} times, last to {place}")

    async def _answer(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Send a request once, and take the whole answer."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self.way.get(url, headers)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no whole answer in {ANSWER_S:.0f} seconds") from error

    async def _turn(self, host: Host) -> None:
        """Wait for this request's turn; one that came while the host was to be left quiet is let go by."""
        while True:
            await asyncio.sleep(host.quiet_until - time.monotonic())
            if self.pace is not None:
                await self.pace.try_acquire_async("nhl")
            if time.monotonic() >= host.quiet_until:
                return


def origin(url: str) -> str:
    """Return the part of an address before its path: https://api.nhle.com."""
    end = url.find("/", len("https://"))
    return url if end < 0 else url[:end]


def host_name(address: str) -> str:
    """Return the name of the host in an origin, without its port."""
    return re.sub(r":\d+$", "", address.rpartition("/")[2])


@cache
def require_host(origin: str) -> None:
    """Raise httpx.InvalidURL for what begins no address; there are three hosts, and to look takes a while."""
    try:
        host = httpx.URL(origin).host
    except UnicodeError as error:
        raise httpx.InvalidURL(str(error)) from error
    if not host:
        raise httpx.InvalidURL(f"{origin} names no host")


def moved(place: httpx.URL, to: str) -> httpx.URL:
    """Return where a page has moved to; raise Failed if that is another host, or a way that is less safe."""
    there = place.join(to)
    if there.host != place.host or there.scheme not in {place.scheme, "https"} or there.userinfo:
        raise FetchFailed(f"redirected to {there.scheme}://{there.host}, where nothing is asked for")
    return there


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, from a number or a date; at most two minutes."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT_S)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT_S)


@asynccontextmanager
async def open_client(
    manners: RateLimit, pace_file: Path, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[ApiClient]:
    """Open the door. The pace stands in a file, so that runs that follow each other are polite together."""
    bucket = open_pace(manners, pace_file)
    try:
        async with InProcess(transport) if transport else wire(manners.concurrency) as way:
            pace = Limiter(bucket, buffer_ms=2) if bucket else None
            yield ApiClient(way, pace, manners, asyncio.Semaphore(manners.concurrency))
    finally:
        if bucket:
            bucket.close()  # type: ignore[no-untyped-call]


def wire(connections: int) -> Way:
    """Return the way over the network."""
    from nhl_lake.ingest.aiohttp_transport import Wire  # noqa: PLC0415 - to load aiohttp takes a third of a second, and few commands ask

    return Wire(connections)


def open_pace(manners: RateLimit, file: Path) -> SQLiteBucket | None:
    """Open the pace: requests at even steps, a twentieth longer than the rate says, so that no second holds more."""
    if manners.rate == 0:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    every_ms = int(1050 / manners.rate) + 1
    try:
        return SQLiteBucket.init_from_file([Rate(1, every_ms)], db_path=str(file))
    except sqlite3.OperationalError as error:
        raise LakeLocked(
            f"The pace of requests at {file} cannot be opened: {error}.",
            "Another run is asking, or the folder is read-only; run again when it is done.",
        ) from error
    except sqlite3.DatabaseError:
        # the pace of the last seconds is all that the file holds: a damaged one is begun again
        file.unlink()
        return SQLiteBucket.init_from_file([Rate(1, every_ms)], db_path=str(file))
