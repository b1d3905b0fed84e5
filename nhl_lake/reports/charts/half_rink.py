"""Maps of the end that is attacked, with the net on top: attempts of a player, and where those of many are from."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl
from markupsafe import Markup

from nhl_lake.hockey import rink_lines
from nhl_lake.reports.charts.shot_map import MARGIN, draw_rink
from nhl_lake.reports.charts.svg import format_number, wrap_chart
from nhl_lake.reports.colors import PERCENTILE_STEPS
from nhl_lake.reports.shot_cells import CELL_FT
from nhl_lake.text import format_count

FIRST_X_FT = 20.0  # a little more than the zone: the blue line is at 25
MIN_RADIUS, RADIUS_BY_XG, NO_XG_RADIUS = 0.55, 3.2, 0.8  # ft: smaller than those of a game, for there are many
DIFFERENCE_STEP = 0.04  # attempts a game and cell between two colors of a comparison


def wrap_half_rink(parts: Iterator[str], title: str, about: str, side: str) -> Markup:
    """Return a map: parts in feet, as gold.shots has them, turned so that the net is on top."""
    turned = f'<g transform="rotate(-90)"><g class="cells">{"".join(parts)}</g></g>'
    width = rink_lines.WIDTH + 2 * MARGIN
    box = (-width / 2, -rink_lines.LENGTH / 2 - MARGIN, width, rink_lines.LENGTH / 2 - FIRST_X_FT + MARGIN)
    return wrap_chart([turned], box=box, title=title, kind=f"rink half {side}", about=about)


def make_file(chart: Markup, style: str) -> str:
    """Return a map as a file of its own, with the rules of a style sheet that it needs."""
    head, _, rest = str(chart).partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{style}</style>{rest}'


class Attempt(NamedTuple):
    """An attempt with a place, as in gold.shots."""

    x_ft: float
    y_ft: float
    xg: float | None
    is_goal: bool
    is_shot_on_goal: bool


def draw_attempts(shots: Sequence[Attempt], *, title: str, side: str = "home") -> Markup:
    """Return a dot for each attempt. Its area is the xG; goals are full, saves half full, misses empty."""
    about = describe_counts(len(shots), sum(shot.is_goal for shot in shots))
    return wrap_half_rink(iter([draw_rink(half=True), *draw_dots(shots)]), title, about, side)


def describe_counts(attempts: int, goals: int) -> str:
    """Return how many attempts and goals a map shows."""
    return f"{format_count(attempts, 'unblocked attempt')}, {format_count(goals, 'goal')}"


def draw_dots(shots: Sequence[Attempt]) -> Iterator[str]:
    """Yield the dots, in one group for each kind: misses, saves, goals on top; the small ones over the large."""
    for kind in ("miss", "save", "goal"):
        own = [shot for shot in shots if classify_attempt(shot) == kind]
        own.sort(key=lambda shot: -(shot.xg or 0))
        yield f'<g class="dots {kind}">{"".join(draw_dot(shot.x_ft, -shot.y_ft, shot.xg) for shot in own)}</g>'


def classify_attempt(shot: Attempt) -> str:
    """Return what became of an attempt: goal, save or miss."""
    return "goal" if shot.is_goal else "save" if shot.is_shot_on_goal else "miss"


def draw_dot(x: float, y: float, xg: float | None) -> str:
    """Return the dot of an attempt."""
    radius = NO_XG_RADIUS if xg is None else MIN_RADIUS + RADIUS_BY_XG * math.sqrt(xg)
    return f'<circle cx="{format_number(x)}" cy="{format_number(y)}" r="{format_number(radius)}"/>'


def draw_cells(
    cells: pl.DataFrame, *, title: str, about: str = "", side: str = "home", goals: Sequence[Attempt] = ()
) -> Markup:
    """Return where attempts are from, in five shades, with dots for `goals` if there are any.

    cells: as `shade_cells` returns them. about: how many attempts there are.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for x, y, shade in cells.iter_rows():
        found.setdefault(shade, []).append((x, y))
    parts = [draw_squares(f"c{shade}", squares) for shade, squares in sorted(found.items())]
    return wrap_half_rink(iter([*parts, draw_rink(half=True), *draw_dots(goals)]), title, about, side)


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
            shade = min(abs(steps) + 1, middle)  # the colors beside the middle are too alike
            found.setdefault(middle + shade if steps > 0 else middle - shade, []).append(place)
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
