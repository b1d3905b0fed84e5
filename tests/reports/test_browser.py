"""The browser of the tests sees what is wrong with a page, and nothing on a page that is right."""

import asyncio
from pathlib import Path

import pytest

from tests.support.browser import SCHEMES, WIDTHS, Browser

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="style.css">
<style>@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }</style></head>
<body><main><h1>A page</h1><p>Words.</p><img alt="a dot" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></main>
<script>document.querySelector("p").dataset.dark = matchMedia("(prefers-color-scheme: dark)").matches</script>
</body></html>"""


def write_page(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the good page, with one text replaced by another, and its style sheet."""
    assert old in GOOD
    (folder / "style.css").write_text("p { margin: 0 }")
    page = folder / "page.html"
    page.write_text(GOOD.replace(old, new) if old else GOOD)
    return page


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_good_page_has_no_problems(browser: Browser, tmp_path: Path, width: int, scheme: str):
    def read(tab):
        return tab.evaluate("[innerWidth, document.querySelector('p').dataset.dark]")

    seen = browser.visit(write_page(tmp_path), own=tmp_path, width=width, scheme=scheme, act=read)
    assert seen.list_problems() == []
    assert seen.result == [width, str(scheme == "dark").lower()]


REQUESTS = {
    '<img alt="" src="https://example.test/x.png">': "https://example.test/x.png",
    '<script src="https://example.test/x.js"></script>': "https://example.test/x.js",
    "<style>@import url(https://example.test/x.css)</style>": "https://example.test/x.css",
    "<script>fetch('https://example.test/x').catch(() => 0)</script>": "https://example.test/x",
    "<script>navigator.sendBeacon('https://example.test/x')</script>": "https://example.test/x",
    "<script>new WebSocket('ws://example.test/x')</script>": "ws://example.test/x",
    "<iframe title=x src='https://example.test/x'></iframe>": "https://example.test/x",
    '<img alt="" src="../outside.png">': "outside.png",
}


@pytest.mark.parametrize(("html", "url"), REQUESTS.items())
def test_a_request_is_seen(browser: Browser, tmp_path: Path, html: str, url: str):
    folder = tmp_path / "site"
    folder.mkdir()
    seen = browser.visit(write_page(folder, "<p>", html + "<p>"), own=folder)
    assert [found for found in seen.requests if found.endswith(url)], seen
    assert seen.list_problems() != []


def test_a_page_alone_may_not_load_its_neighbours(browser: Browser, tmp_path: Path):
    assert browser.visit(write_page(tmp_path)).requests == [(tmp_path / "style.css").as_uri()]


BROKEN = {
    "console": ("<script>", "<script>console.warn('oops');", "console: warning: oops"),
    "error": ("<script>", "<script>missing();", "error: missing is not defined"),
    "image without text": ('alt="a dot" ', "", "axe: image-alt: "),
    "faint text": ("p>Words", 'p style="color: #ccc; background: #fff">Words', "axe: color-contrast: "),
    "no language": (' lang="en"', "", "axe: html-has-lang: "),
    "too wide": ("<p>", '<p style="width: 500px">', "wider than the window"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_page_has_one_problem(browser: Browser, tmp_path: Path, kind: str):
    old, new, problem = BROKEN[kind]
    [found] = browser.visit(write_page(tmp_path, old, new), own=tmp_path, width=390).list_problems()
    assert problem in found


def test_a_rule_against_scripts_does_not_stop_axe(browser: Browser, tmp_path: Path):
    csp = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><title>'
    seen = browser.visit(write_page(tmp_path, "<title>", csp), own=tmp_path)
    assert any("Content Security Policy" in text for text in seen.console)  # the page's own style and script
    assert seen.violations == []


def test_tests_with_asyncio_run_beside_the_browser(browser: Browser, tmp_path: Path):
    browser.visit(write_page(tmp_path), own=tmp_path)
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
