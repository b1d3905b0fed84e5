"""Random numbers that depend on names only, not on the process or the order of requests."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def create_rng(*names: object) -> Random:
    """Return a random number generator for some names: the same in every process and on every machine."""
    text = "\x1f".join(map(str, names))
    return Random(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))
