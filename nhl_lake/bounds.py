"""What no page is: so large, so deep, or packed twice. Such a body is let go while it comes, before anyone reads it.

Of 4,000 recorded pages the largest has 1.2 MB, and the deepest six levels of JSON.
"""

import re
from itertools import accumulate

import httpx

from nhl_lake.errors import Unfit

LARGEST = 16 * 2**20
DEEPEST = 64
DEEPEST_HTML = 10_000  # a report may leave cells open; a hundred thousand take the parser half a minute
PACKED = {"", "identity", "gzip", "deflate"}

NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
TAG = re.compile(rb"<(/?)(?!br\b|img\b|meta\b|link\b|hr\b|input\b|col\b)[a-z]", re.IGNORECASE)


async def whole(answer: httpx.Response) -> bytes:
    """Take the body of an answer, unpacked as it comes; raise Unfit when it is more than any page is."""
    packed = answer.headers.get("Content-Encoding", "").strip().lower()
    if packed not in PACKED:
        # each further packing multiplies what one piece may grow to by a thousand
        raise Unfit(f"packed as {packed[:40]!r}, which was not asked for")
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > LARGEST:
            raise Unfit(f"larger than {LARGEST // 2**20} MB")
    return bytes(body)


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
