"""Reading and writing complete files: the same in a folder, in moto and in SeaweedFS."""

import errno
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhl_lake.errors import BadInput
from nhl_lake.store import location
from nhl_lake.store.location import Bucket, Location, parse_location
from tests.support import s3_servers
from tests.support.s3_servers import Fault, Proxy, S3Server

MANY = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ODD = "aß é+=&@'(),;!~$-_. 1"
PARTS = st.text(ODD, min_size=1, max_size=12).filter(lambda part: part.strip(". ") == part)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
BIG = 24 * 2**20


def names(root: Location, under: str = "") -> list[str]:
    return sorted(file.name for file in location.list_files(root, under))


@MANY
@given(files=st.dictionaries(NAMES, st.binary(max_size=300), max_size=5))
def test_written_file_is_listed_and_read_by_its_name(any_location: Location, files: dict[str, bytes]):
    root = any_location / secrets.token_hex(4)
    written: dict[str, bytes] = {}
    for name, body in files.items():
        if not any(f"{a}/".startswith(f"{b}/") for one in written for a, b in ((name, one), (one, name))):
            location.write_file(root, name, body)  # a folder cannot have a file and a folder of one name
            written[name] = body

    assert {file.name: file.size for file in location.list_files(root)} == {
        name: len(body) for name, body in written.items()
    }
    assert {name: location.read_file(root, name) for name in written} == written
    assert all(location.has_file(root, name) for name in written)
    assert location.is_empty(root) == (not written)
    location.remove_files(root, [*written, "never/there"])
    assert location.is_empty(root)


def test_file_is_replaced_unless_it_must_be_new(any_location: Location):
    location.write_file(any_location, "a/b", b"1", new=True)
    with pytest.raises(FileExistsError):
        location.write_file(any_location, "a/b", b"1", new=True)
    with pytest.raises(FileExistsError):
        location.write_file(any_location, "a/b", b"2", new=True)
    assert location.read_file(any_location, "a/b") == b"1"

    location.write_file(any_location, "a/b", b"2")
    assert location.read_file(any_location, "a/b") == b"2"
    assert names(any_location) == ["a/b"]


def test_one_of_many_creates_a_new_file(any_location: Location, request: pytest.FixtureRequest):
    if "moto" in request.node.name:
        pytest.skip("moto looks whether a file exists, and then writes it: two requests at once both win")

    def create_file(n: int) -> bool:
        try:
            location.write_file(any_location, "one", str(n).encode(), new=True)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [n for n, is_created in enumerate(pool.map(create_file, range(16))) if is_created]

    assert len(won) == 1
    assert location.read_file(any_location, "one") == str(won[0]).encode()
    assert names(any_location) == ["one"]


def test_file_written_by_many_at_once_is_complete(any_location: Location):
    bodies = [bytes([n]) * 300_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: location.write_file(any_location, "same", body), bodies))

    assert location.read_file(any_location, "same") in bodies
    assert names(any_location) == ["same"]


def test_missing_file_is_an_error(any_location: Location):
    assert not location.has_file(any_location, "a")
    assert location.is_empty(any_location)
    assert names(any_location, "nowhere") == []
    with pytest.raises(FileNotFoundError):
        location.read_file(any_location, "a")
    with pytest.raises(FileNotFoundError):
        list(location.read_chunks(any_location, "a"))
    location.remove_files(any_location, [])
    location.remove_files(any_location, ["a"])
    location.remove_files(any_location, ["a", "b"])


def test_listing_of_a_folder_leaves_out_its_neighbors(any_location: Location):
    for name in ("a/1", "a/b/2", "ab/3", "4"):
        location.write_file(any_location, name, b"")

    assert names(any_location, "a") == ["a/1", "a/b/2"]


def test_large_file_is_written_and_read_in_chunks(any_location: Location):
    piece = secrets.token_bytes(2**20)

    location.write_file(any_location, "big", (piece for _ in range(BIG // len(piece))))

    found = list(location.read_chunks(any_location, "big"))
    assert b"".join(found) == piece * (BIG // len(piece))
    assert len(found) > 1


def test_failed_write_leaves_the_old_file(any_location: Location):
    location.write_file(any_location, "file", b"before")

    def broken() -> Iterator[bytes]:
        yield b"x" * BIG
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="the source is gone"):
        location.write_file(any_location, "file", broken())
    with pytest.raises(RuntimeError, match="the source is gone"):
        location.write_file(any_location, "other", broken())

    assert location.read_file(any_location, "file") == b"before"
    assert names(any_location) == ["file"]


KILLED = """
import os, signal, sys
from nhl_lake.store import location
def body():
    for _ in range(30):
        yield b"x" * 2**20
    os.kill(os.getpid(), signal.SIGKILL)
location.write_file(location.parse_location(sys.argv[1]), "file", body())
"""


def test_killed_write_leaves_the_old_file(any_location: Location):
    location.write_file(any_location, "file", b"before")

    ended = subprocess.run([sys.executable, "-c", KILLED, str(any_location)], check=False, env=os.environ)

    assert ended.returncode == -signal.SIGKILL
    assert location.read_file(any_location, "file") == b"before"
    assert names(any_location) == ["file"]


def test_new_file_with_a_lost_response_is_created_once_and_ours(
    seaweed: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    lost = Fault("PUT", "/new", lost=True, times=1)
    proxy.faults.append(lost)

    location.write_file(root, "new", b"1", new=True)

    assert lost.hits == 1
    assert location.read_file(root, "new") == b"1"
    with pytest.raises(FileExistsError):
        location.write_file(root, "new", b"1", new=True)


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("status", [500, 503])
def test_busy_store_is_retried(
    status: int,
    times: int,
    seaweed: S3Server,
    start_proxy: Callable[[S3Server], Proxy],
    monkeypatch: pytest.MonkeyPatch,
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    proxy.faults += [Fault(method, status=status, body=s3_servers.SLOW_DOWN, times=times) for method in ("PUT", "GET")]

    location.write_file(root, "a", b"1")

    assert location.read_file(root, "a") == b"1"
    assert [fault.hits for fault in proxy.faults] == [times, times]


@pytest.mark.parametrize("text", ["s3://", "s3://A/b", "s3://lake/a b", "s3://lake//b", "ftp://x/y", "gs://lake/x"])
def test_invalid_location_is_refused(text: str):
    with pytest.raises(BadInput, match="Invalid location"):
        parse_location(text)


@pytest.mark.parametrize("text", ["s3://lake", "s3://lake/a", "s3://lake/a/season=20232024"])
def test_location_parses_and_prints(text: str):
    assert str(parse_location(text)) == text
    assert parse_location(f"{text}/") == parse_location(text)


def test_location_has_the_names_of_a_path():
    root = Bucket("lake", "nhl/lake")

    assert str(root / "a" / "b") == "s3://lake/nhl/lake/a/b" == str(root.joinpath("a", "b"))
    assert root.name == Path("nhl/lake").name
    assert str(root.with_name("other")) == "s3://lake/nhl/other"
    with pytest.raises(BadInput, match="bucket without a prefix"):
        Bucket("lake").with_name("other")


def test_new_file_on_a_disk_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuses(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    location.write_file(tmp_path, "manifests/a.json", b"one", new=True)
    with pytest.raises(FileExistsError):
        location.write_file(tmp_path, "manifests/a.json", b"two", new=True)

    assert location.read_file(tmp_path, "manifests/a.json") == b"one"
    assert [file.name for file in (tmp_path / "manifests").iterdir()] == ["a.json"]
