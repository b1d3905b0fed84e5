"""The folder of a site: what differs is written, what the manifest lists is removed, and nothing else is touched."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.errors import BadInput, LakeError, LakeLocked
from nhl_lake.reports import site_folder
from nhl_lake.reports.site_folder import MANIFEST, Manifest, PageRecord, is_site_path, open_locked_site, open_site

GAME = "games/2023020001.html"
PATHS = [GAME, "players/8478402.html", "teams/HMS.html", "days/2023-11-10.html", "index.html", "404.html", "style.css"]
BAD_PATHS = [
    "", "..", "/etc/passwd", "../x.html", "games/../x.html", "games/x.html", "games/202302000.html", "teams/hms.html",
    "teams/H.html", "teams/HMSXY.html", "games/2023020001.html/x", "a/b.html", ".html", "index.html\n", "players/1.htm",
    "games/202302000\uff11.html", "site.json", "games/2023020001.html\0", "days/2023-11-10-.html", "x.php", "./x.html",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_names_come_from_ids(path: str):
    assert is_site_path(path)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_other_names_are_no_files_of_a_site(path: str, tmp_path: Path):
    assert not is_site_path(path)
    if path != MANIFEST:
        with open_site(tmp_path) as site, pytest.raises(ValueError, match="not the path of a file of a site"):
            site.write(path, b"x")


def test_a_file_is_written_only_if_its_bytes_differ(tmp_path: Path):
    with open_locked_site(tmp_path / "a" / "site") as site:
        assert site.write(GAME, b"one")
        file = tmp_path / "a" / "site" / GAME
        before = file.stat()
        assert not site.write(GAME, b"one")
        assert file.stat() == before
        assert site.write(GAME, b"two")
        assert file.read_bytes() == b"two"
        assert file.stat().st_ino != before.st_ino  # replaced at once: who reads the old page reads all of it
        assert list(file.parent.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with open_site(tmp_path) as site:
        site.write(GAME, b"one")

        def fail(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(site_folder.os, "replace", fail)
        with pytest.raises(LakeError, match="cannot be opened or written: No space left"):
            site.write(GAME, b"two")
    assert [file.read_bytes() for file in (tmp_path / "games").iterdir()] == [b"one"]


def test_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    folder = tmp_path / "site"
    with open_locked_site(folder) as site:
        site.write_manifest(site_folder.EMPTY)
        (folder / "index.html").symlink_to(outside / "secret")
        assert site.read("index.html") is None
        assert site.write("index.html", b"page")
        assert not (folder / "index.html").is_symlink()
        (folder / "404.html").symlink_to(outside / "secret")
        site.remove("404.html")
        (folder / "games").symlink_to(outside)
        for act in (lambda: site.write(GAME, b"page"), lambda: site.remove(GAME), lambda: site.read(GAME)):
            with pytest.raises(LakeError, match="a link or a file is where the folder would be"):
                act()
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(LakeError, match="a link or a file"), open_locked_site(tmp_path / "link"):
        pass
    assert {file.name: file.read_text() for file in outside.iterdir()} == {"secret": "secret"}


def test_a_pipe_in_the_place_of_a_page_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "index.html")
    with open_site(tmp_path) as site:
        assert site.read("index.html") is None
        assert site.write("index.html", b"page")


@pytest.mark.parametrize("name", ["index.html", GAME, ".nhl-lake-0123456789abcdef"])
def test_a_folder_in_the_place_of_a_file_is_named(name: str, tmp_path: Path):
    with open_locked_site(tmp_path) as site:
        site.write_manifest(site_folder.EMPTY)
    (tmp_path / name).mkdir(parents=True)

    def write() -> None:
        with open_locked_site(tmp_path) as site:
            assert site.hash(name) is None
            site.write(name, b"page")

    with pytest.raises(LakeError, match=f"{re.escape(name)} cannot be opened or written"):
        write()
    assert (tmp_path / name).is_dir()


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    with open_site(tmp_path) as site:
        monkeypatch.setattr(site_folder.os, "open", deny)
        with pytest.raises(LakeError, match=r"index\.html cannot be opened or written: Permission denied"):
            site.hash("index.html")


def test_a_folder_that_is_not_a_site_is_refused(tmp_path: Path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(BadInput, match="is not empty"), open_locked_site(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "holiday.jpg"]


RECORD = ["", "", []]
MANIFESTS = [
    b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"name": "another program"}',
    json.dumps({"format": site_folder.FORMAT, "made_by": "", "made_of": "", "files": {"../x": RECORD}}).encode(),
    json.dumps({"format": site_folder.FORMAT, "made_by": "", "made_of": "", "files": {"index.html": [""]}}).encode(),
    json.dumps({"format": site_folder.FORMAT, "made_by": "", "made_of": "", "files": []}).encode(),
    json.dumps({"format": "other", "made_by": "", "made_of": "", "files": {}}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", MANIFESTS)
def test_a_manifest_that_is_not_ours_is_refused(tmp_path: Path, body: bytes):
    (tmp_path / MANIFEST).write_bytes(body)
    with pytest.raises(BadInput, match="is not the manifest of a site"), open_locked_site(tmp_path):
        pass
    assert (tmp_path / MANIFEST).read_bytes() == body


records = st.builds(PageRecord, st.text(), st.text(), st.lists(st.text()).map(tuple))


@given(st.builds(Manifest, st.text(), st.text(), st.dictionaries(st.sampled_from(PATHS), records)))
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest):
    body = site_folder.format_manifest(manifest)
    assert site_folder.parse_manifest(body, Path("site")) == manifest


def test_one_build_at_a_time(tmp_path: Path):
    with open_locked_site(tmp_path), pytest.raises(LakeLocked), open_locked_site(tmp_path):
        pass


def test_drafts_of_a_killed_build_are_removed_and_other_files_stay(tmp_path: Path):
    with open_locked_site(tmp_path) as site:
        site.write(GAME, b"page")
        site.write_manifest(site_folder.EMPTY)
    others = ["CNAME", ".nhl-lake-note", "games/.nhl-lake-notes"]
    for name in [*others, ".nhl-lake-0123456789abcdef", "games/.nhl-lake-0123456789abcdef"]:
        (tmp_path / name).touch()
    with open_locked_site(tmp_path):
        left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {*others, GAME, MANIFEST}
