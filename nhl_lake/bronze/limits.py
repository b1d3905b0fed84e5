"""What no page is: so large, so deep, or packed twice. Such a body is let go before anyone reads it.

What is too large is let go while it comes, and what grows too large while it is unpacked.

Of 4,000 recorded pages the largest has 1.2 MB, and the deepest six levels of JSON.
"""

import re
import zlib
from collections.abc import AsyncIterator
from itertools import accumulate

from nhl_lake.errors import Refused, Unfit

LARGEST = 16 * 2**20
DEEPEST = 64
DEEPEST_HTML = 10_000  # a report may leave cells open; a hundred thousand take the parser half a minute
PACKING = "gzip"

NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
TAG = re.compile(rb"<(/?)(?!br\b|img\b|meta\b|link\b|hr\b|input\b|col\b)[a-z]", re.IGNORECASE)


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    """Take a body as it comes; raise Unfit when it is more than any page is."""
    came, size = [], 0
    async for piece in pieces:
        came.append(piece)
        size += len(piece)
        require_small(size)
    return b"".join(came)


def unpacked(body: bytes, packing: str) -> bytes:
    """Return a body as it was before it was packed.

    Raises Unfit when that is more than any page is, or was packed otherwise than asked for: each further packing
    multiplies by a thousand what it may grow to. Raises Refused when it is cut, or does not unpack.
    """
    packing = packing.strip().lower()
    if packing in {"", "identity"}:
        return body
    if packing != PACKING:
        raise Unfit(f"packed as {packing[:40]!r}, which was not asked for")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        page = unpacker.decompress(body, LARGEST + 1)
    except zlib.error as error:
        raise Refused(f"not the gzip that it is said to be: {error}") from error
    require_small(len(page))
    if not unpacker.eof:
        raise Refused(f"gzip that is cut off after {len(body):,} bytes")
    return page


def require_small(size: int) -> None:
    """Raise Unfit for more bytes than any page has."""
    if size > LARGEST:
        raise Unfit(f"larger than {LARGEST // 2**20} MB")


def require_shallow(body: bytes) -> None:
    """Raise Unfit for a page that is nested so deeply that reading it would exhaust the stack, or take for ever."""
    if body.lstrip()[:1] == b"<":
        depths = accumulate(-1 if tag[1] else 1 for tag in TAG.finditer(body))
        if max(depths, default=0) > DEEPEST_HTML:
            raise Unfit(f"HTML nested deeper than {DEEPEST_HTML:,} levels")
    elif is_deep(body):
        raise Unfit(f"JSON nested deeper than {DEEPEST} levels")


def is_deep(body: bytes) -> bool:
    """Whether JSON is nested too deeply; brackets inside of texts do not count."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # of a text without brackets its two quotes are left side by side: no page has others, and to split takes five times
    # as long as to look
    marks = body.translate(None, NO_MARKS).replace(b'""', b"")
    if b'"' in marks:
        marks = b"".join(body.split(b'"')[::2]).translate(None, NO_MARKS)
    for _ in range(DEEPEST):
        inner_gone = marks.replace(b"[]", b"").replace(b"{}", b"")
        if inner_gone == marks:
            break
        marks = inner_gone
    return len(marks) > DEEPEST
