"""The league in process: an httpx transport that answers without a socket."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import httpx

from nhl_lake.league import League
from nhl_lake.league.faults import UNSERVED, Fate, Faults, Gate


class LeagueTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Answers the requests of an httpx client, async or not; the host in the address does not matter."""

    def __init__(self, league: League, clock: Callable[[], datetime], faults: Faults | None = None) -> None:
        self.league = league
        self.clock = clock
        self.gate = Gate(faults or Faults())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer an async client."""
        fate = self.gate.fate()
        await asyncio.sleep(self.gate.faults.latency_ms / 1000)
        return self._answer(request, fate)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a client that waits."""
        fate = self.gate.fate()
        time.sleep(self.gate.faults.latency_ms / 1000)
        return self._answer(request, fate)

    def _answer(self, request: httpx.Request, fate: Fate) -> httpx.Response:
        if fate is Fate.CLOSED:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if fate in UNSERVED:
            status, body, kind, headers = UNSERVED[fate]
        else:
            (status, body, kind), headers = self.league.answer(request.url.raw_path.decode(), self.clock()), {}
            body = body[: len(body) // 2] if fate is Fate.CUT else body
        self.gate.answered(status)
        return httpx.Response(status, content=body, headers={"Content-Type": kind, **headers})
