"""Shifts: lines and pairs that take turns, on the fly and at whistles, at the strength that the story says.

A change names the skaters who should be out; those who are not yet replace, one for one, those who are no longer
wanted, so that the number on the ice is right at every second. The story's goals are pins: whoever scores or assists
is out there in time.
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
REGROUP_SECONDS: Final = (4, 14)  # seconds after which a team regroups when a penalty has run out
WHISTLE_CHANGE_CHANCE: Final = ((8, 0.04), (15, 0.15), (22, 0.45), (30, 0.72), (999, 0.92))  # by the age of the shift
SCORER_LEAD_SECONDS: Final = 2
EVEN_STRENGTH: Final = UnitShape("even", 3, 2)


class ShiftInterval(NamedTuple):
    """One player's time on the ice."""

    player: int
    period: int
    start: int
    end: int


@dataclass(slots=True)
class Rotation:
    """One team's bench at work."""

    rng: Random
    side: int
    team: Bench
    segments: list[StrengthSegment] = field(default_factory=list)
    goals: list[tuple[int, frozenset[int]]] = field(default_factory=list)  # of this period: second, players
    period: int = 1
    segment_index: int = 0
    on_ice: dict[int, int] = field(default_factory=dict)  # player -> second of the period since when
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
    )  # (kind, 1 for defence) -> seconds by unit
    shifts: list[ShiftInterval] = field(default_factory=list)


def simulate_shifts(
    rng: Random, side: int, team: Bench, story: GameOutcome, rows: list[Whistle]
) -> list[ShiftInterval]:
    """All stays of a team's skaters and goalies, in the order in which they end."""
    work = Rotation(rng, side, team)
    for period in sorted({row.period for row in rows}):
        work.period = period
        work.segments = [s for s in story.segments if s.period == period]
        work.goals = [
            (goal.second, frozenset((goal.scorer, *goal.assists)) - set(team.goalies))
            for goal in story.goals
            if goal.period == period and goal.side == side and not goal.penalty_shot
        ]
        _simulate_period(work, [row for row in rows if row.period == period])
    return work.shifts + _build_goalie_shifts(side, story)


def _simulate_period(work: Rotation, rows: list[Whistle]) -> None:
    stops = {row.second: row for row in rows}
    end = rows[-1].second
    checks = {second - SCORER_LEAD_SECONDS for second, _ in work.goals}
    marks = sorted({*stops, *(s.start for s in work.segments), *checks} - {0})
    work.segment_index = work.change_done = 0
    work.on_ice.clear()
    _send_new_unit(work, 0)
    for last, mark in zip((0, *marks), marks, strict=False):
        _change_on_the_fly(work, last, mark)
        if mark == end:
            break
        before = work.segments[work.segment_index]
        while work.segment_index + 1 < len(work.segments) and work.segments[work.segment_index + 1].start <= mark:
            work.segment_index += 1
        if mark in stops:
            _change_at_whistle(work, mark, stops[mark], before)
        elif work.segments[work.segment_index] is not before:
            _adjust_to_strength(work, mark, before)
        if mark in checks:
            _place_scorers(work, mark)
    for player, since in work.on_ice.items():
        work.shifts.append(ShiftInterval(player, work.period, since, end))


def _get_segment(work: Rotation) -> StrengthSegment:
    return work.segments[work.segment_index]


def _choose_shape(work: Rotation) -> UnitShape:
    """The unit that the state asks for: extra attackers of a delayed penalty do not count."""
    spell = _get_segment(work)
    own, theirs = spell.skaters[work.side], spell.skaters[1 - work.side]
    gone, theirs_gone = spell.goalies[work.side] is None, spell.goalies[1 - work.side] is None
    return choose_unit_shape(own - gone, theirs - theirs_gone, pulled=gone and not spell.off_for_delay)


def _change_on_the_fly(work: Rotation, since: int, until: int) -> None:
    """Changes on the fly between two whistles or changes of strength."""
    while True:
        first = min(work.next_forward_change, work.next_defense_change)
        due = max(first, since + 1, work.change_done + 1)
        if due >= until - 1 or _get_segment(work).off_for_delay:
            return
        together = work.unit_shape.kind != "even"
        forwards, defence = together or work.next_forward_change == first, together or work.next_defense_change == first
        _change_units(work, due, until - 1, forwards=forwards, defence=defence)


def _change_units(work: Rotation, now: int, latest: int, *, forwards: bool, defence: bool) -> None:
    """Send out the next line, or the next pair, or both."""
    work.unit_shape = _choose_shape(work)
    pin = _find_next_scorers(work, now)
    if forwards:
        work.line = _choose_next_unit(work, 0, pin)
        work.forward_change, work.next_forward_change = now, now + _draw_shift_length(work, rates.SHIFT_F)
    if defence:
        work.pair = work.line if work.unit_shape.kind == "power" else _choose_next_unit(work, 1, pin)
        work.defense_change, work.next_defense_change = now, now + _draw_shift_length(work, rates.SHIFT_D)
    if work.unit_shape.kind != "even":
        work.next_forward_change = work.next_defense_change = min(work.next_forward_change, work.next_defense_change)
    _swap_players(work, now, latest, _choose_players(work, forwards=forwards, defence=defence))


def _choose_players(work: Rotation, *, forwards: bool, defence: bool) -> tuple[int, ...]:
    """Who should be out: the new line or pair, and whoever is out of the group that stays."""
    out = _get_segment(work).unavailable[work.side]
    stay_f = tuple(p for p in work.on_ice if work.team.players[p].position != "D")
    stay_d = tuple(p for p in work.on_ice if work.team.players[p].position == "D")
    if forwards or len(stay_f) != work.unit_shape.forwards:
        stay_f = pick_forwards(work.team, work.unit_shape, work.line, out, work.on_ice)
    if defence or len(stay_d) != work.unit_shape.defense:
        stay_d = pick_defense(work.team, work.unit_shape, work.pair, out, work.on_ice)
    return stay_f + stay_d


def _draw_shift_length(work: Rotation, usual: tuple[float, float]) -> int:
    mean, spread = {"power": rates.SHIFT_PP, "kill": rates.SHIFT_PK, "six": rates.SHIFT_PP}.get(
        work.unit_shape.kind, usual
    )
    return round(min(MAX_SHIFT_SECONDS, max(MIN_SHIFT_SECONDS, work.rng.gauss(mean, spread))))


def _find_next_scorers(work: Rotation, now: int) -> frozenset[int] | None:
    """Who must be out there, when the next goal falls into the coming shift."""
    return next((players for second, players in work.goals if now < second <= now + 55), None)


def _choose_next_unit(work: Rotation, group: int, pin: frozenset[int] | None) -> int:
    """Whose turn it is: the scorers of a coming goal, or those who have had least of their share."""
    units = (work.team.defense_units if group else work.team.forward_units)[work.unit_shape.kind]
    shares = (DEFENSE_UNIT_SHARES if group else FORWARD_UNIT_SHARES)[work.unit_shape.kind]
    load = work.ice_time.setdefault((work.unit_shape.kind, group), [0.0] * len(units))
    current = work.pair if group else work.line
    if pin is not None and any(pin & set(players) for players in units):
        chosen = max(range(len(units)), key=lambda i: (len(pin & set(units[i])), i == current))
    else:
        fresh = [
            i for i in range(len(units)) if i != current or len(units) == 1 or not set(units[i]) & set(work.on_ice)
        ]
        chosen = min(fresh, key=lambda i: (load[i] + work.rng.uniform(0, 50)) / shares[i])
    load[chosen] += 45
    return chosen


def _swap_players(work: Rotation, now: int, latest: int, wanted: tuple[int, ...]) -> None:
    """Swap one for one, within a few seconds on the fly; at a whistle (latest == now) all at once."""
    leaving = [p for p in work.on_ice if p not in wanted]
    coming = [p for p in wanted if p not in work.on_ice]
    coming.sort(key=lambda p: work.team.players[p].position == "D")
    leaving.sort(key=lambda p: work.team.players[p].position == "D")
    for out, new in zip(leaving, coming, strict=False):
        at = min(latest, now + (work.rng.randrange(rates.LINE_CHANGE_SECONDS) if latest > now else 0))
        _end_shift(work, out, at)
        work.on_ice[new] = at
        work.change_done = max(at, work.change_done)
    for player in leaving[len(coming) :]:
        _end_shift(work, player, now)
    for player in coming[len(leaving) :]:
        work.on_ice[player] = now


def _end_shift(work: Rotation, player: int, at: int) -> None:
    since = work.on_ice.pop(player)
    if at > since:
        work.shifts.append(ShiftInterval(player, work.period, since, at))


def _send_new_unit(work: Rotation, now: int) -> None:
    """A new unit for a faceoff."""
    _change_units(work, now, now, forwards=True, defence=True)


def _change_at_whistle(work: Rotation, now: int, row: Whistle, before: StrengthSegment) -> None:
    """Who stays for the faceoff: nobody when the strength changes; else the tired go, unless they iced the puck."""
    spell = _get_segment(work)
    out = spell.unavailable[work.side]
    wrong = (
        len(work.on_ice) != spell.skaters[work.side]
        or any(p in out for p in work.on_ice)
        or _choose_shape(work) != work.unit_shape
    )
    if wrong or row.reason == "period-start":
        _send_new_unit(work, now)
        return
    if row.reason == "icing" and row.side == work.side:
        return
    pin = _find_next_scorers(work, now)
    urgent = pin is not None and not pin <= set(work.on_ice)
    forwards = (
        urgent or _is_tired(work, now - work.forward_change) or (row.reason == "goal" and work.rng.random() < 0.75)
    )
    defence = urgent or _is_tired(work, now - work.defense_change) or (row.reason == "goal" and work.rng.random() < 0.6)
    if work.unit_shape.kind != "even":
        forwards = defence = forwards or defence
    if forwards or defence:
        _change_units(work, now, now, forwards=forwards, defence=defence)


def _is_tired(work: Rotation, age: int) -> bool:
    return work.rng.random() < next(chance for limit, chance in WHISTLE_CHANGE_CHANCE if age < limit)


def _adjust_to_strength(work: Rotation, now: int, before: StrengthSegment) -> None:
    """The strength changes while play goes on: a penalised player returns, or a goalie leaves for an extra skater."""
    spell = _get_segment(work)
    out = spell.unavailable[work.side]
    missing = spell.skaters[work.side] - len(work.on_ice)
    if missing > 0:
        released = [p for p in before.unavailable[work.side] if p not in out and p not in work.team.goalies]
        for player in [*released, *work.team.forwards, *work.team.defense]:
            if missing and player not in work.on_ice and player not in out:
                work.on_ice[player] = now
                missing -= 1
    for player in list(work.on_ice)[: max(0, -missing)]:
        _end_shift(work, player, now)
    if _choose_shape(work) != work.unit_shape:
        work.unit_shape = _choose_shape(work)
        work.next_forward_change = work.next_defense_change = now + work.rng.randint(*REGROUP_SECONDS)
        if work.unit_shape.kind != "even":
            work.line = work.pair = 0


def _place_scorers(work: Rotation, now: int) -> None:
    """Two seconds before a goal: its missing players come on for others of the same position."""
    players = next(names for second, names in work.goals if second - SCORER_LEAD_SECONDS == now)
    out = _get_segment(work).unavailable[work.side]
    late = [p for p in players if p not in work.on_ice and p not in out]
    for player in late:
        kind = work.team.players[player].position == "D"
        spare = [p for p in work.on_ice if p not in players and work.on_ice[p] < now]
        if spare:
            spare.sort(key=lambda p: ((work.team.players[p].position == "D") != kind, work.on_ice[p]))
            _end_shift(work, spare[0], now)
            work.on_ice[player] = now


def _build_goalie_shifts(side: int, story: GameOutcome) -> list[ShiftInterval]:
    """The goalies' stays follow from the spells."""
    rows: list[ShiftInterval] = []
    for spell in story.segments:
        goalie = spell.goalies[side]
        if goalie is None or spell.start == spell.end:
            continue
        if rows and rows[-1][:2] == (goalie, spell.period) and rows[-1].end == spell.start:
            rows[-1] = rows[-1]._replace(end=spell.end)
        else:
            rows.append(ShiftInterval(goalie, spell.period, spell.start, spell.end))
    return rows
