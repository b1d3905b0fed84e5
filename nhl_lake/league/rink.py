"""Places on the ice. Everything is drawn looking at the net that the acting team attacks, and turned round at the end.

Feet from centre ice: goal lines at 89, blue lines at 25, faceoff dots at (69, 22) and (20, 22).
"""

from __future__ import annotations

from math import cos, radians, sin
from random import Random
from typing import Final, NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league.whistles import Whistle

GOAL_LINE, BLUE_LINE, HALF_WIDTH, HALF_LENGTH = 89, 25, 42, 99
NEAR_NET: Final = 15  # feet from the net within which any angle goes


class RinkPoint(NamedTuple):
    """A point seen by the acting team: x grows toward the net that it attacks."""

    x: int
    y: int

    def find_zone(self) -> str:
        """O, N or D of the acting team."""
        return "O" if self.x >= BLUE_LINE else "D" if self.x <= -BLUE_LINE else "N"

    def flip(self) -> RinkPoint:
        """The same point seen by the other team."""
        return RinkPoint(-self.x, -self.y)


FACEOFF_DOT_SHARES: Final[dict[str, tuple[float, float, float]]] = {  # shares of end, blue-line and centre dots
    "penalty": (0.95, 0.03, 0.02), "icing": (1.0, 0.0, 0.0), "offside": (0.06, 0.89, 0.05),
    "goalie-stopped-after-sog": (1.0, 0.0, 0.0),
    "puck-in-netting": (0.94, 0.03, 0.03), "puck-frozen": (1.0, 0.0, 0.0), "hand-pass": (0.15, 0.71, 0.14),
    "puck-in-benches": (0.44, 0.33, 0.23),
    "high-stick": (0.38, 0.51, 0.11), "puck-in-crowd": (0.65, 0.19, 0.16), "period-start": (0.0, 0.0, 1.0),
    "goal": (0.0, 0.0, 1.0),
}  # fmt: skip
OTHER_DOT_SHARES: Final = (0.6, 0.25, 0.15)


def draw_from_deciles(rng: Random, marks: tuple[int, ...]) -> float:
    """A draw from nine deciles with the least and the 99.5th percentile around them."""
    place = rng.random() * (len(marks) - 1)
    low = int(place)
    return marks[low] + (place - low) * (marks[low + 1] - marks[low])


def draw_shot_point(rng: Random, role: str, kind: str, *, goal: bool, empty: bool, close: bool = False) -> RinkPoint:
    """Where a shot that was not blocked comes from."""
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
    """A place for a hit, a giveaway, a takeaway or a penalty."""
    x, y = draw_from_deciles(rng, xs), draw_from_deciles(rng, ys)
    return _clamp_to_rink(-x if rng.random() < own_end else x, y if rng.random() < 0.5 else -y)


def draw_block_point(rng: Random) -> RinkPoint:
    """Where a shot is blocked, seen by the shooter's team."""
    y = draw_from_deciles(rng, rates.BLOCK_Y)
    return _clamp_to_rink(draw_from_deciles(rng, rates.BLOCK_X), y if rng.random() < 0.5 else -y)


def draw_faceoff_dot(rng: Random, whistle: Whistle) -> RinkPoint:
    """The faceoff dot after a whistle, seen by the home team."""
    kind = rng.choices(("end", "blue", "centre"), FACEOFF_DOT_SHARES.get(whistle.reason, OTHER_DOT_SHARES))[0]
    if kind == "centre":
        return RinkPoint(0, 0)
    # icing and penalties come back into the end of the guilty team; everything else to the end that was attacked
    toward_home = whistle.side == 0 if whistle.reason in ("icing", "penalty") else whistle.side == 1
    place = RinkPoint(69 if kind == "end" else 20, rng.choice((-22, 22)))
    return place.flip() if toward_home else place


def _clamp_to_rink(x: float, y: float) -> RinkPoint:
    """The nearest whole foot on the ice."""
    return RinkPoint(round(max(-HALF_LENGTH, min(HALF_LENGTH, x))), round(max(-HALF_WIDTH, min(HALF_WIDTH, y))))
