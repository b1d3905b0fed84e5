"""Recorded pages served on loopback, and ways to run the command line against them."""

import copy
import importlib.util
import json
import os
import subprocess
import sys
import threading
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

if os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
    # beside each other, on few processors and few rows, threads take a quarter of the time to wait for one another;
    # the first of the workers has them, as people do
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import pytest
from filelock import FileLock
from hypothesis import settings
from typer.testing import CliRunner

from nhl_lake.cli.app import app
from nhl_lake.errors import LakeError
from tests.support.s3_servers import any_location, bucket, moto, seaweed, start_proxy  # noqa: F401 - fixtures

settings.register_profile("untimed", deadline=None)  # a machine that does other things too is no defect
settings.load_profile("untimed")

SHARED_FOLDER = Path(__file__).resolve().parents[2] / "shared"
FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
LEAGUE_NOW = "2026-04-01T13:00:00Z"  # the morning that `league_lake` is of


def pytest_xdist_auto_num_workers() -> int:
    """One more than processors: there is always a test that waits, for a disk, a lock or a server."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The recorded pages of the real API."""
    folder = Path(os.environ.get("NHL_LAKE_REALDATA", SHARED_FOLDER / "realdata"))
    if not folder.is_dir():
        pytest.skip(f"no recorded pages at {folder} (NHL_LAKE_REALDATA says where)")
    return folder


@pytest.fixture(scope="session")
def replay_tool(realdata: Path) -> Path:
    """The program that serves them."""
    tool = realdata.parent / "tools" / "replay.py"
    if not tool.is_file():
        pytest.skip(f"no program to serve the recorded pages at {tool}")
    return tool


@pytest.fixture(scope="session")
def replay_module(replay_tool: Path) -> ModuleType:
    """That program as a module."""
    spec = importlib.util.spec_from_file_location("recorded_replay", replay_tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations as text are looked up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def archive(realdata: Path, replay_module: ModuleType) -> Iterator[Callable[..., Any]]:
    """The recorded pages of a season and capture, loaded once; with `games`, only those."""
    loaded: dict[str, Any] = {}

    def pages(season: str = "20232024", capture: int | None = None, games: Iterable[int] | None = None) -> Any:
        if season not in loaded:
            loaded[season] = replay_module.Pages(realdata, [season], None)
        return select_games(loaded[season], capture, games)

    yield pages
    for found in loaded.values():
        found.spool.close()


def select_games(pages: Any, capture: int | None, games: Iterable[int] | None) -> Any:
    """Leave some games of the recorded pages, in one capture; the pages themselves are shared."""
    some = copy.copy(pages)
    some.capture = capture
    if games is None:
        return some
    wanted = set(games)
    some.games = {number: head for number, head in pages.games.items() if number in wanted}
    some.plays = {number: place for number, place in pages.plays.items() if number in wanted}
    some.by_date = defaultdict(list)
    for head in some.games.values():
        some.by_date[head["gameDate"]].append(head)
    return some


@dataclass
class Replay:
    """A server of recorded pages: its address, its options (`args`, which may be set while it runs), what it served."""

    base_url: str
    pages: Any
    args: Namespace
    served: list[tuple[int, str]] = field(default_factory=list)  # status and path of each answer, in order
    dies_after: int | None = None  # so many answers, and every connection is cut from then on
    cut: list[str] = field(default_factory=list)  # paths that were asked for after that

    def list_served_paths(self) -> list[str]:
        """Return the paths that were answered with 200."""
        return [path for status, path in self.served if status == 200]

    def fetch_stats(self) -> dict[str, Any]:
        """Return what `/_stats` tells: requests, by_status, most_in_one_second."""
        import httpx

        return httpx.get(f"{self.base_url}/_stats").json()


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
        server.handle_error = lambda *_: None  # a client that was killed leaves its connection in the middle
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


def make_recording_handler(handler: Any, found: Replay) -> Any:
    """Make the handler note what it serves, and die when it is to."""

    class Noted(handler):
        def do_GET(self) -> None:  # noqa: N802 - the standard library's name
            if found.dies_after is not None and len(found.served) >= found.dies_after:
                found.cut.append(self.path)
                self.close_connection = True
                self.connection.close()
                return
            with suppress(OSError, ValueError):
                super().do_GET()

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def answer(self, status: int, *rest: Any, **headers: str) -> None:
            if self.path != "/_stats":
                found.served.append((status, self.path))
            super().answer(status, *rest, **headers)

    return Noted


@pytest.fixture(scope="session")
def league_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that `nhl-lake demo` makes first, made once for all workers: to be read only."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root, done = base / "league_lake", base / "league_lake.done"
    with FileLock(base / "league_lake.lock"):
        if not done.is_file():
            words = [sys.executable, "-m", "nhl_lake", "ingest", "--since", "2026-03-18", "--quiet"]
            env = get_clean_environment() | make_environment(root, "league:", LEAGUE_NOW, {})
            subprocess.run(words, env=env, cwd=base, check=True)
            done.touch()
    return root


@dataclass(frozen=True)
class CommandResult:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed, read as JSON."""
        return json.loads(self.out)


def make_environment(
    root: Path, api: str | None, now: str | datetime | None, settings: dict[str, object]
) -> dict[str, str]:
    """Return the settings of a command as environment variables; no limit of pace unless one is given."""
    chosen = {"root": root, "api": api, "now": now, "rate": 0, **settings}
    texts = {k: v.isoformat() if isinstance(v, datetime) else str(v) for k, v in chosen.items() if v is not None}
    return {f"NHL_LAKE_{name.upper()}": value for name, value in texts.items()}


def get_clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("NHL_LAKE_")}


@pytest.fixture
def start_cli(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts the command line in a process of its own; it is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []
    folder = tmp_path / "cwd"  # no settings file of the developer's is read
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
    """Return a function that runs the command line in a process of its own: run_cli("ingest", root=…, api=…, now=…).

    Other keywords are settings (rate=4 is NHL_LAKE_RATE); there is no limit of pace unless one is given.
    """

    def run(*words: str, timeout_s: float = 120, **keywords: Any) -> CommandResult:
        process = start_cli(*words, **keywords)
        out, err = process.communicate(timeout=timeout_s)
        return CommandResult(process.returncode, out, err)

    return run


@pytest.fixture
def run_here() -> Callable[..., CommandResult]:
    """Return a function like run_cli that runs in this process: a second quicker, and nothing of the process is new."""

    def run(
        *words: str, root: Path, api: str | None = None, now: str | datetime | None = None, **settings: object
    ) -> CommandResult:
        unset = dict.fromkeys(name for name in os.environ if name.startswith("NHL_LAKE_"))
        ended = CliRunner().invoke(app, words, env=unset | make_environment(root, api, now, settings))
        if isinstance(ended.exception, LakeError):
            return CommandResult(1, ended.stdout, f"{ended.stderr}Error: {ended.exception}\n")
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return CommandResult(ended.exit_code, ended.stdout, ended.stderr)

    return run
