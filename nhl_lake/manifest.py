"""What a backup holds: a manifest names every table at one version, its data files and its log, with their hashes.

In the place of backups: `manifests/NAME.json`, written last, so that half a backup is never seen as one; what files
hold is at `objects/ab/abcdef…` by its SHA-256, once for all backups.
"""

from datetime import datetime

import msgspec

FORMAT = 1


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a table as a backup holds it: its name in the table's folder, its bytes and their SHA-256."""

    name: str
    size: int
    sha256: str


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """Commits `first` to `last` of a table's log, one JSON list of texts, compressed; its bytes and their SHA-256."""

    first: int
    last: int
    size: int
    sha256: str


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """One table at one version.

    id: the Delta table's own. head: SHA-256 of the commit `version`, which tells two histories apart. keys: digest of
    its keys. checkpoint: what its log begins with if older commits are gone. files: its live data files.
    """

    name: str
    id: str
    version: int
    rows: int
    keys: str
    head: str
    log: tuple[Pack, ...]
    checkpoint: tuple[Stored, ...]
    files: tuple[Stored, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup.

    number: counted on with each backup of a place, so that the newest is known though a clock was set back. of: the
    lake's address. source: whose pages. is_of_a_moment: whether all tables had these versions at one moment; if not,
    because commits came too fast, no table is older than what is made of it.
    """

    format: int
    number: int
    name: str
    made_at: datetime
    of: str
    layout: int
    source: str
    made_by: str
    code: str
    is_of_a_moment: bool
    tables: tuple[Saved, ...]
