"""The HTTP client: what it retries, how long it waits, and how it keeps the rate limit."""

import asyncio
import gzip
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from nhl_lake.bronze.validation import parse_play_by_play
from nhl_lake.errors import PageRejected
from nhl_lake.ingest.client import (
    MAX_ATTEMPTS,
    MAX_FAILURES_IN_A_ROW,
    MAX_FIRST_ATTEMPTS,
    MAX_INVALID_PAGES,
    MAX_WAIT_S,
    ApiClient,
    FetchFailed,
    HostUnavailable,
    PageNotFound,
    RateLimit,
    open_client,
    retry_after,
)
from nhl_lake.ingest.run import USER_AGENT

URL = "https://api.example/v1/page"
GOOD = b'{"whole": true}'
NO_LIMIT = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake/test", first_backoff_s=0.001)

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]


def whole(body: bytes) -> bytes:
    if body != GOOD:
        raise PageRejected(f"not whole: {body[:20]!r}")
    return body


def with_client(
    handler: Handler, folder: Path, use: Callable[[ApiClient], Awaitable[Any]], rate_limit: RateLimit = NO_LIMIT
) -> Any:
    """Open a client whose requests a handler answers, use it, and return what `use` returns."""

    async def run() -> Any:
        async with open_client(rate_limit, folder / "own" / "pace.sqlite", httpx.MockTransport(handler)) as api:
            return await use(api)

    return asyncio.run(run())


def ask(handler: Handler, folder: Path, rate_limit: RateLimit = NO_LIMIT) -> bytes:
    return bytes(with_client(handler, folder, lambda api: api.get(URL, whole), rate_limit))


def ask_often(times: int) -> Callable[[ApiClient], Awaitable[list[Any]]]:
    async def use(api: ApiClient) -> list[Any]:
        return await asyncio.gather(*(api.get(f"{URL}/{n}", whole) for n in range(times)), return_exceptions=True)

    return use


def script(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Return a server that gives each answer once and then repeats the last; and the list of its requests."""
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return server, asked


def good() -> httpx.Response:
    return httpx.Response(200, content=GOOD)


def test_a_page_is_asked_for_once(tmp_path: Path):
    server, asked = script(good())

    assert ask(server, tmp_path) == GOOD
    assert len(asked) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_an_error_that_passes_is_asked_again(status: int, tmp_path: Path):
    server, asked = script(httpx.Response(status), httpx.Response(status), good())

    assert ask(server, tmp_path) == GOOD
    assert len(asked) == 3


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("the server is silent"),
        httpx.ReadError("connection reset"),
        httpx.WriteError("broken pipe"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_time_out_and_a_broken_connection_are_asked_again(error: Exception, tmp_path: Path):
    server, asked = script(error, error, good())

    assert ask(server, tmp_path) == GOOD
    assert len(asked) == 3


@pytest.mark.parametrize(
    "body",
    [GOOD[:-3], b"", b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"],
    ids=["cut", "empty", "HTML"],
)
def test_a_body_that_is_refused_is_asked_again(body: bytes, tmp_path: Path):
    server, asked = script(httpx.Response(200, content=body), httpx.Response(200, content=body), good())

    assert ask(server, tmp_path) == GOOD
    assert len(asked) == 3


def test_a_page_of_another_game_is_asked_again_and_never_returned(tmp_path: Path):
    body = (
        '{"id":%d,"season":20232024,"gameType":2,"gameDate":"2023-10-10","gameState":"OFF","plays":[],"rosterSpots":[]}'
    )
    server, asked = script(*(httpx.Response(200, text=body % number) for number in (2023020002, 2023020001)))
    read = parse_play_by_play

    parts = with_client(server, tmp_path, lambda api: api.get(URL, lambda b: read(b, {"game_id": 2023020001})))

    assert [part.key for part in parts] == [{"game_id": 2023020001}]
    assert len(asked) == 2


def test_a_body_that_does_not_unpack_is_asked_again(tmp_path: Path):
    asked = itertools.count()

    def server(_: httpx.Request) -> httpx.Response:
        if next(asked) == 0:
            stream = httpx.ByteStream(b"\x1f\x8b this is no gzip")
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)
        return good()

    assert ask(server, tmp_path) == GOOD
    assert next(asked) == 2


def test_a_packed_body_that_is_cut_is_asked_again(tmp_path: Path):
    asked = itertools.count()

    def server(_: httpx.Request) -> httpx.Response:
        body = gzip.compress(GOOD)
        stream = httpx.ByteStream(body[:-9] if next(asked) == 0 else body)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)

    assert ask(server, tmp_path) == GOOD
    assert next(asked) == 2


def test_all_kinds_of_trouble_in_a_row_end_well(tmp_path: Path):
    server, _ = script(
        httpx.Response(503), httpx.ReadTimeout("slow"), httpx.Response(200, content=b"{"), httpx.Response(429), good()
    )

    assert ask(server, tmp_path) == GOOD


def test_a_page_that_is_not_there_is_an_answer_and_not_asked_again(tmp_path: Path):
    server, asked = script(httpx.Response(404), good())

    with pytest.raises(PageNotFound):
        ask(server, tmp_path)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [304, 400, 401, 403, 410, 422])
def test_what_will_not_change_is_not_asked_again(status: int, tmp_path: Path):
    server, asked = script(httpx.Response(status), good())

    with pytest.raises(FetchFailed, match=f"status {status}"):
        ask(server, tmp_path)
    assert len(asked) == 1


def test_an_error_that_stays_fails_with_its_status_after_the_last_attempt(tmp_path: Path):
    server, asked = script(httpx.Response(503))

    with pytest.raises(FetchFailed, match="status 503"):
        ask(server, tmp_path)
    assert len(asked) == MAX_ATTEMPTS


def test_nonsense_that_stays_fails_with_its_reason_sooner(tmp_path: Path):
    server, asked = script(httpx.Response(200, content=b"nonsense"))

    with pytest.raises(FetchFailed, match="not whole: b'nonsense'"):
        ask(server, tmp_path)
    assert len(asked) == MAX_INVALID_PAGES + 1


def test_the_connection_that_breaks_for_ever_fails_by_name_once_the_api_has_answered(tmp_path: Path):
    async def use(api: ApiClient) -> None:
        await api.get(URL, whole)
        await api.get(URL, whole)

    server, asked = script(good(), httpx.ConnectError("refused"))

    with pytest.raises(FetchFailed, match="ConnectError refused"):
        with_client(server, tmp_path, use)
    assert len(asked) == 1 + MAX_ATTEMPTS


@pytest.mark.parametrize(
    "kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_a_host_that_never_answered_is_given_up_after_a_few_requests(tmp_path: Path, kind: type[httpx.TransportError]):
    server, asked = script(kind("no answer"))

    with pytest.raises(HostUnavailable, match=f"api.example cannot be reached: {kind.__name__} no answer"):
        ask(server, tmp_path)

    assert len(asked) == MAX_FIRST_ATTEMPTS


def test_the_requests_of_all_pages_count_for_a_host_that_never_answered(tmp_path: Path):
    server, asked = script(httpx.ConnectError("refused"))

    answers = with_client(server, tmp_path, ask_often(50))

    assert len(asked) < MAX_FIRST_ATTEMPTS + NO_LIMIT.concurrency
    assert {str(answer) for answer in answers} == {
        "api.example cannot be reached: ConnectError refused",
        "not requested: api.example cannot be reached: ConnectError refused",
    }


STATS = "https://stats.example/page"


def of_two_hosts(stats: httpx.Response | Exception) -> Handler:
    """Return a server whose stats host is down."""

    def server(request: httpx.Request) -> httpx.Response:
        if "stats" not in str(request.url):
            return good()
        if isinstance(stats, Exception):
            raise stats
        return httpx.Response(stats.status_code, headers=stats.headers)

    return server


def test_a_host_that_refuses_does_not_keep_another_from_answering(tmp_path: Path):
    async def use(api: ApiClient) -> list[Any]:
        asks = (api.get(url, whole) for url in [STATS, URL] * 20)
        return await asyncio.gather(*asks, return_exceptions=True)

    answers = with_client(of_two_hosts(httpx.ConnectError("refused")), tmp_path, use)

    assert answers[1::2] == [GOOD] * 20
    assert all(isinstance(answer, HostUnavailable) for answer in answers[::2])


def test_one_address_may_stand_for_several_hosts(tmp_path: Path):
    """As on loopback: requests to the stats host are recognized by the host that the page declares."""

    async def use(api: ApiClient) -> list[Any]:
        first = await asyncio.gather(api.get(f"{URL}/stats", whole, "https://stats.example"), return_exceptions=True)
        return [*first, await api.get(URL, whole, "https://web.example")]

    gone, page = with_client(of_two_hosts(httpx.ReadError("closed")), tmp_path, use)

    assert str(gone).startswith("stats.example")
    assert "at api.example cannot be reached" in str(gone)
    assert page == GOOD


def test_errors_end_the_asking_of_their_host_alone(tmp_path: Path):
    async def use(api: ApiClient) -> list[Any]:
        stats = [await asyncio.gather(api.get(STATS, whole), return_exceptions=True) for _ in range(14)]
        return [*(str(answer) for (answer,) in stats), await api.get(URL, whole)]

    *stats, page = with_client(of_two_hosts(httpx.Response(500)), tmp_path, use)

    assert stats[:MAX_FAILURES_IN_A_ROW] == ["status 500"] * MAX_FAILURES_IN_A_ROW
    assert set(stats[MAX_FAILURES_IN_A_ROW:]) == {"not requested: stats.example had stopped answering: status 500"}
    assert page == GOOD


def test_a_host_that_wants_quiet_does_not_quiet_another(tmp_path: Path):
    async def use(api: ApiClient) -> float:
        stats = asyncio.create_task(api.get(STATS, whole))
        while not any(host.paused_until for host in api.hosts.values()):
            await asyncio.sleep(0)
        begun = time.monotonic()
        await api.get(URL, whole)
        stats.cancel()
        return time.monotonic() - begun

    assert with_client(of_two_hosts(httpx.Response(429, headers={"Retry-After": "60"})), tmp_path, use) < 5


def test_an_error_of_the_reader_is_not_hidden(tmp_path: Path):
    def defect(_: bytes) -> bytes:
        raise ZeroDivisionError

    server, asked = script(good())

    with pytest.raises(ZeroDivisionError):
        with_client(server, tmp_path, lambda api: api.get(URL, defect))
    assert len(asked) == 1


def asked_to_wait(value: str) -> httpx.Headers:
    return httpx.Headers({"retry-after": value}, encoding="latin-1")


def test_a_server_asks_to_wait_in_seconds():
    assert retry_after(asked_to_wait("7")) == 7
    assert retry_after(asked_to_wait(" 0 ")) == 0


def test_a_server_asks_to_wait_until_an_instant():
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    wait = retry_after(asked_to_wait(until))

    assert wait is not None
    assert 0 < wait <= 60


def test_an_instant_in_the_past_is_now():
    assert retry_after(asked_to_wait("Wed, 21 Oct 2015 07:28:00 GMT")) == 0


def test_nobody_waits_longer_than_two_minutes():
    later = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)

    assert retry_after(asked_to_wait("86400")) == MAX_WAIT_S
    assert retry_after(asked_to_wait(later)) == MAX_WAIT_S


@pytest.mark.parametrize("value", ["", "soon", "-3", "1.5", "²", "Wed, 99 Oct 2015", "Wed, 21 Oct 2015 07:28:00"])
def test_what_cannot_be_read_asks_for_nothing(value: str):
    assert retry_after(asked_to_wait(value)) is None
    assert retry_after(httpx.Headers()) is None


@pytest.mark.parametrize("status", [429, 503])
def test_as_long_as_the_server_asks_is_waited(status: int, tmp_path: Path):
    times: list[float] = []

    def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return httpx.Response(status, headers={"Retry-After": "1"}) if len(times) == 1 else good()

    assert ask(server, tmp_path) == GOOD
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("rate", [0, 20])
def test_one_page_that_is_too_many_quiets_all(rate: float, tmp_path: Path):
    rate_limit = RateLimit(rate=rate, concurrency=3, user_agent="nhl-lake/test", first_backoff_s=0.001)
    times: list[float] = []

    async def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return httpx.Response(429, headers={"Retry-After": "1"}) if len(times) == 1 else good()

    async def use(api: ApiClient) -> list[Any]:
        first = asyncio.create_task(api.get(f"{URL}/first", whole))
        for _ in range(1000):
            if any(host.paused_until for host in api.hosts.values()):
                break
            await asyncio.sleep(0)
        others = asyncio.gather(*(api.get(f"{URL}/{n}", whole) for n in range(6)))
        return [await first, *await others]

    assert with_client(server, tmp_path, use, rate_limit) == [GOOD] * 7
    assert [moment - times[0] for moment in times[1:] if moment - times[0] < 1] == []


def test_those_who_wait_for_their_turn_when_one_is_too_many_wait_on(tmp_path: Path):
    rate_limit = RateLimit(rate=10, concurrency=4, user_agent="nhl-lake/test", first_backoff_s=0.001)
    times: list[float] = []

    def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return httpx.Response(429, headers={"Retry-After": "1"}) if len(times) == 1 else good()

    assert with_client(server, tmp_path, ask_often(4), rate_limit) == [GOOD] * 4
    assert [moment - times[0] for moment in times[1:] if moment - times[0] < 1] == []


def test_a_second_answer_that_asks_for_less_does_not_end_the_quiet(tmp_path: Path):
    times: list[float] = []

    async def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        if len(times) > 2:
            return good()
        first = len(times) == 1
        await asyncio.sleep(0 if first else 0.01)
        return httpx.Response(429, headers={"Retry-After": "1"} if first else {})

    assert with_client(server, tmp_path, ask_often(2)) == [GOOD] * 2
    assert [moment - times[0] for moment in times[2:] if moment - times[0] < 1] == []


def most_in_a_second(times: list[float]) -> int:
    return max(sum(start <= moment < start + 1 for moment in times) for start in times)


def test_no_second_holds_more_requests_than_the_rate_over_many_runs_in_a_row(tmp_path: Path):
    rate_limit = RateLimit(rate=20, concurrency=8, user_agent="nhl-lake/test", first_backoff_s=0.001)
    times: list[float] = []

    def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return good()

    for requests in (8, *[1] * 24, 8):
        assert with_client(server, tmp_path, ask_often(requests), rate_limit) == [GOOD] * requests

    assert len(times) == 40
    assert most_in_a_second(times) <= 20


def test_what_is_asked_again_keeps_the_rate_too(tmp_path: Path):
    rate_limit = RateLimit(rate=20, concurrency=8, user_agent="nhl-lake/test", first_backoff_s=0.001)
    times: list[float] = []

    def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return good() if len(times) % 3 == 0 else httpx.Response(503)

    assert with_client(server, tmp_path, ask_often(9), rate_limit) == [GOOD] * 9
    assert len(times) >= 27
    assert most_in_a_second(times) <= 20


def test_a_rate_below_one_a_second_is_kept(tmp_path: Path):
    rate_limit = RateLimit(rate=0.8, concurrency=2, user_agent="nhl-lake/test", first_backoff_s=0.001)
    times: list[float] = []

    def server(_: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        return good()

    with_client(server, tmp_path, ask_often(2), rate_limit)

    assert times[1] - times[0] >= 1.25


def test_a_pace_file_that_is_damaged_is_begun_again(tmp_path: Path):
    rate_limit = RateLimit(rate=100, concurrency=1, user_agent="nhl-lake/test", first_backoff_s=0.001)
    file = tmp_path / "own" / "pace.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 1000)

    assert ask(script(good())[0], tmp_path, rate_limit) == GOOD
    assert ask(script(good())[0], tmp_path, rate_limit) == GOOD


def test_without_a_rate_there_is_no_pace_file(tmp_path: Path):
    ask(script(good())[0], tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_are_under_way_at_once_than_allowed(concurrency: int, tmp_path: Path):
    rate_limit = RateLimit(rate=0, concurrency=concurrency, user_agent="nhl-lake/test", first_backoff_s=0.001)
    under_way: set[httpx.Request] = set()
    most = 0

    async def server(request: httpx.Request) -> httpx.Response:
        nonlocal most
        under_way.add(request)
        most = max(most, len(under_way))
        await asyncio.sleep(0.002)
        under_way.remove(request)
        return good()

    assert with_client(server, tmp_path, ask_often(20), rate_limit) == [GOOD] * 20
    assert most == concurrency


def test_who_waits_to_ask_again_lets_others_ask(tmp_path: Path):
    rate_limit = RateLimit(rate=0, concurrency=1, user_agent="nhl-lake/test", first_backoff_s=0.05)
    paths: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(503) if len(paths) == 1 else good()

    assert with_client(server, tmp_path, ask_often(2), rate_limit) == [GOOD] * 2
    assert [path[-1] for path in paths] == ["0", "1", "0"]


def test_a_page_that_has_moved_is_followed(tmp_path: Path):
    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/page":
            return httpx.Response(301, headers={"Location": "/v2/page"})
        return good() if request.url.path == "/v2/page" else httpx.Response(404)

    assert ask(server, tmp_path) == GOOD


def test_a_page_that_moves_in_a_circle_fails_and_the_others_go_on(tmp_path: Path):
    def server(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(302, headers={"Location": str(request.url)}) if request.url.path.endswith("/0") else good()
        )

    circle, other = with_client(server, tmp_path, ask_often(2))

    assert isinstance(circle, FetchFailed)
    assert "redirect" in str(circle).lower()
    assert other == GOOD


@pytest.mark.parametrize("place", ["", "ftp://api.example/page", "http://[", "https://"])
def test_a_page_that_moves_nowhere_fails(place: str, tmp_path: Path):
    async def use(api: ApiClient) -> bytes:
        await api.get(URL, whole)
        return await api.get(URL, whole)

    server, _ = script(good(), httpx.Response(302, headers={"Location": place}))

    with pytest.raises(FetchFailed):
        with_client(server, tmp_path, use)


def test_the_program_says_who_it_is(tmp_path: Path):
    server, asked = script(good())

    ask(server, tmp_path, RateLimit(rate=0, concurrency=1, user_agent=USER_AGENT))

    (request,) = asked
    assert request.headers["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith("nhl-lake/")
    assert "Mozilla" not in USER_AGENT


@pytest.mark.parametrize("host", ["ａ.invalid", "256.1.1.1", "é..x", "a..b", "xn--a", "x" * 70, "[v1.a]"])
def test_an_address_that_is_none_is_told_at_once(host: str, tmp_path: Path):
    async def go() -> None:
        async with open_client(NO_LIMIT, tmp_path / "pace.sqlite", None) as api:
            await api.get(f"http://{host}/v1/page", whole)

    with pytest.raises(FetchFailed):
        asyncio.run(asyncio.wait_for(go(), 5))
