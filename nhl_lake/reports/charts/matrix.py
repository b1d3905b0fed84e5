"""Matrices of minutes: who was on the ice with whom, and against whom."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from nhl_lake.reports.charts.svg import show_text
from nhl_lake.reports.tables import wrap_table

SHADES = 5


def render_matrix(
    rows: Sequence[int], columns: Sequence[int], seconds: Mapping[tuple[int, int], int], names: Mapping[int, str], *,
    caption: str, side: str,
) -> Markup:  # fmt: skip
    """Return a table of minutes: a row and a column per player; the more minutes, the stronger the color.

    With the same players in rows and columns, each pair has one cell: that above the diagonal.
    """
    is_same = rows is columns
    most = max(seconds.values(), default=0)
    head = "".join(f'<th scope="col"><span>{show_text(names[player])}</span>' for player in columns)
    body = "".join(
        f'<tr><th scope="row">{show_text(names[row])}'
        + (f"<td colspan={number + 1}>" if is_same else "")
        + "".join(render_cell(seconds.get((row, column)), most) for column in columns[number + 1 if is_same else 0 :])
        for number, row in enumerate(rows)
    )
    return wrap_table(
        f'<table class="matrix {side}"><caption>{show_text(caption)}</caption><thead><tr><td>{head}</thead>'
        f"<tbody>{body}</tbody></table>",
        caption,
    )


def render_cell(seconds: int | None, most: int) -> str:
    """Return a cell: minutes with one decimal, in one of five shades. Players who never met have an empty cell."""
    if not seconds:
        return "<td>"
    shade = min(SHADES, 1 + SHADES * seconds // (most + 1))
    return f"<td class=s{shade}>{seconds / 60:.1f}"
