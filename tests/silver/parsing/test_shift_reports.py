"""Tests of the lines of shift reports, on handwritten pages."""

import polars as pl
import pytest

from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.silver.parsing.shift_reports import parse_period, parse_report_lines
from tests.silver.builders import NO_PAGES, make_page, make_report


def test_report_has_a_line_for_each_shift_each_period_and_the_game():
    sums = ["1|1|00:56|00:56|00:46|00:00|00:10", "TOT|2|00:50|01:40|01:20|00:05|00:15"]
    found = parse_report_lines(
        make_report(("9 SURNAME-ÅKE, FIRST", ["1|1|1:28 / 18:32|2:24 / 17:36|00:56|G"], sums))
    ).collect()

    assert found["row"].to_list() == [0, 2, 3]  # 1 is the headings of the sums
    assert found.drop("season", "game_id", "row", "player", "listed_name").rows() == [
        ("shift", 9, 1, 88, 144, 56, None, None, None),
        ("period", 9, 1, None, None, 56, 46, 0, 10),
        ("game", 9, None, None, None, 100, 80, 5, 15),
    ]


@pytest.mark.parametrize(
    ("heading", "name"),
    [("9 SURNAME-ÅKE, FIRST", "surnameake,first"), ("SURNAME, FIRST", "surname,first"), ("9 SURNAME", None)],
)
def test_name_of_a_heading_is_folded(heading: str, name: str | None):
    found = parse_report_lines(make_report((heading, ["1|1|1:28 / 18:32|2:24 / 17:36|00:56|G"], []))).collect()

    assert found["listed_name"].to_list() == [name]


def test_line_belongs_to_the_player_above_it():
    line = ["1|1|1:28 / 18:32|2:24 / 17:36|00:56|&nbsp;"]
    found = parse_report_lines(make_report(("9 A, B", line, []), ("88 C, D", line * 2, []))).collect()

    assert found["sweater_number"].to_list() == [9, 88, 88]


@pytest.mark.parametrize("body", ["", "no page", "<html><tr><td>1</td></tr></html>", "<table><tr>" + "<td>1</td>" * 6])
def test_page_without_players_has_no_lines(body: str):
    assert parse_report_lines(make_page(body)).collect().is_empty()


def test_no_pages_give_no_lines():
    assert parse_report_lines(NO_PAGES).collect().is_empty()


@pytest.mark.parametrize(
    ("label", "number"), [("1", 1), ("4", 4), ("OT", 4), ("2OT", 5), ("SO", None), ("TOT", None), ("", None)]
)
def test_period_is_parsed_from_its_label(label: str, number: int | None):
    assert pl.select(parse_period(pl.lit(label))).item() == number


@pytest.mark.parametrize(
    ("text", "found"),
    [("0:00", 0), ("01:05", 65), ("1:05", 65), (" 20:00 ", 1200), ("61:30", 3690), ("1:60", None), ("", None),
     ("-1:05", None), ("1:5", None), ("1:05:00", None), (None, None)],
)  # fmt: skip
def test_clock_text_is_minutes_and_seconds(text: str | None, found: int | None):
    assert pl.select(parse_clock(pl.lit(text, pl.String))).item() == found
