"""Flip random bits of a lake and its backups, each in a copy, and say what became of it."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from nhl_lake.backup import repository, restore
from nhl_lake.backup.verify import verify_backups
from nhl_lake.catalog import find_table
from nhl_lake.errors import LakeError, is_panic
from nhl_lake.maintenance import doctor
from nhl_lake.schema.table import Table
from nhl_lake.store import handles
from tests.support.backups import hash_table
from tests.support.fake_api import NOON, SilentReport

KINDS = ("bronze", "silver", "gold", "lake", "log", "checksums", "backups")
COMMAND = "nhl-lake doctor --deep --mend"


class Flip(NamedTuple):
    """A flipped bit: the kind of file, the file, the bit, and what became of it.

    effect: what reading the table gave: the same rows, other rows, or an error. is_named: whether `doctor --deep` named
    the damage without any backup (for backups: whether `backup verify --deep` did). is_repaired: whether all rows that
    the backup has were there after `doctor --deep --mend` with it.
    """

    kind: str
    file: str
    bit: int
    effect: str
    is_named: bool
    is_repaired: bool


def list_targets(root: Path, backups: Path) -> dict[str, list[Path]]:
    """Return the files of a lake and its backups, by kind."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for file in sorted(root.rglob("*")):
        parts = file.relative_to(root).parts
        if not file.is_file() or file.is_symlink() or len(parts) < 3 or parts[0] == ".nhl-lake":
            continue
        kind = {"_delta_log": "log", "_sha256": "checksums"}.get(parts[2], parts[0])
        found[kind].append(file)
    found["backups"] = [
        file
        for folder in ("manifests", "objects")
        for file in sorted((backups / folder).rglob("*"))
        if file.is_file() and file.stat().st_size
    ]
    return found


def flip_random_bits(root: Path, backups: Path, workspace: Path, *, count: int, seed: int) -> Iterator[Flip]:
    """Flip one bit after another, each in a copy of the lake and its backups, and yield what became of it."""
    draw = random.Random(seed)
    targets = list_targets(root, backups)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        file = draw.choice(targets[kind])
        bit = draw.randrange(8 * file.stat().st_size)
        yield try_flip(root, backups, workspace / str(number), kind=kind, file=file, bit=bit)
        shutil.rmtree(workspace / str(number))


def try_flip(root: Path, backups: Path, workspace: Path, *, kind: str, file: Path, bit: int) -> Flip:
    """Flip one bit in a copy, and say what became of it."""
    lake, backup_copy = workspace / "lake", workspace / "backups"
    shutil.copytree(root, lake, copy_function=os.link)
    shutil.copytree(backups, backup_copy, copy_function=os.link)
    base, copy = (backups, backup_copy) if kind == "backups" else (root, lake)
    name = file.relative_to(base)
    replace_with_flipped(copy / name, bit)
    handles.clear_handles()
    if kind == "backups":
        effect, is_named, is_repaired = try_backups(root, backup_copy, workspace / "restored")
    else:
        effect, is_named, is_repaired = try_lake(root, lake, backup_copy, find_table(".".join(name.parts[:2])))
    return Flip(kind, str(name), bit, effect, is_named, is_repaired)


def replace_with_flipped(file: Path, bit: int) -> None:
    """Replace a linked file by a copy with one bit flipped; the file that it is linked to stays."""
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.unlink()
    file.write_bytes(content)


def try_lake(root: Path, lake: Path, backup_copy: Path, table: Table) -> tuple[str, bool, bool]:
    """Read the table with the flipped bit, examine the lake without backups, then repair it with them."""
    effect = read_effect(root, lake, table)
    found = doctor.examine_lake(lake, backup_copy.with_name("none"), now=NOON, deep=True)
    is_named = any(one.severity == "damage" and one.where == table.name for one in found)
    doctor.repair_lake(lake, backup_copy, now=NOON, deep=True, drop_missing_pages=False, command=COMMAND)
    handles.clear_handles()
    return effect, is_named, read_effect(root, lake, table) == "same"


def try_backups(root: Path, backup_copy: Path, into: Path) -> tuple[str, bool, bool]:
    """Restore the newest backup of which a bit was flipped: it is refused, or every row is the lake's."""
    manifest = None
    effect = "same"
    try:
        manifest = repository.require_newest_manifest(backup_copy)
        restore.fetch_tables(backup_copy, manifest, into)
        restore.verify_tables(into, manifest.tables)
    except LakeError:
        effect = "error"
    if manifest is not None and effect == "same":
        differs = [t.name for t in manifest.tables if read_effect(root, into, find_table(t.name)) != "same"]
        effect = "other" if differs else "same"
    wrong = verify_backups(backup_copy, repository.list_backups(backup_copy), deep=True, report=SilentReport()).wrong
    return effect, bool(wrong), effect != "other"


def read_effect(root: Path, lake: Path, table: Table) -> str:
    """Return whether a table of a copy has the same rows as the lake's, other rows, or cannot be read."""
    try:
        found = hash_table(lake, table)
    except BaseException as error:
        if isinstance(error, Exception) or is_panic(error):
            return "error"
        raise
    return "same" if found == hash_table(root, table) else "other"


def count_flips(flips: list[Flip]) -> pl.DataFrame:
    """Count what became of flips, by kind of file."""
    rows = pl.DataFrame(flips, schema=list(Flip._fields), orient="row")
    effect = pl.col("effect")
    return rows.group_by("kind", maintain_order=True).agg(
        flips=pl.len(),
        same=(effect == "same").sum(),
        other=(effect == "other").sum(),
        error=(effect == "error").sum(),
        named=pl.col("is_named").sum(),
        silent=((effect == "other") & ~pl.col("is_named")).sum(),
        repaired=pl.col("is_repaired").sum(),
    )
