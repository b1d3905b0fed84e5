"""A backup on a static web host: restored equal over broken connections, and nothing of a wrong one is taken."""

import hashlib
import json
import shutil
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhl_lake.backup import log_packs, repository
from nhl_lake.backup.manifest import Manifest, SealedManifest
from nhl_lake.errors import BadInput, UnreadableData
from nhl_lake.store import download, website
from tests.support.backups import back_up, copy_lake, days_later, read_table_states
from tests.support.commands import CommandResult
from tests.support.web_hosts import Answer, WebHost

Run = Callable[..., CommandResult]
RESTORE = ("restore", "--from-backup", "--yes", "--from")


@pytest.fixture
def created(small_lake: Path, web_host: WebHost) -> Manifest:
    """A backup of the small lake, on the host."""
    return back_up(small_lake, web_host.folder).manifest


def find_largest_object(host: WebHost) -> Path:
    return max((host.folder / "objects").rglob("*/*"), key=lambda file: file.stat().st_size)


def write_unchecked(host: WebHost, changed: Manifest) -> None:
    """Write a manifest as another program may: sealed, but not checked."""
    text = msgspec.json.encode(changed)
    sealed = SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))
    (host.folder / "manifests" / f"{changed.name}.json").write_bytes(msgspec.json.encode(sealed))


def change_first_file(created: Manifest, **changes: Any) -> Manifest:
    """Return a manifest with changes of the first data file."""
    which = next(n for n, table in enumerate(created.tables) if table.files)
    table = created.tables[which]
    files = (msgspec.structs.replace(table.files[0], **changes), *table.files[1:])
    changed = msgspec.structs.replace(table, files=files)
    return msgspec.structs.replace(created, tables=(*created.tables[:which], changed, *created.tables[which + 1 :]))


@pytest.mark.parametrize("cuts", [None, 5], ids=["with ranges", "without ranges"])
def test_a_lake_is_restored_equal_over_broken_connections(
    created: Manifest, small_lake: Path, web_host: WebHost, run_here: Run, tmp_path: Path, cuts: int | None
):
    web_host.cut_after, web_host.cuts_left = find_largest_object(web_host).stat().st_size // 3, cuts
    web_host.has_ranges = cuts is None

    ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")

    assert ended.code == 0, ended.err
    assert read_table_states(tmp_path / "lake") == read_table_states(small_lake)
    assert web_host.most_open_requests <= website.MAX_CONNECTIONS
    assert any(begin for _, begin in web_host.requests)


def test_an_answer_without_a_length_that_ends_early_has_broken(web_host: WebHost):
    body = bytes(range(256)) * 40
    (web_host.folder / "file").write_bytes(body)
    web_host.cut_after, web_host.says_length = 3000, False
    site = website.parse_website(web_host.url)

    assert b"".join(website.read_chunks(site, "file", max_bytes=len(body), size=len(body))) == body


def test_a_file_continues_where_the_connection_broke(web_host: WebHost):
    body = bytes(range(256)) * 40
    (web_host.folder / "file").write_bytes(body)
    web_host.cut_after = 3000

    found = b"".join(website.read_chunks(website.parse_website(web_host.url), "file", max_bytes=len(body)))

    assert found == body
    assert [begin for _, begin in web_host.requests] == [None, "bytes=3000-", "bytes=6000-", "bytes=9000-"]


def test_without_ranges_what_is_there_is_skipped(web_host: WebHost):
    body = bytes(range(256)) * 40
    (web_host.folder / "file").write_bytes(body)
    web_host.has_ranges = False

    found = website.read_chunks(website.parse_website(web_host.url), "file", max_bytes=len(body), begin=5000)

    assert b"".join(found) == body[5000:]


def test_a_killed_restore_continues(
    created: Manifest,
    small_lake: Path,
    web_host: WebHost,
    start_cli: Callable[..., Any],
    run_here: Run,
    tmp_path: Path,
):
    web_host.cut_after = 2000
    web_host.stalls_at = 12  # the index, two manifests or so, then files
    process = start_cli(*RESTORE, web_host.url, root=tmp_path / "lake")
    assert web_host.stalled.wait(60)
    until = time.monotonic() + 30
    while not list_parts(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)  # the bytes before the stall are on their way to the disk
    process.kill()
    process.communicate()
    parts = {file: file.stat().st_size for file in list_parts(tmp_path)}
    web_host.stalls_at = web_host.cut_after = None
    web_host.released.set()
    before, web_host.requests = web_host.requests, []
    assert not (tmp_path / "lake" / "bronze").exists()

    ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")

    assert ended.code == 0, ended.err
    assert read_table_states(tmp_path / "lake") == read_table_states(small_lake)
    assert parts
    assert {begin for _, begin in web_host.requests if begin} <= {f"bytes={size}-" for size in parts.values()}
    complete = {path for path, _ in before if path.startswith("/objects/")}
    again = {path for path, begin in web_host.requests if path.startswith("/objects/") and not begin}
    assert len(complete & again) <= website.MAX_CONNECTIONS  # those that had no byte yet
    assert list_parts(tmp_path) == []


def list_parts(folder: Path) -> list[Path]:
    """Return the files that are fetched in part and have bytes."""
    return [f for f in folder.rglob("*.parquet#*") if f.stat().st_size]


def test_damaged_bytes_of_a_killed_restore_are_fetched_again(web_host: WebHost, tmp_path: Path):
    body = bytes(range(256)) * 40
    (web_host.folder / "file").write_bytes(body)
    sha256, arrived = hashlib.sha256(body).hexdigest(), []
    part = tmp_path / "into" / download.name_part("file", sha256)
    part.parent.mkdir()
    part.write_bytes(b"wrong" * 100)

    download.download_file(
        website.parse_website(web_host.url),
        "file",
        part.parent,
        "file",
        sha256=sha256,
        size=len(body),
        wait=lambda _: None,
        on_bytes=arrived.append,
    )

    assert (tmp_path / "into" / "file").read_bytes() == body
    assert sum(arrived) == len(body)
    assert not part.exists()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda body: body[:-10], "is damaged"),
        (lambda body: body[:-1] + bytes([body[-1] ^ 1]), "is damaged"),
        (lambda body: b"<html>sign in</html>", "is damaged"),
        (lambda body: body + b"more", "sends more than"),
        (None, "is missing"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_changes(
    created: Manifest, small_lake: Path, web_host: WebHost, run_here: Run, tmp_path: Path, damage: Any, problem: str
):
    root = copy_lake(small_lake, tmp_path / "lake")
    before = read_table_states(root)
    file = find_largest_object(web_host)
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))

    ended = run_here(*RESTORE, web_host.url, root=root)

    assert ended.code == 1
    assert problem in ended.err
    assert file.name in ended.err
    assert read_table_states(root) == before


def test_a_manifest_that_leads_out_of_the_lake_is_refused(
    created: Manifest, web_host: WebHost, run_here: Run, tmp_path: Path
):
    for changes in ({"name": "../../evil"}, {"name": "/etc/evil"}, {"size": -5}):
        write_unchecked(web_host, change_first_file(created, **changes))

        ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")

        assert ended.code == 1
        assert "is not safe" in ended.err
        assert not (tmp_path / "lake").exists()


def test_a_manifest_that_claims_a_huge_file_needs_room_first(
    created: Manifest, web_host: WebHost, run_here: Run, tmp_path: Path
):
    write_unchecked(web_host, change_first_file(created, size=10**15))

    ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")

    assert ended.code == 1
    assert "needs 1,000,000,0" in ended.err
    assert not any(path.startswith("/objects") for path, _ in web_host.requests)


def test_a_log_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_packs, "MAX_UNPACKED_BYTES", 1000)
    assert log_packs.unpack_commits(log_packs.pack_commits([b"a" * 900])) == [b"a" * 900]

    with pytest.raises(UnreadableData, match="more than"):
        log_packs.unpack_commits(zlib.compress(msgspec.json.encode(["a" * 2000])))


def test_names_of_an_index_are_no_paths(created: Manifest, web_host: WebHost):
    names = ["../../20260401T130000Z", "/etc/passwd", "x", created.name, created.name]
    web_host.answers["/index.json"] = Answer(200, json.dumps({"format": 1, "backups": names}).encode())

    assert repository.list_backups(website.parse_website(web_host.url)) == [created.name]


def test_a_key_refuses_a_backup_without_its_signature(
    created: Manifest, web_host: WebHost, run_here: Run, tmp_path: Path
):
    ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake", backup_key="a key of the tests, no secret")

    assert ended.code == 1
    assert "is not signed" in ended.err
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(200, b"<!doctype html><title>Sign in</title>"), "is not an index of backups: it is a web page"),
        (Answer(200, b""), "is not an index of backups: it is empty"),
        (Answer(200, b"[" * 100_000), "is not an index of backups: it is other data"),
        (Answer(200, b"x" * (repository.MAX_INDEX_BYTES + 1)), "sends more than 1,048,576 bytes"),
        (Answer(403, b"no"), "answers with status 403"),
        (Answer(503, b"later"), "cannot be read: status 503"),
        (Answer(302, b"", (("Location", "/index.json"),)), "redirects more than 5 times"),
        (Answer(302, b"", (("Location", "http://example.com/"),)), "redirects to http://example.com, which is not"),
        (Answer(302, b"", (("Location", "file:///etc/passwd"),)), "which is not allowed"),
        (Answer(200, b"x", (("Content-Encoding", "gzip"),)), "is sent compressed"),
        (Answer(206, b"x", (("Content-Range", "bytes 7-7/8"),)), "another part"),
    ],
)
def test_a_wrong_answer_is_two_lines(web_host: WebHost, run_here: Run, tmp_path: Path, answer: Answer, problem: str):
    web_host.answers["/index.json"] = answer

    ended = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")

    assert ended.code == 1
    assert problem in ended.err
    assert len(ended.err.splitlines()) == 2


def test_a_redirect_on_the_same_host_is_followed(created: Manifest, web_host: WebHost, run_here: Run):
    web_host.answers["/old/index.json"] = Answer(301, b"", (("Location", "/index.json"),))
    (web_host.folder / "old").symlink_to(web_host.folder)

    ended = run_here("backup", "list", "--from", f"{web_host.url}/old/", "--json", root=web_host.folder.parent / "lake")

    assert [one["name"] for one in ended.json] == [created.name]


def test_an_unreachable_host_is_two_lines(run_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(website, "FIRST_WAIT_S", 0.001)

    ended = run_here(*RESTORE, "http://127.0.0.1:1/backups", root=tmp_path / "lake")

    assert ended.code == 1
    assert "http://127.0.0.1:1/backups/index.json cannot be read" in ended.err


def test_the_index_follows_the_backups(created: Manifest, small_lake: Path, web_host: WebHost, run_here: Run):
    backups = web_host.folder
    second = back_up(small_lake, backups, now=days_later(1)).manifest
    assert read_index(backups) == [second.name, created.name]

    ended = run_here(
        *("backup", "prune", "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0"),
        root=small_lake,
        backups=backups,
    )
    assert ended.code == 0, ended.err
    assert read_index(backups) == [second.name]


def test_verify_writes_the_index_of_older_backups(
    created: Manifest, small_lake: Path, web_host: WebHost, run_here: Run, tmp_path: Path
):
    (web_host.folder / "index.json").unlink()
    missing = run_here(*RESTORE, web_host.url, root=tmp_path / "lake")
    assert missing.code == 1
    assert "run `nhl-lake backup verify`" in missing.err
    by_name = run_here(
        "restore", created.name, "--from-backup", "--yes", "--from", web_host.url, root=tmp_path / "by name"
    )
    assert by_name.code == 0, by_name.err

    assert run_here("backup", "verify", root=small_lake, backups=web_host.folder).code == 0

    assert read_index(web_host.folder) == [created.name]
    shutil.rmtree(web_host.folder / ".nhl-lake", ignore_errors=True)
    assert run_here(*RESTORE, web_host.url, root=tmp_path / "lake").code == 0


def read_index(backups: Path) -> list[str]:
    found: list[str] = json.loads((backups / "index.json").read_text())["backups"]
    return found


def test_one_table_is_restored_from_a_host(
    created: Manifest, small_lake: Path, web_host: WebHost, run_here: Run, tmp_path: Path
):
    root = copy_lake(small_lake, tmp_path / "lake")
    shutil.rmtree(root / "silver" / "plays")

    ended = run_here(*RESTORE, web_host.url, "--table", "silver.plays", root=root)

    assert ended.code == 0, ended.err
    assert read_table_states(root)["silver.plays"][1] == read_table_states(small_lake)["silver.plays"][1]


@pytest.mark.parametrize(
    "address", ["http://", "https://user:secret@host/x", "https://host/x?token=secret", "http://[x"]
)
def test_an_invalid_address_is_refused_without_its_secret(address: str):
    with pytest.raises(BadInput) as raised:
        website.parse_website(address)

    assert "secret" not in str(raised.value)


def test_nothing_is_written_to_a_host(run_here: Run, tmp_path: Path):
    for words in (("backup", "create", "--to"), ("backup", "prune", "--from"), ("backup", "drill", "--from")):
        ended = run_here(*words, "https://host/backups", root=tmp_path / "lake")

        assert ended.code == 2
        assert "from which nhl-lake only reads" in ended.err
