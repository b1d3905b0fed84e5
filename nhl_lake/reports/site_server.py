"""Serve the site of a lake to browsers on this machine: each page is drawn when it is asked for.

Nothing is written. A request names a page of the site, or gets an error: its text reaches no file, no table and no SQL.
"""

import base64
import hashlib
import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nhl_lake.errors import BadInput, LakeError, summarize_error
from nhl_lake.reports.page import Place, read_asset, render_page
from nhl_lake.reports.site import ASSETS, NAMES, Site, choose_site, hash_versions
from nhl_lake.reports.site_folder import is_site_path
from nhl_lake.reports.site_pages import KINDS, PlannedPage, draw_pages, list_targets, plan_pages
from nhl_lake.reports.site_search import render_names
from nhl_lake.store.location import Location

LOCAL_HOSTS = ("127.0.0.1", "localhost")
INDEX = "index.html"
LOG = logging.getLogger("uvicorn.error")  # goes to the terminal
STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)
HTML, SVG = "text/html", "image/svg+xml"
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "html": HTML, "svg": SVG}
TITLES = {404: "There is no such page", 405: "Pages can only be read", 400: "This request is not for this site"}
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class SiteView:
    """The pages of a lake as they are now. A run that changes the lake changes the next page that is asked for."""

    def __init__(self, root: Location, seasons: Sequence[int]) -> None:
        self.root = root
        self.seasons = seasons
        self.lock = Lock()
        self.versions = ""
        self.site: Site
        self.pages: Mapping[str, PlannedPage] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read which pages there are, if the lake has changed."""
        with self.lock:
            versions = hash_versions(self.root, self.seasons)
            if versions != self.versions:
                self.site = choose_site(self.root, self.seasons)
                self.pages = plan_pages(*self.site)
                self.versions = versions

    def render(self, path: str) -> str | None:
        """Return the text of a file of the site; None if there is none."""
        if path in ASSETS:
            return read_asset(path)
        if not is_site_path(path):
            return None
        self.refresh()
        pages, site = self.pages, self.site
        if path == NAMES:
            return render_names(pages.values())
        planned = pages.get(path)
        if planned is None:
            return None
        found = iter([(planned.number, planned.data)])
        read = KINDS[planned.kind].read
        if planned.data is None and read is not None:
            found = read(site.root, planned.season, site.now, [planned.number])
        for drawn in draw_pages(planned.kind, found, list_targets(pages.values())):
            return drawn.html
        return None  # it has gone since


def make_app(root: Location, seasons: Sequence[int] = (), hosts: Sequence[str] = LOCAL_HOSTS) -> Starlette:
    """Return the server's application. Only requests to one of the hosts' names are answered.

    A page of another site could otherwise reach this one, by a name of its own that leads to this machine.
    """
    view = SiteView(root, seasons)

    def show(request: Request) -> Response:
        # the route's own parameter, and the parts of the URL, would lose a line break at the end
        path = request.scope["path"].removeprefix("/") or INDEX
        text = view.render(path)
        if text is None:
            raise HTTPException(404)
        return make_response(text, MEDIA_TYPES[path.rpartition(".")[2]])

    return Starlette(
        routes=[Route("/{path:path}", show, methods=["GET"])],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)],
        exception_handlers=HANDLERS,
    )


def make_response(text: str, media_type: str, status: int = 200) -> Response:
    """Return a response with the headers that keep a page harmless: it loads files of this site, and nothing else."""
    styles = " ".join(["'self'", *(map(hash_style, STYLE.findall(text)) if media_type in {HTML, SVG} else ())])
    policy = (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = SECURITY_HEADERS | {"Content-Security-Policy": policy}
    return Response(text.encode(), status, headers, f"{media_type}; charset=utf-8")


def hash_style(style: str) -> str:
    """Return the source of a style in a page, as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def show_http_error(_: Request, error: HTTPException) -> Response:
    """Return the page for a page that is not there, or a method other than GET and HEAD."""
    about = "The start page of the site shows what there is."
    return show_error(error.status_code, TITLES.get(error.status_code, "This is not possible"), about)


def show_lake_error(_: Request, error: LakeError | OSError) -> Response:
    """Return the page for a lake that cannot be read. The terminal says why; a browser need not know."""
    LOG.error("Error: %s", error if isinstance(error, LakeError) else summarize_error(error))
    return show_error(503, "The lake cannot be read", "The terminal in which the server runs says why.")


def show_unexpected_error(_: Request, __: Exception) -> Response:
    """Return the page for any other failure, which the server prints."""
    return show_error(500, "This page cannot be drawn", "The terminal in which the server runs says why.")


def show_error(status: int, title: str, about: str) -> Response:
    """Return an error as a page, which links to the start page from wherever it is."""
    place = Place(is_alone=False, base="/")
    return make_response(render_page("notfound.html.j2", place, title=title, about=about), HTML, status)


HANDLERS: Mapping[Any, Any] = {  # of the kinds of errors: Starlette's types know only Exception
    HTTPException: show_http_error, LakeError: show_lake_error, OSError: show_lake_error,
    Exception: show_unexpected_error,
}  # fmt: skip


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of this machine; port 0 takes any free one."""
    try:
        listener = socket.create_server((host, port))
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"The address {host}, port {port} cannot be used: {summarize_error(error)}.",
            "Use another port: --port 0 takes any free one. --host must be an IPv4 address of this machine.",
        ) from error
    if ipaddress.ip_address(listener.getsockname()[0]).is_unspecified:
        listener.close()
        raise BadInput(f"--host {host} means every address of this machine.", "Name one: --host 192.168.1.5.")
    return listener


def serve_site(root: Location, seasons: Sequence[int], *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the site until interrupted. `ready` gets its address."""
    app = make_app(root, seasons, (*LOCAL_HOSTS, host))
    with open_socket(host, port) as listener:
        ready(f"http://{host}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none", http="h11",
            loop="asyncio",
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listener])
