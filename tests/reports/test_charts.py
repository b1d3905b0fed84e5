"""Charts of seasons: axes, lines, maps."""

import re
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.hockey import rink_lines
from nhl_lake.reports.charts import half_rink, scatter, series
from nhl_lake.reports.charts.shot_map import trace_line
from nhl_lake.reports.charts.svg import Plot
from nhl_lake.reports.colors import list_percentile_colors
from nhl_lake.reports.page import read_asset
from nhl_lake.reports.shot_cells import count_cells
from nhl_lake.reports.tables import FORMATS

NUMBERS = st.floats(-200, 200)


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        ("two", -0.004, "0.00"), ("two", -0.5, "−0.50"), ("signed", 0.004, "0.00"), ("signed", -0.004, "0.00"),
        ("signed", 0.5, "+0.50"), ("difference", -1200, "−1,200"), ("difference", 7, "+7"), ("difference", 0, "0"),
        ("count", -3, "−3"), ("count", 1200, "1,200"), ("count", 10, "10"),
    ],
)  # fmt: skip
def test_a_number_has_its_sign_and_zero_has_none(form: str, value: float, shown: str):
    assert FORMATS[form](value) == shown


@given(st.lists(NUMBERS, min_size=1))
def test_an_axis_holds_all_values_between_round_numbers(values: list[float]):
    first, last, step = series.choose_axis(values)
    assert first <= min(values) + 1e-9
    assert last >= max(values) - 1e-9
    assert last > first
    assert (last - first) / step <= series.MOST_TICKS + 2
    assert round(first / step) * step == pytest.approx(first)


@given(st.lists(NUMBERS | st.none(), min_size=2, max_size=82))
def test_a_line_is_broken_where_a_value_is_unknown(values: list[float | None]):
    path = series.trace_line(Plot(0, 100, 0, 100, len(values), 200, 0, -200), values)
    starts = sum(
        value is not None and (number == 0 or values[number - 1] is None) for number, value in enumerate(values)
    )
    assert path.count("M") == starts
    assert path.count("M") + path.count("L") == sum(value is not None for value in values)


def test_a_series_says_its_last_values():
    days = [date(2025, 10, 30) + timedelta(days=number) for number in range(3)]
    svg = series.draw_series(days, [("for", "home", [1, 2, None]), ("<b>", "away", [None, -1, -2])], title="Rolling")
    assert "for 2.00" in svg
    assert "&lt;b&gt; −2.00" in svg
    assert ">Oct<" in svg
    assert 'aria-label="Rolling. for 2.00, &lt;b&gt; −2.00"' in svg


def test_bars_of_minutes_are_stacked():
    days = [date(2025, 10, 1), date(2025, 10, 3)]
    svg = series.draw_minutes(days, [("even", [600, None]), ("power-play", [120, 60])], title="Minutes")
    even, power_play = (
        re.search(rf'class="{kind}" stroke-width="[^"]*" d="([^"]*)"', svg)[1] for kind in ("even", "power-play")
    )
    assert (even.count("M"), power_play.count("M")) == (1, 2)
    assert "6.5 minutes a game" in svg


def test_cells_count_attempts_on_the_attacked_half():
    shots = pl.LazyFrame(
        {
            "player_id": [1, 1, 1, 1, 2], "x_ft": [60.0, 64.9, -5.0, 80.0, 99.0], "y_ft": [-0.1, -5.0, 0.0, 42.0, 0.0],
            "xg": [0.1, None, 0.1, 0.2, 0.3], "is_goal": [True, False, False, False, True],
        }
    )  # fmt: skip
    assert count_cells(shots, ["player_id"]).collect().rows() == [
        (1, 60, -5, 2, 1, 0.1, pytest.approx(2 / 3)), (1, 80, 40, 1, 0, 0.2, pytest.approx(1 / 3)),
        (2, 95, 0, 1, 1, 0.3, 1.0),
    ]  # fmt: skip


def test_smoothing_keeps_what_is_in_the_middle():
    found = half_rink.smooth_cells({(60, 0): 16.0})
    assert found[60, 0] == 4
    assert found[65, 0] == found[60, -5] == 2
    assert found[55, -5] == 1
    assert sum(found.values()) == 16
    assert all(half_rink.is_inside(x, y) for x, y in half_rink.smooth_cells({(95, 40): 1.0, (95, 0): 1.0}))


def make_cells(**attempts: int) -> pl.DataFrame:
    rows = [(int(name[1:]), 0, count, 0, 0.0) for name, count in attempts.items()]
    names = ["cell_x_ft", "cell_y_ft", "attempts", "goals", "xg"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(share=pl.col("attempts") / 100)


def test_more_than_the_league_is_blue_and_fewer_orange():
    svg = half_rink.draw_differences(
        make_cells(x80=40, x40=0), make_cells(x80=100, x40=100), games=10, league_games=100, title="For"
    )
    kinds = dict(re.findall(r'class="(p\d)" d="([^"]*)"', svg))
    assert "M80 0h5v-5h-5z" in kinds["p8"]
    assert "M40 0h5v-5h-5z" in kinds["p0"]
    assert "p4" not in kinds
    assert "4.0 unblocked attempts a game" in svg


def test_letters_of_teams_keep_apart():
    names = ["AAA", "BBB", "CCC"]
    dots = [scatter.Dot(name, 2 + 0.001 * number, 2) for number, name in enumerate(names)]
    svg = scatter.draw_scatter([*dots, scatter.Dot("DDD", 3, 3)], title="T", axes=("x", "y"), corners=("a", "b"))
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="score"[^>]*>(\w+)', svg)
    assert [name for *_, name in places] == [*names, "DDD"]
    assert len({(x, y) for x, y, _ in places}) == 4


def test_the_style_sheet_has_the_colors_of_percentiles():
    style = read_asset("style.css")
    for step, color in enumerate(list_percentile_colors()):
        assert f".p{step}{{fill:{color.light}}}" in style
        assert f".p{step}{{fill:{color.dark}}}" in style


def test_lines_of_the_rink_are_where_the_rule_book_has_them():
    for shape in (*rink_lines.list_shapes(), *rink_lines.list_shapes(half=True)):
        if not isinstance(shape, rink_lines.Circle):
            points = [(x, -y) for x, y in rink_lines.trace_shape(shape)]
            start, steps = trace_line(points).removeprefix("M").split("l")
            found = [tuple(map(float, start.split()))]
            numbers = list(map(float, re.findall(r"-?(?:\d+(?:\.\d+)?|\.\d+)", steps)))
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                found.append((found[-1][0] + dx, found[-1][1] + dy))
            assert found == [pytest.approx(point, abs=0.051) for point in points]
