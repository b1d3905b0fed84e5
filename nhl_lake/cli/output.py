"""Write text to the terminal: a name in it must never end a command, and never control the terminal.

Characters that the terminal's encoding lacks are replaced by similar ones. Control characters are shown, not obeyed.
"""

import codecs
import sys
import unicodedata
from io import TextIOWrapper

from nhl_lake.text import show_controls

ERROR_HANDLER = "nhl-lake.look-alike"  # the name of the handler for `errors=`
LOOK_ALIKES = str.maketrans({
    **dict.fromkeys("–—−‑═─", "-"), **dict.fromkeys("│┆║┊", "|"), **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    "…": "...", "•": "*", "·": ".", "×": "x", "→": "->", "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O",
    "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ð": "d", "þ": "th", "\u00a0": " ",
})  # fmt: skip


def replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement of the characters that cannot be encoded, and the position after them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(convert_to_ascii, error.object[error.start : error.end])), error.end


def convert_to_ascii(character: str) -> str:
    """Return ASCII that looks like a character, `?` if there is none."""
    if unicodedata.name(character, "").startswith("BOX DRAWINGS") and ord(character) not in LOOK_ALIKES:
        return "+"
    letters = unicodedata.normalize("NFKD", character.translate(LOOK_ALIKES))
    return "".join(letter for letter in letters if letter.isascii()) or "?"


def install_error_handler() -> None:
    """Let standard output and standard error write similar characters where their encoding lacks one."""
    codecs.register_error(ERROR_HANDLER, replace_unencodable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERROR_HANDLER)


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines for a reader. They may hold text of a page: control characters are shown."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{show_controls(text)}\n")
    stream.flush()


def write_out(text: str, *, end: str = "\n") -> None:
    """Write data for a program to standard output, as it is; on a terminal, which obeys controls, they are shown."""
    sys.stdout.write(f"{show_controls(text) if sys.stdout.isatty() else text}{end}")
    sys.stdout.flush()
