"""The HTTP client over real connections on loopback."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import httpx
import pytest

from nhl_lake.bronze.limits import MAX_PAGE_BYTES
from nhl_lake.errors import BadInput
from nhl_lake.ingest import client
from nhl_lake.ingest.client import ApiClient, FetchFailed, HostUnavailable, InvalidPage, RateLimit, open_client

Use = Callable[[ApiClient, str], Awaitable[None]]
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
RATE_LIMIT = RateLimit(rate=0, concurrency=2, user_agent="nhl-lake/test", first_backoff_s=0.001)
PAGE = b'{"page": "' + b"a" * 300_000 + b'"}'


def with_server(answers: list[bytes | Reply], use: Use) -> list[bytes]:
    """Serve answers, one for each request, byte for byte; b"" hangs up. Return the requests that came."""
    requests: list[bytes] = []
    connections: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                requests.append(request)
                reply = answers[min(len(requests), len(answers)) - 1]
                if not isinstance(reply, bytes):
                    await reply(writer)
                    break
                writer.write(reply)
                if not reply:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def go() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, opened() as api:
            await use(api, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page")
        await asyncio.gather(*connections)

    asyncio.run(go())
    return requests


def opened() -> AbstractAsyncContextManager[ApiClient]:
    return open_client(RATE_LIMIT, Path("unused"), None)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body])


def redirect(to: bytes, *headers: bytes) -> bytes:
    return answer(b"moved", b"Location: " + to, *headers, status=b"302 Found")


async def expect_page(api: ApiClient, url: str) -> None:
    assert await api.get(url, bytes) == PAGE


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt for each page, so that a test sees the first error."""
    monkeypatch.setattr(client, "MAX_ATTEMPTS", 1)


def test_a_page_comes_whole_and_the_program_says_who_it_is():
    (request,) = with_server([answer(PAGE)], expect_page)

    assert b"user-agent: nhl-lake/test\r\n" in request.lower()
    assert b"accept-encoding: gzip\r\n" in request.lower()


def test_a_packed_page_is_unpacked():
    with_server([answer(gzip.compress(PAGE), b"Content-Encoding: gzip")], expect_page)


def test_a_page_in_chunks_is_joined():
    pieces = [PAGE[n : n + 7000] for n in range(0, len(PAGE), 7000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)

    with_server([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"], expect_page)


def test_cookies_are_not_kept():
    async def use(api: ApiClient, url: str) -> None:
        await api.get(url, bytes)
        await api.get(url, bytes)

    cookie = b"Set-Cookie: session=1; Path=/"
    requests = with_server([answer(b"{}", cookie), redirect(b"/there", cookie), answer(b"{}")], use)

    assert len(requests) == 3
    assert not any(b"cookie" in request.lower() for request in requests)


def test_passwords_of_netrc_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("machine 127.0.0.1 login someone password secret\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    requests = with_server([redirect(b"/there"), answer(PAGE)], expect_page)

    assert len(requests) == 2
    assert not any(b"authorization" in request.lower() for request in requests)


def test_a_page_that_was_packed_twice_is_invalid_whether_in_one_header_or_two():
    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(InvalidPage, match="encoded as 'gzip, gzip'"):
            await api.get(url, bytes)

    assert len(with_server([answer(b"{}", b"Content-Encoding: gzip", b"Content-Encoding: gzip")], use)) == 1


def test_a_page_above_the_size_bound_is_dropped_while_it_comes():
    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(InvalidPage, match="larger than 16 MB"):
            await asyncio.wait_for(api.get(url, bytes), 20)

    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + bytes(MAX_PAGE_BYTES + 1)
    assert len(with_server([endless], use)) == 1


def test_a_redirect_with_a_body_above_the_size_bound_is_dropped_too():
    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(InvalidPage, match="larger than 16 MB"):
            await asyncio.wait_for(api.get(url, bytes), 20)

    endless = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 1000000000\r\n\r\n" + bytes(
        MAX_PAGE_BYTES + 1
    )
    with_server([endless], use)


def test_a_redirect_on_the_same_host_is_followed():
    _, second = with_server([redirect(b"/elsewhere?a=b"), answer(PAGE)], expect_page)

    assert second.startswith(b"GET /elsewhere?a=b HTTP/1.1\r\n")
    assert b"user-agent: nhl-lake/test\r\n" in second.lower()


def test_a_location_that_is_not_utf_8_is_followed_as_latin_1():
    _, second = with_server([redirect(b"/caf\xe9"), answer(PAGE)], expect_page)

    assert second.startswith(b"GET /caf%C3%A9 HTTP/1.1\r\n")


@pytest.mark.parametrize("location", [b"http://[", b"//elsewhere.example/page", b"https:///", b"http://xn--a/"])
def test_a_redirect_that_may_not_be_followed_fails_at_once(location: bytes):
    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(FetchFailed, match="redirected to"):
            await api.get(url, bytes)

    assert len(with_server([redirect(location)], use)) == 1


def test_redirects_in_a_circle_end():
    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(FetchFailed, match="redirected 20 times, last to http"):
            await api.get(url, bytes)

    assert len(with_server([redirect(b"/page")], use)) == client.MAX_REDIRECTS


@pytest.mark.usefixtures("once")
def test_a_connection_that_hangs_up_is_an_error_and_no_second_request():
    async def use(api: ApiClient, url: str) -> None:
        await api.get(url, bytes)
        with pytest.raises(FetchFailed, match="RemoteProtocolError"):
            await api.get(url, bytes)

    assert len(with_server([answer(b"{}"), b""], use)) == 2


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(PAGE)[:100_000])
    await writer.drain()


async def reset(writer: asyncio.StreamWriter) -> None:
    await cut(writer)
    await asyncio.sleep(0.05)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def send_other_than_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"no HTTP\r\n\r\n")


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    ("reply", "error"),
    [(cut, "RemoteProtocolError"), (reset, "ReadError"), (send_other_than_http, "RemoteProtocolError")],
)
def test_a_truncated_or_reset_answer_is_an_error(reply: Reply, error: str):
    async def use(api: ApiClient, url: str) -> None:
        await api.get(url, bytes)
        with pytest.raises(FetchFailed, match=error):
            await api.get(url, bytes)

    with_server([answer(b"{}"), reply], use)


@pytest.mark.parametrize("reply", [cut, reset, send_other_than_http])
def test_a_truncated_or_reset_answer_is_fetched_again(reply: Reply):
    assert len(with_server([reply, answer(PAGE)], expect_page)) == 2


def test_where_nobody_listens_the_host_cannot_be_reached():
    async def go() -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
        async with opened() as api:
            with pytest.raises(HostUnavailable, match="cannot be reached: ConnectError"):
                await api.get(f"http://127.0.0.1:{port}/page", bytes)

    asyncio.run(go())


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/page", "127.0.0.1/page", "/page", "", "http://", "http://[", "http:///a"]
)
def test_an_invalid_address_fails(url: str):
    async def go() -> None:
        async with opened() as api:
            with pytest.raises(FetchFailed):
                await asyncio.wait_for(api.get(url, bytes), 5)

    asyncio.run(go())


async def keep_silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.3)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(PAGE)[:100])
    for _ in range(500):
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("once")
def test_an_answer_that_does_not_come_is_a_timeout(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(0.1, pool=None))

    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(FetchFailed, match="ReadTimeout"):
            await api.get(url, bytes)

    with_server([keep_silent], use)


@pytest.mark.usefixtures("once")
def test_an_answer_that_drips_is_a_timeout_and_its_connection_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "MAX_RESPONSE_S", 0.2)
    closed = asyncio.Event()

    async def drip_until_closed(writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await drip(writer)
            return
        closed.set()

    async def use(api: ApiClient, url: str) -> None:
        with pytest.raises(FetchFailed, match="ReadTimeout no complete response"):
            await api.get(url, bytes)
        await asyncio.wait_for(closed.wait(), 5)
        await expect_page(api, url)  # the pool has room again

    with_server([drip_until_closed, answer(PAGE)], use)


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(name: str, proxies: pytest.MonkeyPatch):
    async def use(_: ApiClient, url: str) -> None:
        proxies.setenv(name, url.removesuffix("/page"))
        async with opened() as api:
            await expect_page(api, "http://elsewhere.example/page")

    (request,) = with_server([answer(PAGE)], use)

    assert request.startswith(b"GET http://elsewhere.example/page ")


def test_a_host_that_the_environment_excepts_is_asked_without_the_proxy(proxies: pytest.MonkeyPatch):
    async def use(_: ApiClient, url: str) -> None:
        proxies.setenv("http_proxy", "http://127.0.0.1:9")
        proxies.setenv("no_proxy", "127.0.0.1")
        async with opened() as api:
            await expect_page(api, url)

    (request,) = with_server([answer(PAGE)], use)

    assert request.startswith(b"GET /page ")


@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1:9", "socks://127.0.0.1:9", "http://a:b"])
def test_a_proxy_that_cannot_be_used_is_an_error_of_two_lines(proxy: str, proxies: pytest.MonkeyPatch):
    proxies.setenv("ALL_PROXY", proxy)

    async def go() -> None:
        async with opened():
            pass

    with pytest.raises(BadInput, match="A proxy in the environment cannot be used") as error:
        asyncio.run(go())
    assert len(str(error.value).splitlines()) == 2
    assert "secret" not in str(error.value)
