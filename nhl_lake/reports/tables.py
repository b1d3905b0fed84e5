"""HTML tables from frames. Every number says which column of which table it is, so that a test can ask the lake.

The attributes: `data-from` is a table of the lake, `data-where` says which of its rows, as name=value pairs. On a row,
`data-key` has the values of the columns in the table's `data-keys`. On a heading, `data-column` is a column, and
`data-from` and `data-where` say what differs for it. A number is the sum of its column over those rows; with
`data-per`, divided by the sum of another column. A number outside of such a table has all attributes itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup, escape

from nhl_lake.text import show_controls

NO_VALUE = "–"
NOWHERE = "-"  # the `column` of a number that is worked out for the page: no column of the lake


def format_clock(seconds: float) -> str:
    """Return seconds as minutes and seconds: 75 -> 1:15."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def format_number(value: float, form: str) -> str:
    """Return a number with a minus sign, as in print; what rounds to zero has no sign."""
    shown = f"{value:{form}}"
    if not any(digit in shown for digit in "123456789"):
        shown = shown.lstrip("+-")
    return shown.replace("-", "−")


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "count": lambda value: format_number(value, ","),
    "whole": lambda value: f"{value:.0f}",
    "one": lambda value: f"{value:.1f}",
    "two": lambda value: format_number(value, ".2f"),
    "signed": lambda value: format_number(value, "+.2f"),
    "difference": lambda value: format_number(value, "+,"),
    "percent": lambda value: f"{100 * value:.1f}%",
    "share": lambda value: f"{value:.3f}",
    "clock": format_clock,
}
NUMBER_KINDS = frozenset(FORMATS)


class TableColumn(NamedTuple):
    """A column of a table on a page: a column of the frame, its heading, what it means, and how its values are shown.

    kind: `text`, or `long` if it may take several lines; `player`, `team`, `game` or `day`, a link where there is a
    page; or a number, by the names of FORMATS. `key` names the frame's column with the id that a link needs. `column`,
    `where` and `table` say where a number is in the lake, if not as the table on the page says; if `column` is NOWHERE,
    it is in none. `per` names a column of the lake and of the frame to divide it by.
    """

    name: str
    title: str
    about: str = ""
    kind: str = "text"
    key: str = ""
    column: str = ""
    where: str = ""
    table: str = ""
    per: str = ""


class Source(NamedTuple):
    """Where the numbers of a table on a page are: a table of the lake, which rows, and the columns that name a row."""

    table: str
    where: str
    keys: tuple[str, ...]


Link = Callable[[str, Any], str | None]  # kind of page and its id -> address, or None without such a page


def render_table(
    rows: pl.DataFrame,
    columns: Sequence[TableColumn],
    *,
    caption: str,
    source: Source | None = None,
    link: Link | None = None,
    row_classes: Sequence[str] | None = None,
    shows_caption: bool = False,
) -> Markup:
    """Return a table of the rows, with a heading a column. Text is escaped, and null is a dash.

    The caption names the table for those who do not see it; `shows_caption` shows it to all.
    """
    head = "".join(render_heading(column, source) for column in columns)
    values = {column.name: render_cells(rows, column, link) for column in columns}
    keys = render_keys(rows, source)
    classes = [f' class="{name}"' if name else "" for name in row_classes] if row_classes else [""] * rows.height
    body = "".join(
        f"<tr{name}{key}>{''.join(cells)}" for name, key, *cells in zip(classes, keys, *values.values(), strict=True)
    )
    about = "" if source is None else render_source(source)
    hidden = "" if shows_caption else ' class="visually-hidden"'
    return wrap_table(
        f"<table class=d{about}><caption{hidden}>{show_text(caption)}</caption><thead><tr>{head}</thead>"
        f"<tbody>{body}</tbody></table>",
        caption,
    )


def wrap_table(table: str, caption: str) -> Markup:
    """Return a table of HTML in a box that scrolls, also by keys, where the screen is too narrow."""
    return Markup(f'<div class="scroll" tabindex="0" role="group" aria-label="{show_text(caption)}">{table}</div>')


def render_source(source: Source) -> str:
    """Return the attributes of a table that say where its numbers are."""
    return (
        f' data-from="{escape(source.table)}" data-where="{show_text(source.where)}"'
        f' data-keys="{escape(",".join(source.keys))}"'
    )


def render_keys(rows: pl.DataFrame, source: Source | None) -> list[str]:
    """Return the attribute of each row that names it in the lake."""
    if source is None or not source.keys:
        return [""] * rows.height
    values = zip(*(map(format_key, rows[name].to_list()) for name in source.keys), strict=True)
    return [f" data-key={quote_attribute(','.join(names))}" for names in values]


def quote_attribute(text: str) -> str:
    """Return a value of an attribute; letters and digits alone need no quotes, and most are such."""
    return text if text.isascii() and text.isalnum() else f'"{show_text(text)}"'


def format_key(value: object) -> str:
    """Return a value of a key as the lake writes it: nothing for null, true and false, else the value."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def render_heading(column: TableColumn, source: Source | None) -> str:
    """Return a heading. That of a number says which column of the lake it is, and the reader what it means."""
    about = f' title="{escape(column.about)}"' if column.about else ""
    if column.kind not in NUMBER_KINDS:
        return f"<th class=t{about}>{escape(column.title)}"
    data = ""
    if column.column != NOWHERE and (source is not None or column.table):
        data = f' data-column="{escape(column.column or column.name)}"'
        data += f' data-where="{escape(column.where)}"' if column.where else ""
        data += f' data-from="{escape(column.table)}"' if column.table else ""
        data += f' data-per="{escape(column.per)}"' if column.per else ""
    return f"<th{about}{data}>{escape(column.title)}"


def render_cells(rows: pl.DataFrame, column: TableColumn, link: Link | None) -> list[str]:
    """Return the cells of a column. Those of numbers have no class, as they are the most."""
    values = rows[column.name].to_list()
    if column.per:
        values = [divide(value, per) for value, per in zip(values, rows[column.per].to_list(), strict=True)]
    if column.kind in NUMBER_KINDS:
        show = FORMATS[column.kind]
        return [f"<td>{NO_VALUE if value is None else show(value)}" for value in values]
    if column.kind in {"text", "long"} or link is None:
        start = "<td class=w>" if column.kind == "long" else "<td class=t>"
        return [f"{start}{show_text(value)}" for value in values]
    ids = rows[column.key or column.name].to_list()
    links = (render_link(link(column.kind, number), value) for number, value in zip(ids, values, strict=True))
    return [f"<td class=t>{text}" for text in links]


def drop_empty_columns(rows: pl.DataFrame, columns: Sequence[TableColumn]) -> list[TableColumn]:
    """Return the columns without those that no row has a value in: what is missing is said once, not in each row."""
    return [column for column in columns if rows[column.name].null_count() < rows.height]


def divide(value: float | None, per: float | None) -> float | None:
    """Return a ratio; None if a part is unknown or there is nothing to divide by."""
    return None if value is None or not per else value / per


def show_text(value: object) -> str:
    """Return a value as text that is safe in a page: escaped, with control characters shown; null is a dash."""
    return NO_VALUE if value is None else str(escape(show_controls(str(value), lines=False)))


def render_link(address: str | None, text: object) -> str:
    """Return a text, as a link if there is an address. A name of the other direction stays within itself."""
    shown = show_text(text)
    if not shown.isascii():
        shown = f"<bdi>{shown}</bdi>"
    return shown if address is None else f'<a href="{escape(address)}">{shown}</a>'
