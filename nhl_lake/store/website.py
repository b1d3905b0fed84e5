"""A folder of a static web host, to read from: files by name, without a listing and without credentials.

What a host sends is untrusted. It is bounded, and whoever reads it checks its SHA-256. A broken connection continues
where it broke, by a range request. A host without ranges sends the file again, and what is there already is skipped.
"""

import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar
from importlib.metadata import version

import httpx

from nhl_lake.errors import BadInput, LakeError, StorageUnavailable, redact_secrets
from nhl_lake.store.web_address import MAX_WEBSITE_FILE_BYTES, Website

HOST = re.compile(rb"[\w.:-]+")
MAX_REDIRECTS = 5
MAX_FAILURES = 7  # in a row, without a new byte; the waits between them are about a minute
MAX_FIRST_FAILURES = 2  # of a host that has never answered
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 30.0
MAX_CONNECTIONS = 4
MIN_BYTES_A_SECOND, GRACE_S = 1024, 60.0  # with only a timeout per read, a host could take days for a file
RETRYABLE_STATUSES = frozenset({408, 425, 429})  # and every 5xx
TIMEOUT = httpx.Timeout(30.0, connect=10.0, pool=None)
Wait = Callable[[float], object]


class NoCookies(CookieJar):
    """A cookie jar that stays empty. A policy that forbids all cookies does too, but reads each response for them."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Ignore the cookies of a response."""


@dataclass
class Session:
    """The client for one host, and whether the host has ever answered."""

    http: httpx.Client
    has_answered: bool = False


class TransferBroken(Exception):
    """A transfer that broke off, or a status that may change later; `wait_s` is the wait that the host asked for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class FileTooLarge(StorageUnavailable):
    """A file has more bytes than it should; the rest of it was not read."""


def parse_website(text: str) -> Website:
    """Return the folder of a web host that an address names."""
    hint = "Write https://host/path, the folder of the files."
    try:
        url = httpx.URL(text.strip())
        is_valid = HOST.fullmatch(url.raw_host) is not None and url.scheme in {"http", "https"}
    except (httpx.InvalidURL, UnicodeError) as error:
        raise BadInput(f"Invalid address {redact_secrets(ascii(text))}: {error}.", hint) from error
    if not is_valid:
        raise BadInput(f"Invalid address: {redact_secrets(ascii(text))} has no valid host.", hint)
    if url.userinfo or url.query or url.fragment:
        raise BadInput(
            f"Invalid address: {redact_secrets(ascii(text))} has a password, a query or a fragment.",
            f"Files are read without credentials. {hint}",
        )
    return Website(str(url).rstrip("/"))


@cache
def load_certificates() -> ssl.SSLContext:
    """Return the trusted certificates, cached: reading them is slow."""
    return httpx.create_ssl_context()


@cache
def open_session(origin: str) -> Session:
    """Return the client for a host. It lives as long as the process, like those of buckets."""
    try:
        return Session(
            httpx.Client(
                headers={"User-Agent": f"nhl-lake/{version('nhl-lake')}", "Accept-Encoding": "identity"},
                cookies=NoCookies(),
                timeout=TIMEOUT,
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                event_hooks={"response": [require_allowed_redirect]},
                verify=load_certificates() if origin.startswith("https:") else True,
            )
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise invalid_proxy_error(error) from error


def invalid_proxy_error(error: Exception) -> BadInput:
    """Return the error for a proxy that httpx cannot use."""
    return BadInput(
        f"A proxy in the environment cannot be used: {redact_secrets(str(error))}",
        "Set HTTPS_PROXY, HTTP_PROXY and ALL_PROXY to http:// or https:// addresses, or unset them.",
    )


def require_allowed_redirect(response: httpx.Response) -> None:
    """Raise for a redirect to a less safe scheme, or without TLS to another host; a hook of the httpx client."""
    if not response.has_redirect_location:
        return
    here = response.request.url
    try:
        there = here.join(response.headers["Location"])
        is_same_host = there.host == here.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise unexpected_answer_error(str(here), f"redirects to an invalid address: {error}") from error
    is_safe = there.scheme == "https" or (is_same_host and here.scheme == there.scheme)
    if not is_safe or there.userinfo:
        raise unexpected_answer_error(str(here), f"redirects to {there.scheme}://{there.host}, which is not allowed")


def unexpected_answer_error(url: str, problem: str) -> LakeError:
    """Return the error for an answer that no static host should give."""
    return StorageUnavailable(
        f"{redact_secrets(url)} {problem}.", "Open that address in a browser: is it the right one, and is it public?"
    )


def too_large_error(url: str, max_bytes: int) -> "FileTooLarge":
    """Return the error for a file that has more bytes than it should."""
    return FileTooLarge(
        f"{redact_secrets(url)} sends more than {max_bytes:,} bytes.",
        "Open that address in a browser: is it the right one? Whoever keeps that host may have to write it again.",
    )


def read_file(site: Website, name: str, *, max_bytes: int = MAX_WEBSITE_FILE_BYTES) -> bytes:
    """Return the content of a file. Raises FileNotFoundError, and an error if the file is larger than `max_bytes`."""
    return b"".join(read_chunks(site, name, max_bytes=max_bytes))


def read_chunks(
    site: Website, name: str, *, max_bytes: int, begin: int = 0, size: int | None = None, wait: Wait = time.sleep
) -> Iterator[bytes]:
    """Yield the content of a file from a position on, over broken connections. Raises FileNotFoundError.

    size: that of the whole file, if it is known. An answer that ends before it, and does not say how long it is, has
    broken. A file that really is shorter just ends: the reader compares its SHA-256.
    """
    url, position, failures = site.locate(name), begin, 0
    session = open_session(str(httpx.URL(site.url).copy_with(raw_path=b"/")))
    while True:
        try:
            for chunk in request_chunks(session, url, begin=position, size=size):
                position += len(chunk)
                if position > max_bytes:
                    raise too_large_error(url, max_bytes)
                failures = 0
                yield chunk
        except (httpx.TransportError, TransferBroken) as error:
            failures += 1
            if failures >= (MAX_FAILURES if session.has_answered else MAX_FIRST_FAILURES):
                raise unreachable_error(url, error) from error
            wait_s = error.wait_s if isinstance(error, TransferBroken) else None
            wait(min(FIRST_WAIT_S * 2**failures, MAX_WAIT_S) * random.uniform(0.5, 1.0) if wait_s is None else wait_s)
        else:
            return


def unreachable_error(url: str, error: Exception) -> LakeError:
    """Return the error for a host that does not answer, or breaks off again and again."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return StorageUnavailable(
        f"{redact_secrets(url)} cannot be read: {redact_secrets(reason).rstrip('.')}.",
        "Check the address and the network, then run it again: what is fetched already is not fetched again.",
    )


def request_chunks(session: Session, url: str, *, begin: int, size: int | None) -> Iterator[bytes]:
    """Send one request, and yield what it answers from a position on. Raises TransferBroken if another one may help."""
    headers = {"Range": f"bytes={begin}-"} if begin else {}
    started_at, received = time.monotonic(), 0
    with open_response(session, url, headers) as response:
        to_skip = check_status(response, url, begin)
        if to_skip is None:
            return
        for chunk in response.iter_raw():
            received += len(chunk)
            if (elapsed := time.monotonic() - started_at) > GRACE_S + received / MIN_BYTES_A_SECOND:
                raise TransferBroken(f"only {received:,} bytes in {elapsed:.0f} seconds")
            skipped = min(to_skip, len(chunk))
            to_skip -= skipped
            if chunk[skipped:]:
                yield chunk[skipped:]
        has_length = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if size is not None and not has_length and begin + received < size:
        raise TransferBroken("the connection was closed before the end of the file")


@contextmanager
def open_response(session: Session, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """Send a request, follow redirects, and yield the response, whose body has not been read."""
    try:
        with session.http.stream("GET", url, headers=headers) as response:
            session.has_answered = True
            yield response
    except httpx.TooManyRedirects as error:
        raise unexpected_answer_error(url, f"redirects more than {MAX_REDIRECTS} times") from error


def check_status(response: httpx.Response, url: str, begin: int) -> int | None:
    """Return how many bytes of a response come before a position; None if the file has nothing after it.

    Raises FileNotFoundError, TransferBroken if another request may help, or an error.
    """
    status = response.status_code
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        raise FileNotFoundError(url)
    if begin and status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return None
    if status in RETRYABLE_STATUSES or httpx.codes.is_server_error(status):
        raise TransferBroken(f"status {status}", parse_wait(response.headers.get("Retry-After", "")))
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        raise unexpected_answer_error(url, f"answers with status {status}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise unexpected_answer_error(url, "is sent compressed, which was not asked for")
    if status == httpx.codes.OK:
        return begin
    if not response.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
        raise unexpected_answer_error(url, "answers with another part of the file than was asked for")
    return 0


def parse_wait(text: str) -> float | None:
    """Return the seconds that a host asks to wait, at most two minutes; None if it does not say."""
    return min(float(text), 120.0) if text.isascii() and text.isdigit() else None
