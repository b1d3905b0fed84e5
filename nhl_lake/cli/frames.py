"""Print rows of any table: the columns that fit the screen, and the names of those that are left out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table as Grid
from rich.text import Text

from nhl_lake.cli.console import make_console
from nhl_lake.text import show_controls

MAX_TEXT = 40
MIN_TEXT = 20
GAP = 2
PLAIN_NUMBERS = (
    "id",
    "season",
    "year",
    "number",
    "key",
    "version",
)  # numbers that are not counts, by the last word of the name: no separators
# the columns that come first, in this order
LEADING_COLUMNS = (
    "game_date", "season", "player", "first_name", "last_name", "first_player", "second_player", "third_player",
    "team_abbrev", "team_name", "opponent_abbrev", "home_team_abbrev", "away_team_abbrev", "home_score", "away_score",
    "position", "situation", "predicted_shots_on_goal", "chance_over_2_5", "games", "goals", "assists", "points",
    "shots_on_goal", "time_on_ice_s",
    "time_together_s", "period", "event",
)  # fmt: skip
SHOT_COLUMNS = ("shooter", "team_abbrev", "event", "xg")  # in a table of shots: before the other leading columns


class FittedColumns(NamedTuple):
    """The columns that fit: names, headings and cells; and the names of those that do not."""

    names: list[str]
    headings: list[str]
    cells: list[list[str]]
    left_out: list[str]


def format_cell(name: str, value: Any) -> str:  # noqa: ANN401 - whatever a column holds
    """Return a value as text on one line; null is '–'."""
    if isinstance(value, pl.Series | list):
        return show_controls(", ".join(str(one) for one in value), lines=False)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        is_count = isinstance(value, int) and name.rpartition("_")[2] not in PLAIN_NUMBERS
        return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}" if is_count else str(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "–" if value is None else show_controls(" ".join(str(value).split()))


def is_text(dtype: pl.DataType) -> bool:
    """Whether the cells of a column may be cut; numbers and dates may not."""
    return dtype == pl.String or dtype.is_nested()


def fit_columns(rows: pl.DataFrame, width: int) -> FittedColumns:
    """Return the columns that fit into a width, in order. If needed, break headings at '_' and cut texts.

    The first column is always included.
    """
    texts = {name: [format_cell(name, value) for value in rows[name]] for name in rows.columns}
    for breaks, longest in ((False, MAX_TEXT), (True, MAX_TEXT), (True, MIN_TEXT)):
        headings = {name: break_heading(name, texts[name]) if breaks else name for name in rows.columns}
        cells = {
            name: [cut_text(text, longest) for text in texts[name]] if is_text(dtype) else texts[name]
            for name, dtype in rows.schema.items()
        }
        fitting = count_fitting([measure(headings[name], cells[name]) for name in rows.columns], width)
        if fitting == rows.width:
            break
    names = rows.columns[: max(1, fitting)]
    return FittedColumns(
        names, [headings[n] for n in names], [cells[n] for n in names], rows.columns[max(1, fitting) :]
    )


def break_heading(name: str, cells: Sequence[str]) -> str:
    """Break a name at underscores to make it about as wide as its cells."""
    room = max([8, *map(cell_len, cells)])
    lines = [""]
    for word in name.replace("_", "_\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(word) > room:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def cut_text(text: str, longest: int) -> str:
    """Cut a text to a length, with '…' at the end."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def measure(heading: str, cells: Iterable[str]) -> int:
    """Return the width of a column."""
    return max(cell_len(text) for text in [*heading.split("\n"), *cells])


def count_fitting(widths: Sequence[int], width: int) -> int:
    """Return how many of the first columns fit."""
    used = -GAP
    for n, column in enumerate(widths):
        used += column + GAP
        if used > width:
            return n
    return len(widths)


def order_columns(names: Sequence[str], first: Sequence[str] = ()) -> list[str]:
    """Order the columns of a table: the requested ones, those of a shot, the leading columns, then the others.

    An id comes last if the table has the name that goes with it.
    """
    if "shooter" in names:
        first = (*first, *SHOT_COLUMNS)
    named = {"player_id": "player", "team_id": "team_abbrev", "opponent_team_id": "opponent_abbrev"}
    named |= {f"{nth}_player_id": f"{nth}_player" for nth in ("first", "second", "third")}
    named |= {f"{role}_player_id": role for role in ("shooter", "goalie")}
    named |= {f"{side}_team_id": f"{side}_team_abbrev" for side in ("home", "away")}
    late = [name for name in names if named.get(name) in names]
    lead = [name for name in (*LEADING_COLUMNS[:1], *first, *LEADING_COLUMNS) if name in names]
    return list(dict.fromkeys([*lead, *(name for name in names if name not in late), *late]))


def show_rows(rows: pl.DataFrame) -> list[str]:
    """Print the columns of rows that fit the screen; return the names of those that do not."""
    out = make_console()
    found = fit_columns(rows, out.width)
    grid = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for name, heading in zip(found.names, found.headings, strict=True):
        side: JustifyMethod = "right" if rows[name].dtype.is_numeric() else "left"
        grid.add_column(Text(heading), justify=side, no_wrap=True, vertical="bottom")
    for row in zip(*found.cells, strict=True):
        grid.add_row(*map(Text, row))
    out.print(grid)
    return found.left_out
