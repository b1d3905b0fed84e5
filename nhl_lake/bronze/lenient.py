"""Read a page with invalid values: drop an optional field or a row of a list, and report what was dropped.

A field with a default is optional. An invalid required field, such as a player's id, drops the smallest optional thing
around it: a row of a list, or an optional object. Where there is none, the page cannot be read.
"""

from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

T = TypeVar("T")
DecodeHook = Callable[[type, Any], Any]
SHORT_LIST_ROWS = 2  # if no row of a longer list can be read, the page has another shape


class InvalidValue(NamedTuple):
    """A value that was dropped: its path in the page, what was expected, and whether it is a row of a list."""

    path: str
    reason: str
    is_row: bool


class InvalidValueError(Exception):
    """A value does not have its declared type."""

    def __init__(self, expected: str, at: str) -> None:
        """Take what was expected, and where in the page."""
        super().__init__(f"{expected} - at `{at}`")
        self.expected, self.at = expected, at


class LenientReader:
    """Fits the values of a page to types, and collects what it drops."""

    def __init__(self, hook: DecodeHook | None) -> None:
        """Decode custom types with a hook, as msgspec does."""
        self.hook = hook
        self.invalid_values: list[InvalidValue] = []

    def fit_value(self, value: Any, kind: Any, at: str) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return a value without its invalid parts. Raise InvalidValueError if it may not be dropped here."""
        kind = unwrap_optional(kind) if value is not None else kind
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.fit_object(value, kind, at)
        if get_origin(kind) is list:
            return self.fit_list(value, get_args(kind)[0], at)
        try:
            msgspec.convert(value, kind, dec_hook=self.hook)
        except msgspec.ValidationError as error:
            raise InvalidValueError(str(error), at) from error
        return value

    def fit_object(self, value: Any, kind: type[msgspec.Struct], at: str) -> dict[str, Any]:  # noqa: ANN401
        """Return the declared keys of an object, without invalid optional ones."""
        if not isinstance(value, dict):
            raise InvalidValueError("Expected `object`", at)
        found = {}
        for field in get_fields(kind):
            name = field.encode_name
            if name in value:
                for fitting in self.try_value(value[name], field.type, f"{at}.{name}", is_required=field.required):
                    found[name] = fitting
            elif field.required:
                raise InvalidValueError(f"Object missing required field `{name}`", at)
        return found

    def fit_list(self, value: Any, kind: Any, at: str) -> list[Any]:  # noqa: ANN401
        """Return a list without the rows that cannot be read."""
        if not isinstance(value, list):
            raise InvalidValueError("Expected `array`", at)
        found = [row for n, one in enumerate(value) for row in self.try_value(one, kind, f"{at}[{n}]", is_row=True)]
        if not found and len(value) > SHORT_LIST_ROWS:
            raise InvalidValueError(
                f"None of {len(value)} rows can be read, the first: {self.invalid_values[-len(value)].reason}", at
            )
        return found

    def try_value(
        self,
        value: Any,  # noqa: ANN401
        kind: Any,  # noqa: ANN401
        at: str,
        *,
        is_required: bool = False,
        is_row: bool = False,
    ) -> Iterator[Any]:
        """Yield a value if it fits; else record it, or raise InvalidValueError if it is required."""
        before = len(self.invalid_values)
        try:
            yield self.fit_value(value, kind, at)
        except InvalidValueError as error:
            if is_required:
                raise
            del self.invalid_values[before:]  # the value goes, with all that was dropped inside it
            self.invalid_values.append(InvalidValue(at, error.expected if error.at == at else str(error), is_row))


def read_page(body: str | bytes, kind: type[T], hook: DecodeHook | None = None) -> tuple[T, list[InvalidValue]]:
    """Return a page without invalid values, and these; raise ValidationError if the page cannot be read."""
    reader = LenientReader(hook)
    try:
        fitting = reader.fit_value(msgspec.json.decode(body), kind, "$")
    except InvalidValueError as error:
        raise msgspec.ValidationError(str(error)) from error
    return msgspec.convert(fitting, kind, dec_hook=hook), reader.invalid_values


def unwrap_optional(kind: Any) -> Any:  # noqa: ANN401 - any type
    """Return the type of a value that may be null."""
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    others = [one for one in get_args(kind) if one is not NoneType]
    return others[0] if len(others) == 1 else kind


@cache
def get_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the fields of a struct with resolved types."""
    return msgspec.structs.fields(kind)
