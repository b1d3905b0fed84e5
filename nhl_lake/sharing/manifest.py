"""The manifest of a publication: its tables, their files and columns, and each file's rows, bytes and SHA-256.

A publication is a folder: `manifest.json`, `index.html`, and a Parquet file for each table and season. The path of a
file follows from its table and season, so a manifest from elsewhere names no paths. All of it is checked when read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

import msgspec

from nhl_lake.bronze.limits import is_too_deep
from nhl_lake.errors import BadInput, LakeError, UnreadableData
from nhl_lake.hockey.ids import is_season
from nhl_lake.store import location
from nhl_lake.store.location import Source
from nhl_lake.text import describe_body, format_count

MANIFEST, LANDING_PAGE = "manifest.json", "index.html"
FORMAT = 1
MAX_MANIFEST_BYTES = 16 * 2**20
MAX_FILE_BYTES = 4 * 2**30
TABLE_NAME = re.compile(r"(?:silver|gold)\.[a-z][a-z0-9_]{0,62}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class PublishedColumn(msgspec.Struct, frozen=True):
    """A column of a published table: its Polars type, its unit ("" for none) and what it means."""

    name: str
    type: str
    unit: str
    description: str


class PublishedFile(msgspec.Struct, frozen=True):
    """A file of a publication: a season of a table, or a whole table without seasons (null).

    made_of: a digest of the lake's data files that it was made of; it tells the next publication what has changed.
    """

    season: int | None
    rows: int
    bytes: int
    sha256: str
    made_of: str = ""


class PublishedTable(msgspec.Struct, frozen=True):
    """A table of a publication: what a row is, the columns of its key, its columns and its files."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]
    files: tuple[PublishedFile, ...]

    @property
    def rows(self) -> int:
        """Return the rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Return the bytes of all files."""
        return sum(file.bytes for file in self.files)

    @property
    def seasons(self) -> list[int]:
        """Return the seasons that have a file, oldest first."""
        return sorted(file.season for file in self.files if file.season is not None)


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A publication.

    published_at: when its tables last changed. lake: the identity of the lake. league: whose games these are.
    data_through: the day of the last game that was played.
    """

    kind: Literal["publication of nhl-lake"] = "publication of nhl-lake"
    format: int
    made_by: str
    published_at: datetime
    lake: str
    league: str
    data_through: date | None
    tables: tuple[PublishedTable, ...]


class Header(msgspec.Struct, frozen=True):
    """What manifests of every format have."""

    kind: Literal["publication of nhl-lake"]
    format: int


def locate_file(table: str, season: int | None) -> str:
    """Return the path of a file in a publication: `gold/skater_season/2023.parquet`, `gold/xg_model.parquet`."""
    folder = table.replace(".", "/")
    return f"{folder}.parquet" if season is None else f"{folder}/{season // 10_000}.parquet"


def encode_publication(publication: Publication) -> bytes:
    """Return a manifest as JSON."""
    return msgspec.json.format(msgspec.json.encode(publication), indent=1) + b"\n"


def read_publication(source: Source) -> Publication:
    """Return the manifest of the publication at a location. Raises if there is none, or if it is not safe."""
    try:
        body = location.read_file(source, MANIFEST, max_bytes=MAX_MANIFEST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(
            f"There is no publication at {source}: it has no {MANIFEST}.",
            "Give the folder that `nhl-lake publish --to` wrote, or its address: https://host/path.",
        ) from error
    return decode_publication(body, f"{source}/{MANIFEST}")


def decode_publication(body: bytes, where: str) -> Publication:
    """Return a manifest. Raises if it is none, of a newer program, or names what no publication has."""
    try:
        if is_too_deep(body[: MAX_MANIFEST_BYTES + 1]):
            raise invalid_manifest_error(where, "it is nested too deeply")
        if msgspec.json.decode(body, type=Header).format > FORMAT:
            raise UnreadableData(
                f"{where} has a format that a newer nhl-lake wrote.", "Update: `pip install --upgrade nhl-lake`."
            )
        publication = msgspec.json.decode(body, type=Publication)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = f"it is damaged: {error}" if body.lstrip()[:1] == b"{" else describe_body(body)
        raise invalid_manifest_error(where, reason) from error
    if (problem := next(list_problems(publication), None)) is not None:
        raise invalid_manifest_error(where, problem)
    return publication


def list_problems(publication: Publication) -> Iterator[str]:
    """Yield what no manifest of this program has: other names, seasons, sizes and hashes, or one twice."""
    for name, count in Counter(table.name for table in publication.tables).items():
        if not TABLE_NAME.fullmatch(name):
            yield f"{name[:80]!a} is not the name of a table"
        if count > 1:
            yield f"it names {name} twice"
    for table in publication.tables:
        seasons = Counter(file.season for file in table.files)
        yield from (f"it has the season {season} of {table.name} twice" for season, n in seasons.items() if n > 1)
        for file in table.files:
            if file.season is not None and not is_season(file.season):
                yield f"{file.season} of {table.name} is not a season"
            if not 0 <= file.bytes <= MAX_FILE_BYTES or file.rows < 0:
                size, rows = format_count(file.bytes, "byte"), format_count(file.rows, "row")
                yield f"a file of {table.name} has {size} and {rows}"
            if not SHA256.fullmatch(file.sha256):
                yield f"{file.sha256[:80]!a} of {table.name} is not a SHA-256"


def invalid_manifest_error(where: str, problem: str) -> LakeError:
    """Return the error for something that is not the manifest of a publication."""
    return UnreadableData(
        f"{where} is not the manifest of a publication: {problem}.",
        "Is that the right address? Otherwise whoever publishes it has to publish it again, to a new folder.",
    )
