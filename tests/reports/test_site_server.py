"""The server of the site: pages of the lake as it is now, for this machine's names only, and nothing else."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhl_lake.errors import BadInput, UnreadableData
from nhl_lake.reports import site_server
from nhl_lake.reports.site import ASSETS, NAMES, build_site
from nhl_lake.reports.site_folder import MANIFEST
from nhl_lake.reports.site_server import make_app, open_socket
from tests.support import fake_api
from tests.support.browser import Browser
from tests.support.sites import read_site

URL = "http://127.0.0.1"
GAME = "/games/2025020001.html"


class Client:
    """Asks an application without a network."""

    def __init__(self, root: Path, base_url: str = URL, **options: Any) -> None:
        self.app = make_app(root, **options)
        self.base_url = base_url

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a request."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
                return await client.request(method, self.base_url + path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.request("GET", path, **options)


@pytest.fixture(scope="module")
def client(small_lake: Path) -> Client:
    return Client(small_lake)


def test_pages_are_those_that_a_build_writes(small_lake: Path, client: Client, tmp_path: Path):
    build_site(small_lake, tmp_path)
    files = read_site(tmp_path)
    files.pop(MANIFEST)
    assert len(files) > 5
    for path, body in files.items():
        response = client.get(f"/{path}")
        assert (response.status_code, response.content) == (200, body), path


OTHERS = [
    "/x", "/games/", "/games/2099020001.html", "/games/2025020001", "/site.json", "/players/x.html", "/%00",
    "/..%2f..%2fetc/passwd", "/games/..%2f..%2fstyle.css", "//etc/passwd", "/style.css/", "/games/2025020001.html%0a",
    "/templates/style.css", "/base.html.j2", "/games/' or 1=1 --.html", "/sql?query=select", "/docs", "/openapi.json",
]  # fmt: skip


@pytest.mark.parametrize("path", OTHERS)
def test_everything_else_is_a_page_that_says_so(client: Client, path: str):
    response = client.get(path)
    assert response.status_code == 404
    assert "There is no such page" in response.text
    assert 'href="/index.html"' in response.text


@given(st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_other_path_has_the_same_answer(client: Client, path: bytes):
    assert client.get(f"/x{quote(path)}").content == client.get("/nothing").content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_pages_can_only_be_read(client: Client, method: str):
    assert client.request(method, GAME).status_code == 405


def test_a_head_is_answered(client: Client):
    assert client.request("HEAD", GAME).status_code == 200


HOSTS = {
    "127.0.0.1": 200, "127.0.0.1:8080": 200, "localhost": 200, "localhost:8080": 200, "evil.test": 400,
    "evil.test:8080": 400, "localhost.evil.test": 400, "127.0.0.1.evil.test": 400, "0.0.0.0": 400, "": 400,
    "192.168.1.5": 400,
}  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_only_names_of_this_machine_are_answered(client: Client, host: str):
    assert client.get(GAME, headers={"Host": host}).status_code == HOSTS[host]


def test_the_address_that_is_given_is_answered(small_lake: Path):
    client = Client(small_lake, "http://192.168.1.5:8080", hosts=[*site_server.LOCAL_HOSTS, "192.168.1.5"])
    assert client.get(GAME).status_code == 200


@pytest.mark.parametrize("path", [GAME, "/style.css", f"/{NAMES}", "/nothing"])
def test_every_answer_has_headers_that_keep_it_harmless(client: Client, path: str):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "Server" not in headers


def test_a_lake_that_cannot_be_read_is_said_in_the_terminal(
    small_lake: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    client = Client(small_lake)

    def fail(*_):
        raise UnreadableData("silver.games cannot be read at /secret/place.", "Run `nhl-lake doctor`.")

    monkeypatch.setattr(site_server, "hash_versions", fail)
    response = client.get(GAME)
    assert response.status_code == 503
    assert "/secret/place" not in response.text
    assert "/secret/place" in caplog.text


@pytest.mark.parametrize(("error", "status"), [(FileNotFoundError(2, "No such file", "/secret/place"), 503),
                                               (ValueError("/secret/place"), 500)])  # fmt: skip
def test_any_other_failure_is_a_page_too(
    small_lake: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, status: int
):
    client = Client(small_lake)

    def fail(*_):
        raise error

    monkeypatch.setattr(site_server, "hash_versions", fail)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(client.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
            return await browser.get(GAME)

    response = asyncio.run(ask())
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("The terminal" in response.text, "/secret/place" in response.text) == (True, False)
    assert status == 500 or "/secret/place" in caplog.text


def test_a_run_changes_the_next_page(tmp_path: Path):
    root = tmp_path / "lake"
    fake_api.run_ingest(root, fake_api.make_league(1), rebuilds=True)
    client = Client(root)
    before = client.get(f"/{NAMES}").text
    fake_api.run_ingest(root, fake_api.make_league(2), rebuilds=True)
    assert client.get(f"/{NAMES}").text != before
    build_site(root, tmp_path / "site")
    for path, body in read_site(tmp_path / "site").items():
        assert path == MANIFEST or client.get(f"/{path}").content == body


def test_the_server_writes_nothing(small_lake: Path, client: Client):
    before = {file: file.stat().st_mtime_ns for file in small_lake.rglob("*")}
    for path in (GAME, "/", *(f"/{name}" for name in (*ASSETS, NAMES))):
        client.get(path)
    assert {file: file.stat().st_mtime_ns for file in small_lake.rglob("*")} == before


@pytest.mark.parametrize("host", ["0.0.0.0", "", "0", "no-such-host.invalid", "999.1.1.1"])
def test_an_address_must_be_one_of_this_machine(host: str):
    with pytest.raises(BadInput, match=r"cannot be used|means every address"):
        open_socket(host, 0)


def test_a_port_in_use_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(BadInput, match=r"port .* cannot be used"):
        open_socket("127.0.0.1", other.getsockname()[1])


@pytest.fixture
def address(small_lake: Path) -> Iterator[str]:
    """The address of a running server."""
    with open_socket("127.0.0.1", 0) as listener:
        config = uvicorn.Config(make_app(small_lake), log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_a_browser_finds_nothing_wrong_with_the_rules_of_the_server(browser: Browser, address: str):
    def search(tab):
        tab.fill("#search", "2026")
        tab.wait_for_selector("#found a")
        return tab.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--home')")

    seen = browser.visit(f"{address}{GAME}", own=address, act=search)
    assert seen.list_problems() == []
    assert seen.result.startswith("#")  # the style of the page itself
