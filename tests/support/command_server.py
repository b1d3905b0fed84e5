"""A process that runs commands in forked children; each is killed, or has a full disk, from a given step on.

A step is a call that changes the disk: to make, write, cut, sync, name, link or remove a file or folder below the
watched one; Python's and the engine's alike, for `faulty.c` stands before libc. A write that is the last one is half.
"""

import ctypes
import errno
import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from deltalake import DeltaTable
from typer.testing import CliRunner

import nhl_lake
from nhl_lake.cli import errors
from nhl_lake.cli.app import app
from nhl_lake.maintenance import upgrade
from nhl_lake.schema import ledger
from nhl_lake.store.location import Location
from tests.support import fake_api
from tests.support.commands import get_clean_environment

FAULTY_SOURCE = Path(__file__).with_name("faulty.c")
PROJECT_FOLDER = Path(__file__).resolve().parents[2]
DISK_FULL = errno.ENOSPC
KILLED_CODE = -9


class CommandResult(NamedTuple):
    """The exit code of a command (KILLED_CODE), what it printed, and its number of steps if it was not killed."""

    code: int
    steps: int | None
    out: str
    err: str


@dataclass
class CommandServer:
    """Runs commands, one after the other."""

    server: subprocess.Popen[str]

    def run(
        self,
        *words: str,
        root: Path,
        watched: Path | None = None,
        at: int = 0,
        error: int = 0,
        user: int | None = None,
        layout: int | None = None,
        only: str = "",
    ) -> CommandResult:
        """Run a command, as a user if one is given, in a program that knows a later layout if one is given.

        At its step `at` (0: never) it is killed, or all steps that need room fail with `error` from there on. With
        `only` ("_delta_log/0,manifests/") those steps count that give a file a name with one of these pieces in it.
        """
        job = {
            "words": words,
            "root": str(root),
            "watched": str(watched or root.parent),
            "at": at,
            "error": error,
            "user": user,
            "layout": layout,
            "only": only,
        }
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        return CommandResult(**json.loads(self.server.stdout.readline()))


@contextmanager
def start_command_server(folder: Path) -> Iterator[CommandServer]:
    """Start a process that runs commands. `folder` is for the library and the output of commands."""
    folder.chmod(0o755)  # commands may run as another user
    library = folder / "faulty.so"
    preloaded = {}
    if can_kill():
        words = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(FAULTY_SOURCE), "-ldl"]
        subprocess.run(words, check=True)
        preloaded = {"LD_PRELOAD": str(library)}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.command_server", str(library), str(folder)],
        cwd=PROJECT_FOLDER,
        env=get_clean_environment() | {"POLARS_MAX_THREADS": "2"} | preloaded,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield CommandServer(server)
    finally:
        server.kill()
        server.communicate()


def can_kill() -> bool:
    """Return whether calls of libc can be intercepted here: this needs Linux and a C compiler."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def serve_jobs(library: Any, folder: Path) -> None:
    """Run jobs from standard input until it ends."""
    load_modules()
    for line in sys.stdin:
        print(json.dumps(run_in_child(json.loads(line), library, folder)._asdict()), flush=True)  # noqa: T201


def load_modules() -> None:
    """Import what commands import when they run: another user may not read this one's Python."""
    for module in pkgutil.walk_packages(nhl_lake.__path__, "nhl_lake."):
        if module.name != "nhl_lake.__main__":
            importlib.import_module(module.name)
    CliRunner().invoke(app, ["settings"])


def run_in_child(job: dict[str, Any], library: Any, folder: Path) -> CommandResult:
    """Run a job in a child of this process: nothing has to be imported again."""
    out, err = folder / "out", folder / "err"
    came, told = os.pipe()
    process = os.fork()
    if process == 0:
        code = 70
        try:
            os.close(came)
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            os.chdir(folder)
            if job["user"] is not None:
                os.setgroups([])
                os.setgid(job["user"])
                os.setuid(job["user"])
            os.environ.update(make_settings(Path(job["root"])))
            if job["layout"] is not None:
                pretend_layout(job["layout"])
            if library is not None:
                library.faulty_arm(job["watched"].encode(), job["at"], job["error"], job["only"].encode())
            code = run_command(job["words"], Path(job["root"]))
        except BaseException:
            traceback.print_exc()
        finally:
            steps = library.faulty_disarm() if library is not None else 0
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(told, str(steps).encode())
            os._exit(code)
    os.close(told)
    with os.fdopen(came) as pipe:
        steps = pipe.read()
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return CommandResult(code, int(steps) if steps else None, out.read_text(), err.read_text())


def pretend_layout(layout: int) -> None:
    """Pretend to be a program of a later layout, with an upgrade step that merges files."""

    def change(_: Location, new: Location) -> None:
        DeltaTable(str(new / "bronze" / "boxscore")).optimize.compact()

    ledger.LAYOUT_VERSION = layout
    upgrade.STEPS = (upgrade.UpgradeStep(layout - 1, change, upgrade.read_pages),)


def make_settings(root: Path) -> dict[str, str]:
    """Return the settings of a command. Backups are next to the lake."""
    named = {"ROOT": root, "BACKUPS": root.parent / "backups", "NOW": fake_api.NOON.isoformat()}
    return {f"NHL_LAKE_{name}": str(value) for name, value in named.items()}


def run_command(words: Sequence[str], root: Path) -> int:
    """Run a command as the command line does. `ingest` reads the tests' own fake API, which is fast."""

    def run() -> int:
        if words[0] == "ingest":
            return fake_api.run_ingest(
                root, fake_api.make_league(int(words[1])), now=fake_api.NOON, rebuilds="--no-rebuild" not in words
            ).exit_code
        sys.argv = ["nhl-lake", *words]
        try:
            app(standalone_mode=False)
        except SystemExit as left:
            return left.code if isinstance(left.code, int) else 0
        return 0

    with errors.hide_engine_output():
        return errors.run_command(run)


if __name__ == "__main__":
    serve_jobs(ctypes.CDLL(sys.argv[1]) if can_kill() else None, Path(sys.argv[2]))
