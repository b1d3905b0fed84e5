"""What can go wrong, as a user meets it.

LakeError                  what is wrong and where; what to do about it
├── BadInput               an option, a setting or a date that cannot be meant
├── Unreadable             a table or the lake itself cannot be opened
├── Missing                a table is not in the lake
├── Unavailable            the store of a lake in a bucket cannot be reached, or refuses
├── Busy                   another run holds the lake
├── Unreachable            the API cannot be reached at all
└── Broken                 a frame breaks what its table declares; nothing was written
    └── Quarantined        some games or other subjects were quarantined; everything else was built

Refused                    a page that is not the one that was asked for: never kept, asked for again
└── Unfit                  a page so large or deep that it is none: never read, not asked for again in this run
"""

import re

URL_CREDENTIALS = re.compile(r"://[^\s'\"<>]+@")  # a secret key of AWS may have a slash
SECRET_QUERY_VALUES = re.compile(
    r"(?i)([?&][\w.-]*(?:key|token|secret|signature|credential|password)[\w.-]*=)[^&\s'\"<>]+"
)
S3_ERROR_SECRETS = re.compile(
    r"(?i)<(AWSAccessKeyId|Token-\d+|SignatureProvided|StringToSign\w*|CanonicalRequest\w*)>[^<]*"
)


class LakeError(Exception):
    """An error that the user can act on: two lines, what and hint."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what, hint)  # both, so that the error survives the way from a worker process
        self.message = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"


class BadInput(LakeError):
    """An option, a setting or a date that cannot be meant."""


class UnreadableData(LakeError):
    """A table, or the lake itself, cannot be opened."""


class TableNotFound(LakeError):
    """A table is not in the lake."""


class StorageUnavailable(LakeError):
    """The store of a lake in a bucket cannot be reached, or refuses."""


class LakeLocked(LakeError):
    """Another run holds the lake."""


class ApiUnreachable(LakeError):
    """The API cannot be reached at all."""


class ValidationFailed(LakeError):
    """A frame breaks what its table declares; nothing was written."""


class GamesQuarantined(ValidationFailed):
    """Some games or other subjects were quarantined; everything else was built."""


def summarize_error(error: object) -> str:
    """Return what an error says in one line, without the engine's innards; of one that says nothing, what it is."""
    said = re.split(r"\s+0: |\s*stack backtrace|: ParsedLogPath|\(set POLARS_VERBOSE", str(error), maxsplit=1)[0]
    return " ".join(said.split()).removeprefix("Kernel error: ")[:300] or type(error).__name__


def redact_secrets(text: str) -> str:
    """Return a text without what opens doors: passwords in addresses, keys in queries, what stores tell of both."""
    text = URL_CREDENTIALS.sub("://***@", text)
    text = SECRET_QUERY_VALUES.sub(r"\1***", text)
    return S3_ERROR_SECRETS.sub(r"<\1>***", text)


def is_panic(error: BaseException) -> bool:
    """Whether Rust gave up below: PyO3 derives that from BaseException, and exports no class to catch it by."""
    return type(error).__name__ == "PanicException"


class PageRejected(Exception):
    """A page that is not the one that was asked for, with the reason."""


class PageTooLarge(PageRejected):
    """A page so large, so deeply nested or so oddly packed that it is none: asking again would bring it again."""
