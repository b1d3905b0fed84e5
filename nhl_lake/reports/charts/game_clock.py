"""Charts along the clock of a game: running xG, win probability, shifts."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import polars as pl
from markupsafe import Markup

from nhl_lake.reports.charts.svg import (
    Plot,
    draw_line,
    draw_steps,
    draw_text,
    format_number,
    pick_ticks,
    show_text,
    wrap_chart,
)

WIDTH, HEIGHT = 640, 270
PERIOD_S, REGULATION_S = 1200, 3600
SIDES = ("home", "away")
ROW_HEIGHT, NAME_WIDTH = 15, 128
LABEL_GAP = 15  # between the names at the ends of two lines
ATTEMPTS = ("goal", "shot-on-goal", "missed-shot", "blocked-shot")


def draw_game_flow(flow: pl.DataFrame, goals: pl.DataFrame, teams: tuple[str, str]) -> Markup:
    """Return the running xG of both teams, with goals and power plays. teams: the letters of home and away.

    flow: steps of gold.game_flow with xG. goals: attempts that are goals, with `home_score` and `away_score`.
    """
    steps = flow.filter(pl.col("game_seconds").is_not_null())
    ends = [max(flow[f"{side}_xg_so_far"].drop_nulls().to_list(), default=0.0) for side in SIDES]
    end = find_end(steps)
    plot = Plot(30, WIDTH - 96, 20, HEIGHT - 24, end, max(*ends, 1) * 1.12)
    parts = [*draw_power_plays(plot, steps), *draw_clock(plot, end), *draw_xg_axis(plot)]
    for side in SIDES:
        points = [(0, 0.0), *list_points(steps, f"{side}_xg_so_far"), (end, ends[SIDES.index(side)])]
        parts.append(draw_steps(plot, points, f"line {side}"))
    parts += draw_goals(plot, steps, goals)
    labels = [f"{team} {xg:.2f}" for team, xg in zip(teams, ends, strict=True)]
    parts += draw_end_labels(plot, ends, labels)
    about = ", ".join(labels)
    return wrap_chart(parts, box=(0, 0, WIDTH, HEIGHT), title="Running expected goals", kind="flow", about=about)


def find_end(steps: pl.DataFrame) -> int:
    """Return the last second of a game: 3,600 or the end of overtime."""
    last = steps["game_seconds"].max()
    return max(REGULATION_S, int(str(last))) if last is not None else REGULATION_S


def list_points(steps: pl.DataFrame, name: str) -> list[tuple[float, float]]:
    """Return the attempts as points: second, and the value after it."""
    rows = steps.filter(pl.col("step").is_in(ATTEMPTS), pl.col(name).is_not_null())
    return list(rows.select("game_seconds", name).iter_rows())


def draw_clock(plot: Plot, end: int) -> Iterator[str]:
    """Yield the ends of the periods, and their names."""
    starts = [*range(0, REGULATION_S, PERIOD_S), *range(REGULATION_S, end, PERIOD_S)]
    for number, start in enumerate(starts):
        if start:
            yield draw_line(plot.x(start), plot.top, plot.x(start), plot.bottom, "grid")
        stop = min(start + PERIOD_S, end)
        overtime = number - 2
        name = str(number + 1) if number < 3 else "OT" if overtime == 1 else f"{overtime}OT"
        yield draw_text(plot.x((start + stop) / 2), plot.bottom + 17, name, kind="tick", anchor="middle")
    yield draw_line(plot.left, plot.bottom, plot.right, plot.bottom, "axis")


def draw_xg_axis(plot: Plot) -> Iterator[str]:
    """Yield the lines and numbers of the axis of xG."""
    for tick in pick_ticks(plot.last_y):
        if tick:
            yield draw_line(plot.left, plot.y(tick), plot.right, plot.y(tick), "grid")
        yield draw_text(plot.left - 6, plot.y(tick) + 4, f"{tick:g}", kind="tick", anchor="end")


def draw_power_plays(plot: Plot, steps: pl.DataFrame) -> Iterator[str]:
    """Yield a band for each time in which a team had more players. Only shifts say when it began and ended."""
    for side, start, stop in list_power_plays(steps):
        x, width = plot.x(start), plot.x(stop) - plot.x(start)
        yield (
            f'<rect class="power {side}" x="{format_number(x)}" y="{plot.top}" width="{format_number(width)}"'
            f' height="{format_number(plot.bottom - plot.top)}"/>'
        )


def list_power_plays(steps: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Return the side that had more players, and from which second to which; none in a game without shifts."""
    found: list[tuple[str, int, int]] = []
    if "strength" not in steps["step"]:
        return found
    changes = steps.filter(pl.col("step").is_in(("strength", "period-start", "period-end")))
    rows = changes.select("game_seconds", "home_strength_state", "step").iter_rows()
    for (start, state, step), (stop, *_) in pairwise(rows):
        if state not in ("PP", "SH") or stop <= start or step == "period-end":
            continue
        side = "home" if state == "PP" else "away"
        is_same = bool(found) and (found[-1][0], found[-1][2]) == (side, start)  # 5 on 4 after 5 on 3
        found.append((side, found.pop()[1] if is_same else start, stop))
    return found


def draw_goals(plot: Plot, steps: pl.DataFrame, goals: pl.DataFrame) -> Iterator[str]:
    """Yield a dot for each goal on its team's line, with the score after it."""
    after = {row["event_id"]: row for row in steps.filter(pl.col("step") == "goal").iter_rows(named=True)}
    for goal in goals.iter_rows(named=True):
        step = after.get(goal["event_id"])
        side = "home" if goal["is_home"] else "away"
        if step is None or step[f"{side}_xg_so_far"] is None:
            continue
        x, y = plot.x(step["game_seconds"]), plot.y(step[f"{side}_xg_so_far"])
        score = f"{goal['away_score']}–{goal['home_score']}"
        yield (
            f'<g><title>{show_text(describe_goal(goal))}</title><circle class="goal {side}" cx="{format_number(x)}"'
            f' cy="{format_number(y)}" r="5"/>{draw_text(x, y - 9, score, kind="score", anchor="middle")}</g>'
        )


def describe_goal(goal: dict[str, Any]) -> str:
    """Return a goal in words: team, scorer, xG."""
    xg = "" if goal["xg"] is None else f", xG {goal['xg']:.2f}"
    return f"{goal['team_abbrev']}: {goal['shooter'] or 'unknown scorer'}{xg}"


def draw_end_labels(plot: Plot, ends: Sequence[float], labels: Sequence[str]) -> Iterator[str]:
    """Yield the names at the ends of two lines, moved apart where they would overlap."""
    home, away = (plot.y(end) for end in ends)
    if abs(home - away) < LABEL_GAP:
        shift = (LABEL_GAP - abs(home - away)) / 2
        home, away = (home - shift, away + shift) if home <= away else (home + shift, away - shift)
    for y, label, side in zip((home, away), labels, SIDES, strict=True):
        yield draw_text(plot.right + 6, y + 4, label, kind=f"label {side}")


def draw_win_probability(rows: pl.DataFrame, teams: tuple[str, str]) -> Markup:
    """Return the home team's probability to win along the clock. rows: steps of gold.win_probability."""
    known = rows.filter(pl.col("game_seconds").is_not_null(), pl.col("home_win_probability").is_not_null())
    end = find_end(known)
    plot = Plot(44, WIDTH - 60, 14, HEIGHT - 24, end, 1)
    points = list(known.select("game_seconds", "home_win_probability").iter_rows())
    parts = [*draw_clock(plot, end)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(draw_line(plot.left, plot.y(share), plot.right, plot.y(share), "axis" if share == 0.5 else "grid"))
        parts.append(draw_text(plot.left - 6, plot.y(share) + 4, f"{100 * share:g}%", kind="tick", anchor="end"))
    parts.append(draw_steps(plot, points, "line home"))
    home, away = teams
    parts.append(draw_text(plot.right + 6, plot.top + 10, home, kind="label home"))
    parts.append(draw_text(plot.right + 6, plot.bottom - 2, away, kind="label away"))
    about = f"Probability that {home} wins" + (f", before the game {points[0][1]:.0%}" if points else "")
    return wrap_chart(parts, box=(0, 0, WIDTH, HEIGHT), title="Win probability", kind="flow", about=about)


def draw_shifts(
    shifts: pl.DataFrame, order: Sequence[int], goals: pl.DataFrame, *, side: str, team: str, end: int
) -> Markup:
    """Return the shifts of a team's skaters, a row a player. order: the players from top to bottom.

    shifts: player_id, player, sweater_number, period, start_seconds, end_seconds. end: the last second of the game.
    """
    own = shifts.filter(pl.col("player_id").is_in(list(order)), pl.col("end_seconds").is_not_null())
    rows = own.select(
        "player_id", "player", "sweater_number",
        start=PERIOD_S * (pl.col("period").cast(pl.Int32) - 1) + pl.col("start_seconds"),
        stop=PERIOD_S * (pl.col("period").cast(pl.Int32) - 1) + pl.col("end_seconds"),
    )  # fmt: skip
    players = {
        player: list(shifts) for player, shifts in groupby(rows.sort("player_id", "start").iter_rows(), lambda r: r[0])
    }
    shown = [player for player in order if player in players]
    height = ROW_HEIGHT * len(shown) + 30
    plot = Plot(NAME_WIDTH, WIDTH - 8, 8, height - 22, end, 1)
    parts = [*draw_clock(plot, end)]
    for index, player in enumerate(shown):
        y = plot.top + ROW_HEIGHT * index
        _, name, number, *_ = players[player][0]
        label = f"{'' if number is None else number} {shorten_name(name, player)}".strip()
        parts.append(draw_text(NAME_WIDTH - 6, y + 11, label, kind="name", anchor="end"))
        parts.append(draw_row(plot, [row[-2:] for row in players[player]], y + ROW_HEIGHT / 2, side))
    for goal in goals.filter(pl.col("game_seconds").is_not_null()).iter_rows(named=True):
        x = plot.x(goal["game_seconds"])
        mark = draw_line(x, plot.top, x, plot.bottom, f"mark {'home' if goal['is_home'] else 'away'}")
        parts.append(f"<g><title>{show_text(describe_goal(goal))}</title>{mark}</g>")
    return wrap_chart(parts, box=(0, 0, WIDTH, height), title=f"Shifts of {team}", kind="wide")


def draw_row(plot: Plot, shifts: Sequence[Sequence[float]], y: float, side: str) -> str:
    """Return the shifts of a player as one line with gaps, in tenths of a unit; the style gives it its breadth.

    shifts: start and stop in seconds of the game, in order.
    """
    moves, at = [], 0
    for start, stop in shifts:
        left, right = (round(10 * plot.x(second)) for second in (start, stop))
        moves.append(f"m{left - at} 0h{right - left}")
        at = right
    return f'<path class="bar {side}" transform="translate(0 {format_number(y)})scale(.1 1)" d="{"".join(moves)}"/>'


def shorten_name(name: str | None, player: int) -> str:
    """Return a name with the first letter of the first name: C. McDavid; the id if there is no name."""
    if not name:
        return str(player)
    first, _, rest = name.partition(" ")
    return f"{first[:1]}. {rest}" if rest else name
