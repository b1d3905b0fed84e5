"""The search of a site, in a browser: by name without accents, by the keyboard, from a disk, harmless."""

from pathlib import Path

import pytest

from nhl_lake.reports.page import Place, read_asset, render_page
from nhl_lake.reports.site import ASSETS, NAMES
from nhl_lake.reports.site_pages import PlannedPage
from nhl_lake.reports.site_search import render_names
from tests.support.browser import SCHEMES, WIDTHS, Browser

HOSTILE = "</script><img src=x onerror=alert(1)> \u202eevil\u2028\x00"
LABELS = {
    ("team", "HMS"): "HMS · Halifax Mariners", ("player", "1"): "Sampsa Järvisuomäki · HMS",
    ("player", "2"): "Søren Ångström · ORL", ("player", "3"): HOSTILE, ("player", "4"): "יוסי כהן · HMS",
    ("player", "5"): "Zoë O'Brien-Łuk · HMS", ("game", "2025020001"): "HMS 3 – 2 ORL, 2026-03-31",
    ("game", "2025020002"): "",
}  # fmt: skip
PAGES = [PlannedPage(kind, 20252026, number, "", label) for (kind, number), label in LABELS.items()]
SHOWN = "[...document.querySelectorAll('#found:not([hidden]) a')].map((row) => row.textContent)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site of two pages, one of them in a folder, and the names of others."""
    for name in ASSETS:
        (tmp_path / name).write_text(read_asset(name))
    (tmp_path / NAMES).write_text(render_names(PAGES))
    for path, base in (("index.html", ""), ("players/1.html", "../")):
        page = tmp_path / path
        page.parent.mkdir(exist_ok=True)
        place = Place(is_alone=False, base=base)
        page.write_text(render_page("notfound.html.j2", place, title=path, about="Words."))
    return tmp_path


QUERIES = {
    "jarvisuomaki": ["Sampsa Järvisuomäki · HMS"],
    "JÄRVI": ["Sampsa Järvisuomäki · HMS"],
    "soren ang": ["Søren Ångström · ORL"],
    "angstrom søren": ["Søren Ångström · ORL"],
    "brien luk": ["Zoë O'Brien-Łuk · HMS"],
    "כהן": ["יוסי כהן · HMS"],
    "orl 3": ["HMS 3 – 2 ORL, 2026-03-31"],
    "hms": [
        "HMS · Halifax Mariners", "HMS 3 – 2 ORL, 2026-03-31", "Sampsa Järvisuomäki · HMS", "יוסי כהן · HMS",
        "Zoë O'Brien-Łuk · HMS",
    ],
    "omaki": [], "   ": [], ".*": [], "<": [],
}  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_names_are_found_by_the_beginnings_of_words(browser: Browser, folder: Path, query: str):
    def search(tab):
        tab.fill("#search", query)
        tab.wait_for_function("window.siteNames")
        tab.wait_for_timeout(20)
        return tab.evaluate(SHOWN)

    seen = browser.visit(folder / "players" / "1.html", own=folder, act=search)
    assert seen.result == QUERIES[query]
    assert seen.list_problems() == []


def test_a_name_from_outside_stays_a_name(browser: Browser, folder: Path):
    assert "<" not in (folder / NAMES).read_text()

    def search(tab):
        tab.on("dialog", lambda dialog: dialog.dismiss())
        tab.fill("#search", "img onerror")
        tab.wait_for_selector("#found a")
        return tab.evaluate(SHOWN), tab.locator("#found img").count()

    seen = browser.visit(folder / "index.html", own=folder, act=search)
    assert seen.result == ([r"</script><img src=x onerror=alert(1)> \u202eevil" + "\u2028␀"], 0)
    assert seen.list_problems() == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_open_list_is_accessible(browser: Browser, folder: Path, width: int, scheme: str):
    def search(tab):
        tab.fill("#search", "hms")
        tab.wait_for_selector("#found a")
        tab.press("#search", "ArrowDown")
        return tab.evaluate(
            "[document.activeElement.id, document.activeElement.getAttribute('aria-activedescendant'),"
            " document.querySelector('[role=status]').textContent]"
        )

    seen = browser.visit(folder / "index.html", own=folder, act=search, width=width, scheme=scheme)
    assert seen.result == ["search", "found0", "5 pages"]
    assert seen.list_problems() == []


def test_the_keyboard_reaches_a_page(browser: Browser, folder: Path):
    def search(tab):
        tab.keyboard.press("/")
        tab.keyboard.type("hms")
        tab.wait_for_selector("#found a")
        for key in ("ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
            tab.keyboard.press(key)
        tab.wait_for_url("**/players/1.html")
        tab.keyboard.press("/")
        tab.keyboard.type("jarvi")
        tab.wait_for_selector("#found a")
        tab.keyboard.press("Escape")
        return tab.evaluate(SHOWN), tab.url

    seen = browser.visit(folder / "index.html", own=folder, act=search)
    assert seen.result == ([], (folder / "players" / "1.html").as_uri())
    assert seen.list_problems() == []


def test_without_a_search_no_name_is_loaded(browser: Browser, folder: Path):
    (folder / NAMES).unlink()
    assert browser.visit(folder / "index.html", own=folder).list_problems() == []
