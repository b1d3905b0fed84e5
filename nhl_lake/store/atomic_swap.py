"""Putting a lake, or one table of it, in place of what is there, which is kept beside.

A journal is written before the first step and removed after the last: whoever is killed in between leaves the old or
the new one in its place, and every command says how to finish it.
"""

import ctypes
import errno
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import msgspec
import obstore

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.store import location
from nhl_lake.store.delta import DELTA_LOG
from nhl_lake.store.location import Bucket, FileInfo, Location, parse_location

STATE_FOLDER = ".nhl-lake"
JOURNAL = f"{STATE_FOLDER}/restoring.json"
MAX_WORKERS = 16
AT_FDCWD, RENAME_EXCHANGE = -100, 2
UNSUPPORTED_ERRNOS = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


class SwapJournal(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange under way: what comes in (`new`), in which place, and where what was there is kept.

    Folders are named as seen from the journal's. inode: that of the new folder, which tells whether it is in.
    is_kept: whether all that was there has been copied (in a bucket).
    """

    command: str
    new: str
    at: str
    keep_as: str
    inode: int = 0
    is_kept: bool = False


def swap_into_place(
    new: Location, root: Location, keep_as: Location, *, lake: Location | None = None, command: str = ""
) -> None:
    """Put `new` in the place of `root`, and keep what is there as `keep_as`; `of` is the lake that a table is of."""
    at, file = locate_journal(root) if lake is None else (lake, JOURNAL)
    if isinstance(at, Path) and isinstance(root, Path) and isinstance(new, Path) and isinstance(keep_as, Path):
        if root.is_mount():
            raise BadInput(
                f"{root} is a mount point, which cannot be put aside.",
                "Set NHL_LAKE_ROOT to a folder in it, and restore there.",
            )
        above = (at / file).resolve().parent
        names = [os.path.relpath(folder.resolve(), above) for folder in (new, root, keep_as)]
        exchange = SwapJournal(command=command, new=names[0], at=names[1], keep_as=names[2], inode=new.stat().st_ino)
    else:
        exchange = SwapJournal(command=command, new=str(new), at=str(root), keep_as=str(keep_as))
    location.write_file(at, file, msgspec.json.encode(exchange))
    apply_swap(at, file, exchange)


def locate_journal(root: Location) -> tuple[Location, str]:
    """Return where the journal of a whole lake's exchange is: a folder's beside it, for the folder itself moves."""
    if isinstance(root, Path):
        folder = root.resolve()
        return folder.parent, f"{folder.name}.restoring.json"
    return root, JOURNAL


def list_journals(root: Location) -> list[tuple[Location, str]]:
    """Return where there may be a journal: that of the lake, and that of a table in it."""
    return list(dict.fromkeys([locate_journal(root), (root, JOURNAL)]))


def read_unfinished_swap(root: Location) -> SwapJournal | None:
    """Return the exchange that was begun on a lake or on a table of it, and not finished."""
    for at, file in list_journals(root):
        with suppress(FileNotFoundError, NotADirectoryError):
            return msgspec.json.decode(location.read_file(at, file), type=SwapJournal)
    return None


def require_no_unfinished_swap(root: Location) -> None:
    """Raise if an exchange was begun and not finished: what is there now may not be what stays."""
    if (exchange := read_unfinished_swap(root)) is not None:
        raise LakeError(
            f"`{exchange.command}` was stopped as it put its result in place at {root}.",
            "Nothing is lost. `nhl-lake doctor --mend` finishes it, in seconds.",
        )


def finish_swap(root: Location) -> SwapJournal | None:
    """Finish the exchange that was begun, if there is one, and return it."""
    found = None
    for at, file in list_journals(root):
        try:
            found = msgspec.json.decode(location.read_file(at, file), type=SwapJournal)
        except (FileNotFoundError, NotADirectoryError):
            continue
        apply_swap(at, file, found)
    return found


def apply_swap(at: Location, file: str, exchange: SwapJournal) -> None:
    """Do what is still to be done of an exchange, and remove its journal."""
    if isinstance(at, Path):
        new, root, keep_as = (
            (at / file).parent.joinpath(name).resolve() for name in (exchange.new, exchange.at, exchange.keep_as)
        )
        swap_folders(new, root, keep_as, inode=exchange.inode)
        location.remove_files(at, [file])
        location.fsync_paths([(at / file).parent])
        return
    new_objects, root_objects, kept_objects = map(parse_location, (exchange.new, exchange.at, exchange.keep_as))
    if not list_lake_files(new_objects):
        raise missing_source_error(new_objects, root_objects)
    if not exchange.is_kept:
        copy_objects(root_objects, kept_objects, list_lake_files(root_objects))
        location.write_file(at, file, msgspec.json.encode(msgspec.structs.replace(exchange, is_kept=True)))
    remove_objects(root_objects, list_lake_files(root_objects))
    copy_objects(new_objects, root_objects, list_lake_files(new_objects))
    location.remove_files(at, [file])
    remove_objects(new_objects, list_lake_files(new_objects))


def swap_folders(new: Path, root: Path, keep_as: Path, *, inode: int) -> None:
    """Exchange two folders in one step where the system can, and in two where it cannot; go on where it was left."""
    root.parent.mkdir(parents=True, exist_ok=True)
    if not (root.exists() and root.stat().st_ino == inode):
        if not new.exists():
            raise missing_source_error(new, root)
        if root.exists() and keep_as.exists() and not has_lake_files(root):
            shutil.rmtree(root)  # made by whoever looked for a lock, between the two steps
        if root.exists() and not try_rename_exchange(new, root):
            move_aside(root, keep_as)
        if new.exists() and not root.exists():
            new.rename(root)
    if new.exists():
        move_aside(new, keep_as)
    location.fsync_paths({root.parent, new.parent})


def missing_source_error(new: Location, root: Location) -> LakeError:
    """Return the error of an exchange that has nothing to put in place."""
    return LakeError(
        f"What was to be put in place at {root} is gone: {new}.",
        f"Nothing was moved. Remove the journal beside it ({root}.restoring.json, or {JOURNAL} in it); restore again.",
    )


def move_aside(folder: Path, keep_as: Path) -> None:
    """Keep what was there; a lock alone is not worth it."""
    if not has_lake_files(folder):
        shutil.rmtree(folder)
        return
    keep_as.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(keep_as)
    location.fsync_paths([keep_as.parent])


def try_rename_exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether the system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNSUPPORTED_ERRNOS:
        return False
    raise OSError(number, os.strerror(number), str(other))


def is_free(at: Location) -> bool:
    """Whether there is nothing in a place."""
    return not at.exists() if isinstance(at, Path) else location.is_empty(at)


def has_lake_files(folder: Path) -> bool:
    """Whether a folder holds anything but a lock."""
    return any(file.is_file() and STATE_FOLDER not in file.relative_to(folder).parts for file in folder.rglob("*"))


def list_lake_files(at: Location) -> list[FileInfo]:
    """Return the objects of a lake in a bucket, data before logs; those of its lock and journal are no part of it."""
    found = [file for file in location.list_files(at) if not file.name.startswith(f"{STATE_FOLDER}/")]
    return sorted(found, key=lambda file: (f"{DELTA_LOG}/" in file.name, file.name))


def copy_objects(source: Location, to: Location, files: Iterable[FileInfo]) -> None:
    """Copy objects within a bucket; the store does it by itself."""
    if not isinstance(source, Bucket) or not isinstance(to, Bucket) or source.bucket != to.bucket:
        raise TypeError(f"{source} and {to} are not in one bucket")
    whole = location.open_store(Bucket(source.bucket))

    def one(file: FileInfo) -> None:
        obstore.copy(whole, f"{source.prefix}/{file.name}".strip("/"), f"{to.prefix}/{file.name}".strip("/"))

    apply_in_phases(one, files)


def remove_objects(at: Location, files: Iterable[FileInfo]) -> None:
    """Remove objects, logs first: a table is gone before its data is."""
    apply_in_phases(lambda file: location.remove_files(at, [file.name]), reversed(list(files)))


def apply_in_phases(do: Callable[[FileInfo], None], files: Iterable[FileInfo]) -> None:
    """Do something to files, several at once: first all data, then all logs, or the other way round."""
    for _, some in groupby(files, key=lambda file: f"{DELTA_LOG}/" in file.name):
        with ThreadPoolExecutor(MAX_WORKERS) as pool:
            list(pool.map(do, some))
