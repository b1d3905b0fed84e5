"""The commands of the site."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.commands import CommandResult

Run = Callable[..., CommandResult]
Start = Callable[..., subprocess.Popen[str]]


def test_build_says_what_it_did(small_lake: Path, tmp_path: Path, run_here: Run):
    folder = tmp_path / "site"
    first = run_here("site", "build", "--to", str(folder), root=small_lake)
    assert first.code == 0
    assert "files written, 0 removed." in first.out
    again = run_here("site", "build", "--to", str(folder), root=small_lake)
    assert again.out.endswith("No file has changed.\n")
    found = json.loads(run_here("site", "build", "--to", str(folder), "--json", root=small_lake).out)
    assert found.keys() == {"folder", "pages", "files", "written", "removed", "bytes"}
    assert (found["folder"], found["written"]) == (str(folder), 0)
    assert run_here("site", "build", "--to", str(folder), "--quiet", root=small_lake).out == ""


REFUSED = {
    "a folder with something else": ("holiday", "is not empty, and has no site.json"),
    "a bucket": ("s3://bucket/site", "is not a place on this machine's disk"),
    "a file": ("file", "cannot be opened or written"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_build_refuses(kind: str, small_lake: Path, tmp_path: Path, run_here: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").touch()
    (tmp_path / "file").write_text("text")
    to, why = REFUSED[kind]
    ended = run_here("site", "build", "--to", to, root=small_lake)
    assert ended.code in {1, 2}
    assert why in ended.err
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")) == ["holiday/photo.jpg"]


def test_build_without_a_lake_makes_no_folder(tmp_path: Path, run_here: Run):
    ended = run_here("site", "build", "--to", str(tmp_path / "site"), root=tmp_path / "lake")
    assert ended.code == 1
    assert "There is no lake" in ended.err
    assert not (tmp_path / "site").exists()


def test_build_of_a_season_that_is_not_there_names_those_that_are(small_lake: Path, tmp_path: Path, run_here: Run):
    ended = run_here("site", "build", "--to", str(tmp_path / "site"), "--season", "1999", root=small_lake)
    assert ended.code == 2
    assert "has no games of 1999-00" in ended.err
    assert "It has 2025-26" in ended.err


def test_serve_answers_until_it_is_interrupted(small_lake: Path, start_cli: Start):
    process = start_cli("site", "serve", "--port", "0", "--json", root=small_lake)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    url = json.loads("".join(lines))["url"]
    assert url.startswith("http://127.0.0.1:")
    response = httpx.get(f"{url}games/2025020001.html", timeout=60)
    assert response.status_code == 200
    assert httpx.get(url, headers={"Host": "evil.test"}, timeout=60).status_code == 400
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_serve_refuses_every_address(small_lake: Path, run_here: Run):
    ended = run_here("site", "serve", "--host", "0.0.0.0", root=small_lake)
    assert ended.code == 2
    assert "means every address of this machine" in ended.err
