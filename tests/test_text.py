"""Messages say 1 row, not 1 rows."""

import re
from pathlib import Path

import pytest

import nhl_lake
from nhl_lake.text import format_count

PACKAGE = Path(nhl_lake.__file__).parent
COUNT = re.compile(
    r"\{[^{}]+\} (more |newer |missing |new |old |data |staging )?(rows|files|tables|pages|objects|commits)\b"
)
NEVER_ONE = re.compile(r"\{MAX_|\{self\.total|\{len\(value\)\}|\{page\.total\}")  # limits, totals, and parts of them


@pytest.mark.parametrize(
    ("number", "noun", "verb", "text"),
    [
        (0, "row", "", "0 rows"),
        (1, "row", "", "1 row"),
        (2000, "row", "", "2,000 rows"),
        (1, "backup", "are", "1 backup is"),
        (2, "backup", "are", "2 backups are"),
        (1, "row", "break", "1 row breaks"),
    ],
)
def test_noun_and_verb_agree_with_the_number(number: int, noun: str, verb: str, text: str):
    assert format_count(number, noun, verb) == text


def test_no_message_has_a_plural_after_any_number():
    found = [
        f"{file.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for file in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := COUNT.search(line)) and not NEVER_ONE.match(match[0])
    ]
    assert found == [], "use nhl_lake.text.format_count"
