"""Random numbers that depend on names, never on the order of requests or on the process."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def create_rng(*names: object) -> Random:
    """A random source of its own for these names: the same in every process and on every machine."""
    text = "\x1f".join(map(str, names))
    return Random(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))
