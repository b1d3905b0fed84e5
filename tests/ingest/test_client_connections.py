"""The way of a request, over real connections on loopback."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import aiohttp
import httpx
import pytest

from nhl_lake.bronze.limits import MAX_PAGE_BYTES
from nhl_lake.errors import PageTooLarge
from nhl_lake.ingest import aiohttp_transport
from nhl_lake.ingest.aiohttp_transport import Wire

Use = Callable[[Wire, str], Awaitable[None]]
HEADERS = {"User-Agent": "nhl-lake/test", "Accept-Encoding": "gzip"}
PAGE = b'{"page": "' + b"a" * 300_000 + b'"}'


def over(answers: list[bytes], use: Use) -> list[bytes]:
    """Serve answers, one a request, each byte for byte; b"" hangs up. Return the requests that came."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                came.append(request)
                answer = answers[min(len(came), len(answers)) - 1]
                writer.write(answer)
                if not answer:
                    break
        writer.close()

    async def go() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, Wire(2) as way:
            await use(way, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page")

    asyncio.run(go())
    return came


def answer(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body])


def test_a_page_comes_whole_and_the_program_says_who_it_is():
    async def use(way: Wire, url: str) -> None:
        assert (await way.get(url, HEADERS)).body == PAGE

    (request,) = over([answer(PAGE)], use)

    assert b"user-agent: nhl-lake/test" in request.lower()
    assert b"accept-encoding: gzip\r\n" in request.lower()


def test_a_page_comes_in_several_pieces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aiohttp_transport, "WHOLE_PAGE", 1000)

    async def use(way: Wire, url: str) -> None:
        assert (await way.get(url, HEADERS)).body == PAGE

    counts: list[int] = []

    async def counted(pieces: AsyncIterator[bytes]) -> bytes:
        came = [piece async for piece in pieces]
        counts.append(len(came))
        return b"".join(came)

    monkeypatch.setattr(aiohttp_transport, "whole", counted)
    over([answer(PAGE)], use)
    assert counts[0] > 1


def test_headers_are_read_whatever_their_letters_and_repeated_ones_are_one():
    async def use(way: Wire, url: str) -> None:
        headers = (await way.get(url, HEADERS)).headers
        assert headers["Location"] == "/caf\xe9"
        assert headers["Content-Encoding"] == "gzip, gzip"

    over([answer(b"{}", b"Location: /caf\xe9", b"Content-Encoding: gzip", b"Content-Encoding: gzip")], use)


def test_a_packed_page_comes_packed():
    packed = gzip.compress(PAGE)

    async def use(way: Wire, url: str) -> None:
        found = await way.get(url, HEADERS)
        assert (found.headers["content-encoding"], found.body) == ("gzip", packed)

    over([answer(packed, b"Content-Encoding: gzip")], use)


def test_what_is_larger_than_a_page_is_let_go_while_it_comes():
    async def use(way: Wire, url: str) -> None:
        with pytest.raises(PageTooLarge, match="larger than 16 MB"):
            await way.get(url, HEADERS)
        await asyncio.sleep(0.1)  # until the server has seen that nobody listens any more

    without_end = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + bytes(MAX_PAGE_BYTES + 1)
    over([without_end], use)


def test_a_page_that_has_moved_is_left_to_whoever_asks():
    async def use(way: Wire, url: str) -> None:
        assert (await way.get(url, HEADERS)).headers["Location"] == "/elsewhere"

    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    assert len(over([moved], use)) == 1


def test_a_connection_that_is_hung_up_is_an_error_and_no_second_request():
    async def use(way: Wire, url: str) -> None:
        await way.get(url, HEADERS)
        with pytest.raises(httpx.TransportError):
            await way.get(url, HEADERS)

    assert len(over([answer(b"{}"), b""], use)) == 2


@pytest.mark.parametrize("cut", [answer(PAGE)[:1000], answer(b"{}")[:-1], b"no HTTP\r\n\r\n"])
def test_an_answer_that_is_cut_or_odd_is_an_error(cut: bytes):
    async def use(way: Wire, url: str) -> None:
        with pytest.raises(httpx.TransportError):
            await way.get(url, HEADERS)

    async def go() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(cut)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, Wire(1) as way:
            await use(way, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page")

    asyncio.run(go())


def test_where_nobody_listens_nothing_connects():
    async def go() -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
        async with Wire(1) as way:
            with pytest.raises(httpx.ConnectError):
                await way.get(f"http://127.0.0.1:{port}/page", HEADERS)

    asyncio.run(go())


def test_an_odd_address_is_an_error_of_the_way():
    async def go() -> None:
        async with Wire(1) as way:
            with pytest.raises(httpx.TransportError):
                await way.get("ftp://127.0.0.1/page", HEADERS)

    asyncio.run(go())


def test_an_answer_that_does_not_come_is_a_timeout(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aiohttp_transport, "TIMEOUT", aiohttp.ClientTimeout(sock_read=0.1))

    async def go() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page"
            async with Wire(1) as way:
                with pytest.raises(httpx.ReadTimeout):
                    await way.get(url, HEADERS)
            await asyncio.sleep(0.1)  # until the server has seen that nobody waits any more

    asyncio.run(go())


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch):
    async def use(_: Wire, url: str) -> None:
        monkeypatch.setenv("http_proxy", url.removesuffix("/page"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with Wire(1) as way:
            assert (await way.get("http://elsewhere.example/page", HEADERS)).body == b"{}"

    (request,) = over([answer(b"{}")], use)

    assert request.startswith(b"GET http://elsewhere.example/page ")
