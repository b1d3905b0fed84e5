"""Rows of a game while it is being played: typed events without ids, which are given at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from .bench import Bench
from .ice import Ice, Skater, index
from .model import HOME, Event, Spell, Story
from .rink import Place
from .whistles import Whistle

CODES: Final = {
    "faceoff": 502, "hit": 503, "giveaway": 504, "goal": 505, "shot-on-goal": 506, "missed-shot": 507,
    "blocked-shot": 508, "penalty": 509,
    "stoppage": 516, "period-start": 520, "period-end": 521, "shootout-complete": 523, "game-end": 524,
    "takeaway": 525, "delayed-penalty": 535,
    "failed-shot-attempt": 537,
}  # fmt: skip
ORDER: Final = {
    "period-start": -2, "goal": 1, "stoppage": 2, "penalty": 3, "faceoff": 7, "period-end": 8, "shootout-complete": 8,
    "game-end": 9,
}  # fmt: skip
BEFORE: Final = frozenset(
    {"goal", "stoppage", "penalty", "period-end", "game-end", "delayed-penalty", "shootout-complete"}
)


class Row(NamedTuple):
    """An event and its place in its second; `before`: by the boundary rule, those who were on until now."""

    order: float
    before: bool
    event: Event


@dataclass(slots=True)
class Draft:
    """The game as far as it has been written."""

    rng: Random
    story: Story
    teams: tuple[Bench, Bench]
    ice: Ice
    whistles: list[Whistle]
    left_first: bool  # whether the home team defends the left end in the first period
    playoffs: bool
    score: list[int] = field(default_factory=lambda: [0, 0])
    sog: list[int] = field(default_factory=lambda: [0, 0])
    rows: list[Row] = field(default_factory=list)


def spell(draft: Draft, period: int, second: int, *, before: bool) -> Spell:
    """The state at a second, or just before it."""
    at = second - before
    return next(
        (s for s in reversed(draft.story.spells) if s.period == period and s.start <= at), draft.story.spells[0]
    )


def code(state: Spell) -> str:
    """Away goalie, away skaters, home skaters, home goalie."""
    home, away = state.skaters
    return f"{int(state.goalies[1] is not None)}{away}{home}{int(state.goalies[0] is not None)}"


def out_there(
    draft: Draft, side: int, period: int, second: int, *, before: bool
) -> tuple[tuple[Skater, ...], int | None]:
    """The skaters and the goalie of a team at a second."""
    track = draft.ice[side][period]
    i = index(track, second, before=before)
    return track.players[i], track.goalies[i]


def home_defends(draft: Draft, period: int) -> str:
    """Teams change ends after every period, before overtime and before a shoot-out."""
    return "left" if draft.left_first == (period % 2 == 1) else "right"


def period_type(draft: Draft, period: int) -> str:
    """REG, OT or SO."""
    return "REG" if period <= 3 else "SO" if period == 5 and not draft.playoffs else "OT"


def blank(draft: Draft, period: int, second: int, kind: str, situation: str | None) -> Event:
    """An event with only its time."""
    return Event(
        0, 0, period, period_type(draft, period), second, kind, CODES[kind], situation, home_defends(draft, period)
    )


def put(
    draft: Draft, event: Event, place: Place | None = None, *, before: bool | None = None, order: float | None = None
) -> None:
    """Write an event; `place` is as its team sees it, and is turned the way the feed has it."""
    if place is not None:
        same = (event.side == HOME) == (event.home_defends == "left")
        x, y = place if same else place.turned()
        event = event._replace(x=x, y=y, zone=event.zone or place.zone())
    late = event.kind in BEFORE if before is None else before
    draft.rows.append(Row(ORDER.get(event.kind, 0) if order is None else order, late, event))
