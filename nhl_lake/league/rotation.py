"""Shifts: lines and pairs that take turns, on the fly and at whistles, at the strength that the story says.

A change names the skaters who should be out; those who are not yet replace, one for one, those who are no longer
wanted, so that the number on the ice is right at every second. The story's goals are pins: whoever scores or assists
is out there in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from . import parameters as rates
from .bench import SHARES, SHARES_D, Bench, Shape, defence_of, forwards_of, shape
from .model import Spell, Story
from .whistles import Whistle

SHORTEST, LONGEST = 18, 95
SOON: Final = (4, 14)  # seconds after which a team regroups when a penalty has run out
WHISTLE_CHANGE: Final = ((8, 0.04), (15, 0.15), (22, 0.45), (30, 0.72), (999, 0.92))  # by the age of the shift
PIN_AHEAD: Final = 2
EVEN: Final = Shape("even", 3, 2)


class Stay(NamedTuple):
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
    spells: list[Spell] = field(default_factory=list)
    goals: list[tuple[int, frozenset[int]]] = field(default_factory=list)  # of this period: second, players
    period: int = 1
    spell: int = 0
    on: dict[int, int] = field(default_factory=dict)  # player -> second of the period since when
    formed: Shape = EVEN
    line: int = 0
    pair: int = 0
    age_f: int = 0  # second of the last change of forwards
    age_d: int = 0
    due_f: int = 0
    due_d: int = 0
    settled: int = 0  # second when the last change is complete
    load: dict[tuple[str, int], list[float]] = field(default_factory=dict)  # (kind, 1 for defence) -> seconds by unit
    stays: list[Stay] = field(default_factory=list)


def stays(rng: Random, side: int, team: Bench, story: Story, rows: list[Whistle]) -> list[Stay]:
    """All stays of a team's skaters and goalies, in the order in which they end."""
    work = Rotation(rng, side, team)
    for period in sorted({row.period for row in rows}):
        work.period = period
        work.spells = [s for s in story.spells if s.period == period]
        work.goals = [
            (goal.second, frozenset((goal.scorer, *goal.assists)) - set(team.goalies))
            for goal in story.goals
            if goal.period == period and goal.side == side and not goal.penalty_shot
        ]
        _period(work, [row for row in rows if row.period == period])
    return work.stays + _goalies(side, story)


def _period(work: Rotation, rows: list[Whistle]) -> None:
    stops = {row.second: row for row in rows}
    end = rows[-1].second
    checks = {second - PIN_AHEAD for second, _ in work.goals}
    marks = sorted({*stops, *(s.start for s in work.spells), *checks} - {0})
    work.spell = work.settled = 0
    work.on.clear()
    _line_up(work, 0)
    for last, mark in zip((0, *marks), marks, strict=False):
        _fly(work, last, mark)
        if mark == end:
            break
        before = work.spells[work.spell]
        while work.spell + 1 < len(work.spells) and work.spells[work.spell + 1].start <= mark:
            work.spell += 1
        if mark in stops:
            _at_whistle(work, mark, stops[mark], before)
        elif work.spells[work.spell] is not before:
            _in_play(work, mark, before)
        if mark in checks:
            _pin(work, mark)
    for player, since in work.on.items():
        work.stays.append(Stay(player, work.period, since, end))


def _now(work: Rotation) -> Spell:
    return work.spells[work.spell]


def _shape(work: Rotation) -> Shape:
    """The unit that the state asks for: extra attackers of a delayed penalty do not count."""
    spell = _now(work)
    own, theirs = spell.skaters[work.side], spell.skaters[1 - work.side]
    gone, theirs_gone = spell.goalies[work.side] is None, spell.goalies[1 - work.side] is None
    return shape(own - gone, theirs - theirs_gone, pulled=gone and not spell.lifted)


def _fly(work: Rotation, since: int, until: int) -> None:
    """Changes on the fly between two whistles or changes of strength."""
    while True:
        first = min(work.due_f, work.due_d)
        due = max(first, since + 1, work.settled + 1)
        if due >= until - 1 or _now(work).lifted:
            return
        together = work.formed.kind != "even"
        forwards, defence = together or work.due_f == first, together or work.due_d == first
        _change(work, due, until - 1, forwards=forwards, defence=defence)


def _change(work: Rotation, now: int, latest: int, *, forwards: bool, defence: bool) -> None:
    """Send out the next line, or the next pair, or both."""
    work.formed = _shape(work)
    pin = _next_pin(work, now)
    if forwards:
        work.line = _turn(work, 0, pin)
        work.age_f, work.due_f = now, now + _length(work, rates.SHIFT_F)
    if defence:
        work.pair = work.line if work.formed.kind == "power" else _turn(work, 1, pin)
        work.age_d, work.due_d = now, now + _length(work, rates.SHIFT_D)
    if work.formed.kind != "even":
        work.due_f = work.due_d = min(work.due_f, work.due_d)
    _send(work, now, latest, _wanted(work, forwards=forwards, defence=defence))


def _wanted(work: Rotation, *, forwards: bool, defence: bool) -> tuple[int, ...]:
    """Who should be out: the new line or pair, and whoever is out of the group that stays."""
    out = _now(work).box[work.side]
    stay_f = tuple(p for p in work.on if work.team.players[p].position != "D")
    stay_d = tuple(p for p in work.on if work.team.players[p].position == "D")
    if forwards or len(stay_f) != work.formed.forwards:
        stay_f = forwards_of(work.team, work.formed, work.line, out, work.on)
    if defence or len(stay_d) != work.formed.defence:
        stay_d = defence_of(work.team, work.formed, work.pair, out, work.on)
    return stay_f + stay_d


def _length(work: Rotation, usual: tuple[float, float]) -> int:
    mean, spread = {"power": rates.SHIFT_PP, "kill": rates.SHIFT_PK, "six": rates.SHIFT_PP}.get(work.formed.kind, usual)
    return round(min(LONGEST, max(SHORTEST, work.rng.gauss(mean, spread))))


def _next_pin(work: Rotation, now: int) -> frozenset[int] | None:
    """Who must be out there, when the next goal falls into the coming shift."""
    return next((players for second, players in work.goals if now < second <= now + 55), None)


def _turn(work: Rotation, group: int, pin: frozenset[int] | None) -> int:
    """Whose turn it is: the scorers of a coming goal, or those who have had least of their share."""
    units = (work.team.units_d if group else work.team.units_f)[work.formed.kind]
    shares = (SHARES_D if group else SHARES)[work.formed.kind]
    load = work.load.setdefault((work.formed.kind, group), [0.0] * len(units))
    current = work.pair if group else work.line
    if pin is not None and any(pin & set(players) for players in units):
        chosen = max(range(len(units)), key=lambda i: (len(pin & set(units[i])), i == current))
    else:
        fresh = [i for i in range(len(units)) if i != current or len(units) == 1 or not set(units[i]) & set(work.on)]
        chosen = min(fresh, key=lambda i: (load[i] + work.rng.uniform(0, 50)) / shares[i])
    load[chosen] += 45
    return chosen


def _send(work: Rotation, now: int, latest: int, wanted: tuple[int, ...]) -> None:
    """Swap one for one, within a few seconds on the fly; at a whistle (latest == now) all at once."""
    leaving = [p for p in work.on if p not in wanted]
    coming = [p for p in wanted if p not in work.on]
    coming.sort(key=lambda p: work.team.players[p].position == "D")
    leaving.sort(key=lambda p: work.team.players[p].position == "D")
    for out, new in zip(leaving, coming, strict=False):
        at = min(latest, now + (work.rng.randrange(rates.CHANGE_SPREAD) if latest > now else 0))
        _off(work, out, at)
        work.on[new] = at
        work.settled = max(at, work.settled)
    for player in leaving[len(coming) :]:
        _off(work, player, now)
    for player in coming[len(leaving) :]:
        work.on[player] = now


def _off(work: Rotation, player: int, at: int) -> None:
    since = work.on.pop(player)
    if at > since:
        work.stays.append(Stay(player, work.period, since, at))


def _line_up(work: Rotation, now: int) -> None:
    """A new unit for a faceoff."""
    _change(work, now, now, forwards=True, defence=True)


def _at_whistle(work: Rotation, now: int, row: Whistle, before: Spell) -> None:
    """Who stays for the faceoff: nobody when the strength changes; else the tired go, unless they iced the puck."""
    spell = _now(work)
    out = spell.box[work.side]
    wrong = len(work.on) != spell.skaters[work.side] or any(p in out for p in work.on) or _shape(work) != work.formed
    if wrong or row.reason == "period-start":
        _line_up(work, now)
        return
    if row.reason == "icing" and row.side == work.side:
        return
    pin = _next_pin(work, now)
    urgent = pin is not None and not pin <= set(work.on)
    forwards = urgent or _tired(work, now - work.age_f) or (row.reason == "goal" and work.rng.random() < 0.75)
    defence = urgent or _tired(work, now - work.age_d) or (row.reason == "goal" and work.rng.random() < 0.6)
    if work.formed.kind != "even":
        forwards = defence = forwards or defence
    if forwards or defence:
        _change(work, now, now, forwards=forwards, defence=defence)


def _tired(work: Rotation, age: int) -> bool:
    return work.rng.random() < next(chance for limit, chance in WHISTLE_CHANGE if age < limit)


def _in_play(work: Rotation, now: int, before: Spell) -> None:
    """The strength changes while play goes on: a penalised player returns, or a goalie leaves for an extra skater."""
    spell = _now(work)
    out = spell.box[work.side]
    missing = spell.skaters[work.side] - len(work.on)
    if missing > 0:
        released = [p for p in before.box[work.side] if p not in out and p not in work.team.goalies]
        for player in [*released, *work.team.forwards, *work.team.defence]:
            if missing and player not in work.on and player not in out:
                work.on[player] = now
                missing -= 1
    for player in list(work.on)[: max(0, -missing)]:
        _off(work, player, now)
    if _shape(work) != work.formed:
        work.formed = _shape(work)
        work.due_f = work.due_d = now + work.rng.randint(*SOON)
        if work.formed.kind != "even":
            work.line = work.pair = 0


def _pin(work: Rotation, now: int) -> None:
    """Two seconds before a goal: whoever of its players is missing comes on for somebody else of his kind."""
    players = next(names for second, names in work.goals if second - PIN_AHEAD == now)
    out = _now(work).box[work.side]
    late = [p for p in players if p not in work.on and p not in out]
    for player in late:
        kind = work.team.players[player].position == "D"
        spare = [p for p in work.on if p not in players and work.on[p] < now]
        if spare:
            spare.sort(key=lambda p: ((work.team.players[p].position == "D") != kind, work.on[p]))
            _off(work, spare[0], now)
            work.on[player] = now


def _goalies(side: int, story: Story) -> list[Stay]:
    """The goalies' stays follow from the spells."""
    rows: list[Stay] = []
    for spell in story.spells:
        goalie = spell.goalies[side]
        if goalie is None or spell.start == spell.end:
            continue
        if rows and rows[-1][:2] == (goalie, spell.period) and rows[-1].end == spell.start:
            rows[-1] = rows[-1]._replace(end=spell.end)
        else:
            rows.append(Stay(goalie, spell.period, spell.start, spell.end))
    return rows
