"""The names that the search of a site finds: players, teams, and the games of the last days, as a script of data.

A script, because a page from a disk may load one, but may not fetch. `templates/search.js` searches in the browser.
"""

import json
from collections.abc import Iterable

from nhl_lake.reports.page import FOLDERS
from nhl_lake.reports.site_pages import PlannedPage
from nhl_lake.text import show_controls

ORDER = ("team", "player", "game")  # of kinds among names that fit equally well


def render_names(pages: Iterable[PlannedPage]) -> str:
    """Return the script: for each folder, the number and the label of every page that has a label."""
    found = sorted(pages, key=lambda one: (one.kind, one.number))
    names = {
        FOLDERS[kind]: [
            [one.number, show_controls(one.label, lines=False)] for one in found if one.kind == kind and one.label
        ]
        for kind in ORDER
    }
    # JSON in ASCII is a script, and without < no program takes a name for markup
    text = json.dumps(names, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.siteNames={text};\n"
