"""Text to show: control characters of text from outside are visible, not obeyed; counts have the right noun."""

import re
from datetime import datetime

# controls of a terminal, and marks that change the direction of text; a line break and a tab are harmless
CONTROL_CHARACTER = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")


def show_controls(text: str, *, lines: bool = True) -> str:
    """Return a text with its control characters visible: escape becomes ␛, a mark of direction its number.

    A line break stays, unless the text is to be one line.
    """
    shown = CONTROL_CHARACTER.sub(lambda found: show_character(found[0]), text)
    return shown if lines else shown.replace("\n", "␊").replace("\t", "␉")


def show_character(character: str) -> str:
    """Return how to show a control character."""
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + min(code, 0x21))
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


SINGULAR_VERBS = {"are": "is", "were": "was", "have": "has"}  # others get an s


def format_count(number: int, noun: str, verb: str = "") -> str:
    """Return a number, its noun and the verb that follows it: "1 row breaks", "2,000 rows break"."""
    if number == 1:
        return f"1 {noun} {SINGULAR_VERBS.get(verb, f'{verb}s')}" if verb else f"1 {noun}"
    return f"{number:,} {noun}s {verb}".rstrip()


def format_age(now: datetime, then: datetime) -> str:
    """Return how long ago an instant was."""
    hours = (now - then).total_seconds() / 3600
    if hours < 1:
        return "less than an hour ago"
    if hours < 48:
        return f"{hours:.0f} hours ago" if round(hours) > 1 else "an hour ago"
    return f"{hours / 24:.0f} days ago"


def describe_body(body: bytes) -> str:
    """Return what a body is that should be JSON of nhl-lake."""
    if body.lstrip()[:1] == b"<":
        return "it is a web page"
    return "it is empty" if not body.strip() else "it is other data"
