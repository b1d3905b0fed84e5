"""The rows of a game during its simulation: events without ids, which are added at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from nhl_lake.league.bench import Bench
from nhl_lake.league.ice_timeline import OnIceSkater, TeamTimelines, find_index
from nhl_lake.league.model import HOME, Event, GameOutcome, StrengthSegment
from nhl_lake.league.rink import RinkPoint
from nhl_lake.league.whistles import Whistle

EVENT_TYPE_CODES: Final = {
    "faceoff": 502, "hit": 503, "giveaway": 504, "goal": 505, "shot-on-goal": 506, "missed-shot": 507,
    "blocked-shot": 508, "penalty": 509,
    "stoppage": 516, "period-start": 520, "period-end": 521, "shootout-complete": 523, "game-end": 524,
    "takeaway": 525, "delayed-penalty": 535,
    "failed-shot-attempt": 537,
}  # fmt: skip
EVENT_ORDER: Final = {
    "period-start": -2, "goal": 1, "stoppage": 2, "penalty": 3, "faceoff": 7, "period-end": 8, "shootout-complete": 8,
    "game-end": 9,
}  # fmt: skip
BEFORE_BOUNDARY_KINDS: Final = frozenset(
    {"goal", "stoppage", "penalty", "period-end", "game-end", "delayed-penalty", "shootout-complete"}
)


class EventRow(NamedTuple):
    """An event and its order within its second. before: it belongs to the players who leave in that second."""

    order: float
    before_boundary: bool
    event: Event


@dataclass(slots=True)
class GameDraft:
    """A game during its simulation."""

    rng: Random
    outcome: GameOutcome
    teams: tuple[Bench, Bench]
    ice: TeamTimelines
    whistles: list[Whistle]
    home_defends_left: bool  # whether the home team defends the left end in the first period
    playoffs: bool
    score: list[int] = field(default_factory=lambda: [0, 0])
    sog: list[int] = field(default_factory=lambda: [0, 0])
    rows: list[EventRow] = field(default_factory=list)


def find_segment(draft: GameDraft, period: int, second: int, *, before: bool) -> StrengthSegment:
    """Return the strength segment at a second, or just before it."""
    at = second - before
    return next(
        (s for s in reversed(draft.outcome.segments) if s.period == period and s.start <= at), draft.outcome.segments[0]
    )


def format_situation_code(state: StrengthSegment) -> str:
    """Return the situation code: away goalie, away skaters, home skaters, home goalie."""
    home, away = state.skaters
    return f"{int(state.goalies[1] is not None)}{away}{home}{int(state.goalies[0] is not None)}"


def find_on_ice(
    draft: GameDraft, side: int, period: int, second: int, *, before: bool
) -> tuple[tuple[OnIceSkater, ...], int | None]:
    """Return the skaters and the goalie of a team at a second."""
    track = draft.ice[side][period]
    i = find_index(track, second, before=before)
    return track.players[i], track.goalies[i]


def find_home_defending_side(draft: GameDraft, period: int) -> str:
    """Return the end that the home team defends: teams change ends after every period."""
    return "left" if draft.home_defends_left == (period % 2 == 1) else "right"


def get_period_type(draft: GameDraft, period: int) -> str:
    """Return the period type: REG, OT or SO."""
    return "REG" if period <= 3 else "SO" if period == 5 and not draft.playoffs else "OT"


def create_event(draft: GameDraft, period: int, second: int, kind: str, situation: str | None) -> Event:
    """Return an event with only its time."""
    return Event(
        0,
        0,
        period,
        get_period_type(draft, period),
        second,
        kind,
        EVENT_TYPE_CODES[kind],
        situation,
        find_home_defending_side(draft, period),
    )


def add_event(
    draft: GameDraft,
    event: Event,
    place: RinkPoint | None = None,
    *,
    before: bool | None = None,
    order: float | None = None,
) -> None:
    """Add an event. `place` is from its team's view, and is rotated to the page's coordinates."""
    if place is not None:
        same = (event.side == HOME) == (event.home_defending_side == "left")
        x, y = place if same else place.flip()
        event = event._replace(x=x, y=y, zone=event.zone or place.find_zone())
    late = event.kind in BEFORE_BOUNDARY_KINDS if before is None else before
    draft.rows.append(EventRow(EVENT_ORDER.get(event.kind, 0) if order is None else order, late, event))
