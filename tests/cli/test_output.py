"""Text for the terminal: control characters are shown, never obeyed; data for programs is written as it is."""

import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.cli.output import print_text, write_out
from nhl_lake.text import show_controls


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str):
    left = {unicodedata.category(character) for character in show_controls(text) if character not in "\n\t"}
    assert "Cc" not in left


def test_ordinary_names_stay():
    assert show_controls("Noël Łūcās O’Brien\n氷 [C]") == "Noël Łūcās O’Brien\n氷 [C]"


def test_controls_are_visible(capsys: pytest.CaptureFixture[str]):
    print_text("\x1b[31mred\x9b \u202eeman\x7f")
    assert capsys.readouterr().out == "␛[31mred\\x9b \\u202eeman␡\n"


def test_data_is_written_as_it_is(capsys: pytest.CaptureFixture[str]):
    write_out("a,\x1bb\n", end="")
    assert capsys.readouterr().out == "a,\x1bb\n"


def test_a_stream_of_ascii_gets_ascii(monkeypatch: pytest.MonkeyPatch):
    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="ascii", errors="replace")
    monkeypatch.setattr(sys, "stdout", stream)
    print_text("…")
    assert raw.getvalue() == b"?\n"
