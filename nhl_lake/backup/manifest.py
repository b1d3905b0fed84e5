"""What a backup holds: a manifest names every table at one version, its data files and its log, with their hashes.

In the place of backups: `manifests/NAME.json`, written last, so that half a backup is never seen as one, with its own
SHA-256; what files hold is at `objects/ab/abcdef…` by its SHA-256, once for all backups.
"""

import hashlib
from datetime import datetime

import msgspec

from nhl_lake.errors import UnreadableData

FORMAT = 1


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a table as a backup holds it: its name in the table's folder, its bytes and their SHA-256."""

    name: str
    size: int
    sha256: str


class LogPack(msgspec.Struct, frozen=True, kw_only=True):
    """Commits `first` to `last` of a table's log, one JSON list of texts, compressed; its bytes and their SHA-256."""

    first: int
    last: int
    size: int
    sha256: str


class TableBackup(msgspec.Struct, frozen=True, kw_only=True):
    """One table at one version.

    id: the Delta table's own. head: SHA-256 of the commit `version`, which tells two histories apart. keys: the
    columns of its key and their digest, `game_id,player_id:5-0a1b…`; "" of a table that can be made again, and of one
    that its maker did not know.
    checkpoint: what its log begins with if older commits are gone. files: its live data files.
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
    tables: tuple[TableBackup, ...]


class SealedManifest(msgspec.Struct, frozen=True):
    """A manifest as it is written: with the SHA-256 of its own text."""

    sha256: str
    manifest: msgspec.Raw


class FormatHeader(msgspec.Struct, frozen=True):
    """What every manifest says, of whatever format."""

    format: int


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the text of a manifest."""
    text = msgspec.json.encode(manifest)
    return msgspec.json.encode(SealedManifest(hashlib.sha256(text).hexdigest(), msgspec.Raw(text)))


def decode_manifest(body: bytes, where: str) -> Manifest:
    """Read the text of a manifest; raise if it is not what was written, or of a newer program."""
    try:
        sealed = msgspec.json.decode(body, type=SealedManifest)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise damaged_manifest_error(where, "its SHA-256 differs")
        if (found := msgspec.json.decode(sealed.manifest, type=FormatHeader).format) > FORMAT:
            raise UnreadableData(
                f"The backup {where} has format {found}: it is of a newer program.",
                "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
            )
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except msgspec.DecodeError as error:
        raise damaged_manifest_error(where, str(error)) from error


def damaged_manifest_error(where: str, why: str) -> UnreadableData:
    """Return the error for a manifest that cannot be read."""
    return UnreadableData(
        f"The manifest {where} is damaged: {why}.",
        "Move that file away, and take another backup: `nhl-lake backup list` names them, `backup verify` tries them.",
    )
