"""A manifest from a shared bucket names no file outside the lake, and a key tells who wrote it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhl_lake.backup import drill, log_packs, manifest, repository, restore
from nhl_lake.backup.manifest import LogPack, Manifest, SealedManifest, StoredFile
from nhl_lake.backup.prune import RetentionPolicy, prune_backups
from nhl_lake.backup.verify import verify_backups
from nhl_lake.errors import LakeError, UnreadableData
from nhl_lake.store import location
from tests.support.backups import NOW, back_up, copy_lake, days_later, make_backup
from tests.support.commands import CommandResult
from tests.support.fake_api import SilentReport

Run = Callable[..., CommandResult]
KEY = "a key of the tests, no secret"
OUTSIDE = ["/abs/evil", "../evil", "a/../../evil", "a/./b", "a//b", "a/", "", ".", ".."]
OUTSIDE += ["a\\..\\evil", "C:evil", "a\x00b"]


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def key() -> Iterator[str]:
    """A key that is set during the test."""
    manifest.set_signing_key(KEY)
    yield KEY
    manifest.set_signing_key(None)


def write_unchecked(backups: Path, created: Manifest) -> None:
    """Write a manifest as another program may: sealed, but not checked."""
    text = msgspec.json.encode(created)
    sealed = SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))
    (backups / "manifests" / f"{created.name}.json").write_bytes(msgspec.json.encode(sealed))


def change_table(created: Manifest, **changes: Any) -> Manifest:
    """Return a manifest with changes of its first table that has files."""
    which = next(n for n, table in enumerate(created.tables) if table.files)
    tables = list(created.tables)
    tables[which] = msgspec.structs.replace(tables[which], **changes)
    return msgspec.structs.replace(created, tables=tuple(tables))


def list_outside(folder: Path) -> set[str]:
    """Return every file next to the lake and its backups."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", OUTSIDE)
def test_manifest_that_names_a_file_outside_its_table_is_refused(name: str, root: Path, backups: Path, tmp_path: Path):
    created = back_up(root, backups).manifest
    files = next(table.files for table in created.tables if table.files)
    hostile = change_table(created, files=(msgspec.structs.replace(files[0], name=name), *files[1:]))
    write_unchecked(backups, hostile)
    with pytest.raises(UnreadableData, match="is not safe"):
        repository.read_manifest(backups, created.name)
    with pytest.raises(UnreadableData, match="is not safe"):
        manifest.encode_manifest(hostile)
    (wrong,) = verify_backups(backups, [created.name], deep=True, report=SilentReport()).wrong
    assert "is not safe" in wrong.why
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../../evil.x"},
        {"name": "bronze"},
        {"name": "/abs.evil"},
        {"name": "..evil"},
        {"checkpoint": (StoredFile(name="../evil", size=1, sha256="0" * 64),)},
        {"checkpoint": (StoredFile(name="_delta_log/evil.json", size=1, sha256="0" * 64),)},
        {"files": (StoredFile(name="_delta_log/00000000000000000000.json", size=1, sha256="0" * 64),)},
        {"files": (StoredFile(name="a.parquet", size=1, sha256="../../../../evil"),)},
        {"files": (StoredFile(name="a.parquet", size=1, sha256="0" * 64),) * 2},
        {"log": (LogPack(first=-1, last=1, size=1, sha256="0" * 64),)},
        {"log": (LogPack(first=0, last=1, size=1, sha256="/abs/evil"),)},
    ],
    ids=str,
)
def test_other_names_hashes_and_versions_are_checked(changes: dict[str, Any], root: Path, backups: Path):
    created = back_up(root, backups).manifest
    write_unchecked(backups, change_table(created, **changes))
    with pytest.raises(UnreadableData, match="is not safe"):
        repository.read_manifest(backups, created.name)


def test_table_that_is_named_twice_is_refused(root: Path, backups: Path):
    created = back_up(root, backups).manifest
    write_unchecked(backups, msgspec.structs.replace(created, tables=(*created.tables, created.tables[0])))
    with pytest.raises(UnreadableData, match="twice"):
        repository.read_manifest(backups, created.name)


def test_manifest_under_another_name_is_not_the_newest_backup(root: Path, backups: Path):
    name = make_backup(root, backups)
    file = backups / "manifests" / f"{name}.json"
    file.with_name("20991231T000000Z.json").write_bytes(file.read_bytes())
    with pytest.raises(UnreadableData, match=f"the manifest of the backup '{name}'"):
        repository.require_newest_manifest(backups)


def test_log_that_names_a_file_outside_its_table_is_refused(root: Path, backups: Path, tmp_path: Path):
    created = back_up(root, backups).manifest
    table = next(table for table in created.tables if table.files)
    texts = dict(log_packs.read_packed_commits(backups, table))
    evil = tmp_path / "evil.parquet"
    for path in (str(evil), "../../../evil.parquet", f"file://{evil}", "%2e%2e/evil.parquet"):
        line = json.dumps({"add": {"path": path, "size": 1, "partitionValues": {}, "modificationTime": 0}})
        texts[table.version] += f"\n{line}".encode()
        body = log_packs.pack_commits([texts[version] for version in sorted(texts)])
        digest = hashlib.sha256(body).hexdigest()
        (backups / repository.object_name(digest)).parent.mkdir(exist_ok=True)
        (backups / repository.object_name(digest)).write_bytes(body)
        pack = LogPack(first=0, last=table.version, size=len(body), sha256=digest)
        hostile = change_table(created, log=(pack,), head=hashlib.sha256(texts[table.version]).hexdigest())
        with pytest.raises(UnreadableData, match="outside the table's folder"):
            restore.fetch_tables(backups, hostile, tmp_path / "restored")


def test_restore_writes_and_removes_nothing_behind_a_link(root: Path, backups: Path, tmp_path: Path):
    created = back_up(root, backups).manifest
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    for place in ("bronze", "bronze/schedule", "bronze/schedule/_delta_log"):
        into = tmp_path / "into" / place.replace("/", "-")
        (into / place).parent.mkdir(parents=True)
        (into / place).symlink_to(other)
        with pytest.raises(LakeError, match="symbolic link"):
            restore.fetch_tables(backups, created, into)
        assert list_outside(other) == {"notes.txt"}
    linked = tmp_path / "linked"
    linked.symlink_to(other)
    with pytest.raises(LakeError, match="symbolic link"):
        restore.fetch_tables(backups, created, linked)
    assert list_outside(other) == {"notes.txt"}


def test_restored_file_takes_the_place_of_a_link(root: Path, backups: Path, tmp_path: Path):
    created = back_up(root, backups).manifest
    table = next(table for table in created.tables if table.files)
    folder = tmp_path / "into" / table.name.replace(".", "/")
    copy = tmp_path / "copy"
    copy.write_bytes((root / table.name.replace(".", "/") / table.files[0].name).read_bytes())
    (folder / table.files[0].name).parent.mkdir(parents=True)
    (folder / table.files[0].name).symlink_to(copy)
    restore.fetch_tables(backups, created, tmp_path / "into", tables=[table])
    assert not (folder / table.files[0].name).is_symlink()
    assert copy.exists()


def test_listing_a_folder_follows_no_link(tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").write_text("")
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "b").write_text("")
    (folder / "inner" / "c#1").write_text("")
    (folder / "inner" / "link").symlink_to(tmp_path / "other")
    (folder / "file").symlink_to(tmp_path / "other" / "a")
    assert [file.name for file in location.list_files(folder)] == ["inner/b"]
    with pytest.raises(LakeError, match="symbolic link"):
        location.remove_files(folder, ["inner/link/a"])
    with pytest.raises(LakeError, match="symbolic link"):
        location.write_file(folder, "inner/link/a", b"")
    location.remove_files(folder, ["file"])  # the link, not what it leads to
    assert list_outside(tmp_path / "other") == {"a"}


def test_wrong_size_in_a_manifest_does_not_move_an_intact_object(root: Path, backups: Path):
    created = back_up(root, backups).manifest
    files = next(table.files for table in created.tables if table.files)
    write_unchecked(backups, change_table(created, files=(msgspec.structs.replace(files[0], size=1), *files[1:])))
    assert verify_backups(backups, [created.name], deep=False, report=SilentReport()).wrong
    assert (backups / repository.object_name(files[0].sha256)).exists()


def test_with_a_key_only_signed_backups_are_used(root: Path, backups: Path, tmp_path: Path, key: str):
    signed = back_up(root, backups).manifest
    assert repository.require_newest_manifest(backups) == signed
    manifest.set_signing_key(None)
    unsigned = back_up(root, backups, now=days_later(1)).manifest
    assert repository.read_manifest(backups, signed.name) == signed, "without a key a signature is not checked"
    manifest.set_signing_key(key)
    with pytest.raises(UnreadableData, match="is not signed"):
        repository.require_newest_manifest(backups)
    (wrong,) = verify_backups(backups, repository.list_backups(backups), deep=False, report=SilentReport()).wrong
    assert wrong.backup == unsigned.name
    manifest.set_signing_key("another key of the tests")
    with pytest.raises(UnreadableData, match="signed with another key, or was changed"):
        repository.read_manifest(backups, signed.name)


def test_changed_manifest_has_no_valid_signature(root: Path, backups: Path, key: str):
    created = back_up(root, backups).manifest
    file = backups / "manifests" / f"{created.name}.json"
    signature = json.loads(file.read_bytes())["hmac"]
    text = msgspec.json.encode(msgspec.structs.replace(created, of="elsewhere"))
    sealed = SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text), signature)
    file.write_bytes(msgspec.json.encode(sealed))
    with pytest.raises(UnreadableData, match="was changed"):
        repository.read_manifest(backups, created.name)


def test_signed_backup_takes_no_hash_from_an_unsigned_one(root: Path, backups: Path):
    created = back_up(root, backups).manifest
    files = next(table.files for table in created.tables if table.files)
    evil = b"e" * files[0].size
    digest = hashlib.sha256(evil).hexdigest()
    (backups / repository.object_name(digest)).parent.mkdir(exist_ok=True)
    (backups / repository.object_name(digest)).write_bytes(evil)
    write_unchecked(
        backups, change_table(created, files=(msgspec.structs.replace(files[0], sha256=digest), *files[1:]))
    )
    manifest.set_signing_key(KEY)
    try:
        again = back_up(root, backups, now=days_later(1)).manifest
        assert [table.files for table in again.tables] == [table.files for table in created.tables]
        remaining = prune_backups(backups, RetentionPolicy(1, 0, 0), now=days_later(2), command="prune").kept
        assert again.name in remaining
    finally:
        manifest.set_signing_key(None)


def test_drill_of_a_signed_backup(root: Path, backups: Path, key: str):
    created = back_up(root, backups).manifest
    assert drill.run_drill(backups, created, into=None, now=NOW, report=SilentReport()).wrong == ()


def test_commands_use_the_key_and_never_print_it(run_here: Run, root: Path, backups: Path):
    given = {"root": root, "backups": backups, "now": NOW}
    secret = "0123456789abcdef-of-the-tests"
    try:
        outputs = [run_here("backup", "create", **given)]
        refused = [
            run_here(*words, **given, backup_key=secret)
            for words in (
                ("restore", "--from-backup", "--yes"),
                ("backup", "verify", "--json"),
                ("backup", "drill"),
                ("restore", "--from-backup", "--table", "silver.plays", "--yes"),
            )
        ]
        assert [(ended.code, "is not signed" in ended.err + ended.out) for ended in refused] == [(1, True)] * 4
        outputs += [
            run_here(*words, **given, backup_key=secret)
            for words in (("backup", "create"), ("backup", "verify", "--json"), ("settings",), ("settings", "--json"))
        ]
        short = run_here("settings", **given, backup_key="tiny")
        assert short.code == 2
        assert "tiny" not in short.err
        assert all(secret not in ended.out + ended.err for ended in (*outputs, *refused))
    finally:
        manifest.set_signing_key(None)
