import re
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.league.teams import TEAM_IDENTITIES
from nhl_lake.reports import colors
from nhl_lake.reports.page import read_asset

LEAGUE = [team.abbrev for team in TEAM_IDENTITIES]
NHL = [*colors.TEAM_COLORS]
PANELS = {"light": "#f4f5f7", "dark": "#1c2128"}


def is_readable(color: colors.ThemeColor) -> bool:
    return all(
        colors.compute_contrast(text, page) >= 4.5
        for text, pages in (
            (color.light, (colors.LIGHT_PAGE, PANELS["light"])),
            (color.dark, (colors.DARK_PAGE, PANELS["dark"])),
        )
        for page in pages
    )


def test_contrast_is_that_of_wcag():
    assert colors.compute_contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colors.compute_contrast("#123456", "#123456") == 1
    assert colors.compute_contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert colors.compute_contrast("#ffffff", "#777777") == colors.compute_contrast("#777777", "#ffffff")


@pytest.mark.parametrize("abbrev", NHL + LEAGUE)
def test_a_teams_color_can_be_read_on_both_pages(abbrev: str):
    assert is_readable(colors.get_team_colors(abbrev))


@pytest.mark.parametrize("teams", [NHL, LEAGUE], ids=["nhl", "sample league"])
def test_two_teams_of_a_game_differ_clearly_for_every_eye(teams: list[str]):
    for home, away in permutations(teams, 2):
        picked = colors.pick_team_colors(home, away)
        assert picked.home == colors.get_team_colors(home)
        assert is_readable(picked.away)
        for vision in (None, colors.DEUTERANOPIA, colors.PROTANOPIA):
            assert colors.measure_difference(picked.home.light, picked.away.light, vision) >= 0.12, (home, away)
            assert colors.measure_difference(picked.home.dark, picked.away.dark, vision) >= 0.12, (home, away)


def test_the_simulation_takes_red_from_green():
    red, green = "#c8102e", "#4a7000"
    seen = colors.measure_difference(red, green)
    assert colors.measure_difference(red, green, colors.DEUTERANOPIA) < seen / 2
    assert colors.measure_difference("#0038a8", "#c28a00", colors.DEUTERANOPIA) > 0.2  # blue from yellow stays


def test_the_away_team_keeps_its_color_against_a_different_one():
    assert colors.pick_team_colors("DET", "TOR").away == colors.get_team_colors("TOR")
    assert colors.pick_team_colors("DET", "NJD").away != colors.get_team_colors("NJD")


@given(st.text(max_size=5), st.text(max_size=5))
def test_any_two_names_have_colors_always_the_same(home: str, away: str):
    picked = colors.pick_team_colors(home, away)
    assert is_readable(picked.home)
    assert is_readable(picked.away)
    assert colors.compute_difference(picked.home, picked.away) >= 0.12
    colors.pick_team_colors.cache_clear()
    colors.get_team_colors.cache_clear()
    assert colors.pick_team_colors(home, away) == picked


def test_the_color_of_an_unknown_team_stays_the_same():
    assert colors.get_team_colors("HMS") == colors.ThemeColor("#b4480f", "#d66736")


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_any_color_fits_the_pages(rgb: tuple[int, int, int]):
    assert is_readable(colors.fit_to_pages("#" + "".join(f"{v:02x}" for v in rgb)))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colors_are_parsed_and_formatted(rgb: tuple[int, int, int]):
    text = "#" + "".join(f"{v:02x}" for v in rgb)
    assert colors.format_color(colors.parse_color(text)) == text


def test_percentiles_go_from_orange_over_grey_to_blue():
    steps = [colors.compute_percentile_color(p) for p in (0, 12, 23, 34, 50, 60, 70, 80, 100)]
    assert steps == list(colors.list_percentile_colors())
    assert [colors.classify_percentile(p) for p in (-1, 0, 50, 99.9, 100)] == [0, 0, 4, 8, 8]
    for light, dark in steps:
        assert colors.compute_contrast(light, colors.LIGHT_PAGE) >= 3  # WCAG: graphics need less than text
        assert colors.compute_contrast(dark, colors.DARK_PAGE) >= 3
    for vision in (None, colors.DEUTERANOPIA, colors.PROTANOPIA):
        for a, b in pairwise(steps):
            assert colors.measure_difference(a.light, b.light, vision) > 0.015
        assert colors.measure_difference(steps[0].light, steps[-1].light, vision) > 0.2
        assert colors.measure_difference(steps[0].dark, steps[-1].dark, vision) > 0.2


def test_an_unknown_percentile_is_grey():
    assert colors.compute_percentile_color(None) == colors.compute_percentile_color(50)


def test_text_on_a_color_is_the_better_one_of_black_and_white():
    assert colors.pick_text_color("#041e42") == "#ffffff"
    assert colors.pick_text_color("#fcb514") == "#111111"


def test_pictures_have_the_colors_of_the_style_sheet():
    style = read_asset("style.css").replace("#fff;", "#ffffff;")
    roots = re.findall(r":root\{([^}]*)\}", style)
    light, dark = (dict(re.findall(r"--(\w+):(#\w+)", root)) for root in roots[:2])  # the third is for print
    for name, color in colors.PAGE_COLORS.items():
        assert (light[name], dark[name]) == color, name
