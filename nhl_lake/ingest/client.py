"""The HTTP client for the NHL's API: one httpx client with a rate limit, retries, redirects and bounds on each page."""

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
from pathlib import Path
from typing import TypeVar

import httpx
import stamina
from pyrate_limiter import Limiter, Rate, SQLiteBucket

from nhl_lake.bronze import limits
from nhl_lake.errors import LakeLocked, PageRejected, PageTooLarge, redact_secrets
from nhl_lake.store.website import NoCookies, invalid_proxy_error, load_certificates

RETRYABLE_STATUSES = frozenset({408, 425, 429})  # and every 5xx
MAX_ATTEMPTS = 8
MAX_FIRST_ATTEMPTS = 3  # requests without a response; a host that has never answered then counts as unreachable
MAX_FAILURES_IN_A_ROW = 12  # failed pages of one host; after these it has stopped answering
MAX_INVALID_PAGES = 5  # invalid responses to one request; there is another attempt after each
MAX_REDIRECTS = 20
MAX_RETRY_S = 600.0
MAX_RESPONSE_S = 120.0  # for a whole response: with only a timeout per read, a slow page could take days
MAX_WAIT_S = 120.0  # the longest Retry-After that is obeyed
TIMEOUT = httpx.Timeout(30.0, connect=10.0, pool=None)

T = TypeVar("T")


class TransientError(Exception):
    """A status that may change later; `after_s` is the wait that the server asked for."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class FetchFailed(Exception):
    """A page that could not be fetched, with the reason."""


class InvalidPage(FetchFailed):
    """A page that was invalid each time: the API answers, but this page is wrong."""


class HostUnavailable(FetchFailed):
    """A page of a host that cannot be reached or has stopped answering. The client sends it no more requests."""


class PageNotFound(Exception):
    """Status 404: there is no such page, or none yet."""


@dataclass(frozen=True)
class RateLimit:
    """How to send requests: requests a second (0: no limit), how many at once, the user agent, and the first wait."""

    rate: float
    concurrency: int
    user_agent: str
    first_backoff_s: float = 1.0


@dataclass
class Host:
    """The health of one host, over all its pages.

    failures: failed pages in a row; before the first answer, failed requests in a row. paused_until: when requests may
    go on after a 429. unavailable_reason: the reason why no more requests go to it, or None.
    """

    name: str
    has_answered: bool = False
    failures: int = 0
    paused_until: float = 0.0
    unavailable_reason: str | None = None

    def count_failed_request(self, error: Exception) -> None:
        """Count a request without a response. After a few, stop sending requests to a host that has never answered."""
        if self.has_answered:
            return
        self.failures += 1
        if self.failures >= MAX_FIRST_ATTEMPTS:
            self.unavailable_reason = self.unavailable_reason or f"{self.name} cannot be reached: {describe(error)}"

    def count_failed_page(self, reason: str) -> None:
        """Count a page that failed after all its attempts."""
        if not self.has_answered:
            return
        self.failures += 1
        if self.failures >= MAX_FAILURES_IN_A_ROW:
            self.unavailable_reason = self.unavailable_reason or f"{self.name} had stopped answering: {reason}"


def describe(error: Exception) -> str:
    """Describe a network error in one line."""
    return redact_secrets(f"{type(error).__name__} {error}".strip())


@dataclass
class ApiClient:
    """An open httpx client with its rate limit, its free connections, and the health of each host."""

    http: httpx.AsyncClient
    limiter: Limiter | None
    rate_limit: RateLimit
    connections: asyncio.Semaphore
    hosts: dict[str, Host] = field(default_factory=dict)

    def host(self, url: str, declared: str | None = None) -> Host:
        """Return the host of a page. `declared` is the API's host, if one address replaces all hosts."""
        address = origin(url)
        key = declared or address
        if key not in self.hosts:
            names = dict.fromkeys((host_name(key), host_name(address)))  # name both if one replaces the other
            self.hosts[key] = Host(" at ".join(names))
        return self.hosts[key]

    async def get(self, url: str, parse: Callable[[bytes], T], declared: str | None = None) -> T:
        """Fetch a page, retry until `parse` accepts it, and return what `parse` returns.

        A body that `parse` refuses is fetched again: truncated bodies and error pages come with status 200 too.
        Raises PageNotFound, or FetchFailed with the last reason; HostUnavailable, without a request, for a host that
        is given up (`declared`: see `host`).
        """
        host = self.host(url, declared)
        if host.unavailable_reason is not None:
            raise HostUnavailable(f"not requested: {host.unavailable_reason}")
        try:
            page = await self._fetch(url, parse, host)
        except InvalidPage:
            raise  # a wrong page says nothing about the others: it must not end the run
        except PageNotFound:
            host.failures = 0
            raise
        except FetchFailed as error:
            host.count_failed_page(str(error))
            raise
        host.failures = 0
        return page

    async def _fetch(self, url: str, parse: Callable[[bytes], T], host: Host) -> T:
        """Fetch a page with retries, and raise the client's own errors."""
        try:
            return await self._retry(url, parse, host)
        except PageRejected as error:
            raise InvalidPage(str(error)) from error
        except TransientError as error:
            raise FetchFailed(str(error)) from error
        except httpx.TransportError as error:
            if host.unavailable_reason is not None and not host.has_answered:
                raise HostUnavailable(host.unavailable_reason) from error
            raise FetchFailed(describe(error)) from error

    async def _attempt(self, url: str, parse: Callable[[bytes], T], host: Host) -> T:
        """Fetch a page once."""
        try:
            body = await self._request(url, host)
        except httpx.TransportError as error:
            host.count_failed_request(error)
            raise
        limits.check_depth(body)
        return parse(body)

    async def _retry(self, url: str, parse: Callable[[bytes], T], host: Host) -> T:
        """Fetch a page, again after each error that the retry rule accepts."""
        attempts = stamina.retry_context(
            on=self._retry_rule(host),
            attempts=MAX_ATTEMPTS,
            timeout=MAX_RETRY_S,
            wait_initial=self.rate_limit.first_backoff_s,
            wait_jitter=self.rate_limit.first_backoff_s,
            wait_max=60.0,
        )
        async for attempt in attempts:
            with attempt:
                return await self._attempt(url, parse, host)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _retry_rule(self, host: Host) -> Callable[[Exception], float | bool]:
        """Return the rule for the next attempt: no, yes (after growing waits with jitter), or the seconds to wait."""
        invalid_pages = itertools.count()
        first, jitter = self.rate_limit.first_backoff_s, random.uniform(0.0, self.rate_limit.first_backoff_s)

        def rule(error: Exception) -> float | bool:
            if host.unavailable_reason is not None:
                return False
            if isinstance(error, TransientError) and error.after_s is not None:
                return error.after_s + jitter
            if isinstance(error, PageTooLarge):
                return False
            if isinstance(error, PageRejected):
                # a truncated body is complete the next time; a server that sends wrong pages keeps doing so
                number = next(invalid_pages)
                return number < MAX_INVALID_PAGES and min(first * 2**number, 4.0) / 2 + jitter
            return isinstance(error, TransientError | httpx.TransportError)

        return rule

    async def _request(self, url: str, host: Host) -> bytes:
        """Wait for the rate limit, send a request, and return the decompressed body of a response with status 2xx."""
        async with self.connections:
            await self._wait_for_turn(host)
            if host.unavailable_reason is not None:  # it became unavailable while this request waited
                raise HostUnavailable(f"not requested: {host.unavailable_reason}")
            status, headers, body = await self._send(url)
        if not host.has_answered:
            host.has_answered, host.failures, host.unavailable_reason = True, 0, None
        if status == httpx.codes.NOT_FOUND:
            raise PageNotFound
        if status in RETRYABLE_STATUSES or httpx.codes.is_server_error(status):
            after_s = retry_after(headers)
            if status == httpx.codes.TOO_MANY_REQUESTS:
                # a 429 for one page applies to all pages of its host
                until = time.monotonic() + (after_s or self.rate_limit.first_backoff_s)
                host.paused_until = max(host.paused_until, until)
            raise TransientError(f"status {status}", after_s)
        if not httpx.codes.is_success(status):
            raise FetchFailed(f"status {status}")
        return limits.decompress_body(body, headers.get("Content-Encoding", ""))

    async def _send(self, url: str) -> tuple[int, httpx.Headers, bytes]:
        """Send a request, follow redirects, and return status, headers, and the body as it was sent."""
        request = self.http.build_request("GET", parse_url(url))
        for _ in range(MAX_REDIRECTS):
            response, body = await self._exchange(request)
            if response.next_request is None:
                return response.status_code, response.headers, body
            request = response.next_request
        raise FetchFailed(f"redirected {MAX_REDIRECTS} times, last to {request.url}")

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Send one request, and read the whole response."""
        try:
            async with asyncio.timeout(MAX_RESPONSE_S):
                response = await self.http.send(request, stream=True)
                try:
                    # not aiter_raw: it rejects the responses of httpx.MockTransport, which are complete at once
                    assert isinstance(response.stream, httpx.AsyncByteStream)
                    return response, await limits.read_body(aiter(response.stream))
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no complete response in {MAX_RESPONSE_S:.0f} seconds") from error

    async def _wait_for_turn(self, host: Host) -> None:
        """Wait until the rate limit allows a request and the host is not paused."""
        while True:
            await asyncio.sleep(host.paused_until - time.monotonic())
            if self.limiter is not None:
                await self.limiter.try_acquire_async("nhl")
            if time.monotonic() >= host.paused_until:
                return


def origin(url: str) -> str:
    """Return the part of a URL before its path: https://api.nhle.com."""
    end = url.find("/", len("https://"))
    return url if end < 0 else url[:end]


def host_name(address: str) -> str:
    """Return the name of the host in an origin, without its port."""
    return re.sub(r":\d+$", "", address.rpartition("/")[2])


def parse_url(url: str) -> httpx.URL:
    """Parse a URL; raise FetchFailed if it is invalid or has no host."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchFailed(f"invalid address {redact_secrets(url)}: {error}") from error
    if not host:
        raise FetchFailed(f"{redact_secrets(url)} has no host")
    return parsed


async def require_allowed_redirect(response: httpx.Response) -> None:
    """Raise FetchFailed for a redirect to another host or to a less safe scheme; a hook of the httpx client."""
    if not response.has_redirect_location:
        return
    here = response.request.url
    try:
        there = here.join(response.headers["Location"])
        is_same_host = there.host == here.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchFailed(f"redirected to an invalid address: {error}") from error
    if not is_same_host or there.scheme not in {here.scheme, "https"} or there.userinfo:
        raise FetchFailed(f"redirected to {there.scheme}://{there.host}, which is not allowed")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait, in seconds: from a number or a date, at most two minutes."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_WAIT_S)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), MAX_WAIT_S)


@asynccontextmanager
async def open_client(
    rate_limit: RateLimit, rate_file: Path, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[ApiClient]:
    """Open the client. The rate limit is kept in a file, so consecutive runs share it."""
    bucket = open_bucket(rate_limit, rate_file)
    try:
        async with open_http(rate_limit, transport) as http:
            limiter = Limiter(bucket, buffer_ms=2) if bucket else None
            yield ApiClient(http, limiter, rate_limit, asyncio.Semaphore(rate_limit.concurrency))
    finally:
        if bucket:
            bucket.close()  # type: ignore[no-untyped-call]


def open_http(rate_limit: RateLimit, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """Return the httpx client, for the network or with a transport that answers in this process."""
    most = rate_limit.concurrency
    try:
        return httpx.AsyncClient(
            headers={"User-Agent": rate_limit.user_agent, "Accept-Encoding": limits.CONTENT_ENCODING},
            cookies=NoCookies(),
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
            event_hooks={"response": [require_allowed_redirect]},
            verify=True if transport else load_certificates(),
            transport=transport,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise invalid_proxy_error(error) from error


def open_bucket(rate_limit: RateLimit, file: Path) -> SQLiteBucket | None:
    """Open the rate limit's file: requests are spaced evenly, 5 % wider than the rate, so no second has more."""
    if rate_limit.rate == 0:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    every_ms = int(1050 / rate_limit.rate) + 1
    try:
        return SQLiteBucket.init_from_file([Rate(1, every_ms)], db_path=str(file))
    except sqlite3.OperationalError as error:
        raise LakeLocked(
            f"The rate limit's file {file} cannot be opened: {error}.",
            "Another run is using it, or the folder is read-only. Run the same command again later.",
        ) from error
    except sqlite3.DatabaseError:
        # the file only covers the last seconds: replace a damaged one
        file.unlink()
        return SQLiteBucket.init_from_file([Rate(1, every_ms)], db_path=str(file))
