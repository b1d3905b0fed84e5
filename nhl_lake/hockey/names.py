"""Player names as different pages write them."""

import polars as pl

LETTER_REPLACEMENTS = {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ß": "ss"}


def format_full_name() -> pl.Expr:
    """Return the first and last name as one text; the one that is known if only one is, null if none is."""
    name = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True)
    return pl.when(name != "").then(name)


def fold_name(text: pl.Expr) -> pl.Expr:
    """Return a name in plain lowercase letters: without accents, hyphens, apostrophes and spaces."""
    plain = (
        text.str.to_lowercase()
        .str.normalize("NFKD")
        .str.replace_many(list(LETTER_REPLACEMENTS), list(LETTER_REPLACEMENTS.values()))
    )
    return plain.str.replace_all(r"[^\p{L}\p{N}]", "")


def format_surname_first(first_name: pl.Expr, last_name: pl.Expr) -> pl.Expr:
    """Return a folded name as reports write it, "LAST, FIRST"; null unless both names are known."""
    return pl.concat_str(fold_name(last_name), pl.lit(","), fold_name(first_name))


def parse_listed_name(text: pl.Expr) -> pl.Expr:
    """Return the folded name of a heading such as "97 LAST, FIRST"; null without a comma."""
    name = text.str.replace(r"^\s*\d+\s+", "")
    part = name.str.splitn(",", 2).struct.field
    return pl.concat_str(fold_name(part("field_0")), pl.lit(","), fold_name(part("field_1")))
