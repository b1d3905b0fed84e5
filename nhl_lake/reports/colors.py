"""Colors of pages and pictures, each for a light and a dark page: of teams, and of percentiles.

A team's colors are changed until text in them can be read on both pages (contrast of at least 4.5:1, WCAG 2). The two
teams of a game get colors that differ clearly, also for the color-blind.
"""

import math
import zlib
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Final, NamedTuple, TypeAlias

LIGHT_PAGE, DARK_PAGE = "#ffffff", "#14171c"
TEXT_CONTRAST = 5.0  # more than 4.5, so that panels a little darker or lighter than the page can have it too
MIN_DIFFERENCE = 0.14  # in OKLab, between the teams of a game: about seven times what the eye just notices
MIN_VIVID, VIVID = 0.03, 0.11  # chroma in OKLab: grey below the first; colors on the dark page get at least the second

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector]


class ThemeColor(NamedTuple):
    """One color as `#rrggbb`, for a light and for a dark page."""

    light: str
    dark: str


class MatchColors(NamedTuple):
    """The colors of the two teams of a game."""

    home: ThemeColor
    away: ThemeColor


# Those of the style sheet, under its names, for pictures without one
PAGE_COLORS: Final = {
    "bg": ThemeColor(LIGHT_PAGE, DARK_PAGE), "panel": ThemeColor("#f6f7f9", "#1c2127"),
    "text": ThemeColor("#1a1d21", "#e8eaed"), "quiet": ThemeColor("#565d66", "#a5adb7"),
    "line": ThemeColor("#d9dde2", "#333a43"), "ice": ThemeColor("#eef4f9", "#1a212a"),
    "rink": ThemeColor("#8a97a5", "#68737f"), "red": ThemeColor("#c4464a", "#d2666a"),
    "blue": ThemeColor("#3f6fb5", "#6a97d8"),
}  # fmt: skip

# Two colors of each team: the main one, and the one to use if the opponent's is alike. By the abbreviations of the API.
TEAM_COLORS: Final = {
    "ANA": ("#f47a38", "#b9975b"), "BOS": ("#fcb514", "#111111"), "BUF": ("#003087", "#ffb81c"),
    "CAR": ("#cc0000", "#111111"), "CBJ": ("#002654", "#ce1126"), "CGY": ("#c8102e", "#f1be48"),
    "CHI": ("#cf0a2c", "#111111"), "COL": ("#6f263d", "#236192"), "DAL": ("#006847", "#8f8f8c"),
    "DET": ("#ce1126", "#8d8f94"), "EDM": ("#fc4c02", "#041e42"), "FLA": ("#041e42", "#c8102e"),
    "LAK": ("#45484b", "#a2aaad"), "MIN": ("#154734", "#a6192e"), "MTL": ("#af1e2d", "#192168"),
    "NJD": ("#ce1126", "#111111"), "NSH": ("#ffb81c", "#041e42"), "NYI": ("#00539b", "#f47d30"),
    "NYR": ("#0038a8", "#ce1126"), "OTT": ("#c52032", "#c2912c"), "PHI": ("#f74902", "#111111"),
    "PIT": ("#fcb514", "#111111"), "SEA": ("#001628", "#68a2b9"), "SJS": ("#006d75", "#ea7200"),
    "STL": ("#002f87", "#fcb514"), "TBL": ("#002868", "#8d99ae"), "TOR": ("#00205b", "#7d8ca3"),
    "UTA": ("#6cace4", "#111111"), "VAN": ("#00205b", "#00843d"), "VGK": ("#b4975a", "#333f42"),
    "WPG": ("#041e42", "#ac162c"), "WSH": ("#c8102e", "#041e42"),
    # moved, renamed or gone
    "AFM": ("#c8102e", "#f1be48"), "ARI": ("#8c2633", "#e2d6b5"), "ATL": ("#041e42", "#5c88da"),
    "CGS": ("#00843d", "#ffb81c"), "CLE": ("#c8102e", "#111111"), "CLR": ("#00205b", "#ffb81c"),
    "HFD": ("#00843d", "#0038a8"), "KCS": ("#0038a8", "#fc4c02"), "MNS": ("#00843d", "#ffb81c"),
    "OAK": ("#00843d", "#0038a8"), "PHX": ("#8c2633", "#111111"), "QUE": ("#005eb8", "#c8102e"),
    "WIN": ("#003087", "#c8102e"),
}  # fmt: skip
OTHER_TEAM_COLORS: Final = (
    "#0b6e4f", "#b3261e", "#1f4e9e", "#8a5a00", "#6a3fa0", "#00707f", "#a3195b", "#4d6b00", "#2b3a67", "#b4480f",
    "#7a1f3d", "#3d4a52",
)  # fmt: skip
SPARE_COLORS: Final = (
    "#111111",
    "#a66a00",
    "#1d5fd0",
    "#7b7f87",
    "#c2410c",
)  # if neither color of a team differs enough

# Percentiles from 0 to 100: orange is low, grey the middle, blue high. Orange and blue differ for all color-blind eyes.
PERCENTILE_STEPS = 9
PERCENTILE_ENDS: Final = (
    ThemeColor("#c2570c", "#f28c38"), ThemeColor("#84888f", "#7e838b"), ThemeColor("#1d5fd0", "#5a9cf8"),
)  # fmt: skip

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB: who sees no red, and who sees no green
PROTANOPIA: Final[Matrix] = (
    (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
)  # fmt: skip
DEUTERANOPIA: Final[Matrix] = (
    (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
)  # fmt: skip
# Ottosson (2020): linear RGB to the eye's cones, the cones' cube roots to OKLab, and back
RGB_TO_CONES: Final[Matrix] = (
    (0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)  # fmt: skip
CONES_TO_LAB: Final[Matrix] = (
    (0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)  # fmt: skip
LAB_TO_CONES: Final[Matrix] = (
    (1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.2914855480),
)  # fmt: skip
CONES_TO_RGB: Final[Matrix] = (
    (4.0767416621, -3.3077115913, 0.2309699292), (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)  # fmt: skip


@cache
def get_team_colors(abbrev: str) -> ThemeColor:
    """Return the color of a team by its abbreviation, readable as text on a page."""
    return fit_to_pages(_list_team_colors(abbrev)[0])


@cache
def pick_team_colors(home: str, away: str) -> MatchColors:
    """Return colors of the two teams of a game that differ clearly. The home team has its own.

    The away team has its main color, or else its second one, or else a spare one: the first that differs enough
    from the home team's, for every eye and on both pages.
    """
    home_color = get_team_colors(home)
    choices = [fit_to_pages(color) for color in (*_list_team_colors(away), *SPARE_COLORS)]
    differences = [compute_difference(home_color, choice) for choice in choices]
    best = next(
        (i for i, found in enumerate(differences) if found >= MIN_DIFFERENCE), differences.index(max(differences))
    )
    return MatchColors(home_color, choices[best])


def classify_percentile(percentile: float) -> int:
    """Return the step of a percentile (0 to 100), from 0 for the lowest to 8 for the highest; 4 is the middle."""
    return min(max(int(percentile * PERCENTILE_STEPS / 100), 0), PERCENTILE_STEPS - 1)


@cache
def list_percentile_colors() -> tuple[ThemeColor, ...]:
    """Return the colors of the nine steps of `classify_percentile`: orange, grey, blue."""
    low, middle, high = PERCENTILE_ENDS
    half = PERCENTILE_STEPS // 2
    below = [_mix(low, middle, step / half) for step in range(half)]
    above = [_mix(high, middle, step / half) for step in range(half)]
    return (*below, middle, *reversed(above))


def compute_percentile_color(percentile: float | None) -> ThemeColor:
    """Return the color of a percentile (0 to 100), or the middle grey if it is unknown."""
    return PERCENTILE_ENDS[1] if percentile is None else list_percentile_colors()[classify_percentile(percentile)]


def compute_contrast(a: str, b: str) -> float:
    """Return the contrast of two colors by WCAG 2: from 1 for equal ones to 21 for black and white."""
    low, high = sorted((compute_luminance(a), compute_luminance(b)))
    return (high + 0.05) / (low + 0.05)


def compute_luminance(color: str) -> float:
    """Return the relative luminance of a color by WCAG 2, from 0 to 1."""
    red, green, blue = parse_color(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pick_text_color(background: str) -> str:
    """Return white or near black, whichever can be read better on a background."""
    return max("#ffffff", "#111111", key=lambda text: compute_contrast(text, background))


def compute_difference(a: ThemeColor, b: ThemeColor) -> float:
    """Return how much two colors differ at least, in OKLab: over both pages and the kinds of color vision."""
    pages = ((a.light, b.light), (a.dark, b.dark))
    return min(measure_difference(*pair, vision) for pair, vision in product(pages, (None, PROTANOPIA, DEUTERANOPIA)))


def measure_difference(a: str, b: str, vision: Matrix | None = None) -> float:
    """Return the distance of two colors in OKLab, as seen by an eye; by default by one that sees all colors."""
    return math.dist(*(_to_lab(_simulate(parse_color(color), vision)) for color in (a, b)))


@cache
def fit_to_pages(color: str) -> ThemeColor:
    """Return a color of the same hue for each page, dark or light enough for text."""
    lightness, a, b = _to_lab(parse_color(color))
    chroma, hue = math.hypot(a, b), math.atan2(b, a)
    on_dark = chroma if chroma < MIN_VIVID else max(chroma, VIVID)  # a lighter navy would be grey
    return ThemeColor(
        _find_readable(lightness, chroma, hue, page=LIGHT_PAGE, step=-0.01),
        _find_readable(lightness, on_dark, hue, page=DARK_PAGE, step=0.01),
    )


def parse_color(color: str) -> Vector:
    """Return the linear red, green and blue of `#rrggbb`, each from 0 to 1."""
    values = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue


def format_color(rgb: Vector) -> str:
    """Return `#rrggbb` of linear red, green and blue; values beyond 0 and 1 are cut."""
    clipped = (min(max(v, 0.0), 1.0) for v in rgb)
    encoded = (v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped)
    return "#" + "".join(f"{round(v * 255):02x}" for v in encoded)


def mix_colors(a: str, b: str, share: float) -> str:
    """Return the color on the way from one to another, in OKLab; share 0 is the first, 1 the second."""
    pairs = zip(_to_lab(parse_color(a)), _to_lab(parse_color(b)), strict=True)
    lightness, red_green, blue_yellow = (x + (y - x) * share for x, y in pairs)
    return format_color(_from_lab(lightness, math.hypot(red_green, blue_yellow), math.atan2(blue_yellow, red_green)))


def _list_team_colors(abbrev: str) -> tuple[str, str]:
    if abbrev in TEAM_COLORS:
        return TEAM_COLORS[abbrev]
    main, step = divmod(zlib.crc32(abbrev.encode()), len(OTHER_TEAM_COLORS) - 1)
    main %= len(OTHER_TEAM_COLORS)
    return OTHER_TEAM_COLORS[main], OTHER_TEAM_COLORS[(main + step + 1) % len(OTHER_TEAM_COLORS)]


def _find_readable(lightness: float, chroma: float, hue: float, *, page: str, step: float) -> str:
    while compute_contrast(color := _make_color(lightness, chroma, hue), page) < TEXT_CONTRAST:
        lightness += step
    return color


def _make_color(lightness: float, chroma: float, hue: float) -> str:
    """Return the color, as vivid as a screen can show it at this lightness."""
    rgb = _from_lab(lightness, chroma, hue)
    while chroma > 0 and not all(-0.001 <= v <= 1.001 for v in rgb):
        chroma = max(chroma - 0.005, 0.0)
        rgb = _from_lab(lightness, chroma, hue)
    return format_color(rgb)


def _mix(a: ThemeColor, b: ThemeColor, share: float) -> ThemeColor:
    return ThemeColor(*(mix_colors(x, y, share) for x, y in zip(a, b, strict=True)))


def _simulate(rgb: Vector, vision: Matrix | None) -> Vector:
    return rgb if vision is None else _apply(vision, rgb, lambda v: min(max(v, 0.0), 1.0))


def _to_lab(rgb: Vector) -> Vector:
    return _apply(CONES_TO_LAB, _apply(RGB_TO_CONES, rgb, math.cbrt))


def _from_lab(lightness: float, chroma: float, hue: float) -> Vector:
    lab = (lightness, chroma * math.cos(hue), chroma * math.sin(hue))
    return _apply(CONES_TO_RGB, _apply(LAB_TO_CONES, lab, lambda v: v**3))


def _apply(matrix: Matrix, vector: Vector, then: Callable[[float], float] = float) -> Vector:
    one, two, three = (then(sum(m * v for m, v in zip(row, vector, strict=True))) for row in matrix)
    return one, two, three
