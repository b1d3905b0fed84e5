"""Charts along a season: rolling xG, running totals, minutes by game."""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from markupsafe import Markup

from nhl_lake.reports.charts.svg import Plot, draw_line, draw_text, format_number, wrap_chart

WIDTH, HEIGHT = 640, 250
LEFT, TOP, BOTTOM = 40, 14, 26
LABEL_ROOM = 20  # between the labels at the ends of two lines
LETTER_PX = 11.5  # of an end label, as wide as it gets on a phone
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100)
MOST_TICKS = 5
BAR_GAP = 0.15  # of the room of a bar


def draw_series(
    days: Sequence[date],
    lines: Sequence[tuple[str, str, Sequence[float | None]]],
    *,
    title: str,
    has_zero: bool = False,
) -> Markup:
    """Return lines along the games of a season. Null breaks a line; the last value stands at its end.

    lines: for each its name, its side (home or away) and a value per day. The axis begins near the lowest value, or
    with `has_zero` shows zero.
    """
    known = [value for _, _, values in lines for value in values if value is not None]
    first, last, step = choose_axis([*known, 0.0] if has_zero else known)
    labels = [label_end(name, values) for name, _, values in lines]
    right = WIDTH - 12 - LETTER_PX * max(map(len, labels), default=0)
    plot = Plot(LEFT, right, TOP, HEIGHT - BOTTOM, max(len(days) - 1, 1), last, 0, first)
    parts = [*draw_value_axis(plot, step, has_zero=has_zero), *draw_months(plot, days)]
    for _, side, values in lines:
        parts.append(f'<path class="line {side}" d="{trace_line(plot, values)}"/>')
    parts += draw_labels(plot, lines, labels)
    return wrap_chart(parts, box=(0, 0, WIDTH, HEIGHT), title=title, kind="flow series", about=", ".join(labels))


def choose_axis(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the ends of an axis and the step of its ticks: round numbers around the values."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = max(high - low, 0.2)
    step = next((step for step in STEPS if span / step <= MOST_TICKS), STEPS[-1])
    return math.floor(low / step) * step, max(math.ceil(high / step) * step, math.floor(low / step) * step + step), step


def label_end(name: str, values: Sequence[float | None]) -> str:
    """Return the name of a line with its last value."""
    last = next((value for value in reversed(values) if value is not None), None)
    return name if last is None else f"{name} {last:.2f}".replace("-", "−")


def draw_value_axis(plot: Plot, step: float, *, has_zero: bool) -> Iterator[str]:
    """Yield the lines and numbers of the axis of values; that of zero is stronger."""
    decimals = 0 if step >= 1 and step % 1 == 0 else 2 if round(step * 10) != step * 10 else 1
    for number in range(round((plot.last_y - plot.first_y) / step) + 1):
        tick = plot.first_y + number * step
        kind = "axis" if has_zero and abs(tick) < step / 2 else "grid"
        yield draw_line(plot.left, plot.y(tick), plot.right, plot.y(tick), kind)
        yield draw_text(
            plot.left - 6, plot.y(tick) + 4, f"{tick:.{decimals}f}".replace("-", "−"), kind="tick", anchor="end"
        )


def draw_months(plot: Plot, days: Sequence[date]) -> Iterator[str]:
    """Yield a mark and the name of each month at its first game; a name that would touch the last is left out."""
    room = -math.inf
    for number, day in enumerate(days):
        if number and (days[number - 1].year, days[number - 1].month) == (day.year, day.month):
            continue
        x = plot.x(number)
        yield draw_line(x, plot.bottom, x, plot.bottom + 5, "axis")
        if x - room >= 44:
            yield draw_text(x, plot.bottom + 19, f"{day:%b}", kind="tick", anchor="start" if number == 0 else "middle")
            room = x


def trace_line(plot: Plot, values: Sequence[float | None]) -> str:
    """Return the path of a line; a single value has a short stroke, so that it can be seen."""
    path, is_open = [], False
    for number, value in enumerate(values):
        if value is None:
            is_open = False
            continue
        point = f"{format_number(plot.x(number))} {format_number(plot.y(value))}"
        path.append(f"L{point}" if is_open else f"M{point}h.1")
        is_open = True
    return "".join(path)


def draw_labels(
    plot: Plot, lines: Sequence[tuple[str, str, Sequence[float | None]]], labels: Sequence[str]
) -> Iterator[str]:
    """Yield the labels at the ends of the lines, moved apart where they would overlap."""
    ends = []
    for (_, side, values), label in zip(lines, labels, strict=True):
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            ends.append((plot.y(last), label, side))
    ends.sort()
    places = [y for y, _, _ in ends]
    for upper, lower in pairwise(range(len(places))):
        gap = LABEL_ROOM - (places[lower] - places[upper])
        if gap > 0:
            places[upper] -= gap / 2
            places[lower] += gap / 2
    for y, (_, label, side) in zip(places, ends, strict=True):
        yield draw_text(plot.right + 8, y + 4, label, kind=f"label {side}")


def draw_minutes(days: Sequence[date], stacks: Sequence[tuple[str, Sequence[int | None]]], *, title: str) -> Markup:
    """Return a bar per game, of parts on top of each other. stacks: for each part its class and its seconds a game."""
    totals = [sum(part or 0 for part in game) for game in zip(*(seconds for _, seconds in stacks), strict=True)]
    _, last, step = choose_axis([0.0, *(total / 60 for total in totals)])
    height = HEIGHT * 3 // 4
    plot = Plot(LEFT, WIDTH - 8, TOP, height - BOTTOM, max(len(days), 1), last)
    parts = [*draw_value_axis(plot, step, has_zero=True), *draw_months(plot, days)]
    below = [0.0] * len(days)
    width = format_number(max(plot.x(1 - BAR_GAP) - plot.left, 1))
    for kind, seconds in stacks:
        path = []
        for number, part in enumerate(seconds):
            if part:
                x, y = plot.x(number + 0.5), plot.y(below[number])
                tall = format_number(plot.y(0) - plot.y(part / 60))
                path.append(f"M{format_number(x)} {format_number(y)}v-{tall}")
                below[number] += part / 60
        parts.append(f'<path class="{kind}" stroke-width="{width}" d="{"".join(path)}"/>')
    mean = sum(totals) / 60 / len(totals) if totals else 0
    about = f"{mean:.1f} minutes a game"
    return wrap_chart(parts, box=(0, 0, WIDTH, height), title=title, kind="flow minutes", about=about)
