"""Places on the ice. Everything is drawn looking at the net that the acting team attacks, and turned round at the end.

Feet from centre ice: goal lines at 89, blue lines at 25, faceoff dots at (69, 22) and (20, 22).
"""

from __future__ import annotations

from math import cos, radians, sin
from random import Random
from typing import Final, NamedTuple

from . import parameters as rates
from .whistles import Whistle

GOAL_LINE, BLUE_LINE, HALF_WIDTH, HALF_LENGTH = 89, 25, 42, 99
NEAR: Final = 15  # feet from the net within which any angle goes


class Place(NamedTuple):
    """A point seen by the acting team: x grows toward the net that it attacks."""

    x: int
    y: int

    def zone(self) -> str:
        """O, N or D of the acting team."""
        return "O" if self.x >= BLUE_LINE else "D" if self.x <= -BLUE_LINE else "N"

    def turned(self) -> Place:
        """The same point seen by the other team."""
        return Place(-self.x, -self.y)


SPOTS: Final[dict[str, tuple[float, float, float]]] = {  # shares of end, blue-line and centre dots
    "penalty": (0.95, 0.03, 0.02), "icing": (1.0, 0.0, 0.0), "offside": (0.06, 0.89, 0.05),
    "goalie-stopped-after-sog": (1.0, 0.0, 0.0),
    "puck-in-netting": (0.94, 0.03, 0.03), "puck-frozen": (1.0, 0.0, 0.0), "hand-pass": (0.15, 0.71, 0.14),
    "puck-in-benches": (0.44, 0.33, 0.23),
    "high-stick": (0.38, 0.51, 0.11), "puck-in-crowd": (0.65, 0.19, 0.16), "period-start": (0.0, 0.0, 1.0),
    "goal": (0.0, 0.0, 1.0),
}  # fmt: skip
ELSEWHERE: Final = (0.6, 0.25, 0.15)


def along(rng: Random, marks: tuple[int, ...]) -> float:
    """A draw from nine deciles with the least and the 99.5th percentile around them."""
    place = rng.random() * (len(marks) - 1)
    low = int(place)
    return marks[low] + (place - low) * (marks[low + 1] - marks[low])


def shot(rng: Random, role: str, kind: str, *, goal: bool, empty: bool, close: bool = False) -> Place:
    """Where a shot that was not blocked comes from."""
    if empty:
        distance = along(rng, rates.EMPTY_NET_GOAL_DISTANCE if goal else rates.EMPTY_NET_MISS_DISTANCE)
    else:
        table = rates.GOAL_DISTANCE if goal else rates.DISTANCE
        distance = along(rng, table.get((role, kind)) or rates.DISTANCE[("F", kind)])
    if close:
        distance = min(distance, rng.uniform(5, 17))
    elif not goal and not empty:
        distance *= rates.OPEN_DISTANCE
    angle = along(rng, rates.ANGLE["near" if distance < NEAR else role])
    if distance > 64:
        angle = min(angle, 28.0) * 55 / distance
    x, y = GOAL_LINE - distance * cos(radians(angle)), rng.choice((-1, 1)) * distance * sin(radians(angle))
    if kind == "wrap-around":
        x, y = max(x, 85.0), max(4.0, abs(y)) * (1 if y > 0 else -1)
    return _inside(x, y)


def anywhere(rng: Random, xs: tuple[int, ...], ys: tuple[int, ...], own_end: float) -> Place:
    """A place for a hit, a giveaway, a takeaway or a penalty."""
    x, y = along(rng, xs), along(rng, ys)
    return _inside(-x if rng.random() < own_end else x, y if rng.random() < 0.5 else -y)


def block(rng: Random) -> Place:
    """Where a shot is blocked, seen by the shooter's team."""
    y = along(rng, rates.BLOCK_Y)
    return _inside(along(rng, rates.BLOCK_X), y if rng.random() < 0.5 else -y)


def dot(rng: Random, whistle: Whistle) -> Place:
    """The faceoff dot after a whistle, seen by the home team."""
    kind = rng.choices(("end", "blue", "centre"), SPOTS.get(whistle.reason, ELSEWHERE))[0]
    if kind == "centre":
        return Place(0, 0)
    # icing and penalties come back into the end of the guilty team; everything else to the end that was attacked
    toward_home = whistle.side == 0 if whistle.reason in ("icing", "penalty") else whistle.side == 1
    place = Place(69 if kind == "end" else 20, rng.choice((-22, 22)))
    return place.turned() if toward_home else place


def _inside(x: float, y: float) -> Place:
    """The nearest whole foot on the ice."""
    return Place(round(max(-HALF_LENGTH, min(HALF_LENGTH, x))), round(max(-HALF_WIDTH, min(HALF_WIDTH, y))))
