"""Read all tables of a lake with every other program that is installed, and compare rows and columns.

Together the programs take half a gigabyte, so run this by hand, in an environment of its own:

    python -m venv /tmp/readers
    /tmp/readers/bin/pip install deltalake pandas pyarrow daft datafusion
    /tmp/readers/bin/python benchmarks/readers.py data/lake
"""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deltalake import DeltaTable


def with_pandas(folder: Path) -> tuple[int, int]:
    found = DeltaTable(folder).to_pandas()
    return len(found), found.shape[1]


def with_pyarrow(folder: Path) -> tuple[int, int]:
    found = DeltaTable(folder).to_pyarrow_table()
    return found.num_rows, found.num_columns


def with_daft(folder: Path) -> tuple[int, int]:
    found = import_module("daft").read_deltalake(str(folder)).to_arrow()
    return found.num_rows, found.num_columns


def with_datafusion(folder: Path) -> tuple[int, int]:
    context = import_module("datafusion").SessionContext()
    context.register_table("asked", DeltaTable(folder))
    found = context.sql("SELECT * FROM asked").to_arrow_table()
    return found.num_rows, found.num_columns


READERS: dict[str, Callable[[Path], tuple[int, int]]] = {
    "pandas": with_pandas, "pyarrow": with_pyarrow, "daft": with_daft, "datafusion": with_datafusion,
}  # fmt: skip


def read_log(folder: Path) -> tuple[int, int]:
    """Return the number of rows in a table's log, and its columns."""
    delta = DeltaTable(folder)
    actions: Any = delta.get_add_actions(flatten=True)
    rows = sum(actions.column("num_records").to_pylist()) if actions.num_rows else 0
    return rows, len(delta.schema().fields)


def find_problems(reader: Callable[[Path], tuple[int, int]], folders: list[Path]) -> list[str]:
    """Return what went wrong when a program read some tables."""
    found = []
    for folder in folders:
        name = ".".join(folder.parts[-2:])
        try:
            read, expected = reader(folder), read_log(folder)
        except Exception as error:  # report whatever the other program raises
            found.append(f"{name}: {str(error).splitlines()[0][:150]}")
        else:
            if read != expected:
                found.append(f"{name}: rows and columns {read}, not {expected}")
    return found


def main() -> None:
    """Read every table with every program, print the results, and exit with 1 if a read failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path)
    folders = sorted(log.parent for log in parser.parse_args().lake.glob("*/*/_delta_log"))
    if not folders:
        sys.exit("There are no tables there.")
    is_well = True
    for name, reader in READERS.items():
        try:
            import_module(name)
        except ModuleNotFoundError:
            print(f"{name}: not installed")
            continue
        found = find_problems(reader, folders)
        is_well = is_well and not found
        print(f"{name} {version(name)}: {len(folders) - len(found)} of {len(folders)} tables", *found, sep="\n  ")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
