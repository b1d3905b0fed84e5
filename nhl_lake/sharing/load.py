"""Load a table of a publication: from a folder, a bucket or a web host, checked against its manifest."""

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches

import polars as pl

from nhl_lake.errors import BadInput, UnreadableData
from nhl_lake.hockey.ids import is_season, make_season_id
from nhl_lake.sharing.manifest import Publication, PublishedFile, PublishedTable, locate_file, read_publication
from nhl_lake.store import location
from nhl_lake.store.location import Source
from nhl_lake.store.website import MAX_CONNECTIONS, FileTooLarge

MAX_NAMES_SHOWN = 12


class FileDiffers(Exception):
    """A file is missing, or is not the one that the manifest names."""


def load_table(source: Source, name: str, seasons: int | Sequence[int] | None) -> pl.LazyFrame:
    """Load a table, whole or some seasons.

    A publication may be replaced while it is read. Then it is read once more.
    """
    publication = read_publication(source)
    try:
        return fetch_table(source, publication, name, seasons)
    except FileDiffers as error:
        newer = read_publication(source)
        if newer == publication:
            raise damaged_file_error(source, error) from error
    try:
        return fetch_table(source, newer, name, seasons)
    except FileDiffers as error:
        raise damaged_file_error(source, error) from error


def damaged_file_error(source: Source, error: FileDiffers) -> UnreadableData:
    """Return the error for a file that differs from the manifest."""
    return UnreadableData(
        f"{source}/{error}.",
        "If it is being published just now, try again in a minute. Otherwise it has to be published again: "
        "`nhl-lake publish` repairs it.",
    )


def fetch_table(
    source: Source, publication: Publication, name: str, seasons: int | Sequence[int] | None
) -> pl.LazyFrame:
    """Return the rows of a table's files, which are held in memory as they came. Raises FileDiffers."""
    table = find_table(source, publication, name)
    files = select_files(table, seasons)
    with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
        bodies = list(pool.map(lambda file: fetch_file(source, table, file), files))
    return pl.concat(pl.scan_parquet(io.BytesIO(body)) for body in bodies)


def fetch_file(source: Source, table: PublishedTable, file: PublishedFile) -> bytes:
    """Return the bytes of a file; raise FileDiffers if they are not those of the manifest."""
    path = locate_file(table.name, file.season)
    try:
        body = b"".join(location.read_chunks(source, path, size=file.bytes))
    except FileNotFoundError as error:
        raise FileDiffers(f"{path} is missing") from error
    except FileTooLarge as error:
        raise FileDiffers(f"{path} is larger than the manifest says") from error
    if hashlib.sha256(body).hexdigest() != file.sha256:
        raise FileDiffers(f"{path} is damaged: its SHA-256 differs from the manifest's")
    return body


def find_table(source: Source, publication: Publication, name: str) -> PublishedTable:
    """Return a table by its name; suggest a similar name if there is none."""
    tables = {table.name: table for table in publication.tables}
    if name in tables:
        return tables[name]
    similar = get_close_matches(name, tables, n=1, cutoff=0.4)
    listed = ", ".join(list(tables)[:MAX_NAMES_SHOWN]) + (" …" if len(tables) > MAX_NAMES_SHOWN else "")
    raise BadInput(
        f"The publication at {source} has no table {name!a}.",
        f"Did you mean '{similar[0]}'?" if similar else f"It has {listed or 'no tables'}.",
    )


def select_files(table: PublishedTable, seasons: int | Sequence[int] | None) -> list[PublishedFile]:
    """Return the files of some seasons of a table, or all."""
    files = {file.season: file for file in table.files}
    if seasons is None:
        chosen = sorted(files, key=lambda season: season or 0)
    else:
        chosen = [parse_season(season) for season in ([seasons] if isinstance(seasons, int) else seasons)]
        if None in files:
            raise BadInput(f"{table.name} has no seasons: it is one file.", "Leave out season=.")
    missing = next((season for season in chosen if season not in files), None)
    if missing is not None or not chosen:
        years = ", ".join(str(season // 10_000) for season in table.seasons)
        what = "no rows" if missing is None else f"no season {missing // 10_000}"
        raise BadInput(f"{table.name} has {what} there.", f"It has {years or 'no season'}.")
    return [files[season] for season in dict.fromkeys(chosen)]


def parse_season(number: int) -> int:
    """Return the season that starts in a year. Also accept 20232024."""
    season = number if number > 10_000 else make_season_id(number)
    if not is_season(season):
        raise BadInput(f"{number} is not a season.", "Give the year in which it begins: season=2023 is 2023-24.")
    return season


def list_files(source: Source) -> pl.DataFrame:
    """Return one row per file of a publication: table, season, rows, bytes, sha256."""
    schema = {"table": pl.String, "season": pl.Int32, "rows": pl.Int64, "bytes": pl.Int64, "sha256": pl.String}
    found = [
        (table.name, file.season, file.rows, file.bytes, file.sha256)
        for table in read_publication(source).tables
        for file in table.files
    ]
    return pl.DataFrame(found, schema=schema, orient="row")
