"""Pages: templates and the data of a page become HTML, as a file of its own or as a page of a site."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from nhl_lake.hockey.calendar import GAME_TYPES
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import tables
from nhl_lake.text import show_controls

FOLDERS = {"game": "games", "player": "players", "team": "teams", "day": "days"}


@dataclass(frozen=True)
class Place:
    """Where a page is: alone in a file, or in a site with other pages, to which it links.

    base: how to reach the site's top from the page: "../". pages: the ids that have a page, by kind of page.
    """

    is_alone: bool = True
    base: str = ""
    pages: Mapping[str, Collection[Any]] = field(default_factory=dict)

    def link(self, kind: str, number: object) -> str | None:
        """Return the address of a page, relative to this one; None if there is no such page."""
        if number is None or number not in self.pages.get(kind, ()):
            return None
        return f"{self.base}{FOLDERS[kind]}/{number}.html"


ALONE = Place()


@cache
def read_asset(name: str) -> str:
    """Return the text of a file of the templates' folder."""
    return files("nhl_lake.reports").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def load_templates() -> jinja2.Environment:
    """Return the templates. All that is put into them is escaped, and a name that is not there is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(read_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=show_controls_of_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"season": format_season, "clock": tables.format_clock}
    environment.globals |= {
        "style": Markup(read_asset("style.css")),
        "script": Markup(read_asset("script.js")),
        "game_types": GAME_TYPES,
    }
    return environment


def show_controls_of_text(value: object) -> object:
    """Return what a template shows of a value: a text with its control characters visible, not obeyed."""
    return show_controls(value, lines=False) if isinstance(value, str) and not isinstance(value, Markup) else value


def render_page(template: str, place: Place, **about: object) -> str:
    """Return a page as HTML."""
    return load_templates().get_template(template).render(place=place, **about)
