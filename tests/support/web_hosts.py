"""A static web host on loopback that serves a folder, notes its requests, and fails as it is told."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest

from nhl_lake.store import website


class Answer(NamedTuple):
    """A fixed answer: its status, body and headers."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class WebHost:
    """A host of a folder.

    has_ranges: whether it answers range requests with a part. cut_after: every response breaks off after so many bytes;
    cuts_left: only so many do.
    says_length: whether it sends Content-Length. answers: fixed answers by path. stalls_at: from this request on, each
    sends `cut_after` bytes, and then nothing until `released`.
    """

    folder: Path
    url: str = ""
    has_ranges: bool = True
    cut_after: int | None = None
    cuts_left: int | None = None
    says_length: bool = True
    answers: dict[str, Answer] = field(default_factory=dict)
    stalls_at: int | None = None
    released: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, range
    open_requests: int = 0
    most_open_requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    """One connection to the host."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_HEAD(self) -> None:
        """Answer with headers only."""
        self.answer(self.find_answer())

    def do_GET(self) -> None:
        """Answer with a file, a part of it, or what the host is told to answer."""
        host = self.server.host
        with host.lock:
            host.requests.append((self.path, self.headers.get("Range")))
            host.open_requests += 1
            host.most_open_requests = max(host.most_open_requests, host.open_requests)
        try:
            self.answer(self.find_answer())
        finally:
            with host.lock:
                host.open_requests -= 1

    def find_answer(self) -> Answer:
        """Return the answer to a request."""
        host, path = self.server.host, unquote(self.path.partition("?")[0])
        if path in host.answers:
            return host.answers[path]
        file = host.folder / path.lstrip("/")
        if not file.is_file():
            return Answer(404, b"<html>not found</html>")
        body, wanted = file.read_bytes(), self.headers.get("Range")
        kind = (("Accept-Ranges", "bytes"),) if host.has_ranges else ()
        if wanted is None or not host.has_ranges:
            return Answer(200, body, kind)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        begin = int(first) if first else max(len(body) - int(last), 0)
        end = min(int(last), len(body) - 1) if first and last else len(body) - 1
        if begin >= len(body):
            return Answer(416, b"", (("Content-Range", f"bytes */{len(body)}"),))
        return Answer(206, body[begin : end + 1], (*kind, ("Content-Range", f"bytes {begin}-{end}/{len(body)}")))

    def answer(self, found: Answer) -> None:
        """Send an answer; break off or stall if the host is to."""
        host = self.server.host
        self.send_response(found.status)
        for name, value in found.headers:
            self.send_header(name, value)
        if host.says_length:
            self.send_header("Content-Length", str(len(found.body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        stalls = host.stalls_at is not None and len(host.requests) >= host.stalls_at
        breaks = host.cuts_left != 0 if host.stalls_at is None else stalls
        if host.cut_after is None or len(found.body) <= host.cut_after or not breaks:
            self.wfile.write(found.body)
            return
        if host.cuts_left is not None:
            host.cuts_left -= 1
        self.wfile.write(found.body[: host.cut_after])
        self.wfile.flush()
        if stalls:
            host.stalled.set()
            host.released.wait(60)
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """Serves a host, with a thread for each connection."""

    request_queue_size = 64

    def __init__(self, host: WebHost) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.host = host

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that hangs up."""


@contextlib.contextmanager
def serve_folder(folder: Path) -> Iterator[WebHost]:
    """Serve a folder while the block runs."""
    host = WebHost(folder)
    server = Server(host)
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebHost]:
    """A host of the folder `web` in the test's folder. Nobody waits before another attempt."""
    monkeypatch.setattr(website, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(website, "MAX_WAIT_S", 0.001)
    (tmp_path / "web").mkdir()
    with serve_folder(tmp_path / "web") as host:
        yield host
