"""Tests of the ping at the end of a run: which URL, when, and that neither its failure nor its URL gets out."""

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer

from nhl_lake.cli import options, ping
from nhl_lake.schema import ledger
from tests.support import lakes
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, use_fake_api

Cli = Callable[..., CommandResult]
SECRET = "1b5a1f2c-a-secret"


class Monitor:
    """A monitor on this machine: what it was asked, and with what it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.asked.append(self.path)
                self.send_response(monitor.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    running = Monitor()
    thread = Thread(target=running.server.serve_forever)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("code", "path"), [(0, f"/{SECRET}"), (3, f"/{SECRET}/fail"), (1, f"/{SECRET}/fail"), (130, f"/{SECRET}/fail")]
)
def test_success_requests_the_url_and_any_other_exit_code_fail(monitor: Monitor, code: int, path: str):
    with pytest.raises(typer.Exit), ping.ping_at_end(monitor.url):
        raise typer.Exit(code)
    assert monitor.asked == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_an_error_requests_fail_and_goes_on(monitor: Monitor, error: type[BaseException]):
    with pytest.raises(error), ping.ping_at_end(monitor.url):
        raise error
    assert monitor.asked == [f"/{SECRET}/fail"]


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("https://hc.example/a", "https://hc.example/a/fail"),
        ("https://hc.example/a/", "https://hc.example/a/fail"),
        ("https://hc.example/a?status=up&x=1", "https://hc.example/a/fail?status=up&x=1"),
        ("https://hc.example", "https://hc.example/fail"),
    ],
)
def test_fail_is_the_end_of_the_path(url: str, failure: str):
    assert ping.make_failure_url(url) == failure


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_monitor_that_refuses_is_named_without_its_path(
    monitor: Monitor, status: int, capsys: pytest.CaptureFixture[str]
):
    monitor.status = status
    with ping.ping_at_end(monitor.url):
        pass
    said = capsys.readouterr().err

    assert said.count("\n") == 1
    assert f"it answered {status}" in said
    assert f"http://127.0.0.1:{monitor.server.server_port}/***" in said
    assert SECRET not in said
    assert len(monitor.asked) == 1  # it is not sent elsewhere


def test_a_monitor_that_is_not_there_fails_no_run(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with ping.ping_at_end(f"http://127.0.0.1:{taken.getsockname()[1]}/{SECRET}"):
            pass
    said = capsys.readouterr().err

    assert "The monitor at http://127.0.0.1:" in said
    assert SECRET not in said


def test_a_monitor_that_never_answers_is_given_up(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ping, "TIMEOUT_S", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        ping.ping_at_end(f"http://127.0.0.1:{silent.getsockname()[1]}/"),
    ):
        pass
    assert "was not told how the run ended" in capsys.readouterr().err


def test_a_run_pings_by_option_and_setting_and_the_ledger_does_not_have_the_url(
    run_here: Cli, monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    use_fake_api(monkeypatch, FakeApi([FakeGame(1)]))
    root = tmp_path / "lake"

    def run(*words: str, **settings: str) -> CommandResult:
        monkeypatch.setattr("sys.argv", ["nhl-lake", "ingest", *words])
        return run_here("ingest", "--no-rebuild", *words, root=root, now=NOON, **settings)

    ended = [
        run("--ping", monitor.url),
        run(ping=monitor.url),
        run("--ping", monitor.url, "--since", "2199-01-01"),
        run("--dry-run", ping=monitor.url),
    ]

    assert [one.code for one in ended] == [0, 0, 2, 0]
    assert monitor.asked == [f"/{SECRET}", f"/{SECRET}", f"/{SECRET}/fail"]
    assert not any(SECRET in one.out + one.err for one in ended)
    commands = lakes.read_rows(root, ledger.RUNS)["command"].to_list()
    assert sorted(commands) == ["nhl-lake ingest", "nhl-lake ingest --ping '***'"]


def test_the_command_of_a_run_hides_the_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", ["nhl-lake", "ingest", "--ping", "https://hc.example/x", "-q", "--ping"])
    assert options.format_command_line() == "nhl-lake ingest --ping '***' -q --ping"
