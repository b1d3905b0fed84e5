"""Running `nhl-lake doctor`, and the commands that it names."""

from collections.abc import Callable
from pathlib import Path

from tests.support import damage
from tests.support.backups import NOW
from tests.support.commands import CommandResult

Run = Callable[..., CommandResult]

DAMAGES = (*damage.DATA_DAMAGES, *damage.LOG_DAMAGES, damage.lose_the_last_commit, damage.lose_the_folder)


def run_doctor(run: Run, root: Path, backups: Path, *words: str) -> CommandResult:
    """Run `nhl-lake doctor --json`."""
    return run("doctor", "--json", *words, root=root, now=NOW, backups=backups)


def follow_advice(run: Run, root: Path, backups: Path, found: CommandResult) -> None:
    """Run the commands that the doctor names."""
    for finding in found.json["found"]:
        if finding["severity"] != "damage":
            continue
        command = finding["remedy"].partition("`nhl-lake ")[2].partition("`")[0]
        if command:
            deep = ("--deep",) if command.startswith("doctor") else ()
            run(*command.split(), *deep, root=root, now=NOW, backups=backups, api="league:")
