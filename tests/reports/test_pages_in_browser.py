"""Every kind of page in a browser: no request, no message, nothing that axe-core finds, nothing wider than a phone."""

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.reports.game import GameData, read_games
from nhl_lake.reports.game_page import render_game
from nhl_lake.reports.site import build_site
from tests.reports.test_game_report import make_hostile
from tests.support.browser import SCHEMES, WIDTHS, Browser
from tests.support.commands import LEAGUE_NOW, CommandResult

pytestmark = pytest.mark.league
Run = Callable[..., CommandResult]
SEASON = 20252026
REPORTS = (
    ("game", "last"), ("player", "zeke", "kesseridge"), ("day",),
    ("game", "2025021208"), ("player", "{goalie}"), ("team", "HMS"), ("league",),
)  # fmt: skip
PAGES = (
    "index.html", "status.html", "games/*.html", "teams/*.html",
    "league.html", "skaters.html", "goalies.html", "players/*.html", "days/*.html",
)  # fmt: skip


def keep_some(values: Sequence[Any], count: int) -> list[Any]:
    """Return values as parameters of a test; all but the first are left to `make soak`."""
    return [*values[:count], *(pytest.param(value, marks=pytest.mark.soak) for value in values[count:])]


@pytest.fixture(scope="module")
def site(league_lake: Path, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    folder = tmp_path_factory.mktemp("site") / "pages"
    build_site(league_lake, folder, workers=1)
    return folder


# each width and each scheme once: what is too wide does not depend on colors, nor colors on the width
WAYS = tuple(zip(WIDTHS, reversed(SCHEMES), strict=True))


def visit_all_ways(browser: Browser, page: Path, own: Path | None = None) -> dict[tuple[int, str], list[str]]:
    """Return the problems of a page by width and scheme, where there are any."""
    seen = {way: browser.visit(page, own=own, width=way[0], scheme=way[1]).list_problems() for way in WAYS}
    return {way: problems for way, problems in seen.items() if problems}


@pytest.mark.soak
def test_every_row_of_every_kind_of_page_is_right_in_every_way(browser: Browser, site: Path):
    for pattern in PAGES:
        page = max(site.glob(pattern), key=lambda page: page.stat().st_size)
        for width, scheme in product(WIDTHS, SCHEMES):
            seen = browser.visit(page, own=site, width=width, scheme=scheme, every_row=True)
            assert seen.list_problems() == [], (page, width, scheme)


@pytest.mark.parametrize("words", keep_some(REPORTS, 3), ids=" ".join)
def test_a_report_is_right_in_a_browser(
    browser: Browser, run_here: Run, league_lake: Path, tmp_path: Path, words: tuple[str, ...]
):
    goalie = pl.scan_delta(str(league_lake / "gold" / "goalie_season")).select(pl.col("player_id").first()).collect()
    words = tuple(word.format(goalie=goalie.item()) for word in words)
    done = run_here("report", *words, "--to", str(tmp_path / "r.html"), root=league_lake, now=LEAGUE_NOW)
    assert done.code == 0, done.err
    assert visit_all_ways(browser, tmp_path / "r.html") == {}


@pytest.mark.parametrize("pattern", keep_some(PAGES, 4))
def test_a_page_of_the_site_is_right_in_a_browser(browser: Browser, site: Path, pattern: str):
    pages = sorted(site.glob(pattern), key=lambda page: page.stat().st_size)
    assert pages
    for page in dict.fromkeys((pages[0], pages[-1])):  # the emptiest and the fullest
        assert visit_all_ways(browser, page, site) == {}, page


def test_hostile_names_do_nothing_in_a_browser(browser: Browser, league_lake: Path, tmp_path: Path):
    game = next(game for game in read_games(league_lake, SEASON) if game.is_final and not game.shots.is_empty())
    page = tmp_path / "r.html"
    page.write_text(render_game(GameData(*map(make_hostile, game))), encoding="utf-8")
    assert visit_all_ways(browser, page) == {}


def test_a_click_on_a_heading_sorts_a_table(browser: Browser, run_here: Run, league_lake: Path, tmp_path: Path):
    run_here("report", "game", "last", "--to", str(tmp_path / "r.html"), root=league_lake, now=LEAGUE_NOW)

    def sort(tab: Any) -> list[list[str]]:
        table = tab.locator("table", has=tab.locator("caption", has_text="Skaters of")).first
        heading = table.locator("thead th", has_text="TOI")
        column = table.locator("tbody td:nth-child(3)")
        before = column.all_inner_texts()
        heading.locator("button").click()
        down = column.all_inner_texts()
        heading.locator("button").click()
        return [before, down, column.all_inner_texts()]

    seen = browser.visit(tmp_path / "r.html", act=sort)
    before, down, up = seen.result

    def read(text: str) -> int:
        minutes, seconds = text.split(":")
        return 60 * int(minutes) + int(seconds)

    assert down == sorted(before, key=read, reverse=True)
    assert up == sorted(before, key=read)
    assert seen.list_problems() == []
