"""Tests of what ends a run for lack of memory or threads: two lines and a remedy, never silence, never "damaged"."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nhl_lake.cli import errors
from nhl_lake.cli.storage_errors import translate_error
from nhl_lake.errors import OutOfResources, explain_shortage
from nhl_lake.silver.teams import TEAMS
from nhl_lake.store import delta_tables

SHORTAGES = [
    MemoryError(),
    RuntimeError("can't start new thread"),
    OSError(12, "Cannot allocate memory"),
    Exception("Out of Memory Error: failed to allocate data of size 1.0 MiB"),
    Exception('failed to spawn thread: Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }'),
    Exception("memory allocation of 1048576 bytes failed"),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=str)
def test_a_shortage_is_two_lines_with_a_remedy_and_no_damage(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert errors.report_error(error) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 2
    assert "--memory" in said or "--jobs" in said
    assert "damaged" not in said
    assert isinstance(translate_error(error, f"parquet: {error}"), OutOfResources)

    def fail(*_: object) -> None:
        raise error

    delta_tables.create_tables(tmp_path, [TEAMS])
    monkeypatch.setattr(delta_tables, "open_handle", fail)
    with pytest.raises(OutOfResources):
        delta_tables.open_table(tmp_path, TEAMS)


def test_a_file_that_asks_for_more_than_any_machine_has_is_no_shortage():
    assert explain_shortage(Exception(f"memory allocation of {2**60} bytes failed")) is None
    assert explain_shortage(Exception("parquet: File out of specification")) is None


def run_ending(how: str) -> "subprocess.CompletedProcess[str]":
    """Run a program that ends in some way while the engine's output is hidden."""
    script = f"import os, signal, sys\nfrom nhl_lake.cli import errors\nwith errors.hide_engine_output():\n    {how}\n"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("os.write(2, b'memory allocation of 4096 bytes failed'); os.abort()", -signal.SIGABRT, "is out of memory"),
        (
            f"os.write(2, b'memory allocation of {2**60} bytes failed'); os.abort()",
            -signal.SIGABRT,
            f"The engine ended this run: memory allocation of {2**60} bytes failed",
        ),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "The run was killed"),
    ],
)
def test_an_engine_that_ends_the_process_does_not_do_so_without_a_word(how: str, code: int, message: str):
    ended = run_ending(how)

    assert ended.returncode == code
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 2


@pytest.mark.parametrize("how", ["pass", "sys.exit(3)", "os.write(2, b'a panic that comes as an error')"])
def test_a_process_that_ends_by_itself_says_nothing_more(how: str):
    assert run_ending(how).stderr == ""


def test_a_reader_of_the_output_sees_its_end_with_the_process():
    script = "import os, time\nfrom nhl_lake.cli import errors\n"
    script += "with errors.hide_engine_output():\n    os.close(1); time.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
