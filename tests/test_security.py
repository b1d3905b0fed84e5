"""What comes from outside stays harmless, and what opens doors stays inside: bombs, redirects, names, keys, rights."""

import asyncio
import gzip
import json
import os
import re
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.bronze.limits import MAX_JSON_DEPTH, MAX_PAGE_BYTES, check_depth, decompress_body
from nhl_lake.cli import errors
from nhl_lake.errors import BadInput, PageRejected, PageTooLarge, redact_secrets
from nhl_lake.ingest import client
from nhl_lake.ingest.client import FetchFailed, RateLimit, open_client
from nhl_lake.store import delta_tables
from nhl_lake.store.location import parse_location
from tests.support.commands import get_clean_environment, make_environment
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

Answers = Callable[[str], tuple[int, Mapping[str, str], bytes] | None]
MB = 2**20


@contextmanager
def served(answers: Answers) -> Iterator[str]:
    """Serve answers by path on loopback; None is 404. An answer's body goes out in pieces, until nobody listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = answers(unquote(self.path).removeprefix("/")) or (404, {}, b"")
            with suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(body), MB):
                    self.wfile.write(body[start : start + MB])

        do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def of_league(league: FakeApi, others: Mapping[str, tuple[Mapping[str, str], bytes]]) -> Answers:
    """Answer as a league does, but for the paths that hold a word of `others`."""

    def answers(path: str) -> tuple[int, Mapping[str, str], bytes]:
        for word, (headers, body) in others.items():
            if word in path:
                return 200, headers, body
        found = league.make_response(path)
        return found.status_code, {}, found.content

    return answers


class Ended(NamedTuple):
    code: int
    out: str
    err: str
    peak_mb: float


def ran(*words: str, root: Path, folder: Path, **environ: str) -> Ended:
    """Run a command in a process of its own, and measure its memory."""
    folder.mkdir(exist_ok=True)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "nhl_lake", *words],
            env=get_clean_environment() | make_environment(root, None, NOON, {}) | {"HOME": str(folder)} | environ,
            cwd=folder,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, *((folder / name).read_text() for name in ("out", "err")), usage.ru_maxrss / 1024)


def pack_zeros(size: int, wbits: int) -> bytes:
    """Return so many zero bytes, deflated: one block of a megabyte, again and again."""
    packer = zlib.compressobj(wbits=wbits)
    block = bytes(MB)
    head = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # does not refer to what is before it
    return head + again * (size // MB - 1)


def gzipped(size: int) -> bytes:
    return pack_zeros(size, 31)


def nested(levels: int) -> bytes:
    return b'{"x":' * levels + b"1" + b"}" * levels


REPORT = b"<html><title>Time On Ice Home</title><body>Game 0006" + b"<div>" * 100_000 + b"</body></html>"


@cache
def make_bombs() -> dict[str, tuple[Mapping[str, str], bytes]]:
    """Return the answer in place of each of some pages."""
    return {
        "gamecenter/2025020001/play-by-play": ({}, b" " * (100 * MB)),
        "gamecenter/2025020001/boxscore": ({"Content-Encoding": "gzip"}, gzipped(1024 * MB)),
        "gamecenter/2025020001/right-rail": ({"Content-Encoding": "deflate"}, pack_zeros(1024 * MB, zlib.MAX_WBITS)),
        "gamecenter/2025020002/play-by-play": ({"Content-Encoding": "gzip, gzip"}, gzip.compress(gzipped(1024 * MB))),
        "gamecenter/2025020002/boxscore": ({"Content-Encoding": "br"}, b"\x00" * 1000),
        "gamecenter/2025020002/right-rail": ({"Content-Encoding": "zstd"}, b"\x00" * 1000),
        "gamecenter/2025020003/play-by-play": ({}, nested(100_000)),
        "gamecenter/2025020003/boxscore": ({}, b"[" * 100_000),
        "gamecenter/2025020003/right-rail": ({}, nested(600)),  # what one reader bears and the next does not
        "HTMLREPORTS/20252026/TH020006": ({}, REPORT),
        "htmlreports/20252026/TH020006": ({}, REPORT),
    }


def test_bombs_are_refused_by_name_within_little_memory_and_the_run_goes_on(tmp_path: Path):
    league = FakeApi([FakeGame(n, chart=n != 6) for n in range(1, 7)])
    with served(of_league(league, {})) as base:
        harmless = ran("ingest", "--json", root=tmp_path / "harmless", folder=tmp_path / "1", NHL_LAKE_API=base)
    with served(of_league(league, make_bombs())) as base:
        bombed = ran("ingest", "--json", root=tmp_path / "lake", folder=tmp_path / "2", NHL_LAKE_API=base)

    assert bombed.code == 3, bombed.err
    assert "Traceback" not in bombed.err
    said = json.loads(bombed.out)
    reasons = [reason for tally in said["tables"].values() for reason in tally["reasons"]]
    refused = [r for r in reasons if re.search("larger than|encoded as|nested deeper", r)]
    assert len(refused) == len(make_bombs()) - 1, reasons
    for word in list(make_bombs())[:9]:
        number = word.split("/")[1]
        assert sum(number in reason for reason in refused) == 3
    for table in (endpoints.PLAY_BY_PLAY, endpoints.BOXSCORE, endpoints.RIGHT_RAIL):
        stored = set(delta_tables.scan_table(tmp_path / "lake", table).collect()["game_id"])
        assert stored == {2025020004, 2025020005, 2025020006}
    assert bombed.peak_mb < harmless.peak_mb + 200, (bombed.peak_mb, harmless.peak_mb)
    assert harmless.code in {0, 3}, harmless.err


@given(st.recursive(st.none() | st.text() | st.integers(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
@example(["[[[[" * 50])
@example({"]" * 100: '\\"[[' * 90})
def test_a_page_that_is_not_deep_is_not_called_so_whatever_its_texts_hold(value: Any):
    check_depth(json.dumps(value).encode())


@given(
    st.lists(st.booleans(), min_size=2 * MAX_JSON_DEPTH, max_size=4 * MAX_JSON_DEPTH),
    st.text() | st.text('[]{}"\\,a', min_size=1),  # texts that look like nesting, or like its end
)
def test_a_page_that_is_deep_is_called_so_whatever_its_texts_hold(kinds: list[bool], text: str):
    value: Any = text
    for is_list in kinds:
        value = [text, value] if is_list else {text: value}

    with pytest.raises(PageTooLarge, match="nested deeper"):
        check_depth(json.dumps(value).encode())
    with pytest.raises(PageTooLarge, match="nested deeper"):
        check_depth(json.dumps(value).encode()[: -len(kinds)])


def test_a_report_with_many_open_cells_is_none_that_is_deep():
    check_depth(b"<html>" + b"<tr><td>1</td><td><br>2</td></tr>" * 50_000)

    with pytest.raises(PageTooLarge):
        check_depth(b"\n <html>" + b"<b>" * 20_000)


def asked(server: Callable[[httpx.Request], httpx.Response], folder: Path) -> bytes:
    async def go() -> bytes:
        rate_limit = RateLimit(rate=0, concurrency=1, user_agent="nhl-lake tests", first_backoff_s=0.001)
        async with open_client(rate_limit, folder / "pace.sqlite", httpx.MockTransport(server)) as opened:
            return await opened.get("https://api.example/v1/page", lambda body: body)

    return asyncio.run(go())


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.sampled_from([b"", b"\0\0\0"]))
def test_all_members_of_a_gzip_are_read(parts: list[bytes], padding: bytes):
    packed = b"".join(map(gzip.compress, parts)) + padding

    assert decompress_body(packed, "gzip") == b"".join(parts)
    with pytest.raises(PageRejected, match="cut off"):
        decompress_body(b"".join(map(gzip.compress, [*parts, b"last"]))[:-1], "gzip")


def test_members_of_a_gzip_are_too_large_together():
    with pytest.raises(PageTooLarge):
        decompress_body(gzip.compress(bytes(MAX_PAGE_BYTES - 1)) * 2, "gzip")


@pytest.mark.parametrize("packing", ["", "gzip"])
@pytest.mark.parametrize(("size", "is_taken"), [(MAX_PAGE_BYTES, True), (MAX_PAGE_BYTES + 1, False)])
def test_a_page_may_be_so_large_and_no_larger(size: int, is_taken: bool, packing: str, tmp_path: Path):  # noqa: FBT001
    requests = []
    body = gzip.compress(b" " * size) if packing else b" " * size

    def server(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, headers={"Content-Encoding": packing}, stream=httpx.ByteStream(body))

    if is_taken:
        assert len(asked(server, tmp_path)) == size
    else:
        with pytest.raises(FetchFailed, match="larger than 16 MB"):
            asked(server, tmp_path)
    assert len(requests) == 1


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(client, "MAX_RESPONSE_S", 0.05)
    monkeypatch.setattr(client, "MAX_ATTEMPTS", 2)

    async def drip() -> Any:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    with pytest.raises(client.FetchFailed, match="no complete response"):
        asked(lambda _: httpx.Response(200, content=drip()), tmp_path)


ELSEWHERE = [
    "https://elsewhere.example/v1/page",
    "//elsewhere.example/v1/page",
    "https://api.example.elsewhere.example/",
    "https://api.example@elsewhere.example/",
    "https://user:secret@api.example/v1/page",
    "http://api.example/v1/page",
    "file:///etc/passwd",
    "ftp://api.example/page",
    "data:,1",
    "http://127.0.0.1:9/",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_page_that_moves_to_another_host_is_not_followed(place: str, status: int, tmp_path: Path):
    addresses = []

    def server(request: httpx.Request) -> httpx.Response:
        addresses.append(str(request.url))
        return httpx.Response(status, headers={"Location": place})

    with pytest.raises(FetchFailed, match="redirected to") as error:
        asked(server, tmp_path)
    assert addresses == ["https://api.example/v1/page"]
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("place", ["/v2/page", "page/2", "https://api.example/v2/page", "//api.example/v2"])
def test_a_page_that_moves_on_its_host_is_followed(place: str, tmp_path: Path):
    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/page":
            return httpx.Response(301, headers={"Location": place})
        return httpx.Response(200, content=b"{}")

    assert asked(server, tmp_path) == b"{}"


NAMES = re.compile(
    r"(bronze|silver|gold|lake)/[a-z_]+/(season=\d{8}/)?("
    r"part-[\w-]+\.c\d{3}\.\w+\.parquet|part-[\w.-]+\.parquet|_sha256/[\w.-]+|_delta_log/[\d.]+(\.checkpoint)?[\w.-]*)"
    r"|(bronze|silver|gold|lake)/[a-z_]+/_delta_log/_last_checkpoint|\.nhl-lake/[\w.-]+"
)


def test_what_pages_say_names_no_file(tmp_path: Path):
    evil = ("../../../evil", "/evil", "a/b", "evil\x00", "%2e%2e%2fevil", "evil?x=1#y", "s3://evil/x", "season=1/evil")
    league = FakeApi([FakeGame(n) for n in range(1, 3)])
    teams = [{"id": n, "triCode": code, "fullName": code} for n, code in enumerate(evil, 101)]

    def broken(path: str) -> httpx.Response | None:
        if path.endswith("en/team"):
            return httpx.Response(200, json={"data": teams, "total": len(teams)})
        found = league.make_response(path)
        return httpx.Response(found.status_code, content=found.content.replace(b"AAA", b"../../../evil"))

    league.fail_request = broken
    root = tmp_path / "a" / "b" / "lake"
    run_ingest(root, league, rebuilds=True)

    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert all(file.is_relative_to(root) for file in files)
    names = [str(file.relative_to(root)) for file in files]
    assert [name for name in names if not NAMES.fullmatch(name)] == []
    assert not [name for name in names if "evil" in name]


CANARIES = {
    "AWS_ACCESS_KEY_ID": "AKIACANARYCANARYCANA",
    "AWS_SECRET_ACCESS_KEY": "canary/secret+canary/secret+canary/secret",
    "AWS_SESSION_TOKEN": "canarytokencanarytoken",
}
PASSWORD = "canarypassword"
SECRETS = (*CANARIES.values(), PASSWORD)


def everything(root: Path, folder: Path) -> str:
    """Return all that a lake and a home folder hold: tables row by row, other files as they are."""
    rows = [
        str(delta_tables.scan_table(root, table).collect().to_dicts())
        for table in catalog.TABLES
        if delta_tables.has_table(root, table)
    ]
    files = [file for place in (root, folder) for file in place.rglob("*") if file.is_file()]
    return "\n".join([*rows, *(file.read_bytes().decode("latin-1") for file in files)])


def test_no_key_or_password_gets_into_the_lake_or_onto_the_screen(tmp_path: Path):
    league = FakeApi([FakeGame(1)])
    root, folder = tmp_path / "lake", tmp_path / "home"

    def through_proxy(path: str) -> tuple[int, Mapping[str, str], bytes]:
        path = path.removeprefix("http://api.test/")
        found = league.make_response(path)
        # a page that fails is named with its reason in the run's record
        return (418, {}, b"") if "right-rail" in path else (found.status_code, {}, found.content)

    with served(through_proxy) as proxy:
        by_proxy = proxy.replace("://", f"://user:{PASSWORD}@")
        environ = CANARIES | {"NHL_LAKE_API": "http://api.test", "http_proxy": by_proxy, "no_proxy": ""}
        said = [ran("ingest", "--json", root=root, folder=folder, **environ)]
        assert said[0].code == 3, said[0].err
        said += [ran(*words, root=root, folder=folder, **environ) for words in (["settings"], ["runs", "--json"])]
    said.append(ran("ingest", root=root, folder=folder, **environ))  # the proxy is gone
    assert "cannot be reached" in said[-1].err
    assert "Traceback" not in said[-1].err

    found = everything(root, folder) + "".join(ended.out + ended.err for ended in said)
    assert "2025020001" in found
    assert [secret for secret in SECRETS if secret in found] == []


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path):
    for name, value in (
        ("NHL_LAKE_API", f"http://user:{PASSWORD}@api.test"),
        ("NHL_LAKE_API", f"https://api.test/?token={PASSWORD}"),
        ("NHL_LAKE_ROOT", f"s3://key:{PASSWORD}@bucket/lake"),
        ("NHL_LAKE_BACKUPS", f"https://key:{PASSWORD}@bucket/lake"),
    ):
        ended = ran("status", root=tmp_path / "lake", folder=tmp_path / "home", **{name: value})
        assert ended.code == 2
        assert name in ended.err
        assert len(ended.err.splitlines()) == 2, ended.err
        assert PASSWORD not in ended.out + ended.err


def test_an_address_that_is_given_on_the_command_line_is_not_repeated_either():
    with pytest.raises(BadInput) as error:
        parse_location(f"s3://AKIA:{PASSWORD}/with/a/slash@bucket/x")

    assert PASSWORD not in str(error.value)


REFUSAL = """<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message>
<AWSAccessKeyId>{AWS_ACCESS_KEY_ID}</AWSAccessKeyId><Token-0>{AWS_SESSION_TOKEN}</Token-0>
<StringToSign>AWS4-HMAC-SHA256 {AWS_SECRET_ACCESS_KEY}</StringToSign></Error>"""


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidToken", "AccessDenied"])
def test_what_a_store_says_of_keys_is_not_repeated(code: str, tmp_path: Path):
    body = REFUSAL.format(code=code, **CANARIES).encode()
    with served(lambda _: (403, {"Content-Type": "application/xml"}, body)) as endpoint:
        environ = CANARIES | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
        environ |= {"NHL_LAKE_ROOT": "s3://lake/x", "NHL_LAKE_API": "league:"}
        said = [
            ran(*words, root=tmp_path, folder=tmp_path / "home", **environ)
            for words in (["status"], ["ingest"], ["settings"])
        ]

    for ended in said[:2]:
        assert ended.code == 1
        assert ended.err.startswith("Error: ")
        assert len(ended.err.splitlines()) == 2, ended.err
    found = "".join(ended.out + ended.err for ended in said)
    assert [secret for secret in SECRETS if secret in found] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://user:pass@host/x and s3://k:a/b@c", "at http://***@host/x and s3://***@c"),
        ("https://h/x?a=1&X-Amz-Signature=abc&b=2", "https://h/x?a=1&X-Amz-Signature=***&b=2"),
        ("https://h/x?access_token=abc", "https://h/x?access_token=***"),
        ("<Token-0>abc</Token-0><Code>X</Code>", "<Token-0>***</Token-0><Code>X</Code>"),
        ("play 7 at 03:21, s3://lake/x, someone@example", "play 7 at 03:21, s3://lake/x, someone@example"),
    ],
)
def test_what_opens_doors_is_left_out_and_nothing_else(text: str, shown: str):
    assert redact_secrets(text) == shown


def test_what_goes_wrong_unforeseen_is_shown_whole_but_for_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)

    def fail() -> None:
        raise ZeroDivisionError(f"at http://user:{PASSWORD}@host with {' '.join(CANARIES.values())}")

    assert errors.run_command(fail) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: at http://***@host with *** *** ***" in said
    assert "test_security.py" in said
    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize("umask", [0o077])
def test_files_of_a_lake_are_for_whom_the_user_says(umask: int, tmp_path: Path):
    root = tmp_path / "lake"
    before = os.umask(umask)
    try:
        run_ingest(root, FakeApi([FakeGame(1)]), rebuilds=True, is_new=True)
    finally:
        os.umask(before)

    found = [root, *root.rglob("*")]
    assert len(found) > 50
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & umask == 0, (path, oct(mode))
        assert mode & 0o600 == 0o600
