"""Limits on the size, depth and encoding of a page. A body beyond them is dropped before it is parsed.

A body that is too large is dropped while it arrives, or while it is decompressed. Of 4,000 recorded pages the largest
has 1.2 MB, and the deepest six levels of JSON.
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
GZIP_START = b"\x1f\x8b"

NON_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
HTML_TAG = re.compile(rb"<(/?)(?!br\b|img\b|meta\b|link\b|hr\b|input\b|col\b)[a-z]", re.IGNORECASE)


async def read_body(chunks: AsyncIterator[bytes]) -> bytes:
    """Read a body in chunks; raise PageTooLarge as soon as it is larger than any page."""
    body, size = [], 0
    async for chunk in chunks:
        body.append(chunk)
        size += len(chunk)
        check_size(size)
    return b"".join(body)


def decompress_body(body: bytes, encoding: str) -> bytes:
    """Return a decompressed body.

    Raises PageTooLarge if it is larger than any page, or has an encoding that was not requested: each further layer of
    compression multiplies its size by up to a thousand. Raises PageRejected if it is cut off or cannot be decompressed.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding != CONTENT_ENCODING:
        raise PageTooLarge(f"encoded as {encoding[:40]!r}, which was not requested")
    page, rest = bytearray(), body
    while True:  # a body may have several members, one after the other
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            page += unpacker.decompress(rest, MAX_PAGE_BYTES + 1)
        except zlib.error as error:
            raise PageRejected(f"no valid gzip: {error}") from error
        check_size(len(page))
        if not unpacker.eof:
            raise PageRejected(f"gzip that is cut off after {len(body):,} bytes")
        rest = unpacker.unused_data
        if not rest.startswith(GZIP_START):
            return bytes(page)


def check_size(size: int) -> None:
    """Raise PageTooLarge if a page has more bytes than any page should."""
    if size > MAX_PAGE_BYTES:
        raise PageTooLarge(f"larger than {MAX_PAGE_BYTES // 2**20} MB")


def check_depth(body: bytes) -> None:
    """Raise PageTooLarge if a page is nested so deeply that parsing would exhaust the stack or take too long."""
    if body.lstrip()[:1] == b"<":
        depths = accumulate(-1 if tag[1] else 1 for tag in HTML_TAG.finditer(body))
        if max(depths, default=0) > MAX_HTML_DEPTH:
            raise PageTooLarge(f"HTML nested deeper than {MAX_HTML_DEPTH:,} levels")
    elif is_too_deep(body):
        raise PageTooLarge(f"JSON nested deeper than {MAX_JSON_DEPTH} levels")


def is_too_deep(body: bytes) -> bool:
    """Whether JSON is nested too deeply. Brackets inside strings do not count."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # a string without brackets leaves its two quotes side by side: remove these, and split only if others are left,
    # because splitting takes five times as long
    brackets = body.translate(None, NON_BRACKETS).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(body.split(b'"')[::2]).translate(None, NON_BRACKETS)
    for _ in range(MAX_JSON_DEPTH):
        without_innermost = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if without_innermost == brackets:
            break
        brackets = without_innermost
    return len(brackets) > MAX_JSON_DEPTH
