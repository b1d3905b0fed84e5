"""Markers and fixtures of all tests: recorded pages and their server, a lake of the league, the command line."""

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
    # Workers share few processors, and frames are small: more threads would wait for each other. The first worker has
    # all threads, as users do.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import psutil
import pytest
from filelock import FileLock
from hypothesis import settings
from typer.testing import CliRunner

from nhl_lake.cli.app import app
from nhl_lake.errors import LakeError
from tests.support import fake_api
from tests.support.browser import Browser, find_chromium
from tests.support.commands import LEAGUE_NOW, CommandResult, get_clean_environment, make_environment
from tests.support.long_tests import list_left_out
from tests.support.replay import FAR_FUTURE, Replay, make_recording_handler, select_games
from tests.support.s3_servers import any_location, bucket, moto, seaweed, start_proxy  # noqa: F401 - fixtures
from tests.support.web_hosts import web_host  # noqa: F401 - fixture

# no deadlines: a busy machine must not fail a test
settings.register_profile("suite", deadline=None)
settings.register_profile("unit", deadline=None, max_examples=20)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile("suite")

SHARED_FOLDER = Path(__file__).resolve().parents[2] / "shared"
MEMORY_DISK = Path("/dev/shm")
ROOM = 12 * 10**9
NOT_UNIT = {"tmp_path", "tmp_path_factory", "realdata", "any_location", "seaweed", "moto", "browser"}  # fixtures


# The longest files come first; otherwise one worker would end long after the others.
LONG_FILES = (
    "maintenance/test_doctor.py",
    "reports/test_pages_in_browser.py",
    "cli/test_app.py",
    "rebuild/test_run.py",
    "ingest/test_kill.py",
    "rebuild/test_executors.py",
    "ingest/test_second_looks.py",
    "ingest/test_replay_faults.py",
    "maintenance/test_faults.py",
    "ingest/test_league.py",
    "ingest/test_run.py",
    "backup/test_disaster.py",
    "cli/test_demo.py",
    "ingest/test_only_grows.py",
    "ingest/test_replay_days.py",
    "rebuild/test_dask_cluster.py",
    "maintenance/test_flips.py",
    "reports/test_site.py",
    "store/test_s3.py",
)


def pytest_configure() -> None:
    """Put the tests' folders in memory if there is room: they sync files many thousand times."""
    free = shutil.disk_usage(MEMORY_DISK).free if MEMORY_DISK.is_dir() else 0
    if min(free, psutil.virtual_memory().available) > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY_DISK))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first. Mark what `make unit` runs: all that needs no slow fixture and plays no league."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
    names = [f"{item.path.relative_to(Path(__file__).parent).as_posix()}::{item.originalname}" for item in items]
    for place in list_left_out(names):
        items[place].add_marker("soak")
    for item in items:
        is_slow = item.get_closest_marker("league") or item.get_closest_marker("soak")
        if not is_slow and NOT_UNIT.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("unit")


def pytest_sessionfinish() -> None:
    """Remove what the tests of this process share."""
    fake_api.remove_empty_tables()


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than the number of processors: some test always waits for a disk, a lock or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of pages recorded from the NHL. Without it, tests that need it are skipped."""
    folder = Path(os.environ.get("NHL_LAKE_REALDATA", SHARED_FOLDER / "realdata"))
    if not folder.is_dir():
        pytest.skip(f"no recorded pages at {folder}: set NHL_LAKE_REALDATA to their folder")
    return folder


@pytest.fixture(scope="session")
def replay_tool(realdata: Path) -> Path:
    """The program that serves the recorded pages."""
    tool = realdata.parent / "tools" / "replay.py"
    if not tool.is_file():
        pytest.skip(f"no program to serve the recorded pages at {tool}")
    return tool


@pytest.fixture(scope="session")
def replay_module(replay_tool: Path) -> ModuleType:
    """The program that serves the recorded pages, as a module."""
    spec = importlib.util.spec_from_file_location("recorded_replay", replay_tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses resolve their annotations there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def archive(realdata: Path, replay_module: ModuleType) -> Iterator[Callable[..., Any]]:
    """Return a function that returns the recorded pages of a season and capture, loaded once; `games` selects some."""
    loaded: dict[str, Any] = {}

    def pages(season: str = "20232024", capture: int | None = None, games: Iterable[int] | None = None) -> Any:
        if season not in loaded:
            loaded[season] = replay_module.Pages(realdata, [season], None)
        return select_games(loaded[season], capture, games)

    yield pages
    for found in loaded.values():
        found.spool.close()


@pytest.fixture
def replay(archive: Callable[..., Any], replay_module: ModuleType) -> Iterator[Callable[..., Replay]]:
    """Return a function that serves recorded pages in a thread, with the options of the program as keywords."""
    running: list[tuple[Any, threading.Thread]] = []

    def serve(
        *,
        season: str = "20232024",
        capture: int | None = None,
        games: Iterable[int] | None = None,
        pages: Any = None,
        as_of: str | datetime = FAR_FUTURE,
        **options: Any,
    ) -> Replay:
        args = Namespace(
            **{"latency_ms": 0, "rate": 0, "fail": 0.0, "seed": 1, "gzip": False, "log": None, **options},
            as_of=replay_module.utc(as_of) if isinstance(as_of, str) else as_of,
        )
        chosen = pages if pages is not None else archive(season, capture, games)
        found = Replay("", chosen, args)
        server = replay_module.Server(
            ("127.0.0.1", 0), make_recording_handler(replay_module.handler(chosen, args), found)
        )
        server.block_on_close = False
        server.handle_error = lambda *_: None  # killed clients break their connections
        found.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((server, thread))
        return found

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first worker makes, while the others wait. It is read-only by convention."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.is_file():
            make(root)
            done.touch()
    return root


@pytest.fixture(scope="session")
def league_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sample league that `nhl-lake demo` makes first. All workers share it: do not change it."""

    def make(root: Path) -> None:
        words = [sys.executable, "-m", "nhl_lake", "ingest", "--since", "2026-03-18", "--quiet"]
        env = get_clean_environment() | make_environment(root, "league:", LEAGUE_NOW, {})
        subprocess.run(words, env=env, cwd=root.parent, check=True)

    return make_once(tmp_path_factory, "league_lake", make)


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of five invented games that were fetched in two runs. All workers share it: do not change it."""

    def make(root: Path) -> None:
        for day in (1, 2):
            fake_api.run_ingest(root, fake_api.make_league(day), rebuilds=True)

    return make_once(tmp_path_factory, "small_lake", make)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium without network. Without one of the system's packages, tests that need it are skipped."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium is installed: `apt-get install chromium`")
    pytest.importorskip("playwright", reason="Playwright is not installed: it is one of the development tools")
    running = Browser(executable)
    yield running
    running.close()


@pytest.fixture
def start_cli(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts the command line as a process, which is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []
    folder = tmp_path / "cwd"  # has no settings file
    folder.mkdir(exist_ok=True)

    def start(
        *words: str, root: Path, api: str | None = None, now: str | datetime | None = None, **settings: object
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nhl_lake", *words],
            env=get_clean_environment() | make_environment(root, api, now, settings),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run_cli(start_cli: Callable[..., subprocess.Popen[str]]) -> Callable[..., CommandResult]:
    """Return a function that runs the command line as a process: run_cli("ingest", root=…, api=…, now=…).

    Other keywords are settings (rate=4 is NHL_LAKE_RATE). The rate is unlimited by default.
    """

    def run(*words: str, timeout_s: float = 120, **keywords: Any) -> CommandResult:
        process = start_cli(*words, **keywords)
        out, err = process.communicate(timeout=timeout_s)
        return CommandResult(process.returncode, out, err)

    return run


@pytest.fixture
def run_here() -> Callable[..., CommandResult]:
    """Return a function like run_cli that runs in this process, which saves a second of imports."""

    def run(
        *words: str, root: Path, api: str | None = None, now: str | datetime | None = None, **settings: object
    ) -> CommandResult:
        unset = dict.fromkeys(name for name in os.environ if name.startswith("NHL_LAKE_"))
        ended = CliRunner().invoke(app, words, env=unset | make_environment(root, api, now, settings))
        if isinstance(ended.exception, LakeError):
            return CommandResult(ended.exception.exit_code, ended.stdout, f"{ended.stderr}Error: {ended.exception}\n")
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return CommandResult(ended.exit_code, ended.stdout, ended.stderr)

    return run
