"""The league over HTTP: one server on loopback stands for all three hosts of the real API."""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nhl_lake.league import League
from nhl_lake.league.errors import InvalidLeagueOption
from nhl_lake.league.faults import FAULT_RESPONSES, FaultInjector, Faults, RequestOutcome

__all__ = ["Faults", "serve_league"]


class _LeagueServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a client that requests a whole night at once must not exceed the backlog

    def handle_error(self, request: object, client_address: object) -> None:
        """Report an error, unless the client has disconnected."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def serve_league(
    league: League, *, port: int, clock: Callable[[], datetime], faults: Faults, ready: Callable[[str], None]
) -> None:
    """Serve the league on 127.0.0.1 until interrupted; port 0 takes any free one. `ready` gets the address."""
    if not 0 <= port <= 65535:
        raise InvalidLeagueOption(f"port {port} does not exist. Use a port from 1 to 65535, or 0 for any free one.")
    try:
        server = _LeagueServer(("127.0.0.1", port), _create_handler(league, clock, FaultInjector(faults)))
    except OSError as error:
        raise InvalidLeagueOption(
            f"port {port} cannot be used ({error.strerror}). Use another one, or 0 for any free one."
        ) from error
    with server:
        ready(f"http://127.0.0.1:{server.server_address[1]}")
        server.serve_forever()


def _create_handler(league: League, clock: Callable[[], datetime], gate: FaultInjector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Log nothing: the terminal belongs to the command."""

        def do_GET(self) -> None:
            if self.path == "/_stats":
                self._send(200, json.dumps(gate.count_requests()).encode(), "application/json", {})
                return
            fate = gate.draw_outcome()
            time.sleep(gate.faults.latency_ms / 1000)
            if fate is RequestOutcome.CONNECTION_CLOSED:
                self.close_connection = True
                return
            if fate in FAULT_RESPONSES:
                status, body, kind, headers = FAULT_RESPONSES[fate]
            else:
                (status, body, kind), headers = league.answer(self.path, clock()), {}
                body = body[: len(body) // 2] if fate is RequestOutcome.TRUNCATED else body
            gate.count_response(status)
            self._send(status, body, kind, headers)

        def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler
