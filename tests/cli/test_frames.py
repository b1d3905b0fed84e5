"""Rows of any table fit the screen: no dtypes, no broken names or dates, and a note about omitted columns."""

from datetime import UTC, date, datetime
from io import StringIO

import polars as pl
import pytest
from rich.console import Console

from nhl_lake.cli import errors, frames
from nhl_lake.cli.console import make_grid
from nhl_lake.gold.shots import SHOTS

ROWS = pl.DataFrame(
    {
        "game_date": [date(2026, 3, 31)],
        "player": ["Thibault Troischênay"],
        "goals": [3],
        "time_on_ice_s": [1250],
        "on_ice_unblocked_attempt_share": [0.51234],
        "season": [20252026],
        "is_home": [True],
        "fetched_at": [datetime(2026, 4, 1, 13, tzinfo=UTC)],
        "nothing": pl.Series([None], dtype=pl.Int64),
        "players": [[1, 2]],
    }
)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")


def show(rows: pl.DataFrame, width: int, monkeypatch: pytest.MonkeyPatch, capsys) -> tuple[list[str], list[str]]:
    monkeypatch.setenv("COLUMNS", str(width))
    left_out = frames.show_rows(rows)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()], left_out


def test_values_are_printed_as_people_read_them(monkeypatch: pytest.MonkeyPatch, capsys):
    (_, row), left_out = show(ROWS, 200, monkeypatch, capsys)

    for text in ("2026-03-31 ", "Thibault Troischênay", "1,250", "0.512", " 20252026 ", " yes ", "–", "1, 2"):
        assert text in row
    assert "2026-04-01 13:00:00" in row
    assert left_out == []


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_screen_and_no_cell_is_broken(width: int, monkeypatch: pytest.MonkeyPatch, capsys):
    lines, left_out = show(ROWS, width, monkeypatch, capsys)

    assert max(map(len, lines)) <= width
    assert sum("Thibault Troischênay" in line for line in lines) == 1
    assert sum("2026-03-31" in line for line in lines) == 1
    assert left_out == ROWS.columns[len(ROWS.columns) - len(left_out) :]
    assert bool(left_out) == (width < 120)


def test_a_heading_is_broken_at_its_underscores_only_where_that_helps():
    wide, narrow = (frames.fit_columns(ROWS.select("on_ice_unblocked_attempt_share"), width) for width in (80, 20))

    assert wide.headings == ["on_ice_unblocked_attempt_share"]
    assert narrow.headings[0].replace("\n", "") == "on_ice_unblocked_attempt_share"
    assert max(map(len, narrow.headings[0].split("\n"))) <= 20


def test_a_long_text_is_cut_and_a_number_never():
    rows = pl.DataFrame({"body": ["x" * 99], "player_id": [8470000123456789012]})
    found = frames.fit_columns(rows, 200)

    assert found.cells == [["x" * 39 + "…"], ["8470000123456789012"]]


def test_what_readers_look_for_comes_first_and_ids_with_a_name_late():
    names = ["season", "game_id", "game_date", "player_id", "player", "team_id", "team_abbrev", "hits", "goals"]

    assert frames.order_columns(names, ["hits"]) == [
        "game_date", "hits", "season", "player", "team_abbrev", "goals", "game_id", "player_id", "team_id",
    ]  # fmt: skip
    assert frames.order_columns(["b_id", "a"]) == ["b_id", "a"]


def test_shots_begin_with_who_shot_what_came_of_it_and_its_xg():
    names = frames.order_columns(SHOTS.schema.names(), ["period"])

    assert names[:6] == ["game_date", "period", "shooter", "team_abbrev", "event", "xg"]
    assert {"shooter_player_id", "goalie_player_id"} <= set(names[-4:])


@pytest.mark.parametrize("no_color", ["", "1"])
def test_results_have_colors_on_a_terminal_unless_no_color_says_otherwise(
    no_color: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", no_color)
    out = Console(file=StringIO(), force_terminal=True, color_system="standard", width=80)
    out.print(make_grid(["result", "what"], [("W 3-2", "W 3-2"), ("[L]", None)], colored=["result"]))
    text = out.file.getvalue()  # type: ignore[attr-defined]

    assert text.count("\x1b[32m") == (0 if no_color else 1)
    assert ("\x1b[32mW 3-2" in text) == (no_color == "")
    assert "[L]" in text


@pytest.mark.parametrize(("no_color", "text"), [("", "\x1b[1;31mError:\x1b[0m"), ("1", "Error:")])
def test_errors_are_red_on_a_terminal_unless_no_color_says_otherwise(
    no_color: str, text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(errors.sys.stderr, "isatty", lambda: True)

    assert errors.color_red("Error:") == text
