"""The way of a request: a page's address there, and what came of it back, packed as it was sent."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

import httpx

from nhl_lake.bronze.limits import read_body


class Answer(NamedTuple):
    """What came of a request: status, headers (their names in any case), and the body as sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Way(AbstractAsyncContextManager["Way"], Protocol):
    """A way of requests, open until it is left."""

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Send a request once, and take the whole answer.

        Raises httpx.TransportError where none comes, and Unfit for a body that is larger than any page.
        """


class InProcess(Way):
    """The way to a transport of httpx that answers without a socket: the sample league, and the tests' servers."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport

    async def __aexit__(self, *_: object) -> None:
        """Close the transport."""
        await self.transport.aclose()

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask the transport, and take the whole answer."""
        answer = await self.transport.handle_async_request(httpx.Request("GET", url, headers=headers))
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        try:
            return Answer(answer.status_code, answer.headers, await read_body(aiter(answer.stream)))
        finally:
            await answer.aclose()
