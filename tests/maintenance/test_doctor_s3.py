"""The doctor and restores of a lake in a bucket: the same damage as in a folder, and what repairs it.

All tests share one lake in the bucket; each test leaves it as it was.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nhl_lake import catalog
from nhl_lake.backup import log_packs, repository, restore
from nhl_lake.bronze import endpoints
from nhl_lake.store import delta_tables, handles, location
from nhl_lake.store.delta import DELTA_LOG, commit_name, read_add_actions
from nhl_lake.store.location import Bucket
from tests.support import s3_servers
from tests.support.backups import NOW, make_backup
from tests.support.commands import CommandResult
from tests.support.s3_servers import S3Server

Run = Callable[..., CommandResult]
BOXSCORE = endpoints.BOXSCORE


@pytest.fixture(scope="module")
def backups(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backups of the league's lake, in a folder."""
    folder = tmp_path_factory.mktemp("doctor") / "backups"
    make_backup(league_lake, folder)
    return folder


@pytest.fixture(scope="module")
def root(seaweed: S3Server, backups: Path) -> Iterator[Bucket]:
    """That lake in a bucket, restored from its backup."""
    with pytest.MonkeyPatch.context() as patched:
        found = s3_servers.use_server(seaweed, patched)
        manifest = repository.require_newest_manifest(backups)
        restore.restore_lake(found, backups, manifest, now=NOW, command="nhl-lake restore", rebuilds=False)
        yield found


def digests(root: Bucket) -> dict[str, int]:
    """Return a hash of the rows of each table that does not depend on their order."""
    handles.clear_handles()
    some = (
        BOXSCORE,
        endpoints.PLAY_BY_PLAY,
        *(catalog.find_table(name) for name in ("silver.games", "gold.skater_game")),
    )
    return {
        table.name: int(delta_tables.scan_table(root, table).collect().hash_rows(seed=1).sort().hash().sum())
        for table in some
    }


def folder(root: Bucket) -> Bucket:
    return root.joinpath(*BOXSCORE.name.split("."))


def data_file(root: Bucket) -> str:
    """Return the biggest data file of the newest version."""
    return str(read_add_actions(delta_tables.open_table(root, BOXSCORE)).sort("size_bytes")["path"][-1])


def change_file(root: Bucket, name: str, how: Callable[[bytes], bytes]) -> None:
    location.write_file(folder(root), name, how(location.read_file(folder(root), name)))


def commits(root: Bucket) -> list[int]:
    return sorted(log_packs.list_log(folder(root)).commits)


def lose_a_data_file(root: Bucket) -> None:
    location.remove_files(folder(root), [data_file(root)])


def cut_a_data_file(root: Bucket) -> None:
    change_file(root, data_file(root), lambda body: body[: len(body) // 2])


def flip_a_bit(root: Bucket) -> None:
    change_file(root, data_file(root), lambda body: body[:1000] + bytes([body[1000] ^ 8]) + body[1001:])


def lose_a_log_entry(root: Bucket) -> None:
    some = commits(root)
    assert len(some) > 2, "a gap needs a commit before it and one behind"
    location.remove_files(folder(root), [commit_name(some[len(some) // 2])])


def lose_the_last_commit(root: Bucket) -> None:
    location.remove_files(folder(root), [commit_name(commits(root)[-1])])


def empty_the_last_commit(root: Bucket) -> None:
    change_file(root, commit_name(commits(root)[-1]), lambda _: b"")


def lose_the_log(root: Bucket) -> None:
    location.remove_files(folder(root), [file.name for file in location.list_files(folder(root), DELTA_LOG)])


def lose_the_folder(root: Bucket) -> None:
    location.remove_files(folder(root), [file.name for file in location.list_files(folder(root))])


def spoil_a_checkpoint(root: Bucket) -> None:
    """Overwrite the end of a checkpoint, where Parquet has its footer, without changing its length."""
    delta_tables.open_table(root, BOXSCORE).create_checkpoint()
    (name,) = log_packs.list_log(folder(root)).checkpoints[delta_tables.open_table(root, BOXSCORE).version()]
    change_file(root, f"{DELTA_LOG}/{name}", lambda body: body[:-200] + b"x" * 200)


DAMAGES = (
    lose_a_data_file,
    cut_a_data_file,
    flip_a_bit,
    lose_a_log_entry,
    lose_the_last_commit,
    empty_the_last_commit,
    spoil_a_checkpoint,
    lose_the_log,
    lose_the_folder,
)


@pytest.mark.parametrize(
    "hurt",
    [*DAMAGES[:2], *(pytest.param(hurt, marks=pytest.mark.soak) for hurt in DAMAGES[2:])],
    ids=lambda hurt: hurt.__name__,
)
def test_damage_in_a_bucket_is_named_and_repaired_as_advised(
    hurt: Callable[[Bucket], None], run_here: Run, root: Bucket, backups: Path
):
    def doctor(*words: str) -> tuple[int, list[dict[str, str]]]:
        handles.clear_handles()
        ended = run_here("doctor", "--json", "--deep", *words, root=root, now=NOW, backups=backups)
        return ended.code, [found for found in ended.json["found"] if found["severity"] == "damage"]

    before = digests(root)
    hurt(root)
    code, found = doctor()
    assert (code, {finding["where"] for finding in found}) == (1, {BOXSCORE.name})
    command = found[0]["remedy"].partition("`nhl-lake ")[2].partition("`")[0].split()
    deep = ("--deep",) if command[0] == "doctor" else ()
    assert run_here(*command, *deep, root=root, now=NOW, backups=backups).code == 0
    assert doctor() == (0, [])
    assert digests(root) == before


def test_lake_in_a_bucket_is_restored_and_the_old_one_stays(run_here: Run, root: Bucket, backups: Path):
    before = digests(root)
    for table in (BOXSCORE, catalog.find_table("silver.games")):
        at = root.joinpath(*table.name.split("."))
        location.remove_files(at, [file.name for file in location.list_files(at)])
    handles.clear_handles()
    ended = run_here("restore", "--from-backup", "--yes", "--json", root=root, now=NOW, backups=backups)
    assert ended.code == 0, ended.err
    assert digests(root) == before
    assert ended.json["kept_as"].startswith(f"{root}.before-restore-")
    assert not location.is_empty(location.parse_location(ended.json["kept_as"]))
