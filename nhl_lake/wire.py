"""The way of a request, in httpx's terms: aiohttp carries it, in a third of the time that httpx takes by itself."""

from urllib.request import getproxies

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

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
    return AiohttpTransport(client=session, verify=safety)  # or it would read the certificates once more


async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request; raise what goes wrong as httpx does.

    Of its own errors aiohttp would send a second request, behind the back of whoever keeps the pace.
    """
    try:
        return await send(request)
    except (aiohttp.ClientError, TimeoutError) as error:
        kind = next(theirs for ours, theirs in TROUBLE if isinstance(error, ours))
        raise kind(str(error)) from error
