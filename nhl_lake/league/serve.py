"""The league over HTTP: one server on loopback stands for all three hosts of the real API."""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nhl_lake.league import League
from nhl_lake.league.errors import BadLeague
from nhl_lake.league.faults import UNSERVED, Fate, Faults, Gate

__all__ = ["Faults", "serve"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a client that asks for a night at once is not to be turned away by the backlog

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def serve(
    league: League, *, port: int, clock: Callable[[], datetime], faults: Faults, ready: Callable[[str], None]
) -> None:
    """Serve the league on 127.0.0.1 until interrupted; port 0 takes any free one. `ready` gets the address."""
    if not 0 <= port <= 65535:
        raise BadLeague(f"port {port} does not exist: ports go from 1 to 65535, and 0 takes any free one.")
    try:
        server = _Server(("127.0.0.1", port), _handler(league, clock, Gate(faults)))
    except OSError as error:
        raise BadLeague(
            f"port {port} cannot be used ({error.strerror}): take another one, or 0 for any free."
        ) from error
    with server:
        ready(f"http://127.0.0.1:{server.server_address[1]}")
        server.serve_forever()


def _handler(league: League, clock: Callable[[], datetime], gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing: the screen is the command's."""

        def do_GET(self) -> None:
            if self.path == "/_stats":
                self._send(200, json.dumps(gate.stats()).encode(), "application/json", {})
                return
            fate = gate.fate()
            time.sleep(gate.faults.latency_ms / 1000)
            if fate is Fate.CLOSED:
                self.close_connection = True
                return
            if fate in UNSERVED:
                status, body, kind, headers = UNSERVED[fate]
            else:
                (status, body, kind), headers = league.answer(self.path, clock()), {}
                body = body[: len(body) // 2] if fate is Fate.CUT else body
            gate.answered(status)
            self._send(status, body, kind, headers)

        def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler
