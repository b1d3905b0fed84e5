"""Simulate shifts: lines and pairs alternate, on the fly and at whistles, at the strength of the game's outcome.

A change chooses the skaters who should be on the ice. They replace the others one for one, so the number on the ice is
always right. The goals are already known: the scorer and the assisting players come on in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league.bench import (
    DEFENSE_UNIT_SHARES,
    FORWARD_UNIT_SHARES,
    Bench,
    UnitShape,
    choose_unit_shape,
    pick_defense,
    pick_forwards,
)
from nhl_lake.league.model import GameOutcome, StrengthSegment
from nhl_lake.league.whistles import Whistle

MIN_SHIFT_SECONDS, MAX_SHIFT_SECONDS = 18, 95
REGROUP_SECONDS: Final = (4, 14)  # seconds until a team returns to its lines after a penalty
WHISTLE_CHANGE_CHANCE: Final = (
    (8, 0.04),
    (15, 0.15),
    (22, 0.45),
    (30, 0.72),
    (999, 0.92),
)  # by the length of the shift
SCORER_LEAD_SECONDS: Final = 2
EVEN_STRENGTH: Final = UnitShape("even", 3, 2)


class ShiftInterval(NamedTuple):
    """A shift of a player."""

    player: int
    period: int
    start: int
    end: int


@dataclass(slots=True)
class Rotation:
    """The state of a team's line changes."""

    rng: Random
    side: int
    team: Bench
    segments: list[StrengthSegment] = field(default_factory=list)
    goals: list[tuple[int, frozenset[int]]] = field(default_factory=list)  # of this period: second, players
    period: int = 1
    segment_index: int = 0
    on_ice: dict[int, int] = field(default_factory=dict)  # player -> second of the period in which the shift started
    unit_shape: UnitShape = EVEN_STRENGTH
    line: int = 0
    pair: int = 0
    forward_change: int = 0  # second of the last change of forwards
    defense_change: int = 0
    next_forward_change: int = 0
    next_defense_change: int = 0
    change_done: int = 0  # second when the last change is complete
    ice_time: dict[tuple[str, int], list[float]] = field(
        default_factory=dict
    )  # (kind, 1 for defense) -> seconds by unit
    shifts: list[ShiftInterval] = field(default_factory=list)


def simulate_shifts(
    rng: Random, side: int, team: Bench, outcome: GameOutcome, rows: list[Whistle]
) -> list[ShiftInterval]:
    """Return all shifts of a team's skaters and goalies, in the order of their ends."""
    rotation = Rotation(rng, side, team)
    for period in sorted({row.period for row in rows}):
        rotation.period = period
        rotation.segments = [s for s in outcome.segments if s.period == period]
        rotation.goals = [
            (goal.second, frozenset((goal.scorer, *goal.assists)) - set(team.goalies))
            for goal in outcome.goals
            if goal.period == period and goal.side == side and not goal.penalty_shot
        ]
        _simulate_period(rotation, [row for row in rows if row.period == period])
    return rotation.shifts + _build_goalie_shifts(side, outcome)


def _simulate_period(rotation: Rotation, rows: list[Whistle]) -> None:
    stops = {row.second: row for row in rows}
    end = rows[-1].second
    checks = {second - SCORER_LEAD_SECONDS for second, _ in rotation.goals}
    marks = sorted({*stops, *(s.start for s in rotation.segments), *checks} - {0})
    rotation.segment_index = rotation.change_done = 0
    rotation.on_ice.clear()
    _send_new_unit(rotation, 0)
    for last, mark in zip((0, *marks), marks, strict=False):
        _change_on_the_fly(rotation, last, mark)
        if mark == end:
            break
        before = rotation.segments[rotation.segment_index]
        while (
            rotation.segment_index + 1 < len(rotation.segments)
            and rotation.segments[rotation.segment_index + 1].start <= mark
        ):
            rotation.segment_index += 1
        if mark in stops:
            _change_at_whistle(rotation, mark, stops[mark], before)
        elif rotation.segments[rotation.segment_index] is not before:
            _adjust_to_strength(rotation, mark, before)
        if mark in checks:
            _place_scorers(rotation, mark)
    for player, since in rotation.on_ice.items():
        rotation.shifts.append(ShiftInterval(player, rotation.period, since, end))


def _get_segment(rotation: Rotation) -> StrengthSegment:
    return rotation.segments[rotation.segment_index]


def _choose_shape(rotation: Rotation) -> UnitShape:
    """Return the unit for the current state; an extra attacker during a delayed penalty does not count."""
    segment = _get_segment(rotation)
    own, theirs = segment.skaters[rotation.side], segment.skaters[1 - rotation.side]
    gone, theirs_gone = segment.goalies[rotation.side] is None, segment.goalies[1 - rotation.side] is None
    return choose_unit_shape(own - gone, theirs - theirs_gone, pulled=gone and not segment.off_for_delay)


def _change_on_the_fly(rotation: Rotation, since: int, until: int) -> None:
    """Change on the fly between two whistles or changes of strength."""
    while True:
        first = min(rotation.next_forward_change, rotation.next_defense_change)
        due = max(first, since + 1, rotation.change_done + 1)
        if due >= until - 1 or _get_segment(rotation).off_for_delay:
            return
        together = rotation.unit_shape.kind != "even"
        forwards, defense = (
            together or rotation.next_forward_change == first,
            together or rotation.next_defense_change == first,
        )
        _change_units(rotation, due, until - 1, forwards=forwards, defense=defense)


def _change_units(rotation: Rotation, now: int, latest: int, *, forwards: bool, defense: bool) -> None:
    """Send out the next line, or the next pair, or both."""
    rotation.unit_shape = _choose_shape(rotation)
    pin = _find_next_scorers(rotation, now)
    if forwards:
        rotation.line = _choose_next_unit(rotation, 0, pin)
        rotation.forward_change, rotation.next_forward_change = now, now + _draw_shift_length(rotation, rates.SHIFT_F)
    if defense:
        rotation.pair = rotation.line if rotation.unit_shape.kind == "power" else _choose_next_unit(rotation, 1, pin)
        rotation.defense_change, rotation.next_defense_change = now, now + _draw_shift_length(rotation, rates.SHIFT_D)
    if rotation.unit_shape.kind != "even":
        rotation.next_forward_change = rotation.next_defense_change = min(
            rotation.next_forward_change, rotation.next_defense_change
        )
    _swap_players(rotation, now, latest, _choose_players(rotation, forwards=forwards, defense=defense))


def _choose_players(rotation: Rotation, *, forwards: bool, defense: bool) -> tuple[int, ...]:
    """Return who should be on the ice: the new line or pair, and the current players of the other group."""
    out = _get_segment(rotation).unavailable[rotation.side]
    stay_f = tuple(p for p in rotation.on_ice if rotation.team.players[p].position != "D")
    stay_d = tuple(p for p in rotation.on_ice if rotation.team.players[p].position == "D")
    if forwards or len(stay_f) != rotation.unit_shape.forwards:
        stay_f = pick_forwards(rotation.team, rotation.unit_shape, rotation.line, out, rotation.on_ice)
    if defense or len(stay_d) != rotation.unit_shape.defense:
        stay_d = pick_defense(rotation.team, rotation.unit_shape, rotation.pair, out, rotation.on_ice)
    return stay_f + stay_d


def _draw_shift_length(rotation: Rotation, usual: tuple[float, float]) -> int:
    mean, spread = {"power": rates.SHIFT_PP, "kill": rates.SHIFT_PK, "six": rates.SHIFT_PP}.get(
        rotation.unit_shape.kind, usual
    )
    return round(min(MAX_SHIFT_SECONDS, max(MIN_SHIFT_SECONDS, rotation.rng.gauss(mean, spread))))


def _find_next_scorers(rotation: Rotation, now: int) -> frozenset[int] | None:
    """Return the scorer and the assisting players, if the next goal is during the coming shift."""
    return next((players for second, players in rotation.goals if now < second <= now + 55), None)


def _choose_next_unit(rotation: Rotation, group: int, pin: frozenset[int] | None) -> int:
    """Return the next unit: that of the next scorers, or the one furthest below its share of ice time."""
    units = (rotation.team.defense_units if group else rotation.team.forward_units)[rotation.unit_shape.kind]
    shares = (DEFENSE_UNIT_SHARES if group else FORWARD_UNIT_SHARES)[rotation.unit_shape.kind]
    load = rotation.ice_time.setdefault((rotation.unit_shape.kind, group), [0.0] * len(units))
    current = rotation.pair if group else rotation.line
    if pin is not None and any(pin & set(players) for players in units):
        chosen = max(range(len(units)), key=lambda i: (len(pin & set(units[i])), i == current))
    else:
        fresh = [
            i for i in range(len(units)) if i != current or len(units) == 1 or not set(units[i]) & set(rotation.on_ice)
        ]
        chosen = min(fresh, key=lambda i: (load[i] + rotation.rng.uniform(0, 50)) / shares[i])
    load[chosen] += 45
    return chosen


def _swap_players(rotation: Rotation, now: int, latest: int, wanted: tuple[int, ...]) -> None:
    """Swap players one for one: within a few seconds on the fly, all at once at a whistle (latest == now)."""
    leaving = [p for p in rotation.on_ice if p not in wanted]
    coming = [p for p in wanted if p not in rotation.on_ice]
    coming.sort(key=lambda p: rotation.team.players[p].position == "D")
    leaving.sort(key=lambda p: rotation.team.players[p].position == "D")
    for out, new in zip(leaving, coming, strict=False):
        at = min(latest, now + (rotation.rng.randrange(rates.LINE_CHANGE_SECONDS) if latest > now else 0))
        _end_shift(rotation, out, at)
        rotation.on_ice[new] = at
        rotation.change_done = max(at, rotation.change_done)
    for player in leaving[len(coming) :]:
        _end_shift(rotation, player, now)
    for player in coming[len(leaving) :]:
        rotation.on_ice[player] = now


def _end_shift(rotation: Rotation, player: int, at: int) -> None:
    since = rotation.on_ice.pop(player)
    if at > since:
        rotation.shifts.append(ShiftInterval(player, rotation.period, since, at))


def _send_new_unit(rotation: Rotation, now: int) -> None:
    """Send a new unit for a faceoff."""
    _change_units(rotation, now, now, forwards=True, defense=True)


def _change_at_whistle(rotation: Rotation, now: int, row: Whistle, before: StrengthSegment) -> None:
    """Change at a whistle: everyone if the strength changes; else tired players, unless they iced the puck."""
    segment = _get_segment(rotation)
    out = segment.unavailable[rotation.side]
    wrong = (
        len(rotation.on_ice) != segment.skaters[rotation.side]
        or any(p in out for p in rotation.on_ice)
        or _choose_shape(rotation) != rotation.unit_shape
    )
    if wrong or row.reason == "period-start":
        _send_new_unit(rotation, now)
        return
    if row.reason == "icing" and row.side == rotation.side:
        return
    pin = _find_next_scorers(rotation, now)
    urgent = pin is not None and not pin <= set(rotation.on_ice)
    forwards = (
        urgent
        or _is_tired(rotation, now - rotation.forward_change)
        or (row.reason == "goal" and rotation.rng.random() < 0.75)
    )
    defense = (
        urgent
        or _is_tired(rotation, now - rotation.defense_change)
        or (row.reason == "goal" and rotation.rng.random() < 0.6)
    )
    if rotation.unit_shape.kind != "even":
        forwards = defense = forwards or defense
    if forwards or defense:
        _change_units(rotation, now, now, forwards=forwards, defense=defense)


def _is_tired(rotation: Rotation, age: int) -> bool:
    return rotation.rng.random() < next(chance for limit, chance in WHISTLE_CHANGE_CHANCE if age < limit)


def _adjust_to_strength(rotation: Rotation, now: int, before: StrengthSegment) -> None:
    """Adjust to a change of strength during play: a penalized player returns, or an extra attacker comes on."""
    segment = _get_segment(rotation)
    out = segment.unavailable[rotation.side]
    missing = segment.skaters[rotation.side] - len(rotation.on_ice)
    if missing > 0:
        released = [p for p in before.unavailable[rotation.side] if p not in out and p not in rotation.team.goalies]
        for player in [*released, *rotation.team.forwards, *rotation.team.defense]:
            if missing and player not in rotation.on_ice and player not in out:
                rotation.on_ice[player] = now
                missing -= 1
    for player in list(rotation.on_ice)[: max(0, -missing)]:
        _end_shift(rotation, player, now)
    if _choose_shape(rotation) != rotation.unit_shape:
        rotation.unit_shape = _choose_shape(rotation)
        rotation.next_forward_change = rotation.next_defense_change = now + rotation.rng.randint(*REGROUP_SECONDS)
        if rotation.unit_shape.kind != "even":
            rotation.line = rotation.pair = 0


def _place_scorers(rotation: Rotation, now: int) -> None:
    """Bring on the scorers two seconds before a goal, for others of the same position."""
    players = next(names for second, names in rotation.goals if second - SCORER_LEAD_SECONDS == now)
    out = _get_segment(rotation).unavailable[rotation.side]
    late = [p for p in players if p not in rotation.on_ice and p not in out]
    for player in late:
        kind = rotation.team.players[player].position == "D"
        spare = [p for p in rotation.on_ice if p not in players and rotation.on_ice[p] < now]
        if spare:
            spare.sort(key=lambda p: ((rotation.team.players[p].position == "D") != kind, rotation.on_ice[p]))
            _end_shift(rotation, spare[0], now)
            rotation.on_ice[player] = now


def _build_goalie_shifts(side: int, outcome: GameOutcome) -> list[ShiftInterval]:
    """Return the goalies' shifts, from the strength segments."""
    rows: list[ShiftInterval] = []
    for segment in outcome.segments:
        goalie = segment.goalies[side]
        if goalie is None or segment.start == segment.end:
            continue
        if rows and rows[-1][:2] == (goalie, segment.period) and rows[-1].end == segment.start:
            rows[-1] = rows[-1]._replace(end=segment.end)
        else:
            rows.append(ShiftInterval(goalie, segment.period, segment.start, segment.end))
    return rows
