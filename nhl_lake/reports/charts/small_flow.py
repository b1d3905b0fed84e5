"""The running xG of a game, small enough to stand beside its score."""

import polars as pl
from markupsafe import Markup

from nhl_lake.reports.charts.game_clock import ATTEMPTS, PERIOD_S, REGULATION_S, SIDES, find_end
from nhl_lake.reports.charts.svg import Plot, draw_line, draw_steps, format_number, wrap_chart

WIDTH, HEIGHT = 300, 74


def draw_small_flow(flow: pl.DataFrame, teams: tuple[str, str]) -> Markup:
    """Return the lines of both teams' xG with a dot for each goal. flow: steps of gold.game_flow of one game."""
    steps = flow.filter(pl.col("game_seconds").is_not_null(), pl.col("step").is_in(ATTEMPTS))
    end = find_end(flow)
    ends = [max(steps[f"{side}_xg_so_far"].drop_nulls().to_list(), default=0.0) for side in SIDES]
    plot = Plot(4, WIDTH - 5, 6, HEIGHT - 4, end, max(*ends, 1.0))
    parts = [draw_line(plot.left, plot.bottom, plot.right, plot.bottom, "axis")]
    parts += [
        draw_line(plot.x(start), plot.top, plot.x(start), plot.bottom, "grid")
        for start in range(PERIOD_S, min(end, REGULATION_S + 1), PERIOD_S)
        if start < end
    ]
    goals = []
    for side, last in zip(SIDES, ends, strict=True):
        name, is_own = f"{side}_xg_so_far", pl.col("is_home") == (side == "home")
        own = steps.filter(is_own, pl.col(name).is_not_null()).select("game_seconds", name, "step")
        points = [(second, xg) for second, xg, _ in own.iter_rows()]
        parts.append(draw_steps(plot, [(0, 0.0), *points, (end, last)], f"line {side}"))
        goals += [
            f'<circle class="goal {side}" cx="{format_number(plot.x(second))}" cy="{format_number(plot.y(xg))}" r="4"/>'
            for second, xg, step in own.iter_rows()
            if step == "goal"
        ]
    about = ", ".join(f"{team} {xg:.2f}" for team, xg in zip(teams, ends, strict=True))
    return wrap_chart([*parts, *goals], box=(0, 0, WIDTH, HEIGHT), title="Running xG", kind="flow small", about=about)
