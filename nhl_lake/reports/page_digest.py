"""Digests of what pages show: a page whose digest is the same is not drawn again.

A digest holds for one release of this program and of Polars, and is compared with those of the same only.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.reports.sections import Section, scan_section
from nhl_lake.store.location import Location

DRAWN_BY = ("jinja2", "markupsafe", "polars")
SEED = 1


def hash_drawing() -> str:
    """Return a hash of all code and templates, and of the packages that draw: when it changes, every page is drawn."""
    home = Path(__file__).parents[1]
    files = sorted([*home.glob("**/*.py"), *home.glob("reports/templates/*"), *home.glob("gold/*.json")])
    texts = [f"{file.relative_to(home)}\0{file.read_text(encoding='utf-8')}" for file in files]
    return digest_texts(*texts, *map(version, DRAWN_BY))


def digest_texts(*texts: str) -> str:
    """Return a short digest of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]


def digest_data(data: object) -> str:
    """Return a digest of the data of a page: frames, numbers and texts, in tuples and mappings."""
    digest = hashlib.sha256()
    for part in list_parts(data):
        digest.update(part)
        digest.update(b"\0")
    return digest.hexdigest()[:20]


def list_parts(data: Any) -> Iterable[bytes]:  # noqa: ANN401 - whatever a page's data are made of
    """Yield what distinguishes some data from others. The order of rows counts."""
    if isinstance(data, pl.DataFrame):
        yield f"{data.height} {list(data.schema.items())}".encode()
        if data.width:
            yield data.hash_rows(SEED).to_numpy().tobytes()
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield repr(name).encode()
            yield from list_parts(value)
    elif isinstance(data, tuple | list):
        yield f"{len(data)}".encode()
        for value in data:
            yield from list_parts(value)
    else:
        yield repr(data).encode()


def digest_sections(root: Location, sections: Mapping[str, Section], season: int, key: str) -> dict[Any, str]:
    """Return a digest for each page of a season: of its rows of some sections, without drawing up any page.

    The order of rows does not count, but the columns by which a section sorts them do.
    """
    plans = []
    for section in sections.values():
        rows = scan_section(root, section, season, key)
        row = pl.struct(rows.collect_schema().names()).hash(SEED)
        plans.append(rows.group_by(key).agg(pl.len(), row.sum().alias("sum")))
    found: dict[Any, list[str]] = {}
    for name, sums in zip(sections, pl.collect_all(plans), strict=True):
        for page, count, total in sums.iter_rows():
            found.setdefault(page, []).append(f"{name} {count} {total}")
    return {page: digest_texts(*parts) for page, parts in found.items()}
