"""A manifest from elsewhere is untrusted: what it names is checked, bounded and compared with its SHA-256."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nhl_lake
from nhl_lake.errors import BadInput, LakeError, StorageUnavailable, UnreadableData
from nhl_lake.sharing import load, manifest
from nhl_lake.store import website
from tests.support.web_hosts import Answer, WebHost

ROWS = pl.DataFrame({"season": [20232024] * 3, "goals": [1, 2, 3]})


def make_file(season: int | None = 20232024, body: bytes = b"") -> dict[str, Any]:
    return {"season": season, "rows": 3, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def make_manifest(*files: dict[str, Any], name: str = "gold.shots", **changes: Any) -> dict[str, Any]:
    table = {"name": name, "grain": "one shot", "key": [], "columns": [], "files": list(files)}
    about = {"kind": "publication of nhl-lake", "format": 1, "made_by": "1", "published_at": "2026-04-01T13:00:00Z"}
    return about | {"lake": "", "league": "NHL", "data_through": None, "tables": [table]} | changes


def write_publication(host: WebHost) -> bytes:
    """Write a publication of one file to a host's folder; return the file's bytes."""
    out = io.BytesIO()
    ROWS.write_parquet(out)
    file = host.folder / "gold" / "shots" / "2023.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(out.getvalue())
    (host.folder / "manifest.json").write_text(json.dumps(make_manifest(make_file(body=out.getvalue()))))
    return out.getvalue()


def test_a_table_is_loaded_over_broken_connections(web_host: WebHost):
    body = write_publication(web_host)
    web_host.cut_after = len(body) // 3

    assert nhl_lake.load("gold.shots", season=2023, source=web_host.url).collect().equals(ROWS)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ({"name": "gold.shot"}, "has no table 'gold.shot'", "Did you mean 'gold.shots'?"),
        ({"name": "x"}, "has no table 'x'", "It has gold.shots."),
        ({"name": "\x1b[31m"}, r"has no table '\x1b[31m'", "It has gold.shots."),
        ({"season": 2019}, "gold.shots has no season 2019 there", "It has 2023."),
        ({"season": [2023, 2022]}, "gold.shots has no season 2022 there", "It has 2023."),
        ({"season": []}, "gold.shots has no rows there", "It has 2023."),
        ({"season": 99}, "99 is not a season", "Give the year"),
    ],
)
def test_what_is_not_there_is_said(web_host: WebHost, arguments: dict[str, Any], message: str, hint: str):
    write_publication(web_host)

    with pytest.raises(BadInput) as raised:
        nhl_lake.load(**{"name": "gold.shots", "season": 2023, "source": web_host.url} | arguments)

    assert message in raised.value.message
    assert raised.value.hint.startswith(hint)


def test_a_table_without_seasons_takes_none(web_host: WebHost):
    (web_host.folder / "manifest.json").write_text(json.dumps(make_manifest(make_file(None), name="gold.xg_model")))

    with pytest.raises(BadInput, match="has no seasons"):
        nhl_lake.load("gold.xg_model", season=2023, source=web_host.url)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda body: body[:-9], "is damaged"),
        (lambda body: body[:-1] + bytes([body[-1] ^ 1]), "is damaged"),
        (lambda body: body + b"more", "is larger than the manifest says"),
        (None, "is missing"),
    ],
)
def test_a_wrong_file_is_named(web_host: WebHost, damage: Any, problem: str):
    body = write_publication(web_host)
    file = web_host.folder / "gold" / "shots" / "2023.parquet"
    file.unlink()
    if damage is not None:
        file.write_bytes(damage(body))

    with pytest.raises(LakeError, match=rf"gold/shots/2023.parquet {problem}"):
        nhl_lake.load("gold.shots", source=web_host.url)


def test_a_publication_that_changes_while_it_is_read_is_read_again(web_host: WebHost, monkeypatch: pytest.MonkeyPatch):
    write_publication(web_host)
    older = json.dumps(make_manifest(make_file(body=b"the file of yesterday"))).encode()
    answers = iter([manifest.decode_publication(older, "older")])
    read = load.read_publication
    monkeypatch.setattr(load, "read_publication", lambda source: next(answers, None) or read(source))

    assert nhl_lake.load("gold.shots", source=web_host.url).collect().equals(ROWS)


GOOD = make_file()
WRONG: dict[str, Any] = {
    "a path as a table": make_manifest(GOOD, name="../../etc/passwd"),
    "a path behind a layer": make_manifest(GOOD, name="gold.../x"),
    "bronze": make_manifest(GOOD, name="bronze.play_by_play"),
    "an address as a table": make_manifest(GOOD, name="http://evil/x"),
    "a line break in a name": make_manifest(GOOD, name="gold.shots\n"),
    "a season that is a path": make_manifest(GOOD | {"season": "../x"}),
    "a season that is none": make_manifest(GOOD | {"season": 20232025}),
    "a negative season": make_manifest(GOOD | {"season": -1}),
    "a huge file": make_manifest(GOOD | {"bytes": 10**15}),
    "a negative size": make_manifest(GOOD | {"bytes": -1}),
    "a hash that is none": make_manifest(GOOD | {"sha256": "0" * 63 + "/"}),
    "a season twice": make_manifest(GOOD, GOOD),
    "a table twice": make_manifest() | {"tables": make_manifest(GOOD)["tables"] * 2},
    "another kind": make_manifest(GOOD, kind="site"),
    "no tables": {name: value for name, value in make_manifest().items() if name != "tables"},
    "a list": [],
}


@pytest.mark.parametrize("what", WRONG)
def test_a_hostile_manifest_is_refused(web_host: WebHost, what: str):
    write_publication(web_host)
    (web_host.folder / "manifest.json").write_text(json.dumps(WRONG[what]))

    with pytest.raises(UnreadableData, match="is not the manifest of a publication"):
        nhl_lake.load("gold.shots", source=web_host.url)
    assert {path for path, _ in web_host.requests} == {"/manifest.json"}


@pytest.mark.parametrize(
    ("answer", "error", "problem"),
    [
        (Answer(200, b"<!doctype html><title>Sign in</title>"), UnreadableData, "it is a web page"),
        (Answer(200, b""), UnreadableData, "it is empty"),
        (Answer(200, b'{"kind'), UnreadableData, "it is damaged"),
        (Answer(200, b"\xff\xfe"), UnreadableData, "it is other data"),
        (Answer(200, b'{"a":' + b"[" * 100_000), UnreadableData, "nested too deeply"),
        (Answer(200, b" " * (manifest.MAX_MANIFEST_BYTES + 1)), StorageUnavailable, "sends more than"),
        (Answer(401, b""), StorageUnavailable, "status 401"),
        (Answer(500, b""), StorageUnavailable, "status 500"),
        (Answer(404, b""), BadInput, "There is no publication at"),
        (
            Answer(200, json.dumps(make_manifest(GOOD, format=2)).encode()),
            UnreadableData,
            "a newer nhl-lake",
        ),
    ],
)
def test_a_wrong_answer_is_said(web_host: WebHost, answer: Answer, error: type[LakeError], problem: str):
    web_host.answers["/manifest.json"] = answer

    with pytest.raises(error, match=problem):
        nhl_lake.load("gold.shots", source=web_host.url)


def test_a_host_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(website, "FIRST_WAIT_S", 0.001)

    with pytest.raises(StorageUnavailable, match=r"http://127.0.0.1:1/x/manifest.json cannot be read"):
        nhl_lake.load("gold.shots", source="http://127.0.0.1:1/x")


def test_a_folder_without_a_publication_is_said(tmp_path: Path):
    for source in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(BadInput, match="There is no publication"):
            nhl_lake.load("gold.shots", source=source)
