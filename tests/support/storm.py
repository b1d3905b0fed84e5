"""Backups while two writers, a compaction and a vacuum change a lake: each backup is one moment of the lake."""

import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable

from nhl_lake.backup import repository, restore
from nhl_lake.backup.create import BackupSummary, create_backup
from nhl_lake.backup.pins import read_pins
from nhl_lake.backup.prune import RetentionPolicy, prune_backups
from nhl_lake.backup.verify import verify_backups
from nhl_lake.clock import make_clock
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.delta import WRITER_PROPERTIES
from tests.support import lakes
from tests.support.fake_api import NOON, FakeApi, FakeGame, SilentReport, run_ingest

# Each writer counts: turn n is a run in the ledger, then answer n. At any moment a writer has as many answers as runs,
# or one less.
WRITER = """
import sys, time
from pathlib import Path
from tests.support.storm import write_turn
root, who, until = Path(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
turn = 0
while time.monotonic() < until:
    write_turn(root, who, turn)
    turn += 1
    time.sleep(float(sys.argv[4]))
print(turn)
"""
MAINTENANCE = """
import sys, time
from pathlib import Path
from tests.support.storm import maintain_table
until = time.monotonic() + float(sys.argv[3])
count = 0
while time.monotonic() < until:
    maintain_table(Path(sys.argv[1]), sys.argv[2])
    count += 1
print(count)
"""


def write_turn(root: Path, who: str, turn: int) -> None:
    about = {"run_id": f"{who} {turn}", "command": who, "version": "", "outcome": "done", "error": None, "pages": []}
    row = {**about, "started_at": NOON, "ended_at": NOON, "rebuilt": []}
    append_row(root, ledger.RUNS, row)
    answer = {"table": who, "page": str(turn), "answer": "unchanged", "asked_at": NOON, "state": None, "run_id": "r"}
    append_row(root, ledger.ANSWERS, answer)


def append_row(root: Path, table: Table, row: dict[str, Any]) -> None:
    """Append a row. A vacuum without retention may remove its file before it is synced."""
    with suppress(FileNotFoundError):
        delta_tables.append_to_ledger(root, table, pl.DataFrame([row], schema=table.schema))


def maintain_table(root: Path, what: str) -> None:
    """Compact, or vacuum without retention what is neither in the newest version nor pinned by a backup."""
    for table in (ledger.RUNS, ledger.ANSWERS):
        delta = DeltaTable(lakes.locate_table(root, table))
        if what == "compact":
            try:
                delta.optimize.compact(writer_properties=WRITER_PROPERTIES)
            except Exception as error:  # a writer was quicker
                if "conflict" not in str(error).lower() and "commit" not in str(error).lower():
                    raise
        else:
            pinned = sorted(read_pins(root, datetime.now(UTC)).get(table.name, ())) or None
            delta.vacuum(0, enforce_retention_duration=False, dry_run=False, keep_versions=pinned)
    time.sleep(0.2)


@contextmanager
def run_writers(root: Path, seconds: float) -> Iterator[list[subprocess.Popen[str]]]:
    """Start two writers, a compaction and a vacuum on a lake, each in its own process."""
    commands = [
        (WRITER, "one", "0.05"),
        (WRITER, "other", "0.3"),
        (MAINTENANCE, "compact", ""),
        (MAINTENANCE, "vacuum", ""),
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), who, str(seconds), *([pause] if pause else [])],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for code, who, pause in commands
    ]
    try:
        yield started
    finally:
        for process in started:
            process.wait()


def count_turns(root: Path, table: Table, column: str) -> dict[str, int]:
    """Return the number of turns of each writer in a table. Each turn must be there once, in order."""
    rows = lakes.read_rows(root, table)
    key = "run_id" if table is ledger.RUNS else "page"
    found = {}
    for who in ("one", "other"):
        turns = rows.filter(pl.col(column) == who)[key].str.split(" ").list.last().cast(pl.Int64).sort()
        assert turns.to_list() == list(range(turns.len()))
        found[who] = turns.len()
    return found


def back_up_in_storm(folder: Path, seconds: float, backups: int) -> str:
    """Take backups while the lake changes, check each, and return a summary."""
    root, backup_root = folder / "lake", folder / "backups"
    run_ingest(root, FakeApi([FakeGame(1)]), rebuilds=True)
    with run_writers(root, seconds) as processes:
        until = time.monotonic() + seconds
        summaries: list[BackupSummary] = []
        while len(summaries) < backups or time.monotonic() < until - 1:
            summaries.append(
                create_backup(
                    root, backup_root, clock=make_clock(), report=SilentReport(), command="", allow_row_loss=False
                )
            )
            time.sleep(max(0.0, seconds / backups - summaries[-1].seconds) if len(summaries) < backups else 0.2)
    ended = [(process.returncode, int(process.communicate()[0])) for process in processes]
    assert [code for code, _ in ended] == [0] * 4

    seen = [check_backup(folder / f"back{number}", root, backup_root, one) for number, one in enumerate(summaries)]
    for before, after in itertools.pairwise(seen):
        assert all(before[who] <= after[who] for who in before)
    assert not verify_backups(backup_root, repository.list_backups(backup_root), deep=True, report=SilentReport()).wrong
    prune_backups(backup_root, RetentionPolicy(1, 0, 0), now=NOON, command="")
    assert not verify_backups(backup_root, repository.list_backups(backup_root), deep=True, report=SilentReport()).wrong

    turns = [count for _, count in ended]
    assert min(turns) > 3
    assert len({tuple(one.items()) for one in seen}) > 1
    moments = sum(one.manifest.is_consistent for one in summaries)
    return (
        f"{len(summaries)} backups in {seconds:.0f} s, {moments} of a moment, all restored and verified; {turns[0]} "
        f"and {turns[1]} turns of two commits by the writers, {turns[2]} compactions, {turns[3]} vacuums; "
        f"seen {seen[-1]}"
    )


def check_backup(back: Path, root: Path, backups: Path, one: BackupSummary) -> dict[str, int]:
    """Restore a backup into a folder, check that it is one moment of the lake, and return the turns in it."""
    restore.fetch_tables(backups, one.manifest, back)
    restore.verify_tables(back, one.manifest.tables)
    runs, answers = count_turns(back, ledger.RUNS, "command"), count_turns(back, ledger.ANSWERS, "table")
    if one.manifest.is_consistent:
        assert all(runs[who] - answers[who] in {0, 1} for who in runs)
    assert lakes.read_rows(back, SKATER_GAME).height == lakes.read_rows(root, SKATER_GAME).height
    shutil.rmtree(back)
    return runs
