"""Numbers on a page: the types that hold them, and the ranges outside of which a page is refused.

JSON bounds no number. Columns and other readers do: an id beyond their range would become another id, or nothing.
"""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from nhl_lake.errors import PageRejected

# integers in the range of their columns
Int16 = Annotated[int, Meta(ge=-(2**15), lt=2**15)]
Int32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

MAX_EXACT = 2**53 - 1  # the largest integer that every reader of JSON takes for itself
MAX_SCORE = 999
MAX_COORDINATE = 1000  # feet from the center of the ice; the rink ends at 100
Score = Annotated[int, Meta(ge=0, le=MAX_SCORE)]
Coordinate = Annotated[float, Meta(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]

RANGES = {
    **dict.fromkeys(("score", "homeScore", "awayScore", "sog", "homeSOG", "awaySOG"), (0, MAX_SCORE)),
    **dict.fromkeys(("xCoord", "yCoord"), (-MAX_COORDINATE, MAX_COORDINATE)),
}
# clocks of a game; career totals of ice time may be longer
CLOCKS = {"timeInPeriod", "timeRemaining", "startTime", "endTime", "duration", "toi"}
LONG_CLOCK = re.compile(r"\s*\d{4,}:\d\d\s*")  # a thousand minutes
# for a search in a page: each digit becomes 0, and all but the signs of numbers and clocks a space
NUMBER_SHAPES = bytes(
    ord("0") if n in b"0123456789" else ord("e") if n in b"eE" else n if n in b"-+:" else 32 for n in range(256)
)
# half of a page is small letters; without them a search takes half the time
NO_SHAPES = bytes(range(ord("a"), ord("z") + 1)).replace(b"e", b"")
LONG_SHAPES, EXPONENT, EXPONENTS = (b"0" * 16, b"0000:"), b"0e", (b"0e0", b"0e-", b"0e+")


class PlayNumbers(msgspec.Struct):
    """The numbers of a play."""

    xCoord: Coordinate | None = None
    yCoord: Coordinate | None = None
    homeScore: Score | None = None
    awayScore: Score | None = None


class NumberedPlay(msgspec.Struct):
    """A play."""

    details: PlayNumbers | None = None


class SideNumbers(msgspec.Struct):
    """The numbers of a team."""

    score: Score | None = None
    sog: Score | None = None


class GameNumbers(msgspec.Struct):
    """The scores and coordinates of a play-by-play or box score page."""

    homeTeam: SideNumbers | None = None
    awayTeam: SideNumbers | None = None
    plays: list[NumberedPlay] | None = None


def check_numbers(body: bytes, kind: type[msgspec.Struct] | None = None) -> None:
    """Raise PageRejected, with the name of the field, if a number of a page is out of range.

    `kind` has the numbers of the page that a search for long ones does not find.
    """
    if not has_odd_shape(body.translate(NUMBER_SHAPES, NO_SHAPES)):
        try:
            if kind is not None:
                msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            pass  # a number out of range, or a value of another type, which is silver's business
        else:
            return
    # slower, but it knows where it is, and reads numbers of any length
    for at, key, value in iter_numbers(json.loads(body, parse_int=read_integer)):
        if isinstance(value, str):
            raise PageRejected(f"{at} is {value.strip()[:20]!r}, longer than any clock")
        low, high = RANGES.get(key, (-MAX_EXACT, MAX_EXACT))
        if not low <= value <= high:
            raise PageRejected(f"{at} is {value:.6g}, not from {low:,} to {high:,}")


def has_odd_shape(shapes: bytes) -> bool:
    """Whether a page has a number or a clock that needs a closer look. Each search reads the page once, so few do."""
    if any(shape in shapes for shape in LONG_SHAPES):
        return True
    return EXPONENT in shapes and any(shape in shapes for shape in EXPONENTS)


def read_integer(digits: str) -> int | float:
    """Return an integer; a float instead of one that is so long that Python refuses to read it."""
    return int(digits) if len(digits) <= 300 else float(digits)


def iter_numbers(value: Any, at: str = "$", key: str = "") -> Iterator[tuple[str, str, Any]]:  # noqa: ANN401 - any JSON
    """Yield the path, key and value of each number, and of each clock of a game that is too long."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from iter_numbers(inner, f"{at}.{name}", name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from iter_numbers(inner, f"{at}[{place}]", key)
    elif isinstance(value, str):
        if key in CLOCKS and LONG_CLOCK.fullmatch(value):
            yield at, key, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield at, key, value
