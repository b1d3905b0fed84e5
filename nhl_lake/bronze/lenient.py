"""Read a page of which a value is odd: leave out an optional field or a row of a list, and name what was left out.

A field with a default is optional. A required one, such as the id of a player, takes away the smallest thing around it
that may be missing: a row of a list, or an optional object. Where there is none, the page cannot be read.
"""

from collections.abc import Callable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

T = TypeVar("T")
DecodeHook = Callable[[type, Any], Any]
SHORT_LIST_ROWS = 2  # a longer list of which no row can be read is a page of another shape


class InvalidValue(NamedTuple):
    """A value that was left out: its path in the page, what was expected, and whether it is a row of a list."""

    path: str
    reason: str
    is_row: bool


class InvalidValueError(Exception):
    """A value is not as declared."""

    def __init__(self, why: str, at: str) -> None:
        """Say what was expected, and where in the page."""
        super().__init__(f"{why} - at `{at}`")
        self.why, self.at = why, at


class LenientReader:
    """A walk through a page: it fits values to types, and collects what it leaves out."""

    def __init__(self, hook: DecodeHook | None) -> None:
        """Decode custom types with a hook, as msgspec does."""
        self.hook = hook
        self.invalid_values: list[InvalidValue] = []

    def fit_value(self, value: Any, kind: Any, at: str) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return a value without what is odd in it; Unfitting if it may not be left out here."""
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
        """Return the declared keys of an object, without odd optional ones."""
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
        """Yield a value if it fits; one that is odd is noted, or Unfitting if it is required."""
        before = len(self.invalid_values)
        try:
            yield self.fit_value(value, kind, at)
        except InvalidValueError as error:
            if is_required:
                raise
            del self.invalid_values[before:]  # it goes whole
            self.invalid_values.append(InvalidValue(at, error.why if error.at == at else str(error), is_row))


def read_page(body: str | bytes, kind: type[T], hook: DecodeHook | None = None) -> tuple[T, list[InvalidValue]]:
    """Return a page without what is odd in it, and what that was; ValidationError if the page itself is."""
    reader = LenientReader(hook)
    try:
        fitting = reader.fit_value(msgspec.json.decode(body), kind, "$")
    except InvalidValueError as error:
        raise msgspec.ValidationError(str(error)) from error
    return msgspec.convert(fitting, kind, dec_hook=hook), reader.invalid_values


def unwrap_optional(kind: Any) -> Any:  # noqa: ANN401 - any type
    """Return what a value has to be where null is allowed too."""
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    others = [one for one in get_args(kind) if one is not NoneType]
    return others[0] if len(others) == 1 else kind


@cache
def get_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the fields of a struct, their types resolved."""
    return msgspec.structs.fields(kind)
