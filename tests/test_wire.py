"""The way of a request, over real connections on loopback."""

import asyncio
import gzip
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest

from nhl_lake.wire import TIMEOUT, wire

Way = Callable[[httpx.AsyncBaseTransport, str], Awaitable[None]]
PAGE = b'{"page": "' + b"a" * 300_000 + b'"}'


def over(answers: list[bytes], use: Way) -> list[bytes]:
    """Serve answers, one a request, each byte for byte; b"" hangs up. Return the requests that came."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                came.append(request)
                answer = answers[min(len(came), len(answers)) - 1]
                writer.write(answer)
                if not answer:
                    break
        writer.close()

    async def go() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, wire(2) as way:
            await use(way, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page")

    asyncio.run(go())
    return came


def answer(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body])


async def ask(way: httpx.AsyncBaseTransport, url: str) -> httpx.Response:
    headers = {"User-Agent": "nhl-lake/test"}
    request = httpx.Request("GET", url, headers=headers, extensions={"timeout": TIMEOUT.as_dict()})
    answer = await way.handle_async_request(request)
    try:
        await answer.aread()
    finally:
        await answer.aclose()
    return answer


def test_a_page_comes_whole_and_the_program_says_who_it_is():
    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        assert (await ask(way, url)).content == PAGE

    (request,) = over([answer(PAGE)], use)

    assert b"user-agent: nhl-lake/test" in request.lower()


def test_a_packed_page_is_unpacked_and_what_does_not_unpack_is_an_error():
    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        assert (await ask(way, url)).content == PAGE
        with pytest.raises(httpx.DecodingError):
            await ask(way, url)

    packed = answer(gzip.compress(PAGE), b"Content-Encoding: gzip")
    over([packed, answer(b"no gzip", b"Content-Encoding: gzip")], use)


def test_what_may_grow_comes_in_small_pieces_and_what_may_not_in_large_ones():
    sizes: list[list[int]] = []

    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        for _ in range(2):
            answer = await way.handle_async_request(
                httpx.Request("GET", url, extensions={"timeout": TIMEOUT.as_dict()})
            )
            await asyncio.sleep(0.1)  # until all of it has come
            sizes.append([len(piece) async for piece in answer.aiter_raw()])
            await answer.aclose()

    noise = random.Random(1).randbytes(300_000)
    over([answer(noise), answer(gzip.compress(noise), b"Content-Encoding: gzip")], use)
    plain, packed = sizes
    assert max(plain) > 100_000
    assert max(packed) <= 16 * 1024


def test_a_page_that_has_moved_is_left_to_whoever_asks():
    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        assert (await ask(way, url)).headers["Location"] == "/elsewhere"

    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    assert len(over([moved], use)) == 1


def test_a_connection_that_is_hung_up_is_an_error_and_no_second_request():
    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        await ask(way, url)
        with pytest.raises(httpx.TransportError):
            await ask(way, url)

    assert len(over([answer(b"{}"), b""], use)) == 2


@pytest.mark.parametrize("cut", [answer(PAGE)[:1000], answer(b"{}")[:-1], b"no HTTP\r\n\r\n"])
def test_an_answer_that_is_cut_or_odd_is_an_error(cut: bytes):
    async def use(way: httpx.AsyncBaseTransport, url: str) -> None:
        with pytest.raises(httpx.TransportError):
            await ask(way, url)

    async def go() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(cut)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, wire(1) as way:
            await use(way, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page")

    asyncio.run(go())


def test_where_nobody_listens_nothing_connects():
    async def go() -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
        async with wire(1) as way:
            with pytest.raises(httpx.ConnectError):
                await ask(way, f"http://127.0.0.1:{port}/page")

    asyncio.run(go())


def test_an_odd_address_is_an_error_of_the_way():
    async def go() -> None:
        async with wire(1) as way:
            with pytest.raises(httpx.TransportError):
                await ask(way, "ftp://127.0.0.1/page")

    asyncio.run(go())


def test_an_answer_that_does_not_come_is_a_timeout():
    async def go() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page"
            soon = {"timeout": httpx.Timeout(0.1).as_dict()}
            async with wire(1) as way:
                with pytest.raises(httpx.ReadTimeout):
                    await way.handle_async_request(httpx.Request("GET", url, extensions=soon))
            await asyncio.sleep(0.1)  # until the server has seen that nobody waits any more

    asyncio.run(go())


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch):
    async def use(_: httpx.AsyncBaseTransport, url: str) -> None:
        monkeypatch.setenv("http_proxy", url.removesuffix("/page"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with wire(1) as way:
            assert (await ask(way, "http://elsewhere.example/page")).content == b"{}"

    (request,) = over([answer(b"{}")], use)

    assert request.startswith(b"GET http://elsewhere.example/page ")
