"""The manifest of a backup: every table at one version, its data files and its log, with their hashes.

The backup repository holds `manifests/NAME.json`, sealed with its own SHA-256 and written last, so an incomplete backup
has no manifest. File contents are at `objects/ab/abcdef…` by their SHA-256, shared by all backups.

A manifest may come from a bucket that others can write to. So its names are checked when it is read: none may lead out
of the folder of its table. With a key (NHL_LAKE_BACKUP_KEY), its HMAC-SHA-256 is checked too.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime
from pathlib import PurePosixPath

import msgspec

from nhl_lake.errors import UnreadableData

FORMAT = 1
META_NAME = "lake.meta"
TABLE_NAME = re.compile(r"[A-Za-z0-9_][\w-]*\.[A-Za-z0-9_][\w-]*", re.ASCII)
CHECKPOINT_NAME = re.compile(r"_delta_log/\d{20}\.checkpoint\.[\w.-]*parquet", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}")
UNSAFE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\:#]")  # controls, and what Windows and the staging area give a meaning
_signing_key: bytes | None = None


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a table in a backup: its name in the table's folder, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


class LogPack(msgspec.Struct, frozen=True, kw_only=True):
    """Commits `first` to `last` of a table's log, as one compressed JSON list; its size in bytes and its SHA-256."""

    first: int
    last: int
    size: int
    sha256: str


class TableBackup(msgspec.Struct, frozen=True, kw_only=True):
    """One table at one version.

    id: the Delta table's id. head: SHA-256 of the commit `version`; it tells two histories apart. keys: the key columns
    and the digest of the keys, `game_id,player_id:5-0a1b…`; "" for a table that can be rebuilt or is unknown.
    checkpoint: the checkpoint that the log starts with if older commits were cleaned up. files: the live data files.
    """

    name: str
    id: str
    version: int
    rows: int
    keys: str
    head: str
    log: tuple[LogPack, ...]
    checkpoint: tuple[StoredFile, ...]
    files: tuple[StoredFile, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup.

    number: increases with each backup of a lake, so the newest is known even if the clock was set back. of: the lake's
    location. source: the league of its pages. last_game, last_run_at: the day of the newest game with plays, and when
    the newest run began. is_consistent: whether all tables had these versions at the same time. If not, because commits
    came too fast, no table is older than the tables built from it.
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
    is_consistent: bool = msgspec.field(name="is_of_a_moment")
    tables: tuple[TableBackup, ...]
    last_game: date | None = None
    last_run_at: datetime | None = None

    @property
    def lake_id(self) -> str:
        """Return the identity of the lake: the Delta id of its first table, which is random and never changes."""
        return next((table.id for table in self.tables if table.name == META_NAME), "")

    def is_of(self, ids: Collection[str] | None) -> bool:
        """Return whether this is a backup of the lake with these table ids (None: of any lake)."""
        return ids is None or any(table.id in ids for table in self.tables)


class SealedManifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A manifest as stored: with the SHA-256 of its text and, if a key was set, its HMAC-SHA-256."""

    sha256: str
    manifest: msgspec.Raw
    hmac: str | None = None


class UntrustedManifest(UnreadableData):
    """A key is set, and a manifest is not signed with it."""


class FormatHeader(msgspec.Struct, frozen=True):
    """The field that every manifest format has."""

    format: int


def set_signing_key(key: str | None) -> None:
    """Set the key that signs and authenticates manifests in this process; None: manifests are not authenticated."""
    global _signing_key  # noqa: PLW0603 - one key for the process, like the other settings
    _signing_key = key.encode() if key else None


def has_signing_key() -> bool:
    """Return whether manifests are authenticated."""
    return _signing_key is not None


def sign_manifest(text: bytes) -> str | None:
    """Return the HMAC-SHA-256 of a manifest's text; None without a key."""
    return hmac.new(_signing_key, text, hashlib.sha256).hexdigest() if _signing_key else None


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest as sealed JSON."""
    require_safe_names(manifest, manifest.name)
    text = msgspec.json.encode(manifest)
    return msgspec.json.encode(SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text), sign_manifest(text)))


def decode_manifest(body: bytes, where: str, *, authenticate: bool = True) -> Manifest:
    """Decode a manifest; raise if it is damaged, not signed with the key, or written by a newer program."""
    try:
        sealed = msgspec.json.decode(body, type=SealedManifest)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise damaged_manifest_error(where, "its SHA-256 differs")
        if authenticate:
            require_signature(sealed, where)
        if (found := msgspec.json.decode(sealed.manifest, type=FormatHeader).format) > FORMAT:
            raise UnreadableData(
                f"The backup {where} has format {found}: a newer program created it.",
                "No changes were made. Update this program: `pip install --upgrade nhl-lake`.",
            )
        manifest = msgspec.json.decode(sealed.manifest, type=Manifest)
    except msgspec.DecodeError as error:
        raise damaged_manifest_error(where, str(error)) from error
    require_safe_names(manifest, where)
    return manifest


def require_signature(sealed: SealedManifest, where: str) -> None:
    """Raise if a key is set, and the manifest is not signed with it."""
    expected = sign_manifest(bytes(sealed.manifest))
    if expected is None or (sealed.hmac is not None and hmac.compare_digest(sealed.hmac.encode(), expected.encode())):
        return
    problem = "is not signed" if sealed.hmac is None else "is signed with another key, or was changed"
    raise UntrustedManifest(
        f"The manifest {where} {problem}.",
        "No changes were made. Use a backup that is signed with your key; without NHL_LAKE_BACKUP_KEY signatures are "
        "not checked.",
    )


def require_safe_names(manifest: Manifest, where: str) -> None:
    """Raise if a manifest names a file outside the folder of its table, or names one twice."""
    names = [table.name for table in manifest.tables]
    found = next(list_unsafe_names(manifest), None)
    if found is None and names:
        name, count = Counter(names).most_common(1)[0]
        found = f"it names the table {name} twice" if count > 1 else None
    if found is not None:
        raise UnreadableData(
            f"The manifest {where} is not safe: {found}.",
            "No changes were made. nhl-lake does not write such names: do not use this backup, and find out who wrote "
            "it.",
        )


def list_unsafe_names(manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the names, hashes and versions of a manifest."""
    for table in manifest.tables:
        if not TABLE_NAME.fullmatch(table.name):
            yield f"the name of the table {table.name!a} is not of the form layer.table"
        yield from (
            f"the name {file.name!a} in {table.name} leads out of the table's folder"
            for file in table.files
            if not is_data_file_name(file.name)
        )
        yield from (
            f"the name {file.name!a} in {table.name} is not a checkpoint's"
            for file in table.checkpoint
            if not CHECKPOINT_NAME.fullmatch(file.name)
        )
        files = Counter(file.name for file in (*table.files, *table.checkpoint))
        yield from (f"it names {name!a} in {table.name} twice" for name, count in files.items() if count > 1)
        hashes = [stored.sha256 for stored in (*table.files, *table.checkpoint)] + [pack.sha256 for pack in table.log]
        yield from (f"{sha256!a} in {table.name} is not a SHA-256" for sha256 in hashes if not SHA256.fullmatch(sha256))
        sizes = [stored.size for stored in (*table.files, *table.checkpoint)] + [pack.size for pack in table.log]
        yield from (f"a file of {table.name} has {size:,} bytes" for size in sizes if size < 0)
        yield from (
            f"the commits {pack.first} to {pack.last} of {table.name} do not exist"
            for pack in table.log
            if not 0 <= pack.first <= pack.last
        )


def is_data_file_name(name: str) -> bool:
    """Return whether a name is a relative path below a table's folder, outside its log, in normal form."""
    return is_safe_path(name) and PurePosixPath(name).parts[0] != "_delta_log"


def is_safe_path(name: str) -> bool:
    """Return whether a name is a relative path in normal form: not absolute, no `..`, nothing empty, no drive."""
    path = PurePosixPath(name)
    is_normal = bool(path.parts) and str(path) == name and not path.is_absolute()
    return is_normal and ".." not in path.parts and not UNSAFE_CHARACTERS.search(name)


def damaged_manifest_error(where: str, reason: str) -> UnreadableData:
    """Return the error for a manifest that cannot be read."""
    return UnreadableData(
        f"The manifest {where} is damaged: {reason}.",
        "Move that file away and use another backup: `nhl-lake backup list` lists them, `backup verify` checks them.",
    )
