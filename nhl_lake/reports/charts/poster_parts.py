"""The parts of a picture to post: each is drawn into a box, with texts that can be read on a phone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.hockey import rink_lines
from nhl_lake.reports.charts.game_clock import (
    PERIOD_S,
    REGULATION_S,
    SIDES,
    draw_power_plays,
    find_end,
    list_points,
    shorten_name,
)
from nhl_lake.reports.charts.shot_map import MARGIN, draw_dots, draw_rink, order_shots
from nhl_lake.reports.charts.svg import Plot, draw_line, draw_steps, draw_text, format_number, pick_ticks
from nhl_lake.reports.game import GameData

# widths of characters as shares of the font's size, about those of Arial; bold ones are wider
WIDTHS = {**dict.fromkeys("iljtfrI.,:;·'’-–|!()/ ", 0.3), **dict.fromkeys("mwMW", 0.85)}
UPPER_WIDTH, OTHER_WIDTH, FULL_WIDTH, BOLD = 0.7, 0.56, 1.0, 1.06
FIRST_FULL = "\u2e80"  # scripts of East Asia begin here
TITLE_HEIGHT = 36
GOAL_RADIUS = 10
LABEL_GAP, LABEL_HEIGHT = 18, 34
OVERTIME = "OT"
STYLE = """\
text{{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}}
text{{font-size:{body}px;fill:{text}}}.stat{{fill:{quiet};font-size:{small}px}}.page{{fill:{bg}}}.quiet,.tick{{fill:{quiet}}}.tick{{font-size:{small}px}}.note{{fill:{quiet};font-size:{note}px}}
.title{{font-weight:700}}.letters{{font-weight:700;font-size:{letters}px}}.points{{font-weight:700;font-size:{points}px}}
.number{{font-weight:700}}.score{{font-weight:700;font-size:{small}px}}.label{{font-weight:700}}
.grid{{stroke:{line};stroke-width:1.5;fill:none}}.axis{{stroke:{quiet};stroke-width:1.5;fill:none}}
.line{{fill:none;stroke-width:4;stroke-linejoin:round}}.power{{fill-opacity:.14}}
.mark{{stroke:{bg};stroke-width:2.5}}
.sheet{{fill:{ice}}}.ice{{fill:none;stroke:{rink};stroke-width:.4}}
.center_line,.goal_line,.circle,.hash{{stroke:{red}}}.blue_line,.center_circle{{stroke:{blue}}}
.blue_line,.center_line{{stroke-width:.9}}.spot,.center_spot{{stroke:{red};stroke-width:2;stroke-linecap:round}}.center_spot{{stroke-width:1}}
.goal,.save,.miss{{stroke-width:.55}}.miss{{fill:none}}.save{{fill-opacity:.35}}
"""
SIDE_STYLE = """\
text.{side},.fill.{side},.power.{side},.mark.{side},g.goal.{side},.save.{side}{{fill:{color}}}
.line.{side},.save.{side},.miss.{side}{{stroke:{color}}}g.goal.{side}{{stroke:{text}}}circle.mark.{side}{{stroke:{bg}}}
"""
SIZES: Mapping[bool, Mapping[str, int]] = {  # of the font, by whether the picture is tall
    False: {"body": 27, "small": 25, "note": 20, "letters": 70, "points": 80},
    True: {"body": 32, "small": 27, "note": 25, "letters": 88, "points": 100},
}


class Box(NamedTuple):
    """A rectangle of a picture, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return x of the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Return y of the lower edge."""
        return self.y + self.height


def make_style(colors: Mapping[str, str], *, is_tall: bool) -> str:
    """Return the style sheet of a picture. colors: those of the page by name, and home and away."""
    sides = (SIDE_STYLE.format(side=side, color=colors[side], text=colors["text"], bg=colors["bg"]) for side in SIDES)
    return STYLE.format(**SIZES[is_tall], **colors) + "".join(sides)


def measure_text(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is, in pixels."""
    shares = (
        WIDTHS.get(c) or (FULL_WIDTH if c >= FIRST_FULL else UPPER_WIDTH if c.isupper() else OTHER_WIDTH) for c in text
    )
    return (BOLD if bold else 1) * size * sum(shares)


def fit_text(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return a text that is about as wide as `width` pixels at most, shortened with … if need be."""
    if measure_text(text, size, bold=bold) <= width:
        return text
    while text and measure_text(f"{text}…", size, bold=bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def draw_title(box: Box, title: str) -> str:
    """Return the title at the top of a box."""
    return draw_text(box.x, box.y + TITLE_HEIGHT - 14, title, kind="title")


def draw_flow(box: Box, data: GameData, *, is_tall: bool) -> Iterator[str]:
    """Yield the running xG of both teams, with the goals and the power plays."""
    yield draw_title(box, "Expected goals (xG)")
    steps = data.flow.drop_nulls(["game_seconds", "home_xg_so_far", "away_xg_so_far"])
    if steps.is_empty():
        yield draw_text(box.x, box.y + TITLE_HEIGHT + 40, "The lake has no xG of this game.", kind="quiet")
        return
    end, totals = find_end(steps), [max(steps[f"{side}_xg_so_far"]) for side in SIDES]
    top = max(*totals, 1) * 1.15
    labels = [f"{data.game[f'{side}_team_abbrev']} {xg:.2f}" for side, xg in zip(SIDES, totals, strict=True)]
    label_width = LABEL_GAP + max(measure_text(label, SIZES[is_tall]["body"], bold=True) for label in labels)
    plot = Plot(box.x + 44, box.right - label_width, box.y + TITLE_HEIGHT + 6, box.bottom - 34, end, top)
    yield from draw_power_plays(plot, steps)
    for tick in pick_ticks(top, most=5):
        yield draw_line(plot.left, plot.y(tick), plot.right, plot.y(tick), "grid" if tick else "axis")
        yield draw_text(plot.left - 8, plot.y(tick) + 8, f"{tick:g}", kind="tick", anchor="end")
    yield from draw_period_names(plot, end)
    for side, total in zip(SIDES, totals, strict=True):
        points = [(0, 0.0), *list_points(steps, f"{side}_xg_so_far"), (end, total)]
        yield draw_steps(plot, points, f"line {side}")
    yield from draw_goals(plot, steps, data.goals)
    yield from draw_totals(plot, totals, labels)


def draw_period_names(plot: Plot, end: int) -> Iterator[str]:
    """Yield the ends of the periods, and their names; overtimes are one."""
    starts = [*range(0, REGULATION_S, PERIOD_S), *([REGULATION_S] if end > REGULATION_S else [])]
    for number, start in enumerate(starts):
        stop = min(start + PERIOD_S, REGULATION_S) if start < REGULATION_S else end
        if start:
            yield draw_line(plot.x(start), plot.top, plot.x(start), plot.bottom, "grid")
        name = str(number + 1) if start < REGULATION_S else OVERTIME
        yield draw_text(plot.x((start + stop) / 2), plot.bottom + 28, name, kind="tick", anchor="middle")


def draw_goals(plot: Plot, steps: pl.DataFrame, goals: pl.DataFrame) -> Iterator[str]:
    """Yield a dot per goal on its team's line."""
    after = {row["event_id"]: row for row in steps.filter(pl.col("step") == "goal").iter_rows(named=True)}
    for goal in goals.iter_rows(named=True):
        step = after.get(goal["event_id"])
        if step is None:
            continue  # in a shootout, or without a time
        side = "home" if goal["is_home"] else "away"
        x, y = plot.x(step["game_seconds"]), plot.y(step[f"{side}_xg_so_far"])
        yield (f'<circle class="mark {side}" cx="{format_number(x)}" cy="{format_number(y)}" r="{GOAL_RADIUS}"/>')


def draw_totals(plot: Plot, totals: Sequence[float], labels: Sequence[str]) -> Iterator[str]:
    """Yield the labels of both teams at the ends of their lines, moved apart where they would overlap."""
    home, away = (plot.y(total) for total in totals)
    shift = max(0.0, (LABEL_HEIGHT - abs(home - away)) / 2) * (1 if home <= away else -1)
    for side, y, label in zip(SIDES, (home - shift, away + shift), labels, strict=True):
        yield draw_text(plot.right + LABEL_GAP, y + 9, label, kind=f"label {side}")


def draw_map(box: Box, shots: pl.DataFrame) -> Iterator[str]:
    """Yield the unblocked attempts on the rink: the away team attacks to the left, the home team to the right."""
    yield draw_title(box, "Shots: larger is more xG, full is a goal" if box.width > 500 else "Shots: full is a goal")
    known = shots.filter("is_unblocked_attempt").drop_nulls(["x_ft", "y_ft"])
    if known.is_empty():
        yield draw_text(box.x, box.y + TITLE_HEIGHT + 40, "The lake has no shots of it.", kind="quiet")
        return
    order = order_shots(known)
    width, height = rink_lines.LENGTH + 2 * MARGIN, rink_lines.WIDTH + 2 * MARGIN
    yield (
        f'<svg x="{box.x}" y="{box.y + TITLE_HEIGHT}" width="{box.width}" height="{box.height - TITLE_HEIGHT}"'
        f' viewBox="{-width / 2} {-height / 2} {width} {height}" preserveAspectRatio="xMinYMin">'
        f'<rect class="sheet" x="{-rink_lines.END}" y="{-rink_lines.SIDE}" width="{rink_lines.LENGTH}"'
        f' height="{rink_lines.WIDTH}" rx="{rink_lines.CORNER_RADIUS}"/>{draw_rink()}{"".join(draw_dots(order))}</svg>'
    )


def draw_periods(box: Box, data: GameData, *, is_tall: bool) -> Iterator[str]:
    """Yield the xG of each team by period and in all: a row per team, or if the box is tall a row per period."""
    names, sums = sum_periods(data)
    letters = [str(data.game[f"{side}_team_abbrev"]) for side in ("away", "home")]
    rows = [[name, *("–" if sums.get((side, name)) is None else f"{sums[side, name]:.2f}" for side in ("away", "home"))]
            for name in names]  # fmt: skip
    cells = [["xG", *letters], *rows]
    kinds = {(0, 1): "label away", (0, 2): "label home"}
    if not is_tall:
        cells = [list(column) for column in zip(*cells, strict=True)]
        kinds = {(column, row): kind for (row, column), kind in kinds.items()}
    height, columns = box.height / len(cells), len(cells[0])
    first = box.width * (0.26 if is_tall else 0.16)
    step = (box.width - first) / (columns - 1)
    for number, row in enumerate(cells):
        y = box.y + height * (number + 1)
        yield draw_line(box.x, y, box.right, y, "grid")
        for column, text in enumerate(row):
            is_last = number == len(cells) - 1 if is_tall else column == columns - 1
            kind = kinds.get((number, column), "number" if is_last else "quiet" if 0 in (number, column) else "")
            x, anchor = (box.x, "start") if column == 0 else (box.x + first + step * column, "end")
            yield draw_text(x, y - height / 2 + 10, text, kind=kind, anchor=anchor)


def sum_periods(data: GameData) -> tuple[list[str], dict[tuple[str, str], float | None]]:
    """Return the names of the periods, and the xG by side and name; overtimes are one, "All" is the team's."""
    played = data.periods.filter(pl.col("period_type") != "SO", pl.col("xg").is_not_null())
    name = pl.when(pl.col("period") > 3).then(pl.lit(OVERTIME)).otherwise(pl.col("period").cast(pl.String))
    side = pl.when("is_home").then(pl.lit("home")).otherwise(pl.lit("away"))
    found = played.group_by(side=side, name=name).agg(pl.col("xg").sum())
    sums: dict[tuple[str, str], float | None] = {(side, name): xg for side, name, xg in found.iter_rows()}
    for is_home, xg in data.teams.filter(pl.col("situation") == ALL_SITUATIONS).select("is_home", "xg").iter_rows():
        sums["home" if is_home else "away", "All"] = xg
    names = ["1", "2", "3", *([OVERTIME] if any(name == OVERTIME for _, name in sums) else []), "All"]
    return names, sums


def draw_players(box: Box, data: GameData, skaters: int, *, is_tall: bool) -> Iterator[str]:
    """Yield the best skaters of both teams by game score, and the goalie with the most ice time."""
    sizes, gap = SIZES[is_tall], 32
    width, row = (box.width - gap) / 2, box.height / (skaters + 1)
    for left, side, is_home in ((box.x, "away", False), (box.x + width + gap, "home", True)):
        lines = [
            *list_skaters(data.skaters.filter(is_home=is_home), skaters),
            *list_goalie(data, is_home=is_home, is_short=is_tall),
        ]
        for number, (name, what) in enumerate(lines, 1):
            y = box.y + row * number - row * 0.3
            mark = f'x="{format_number(left)}" y="{format_number(y - row * 0.5)}" height="{format_number(row * 0.64)}"'
            yield f'<rect class="fill {side}" {mark} width="6"/>'
            space = width - 30 - measure_text(what, sizes["small"])
            yield draw_text(left + 18, y, fit_text(name, sizes["body"], space, bold=True), kind="label")
            yield draw_text(left + width, y, what, kind="stat", anchor="end")


def list_skaters(skaters: pl.DataFrame, count: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the line of the best skaters: by game score, or without it by points and goals."""
    best = skaters.sort(
        "game_score", "points", "goals", "xg", "player_id", descending=[True] * 4 + [False], nulls_last=True
    )
    for row in best.head(count).iter_rows(named=True):
        counts = " ".join(f"{row[name]}{letter}" for name, letter in (("goals", "G"), ("assists", "A")) if row[name])
        xg = "" if row["xg"] is None else f"{row['xg']:.2f} xG"
        yield shorten_name(row["player"], row["player_id"]), " · ".join(filter(None, (counts, xg)))


def list_goalie(data: GameData, *, is_home: bool, is_short: bool) -> Iterator[tuple[str, str]]:
    """Yield the name and the line of the goalie with the most ice time."""
    own = data.goalies.filter(is_home=is_home)
    longest = own.sort("time_on_ice_s", "player_id", descending=[True, False], nulls_last=True)
    for row in longest.head(1).iter_rows(named=True):
        saves = "" if row["saves"] is None else f"{row['saves']}/{row['shots_against']}{'' if is_short else ' saves'}"
        above = row["goals_saved_above_expected"]
        gsax = "" if above is None else f"{round(above, 1) + 0.0:+.1f} GSAx".replace("-", "−")  # no -0.0
        yield shorten_name(row["player"], row["player_id"]), " · ".join(filter(None, (saves, gsax)))
