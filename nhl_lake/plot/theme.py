"""What all charts share: Altair, which is an extra, and the colors and fonts of the pages."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeAlias

import polars as pl

from nhl_lake.errors import BadInput
from nhl_lake.reports.colors import PAGE_COLORS, ThemeColor
from nhl_lake.text import CONTROL_CHARACTER

Chart: TypeAlias = Any  # a chart of Altair, which may not be installed

FONT = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Arial, sans-serif"
WIDTH = 640
MAX_ROWS = 5000  # Altair writes the data into the notebook, and draws no more


def import_altair() -> Any:  # noqa: ANN401 - not installed where types are checked
    """Return Altair. It is an extra: most lakes are read without a notebook."""
    try:
        return import_module("altair")
    except ModuleNotFoundError as error:
        raise BadInput(
            "Charts are drawn by Altair, which is not installed.", "Run `pip install 'nhl-lake[plot]'`."
        ) from error


def show_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose texts have � for control characters and marks of direction; Vega escapes the rest."""
    return rows.with_columns(pl.col(pl.String).str.replace_all(CONTROL_CHARACTER.pattern, "�"))


def choose(color: ThemeColor, *, dark: bool) -> str:
    """Return a color for a light or a dark chart."""
    return color.dark if dark else color.light


def choose_page_colors(*, dark: bool) -> dict[str, str]:
    """Return the colors of the style sheet by name: text, quiet, line, ice …"""
    return {name: choose(color, dark=dark) for name, color in PAGE_COLORS.items()}


def finish(chart: Chart, title: str, subtitle: str | list[str] = "", *, dark: bool) -> Chart:
    """Return a chart with its title, in the pages' colors."""
    colors = choose_page_colors(dark=dark)
    axis = {
        "labelColor": colors["quiet"], "titleColor": colors["quiet"], "gridColor": colors["line"],
        "domainColor": colors["rink"], "tickColor": colors["line"], "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal",
    }  # fmt: skip
    legend = {"labelColor": colors["text"], "titleColor": colors["quiet"], "labelFontSize": 12, "orient": "top"}
    head = {
        "anchor": "start", "color": colors["text"], "fontSize": 17, "subtitleColor": colors["quiet"],
        "subtitleFontSize": 13, "offset": 10,
    }  # fmt: skip
    about: Mapping[str, Any] = {"text": title, "subtitle": subtitle} if subtitle else {"text": title}
    return (
        chart.properties(title=about, padding=14)
        .configure(background=colors["bg"], font=FONT)
        .configure_view(stroke=None)
        .configure_axis(**axis)
        .configure_legend(**legend, titleFontWeight="normal", symbolStrokeWidth=2)
        .configure_title(**head)
        .configure_header(labelColor=colors["text"], labelFontSize=13, labelFontWeight="bold", title=None)
    )
