"""Reading kept pages strictly: what a page must say is declared as a struct, and anything else is named.

A page is decoded twice: msgspec holds it against the struct, value by value, and says which path is wrong; what it
leaves, the declared keys alone, is then decoded by Polars into columns, which is quiet about what does not fit.
A page that is not as declared is read leniently (`nhl_lake.bronze.lenient`): one odd field costs that field, not
the page; `silver.game_quality` or `nhl-lake check` names it. A field without which a row still means something has a
default.
"""

import re
from typing import Annotated, Any, Literal

import msgspec
import polars as pl
from msgspec import Meta, inspect

from nhl_lake.bronze import lenient
from nhl_lake.errors import ValidationFailed
from nhl_lake.hockey.calendar import FINAL_STATES

BATCH_BYTES = 1_000_000

# numbers that their columns can hold
Int16 = Annotated[int, Meta(ge=-(2**15), lt=2**15)]
Int32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Position = Literal["C", "L", "R", "D", "G"]


class PageStruct(msgspec.Struct, omit_defaults=True, gc=False):
    """A piece of a page: the keys that are read, spelt as the API spells them."""


class LocalizedText(str):
    """A text that pages give plainly, or in several languages: the English one."""


class Fraction(str):
    """A text such as 21/22: how many came off, and of how many."""


class NumberOrFraction(str):
    """A number, or a fraction, that pages give as a number or as a text."""


def read_final_pages(pages: pl.LazyFrame, kind: type[PageStruct], *beside: str) -> pl.LazyFrame:
    """One row a page of a final game: the kind's keys, and some columns of bronze beside them.

    A page of a game that is under way or to come says nothing yet: no fact is made of it, and above all no zero.
    """
    # a table that goes two ways from a page would have it decoded twice
    return (
        pages.filter(pl.col("state").is_in(FINAL_STATES)).select(*beside, page=decode_page(kind)).unnest("page").cache()
    )


def decode_page(kind: type[PageStruct], body: str = "body") -> pl.Expr:
    """Return the pages in a column as structs of the kind's keys; Broken says which path of which page is wrong."""
    return pl.col(body).map_batches(lambda bodies: decode_bodies(bodies, kind), return_dtype=get_struct_dtype(kind))


def decode_bodies(bodies: pl.Series, kind: type[PageStruct]) -> pl.Series:
    """Decode pages strictly."""
    decode = msgspec.json.Decoder(kind, dec_hook=decode_custom_type).decode
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def known(body: str) -> str:
        try:
            return encode(decode(body)).decode()
        except msgspec.ValidationError:
            return encode(read_leniently(body, kind)[0]).decode()
        except msgspec.MsgspecError as error:
            raise make_page_error(body, error) from error

    as_columns = get_struct_dtype(kind)
    # a few at a time: what stays in the processor's memory is decoded in three quarters of the time
    count = bodies.len() // (int(bodies.str.len_bytes().sum()) // BATCH_BYTES + 1) + 1
    few = [bodies[start : start + count] for start in range(0, max(bodies.len(), 1), count)]
    return pl.concat(
        pl.Series(bodies.name, [known(body) for body in some], pl.String).str.json_decode(as_columns) for some in few
    )


def read_leniently(body: str, kind: type[msgspec.Struct]) -> tuple[msgspec.Struct, list[lenient.InvalidValue]]:
    """Return a page without its odd values, and these; Broken if they are such that the page cannot be read."""
    try:
        return lenient.read_page(body, kind, decode_custom_type)
    except msgspec.MsgspecError as error:
        raise make_page_error(body, error) from error


def make_page_error(body: str, error: msgspec.MsgspecError) -> ValidationFailed:
    """Return the error of a page that cannot be read."""
    return ValidationFailed(
        f"A kept page is not as expected: {error}. It begins {body[:60]}",
        "The page is safe in bronze. Please report it: pages may have changed.",
    )


def decode_custom_type(kind: type, value: Any) -> Any:  # noqa: ANN401 - any piece of JSON
    """Read what msgspec does not know: a text in languages, a fraction or a figure. It adds the path to an error."""
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


def read_english_text(value: Any) -> LocalizedText:  # noqa: ANN401 - any piece of JSON
    """Read a text: plain, or a mapping of languages with `default`."""
    found = value.get("default") if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise ValueError(f"Expected a text or a mapping with `default`, got {str(value)[:40]}")
    return LocalizedText(found)


def get_struct_dtype(kind: type[PageStruct]) -> pl.Struct:
    """Return the dtype of a kind of page: wide numbers, to be narrowed where a value that does not fit is an error."""
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
            (known,) = [get_dtype(one) for one in kind.types if not isinstance(one, inspect.NoneType)]
            return known
    return SCALAR_DTYPES[type(kind)]


SCALAR_DTYPES: dict[type[inspect.Type], pl.DataType] = {
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.BoolType: pl.Boolean(),
    inspect.StrType: pl.String(),
    inspect.LiteralType: pl.String(),
    inspect.CustomType: pl.String(),  # Text, Fraction, Figure
    inspect.DateType: pl.String(),
    inspect.DateTimeType: pl.String(),
}
