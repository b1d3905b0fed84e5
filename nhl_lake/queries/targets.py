"""Where output goes: a file, a folder, an object in a bucket, or standard output. It arrives complete, or not at all.

Rows are written to a draft in a new folder that only this user can read, and the draft takes its place at the end.
"""

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from nhl_lake.errors import BadInput, LakeError, summarize_error
from nhl_lake.store import location
from nhl_lake.store.location import Bucket, Location, parse_location
from nhl_lake.store.s3_errors import explain_s3_error

STDOUT = "-"
ENDINGS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".duckdb": "duckdb", ".xlsx": "xlsx"}
ENDINGS |= dict.fromkeys((".sqlite", ".db"), "sqlite")
TEXT_FORMATS = {"csv", "json"}
DRAFT_PREFIX = ".nhl-lake-"
FULL_DISK = re.compile(r"(?i)no space left|disk is full|os error (27|28|122)\b|file too large|quota exceeded")
FULL_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FILE_WRITER_PACKAGES = {"sqlite3", "xlsxwriter"}  # these write files and read none of the lake


def parse_target(text: str) -> Location | None:
    """Return the file, folder or object that an option names; None for `-`, standard output."""
    if not text.strip():
        raise BadInput("The name of the output is empty.", "Name a file, a folder, s3://bucket/file, or - for stdout.")
    return None if text == STDOUT else parse_location(text)


def parse_folder(text: str) -> Path:
    """Return the folder or file on this machine that an option names."""
    target = parse_target(text)
    if not isinstance(target, Path):
        raise BadInput(f"{text} is not a place on this machine's disk.", "Give a path without s3:// there.")
    return target


def is_folder(target: Location) -> bool:
    """Return whether a target is a folder: one that exists, or a name without an ending."""
    if isinstance(target, Path) and target.exists():
        return target.is_dir()
    return not target.suffix


def choose_format(target: Location | None, given: str | None, formats: Sequence[str]) -> str:
    """Return the format of an output: the given one, or that of its name. A folder gets Parquet, stdout gets CSV."""
    if given is not None and given not in formats:
        raise BadInput(f"Unknown format: --format {given}.", f"Formats are {', '.join(formats)}: --format csv.")
    if target is None:
        return given or "csv"
    if is_folder(target):
        return given or "parquet"
    named = ENDINGS.get(target.suffix.lower())
    if given is None and named not in formats:
        known = ", ".join(ending for ending, form in ENDINGS.items() if form in formats)
        raise BadInput(f"Unknown ending: {target.name}.", f"Endings are {known}; or say what it is: --format csv.")
    if given is not None and named not in {None, given}:
        raise BadInput(f"--format {given} does not fit the name {target.name}.", "Change one, or leave out --format.")
    return given or str(named)


def require_new(targets: Sequence[Location], *, replace: bool) -> None:
    """Raise if one of the targets exists, unless it is a file that may be replaced."""
    for target in targets:
        if isinstance(target, Bucket):
            with explain_output_errors(target):
                is_taken = location.has_file(target.parent, target.name)
        else:
            is_taken = target.exists()
        if is_taken and isinstance(target, Path) and not target.is_file():
            raise BadInput(f"{target} exists already, and is not a file.", "Choose another name.")
        if is_taken and not replace:
            raise BadInput(f"{target} exists already.", "Choose another name, or overwrite the file with --replace.")


@contextmanager
def write_atomically(target: Location | None) -> Iterator[Path]:
    """Yield a draft to write to; it becomes the target if nothing fails. An error of writing names the target."""
    with explain_output_errors(target):
        if isinstance(target, Path):
            target.parent.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(
            prefix=DRAFT_PREFIX, dir=target.parent if isinstance(target, Path) else None, ignore_cleanup_errors=True
        )
    with folder as name, explain_output_errors(target, name):
        draft = Path(name) / (target.name if target is not None else "output")
        yield draft
        with explain_output_errors(target):
            deliver(draft, target)


def deliver(draft: Path, target: Location | None) -> None:
    """Move a finished draft to its file or bucket, or copy it to standard output."""
    if isinstance(target, Path):
        draft.replace(target)
    elif target is not None:
        location.write_file(target.parent, target.name, location.read_chunks(draft.parent, draft.name))
    else:
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextmanager
def explain_output_errors(target: Location | None, folder: str | None = None) -> Iterator[None]:
    """Raise what goes wrong with the output as that. With `folder`, errors that do not concern it pass through.

    folder: that of the draft. Rows are read while the draft is written, and the lake's errors are not the output's.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, LakeError | BrokenPipeError) or not (folder is None or is_output_error(error, folder)):
            raise
        explained = explain_s3_error(error, target)
        if explained is not None:
            raise explained from error
        raise LakeError(
            f"{target or 'Standard output'} cannot be written: {describe_output_error(error)}.",
            "The lake is unchanged, and no draft is left. Free space, change permissions, or choose another place.",
        ) from error


def is_output_error(error: Exception, folder: str) -> bool:
    """Return whether an error comes from writing a draft in a folder, and not from reading the lake."""
    text = str(error)
    return (
        type(error).__module__.partition(".")[0] in FILE_WRITER_PACKAGES
        or getattr(error, "errno", None) in FULL_DISK_ERRNOS
        or folder in text
        or FULL_DISK.search(text) is not None
    )


def describe_output_error(error: Exception) -> str:
    """Return what is wrong with an output, without the name of the draft."""
    cause = next((found for found in (error, *error.args) if isinstance(found, OSError)), None)  # xlsxwriter wraps it
    if isinstance(cause, FileExistsError):
        return "a file is where its folder would be"
    if cause is not None and cause.strerror:
        return cause.strerror
    if number := re.search(r"os error (\d+)", str(error)):
        return os.strerror(int(number[1]))
    return "the disk is full" if FULL_DISK.search(str(error)) else summarize_error(error).rstrip(".")
