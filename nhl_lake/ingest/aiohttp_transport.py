"""The way of requests over the network. aiohttp carries them, in a quarter of the time that httpx takes."""

from collections.abc import Mapping
from urllib.request import getproxies

import aiohttp
import httpx

from nhl_lake.bronze.limits import read_body
from nhl_lake.ingest.transport import Answer, Way

TIMEOUT = aiohttp.ClientTimeout(sock_connect=10.0, sock_read=30.0)
WHOLE_PAGE = 2**20  # a smaller buffer stops and starts the reading several times a page
SAFETY = httpx.create_ssl_context()  # made with the module, which is loaded while the lake is opened

# the first that fits is meant
TROUBLE: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class Wire(Way):
    """The way over the network, through the environment's proxy if there is one."""

    def __init__(self, connections: int) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=SAFETY),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(once,),
            timeout=TIMEOUT,
            auto_decompress=False,
            read_bufsize=WHOLE_PAGE,
            trust_env=bool(getproxies()),  # to look for a proxy takes as long as all the rest of a request
        )

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.session.close()

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Send a request once, and take the whole answer; raise what goes wrong as httpx does.

        Raises httpx.InvalidURL for what is no address.
        """
        try:
            async with self.session.get(url, headers=headers, allow_redirects=False) as answer:
                came = httpx.Headers(answer.raw_headers)  # repeated ones are one, and any letters are read
                return Answer(answer.status, came, await read_body(answer.content.iter_any()))
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise httpx.InvalidURL(str(error)) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise trouble(error) from error


async def once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request; of its own errors aiohttp would send a second one, behind the back of whoever keeps the pace."""
    try:
        return await send(request)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise trouble(error) from error


def trouble(error: Exception) -> httpx.TransportError:
    """Return what went wrong in httpx's terms."""
    kind = next(theirs for ours, theirs in TROUBLE if isinstance(error, ours))
    return kind(str(error))
