"""A picture of a game to post: one SVG with everything in it, wide (1200 x 675) or tall (1080 x 1350), also as PNG."""

from collections.abc import Iterator
from importlib import import_module
from typing import Final, NamedTuple

from markupsafe import Markup

from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import GAME_TYPES
from nhl_lake.reports.charts.poster_parts import (
    SIZES,
    Box,
    draw_flow,
    draw_map,
    draw_periods,
    draw_players,
    fit_text,
    make_style,
    measure_text,
)
from nhl_lake.reports.charts.svg import draw_text, format_number, show_text
from nhl_lake.reports.colors import PAGE_COLORS, ThemeColor, pick_team_colors
from nhl_lake.reports.game import GameData

BEYOND_REGULATION: Final = {"OT": "/OT", "SO": "/SO"}
BAR_HEIGHT, GAP = 8, 24
STRENGTH = "strength"  # a step of gold.game_flow
XG_NOTE, BAND_NOTE = "xG: goals that such attempts bring on average.", "Bands: power plays."
GOALIE_NOTE = "GSAx: goals saved above expected."


class Layout(NamedTuple):
    """Where the parts of a picture are, in pixels."""

    width: int
    height: int
    header: Box
    flow: Box
    shots: Box
    periods: Box
    players: Box
    skaters: int  # how many of each team
    is_tall: bool = False


LAYOUTS: Final = {
    "wide": Layout(
        1200, 675, Box(40, 20, 1120, 134), Box(40, 168, 680, 334), Box(760, 168, 400, 208), Box(760, 392, 400, 116),
        Box(40, 518, 1120, 122), skaters=2,
    ),
    "tall": Layout(
        1080, 1350, Box(48, 32, 984, 196), Box(48, 246, 984, 430), Box(48, 694, 600, 290), Box(700, 694, 332, 290),
        Box(48, 1004, 984, 260), skaters=3, is_tall=True,
    ),
}  # fmt: skip


def draw_poster(data: GameData, shape: str = "wide", *, dark: bool = False) -> Markup:
    """Return the picture of a game as SVG: score, running xG with goals, shots, xG by period, the best players.

    shape: "wide" (1200 x 675) or "tall" (1080 x 1350). A game without a score is an error. What the lake does not have
    is said where it is missing.
    """
    if shape not in LAYOUTS:
        raise BadInput(f"There is no picture '{shape}'.", f"There are {' and '.join(LAYOUTS)}.")
    game = data.game
    if not data.is_final or game["home_score"] is None or game["away_score"] is None:
        raise BadInput(
            f"Game {game['game_id']} is not over: there is nothing to post.",
            "`nhl-lake upcoming` shows what is to come.",
        )
    layout = LAYOUTS[shape]
    style = make_style(choose_colors(data, dark=dark), is_tall=layout.is_tall)
    parts = [
        *draw_header(data, layout),
        *draw_flow(layout.flow, data, is_tall=layout.is_tall),
        *draw_map(layout.shots, data.shots),
        *draw_periods(layout.periods, data, is_tall=layout.is_tall),
        *draw_players(layout.players, data, layout.skaters, is_tall=layout.is_tall),
        *draw_footer(layout, has_bands=STRENGTH in data.flow["step"]),
    ]
    title = show_text(describe(data))
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" width="{layout.width}"'
        f' height="{layout.height}" role="img" aria-label="{title}"><title>{title}</title><style>{style}</style>'
        f'<rect class="page" width="{layout.width}" height="{layout.height}"/>{"".join(parts)}</svg>'
    )


def convert_to_png(svg: str) -> bytes:
    """Return an SVG as PNG, in its own size. The converter is an extra, as it is as large as a database."""
    try:
        converter = import_module("vl_convert")
    except ModuleNotFoundError as error:
        raise BadInput(
            "Pictures are made by vl-convert, which is not installed.", "Run `pip install 'nhl-lake[plot]'`."
        ) from error
    return bytes(converter.svg_to_png(str(svg), scale=1, ppi=72))


def choose_colors(data: GameData, *, dark: bool) -> dict[str, str]:
    """Return the colors of the page and of both teams by name."""
    teams = pick_team_colors(str(data.game["home_team_abbrev"]), str(data.game["away_team_abbrev"]))
    every: dict[str, ThemeColor] = {**PAGE_COLORS, "home": teams.home, "away": teams.away}
    return {name: color.dark if dark else color.light for name, color in every.items()}


def describe(data: GameData) -> str:
    """Return the result in words: "ABQ 1, SAC 3, final, 31 Mar 2026"."""
    game = data.game
    teams = ", ".join(f"{game[f'{side}_team_abbrev']} {game[f'{side}_score']}" for side in ("away", "home"))
    return f"{teams}, {describe_end(data)}"


def describe_end(data: GameData) -> str:
    """Return how and when a game ended: "Final/OT · playoffs · 2 May 2026"; a regular season is not named."""
    game = data.game
    end = f"Final{BEYOND_REGULATION.get(game['last_period_type'], '')}"
    kind = "" if game["game_type"] == 2 else f" · {GAME_TYPES.get(game['game_type'], 'special game')}"
    day = f"{game['game_date']:%d %b %Y}".removeprefix("0")
    return f"{end}{kind} · {day}"


def draw_header(data: GameData, layout: Layout) -> Iterator[str]:
    """Yield the letters, names and scores of both teams: the away team at the left, the home team at the right."""
    game, box, sizes = data.game, layout.header, SIZES[layout.is_tall]
    middle, names = box.x + box.width / 2, box.bottom - BAR_HEIGHT - 18
    baseline = names - sizes["body"] - 14
    half = (box.width - GAP) / 2
    day = describe_end(data)
    beside = 0.0 if layout.is_tall else measure_text(day, sizes["body"]) / 2
    for side, anchor, edge in (("away", "start", box.x), ("home", "end", box.right)):
        toward = 1 if side == "home" else -1
        yield draw_text(edge, baseline, game[f"{side}_team_abbrev"], kind=f"letters {side}", anchor=anchor)
        score = draw_text(
            middle + toward * sizes["points"] * 0.4, baseline, game[f"{side}_score"], kind="points",
            anchor="start" if side == "home" else "end",
        )  # fmt: skip
        yield score
        name = fit_text(game[f"{side}_team_name"] or "", sizes["body"], half - GAP - beside)
        yield draw_text(edge, names, name, kind="quiet", anchor=anchor)
        left = box.x if side == "away" else middle + GAP / 2
        bar = f'x="{format_number(left)}" y="{format_number(box.bottom - BAR_HEIGHT)}"'
        yield f'<rect class="fill {side}" {bar} width="{format_number(half)}" height="{BAR_HEIGHT}"/>'
    yield draw_text(middle, baseline - 4, "–", kind="points", anchor="middle")
    at = box.y + sizes["small"] if layout.is_tall else names
    yield draw_text(middle, at, day, kind="quiet", anchor="middle")


def draw_footer(layout: Layout, *, has_bands: bool) -> Iterator[str]:
    """Yield what the terms mean; only shifts say when there were power plays."""
    notes = (f"{XG_NOTE} {BAND_NOTE}" if has_bands else XG_NOTE, GOALIE_NOTE)
    lines = notes if layout.is_tall else (" ".join(notes),)
    step = SIZES[layout.is_tall]["note"] + 8
    first = layout.height - 16 - step * (len(lines) - 1)
    for number, line in enumerate(lines):
        yield draw_text(layout.header.x, first + step * number, line, kind="note")
    yield draw_text(layout.header.right, layout.height - 16, "nhl-lake", kind="note", anchor="end")
