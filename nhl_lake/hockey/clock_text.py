"""Clock texts on pages and reports: minutes and seconds."""

import polars as pl

CLOCK_PATTERN = r"^(\d{1,3}):([0-5]\d)$"


def parse_clock(text: pl.Expr) -> pl.Expr:
    """Return the seconds of a text like 1:05 or 01:05; null for any other text."""
    groups = text.str.strip_chars().str.extract_groups(CLOCK_PATTERN)
    minutes, seconds = (groups.struct[n].cast(pl.Int64, strict=False) for n in ("1", "2"))  # too many digits: null
    return 60 * minutes + seconds
