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
from nhl_lake.store.delta import LOG
from nhl_lake.store.location import Bucket, File, Place, place_from

OWN = ".nhl-lake"
JOURNAL = f"{OWN}/restoring.json"
COPIES_AT_ONCE = 16
AT_FDCWD, RENAME_EXCHANGE = -100, 2
CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
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


def swap(new: Place, root: Place, keep_as: Place, *, of: Place | None = None, command: str = "") -> None:
    """Put `new` in the place of `root`, and keep what is there as `keep_as`; `of` is the lake that a table is of."""
    at, file = journal(root) if of is None else (of, JOURNAL)
    if isinstance(at, Path) and isinstance(root, Path) and isinstance(new, Path) and isinstance(keep_as, Path):
        if root.is_mount():
            raise BadInput(
                f"{root} is a mount point, which cannot be put aside.",
                "Set NHL_LAKE_ROOT to a folder in it, and restore there.",
            )
        above = (at / file).resolve().parent
        names = [os.path.relpath(folder.resolve(), above) for folder in (new, root, keep_as)]
        exchange = Exchange(command=command, new=names[0], at=names[1], keep_as=names[2], inode=new.stat().st_ino)
    else:
        exchange = Exchange(command=command, new=str(new), at=str(root), keep_as=str(keep_as))
    location.write(at, file, msgspec.json.encode(exchange))
    carry_out(at, file, exchange)


def journal(root: Place) -> tuple[Place, str]:
    """Return where the journal of a whole lake's exchange is: a folder's beside it, for the folder itself moves."""
    if isinstance(root, Path):
        folder = root.resolve()
        return folder.parent, f"{folder.name}.restoring.json"
    return root, JOURNAL


def journals(root: Place) -> list[tuple[Place, str]]:
    """Return where there may be a journal: that of the lake, and that of a table in it."""
    return list(dict.fromkeys([journal(root), (root, JOURNAL)]))


def unfinished(root: Place) -> Exchange | None:
    """Return the exchange that was begun on a lake or on a table of it, and not finished."""
    for at, file in journals(root):
        with suppress(FileNotFoundError, NotADirectoryError):
            return msgspec.json.decode(location.read(at, file), type=Exchange)
    return None


def require_finished(root: Place) -> None:
    """Raise if an exchange was begun and not finished: what is there now may not be what stays."""
    if (exchange := unfinished(root)) is not None:
        raise LakeError(
            f"`{exchange.command}` was stopped as it put its result in place at {root}.",
            "Nothing is lost. `nhl-lake doctor --mend` finishes it, in seconds.",
        )


def finish(root: Place) -> Exchange | None:
    """Finish the exchange that was begun, if there is one, and return it."""
    found = None
    for at, file in journals(root):
        try:
            found = msgspec.json.decode(location.read(at, file), type=Exchange)
        except (FileNotFoundError, NotADirectoryError):
            continue
        carry_out(at, file, found)
    return found


def carry_out(at: Place, file: str, exchange: Exchange) -> None:
    """Do what is still to be done of an exchange, and remove its journal."""
    if isinstance(at, Path):
        new, root, keep_as = (
            (at / file).parent.joinpath(name).resolve() for name in (exchange.new, exchange.at, exchange.keep_as)
        )
        exchange_folders(new, root, keep_as, inode=exchange.inode)
        location.remove(at, [file])
        location.sync([(at / file).parent])
        return
    new_objects, root_objects, kept_objects = map(place_from, (exchange.new, exchange.at, exchange.keep_as))
    if not contents(new_objects):
        raise gone(new_objects, root_objects)
    if not exchange.is_kept:
        copy(root_objects, kept_objects, contents(root_objects))
        location.write(at, file, msgspec.json.encode(msgspec.structs.replace(exchange, is_kept=True)))
    drop(root_objects, contents(root_objects))
    copy(new_objects, root_objects, contents(new_objects))
    location.remove(at, [file])
    drop(new_objects, contents(new_objects))


def exchange_folders(new: Path, root: Path, keep_as: Path, *, inode: int) -> None:
    """Exchange two folders in one step where the system can, and in two where it cannot; go on where it was left."""
    root.parent.mkdir(parents=True, exist_ok=True)
    if not (root.exists() and root.stat().st_ino == inode):
        if not new.exists():
            raise gone(new, root)
        if root.exists() and keep_as.exists() and not is_worth_keeping(root):
            shutil.rmtree(root)  # made by whoever looked for a lock, between the two steps
        if root.exists() and not exchanged(new, root):
            set_aside(root, keep_as)
        if new.exists() and not root.exists():
            new.rename(root)
    if new.exists():
        set_aside(new, keep_as)
    location.sync({root.parent, new.parent})


def gone(new: Place, root: Place) -> LakeError:
    """Return the error of an exchange that has nothing to put in place."""
    return LakeError(
        f"What was to be put in place at {root} is gone: {new}.",
        f"Nothing was moved. Remove the journal beside it ({root}.restoring.json, or {JOURNAL} in it); restore again.",
    )


def set_aside(folder: Path, keep_as: Path) -> None:
    """Keep what was there; a lock alone is not worth it."""
    if not is_worth_keeping(folder):
        shutil.rmtree(folder)
        return
    keep_as.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(keep_as)
    location.sync([keep_as.parent])


def exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether the system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))


def is_free(at: Place) -> bool:
    """Whether there is nothing in a place."""
    return not at.exists() if isinstance(at, Path) else location.is_empty(at)


def is_worth_keeping(folder: Path) -> bool:
    """Whether a folder holds anything but a lock."""
    return any(file.is_file() and OWN not in file.relative_to(folder).parts for file in folder.rglob("*"))


def contents(at: Place) -> list[File]:
    """Return the objects of a lake in a bucket, data before logs; those of its lock and journal are no part of it."""
    found = [file for file in location.files(at) if not file.name.startswith(f"{OWN}/")]
    return sorted(found, key=lambda file: (f"{LOG}/" in file.name, file.name))


def copy(source: Place, to: Place, files: Iterable[File]) -> None:
    """Copy objects within a bucket; the store does it by itself."""
    if not isinstance(source, Bucket) or not isinstance(to, Bucket) or source.bucket != to.bucket:
        raise TypeError(f"{source} and {to} are not in one bucket")
    whole = location.store(Bucket(source.bucket))

    def one(file: File) -> None:
        obstore.copy(whole, f"{source.prefix}/{file.name}".strip("/"), f"{to.prefix}/{file.name}".strip("/"))

    by_turns(one, files)


def drop(at: Place, files: Iterable[File]) -> None:
    """Remove objects, logs first: a table is gone before its data is."""
    by_turns(lambda file: location.remove(at, [file.name]), reversed(list(files)))


def by_turns(do: Callable[[File], None], files: Iterable[File]) -> None:
    """Do something to files, several at once: first all data, then all logs, or the other way round."""
    for _, some in groupby(files, key=lambda file: f"{LOG}/" in file.name):
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            list(pool.map(do, some))
