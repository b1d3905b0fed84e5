"""The pages of the documents, and the blocks of code in them."""

import re
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text()
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
}
MARKER = r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?"
BLOCK = re.compile(rf"{MARKER}^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code: its page and line, its language, its text, and why it is not run if it is not."""

    page: str
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def find_blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    text = PAGES[page]
    return [
        Block(page, text.count("\n", 0, found.start("text")), found["language"], found["text"], found["reason"])
        for found in BLOCK.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in find_blocks(page)]
