"""A Dask cluster on loopback builds the same tables as one process, whatever is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.rebuild import dask_cluster as clusters
from nhl_lake.rebuild import publish, run
from nhl_lake.rebuild.dask_cluster import open_dask_executor
from nhl_lake.rebuild.run import Resources
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, location
from nhl_lake.store.location import Bucket, Location
from tests.support.lakes import list_filled_tables
from tests.support.s3_servers import find_free_ports

pytest.importorskip("distributed", reason="no Dask here: `pip install -e '.[dev]'`")
TODAY = date(2026, 4, 1)
HOME = Path(__file__).resolve().parents[2]
PLAYS = catalog.find_table("silver.plays")


@dataclass
class Dask:
    """A scheduler and its workers, each a process with a nanny."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)


def started(*words: str, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env={**os.environ, "PYTHONPATH": str(HOME), **environment},
            cwd=log.parent,
            stdout=out,
            stderr=out,
        )


def kill_process(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children."""
    every = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
    process.kill()
    process.wait()
    for one in every:
        if one.is_running():
            one.kill()


@contextmanager
def dask(folder: Path, *, dying: bool = False, node: bool = False) -> Iterator[Dask]:
    """Start a scheduler and two workers. One of them may have to die while it writes, alone or with its nanny."""
    (port,) = find_free_ports(1)
    address, log = f"tcp://127.0.0.1:{port}", folder / "dask.log"
    with ExitStack() as running:
        quiet = ("--no-dashboard",)
        scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port), *quiet, "--no-show", log=log)
        running.callback(kill_process, scheduler)
        found = Dask(address, scheduler)
        for number in range(2):
            preload = ("--preload", "tests.support.crashing_worker") if dying and number == 0 else ()
            words = ("worker", address, "--nworkers", "1", "--nthreads", "1", *quiet)
            here = ("--local-directory", str(folder / f"worker {number}"))
            settings = {"NHL_LAKE_TEST_FLAG": str(folder / "died"), "NHL_LAKE_TEST_NODE": "yes" if node else "no"}
            found.workers.append(started(*words, *here, *preload, log=log, **settings))
            running.callback(kill_process, found.workers[-1])
        client = clusters.connect_client(address)
        client.wait_for_workers(2, timeout=60)
        client.close()
        yield found


@pytest.fixture
def lake_of_league(league_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(publish, "CHUNK_BYTES", 1)
    return Path(shutil.copytree(league_lake, tmp_path / "lake"))


def rebuild_on_cluster(root: Location, address: str, *tables: Table) -> None:
    with open_dask_executor(address, root, memory=None) as crew:
        list(run.rebuild(root, tables, day=TODAY, everything=True, resources=Resources(crew)))


def compare_lakes(root: Location, other: Path, tables: tuple[Table, ...] = catalog.BUILT_TABLES) -> None:
    for table in tables:
        mine, theirs = (delta_tables.scan_table(at, table).collect().sort(table.key) for at in (root, other))
        assert_frame_equal(mine, theirs, check_exact=True)


@pytest.mark.soak
def test_cluster_builds_every_table_as_one_process_does(lake_of_league: Path, league_lake: Path, tmp_path: Path):
    filled = list_filled_tables(league_lake)
    before = {table: delta_tables.open_table(lake_of_league, table).version() for table in filled}
    with dask(tmp_path) as found:
        rebuild_on_cluster(lake_of_league, found.address)
    compare_lakes(lake_of_league, league_lake)
    assert {
        delta_tables.open_table(lake_of_league, table).version() - version for table, version in before.items()
    } == {1}


@pytest.mark.soak
def test_cluster_builds_every_table_on_s3(bucket: Bucket, lake_of_league: Path, league_lake: Path, tmp_path: Path):
    for file in location.list_files(lake_of_league):
        location.write_file(bucket, file.name, location.read_chunks(lake_of_league, file.name))
    with dask(tmp_path) as found:
        rebuild_on_cluster(bucket, found.address)
    compare_lakes(bucket, league_lake)


@pytest.mark.parametrize("node", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["worker", "whole node"])
def test_worker_that_dies_while_writing_is_replaced(
    lake_of_league: Path, league_lake: Path, tmp_path: Path, *, node: bool
):
    tables = tuple(table for table in catalog.list_build_order() if table.layer == "silver")
    with dask(tmp_path, dying=True, node=node) as found:
        rebuild_on_cluster(lake_of_league, found.address, *tables)
    assert (tmp_path / "died").exists()
    compare_lakes(lake_of_league, league_lake, tables)
    files = {table: files_of(lake_of_league, table) for table in tables}
    halves = {table: there - live for table, (there, live) in files.items()}
    assert sum(map(len, halves.values())) > 0  # half a file lies there, and is in no commit


def files_of(root: Path, table: Table) -> tuple[set[str], set[str]]:
    """Return the data files in a table's folder, and those that commits name."""
    folder = delta_tables.locate_table(root, table)
    logs = "".join(file.read_text() for file in folder.glob("_delta_log/*.json"))
    there = {file.name for file in folder.rglob("*.parquet") if "_delta_log" not in file.parts}
    return there, {name for name in there if name in logs}


DRIVER = """
import os, signal, sys
from datetime import date
from pathlib import Path
from nhl_lake import catalog
from nhl_lake.rebuild import publish, run
from nhl_lake.rebuild.dask_cluster import open_dask_executor
publish.CHUNK_BYTES = 1
publish.publish_files = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
root, plays = Path(sys.argv[2]), catalog.find_table("silver.plays")
with open_dask_executor(sys.argv[1], root, memory=None) as executor:
    list(run.rebuild(root, [plays], day=date(2026, 4, 1), everything=True, resources=run.Resources(executor)))
"""


@pytest.mark.soak
def test_driver_killed_before_the_commit_leaves_the_table(lake_of_league: Path, league_lake: Path, tmp_path: Path):
    version = delta_tables.open_table(lake_of_league, PLAYS).version()
    with dask(tmp_path) as found:
        driver = subprocess.run(
            [sys.executable, "-c", DRIVER, found.address, str(lake_of_league)], cwd=HOME, check=False
        )
        assert driver.returncode == -signal.SIGKILL
        assert delta_tables.open_table(lake_of_league, PLAYS).version() == version
        there, live = files_of(lake_of_league, PLAYS)
        assert there - live
        compare_lakes(lake_of_league, league_lake, (PLAYS,))
        rebuild_on_cluster(lake_of_league, found.address, PLAYS)
    compare_lakes(lake_of_league, league_lake, (PLAYS,))


@pytest.mark.soak
def test_lost_scheduler_is_an_error_and_leaves_the_table(
    lake_of_league: Path, league_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    version = delta_tables.open_table(lake_of_league, PLAYS).version()
    monkeypatch.setattr(clusters, "CONNECT_TIMEOUT", "10s")
    with dask(tmp_path) as found:
        client = clusters.connect_client(found.address)
        client.submit(time.sleep, 60)  # both workers are held up, so that nothing ends before the scheduler does
        client.submit(time.sleep, 61)
        killed = kill_soon(found.scheduler)
        with pytest.raises(LakeError, match="was lost"):
            rebuild_on_cluster(lake_of_league, found.address, PLAYS)
        killed()
        client.close()
    monkeypatch.undo()
    assert delta_tables.open_table(lake_of_league, PLAYS).version() == version
    with dask(tmp_path) as found:
        rebuild_on_cluster(lake_of_league, found.address, PLAYS)
    compare_lakes(lake_of_league, league_lake, (PLAYS,))


def kill_soon(process: subprocess.Popen[bytes]) -> Callable[[], object]:
    """Kill a process after some seconds. Return the thread that does it."""
    killer = subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(6); os.kill({process.pid}, 9)"])
    return killer.wait


def test_workers_with_another_version_or_lake_are_refused(
    lake_of_league: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with dask(tmp_path) as found:
        mine = clusters.describe_environment
        monkeypatch.setattr(clusters, "describe_environment", lambda root: mine(root) | {"polars": "0.1"})
        client = clusters.connect_client(found.address)
        monkeypatch.setattr(client, "run", lambda _, root: {"worker": mine(root)})
        with pytest.raises(LakeError, match=r"The worker worker differs: polars .*, here 0\.1"):
            clusters.require_same_environment(client, found.address, lake_of_league)
        monkeypatch.setattr(client, "run", lambda _, root: {})
        with pytest.raises(LakeError, match="no workers"):
            clusters.require_same_environment(client, found.address, lake_of_league)
        client.close()


def test_missing_scheduler_is_an_error(lake_of_league: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clusters, "CONNECT_TIMEOUT", "1s")
    with (
        pytest.raises(LakeError, match="no Dask scheduler at tcp://127"),
        open_dask_executor("tcp://127.0.0.1:9", lake_of_league, memory=None),
    ):
        pass


def test_error_without_dask_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match="needs Dask"):
        clusters.connect_client("tcp://127.0.0.1:9")


def test_tls_without_certificates_says_what_is_missing(tmp_path: Path):
    with pytest.raises(BadInput, match="needs certificates") as error:
        clusters.connect_client("tls://127.0.0.1:1")
    assert "distributed.comm.tls.ca-file" in error.value.hint
    import dask

    names = ("ca-file", "client.cert", "client.key")
    missing = {f"distributed.comm.tls.{name}": str(tmp_path / "none.pem") for name in names}
    with dask.config.set(missing), pytest.raises(BadInput, match="Dask's TLS settings cannot be used"):
        clusters.connect_client("tls://127.0.0.1:1")
