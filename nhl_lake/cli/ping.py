"""Tell a monitor how a run ended, as healthchecks.io has it: request a URL, or the URL with /fail.

The URL is a secret: who knows it can tell the monitor that all is well. It is shown only up to its host.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import typer

TIMEOUT_S = 5.0
VARIABLE = "NHL_LAKE_PING"
MASK = "***"
SET_URL = re.compile(rf"({VARIABLE}=['\"]?https?://[^/?\s'\"]+)[^\s'\"]+")


@contextmanager
def ping_at_end(url: str | None) -> Iterator[None]:
    """Ping when the block ends: success after exit code 0, else failure. A run that is killed pings nothing."""
    code = 1
    try:
        yield
        code = 0
    except typer.Exit as end:
        code = end.exit_code
        raise
    finally:
        if url is not None:
            send_ping(url if code == 0 else make_failure_url(url))


def make_failure_url(url: str) -> str:
    """Return the URL that reports a failure: /fail at the end of the path."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))


def send_ping(url: str) -> None:
    """Request a URL. What goes wrong is said and changes nothing: the run has ended."""
    import httpx

    from nhl_lake.cli import log
    from nhl_lake.errors import summarize_error

    try:
        with httpx.stream("GET", url, timeout=TIMEOUT_S, headers={"User-Agent": "nhl-lake"}) as answer:
            problem = None if answer.is_success else f"it answered {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        problem = summarize_error(error).replace(url, mask_url(url)).rstrip(".")
    if problem is not None:
        log.write("warning", f"The monitor at {mask_url(url)} was not told how the run ended: {problem}.")


def mask_url(url: str) -> str:
    """Return a URL up to its host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}"


def mask_variable(text: str) -> str:
    """Return lines of a crontab or of a unit in which the variable shows the URL up to its host."""
    return SET_URL.sub(rf"\1/{MASK}", text)
