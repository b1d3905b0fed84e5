"""The league over HTTP and in process: the same answers, and faults on request."""

import asyncio
import json
import queue
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from nhl_lake.league import InvalidLeagueOption
from nhl_lake.league.faults import FAILURES, FaultInjector, RequestOutcome
from nhl_lake.league.server import Faults, serve_league
from nhl_lake.league.transport import LeagueTransport
from tests.league.league_pages import get_league, list_played_games

pytestmark = pytest.mark.league

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def get_now() -> datetime:
    return NOW


def start_server(faults: Faults) -> str:
    """Return the URL of a new server that runs until the tests end."""
    addresses: queue.Queue[str] = queue.Queue()
    what = {"port": 0, "clock": get_now, "faults": faults, "ready": addresses.put}
    threading.Thread(target=serve_league, args=(get_league(),), kwargs=what, daemon=True).start()
    return addresses.get(timeout=5)


@pytest.fixture(scope="module")
def address() -> str:
    return start_server(Faults())


def open_client(faults: Faults | None = None) -> httpx.Client:
    return httpx.Client(transport=LeagueTransport(get_league(), get_now, faults), base_url="https://api.example")


def list_targets() -> list[str]:
    game = list_played_games(20252026)[0]
    return [
        f"/v1/gamecenter/{game}/play-by-play",
        f"/stats/rest/en/shiftcharts?cayenneExp=gameId={game}",
        f"/scores/htmlreports/20252026/TH{game % 1_000_000:06d}.HTM",
        "/v1/schedule/2026-01-12",
        "/v1/nothing",
    ]


def test_the_server_answers_as_the_league_does(address: str):
    for target in list_targets():
        expected, found = get_league().answer(target, NOW), httpx.get(address + target)
        assert (found.status_code, found.content) == (expected.status, expected.body)
        assert found.headers["content-type"] == expected.content_type


def test_many_readers_at_once_get_what_one_gets(address: str):
    asked = [
        f"/v1/gamecenter/{game}/{kind}"
        for game in list_played_games(20252026)[40:52]
        for kind in ("boxscore", "play-by-play")
    ]
    with ThreadPoolExecutor(8) as readers:
        found = list(readers.map(lambda target: httpx.get(address + target).content, asked * 2))

    assert found == [get_league().answer(target, NOW).body for target in asked] * 2


def test_the_transport_answers_as_the_league_does():
    with open_client() as client:
        for target in list_targets():
            expected, found = get_league().answer(target, NOW), client.get(target)
            assert (found.status_code, found.content) == (expected.status, expected.body)


def test_an_async_client_is_answered_too():
    async def fetch_bodies() -> list[bytes]:
        transport = LeagueTransport(get_league(), get_now)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.example") as client:
            return [(await client.get(target)).content for target in list_targets()]

    assert asyncio.run(fetch_bodies()) == [get_league().answer(target, NOW).body for target in list_targets()]


def test_the_clock_is_asked_at_every_request():
    moments = iter([datetime(2025, 9, 1, tzinfo=UTC), NOW])
    target = f"/v1/gamecenter/{list_played_games(20252026)[0]}/boxscore"
    with httpx.Client(transport=LeagueTransport(get_league(), lambda: next(moments))) as client:
        states = [client.get(f"https://api.example{target}").json()["gameState"] for _ in range(2)]

    assert states == ["FUT", "OFF"]


def test_the_server_counts_its_requests():
    here = start_server(Faults())
    for target in ("/stats/rest/en/team", "/v1/nothing", "/v1/nothing"):
        httpx.get(here + target)

    stats = httpx.get(f"{here}/_stats").json()
    assert stats["requests"] == 3
    assert stats["by_status"] == {"200": 1, "404": 2}
    assert 1 <= stats["most_in_one_second"] <= 3


def test_too_many_requests_in_a_second_are_refused():
    gate = FaultInjector(Faults(rate=2), clock=iter([5.0, 5.5, 5.9, 6.0]).__next__)

    assert [gate.draw_outcome() for _ in range(4)] == [
        RequestOutcome.SERVED,
        RequestOutcome.SERVED,
        RequestOutcome.RATE_LIMITED,
        RequestOutcome.SERVED,
    ]


def test_a_refusal_says_when_to_come_again():
    with open_client(Faults(rate=1)) as client:
        found = [client.get("/stats/rest/en/team") for _ in range(5)]

    assert {answer.status_code for answer in found} == {200, 429}
    assert next(answer for answer in found if answer.status_code == 429).headers["retry-after"] == "1"


def test_a_share_of_the_requests_fails_in_all_ways():
    gate = FaultInjector(Faults(fail=0.5, seed=7))
    fates = Counter(gate.draw_outcome() for _ in range(2000))

    assert 900 < fates[RequestOutcome.SERVED] < 1100
    assert all(140 < fates[failure] < 260 for failure in FAILURES)


def test_the_same_seed_fails_the_same_requests():
    one, other = FaultInjector(Faults(fail=0.3, seed=4)), FaultInjector(Faults(fail=0.3, seed=4))

    assert [one.draw_outcome() for _ in range(100)] == [other.draw_outcome() for _ in range(100)]


def test_faults_look_alike_over_http_and_in_process():
    faults = Faults(fail=1, seed=2)
    here = start_server(faults)
    with httpx.Client() as over_http, open_client(faults) as inside:
        for _ in range(25):
            assert describe_response(over_http, here) == describe_response(inside, "https://api.example")


def describe_response(client: httpx.Client, base: str) -> str:
    try:
        answer = client.get(f"{base}/stats/rest/en/team")
    except httpx.RemoteProtocolError:
        return "closed"
    try:
        return f"{answer.status_code} {len(answer.content)} {type(answer.json())}"
    except json.JSONDecodeError:
        return f"{answer.status_code} {len(answer.content)} not JSON"


def test_every_answer_waits_as_long_as_asked():
    with open_client(Faults(latency_ms=60)) as client:
        began = time.perf_counter()
        client.get("/v1/nothing")

    assert time.perf_counter() - began >= 0.06


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fail": 1.1}, "from 0 to 1, not 1.1"),
        ({"fail": -0.1}, "from 0 to 1, not -0.1"),
        ({"fail": float("nan")}, "from 0 to 1"),
        ({"latency_ms": -5}, "milliseconds, 0 or more, not -5"),
        ({"latency_ms": float("inf")}, "not inf"),
        ({"rate": -1}, "requests a second .*, not -1"),
    ],
)
def test_invalid_faults_are_rejected(options: dict[str, float], text: str):
    with pytest.raises(InvalidLeagueOption, match=text):
        Faults(**options)  # type: ignore[arg-type]


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidLeagueOption, match=f"port {port} cannot be used .*Use another one"):
            serve_league(get_league(), port=port, clock=get_now, faults=Faults(), ready=print)


def test_a_port_that_does_not_exist_is_refused():
    with pytest.raises(InvalidLeagueOption, match="port 99999 does not exist"):
        serve_league(get_league(), port=99999, clock=get_now, faults=Faults(), ready=print)
