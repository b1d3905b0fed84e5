"""What the charts share: numbers and texts in SVG, the frame of a chart, scales and axes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from nhl_lake.text import show_controls


def format_number(value: float) -> str:
    """Return a number with at most one decimal, as short as it can be: 12.0 -> 12."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"


def show_text(text: object) -> str:
    """Return a text that is safe in SVG: escaped, with control characters shown."""
    return str(escape(show_controls(str(text), lines=False)))


def wrap_chart(
    parts: Iterable[str], *, box: tuple[float, float, float, float], title: str, kind: str = "", about: str = ""
) -> Markup:
    """Return a chart: its parts in a box (x, y, width, height), with a title for those who do not see it.

    `about` says in words what the chart shows.
    """
    view = " ".join(format_number(number) for number in box)
    label = show_text(f"{title}. {about}" if about else title)
    return Markup(f'<svg class="chart {kind}" viewBox="{view}" role="img" aria-label="{label}">{"".join(parts)}</svg>')


def draw_text(x: float, y: float, text: object, *, kind: str = "", anchor: str = "") -> str:
    """Return a text at a point; `anchor` is start, middle or end."""
    about = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{format_number(x)}" y="{format_number(y)}"{about}>{show_text(text)}</text>'


def draw_line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    start, end = (f"{format_number(x)} {format_number(y)}" for x, y in ((x1, y1), (x2, y2)))
    return f'<path class="{kind}" d="M{start}L{end}"/>'


class Plot(NamedTuple):
    """The area of a chart in which x and y are drawn, in the chart's units, and the values at its edges."""

    left: float
    right: float
    top: float
    bottom: float
    last_x: float
    last_y: float
    first_x: float = 0
    first_y: float = 0

    def x(self, value: float) -> float:
        """Return where a value of x is."""
        return self.left + (value - self.first_x) / (self.last_x - self.first_x) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return where a value of y is."""
        return self.bottom - (value - self.first_y) / (self.last_y - self.first_y) * (self.bottom - self.top)


def draw_steps(plot: Plot, points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line that stays level until the next point, and is level to the end of the last; in whole units."""
    if not points:
        return ""
    x_before, y_before = round(plot.x(points[0][0])), round(plot.y(points[0][1]))
    moves = [f"M{x_before} {y_before}"]
    for x, y in ((round(plot.x(x)), round(plot.y(y))) for x, y in points[1:]):
        if y != y_before:
            moves.append(f"H{x}V{y}" if x != x_before else f"V{y}")
            x_before, y_before = x, y
    moves.append(f"H{round(plot.x(points[-1][0]))}")
    return f'<path class="{kind}" d="{"".join(moves)}"/>'


def pick_ticks(last: float, most: int = 6) -> list[float]:
    """Return round numbers from 0 up to `last`, at most `most` and one."""
    for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500):
        if last / step <= most:
            return [step * number for number in range(int(last / step) + 1)]
    return [0.0, last]
