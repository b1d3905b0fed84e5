"""Damage that a disk, a power cut or a mistake does to a lake in a folder; each function damages one table.

Each takes the lake's root and a table, and returns the file or folder that it touched.
"""

import json
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from nhl_lake.schema.table import Table

DamageFunction = Callable[[Path, Table], Path]
ZSTD_FRAME = b"\x28\xb5\x2f\xfd"  # the first bytes of a compressed page


def locate_table(root: Path, table: Table) -> Path:
    return root.joinpath(*table.name.split("."))


def list_commits(root: Path, table: Table) -> list[Path]:
    """Return the commits of a table, oldest first."""
    return sorted((locate_table(root, table) / "_delta_log").glob("*.json"))


def find_biggest_data_file(root: Path, table: Table) -> Path:
    """Return the biggest data file of a table's newest version."""
    delta = DeltaTable(str(locate_table(root, table)))
    files = [locate_table(root, table) / name for name in pl.DataFrame(delta.get_add_actions(flatten=True))["path"]]
    return max(files, key=lambda file: (file.stat().st_size, file.name))


def make_checkpoint(root: Path, table: Table) -> Path:
    """Create a checkpoint, as every twentieth commit does, and return it."""
    DeltaTable(str(locate_table(root, table))).create_checkpoint()
    return max((locate_table(root, table) / "_delta_log").glob("*.checkpoint.parquet"))


def lose_a_data_file(root: Path, table: Table) -> Path:
    file = find_biggest_data_file(root, table)
    file.unlink()
    return file


def cut_a_data_file(root: Path, table: Table) -> Path:
    """Leave the first half, as an interrupted copy does."""
    file = find_biggest_data_file(root, table)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


def empty_a_data_file(root: Path, table: Table) -> Path:
    """Leave an empty file, as a power cut does if the file was not synced."""
    file = find_biggest_data_file(root, table)
    file.write_bytes(b"")
    return file


def flip_bit_in_data_file(root: Path, table: Table) -> Path:
    """Flip one bit in the middle of a data file's largest compressed page: elsewhere a bit may mean nothing."""
    file = find_biggest_data_file(root, table)
    content = file.read_bytes()
    starts = [match.start() for match in re.finditer(re.escape(ZSTD_FRAME), content)]
    # what follows the last one is mostly Parquet's indexes and footer
    length, start = max((end - start, start) for start, end in pairwise(starts))
    return flip_bit(file, (start + length / 2) / len(content))


def flip_bit(file: Path, where: float, bit: int = 3) -> Path:
    """Flip one bit of a file, at a share of its length."""
    content = bytearray(file.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    file.write_bytes(content)
    return file


def change_a_body(root: Path, table: Table) -> Path:
    """Change one letter of a page inside a readable data file, in a lake of a release that recorded no checksums."""
    shutil.rmtree(locate_table(root, table) / "_sha256")
    file = find_biggest_data_file(root, table)
    rows = pl.read_parquet(file, hive_partitioning=False)
    first = pl.int_range(pl.len()) == 0
    other = pl.when(first).then(pl.lit("X") + pl.col("body").str.slice(1)).otherwise(pl.col("body"))
    rows.with_columns(body=other).write_parquet(file)
    for commit in list_commits(root, table):
        lines = [json.loads(line) for line in commit.read_text().splitlines()]
        for line in lines:
            if line.get("add", {}).get("path", "").endswith(file.name):
                line["add"]["size"] = file.stat().st_size
        commit.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


def lose_the_folder(root: Path, table: Table) -> Path:
    shutil.rmtree(locate_table(root, table))
    return locate_table(root, table)


def lose_the_log(root: Path, table: Table) -> Path:
    found = locate_table(root, table) / "_delta_log"
    shutil.rmtree(found)
    return found


def lose_a_log_entry(root: Path, table: Table) -> Path:
    """Remove a commit from the middle of the log."""
    commits = list_commits(root, table)
    file = commits[len(commits) // 2]
    assert file != commits[-1], "a gap needs a commit behind it"
    file.unlink()
    return file


def lose_the_last_commit(root: Path, table: Table) -> Path:
    """Remove the newest commit: the table is a valid older version."""
    file = list_commits(root, table)[-1]
    file.unlink()
    return file


def empty_the_last_commit(root: Path, table: Table) -> Path:
    """Empty the newest commit, as a power cut does if the commit was not synced."""
    file = list_commits(root, table)[-1]
    file.write_bytes(b"")
    return file


def cut_the_last_commit(root: Path, table: Table) -> Path:
    file = list_commits(root, table)[-1]
    file.write_bytes(file.read_bytes()[:-50])
    return file


def lose_a_checkpoint(root: Path, table: Table) -> Path:
    """Remove the checkpoint that `_last_checkpoint` names. Every commit stays."""
    file = make_checkpoint(root, table)
    file.unlink()
    return file


def empty_a_checkpoint(root: Path, table: Table) -> Path:
    file = make_checkpoint(root, table)
    file.write_bytes(b"")
    return file


def spoil_a_checkpoint(root: Path, table: Table) -> Path:
    """Overwrite the end of a checkpoint, where Parquet has its footer, without changing its length."""
    file = make_checkpoint(root, table)
    file.write_bytes(file.read_bytes()[:-200] + b"x" * 200)
    return file


def spoil_the_checkpoint_hint(root: Path, table: Table) -> Path:
    make_checkpoint(root, table)
    file = locate_table(root, table) / "_delta_log" / "_last_checkpoint"
    file.write_text("{")
    return file


def ask_for_a_newer_protocol(root: Path, table: Table) -> Path:
    """Write a commit that requires a reader and a writer that do not exist yet."""
    last = list_commits(root, table)[-1]
    file = last.with_name(f"{int(last.stem) + 1:020d}.json")
    file.write_text(json.dumps({"protocol": {"minReaderVersion": 99, "minWriterVersion": 99}}) + "\n")
    return file


DATA_DAMAGES: tuple[DamageFunction, ...] = (
    lose_a_data_file,
    cut_a_data_file,
    empty_a_data_file,
    flip_bit_in_data_file,
    change_a_body,
)
LOG_DAMAGES: tuple[DamageFunction, ...] = (
    lose_the_log,
    lose_a_log_entry,
    empty_the_last_commit,
    cut_the_last_commit,
    lose_a_checkpoint,
    empty_a_checkpoint,
    spoil_a_checkpoint,
    spoil_the_checkpoint_hint,
    ask_for_a_newer_protocol,
)
