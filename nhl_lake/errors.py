"""What can go wrong, as a user meets it.

LakeError                  what is wrong and where; what to do about it
├── BadInput               an option, a setting or a date that cannot be meant
├── Unreadable             a table or the lake itself cannot be opened
├── Busy                   another run holds the lake
├── Unreachable            the API cannot be reached at all
└── Broken                 a frame breaks what its table declares; nothing was written

Refused                    a page that is not the one that was asked for: never kept, asked for again
"""


class LakeError(Exception):
    """An error that the user can act on: two lines, what and hint."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)  # both, so that the error survives the way from a worker process
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}"


class BadInput(LakeError):
    """An option, a setting or a date that cannot be meant."""


class Unreadable(LakeError):
    """A table, or the lake itself, cannot be opened."""


class Busy(LakeError):
    """Another run holds the lake."""


class Unreachable(LakeError):
    """The API cannot be reached at all."""


class Broken(LakeError):
    """A frame breaks what its table declares; nothing was written."""


def is_panic(error: BaseException) -> bool:
    """Whether Rust gave up below: PyO3 derives that from BaseException, and exports no class to catch it by."""
    return type(error).__name__ == "PanicException"


class Refused(Exception):
    """A page that is not the one that was asked for, with the reason."""
