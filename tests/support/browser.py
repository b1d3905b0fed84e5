"""A headless Chromium from the system's packages: what a page requests, says and gets wrong, with the network blocked.

All calls run in a thread of their own: Playwright's event loop would otherwise be in the way of tests with asyncio.
"""

import importlib.resources
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The network is blocked three times: no name is found, pages are offline, and what is not the page's own is aborted.
FLAGS = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server", "--no-first-run")
HEIGHT = 900
WIDTHS = (390, 1400)  # CSS pixels of a phone and of a desktop
SCHEMES = ("light", "dark")
# Without `preload` axe requests no style sheet, which a file may not do. To measure contrast takes nine tenths of the
# time, and the cells of a column look alike: it is measured in the first rows of each table, or everywhere.
RUN_AXE = """async everywhere => {
    const options = {resultTypes: ['violations'], preload: false};
    const context = everywhere ? document : {include: [['html']], exclude: [['tbody tr:nth-child(n+4)']]};
    const rules = {'color-contrast': {enabled: false}};
    const contrast = await axe.run(context, {...options, runOnly: ['color-contrast']});
    return [...(await axe.run(document, {...options, rules})).violations, ...contrast.violations];
}"""
GET_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Visit(NamedTuple):
    """What was seen of a page. All lists are empty for a page that is right."""

    requests: list[str]  # URLs that are not the page's own files
    console: list[str]  # messages of every level
    errors: list[str]  # uncaught errors of scripts
    violations: list[str]  # of axe-core: rule, meaning, and the elements that break it
    overflow_px: int  # how much wider than the window the page is
    result: Any = None  # what `act` returned

    def list_problems(self) -> list[str]:
        """Return all problems, each with its kind."""
        kinds = {"request": self.requests, "console": self.console, "error": self.errors, "axe": self.violations}
        found = [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]
        return found + [f"{self.overflow_px} px wider than the window"] * (self.overflow_px > 0)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@cache
def read_axe() -> str:
    """Return the script of axe-core, from the package that ships it."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


class Browser:
    """A running Chromium. Close it at the end."""

    def __init__(self, executable: str) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="browser")
        self.thread.submit(self._launch, executable).result()

    def _launch(self, executable: str) -> None:
        from playwright.sync_api import sync_playwright

        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(executable_path=executable, args=FLAGS)

    def close(self) -> None:
        """End the browser and its thread."""
        self.thread.submit(self._end).result()
        self.thread.shutdown()

    def _end(self) -> None:
        self.chromium.close()
        self.playwright.stop()

    def visit(self, page: Path | str, **options: Any) -> Visit:
        """Open a page, run axe-core on it, and return what was seen.

        page: a file, or the URL of a server on 127.0.0.1.
        own: the folder, or the start of the URL, of files that the page may load; by default the page alone.
        width: of the window, in CSS pixels. scheme: light or dark, as the system would ask for.
        act: a function of Playwright's page that is called before axe-core runs: clicks, types, reads.
        screenshot: a PNG file to write, of the whole page.
        every_row: measure the contrast of all rows of tables, not of the first three: that takes long.
        """
        return self.thread.submit(self._visit, page, **options).result()

    def _visit(
        self, page: Path | str, *, own: Path | str | None = None, width: int = 1400, scheme: str = "light",
        act: Callable[[Any], Any] | None = None, screenshot: Path | None = None, every_row: bool = False,
    ) -> Visit:  # fmt: skip
        url = to_url(page)
        allowed = url if own is None else to_url(own).rstrip("/") + "/"
        requests, console, errors = [], [], []
        context = self.chromium.new_context(
            viewport={"width": width, "height": HEIGHT}, color_scheme=scheme,
            offline=url.startswith("file:"), reduced_motion="reduce", service_workers="block",
        )  # fmt: skip
        try:
            context.on("request", lambda request: is_own(request.url, allowed) or requests.append(request.url))
            context.route(lambda other: not is_own(other, allowed), lambda route: route.abort())
            tab = context.new_page()
            tab.on("websocket", lambda socket: requests.append(socket.url))
            tab.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
            tab.on("pageerror", lambda error: errors.append(str(error)))
            tab.goto(url)
            result = act(tab) if act else None
            overflow_px = tab.evaluate(GET_OVERFLOW)
            if screenshot:
                tab.screenshot(path=screenshot, full_page=True)
            tab.evaluate(read_axe() + "; null")  # not a script element: a page's own rules may forbid those
            violations = [format_violation(found) for found in tab.evaluate(RUN_AXE, every_row)]
        finally:
            context.close()
        return Visit(requests, console, errors, violations, overflow_px, result)


def to_url(place: Path | str) -> str:
    """Return the URL of a file or folder, or the URL itself."""
    return place if isinstance(place, str) else place.resolve().as_uri()


def is_own(url: str, allowed: str) -> bool:
    """Return whether a request is for the page's own files; data inside the page is no request."""
    bare = url.partition("#")[0].partition("?")[0]
    return url.startswith("data:") or (bare.startswith(allowed) if allowed.endswith("/") else bare == allowed)


def format_violation(found: dict[str, Any]) -> str:
    """Return a violation of axe-core in one line: rule, meaning, elements."""
    targets = " · ".join(" ".join(map(str, node["target"])) for node in found["nodes"][:3])
    return f"{found['id']}: {found['help']} ({len(found['nodes'])}: {targets})"
