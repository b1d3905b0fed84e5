"""The lines of an NHL rink, in feet from center ice: x along the rink, y across it. Numbers only, no drawing.

The numbers are those of rule 1 of the NHL's rule book. Gold's locations have the acting team attack the net at x = +89.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from nhl_lake.hockey.rink import BLUE_LINE, GOAL_LINE

LENGTH, WIDTH, CORNER_RADIUS = 200.0, 85.0, 28.0
END, SIDE = LENGTH / 2, WIDTH / 2
CIRCLE_RADIUS, CENTER_SPOT_RADIUS, SPOT_RADIUS, REFEREE_RADIUS = 15.0, 0.5, 1.0, 10.0
SPOT_Y, END_SPOT_X, NEUTRAL_SPOT_X = 22.0, 69.0, 20.0  # 20 ft from the goal line, 5 ft from the blue line
HASH_LENGTH, HASH_GAP = 2.0, 5 + 7 / 12
GOAL_WIDTH, GOAL_DEPTH = 6.0, 40 / 12
CREASE_WIDTH, CREASE_RADIUS = 8.0, 6.0
TRAPEZOID_FRONT, TRAPEZOID_BACK = 22.0, 28.0  # widths at the goal line and at the boards

Point: TypeAlias = tuple[float, float]


class Segment(NamedTuple):
    """A straight line."""

    name: str
    x1: float
    y1: float
    x2: float
    y2: float


class Circle(NamedTuple):
    """A circle, or a spot if it is filled."""

    name: str
    x: float
    y: float
    radius: float
    is_filled: bool = False


class Outline(NamedTuple):
    """A line through points; closed if the last one is joined to the first."""

    name: str
    points: tuple[Point, ...]
    is_closed: bool = False


Shape: TypeAlias = Segment | Circle | Outline


def compute_side_at(x: float) -> float:
    """Return how far the boards are from the middle of the rink at x: 42.5 ft, less in the corners."""
    into_corner = abs(x) - (END - CORNER_RADIUS)
    if into_corner <= 0:
        return SIDE
    return SIDE - CORNER_RADIUS + math.sqrt(max(CORNER_RADIUS**2 - into_corner**2, 0.0))


def trace_arc(x: float, y: float, radius: float, *, start: float, end: float, steps: int = 16) -> tuple[Point, ...]:
    """Return points on a circle from one angle to another, in degrees counterclockwise from +x."""
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return tuple((round(x + radius * math.cos(a), 3), round(y + radius * math.sin(a), 3)) for a in angles)


def trace_boards(*, half: bool = False) -> tuple[Point, ...]:
    """Return the boards as a closed outline, counterclockwise; with `half`, of the half at x >= 0 with the red line."""
    inner_x, inner_y = END - CORNER_RADIUS, SIDE - CORNER_RADIUS
    right = (
        *trace_arc(inner_x, -inner_y, CORNER_RADIUS, start=-90, end=0),
        *trace_arc(inner_x, inner_y, CORNER_RADIUS, start=0, end=90),
    )
    if half:
        return ((0.0, -SIDE), *right, (0.0, SIDE))
    return (*right, *((-x, -y) for x, y in right))


def list_shapes(*, half: bool = False) -> tuple[Shape, ...]:
    """Return every line of the rink, boards first; with `half`, those of the half at x >= 0.

    The names say what to draw: boards, center_line, center_circle, center_spot, referee_crease, blue_line, goal_line,
    trapezoid, crease, goal, circle, spot, hash. A half rink has half of the center circle.
    """
    boards = Outline("boards", trace_boards(half=half), is_closed=True)
    ends = (1,) if half else (1, -1)
    return (boards, *_list_center(half=half), *(shape for end in ends for shape in _list_end(end)))


def trace_shape(shape: Shape, *, steps: int = 32) -> tuple[Point, ...]:
    """Return a shape as the points of a line, for a tool that draws lines only; closed shapes end where they begin."""
    if isinstance(shape, Segment):
        return ((shape.x1, shape.y1), (shape.x2, shape.y2))
    if isinstance(shape, Circle):
        return trace_arc(shape.x, shape.y, shape.radius, start=0, end=360, steps=steps)
    return (*shape.points, shape.points[0]) if shape.is_closed else shape.points


def _list_center(*, half: bool) -> Iterator[Shape]:
    yield Segment("center_line", 0.0, -SIDE, 0.0, SIDE)
    if half:
        yield Outline("center_circle", trace_arc(0.0, 0.0, CIRCLE_RADIUS, start=-90, end=90))
        yield Outline("referee_crease", trace_arc(0.0, -SIDE, REFEREE_RADIUS, start=0, end=90))
    else:
        yield Circle("center_circle", 0.0, 0.0, CIRCLE_RADIUS)
        yield Outline("referee_crease", trace_arc(0.0, -SIDE, REFEREE_RADIUS, start=0, end=180))
    yield Circle("center_spot", 0.0, 0.0, CENTER_SPOT_RADIUS, is_filled=True)


def _list_end(end: int) -> Iterator[Shape]:
    goal_line, blue_line = float(end * GOAL_LINE), float(end * BLUE_LINE)
    at_boards = round(compute_side_at(goal_line), 3)
    yield Segment("blue_line", blue_line, -SIDE, blue_line, SIDE)
    yield Segment("goal_line", goal_line, -at_boards, goal_line, at_boards)
    for side in (1, -1):
        yield Segment("trapezoid", goal_line, side * TRAPEZOID_FRONT / 2, end * END, side * TRAPEZOID_BACK / 2)
        yield Circle("spot", end * NEUTRAL_SPOT_X, side * SPOT_Y, SPOT_RADIUS, is_filled=True)
        yield Circle("spot", end * END_SPOT_X, side * SPOT_Y, SPOT_RADIUS, is_filled=True)
        yield Circle("circle", end * END_SPOT_X, side * SPOT_Y, CIRCLE_RADIUS)
        yield from _list_hash_marks(end * END_SPOT_X, side * SPOT_Y)
    yield Outline("crease", _trace_crease(end), is_closed=True)
    post, back = GOAL_WIDTH / 2, end * (GOAL_LINE + GOAL_DEPTH)
    yield Outline("goal", ((goal_line, -post), (back, -post), (back, post), (goal_line, post)))


def _list_hash_marks(x: float, y: float) -> Iterator[Segment]:
    to_circle = math.sqrt(CIRCLE_RADIUS**2 - (HASH_GAP / 2) ** 2)
    for side in (1, -1):
        for along in (1, -1):
            at = round(x + along * HASH_GAP / 2, 3)
            yield Segment(
                "hash", at, round(y + side * to_circle, 3), at, round(y + side * (to_circle + HASH_LENGTH), 3)
            )


def _trace_crease(end: int) -> tuple[Point, ...]:
    post = CREASE_WIDTH / 2
    opening = math.degrees(math.asin(post / CREASE_RADIUS))  # where the arc meets the straight sides
    arc = trace_arc(0.0, 0.0, CREASE_RADIUS, start=180 - opening, end=180 + opening)
    into_rink = ((0.0, post), *arc, (0.0, -post))
    return tuple((round(end * (GOAL_LINE + x), 3), y) for x, y in into_rink)
