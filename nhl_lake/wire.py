"""The way of a request, in httpx's terms: aiohttp carries it, in a third of the time that httpx takes by itself."""

from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx

TIMEOUT = aiohttp.ClientTimeout(sock_connect=10.0, sock_read=30.0)
WHOLE_PAGE = 2**20  # a smaller buffer stops and starts the reading several times a page

# the first that fits is meant
TROUBLE: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class Wire(httpx.AsyncBaseTransport):
    """Sends a request and reads the whole answer; what goes wrong is raised as httpx does."""

    def __init__(self, *, connections: int) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=httpx.create_ssl_context()),
            timeout=TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=WHOLE_PAGE,
        )
        # a second request behind the back of whoever asks would not keep the pace
        self.session._retry_connection = False
        self.proxies = getproxies()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request, its body read and unpacked."""
        url = request.url
        proxy = self.proxies.get(url.scheme) if self.proxies and not proxy_bypass(url.host) else None
        asked = self.session.get(str(url), headers=request.headers, allow_redirects=False, proxy=proxy)
        try:
            async with asked as answer:
                return httpx.Response(answer.status, headers=answer.raw_headers, content=await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            kind = next(theirs for ours, theirs in TROUBLE if isinstance(error, ours))
            raise kind(str(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self.session.close()
