"""Clock texts: minutes and seconds, as pages and reports write them."""

import polars as pl

CLOCK_PATTERN = r"^(\d+):([0-5]\d)$"


def parse_clock(text: pl.Expr) -> pl.Expr:
    """Return the seconds that a text like 1:05 or 01:05 says; null for any other text."""
    found = text.str.strip_chars().str.extract_groups(CLOCK_PATTERN)
    minutes, rest = (found.struct[n].cast(pl.Int64, strict=False) for n in ("1", "2"))  # too many digits are no clock
    return 60 * minutes + rest
