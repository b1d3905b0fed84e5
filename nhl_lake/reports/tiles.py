"""The numbers at the top of a page, each with its name and where it is in the lake."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from nhl_lake.reports.tables import FORMATS, NO_VALUE, Source, TableColumn, divide, show_text


class Tile(NamedTuple):
    """A number: its column, the row that has it, where it is in the lake (None: worked out here), and a word on it."""

    column: TableColumn
    row: Mapping[str, Any]
    source: Source | None = None
    note: str = ""


def render_tiles(tiles: Iterable[Tile]) -> Markup:
    """Return the numbers as a list of names and values."""
    return Markup(f'<dl class="tiles">{"".join(map(render_tile, tiles))}</dl>')


def render_tile(tile: Tile) -> str:
    """Return one number; null is a dash."""
    column = tile.column
    value = tile.row[column.name]
    if column.per:
        value = divide(value, tile.row[column.per])
    show = FORMATS.get(column.kind, show_text)
    shown = NO_VALUE if value is None else show(value)
    data = ""
    if tile.source is not None:
        data = f' data-from="{escape(tile.source.table)}" data-where="{show_text(tile.source.where)}"'
        data += f' data-column="{escape(column.column or column.name)}"'
        data += f' data-per="{escape(column.per)}"' if column.per else ""
    about = f' title="{show_text(column.about)}"' if column.about else ""
    note = f'<dd class="note-of">{show_text(tile.note)}</dd>' if tile.note else ""
    return f"<div><dt{about}>{show_text(column.title)}</dt><dd{data}>{shown}</dd>{note}</div>"
