"""A shell for the blocks of the documents: bash, in which `nhl-lake` and `python` are forks of one loaded process.

A page has dozens of commands, and a start of Python with its imports would take a second each.
"""

import array
import importlib
import json
import os
import pkgutil
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

import nhl_lake
from nhl_lake.cli import errors
from nhl_lake.cli.app import app
from tests.support.commands import get_clean_environment

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
# These serve until they are stopped, ask for a whole season, or fit a model: tests of their own run them, and here only
# their options are checked.
ONLY_PARSED = (("site", "serve"), ("league", "serve"), ("ingest",), ("predict",), ("models", "fit"),
               ("models", "backtest"), ("demo",), ("backup", "drill"), ("rebuild",), ("site", "build"))  # fmt: skip
HARMLESS = ("cat", "cp", "head", "ls", "mkdir", "rm", "test")
PARSE_ONLY, INVALID = "PARSE_ONLY", "invalid-commands"
CLIENT = """\
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect({address!r})
job = json.dumps([{program!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
s.sendmsg([len(job).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
s.sendall(job)
os._exit(int(s.makefile().readline()))
"""


def parse_command(words: Sequence[str]) -> None:
    """Check the words of a command: its name, its options, its arguments. Raise what the command line would raise."""
    group = typer.main.get_command(app)
    context, rest = group.make_context("nhl-lake", list(words)), list(words)
    while hasattr(context.command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)


@dataclass(frozen=True)
class Shell:
    """Runs scripts of bash in a folder, in which `nhl-lake` and `python` are quick."""

    programs: Path

    def run(self, script: str, folder: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script until its first failure; settings are variables of the environment."""
        env = get_clean_environment() | {
            "PATH": str(self.programs),  # nothing else: a block must not reach the network or the machine
            "HOME": str(folder),
            "BROWSER": "true",  # `--open` opens nothing
            "COLUMNS": "120",
            "PYTHONPATH": os.pathsep.join([str(PROJECT_FOLDER), *sys.path]),
        }
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eu", "-o", "pipefail", "-c", script],
            cwd=folder, env=env | settings, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            timeout=300,
        )  # fmt: skip

    def parse(self, script: str, folder: Path) -> list[str]:
        """Check the words of each `nhl-lake` in a script, and run nothing; return the invalid commands."""
        env = {"PATH": str(self.programs), "HOME": str(folder), PARSE_ONLY: "1"}
        quiet = "command_not_found_handle() { :; }\n"
        subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-c", quiet + script],
            cwd=folder, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found = folder / INVALID
        return found.read_text().splitlines() if found.exists() else []


@contextmanager
def start_shell() -> Iterator[Shell]:
    """Start the process that runs commands, and return a shell that uses it."""
    folder = Path(tempfile.mkdtemp(prefix="shell"))  # short: the address of a socket has at most 108 characters
    address = str(folder / "s")
    programs = folder / "bin"
    programs.mkdir()
    for name in HARMLESS:
        (programs / name).symlink_to(shutil.which(name) or "/bin/false")
    for name in ("nhl-lake", "python"):
        file = programs / name
        file.write_text(f"#!{sys.executable} -SE\n{CLIENT.format(address=address, program=name)}")
        file.chmod(0o755)
    (programs / "crontab").write_text(
        '#!/bin/sh\nf="$HOME/.crontab"\n[ "$1" = -l ] && { cat "$f" 2>&- || echo no crontab >&2; exit; }\ncat > "$f"\n'
    )
    (programs / "crontab").chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.shell", str(listener.fileno())],
        cwd=PROJECT_FOLDER, env=get_clean_environment(), pass_fds=[listener.fileno()],
    )  # fmt: skip
    try:
        yield Shell(programs)
    finally:
        server.kill()
        server.wait()
        listener.close()
        shutil.rmtree(folder)


def serve(listener: socket.socket) -> None:
    """Run each job that a client sends in a fork of this process."""
    for module in pkgutil.walk_packages(nhl_lake.__path__, "nhl_lake."):
        if module.name != "nhl_lake.__main__":
            importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        size, ancillary, *_ = client.recvmsg(4, socket.CMSG_SPACE(12))
        descriptors = array.array("i", ancillary[0][2])
        job = json.loads(client.makefile("rb").read(int.from_bytes(size, "big")))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = 70
            try:
                for number, descriptor in enumerate(descriptors):
                    os.dup2(descriptor, number)
                code = run_job(*job)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                client.sendall(f"{code}\n".encode())
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
        client.close()


def run_job(program: str, words: list[str], folder: str, environment: dict[str, str]) -> int:
    """Run a command of nhl-lake, or a program in Python, and return its exit code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *words]
    if program == "python" and PARSE_ONLY in environment:
        return 0
    if program == "python":
        sys.argv = words or ["-"]
        if words[:1] == ["-c"]:
            exec(words[1], {"__name__": "__main__"})
        elif words and words[0] != "-":
            runpy.run_path(words[0], run_name="__main__")
        else:
            exec(compile(sys.stdin.read(), "<block>", "exec"), {"__name__": "__main__"})
        return 0
    is_only_parsed = any(tuple(words[: len(name)]) == name for name in ONLY_PARSED) and "--dry-run" not in words

    def run() -> int:
        try:
            if PARSE_ONLY in environment:
                record_if_invalid(words, Path(environment["HOME"]) / INVALID)
            elif is_only_parsed:
                parse_command(words)
            else:
                app(standalone_mode=False)
        except SystemExit as left:
            return left.code if isinstance(left.code, int) else 0
        return 0

    return errors.run_command(run)


def record_if_invalid(words: list[str], file: Path) -> None:
    """Append a command to a file if its words are invalid."""
    if errors.run_command(lambda: parse_command(words)):
        with file.open("a") as records:
            records.write(" ".join(["nhl-lake", *words]) + "\n")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
