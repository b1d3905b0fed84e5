"""Replace a lake, or one table of it, in one step. The previous version is moved aside, not deleted.

A journal is written before the first step and removed after the last. If the process is killed in between, either the
old or the new version is in place, and every command says how to finish.
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
    """A swap in progress: `new` replaces what is at `at`, and the previous version moves to `keep_as`.

    Folder paths are relative to the journal's folder. inode: the inode of the new folder; it shows whether the
    folder is in place yet. is_kept: whether the previous version has been copied completely (buckets only).
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
    """Replace what is at `root` by `new`, and move the previous version to `keep_as`.

    lake: the lake that holds the table, if only one table is swapped.
    """
    at, file = locate_journal(root) if lake is None else (lake, JOURNAL)
    if isinstance(at, Path) and isinstance(root, Path) and isinstance(new, Path) and isinstance(keep_as, Path):
        if root.is_mount():
            raise BadInput(
                f"{root} is a mount point and cannot be moved.",
                "Set NHL_LAKE_ROOT to a folder inside it, then run the restore again.",
            )
        above = (at / file).resolve().parent
        names = [os.path.relpath(folder.resolve(), above) for folder in (new, root, keep_as)]
        swap = SwapJournal(command=command, new=names[0], at=names[1], keep_as=names[2], inode=new.stat().st_ino)
    else:
        swap = SwapJournal(command=command, new=str(new), at=str(root), keep_as=str(keep_as))
    location.write_file(at, file, msgspec.json.encode(swap))
    apply_swap(at, file, swap)


def locate_journal(root: Location) -> tuple[Location, str]:
    """Return where the swap journal of a lake is. A folder's journal is next to it, because the folder itself moves."""
    if isinstance(root, Path):
        folder = root.resolve()
        return folder.parent, f"{folder.name}.restoring.json"
    return root, JOURNAL


def list_journals(root: Location) -> list[tuple[Location, str]]:
    """Return where journals may be: one for the lake, one for a table in it."""
    return list(dict.fromkeys([locate_journal(root), (root, JOURNAL)]))


def read_unfinished_swap(root: Location) -> SwapJournal | None:
    """Return the unfinished swap of a lake or of one of its tables, if there is one."""
    for at, file in list_journals(root):
        with suppress(FileNotFoundError, NotADirectoryError):
            return msgspec.json.decode(location.read_file(at, file), type=SwapJournal)
    return None


def require_no_unfinished_swap(root: Location) -> None:
    """Raise if a swap is unfinished: the current tables may not be the final ones."""
    if (swap := read_unfinished_swap(root)) is not None:
        raise LakeError(
            f"`{swap.command}` was interrupted while it replaced the lake at {root}.",
            "No data was lost. Run `nhl-lake doctor --mend` to finish; it takes seconds.",
        )


def finish_swap(root: Location) -> SwapJournal | None:
    """Finish the unfinished swap, if there is one, and return it."""
    found = None
    for at, file in list_journals(root):
        try:
            found = msgspec.json.decode(location.read_file(at, file), type=SwapJournal)
        except (FileNotFoundError, NotADirectoryError):
            continue
        apply_swap(at, file, found)
    return found


def apply_swap(at: Location, file: str, swap: SwapJournal) -> None:
    """Do the remaining steps of a swap, and remove its journal."""
    if isinstance(at, Path):
        new, root, keep_as = ((at / file).parent.joinpath(name).resolve() for name in (swap.new, swap.at, swap.keep_as))
        swap_folders(new, root, keep_as, inode=swap.inode)
        location.remove_files(at, [file])
        location.fsync_paths([(at / file).parent])
        return
    new_objects, root_objects, kept_objects = map(parse_location, (swap.new, swap.at, swap.keep_as))
    if not list_lake_files(new_objects):
        raise missing_source_error(new_objects, root_objects)
    if not swap.is_kept:
        copy_objects(root_objects, kept_objects, list_lake_files(root_objects))
        location.write_file(at, file, msgspec.json.encode(msgspec.structs.replace(swap, is_kept=True)))
    remove_objects(root_objects, list_lake_files(root_objects))
    copy_objects(new_objects, root_objects, list_lake_files(new_objects))
    location.remove_files(at, [file])
    remove_objects(new_objects, list_lake_files(new_objects))


def swap_folders(new: Path, root: Path, keep_as: Path, *, inode: int) -> None:
    """Exchange two folders: in one step if the system supports it, else in two. Continue an interrupted exchange."""
    root.parent.mkdir(parents=True, exist_ok=True)
    if not (root.exists() and root.stat().st_ino == inode):
        if not new.exists():
            raise missing_source_error(new, root)
        if root.exists() and keep_as.exists() and not has_lake_files(root):
            shutil.rmtree(root)  # another process that took the lock created it between the two steps
        if root.exists() and not try_rename_exchange(new, root):
            move_aside(root, keep_as)
        if new.exists() and not root.exists():
            new.rename(root)
    if new.exists():
        move_aside(new, keep_as)
    location.fsync_paths({root.parent, new.parent})


def missing_source_error(new: Location, root: Location) -> LakeError:
    """Return the error for a swap whose new version is missing."""
    return LakeError(
        f"The restored data for {root} is missing: {new}.",
        f"No changes were made. Delete the journal ({root}.restoring.json or {root}/{JOURNAL}), then restore again.",
    )


def move_aside(folder: Path, keep_as: Path) -> None:
    """Move the previous version aside; delete a folder that only holds a lock."""
    if not has_lake_files(folder):
        shutil.rmtree(folder)
        return
    keep_as.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(keep_as)
    location.fsync_paths([keep_as.parent])


def try_rename_exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False if the system does not support it."""
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
    """Return whether a location is empty."""
    return not at.exists() if isinstance(at, Path) else location.is_empty(at)


def has_lake_files(folder: Path) -> bool:
    """Return whether a folder holds any file except a lock."""
    return any(file.is_file() and STATE_FOLDER not in file.relative_to(folder).parts for file in folder.rglob("*"))


def list_lake_files(at: Location) -> list[FileInfo]:
    """Return the objects of a lake in a bucket, data before logs, without its lock and journal."""
    found = [file for file in location.list_files(at) if not file.name.startswith(f"{STATE_FOLDER}/")]
    return sorted(found, key=lambda file: (f"{DELTA_LOG}/" in file.name, file.name))


def copy_objects(source: Location, to: Location, files: Iterable[FileInfo]) -> None:
    """Copy objects within a bucket, on the server side."""
    if not isinstance(source, Bucket) or not isinstance(to, Bucket) or source.bucket != to.bucket:
        raise TypeError(f"{source} and {to} are not in one bucket")
    store = location.open_store(Bucket(source.bucket))

    def copy_object(file: FileInfo) -> None:
        obstore.copy(store, f"{source.prefix}/{file.name}".strip("/"), f"{to.prefix}/{file.name}".strip("/"))

    apply_in_phases(copy_object, files)


def remove_objects(at: Location, files: Iterable[FileInfo]) -> None:
    """Remove objects, logs first: a table must disappear before its data does."""
    apply_in_phases(lambda file: location.remove_files(at, [file.name]), reversed(list(files)))


def apply_in_phases(do: Callable[[FileInfo], None], files: Iterable[FileInfo]) -> None:
    """Process files in parallel: all data files, then all logs, in the order given."""
    for _, phase in groupby(files, key=lambda file: f"{DELTA_LOG}/" in file.name):
        with ThreadPoolExecutor(MAX_WORKERS) as pool:
            list(pool.map(do, phase))
