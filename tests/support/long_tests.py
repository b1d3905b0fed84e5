"""Tests that take long, by `tests/long_tests.txt`: which of their parameter sets the suite leaves to `make soak`."""

from collections.abc import Sequence
from pathlib import Path

FILE = Path(__file__).parents[1] / "long_tests.txt"


def read_long_tests() -> dict[str, int]:
    """Return of how many parameter sets each long test runs in the suite, by the test's id without parameters."""
    lines = (line.split() for line in FILE.read_text().splitlines() if not line.startswith("#"))
    return {name: int(count) for count, name in lines}


def choose_spread(length: int, count: int) -> set[int]:
    """Return `count` positions of a list of a length, evenly spread from the first to the last."""
    if count >= length:
        return set(range(length))
    return {round(number * (length - 1) / max(count - 1, 1)) for number in range(count)}


def list_left_out(names: Sequence[str]) -> set[int]:
    """Return the positions of the tests that the suite leaves to `make soak`, of names without their parameters."""
    left_out: set[int] = set()
    for name, count in read_long_tests().items():
        places = [place for place, one in enumerate(names) if one == name]
        kept = choose_spread(len(places), count)
        left_out |= {place for number, place in enumerate(places) if number not in kept}
    return left_out
