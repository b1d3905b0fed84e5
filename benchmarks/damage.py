"""Damage a lake in every way that the tests have, repair it as the doctor says, and print the results.

Run by hand: `python -m benchmarks.damage`. It makes a lake of the sample league, and takes some minutes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from nhl_lake.bronze import endpoints
from tests.support import damage
from tests.support.backups import NOW, copy_lake, hash_table, make_backup
from tests.support.commands import CommandResult, get_clean_environment, make_environment
from tests.support.doctor import DAMAGES, follow_advice, run_doctor

TABLE = endpoints.BOXSCORE


def run(*words: str, root: Path, now: object, backups: Path, api: str | None = None) -> CommandResult:
    env = get_clean_environment() | make_environment(root, api, str(now), {"backups": backups})
    done = subprocess.run(
        [sys.executable, "-m", "nhl_lake", *words], env=env, capture_output=True, text=True, check=False
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def outcome(hurt: damage.DamageFunction, whole: Path, backups: Path, root: Path) -> tuple[str, str, str, str]:
    copy_lake(whole, root)
    before = hash_table(root, TABLE)
    hurt(root, TABLE)
    found = run_doctor(run, root, backups, "--deep")
    first = next(one for one in found.json["found"] if one["severity"] == "damage")
    follow_advice(run, root, backups, found)
    is_well = run_doctor(run, root, backups, "--deep").code == 0
    lost = "0, refused" if not is_well else "0" if hash_table(root, TABLE) == before else "rows"
    return hurt.__name__.replace("_", " "), first["what"].replace("|", "/"), first["remedy"], lost


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole, backups = Path(folder) / "whole", Path(folder) / "backups"
        run(
            "ingest",
            "--since",
            "2025-10-07",
            "--quiet",
            root=whole,
            now=NOW.isoformat(),
            backups=backups,
            api="league:",
        )
        make_backup(whole, backups)
        print("| fault | the doctor says | and to do | data lost |\n| --- | --- | --- | --- |")
        for hurt in DAMAGES:
            print("|", " | ".join(outcome(hurt, whole, backups, Path(folder) / hurt.__name__)), "|")


if __name__ == "__main__":
    main()
