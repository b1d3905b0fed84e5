"""Teams by two numbers, each with its letters."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from nhl_lake.reports.charts.series import choose_axis
from nhl_lake.reports.charts.svg import Plot, draw_line, draw_text, format_number, show_text, wrap_chart

WIDTH, HEIGHT = 640, 470
LETTERS_WIDTH, LETTERS_HEIGHT = 34.0, 15.0
PLACES = ((0, -9), (0, 19), (24, 5), (-24, 5), (24, -9), (-24, -9), (24, 19), (-24, 19))  # of letters beside a dot


class Dot(NamedTuple):
    """A team: its letters, and where it is."""

    name: str
    x: float
    y: float


def draw_scatter(dots: Sequence[Dot], *, title: str, axes: tuple[str, str], corners: tuple[str, str]) -> Markup:
    """Return a dot with letters for each team, with lines at the means. The axis of y points down: low is on top.

    corners: what it means to be at the top right, and at the bottom left.
    """
    x_first, x_last, x_step = choose_axis(widen([dot.x for dot in dots]))
    y_first, y_last, y_step = choose_axis(widen([dot.y for dot in dots]))
    plot = Plot(64, WIDTH - 14, 14, HEIGHT - 46, x_last, y_first, x_first, y_last)
    parts = [*draw_grid(plot, x_step, y_step), *draw_means(plot, dots)]
    parts.append(draw_text((plot.left + plot.right) / 2, HEIGHT - 6, axes[0], kind="tick", anchor="middle"))
    middle = (plot.top + plot.bottom) / 2
    turned = draw_text(0, 0, axes[1], kind="tick", anchor="middle")
    parts.append(f'<g transform="translate(12 {format_number(middle)}) rotate(-90)">{turned}</g>')
    parts.append(draw_text(plot.right - 4, plot.top + 15, corners[0], kind="name", anchor="end"))
    parts.append(draw_text(plot.left + 4, plot.bottom - 7, corners[1], kind="name", anchor="start"))
    parts += draw_dots(plot, dots)
    return wrap_chart(parts, box=(0, 0, WIDTH, HEIGHT), title=title, kind="flow scatter", about=f"{len(dots)} teams")


def widen(values: Sequence[float]) -> list[float]:
    """Return the values and two around them, so that no letters touch the edge."""
    room = 0.04 * (max(values) - min(values))
    return [*values, min(values) - room, max(values) + room]


def draw_grid(plot: Plot, x_step: float, y_step: float) -> Iterator[str]:
    """Yield the lines and numbers of both axes."""
    for number in range(round((plot.last_x - plot.first_x) / x_step) + 1):
        x = plot.x(value := plot.first_x + number * x_step)
        yield draw_line(x, plot.top, x, plot.bottom, "grid")
        yield draw_text(x, plot.bottom + 17, f"{value:.4g}", kind="tick", anchor="middle")
    for number in range(round(abs(plot.last_y - plot.first_y) / y_step) + 1):
        y = plot.y(value := plot.last_y + number * y_step)
        yield draw_line(plot.left, y, plot.right, y, "grid")
        yield draw_text(plot.left - 6, y + 4, f"{value:.4g}", kind="tick", anchor="end")


def draw_means(plot: Plot, dots: Sequence[Dot]) -> Iterator[str]:
    """Yield a line at the mean of each axis."""
    if dots:
        x, y = (sum(values) / len(dots) for values in zip(*((dot.x, dot.y) for dot in dots), strict=True))
        yield draw_line(plot.x(x), plot.top, plot.x(x), plot.bottom, "axis")
        yield draw_line(plot.left, plot.y(y), plot.right, plot.y(y), "axis")


def draw_dots(plot: Plot, dots: Sequence[Dot]) -> Iterator[str]:
    """Yield the dots, each with its letters where they touch the fewest others."""
    centers = [(plot.x(dot.x), plot.y(dot.y)) for dot in dots]
    taken: list[tuple[float, float]] = []
    for dot, (x, y) in zip(dots, centers, strict=True):
        spots = [(x + right, y + down - 5) for right, down in PLACES]
        spot = min(spots, key=lambda spot: count_overlaps(spot, taken, centers))
        taken.append(spot)
        about = f"{dot.name}: {dot.x:.2f}, {dot.y:.2f}"
        yield (
            f'<g><title>{show_text(about)}</title><circle class="dot" cx="{format_number(x)}" cy="{format_number(y)}"'
            f' r="4"/>{draw_text(spot[0], spot[1] + 5, dot.name, kind="score", anchor="middle")}</g>'
        )


def count_overlaps(
    spot: tuple[float, float], taken: Sequence[tuple[float, float]], centers: Sequence[tuple[float, float]]
) -> float:
    """Return how many letters and dots letters at a spot would touch; letters count more."""
    letters = sum(math.fabs(spot[0] - x) < LETTERS_WIDTH and math.fabs(spot[1] - y) < LETTERS_HEIGHT for x, y in taken)
    dots = sum(
        math.fabs(spot[0] - x) < LETTERS_WIDTH / 2 + 4 and math.fabs(spot[1] - y) < LETTERS_HEIGHT / 2 + 3
        for x, y in centers
    )
    return 3 * letters + dots
