"""Read stored pages strictly: a struct declares the keys and types of a page, and errors name the path on the page.

A page is decoded twice. First msgspec validates the page against the struct, value by value, and reports the path of an
error. Then Polars decodes the declared keys into columns; Polars alone would silently drop values that do not fit. A
page that is invalid is read leniently (`nhl_lake.bronze.lenient`): one invalid field costs only that field, and
`silver.game_quality` or `nhl-lake check` reports it. A field has a default if a row is still useful without it.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
import polars as pl
from msgspec import inspect

from nhl_lake.bronze import lenient
from nhl_lake.errors import ValidationFailed
from nhl_lake.hockey.calendar import FINAL_STATES

BATCH_BYTES = 1_000_000

Position = Literal["C", "L", "R", "D", "G"]


class PageStruct(msgspec.Struct, omit_defaults=True, gc=False):
    """A part of a page: the keys that are read, spelled as in the API."""


class LocalizedText(str):
    """A text, or a mapping of languages to texts, of which the English one is read."""


class Fraction(str):
    """A text such as 21/22: two counts."""


class NumberOrFraction(str):
    """A number or a fraction; pages have it as a number or as a text."""


class Summary(NamedTuple):
    """What a table keeps of a page, if that is much less than the page: the keys, and the function that makes them.

    To move hundreds of plays into columns takes longer than to look at them in Python.
    """

    kind: type[PageStruct]
    make: Callable[[Any], PageStruct]


def read_final_pages(
    pages: pl.LazyFrame, kind: type[PageStruct], *columns: str, summary: Summary | None = None
) -> pl.LazyFrame:
    """One row per page of a final game: the keys of the struct, or of its summary, and some columns of bronze.

    Pages of live and upcoming games are left out: their numbers are not final, and a missing event is not a zero.
    """
    # cached: a table that uses a page twice would decode it twice
    return (
        pages.filter(pl.col("state").is_in(FINAL_STATES))
        .select(*columns, page=decode_page(kind, summary=summary))
        .unnest("page")
        .cache()
    )


def decode_page(kind: type[PageStruct], body: str = "body", *, summary: Summary | None = None) -> pl.Expr:
    """Return a column of pages, or of their summaries, as structs.

    Raises `ValidationFailed` with the invalid path if a page cannot be read.
    """
    dtype = get_struct_dtype(summary.kind if summary else kind)
    return pl.col(body).map_batches(lambda bodies: decode_bodies(bodies, kind, summary), return_dtype=dtype)


def decode_bodies(bodies: pl.Series, kind: type[PageStruct], summary: Summary | None = None) -> pl.Series:
    """Decode pages strictly, or leniently if they are invalid."""
    read = make_page_reader(kind)
    encode = msgspec.json.Encoder(enc_hook=str).encode
    summarize = summary.make if summary else lambda page: page
    dtype = get_struct_dtype(summary.kind if summary else kind)
    # in batches that fit the processor's cache: this takes three quarters of the time
    count = bodies.len() // (int(bodies.str.len_bytes().sum()) // BATCH_BYTES + 1) + 1
    batches = [bodies[start : start + count] for start in range(0, max(bodies.len(), 1), count)]
    return pl.concat(
        pl.Series(bodies.name, [encode(summarize(read(body))).decode() for body in batch], pl.String).str.json_decode(
            dtype
        )
        for batch in batches
    )


def make_page_reader(kind: type[PageStruct]) -> Callable[[str], msgspec.Struct]:
    """Return a function that reads a page strictly, or leniently if it is invalid. It raises `ValidationFailed`."""
    decode = msgspec.json.Decoder(kind, dec_hook=decode_custom_type).decode

    def read(body: str) -> msgspec.Struct:
        try:
            return decode(body)
        except msgspec.ValidationError:
            return read_leniently(body, kind)[0]
        except msgspec.MsgspecError as error:
            raise make_page_error(body, error) from error

    return read


def is_readable(kind: type[PageStruct], body: str = "body") -> pl.Expr:
    """Whether each page of a column can be read, at least leniently."""
    read = make_page_reader(kind)

    def can_read(page: str) -> bool:
        try:
            read(page)
        except ValidationFailed:
            return False
        return True

    return pl.col(body).map_batches(
        lambda bodies: pl.Series(bodies.name, [can_read(page) for page in bodies], pl.Boolean), return_dtype=pl.Boolean
    )


def read_leniently(body: str, kind: type[msgspec.Struct]) -> tuple[msgspec.Struct, list[lenient.InvalidValue]]:
    """Return a page without its invalid values, and these values. Raises `ValidationFailed` if it cannot be read."""
    try:
        return lenient.read_page(body, kind, decode_custom_type)
    except msgspec.MsgspecError as error:
        raise make_page_error(body, error) from error


def make_page_error(body: str, error: msgspec.MsgspecError) -> ValidationFailed:
    """Return the error for a page that cannot be read."""
    return ValidationFailed(
        f"A stored page cannot be read: {error}. It begins {body[:60]}",
        "The page is safe in bronze. Please report the error: the API may have changed.",
    )


def decode_custom_type(kind: type, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Decode the custom types: a localized text, a fraction or a number. msgspec adds the path to an error."""
    if kind is LocalizedText:
        return read_english_text(value)
    text = str(value) if kind is NumberOrFraction and isinstance(value, int | float) else value
    if kind is Fraction or (kind is NumberOrFraction and isinstance(text, str) and "/" in text):
        if (
            not isinstance(text, str)
            or not (found := FRACTION_PATTERN.fullmatch(text))
            or int(found[1]) > int(found[2])
        ):
            raise ValueError(f"Expected a fraction such as 21/22, got {str(value)[:40]}")
    elif not isinstance(text, str) or not NUMBER_PATTERN.fullmatch(text):
        raise ValueError(f"Expected a number, got {str(value)[:40]}")
    return kind(text)


FRACTION_PATTERN = re.compile(r"(\d{1,4})/(\d{1,4})")
NUMBER_PATTERN = re.compile(r"-?\d{1,4}(\.\d*)?")


def read_english_text(value: Any) -> LocalizedText:  # noqa: ANN401 - any JSON value
    """Return a text that is plain, or the `default` of a mapping of languages."""
    found = value.get("default") if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise ValueError(f"Expected a text or a mapping with `default`, got {str(value)[:40]}")
    return LocalizedText(found)


@cache
def get_struct_dtype(kind: type[PageStruct]) -> pl.Struct:
    """Return the dtype of a struct, with 64-bit numbers; the later cast to a column's dtype raises on overflow."""
    found = get_dtype(inspect.type_info(kind))
    assert isinstance(found, pl.Struct)
    return found


def get_dtype(kind: inspect.Type) -> pl.DataType:
    """Return the dtype of a declared type."""
    match kind:
        case inspect.StructType():
            return pl.Struct({field.encode_name: get_dtype(field.type) for field in kind.fields})
        case inspect.ListType():
            return pl.List(get_dtype(kind.item_type))
        case inspect.UnionType():
            (dtype,) = [get_dtype(member) for member in kind.types if not isinstance(member, inspect.NoneType)]
            return dtype
        case inspect.IntType() | inspect.FloatType() if kind.ge is None or (kind.le is None and kind.lt is None):
            raise TypeError("a number without a range: use a type of nhl_lake.bronze.numbers")
    return SCALAR_DTYPES[type(kind)]


SCALAR_DTYPES: dict[type[inspect.Type], pl.DataType] = {
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.BoolType: pl.Boolean(),
    inspect.StrType: pl.String(),
    inspect.LiteralType: pl.String(),
    inspect.CustomType: pl.String(),  # LocalizedText, Fraction, NumberOrFraction
    inspect.DateType: pl.String(),
    inspect.DateTimeType: pl.String(),
}
