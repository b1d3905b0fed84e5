"""The shape of pages: every key path, the JSON types of its values, and how often it occurs.

A path names the objects of a list by what tells them apart: `$.plays[goal].details.shotType`, `$.data[505].duration`,
`$.gameWeek[].games[OFF].winningGoalie`. So a key that only goals have is not mistaken for one that any play may have.
All languages but the default one are one key, `$.venue.(language)`: which ones a text has depends on whose name it is.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

JSON_TYPES = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null", list: "list", dict: "dict"}
DISCRIMINATOR_KEYS = ("typeDescKey", "typeCode", "gameState")
LANGUAGES = {"cs", "de", "es", "fi", "fr", "sk", "sv"}
STATE_ALIASES = {"PRE": "FUT", "CRIT": "LIVE", "OVER": "OFF", "FINAL": "OFF"}  # pages of these states look alike


class PageShape(NamedTuple):
    """The shape of a number of pages."""

    pages: int
    kinds: dict[str, set[str]]
    share: dict[str, float]  # of the pages that have the path
    always: set[str]  # paths that all objects of their kind have


def read_recorded_pages(folder: Path, kind: str, fits: Callable[[Any], bool] = lambda page: True) -> list[Any]:
    """Return the recorded pages of a kind that meet a condition."""
    pages = (json.loads(path.read_bytes()) for path in sorted((folder / kind).glob("*.json")))
    return [page for page in pages if fits(page)]


def read_archived_pages(folder: Path, season: int, every: int) -> Iterator[Any]:
    """Return every n-th play-by-play page of a recorded season."""
    with gzip.open(folder / "season-archives" / f"play-by-play_{season}.jsonl.gz") as lines:
        for number, line in enumerate(lines):
            if number % every == 0:
                yield json.loads(line)


def describe_shape(pages: Iterable[Any]) -> PageShape:
    """Return the shape of some pages."""
    kinds: dict[str, set[str]] = defaultdict(set)
    in_pages: dict[str, int] = defaultdict(int)
    objects: dict[str, int] = defaultdict(int)
    seen: dict[str, int] = defaultdict(int)
    count = 0
    for page in pages:
        count += 1
        here: set[str] = set()
        for path, value in walk_values(page, "$"):
            here.add(path)
            kinds[path].add(JSON_TYPES[type(value)])
            seen[path] += 1
            objects[path] += isinstance(value, dict)
        for path in here:
            in_pages[path] += 1
    share = {path: n / count for path, n in in_pages.items()}
    always = {
        path for path, n in seen.items() if path[-1] != "]" and path != "$" and n == objects[get_parent_path(path)]
    }
    return PageShape(count, dict(kinds), share, always)


def collect_values(pages: Iterable[Any], keys: Collection[str]) -> dict[str, set[str]]:
    """Return all values of some keys, at any depth."""
    found: dict[str, set[str]] = {key: set() for key in keys}
    for page in pages:
        for path, value in walk_values(page, "$"):
            key = path.rsplit(".", 1)[-1]
            if key in found and not isinstance(value, dict | list):
                found[key].add(str(value))
    return found


def walk_values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value of a page with its path."""
    yield path, value
    if isinstance(value, dict):
        localized = "default" in value
        for key, inner in value.items():
            yield from walk_values(inner, f"{path}.{'(language)' if localized and key in LANGUAGES else key}")
    elif isinstance(value, list):
        for inner in value:
            yield from walk_values(inner, f"{path}[{label_object(inner)}]")


def label_object(value: Any) -> str:
    """Return the value that distinguishes an object of a list from the others."""
    found = [value[key] for key in DISCRIMINATOR_KEYS if key in value] if isinstance(value, dict) else []
    return STATE_ALIASES.get(str(found[0]), str(found[0])) if found else ""


def get_parent_path(path: str) -> str:
    """Return the path of the object that has this key."""
    return path.rsplit(".", 1)[0]
