"""Errors of delta-rs and of the network, in one line."""

import pytest

from nhl_lake.errors import summarize_error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("Kernel error: no\n  such file"), "no such file"),
        (Exception("bad log   0: deltalake::kernel\n   1: tokio"), "bad log"),
        (TimeoutError(), "TimeoutError"),
        ("x" * 400, "x" * 300),
    ],
)
def test_error_is_one_line_without_internals_and_never_empty(error: object, said: str):
    assert summarize_error(error) == said
