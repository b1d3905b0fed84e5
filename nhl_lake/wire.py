"""The way of a request, in httpx's terms: aiohttp carries it, in a third of the time that httpx takes by itself."""

from urllib.request import getproxies

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=None, pool=None)
WHOLE_PAGE = 2**20  # a smaller buffer stops and starts the reading several times a page

# the first that fits is meant
TROUBLE: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


def wire(connections: int) -> httpx.AsyncBaseTransport:
    """Return the way: it sends a request once, through the environment's proxy if there is one."""
    safety = httpx.create_ssl_context()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=safety),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(once,),
        read_bufsize=WHOLE_PAGE,
        trust_env=bool(getproxies()),  # to look for a proxy takes as long as all the rest of a request
    )
    return Way(client=session, verify=safety)  # or it would read the certificates once more


class Way(AiohttpTransport):
    """aiohttp's way; what is not packed comes in pieces as large as there is room for, which takes a tenth less.

    Of what is packed a small piece may grow to a large one: those stay small.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request once, and return the answer, its body still to come."""
        answer = await super().handle_async_request(request)
        if isinstance(answer.stream, AiohttpResponseStream) and "Content-Encoding" not in answer.headers:
            answer.stream.CHUNK_SIZE = WHOLE_PAGE
        return answer


async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request; raise what goes wrong as httpx does.

    Of its own errors aiohttp would send a second request, behind the back of whoever keeps the pace.
    """
    try:
        return await send(request)
    except (aiohttp.ClientError, TimeoutError) as error:
        kind = next(theirs for ours, theirs in TROUBLE if isinstance(error, ours))
        raise kind(str(error)) from error
