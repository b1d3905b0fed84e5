"""What no page is: so large, so deep, or packed twice. Such a body is let go before anyone reads it.

What is too large is let go while it comes, and what grows too large while it is unpacked.

Of 4,000 recorded pages the largest has 1.2 MB, and the deepest six levels of JSON.
"""

import re
import zlib
from collections.abc import AsyncIterator
from itertools import accumulate

from nhl_lake.errors import PageRejected, PageTooLarge

MAX_PAGE_BYTES = 16 * 2**20
MAX_JSON_DEPTH = 64
MAX_HTML_DEPTH = 10_000  # a report may leave cells open; a hundred thousand take the parser half a minute
CONTENT_ENCODING = "gzip"

NON_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
HTML_TAG = re.compile(rb"<(/?)(?!br\b|img\b|meta\b|link\b|hr\b|input\b|col\b)[a-z]", re.IGNORECASE)


async def read_body(pieces: AsyncIterator[bytes]) -> bytes:
    """Take a body as it comes; raise PageTooLarge when it is more than any page is."""
    came, size = [], 0
    async for piece in pieces:
        came.append(piece)
        size += len(piece)
        check_size(size)
    return b"".join(came)


def decompress_body(body: bytes, packing: str) -> bytes:
    """Return a body as it was before it was packed.

    Raises PageTooLarge when that is more than any page is, or was packed otherwise than asked for: each further packing
    multiplies by a thousand what it may grow to. Raises PageRejected when it is cut, or does not unpack.
    """
    packing = packing.strip().lower()
    if packing in {"", "identity"}:
        return body
    if packing != CONTENT_ENCODING:
        raise PageTooLarge(f"packed as {packing[:40]!r}, which was not asked for")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        page = unpacker.decompress(body, MAX_PAGE_BYTES + 1)
    except zlib.error as error:
        raise PageRejected(f"not the gzip that it is said to be: {error}") from error
    check_size(len(page))
    if not unpacker.eof:
        raise PageRejected(f"gzip that is cut off after {len(body):,} bytes")
    return page


def check_size(size: int) -> None:
    """Raise PageTooLarge for more bytes than any page has."""
    if size > MAX_PAGE_BYTES:
        raise PageTooLarge(f"larger than {MAX_PAGE_BYTES // 2**20} MB")


def check_depth(body: bytes) -> None:
    """Raise PageTooLarge for a page nested so deeply that to read it would exhaust the stack or take for ever."""
    if body.lstrip()[:1] == b"<":
        depths = accumulate(-1 if tag[1] else 1 for tag in HTML_TAG.finditer(body))
        if max(depths, default=0) > MAX_HTML_DEPTH:
            raise PageTooLarge(f"HTML nested deeper than {MAX_HTML_DEPTH:,} levels")
    elif is_too_deep(body):
        raise PageTooLarge(f"JSON nested deeper than {MAX_JSON_DEPTH} levels")


def is_too_deep(body: bytes) -> bool:
    """Whether JSON is nested too deeply; brackets inside of texts do not count."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # of a text without brackets its two quotes are left side by side: no page has others, and to split takes five times
    # as long as to look
    marks = body.translate(None, NON_BRACKETS).replace(b'""', b"")
    if b'"' in marks:
        marks = b"".join(body.split(b'"')[::2]).translate(None, NON_BRACKETS)
    for _ in range(MAX_JSON_DEPTH):
        inner_gone = marks.replace(b"[]", b"").replace(b"{}", b"")
        if inner_gone == marks:
            break
        marks = inner_gone
    return len(marks) > MAX_JSON_DEPTH
