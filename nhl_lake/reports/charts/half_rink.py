"""Maps of the end that is attacked, with the net on top: attempts of a player, and where those of many are from."""

import math
from collections.abc import Iterator

import polars as pl
from markupsafe import Markup

from nhl_lake.hockey import rink_lines
from nhl_lake.reports.charts.shot_map import MARGIN, draw_rink
from nhl_lake.reports.charts.svg import format_number, wrap_chart
from nhl_lake.reports.colors import PERCENTILE_STEPS
from nhl_lake.reports.shot_cells import CELL_FT

FIRST_X_FT = 20.0  # a little more than the zone: the blue line is at 25
MIN_RADIUS, RADIUS_BY_XG, NO_XG_RADIUS = 0.55, 3.2, 0.8  # ft: smaller than those of a game, for there are many
SHADE_SHARES = (0.001, 0.003, 0.006, 0.012, 0.02)  # of all attempts in one cell: from here on the next shade
DIFFERENCE_STEP = 0.04  # attempts a game and cell between two colors of a comparison


def wrap_half_rink(parts: Iterator[str], title: str, about: str, side: str) -> Markup:
    """Return a map: parts in feet, as gold.shots has them, turned so that the net is on top."""
    turned = f'<g transform="rotate(-90)"><g class="cells">{"".join(parts)}</g></g>'
    width = rink_lines.WIDTH + 2 * MARGIN
    box = (-width / 2, -rink_lines.LENGTH / 2 - MARGIN, width, rink_lines.LENGTH / 2 - FIRST_X_FT + MARGIN)
    return wrap_chart([turned], box=box, title=title, kind=f"rink half {side}", about=about)


def draw_attempts(shots: pl.DataFrame, *, title: str, side: str = "home", goals_only: bool = False) -> Markup:
    """Return a dot for each attempt. Its area is the xG; goals are full, saves half full, misses empty.

    shots: x_ft, y_ft, xg, is_goal, is_shot_on_goal. With `goals_only` there are dots for goals alone.
    """
    goals = int(shots["is_goal"].sum())
    about = f"{shots.height:,} unblocked attempts, {goals} goals"
    shown = shots.filter("is_goal") if goals_only else shots
    return wrap_half_rink(iter([draw_rink(half=True), *draw_dots(shown)]), title, about, side)


def draw_dots(shots: pl.DataFrame) -> Iterator[str]:
    """Yield the dots, in one group for each kind: misses, saves, goals on top."""
    kind = (
        pl.when("is_goal").then(pl.lit("goal")).when("is_shot_on_goal").then(pl.lit("save")).otherwise(pl.lit("miss"))
    )
    rows = shots.select("x_ft", "y_ft", "xg", kind=kind)
    for name in ("miss", "save", "goal"):
        own = rows.filter(pl.col("kind") == name).sort("xg", descending=True, nulls_last=True)
        dots = "".join(draw_dot(x, -y, xg) for x, y, xg, _ in own.iter_rows())
        yield f'<g class="dots {name}">{dots}</g>'


def draw_dot(x: float, y: float, xg: float | None) -> str:
    """Return the dot of an attempt."""
    radius = NO_XG_RADIUS if xg is None else MIN_RADIUS + RADIUS_BY_XG * math.sqrt(xg)
    return f'<circle cx="{format_number(x)}" cy="{format_number(y)}" r="{format_number(radius)}"/>'


def draw_cells(cells: pl.DataFrame, *, title: str, side: str = "home", goals: pl.DataFrame | None = None) -> Markup:
    """Return the share of attempts from each cell in five shades, with dots for `goals` if there are any.

    cells: as `count_cells` counts them, of one group.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for x, y, share in cells.select("cell_x_ft", "cell_y_ft", "share").iter_rows():
        shade = sum(share >= least for least in SHADE_SHARES)
        if shade:
            found.setdefault(shade, []).append((x, y))
    about = f"{int(cells['attempts'].sum()):,} unblocked attempts, {int(cells['goals'].sum())} goals"
    parts = [draw_squares(f"c{shade}", squares) for shade, squares in sorted(found.items())]
    dots = [] if goals is None else draw_dots(goals)
    return wrap_half_rink(iter([*parts, draw_rink(half=True), *dots]), title, about, side)


def draw_differences(
    cells: pl.DataFrame, league: pl.DataFrame, *, games: int, league_games: int, title: str, side: str = "home"
) -> Markup:
    """Return where a team has more (blue) or fewer (orange) attempts a game than the league's teams have.

    cells, league: as `count_cells` counts them. games: of the team; league_games: of all teams, added up. Each cell
    counts half of its neighbors and a quarter of those at its corners, so that chance weighs less.
    """
    own, every = (
        smooth_cells({(x, y): n / most for x, y, n in rows.select("cell_x_ft", "cell_y_ft", "attempts").iter_rows()})
        for rows, most in ((cells, max(games, 1)), (league, max(league_games, 1)))
    )
    middle = PERCENTILE_STEPS // 2
    found: dict[int, list[tuple[int, int]]] = {}
    for place, usual in every.items():
        steps = round((own.get(place, 0.0) - usual) / DIFFERENCE_STEP)
        if steps:
            found.setdefault(middle + max(-middle, min(middle, steps)), []).append(place)
    about = f"{cells['attempts'].sum() / max(games, 1):.1f} unblocked attempts a game"
    parts = [draw_squares(f"p{step}", squares) for step, squares in sorted(found.items())]
    return wrap_half_rink(iter([*parts, draw_rink(half=True)]), title, about, side)


def smooth_cells(cells: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    """Return the mean of each cell and its eight neighbors, weighted 4, 2 and 1."""
    found: dict[tuple[int, int], float] = {}
    for (x, y), value in cells.items():
        for along in (-1, 0, 1):
            for across in (-1, 0, 1):
                place = (x + along * CELL_FT, y + across * CELL_FT)
                found[place] = found.get(place, 0.0) + value * (2 - abs(along)) * (2 - abs(across)) / 16
    return {place: value for place, value in found.items() if is_inside(*place)}


def is_inside(x: int, y: int) -> bool:
    """Whether the middle of a cell is on the ice of the attacked half."""
    middle = x + CELL_FT / 2
    return 0 < middle < rink_lines.END and abs(y + CELL_FT / 2) < rink_lines.compute_side_at(middle)


def draw_squares(kind: str, squares: list[tuple[int, int]]) -> str:
    """Return the cells of one color as a path. A cell is named by its corner with the smallest coordinates."""
    path = "".join(f"M{x} {-y}h{CELL_FT}v-{CELL_FT}h-{CELL_FT}z" for x, y in sorted(squares) if x >= 0)
    return f'<path class="{kind}" d="{path}"/>'
