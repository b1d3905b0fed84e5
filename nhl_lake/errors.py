"""Errors: what a user can act on, and what is wrong with a page.

LakeError                  what is wrong and where; what to do about it
├── BadInput               an invalid option, argument or setting: exit code 2
├── UnreadableData         a table or the lake itself cannot be opened
├── TableNotFound          a table is not in the lake
├── StorageUnavailable     the store of a bucket, or a web host, cannot be reached, or denies access
├── OutOfResources         too little memory, or no more threads
├── LakeLocked             another run holds the lake
├── ApiUnreachable         the API cannot be reached at all
└── ValidationFailed       a frame breaks a rule of its table; nothing was written
    └── GamesQuarantined   some games or other subjects were quarantined; everything else was built

PageRejected               an answer that is not the requested page: never stored, requested again
└── PageTooLarge           an answer too large or too deeply nested: never read, not requested again in this run
"""

import re
from typing import ClassVar

URL_CREDENTIALS = re.compile(r"://[^\s'\"<>]+@")  # an AWS secret key may contain a slash
SECRET_QUERY_VALUES = re.compile(
    r"(?i)([?&][\w.-]*(?:key|token|secret|signature|credential|password)[\w.-]*=)[^&\s'\"<>]+"
)
S3_ERROR_SECRETS = re.compile(
    r"(?i)<(AWSAccessKeyId|Token-\d+|SignatureProvided|StringToSign\w*|CanonicalRequest\w*)>[^<]*"
)

NO_MEMORY = re.compile(r"(?i)cannot allocate memory|out of memory|\bbad_alloc\b|os error 12\b")
ALLOCATION = re.compile(r"memory allocation of (\d+) bytes failed")
MAX_ALLOCATION = 2**40
NO_THREADS = re.compile(
    r"(?i)can't start new thread|failed to spawn thread|could not spawn|ThreadPoolBuildError|os error 11\b|"
    r"resource temporarily unavailable"
)
COLOR_CODE = re.compile(r"\x1b\[[0-9;]*m")  # engines print for a terminal


class LakeError(Exception):
    """An error that the user can act on: two lines, a message and a hint."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)  # both: the error is pickled on its way from a worker process
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows of the error: two lines, without the stack."""
        return [f"{type(self).__name__}: {self.message}", self.hint]


class BadInput(LakeError):
    """An invalid option, argument or setting."""

    exit_code = 2


class UnreadableData(LakeError):
    """A table, or the lake itself, cannot be opened."""


class TableNotFound(LakeError):
    """A table is not in the lake."""


class StorageUnavailable(LakeError):
    """The store of a bucket, or a web host, cannot be reached, or denies access."""


class OutOfResources(LakeError):
    """The machine has too little memory, or lets this user start no more threads."""


class LakeLocked(LakeError):
    """Another run holds the lake."""


class ApiUnreachable(LakeError):
    """The API cannot be reached at all."""


class ValidationFailed(LakeError):
    """A frame breaks a rule of its table; nothing was written."""


class GamesQuarantined(ValidationFailed):
    """Some games or other subjects were quarantined; everything else was built."""


def summarize_error(error: object) -> str:
    """Return the message of an error in one line, without engine details; the name of its class if it has none."""
    text = COLOR_CODE.sub("", str(error))
    message = re.split(r"\s+0: |\s*stack backtrace|: ParsedLogPath|\(set POLARS_VERBOSE", text, maxsplit=1)[0]
    return " ".join(message.split()).removeprefix("Kernel error: ")[:300] or type(error).__name__


def redact_secrets(text: str) -> str:
    """Return a text without secrets: passwords in URLs, keys in queries, signatures in S3 errors."""
    text = URL_CREDENTIALS.sub("://***@", text)
    text = SECRET_QUERY_VALUES.sub(r"\1***", text)
    return S3_ERROR_SECRETS.sub(r"<\1>***", text)


def explain_shortage(error: object) -> OutOfResources | None:
    """Return the error for too little memory or too few threads; None if it is another error.

    Damaged data can ask for more memory than any machine has: that is another error.
    """
    text = str(error)
    asked = ALLOCATION.search(text)
    if isinstance(error, MemoryError) or NO_MEMORY.search(text) or (asked and int(asked[1]) < MAX_ALLOCATION):
        return OutOfResources(
            "The machine is out of memory, or this program may not use more of it.",
            "Nothing was lost. Close other programs, or use less: `nhl-lake rebuild --memory 800MB --jobs 1`.",
        )
    if NO_THREADS.search(text):
        return OutOfResources(
            "The system lets this user start no more threads or processes.",
            "Nothing was lost. Raise the limit (`ulimit -u`), or end other programs; `--jobs 1` needs fewer.",
        )
    return None


def raise_shortage(error: BaseException) -> None:
    """Raise if an error comes from too little memory or too few threads, which callers would mistake for damage."""
    if not isinstance(error, LakeError) and (found := explain_shortage(error)) is not None:
        raise found from error


def is_panic(error: BaseException) -> bool:
    """Return whether Rust panicked: PyO3 derives that from BaseException, and exports no class to catch."""
    return type(error).__name__ == "PanicException"


class PageRejected(Exception):
    """An answer that is not the requested page, with the reason."""


class PageTooLarge(PageRejected):
    """An answer too large, too deeply nested or oddly compressed: a second request would return the same."""
