"""Locations on the ice: drawn as if the acting team attacked toward +x, and rotated at the end.

Feet from center ice: goal lines at 89, blue lines at 25, faceoff dots at (69, 22) and (20, 22).
"""

from __future__ import annotations

from math import cos, radians, sin
from random import Random
from typing import Final, NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league.whistles import Whistle

GOAL_LINE, BLUE_LINE, HALF_WIDTH, HALF_LENGTH = 89, 25, 42, 99
NEAR_NET: Final = 15  # within this distance of the net any angle is possible


class RinkPoint(NamedTuple):
    """A location from the acting team's view: x increases toward the net that it attacks."""

    x: int
    y: int

    def find_zone(self) -> str:
        """Return the zone from the acting team's view: O, N or D."""
        return "O" if self.x >= BLUE_LINE else "D" if self.x <= -BLUE_LINE else "N"

    def flip(self) -> RinkPoint:
        """Return the same location from the other team's view."""
        return RinkPoint(-self.x, -self.y)


FACEOFF_DOT_SHARES: Final[dict[str, tuple[float, float, float]]] = {  # shares of end-zone, blue-line and center dots
    "penalty": (0.95, 0.03, 0.02), "icing": (1.0, 0.0, 0.0), "offside": (0.06, 0.89, 0.05),
    "goalie-stopped-after-sog": (1.0, 0.0, 0.0),
    "puck-in-netting": (0.94, 0.03, 0.03), "puck-frozen": (1.0, 0.0, 0.0), "hand-pass": (0.15, 0.71, 0.14),
    "puck-in-benches": (0.44, 0.33, 0.23),
    "high-stick": (0.38, 0.51, 0.11), "puck-in-crowd": (0.65, 0.19, 0.16), "period-start": (0.0, 0.0, 1.0),
    "goal": (0.0, 0.0, 1.0),
}  # fmt: skip
OTHER_DOT_SHARES: Final = (0.6, 0.25, 0.15)


def draw_from_deciles(rng: Random, marks: tuple[int, ...]) -> float:
    """Draw from nine deciles, with the minimum below and the 99.5th percentile above them."""
    place = rng.random() * (len(marks) - 1)
    low = int(place)
    return marks[low] + (place - low) * (marks[low + 1] - marks[low])


def draw_shot_point(rng: Random, role: str, kind: str, *, goal: bool, empty: bool, close: bool = False) -> RinkPoint:
    """Draw the location of an unblocked shot."""
    if empty:
        distance = draw_from_deciles(rng, rates.EMPTY_NET_GOAL_DISTANCE if goal else rates.EMPTY_NET_MISS_DISTANCE)
    else:
        table = rates.GOAL_DISTANCE if goal else rates.SHOT_DISTANCE
        distance = draw_from_deciles(rng, table.get((role, kind)) or rates.SHOT_DISTANCE[("F", kind)])
    if close:
        distance = min(distance, rng.uniform(5, 17))
    elif not goal and not empty:
        distance *= rates.NON_REBOUND_FACTOR
    angle = draw_from_deciles(rng, rates.SHOT_ANGLE["near" if distance < NEAR_NET else role])
    if distance > 64:
        angle = min(angle, 28.0) * 55 / distance
    x, y = GOAL_LINE - distance * cos(radians(angle)), rng.choice((-1, 1)) * distance * sin(radians(angle))
    if kind == "wrap-around":
        x, y = max(x, 85.0), max(4.0, abs(y)) * (1 if y > 0 else -1)
    return _clamp_to_rink(x, y)


def draw_point(rng: Random, xs: tuple[int, ...], ys: tuple[int, ...], own_end: float) -> RinkPoint:
    """Draw the location of a hit, a giveaway, a takeaway or a penalty."""
    x, y = draw_from_deciles(rng, xs), draw_from_deciles(rng, ys)
    return _clamp_to_rink(-x if rng.random() < own_end else x, y if rng.random() < 0.5 else -y)


def draw_block_point(rng: Random) -> RinkPoint:
    """Draw where a shot is blocked, from the shooter's team's view."""
    y = draw_from_deciles(rng, rates.BLOCK_Y)
    return _clamp_to_rink(draw_from_deciles(rng, rates.BLOCK_X), y if rng.random() < 0.5 else -y)


def draw_faceoff_dot(rng: Random, whistle: Whistle) -> RinkPoint:
    """Draw the faceoff dot after a whistle, from the home team's view."""
    kind = rng.choices(("end", "blue", "center"), FACEOFF_DOT_SHARES.get(whistle.reason, OTHER_DOT_SHARES))[0]
    if kind == "center":
        return RinkPoint(0, 0)
    # after icing and penalties, in the end of the guilty team; otherwise in the end that was attacked
    toward_home = whistle.side == 0 if whistle.reason in ("icing", "penalty") else whistle.side == 1
    place = RinkPoint(69 if kind == "end" else 20, rng.choice((-22, 22)))
    return place.flip() if toward_home else place


def _clamp_to_rink(x: float, y: float) -> RinkPoint:
    """Return the nearest whole foot on the ice."""
    return RinkPoint(round(max(-HALF_LENGTH, min(HALF_LENGTH, x))), round(max(-HALF_WIDTH, min(HALF_WIDTH, y))))
