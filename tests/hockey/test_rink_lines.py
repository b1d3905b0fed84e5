import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.hockey import rink_lines
from nhl_lake.hockey.rink_lines import Circle, Outline, Segment


def find_shapes(name: str, *, half: bool = False) -> list[rink_lines.Shape]:
    return [shape for shape in rink_lines.list_shapes(half=half) if shape.name == name]


def measure_gaps(values: list[float]) -> list[float]:
    return [round(b - a, 6) for a, b in pairwise(sorted(values))]


# Each number below is one of rule 1 of the rule book (2023-24), in feet.


def test_the_rink_is_200_by_85_feet_with_corners_of_28():
    (boards,) = find_shapes("boards")
    xs, ys = zip(*rink_lines.trace_shape(boards), strict=True)
    assert (min(xs), max(xs), min(ys), max(ys)) == (-100, 100, -42.5, 42.5)
    assert all(
        math.hypot(abs(x) - 72, abs(y) - 14.5) == pytest.approx(28, abs=0.01)
        for x, y in zip(xs, ys, strict=True)
        if abs(x) > 72 and abs(y) > 14.5
    )


def test_lines_across_the_rink():
    goal_lines, blue_lines = find_shapes("goal_line"), find_shapes("blue_line")
    assert sorted(100 - abs(line.x1) for line in goal_lines) == [11, 11]  # from the end of the rink
    assert sorted(89 - abs(line.x1) for line in blue_lines) == [64, 64]  # from the goal line
    assert measure_gaps([line.x1 for line in blue_lines]) == [50]  # the neutral zone
    assert all(abs(line.y2 - line.y1) == 85 for line in blue_lines + find_shapes("center_line"))


def test_goal_lines_end_at_the_boards():
    line = find_shapes("goal_line")[0]
    assert line.y2 == pytest.approx(14.5 + math.sqrt(28**2 - 17**2), abs=0.001)
    assert (line.y1, line.x1) == (-line.y2, line.x2)


def test_face_off_spots_and_circles():
    spots = {(shape.x, shape.y) for shape in find_shapes("spot")}
    assert len(spots) == 8
    assert {(89 - abs(x), abs(y)) for x, y in spots if abs(x) > 25} == {(20, 22)}  # from the goal line
    assert {(25 - abs(x), abs(y)) for x, y in spots if abs(x) < 25} == {(5, 22)}  # from the blue line
    assert {2 * shape.radius for shape in find_shapes("spot")} == {2}
    assert {shape.radius for shape in find_shapes("circle") + find_shapes("center_circle")} == {15}
    assert {(shape.x, shape.y) for shape in find_shapes("circle")} == {(x, y) for x, y in spots if abs(x) > 25}
    assert [2 * shape.radius for shape in find_shapes("center_spot")] == [1]


def test_hash_marks_are_5_feet_7_inches_apart_and_2_feet_long():
    marks = [mark for mark in find_shapes("hash") if mark.x1 > 0 and mark.y1 > 0]
    assert len(marks) == 4
    assert {round(abs(mark.y2 - mark.y1), 2) for mark in marks} == {2}
    assert max(measure_gaps([mark.x1 for mark in marks])) == pytest.approx(5 + 7 / 12, abs=0.01)
    assert all(math.hypot(mark.x1 - 69, mark.y1 - 22) == pytest.approx(15, abs=0.01) for mark in marks)


def test_the_goal_is_6_feet_wide_and_the_crease_8():
    goal, crease = find_shapes("goal")[0], find_shapes("crease")[0]
    assert {y for _, y in goal.points} == {-3, 3}
    assert max(x for x, _ in goal.points) - 89 == pytest.approx(40 / 12)
    assert (min(y for _, y in crease.points), max(y for _, y in crease.points)) == (-4, 4)
    assert min(x for x, _ in crease.points) == 89 - 6
    straight = sorted(x for x, y in crease.points if abs(y) == 4)
    assert straight[-1] - straight[0] == pytest.approx(4.5, abs=0.05)  # 4 feet 6 inches, then the arc


def test_the_trapezoid_is_22_feet_wide_at_the_goal_line_and_28_at_the_boards():
    lines = find_shapes("trapezoid", half=True)
    assert measure_gaps([line.y1 for line in lines]) == [22]
    assert measure_gaps([line.y2 for line in lines]) == [28]
    assert {(line.x1, line.x2) for line in lines} == {(89, 100)}


def test_a_half_rink_has_the_shapes_at_one_end():
    for shape in rink_lines.list_shapes(half=True):
        center_spot = isinstance(shape, Circle) and shape.name == "center_spot"
        assert center_spot or all(x >= 0 for x, _ in rink_lines.trace_shape(shape)), shape
    whole = rink_lines.list_shapes()
    assert {shape.name for shape in whole} == {shape.name for shape in rink_lines.list_shapes(half=True)}


def test_both_ends_are_alike():
    def mirror(shape: rink_lines.Shape) -> frozenset[tuple[float, float]]:
        return frozenset((-x, y) for x, y in round_points(shape))

    def round_points(shape: rink_lines.Shape) -> list[tuple[float, float]]:
        return [(round(x, 1) + 0.0, round(abs(y), 1)) for x, y in rink_lines.trace_shape(shape)]

    found = {frozenset(round_points(shape)) for shape in rink_lines.list_shapes()}
    assert {mirror(shape) for shape in rink_lines.list_shapes()} == found


@given(st.floats(-100, 100))
def test_the_boards_are_within_the_rink(x: float):
    assert 14.5 <= rink_lines.compute_side_at(x) <= 42.5
    assert rink_lines.compute_side_at(x) == rink_lines.compute_side_at(-x)


def test_shapes_are_traced_as_lines():
    assert rink_lines.trace_shape(Segment("hash", 1, 2, 3, 4)) == ((1, 2), (3, 4))
    circle = rink_lines.trace_shape(Circle("spot", 10, 0, 1))
    assert circle[0] == circle[-1] == (11, 0)
    assert rink_lines.trace_shape(Outline("goal", ((0, 0), (1, 0)), is_closed=True))[-1] == (0, 0)
