"""Reading kept pages strictly: what a page must say is declared as a struct, and anything else is named."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from nhl_lake.envelopes import Name
from nhl_lake.errors import Broken

S = TypeVar("S", bound=msgspec.Struct)


def text(name: Name | str | None) -> str | None:
    """Return the English text of a name."""
    return name.default if isinstance(name, Name) else name


def reader(kind: type[S]) -> Callable[[str], S]:
    """Return a function that decodes pages of a kind; Broken says which page and which path of it is wrong."""
    decode = msgspec.json.Decoder(kind).decode

    def read(body: str) -> S:
        try:
            return decode(body)
        except msgspec.ValidationError as error:
            raise Broken(
                f"A kept page is not as expected: {error}. It begins {body[:60]}",
                "Nothing was written; the page is safe in bronze. Please report it: pages may have changed.",
            ) from error

    return read
