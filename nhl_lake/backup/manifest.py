"""The manifest of a backup: every table at one version, its data files and its log, with their hashes.

The backup repository holds `manifests/NAME.json`, sealed with its own SHA-256 and written last, so an incomplete backup
has no manifest. File contents are at `objects/ab/abcdef…` by their SHA-256, shared by all backups.
"""

import hashlib
from datetime import datetime

import msgspec

from nhl_lake.errors import UnreadableData

FORMAT = 1


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

    number: increases with each backup of a repository, so the newest is known even if the clock was set back. of: the
    lake's location. source: the league of its pages. is_consistent: whether all tables had these versions at the same
    time. If not, because commits came too fast, no table is older than the tables built from it.
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


class SealedManifest(msgspec.Struct, frozen=True):
    """A manifest as stored: with the SHA-256 of its text."""

    sha256: str
    manifest: msgspec.Raw


class FormatHeader(msgspec.Struct, frozen=True):
    """The field that every manifest format has."""

    format: int


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest as sealed JSON."""
    text = msgspec.json.encode(manifest)
    return msgspec.json.encode(SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text)))


def decode_manifest(body: bytes, where: str) -> Manifest:
    """Decode a manifest; raise if it is damaged or if a newer program wrote it."""
    try:
        sealed = msgspec.json.decode(body, type=SealedManifest)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise damaged_manifest_error(where, "its SHA-256 differs")
        if (found := msgspec.json.decode(sealed.manifest, type=FormatHeader).format) > FORMAT:
            raise UnreadableData(
                f"The backup {where} has format {found}: a newer program created it.",
                "No changes were made. Update this program: `pip install --upgrade nhl-lake`.",
            )
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except msgspec.DecodeError as error:
        raise damaged_manifest_error(where, str(error)) from error


def damaged_manifest_error(where: str, reason: str) -> UnreadableData:
    """Return the error for a manifest that cannot be read."""
    return UnreadableData(
        f"The manifest {where} is damaged: {reason}.",
        "Move that file away and use another backup: `nhl-lake backup list` lists them, `backup verify` checks them.",
    )
