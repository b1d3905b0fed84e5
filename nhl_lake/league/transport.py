"""The league in this process: an httpx transport that answers without a network."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import httpx

from nhl_lake.league import League
from nhl_lake.league.faults import FAULT_RESPONSES, FaultInjector, Faults, RequestOutcome


class LeagueTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Answers the requests of an httpx client, async or not, for any host."""

    def __init__(self, league: League, clock: Callable[[], datetime], faults: Faults | None = None) -> None:
        self.league = league
        self.clock = clock
        self.injector = FaultInjector(faults or Faults())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an async client."""
        fate = self.injector.draw_outcome()
        await asyncio.sleep(self.injector.faults.latency_ms / 1000)
        return self._build_response(request, fate)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a synchronous client."""
        fate = self.injector.draw_outcome()
        time.sleep(self.injector.faults.latency_ms / 1000)
        return self._build_response(request, fate)

    def _build_response(self, request: httpx.Request, fate: RequestOutcome) -> httpx.Response:
        if fate is RequestOutcome.CONNECTION_CLOSED:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if fate in FAULT_RESPONSES:
            status, body, kind, headers = FAULT_RESPONSES[fate]
        else:
            (status, body, kind), headers = self.league.answer(request.url.raw_path.decode(), self.clock()), {}
            body = body[: len(body) // 2] if fate is RequestOutcome.TRUNCATED else body
        self.injector.count_response(status)
        return httpx.Response(status, content=body, headers={"Content-Type": kind, **headers})
