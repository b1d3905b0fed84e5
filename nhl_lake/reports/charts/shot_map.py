"""Maps of shots on a rink: of a game on the whole rink, of a player or a team on half of it."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import Any

import polars as pl
from markupsafe import Markup

from nhl_lake.hockey import rink_lines
from nhl_lake.reports.charts.svg import draw_text, format_number, show_text, wrap_chart

MARGIN = 2
MIN_RADIUS, RADIUS_BY_XG = 0.9, 5.5  # ft; the area of a dot grows with xG
NO_XG_RADIUS = 1.2


@cache
def draw_rink(*, half: bool = False) -> str:
    """Return the lines of a rink; with `half`, of the end that is attacked."""
    paths: dict[str, list[str]] = {}
    for shape in rink_lines.list_shapes(half=half):
        paths.setdefault(shape.name, []).append(trace_path(shape))
    return "".join(f'<path class="ice {name}" d="{"".join(lines)}"/>' for name, lines in paths.items())


def trace_path(shape: rink_lines.Shape) -> str:
    """Return a line of the rink as a part of a path."""
    if isinstance(shape, rink_lines.Circle):
        x, y, radius, across = map(format_number, (shape.x, -shape.y, shape.radius, 2 * shape.radius))
        if shape.is_filled:
            return f"M{x} {y}h0"  # the round end of a line without a length; the style says how large
        arc = f"a{radius} {radius} 0 1 0"
        return f"M{format_number(shape.x - shape.radius)} {y}{arc} {across} 0{arc} -{across} 0"
    return trace_line([(x, -y) for x, y in rink_lines.trace_shape(shape)])


def trace_line(points: Sequence[tuple[float, float]]) -> str:
    """Return a line through points, rounded to tenths, in the fewest characters: every page of a game has a rink."""
    tenths = [(round(10 * x), round(10 * y)) for x, y in points]
    steps = (step for (x, y), (next_x, next_y) in pairwise(tenths) for step in (next_x - x, next_y - y))
    texts = [
        format_number(step / 10).replace("0.", ".", 1) if abs(step) < 10 else format_number(step / 10) for step in steps
    ]
    start = f"M{format_number(tenths[0][0] / 10)} {format_number(tenths[0][1] / 10)}"
    return f"{start}l{' '.join(texts).replace(' -', '-')}"


def draw_game_shots(shots: pl.DataFrame, teams: tuple[str, str]) -> Markup:
    """Return the unblocked attempts of a game: the home team attacks to the right, the away team to the left.

    shots: attempts of gold.shots. A dot's area is its xG; goals are full, saves half full, misses empty.
    """
    own = shots.filter(pl.col("is_unblocked_attempt"), pl.col("x_ft").is_not_null(), pl.col("y_ft").is_not_null())
    order = order_shots(own)
    home, away = teams
    parts = [
        draw_rink(),
        draw_text(-50, -34, away, kind="side away", anchor="middle"),
        draw_text(50, -34, home, kind="side home", anchor="middle"),
        *draw_dots(order),
    ]
    counts = [own.filter(pl.col("is_home") == is_home).height for is_home in (True, False)]
    about = f"{home} {counts[0]} unblocked attempts, {away} {counts[1]}"
    width, height = rink_lines.LENGTH + 2 * MARGIN, rink_lines.WIDTH + 2 * MARGIN
    return wrap_chart(
        parts, box=(-width / 2, -height / 2, width, height), title="Shot map", kind="rink", about=about
    )  # fmt: skip


def order_shots(shots: pl.DataFrame) -> pl.DataFrame:
    """Return attempts in the order in which they are drawn: misses, saves, goals, and the small over the large."""
    order = ("is_goal", "is_shot_on_goal", "is_home", pl.col("xg").fill_null(0), "event_id")
    return shots.sort(*order, descending=[False, False, False, True, False])


def draw_dots(shots: pl.DataFrame) -> Iterator[str]:
    """Yield a dot per attempt of a known team, in groups of a side and a kind, with what it was as its tool tip."""
    rows = shots.drop_nulls("is_home").iter_rows(named=True)
    for (kind, side), group in groupby(rows, lambda shot: (classify_shot(shot), "home" if shot["is_home"] else "away")):
        yield f'<g class="{kind} {side}">{"".join(map(draw_dot, group))}</g>'


def classify_shot(shot: dict[str, Any]) -> str:
    """Return what became of an attempt: goal, save or miss."""
    return "goal" if shot["is_goal"] else "save" if shot["is_shot_on_goal"] else "miss"


def draw_dot(shot: dict[str, Any]) -> str:
    """Return the dot of an attempt: the home team attacks to the right, the away team to the left."""
    toward = 1 if shot["is_home"] else -1
    x, y, xg = toward * shot["x_ft"], -toward * shot["y_ft"], shot["xg"]
    radius = NO_XG_RADIUS if xg is None else MIN_RADIUS + RADIUS_BY_XG * math.sqrt(xg)
    return (
        f'<circle cx="{format_number(x)}" cy="{format_number(y)}" r="{format_number(radius)}">'
        f"<title>{show_text(describe_shot(shot))}</title></circle>"
    )


def describe_shot(shot: dict[str, Any]) -> str:
    """Return an attempt in words: who, what, when, from how far, and its xG."""
    result = classify_shot(shot)
    seconds = shot["period_seconds"]
    when = "" if seconds is None else f", P{shot['period']} {seconds // 60}:{seconds % 60:02d}"
    far = "" if shot["distance_ft"] is None else f", {shot['distance_ft']:.0f} ft"
    xg = "" if shot["xg"] is None else f", xG {shot['xg']:.2f}"
    return f"{shot['shooter'] or 'unknown'}: {shot['shot_type'] or 'shot'}, {result}{when}{far}{xg}"
