"""Maps of shots on a rink: of a game on the whole rink, of a player or a team on half of it."""

import math
from collections.abc import Iterator
from functools import cache
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
    return "".join(draw_shape(shape) for shape in rink_lines.list_shapes(half=half))


def draw_shape(shape: rink_lines.Shape) -> str:
    """Return a line of the rink."""
    if isinstance(shape, rink_lines.Circle):
        kind = "spot" if shape.is_filled else "ice"
        x, y, radius = map(format_number, (shape.x, -shape.y, shape.radius))
        return f'<circle class="{kind} {shape.name}" cx="{x}" cy="{y}" r="{radius}"/>'
    points = "L".join(f"{format_number(x)} {format_number(-y)}" for x, y in rink_lines.trace_shape(shape))
    return f'<path class="ice {shape.name}" d="M{points}"/>'


def draw_game_shots(shots: pl.DataFrame, teams: tuple[str, str]) -> Markup:
    """Return the unblocked attempts of a game: the home team attacks to the right, the away team to the left.

    shots: attempts of gold.shots. A dot's area is its xG; goals are full, saves half full, misses empty.
    """
    own = shots.filter(pl.col("is_unblocked_attempt"), pl.col("x_ft").is_not_null(), pl.col("y_ft").is_not_null())
    order = own.sort("is_goal", pl.col("xg").fill_null(0), descending=[False, True])
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


def draw_dots(shots: pl.DataFrame) -> Iterator[str]:
    """Yield a dot per attempt, with what it was as its tool tip."""
    for shot in shots.iter_rows(named=True):
        toward = 1 if shot["is_home"] else -1
        side = "home" if shot["is_home"] else "away"
        yield draw_dot(toward * shot["x_ft"], -toward * shot["y_ft"], shot, side)


def draw_dot(x: float, y: float, shot: dict[str, Any], side: str) -> str:
    """Return the dot of an attempt."""
    kind = "goal" if shot["is_goal"] else "save" if shot["is_shot_on_goal"] else "miss"
    xg = shot["xg"]
    radius = NO_XG_RADIUS if xg is None else MIN_RADIUS + RADIUS_BY_XG * math.sqrt(xg)
    return (
        f'<circle class="{kind} {side}" cx="{format_number(x)}" cy="{format_number(y)}" r="{format_number(radius)}">'
        f"<title>{show_text(describe_shot(shot))}</title></circle>"
    )


def describe_shot(shot: dict[str, Any]) -> str:
    """Return an attempt in words: who, what, when, from how far, and its xG."""
    result = "goal" if shot["is_goal"] else "save" if shot["is_shot_on_goal"] else "miss"
    seconds = shot["period_seconds"]
    when = "" if seconds is None else f", P{shot['period']} {seconds // 60}:{seconds % 60:02d}"
    far = "" if shot["distance_ft"] is None else f", {shot['distance_ft']:.0f} ft"
    xg = "" if shot["xg"] is None else f", xG {shot['xg']:.2f}"
    return f"{shot['shooter'] or 'unknown'}: {shot['shot_type'] or 'shot'}, {result}{when}{far}{xg}"
