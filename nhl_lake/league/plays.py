"""Play between the whistles: attempts, hits, giveaways and takeaways by strength, score and fatigue."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from . import parameters as rates
from . import rink
from .draft import Draft, blank, code, out_there, put, spell
from .ice import Skater
from .model import AWAY, HOME, Event, Spell
from .whistles import Whistle

SHOTS: Final = ("shot-on-goal", "missed-shot", "blocked-shot")
FRESH, MOST = 25, 1.25  # seconds a shift has lasted when it neither helps nor hurts; the most that tired legs allow


class Menu(NamedTuple):
    """What may happen in a state: kinds and sides with their rates per second."""

    kinds: tuple[tuple[str, int], ...]
    weights: tuple[float, ...]
    total: float


class Stretch(NamedTuple):
    """Play from one whistle to the next."""

    period: int
    start: int
    end: int


def play(draft: Draft, first: Whistle, last: Whistle) -> None:
    """Fill the play between two whistles, the shot that the goalie holds included."""
    now, held = first.second, _held(draft, first, last)
    limit = held - 1 if held is not None else last.second - (last.reason in ("period-end", "goal"))
    while True:
        state = spell(draft, first.period, now, before=False)
        menu = _menu(state, _armed(draft, first.period, now), max(-3, min(3, draft.score[HOME] - draft.score[AWAY])))
        when = now + max(1, round(draft.rng.expovariate(menu.total)))
        if when >= state.end and state.end < last.second:
            now = state.end
            continue
        now = when
        if now > limit:
            break
        kind, side = draft.rng.choices(menu.kinds, menu.weights)[0]
        now = _happen(draft, Stretch(first.period, now, limit), kind, side, before=now == last.second)
    if held is not None and last.side is not None:
        _attempt(
            draft, Stretch(first.period, held, held), "shot-on-goal", last.side, before=held == last.second, close=False
        )


def _held(draft: Draft, first: Whistle, last: Whistle) -> int | None:
    """The second of the shot that the goalie holds."""
    if last.reason != "goalie-stopped-after-sog":
        return None
    second = max(first.second + 1, last.second - draft.rng.choices((0, 1, 2, 3), (2, 21, 56, 21))[0])
    # the goalie must have been in his net by then
    same = spell(draft, last.period, second, before=False) == spell(draft, last.period, last.second, before=True)
    return second if same else last.second


def _armed(draft: Draft, period: int, now: int) -> int | None:
    """The side against which a penalty is being delayed."""
    for row in (*draft.story.penalties, *draft.story.washed):
        if row.period == period and row.delayed is not None and row.delayed <= now < row.second:
            return row.side
    return None


@lru_cache(maxsize=4096)
def _rates(skaters: tuple[int, int], nets: tuple[bool, bool], armed: int | None, lead: int) -> Menu:
    kinds: list[tuple[str, int]] = []
    weights: list[float] = []
    for side in (HOME, AWAY):
        own, theirs = skaters[side], skaters[1 - side]
        if not nets[1 - side]:
            shots = rates.EMPTY_NET_PER_60
        elif armed is not None:
            shots = (0.0, 0.0, 0.0) if armed == side else rates.DELAYED_PER_60
        else:
            shots = rates.SHOTS_PER_60.get((own, theirs)) or (25.0, 12.0, 14.0)
        tilt = rates.SCORE_SHOTS[lead if side == HOME else -lead] if own == theirs == 5 else 1.0
        tilt *= rates.SHOT_SCALE * MOST * (rates.HOME_SHOTS if side == HOME else 1 / rates.HOME_SHOTS)
        for kind, (table, uneven, home) in rates.SCRAPS.items():
            kinds.append((kind, side))
            weights.append(table.get((own, theirs), uneven) * (home if side == HOME else 1 - home) / 3600)
        for kind, rate in zip(SHOTS, shots, strict=True):
            free = rates.FREE_SAVED if kind == "shot-on-goal" else 1.0
            kinds.append((kind, side))
            weights.append(rate * tilt * free / 3600)
    return Menu(tuple(kinds), tuple(weights), sum(weights))


def _menu(state: Spell, armed: int | None, lead: int) -> Menu:
    nets = (state.goalies[0] is not None, state.goalies[1] is not None)
    return _rates(state.skaters, nets, armed, lead)


def _happen(draft: Draft, stretch: Stretch, kind: str, side: int, *, before: bool) -> int:
    """One thing happens; the second when it is over."""
    if kind not in SHOTS:
        _scrap(draft, stretch, kind, side, before=before)
        return stretch.start
    others, _ = out_there(draft, 1 - side, stretch.period, stretch.start, before=before)
    age = stretch.start - sum(s.since for s in others) / len(others)
    legs = min(MOST, max(0.8, 1 + rates.FATIGUE * (age - FRESH)))
    if draft.rng.random() * MOST > legs or _too_far(draft, stretch, side):
        return stretch.start
    _attempt(draft, stretch, kind, side, before=before, close=False)
    again = stretch.start + draft.rng.randint(1, 3)
    if kind != "blocked-shot" and draft.rng.random() < rates.REBOUND and again < stretch.end:
        state = spell(draft, stretch.period, again, before=False)
        if state.goalies[1 - side] is not None and _armed(draft, stretch.period, again) != side:
            kind = draft.rng.choices(SHOTS, (0.62, 0.28, 0.1))[0]
            _attempt(draft, stretch._replace(start=again), kind, side, before=False, close=True)
            return again
    return stretch.start


def _too_far(draft: Draft, stretch: Stretch, side: int) -> bool:
    """Whether the puck was elsewhere a moment ago; a rush is the exception."""
    last = draft.rows[-1].event
    if last.x is None or last.kind == "faceoff" or last.period != stretch.period or stretch.start - last.second > 4:
        return False
    toward = last.x if (side == HOME) == (last.home_defends == "left") else -last.x
    return toward <= rink.BLUE_LINE and draft.rng.random() > rates.RUSH


def _same_end(draft: Draft, event: Event, place: rink.Place) -> rink.Place:
    """Play does not jump from end to end: soon after another event it is still on that half of the ice."""
    last = draft.rows[-1].event
    if last.x is None or last.period != event.period or event.second - last.second > 4:
        return place
    toward = last.x if (event.side == HOME) == (last.home_defends == "left") else -last.x
    return rink.Place(abs(place.x) if toward > 0 else -abs(place.x), place.y)


def pick(draft: Draft, side: int, skaters: tuple[Skater, ...], skill: str, weight: str) -> int:
    """One of the skaters, by skill and position."""
    players = draft.teams[side].players
    by_d = rates.D_WEIGHTS[weight]
    chosen = [players[s.player] for s in skaters]
    weights = [getattr(p.skills, skill) * (by_d if p.position == "D" else 1.0) for p in chosen]
    return draft.rng.choices(skaters, weights)[0].player


def _scrap(draft: Draft, stretch: Stretch, kind: str, side: int, *, before: bool) -> None:
    """A hit, a giveaway or a takeaway."""
    rng, period, second = draft.rng, stretch.period, stretch.start
    ours, goalie = out_there(draft, side, period, second, before=before)
    event = blank(draft, period, second, kind, code(spell(draft, period, second, before=before)))._replace(side=side)
    if kind == "hit":
        theirs, _ = out_there(draft, 1 - side, period, second, before=before)
        event = event._replace(player=pick(draft, side, ours, "hit", "hit"), other=rng.choice(theirs).player)
        place = rink.anywhere(rng, rates.HIT_X, rates.HIT_Y, rates.OWN_ZONE[kind])
    elif kind == "giveaway":
        by_goalie = goalie is not None and rng.random() < rates.GIVEAWAY_BY_G
        event = event._replace(player=goalie if by_goalie else pick(draft, side, ours, "make", kind))
        place = rink.anywhere(rng, rates.GIVE_X, rates.GIVE_Y, rates.OWN_ZONE[kind])
        if by_goalie:
            place = rink.Place(-abs(place.x) // 4 - 74, place.y // 2)
            put(draft, event, place, before=before)
            return
    else:
        event = event._replace(player=pick(draft, side, ours, "make", kind))
        place = rink.anywhere(rng, rates.TAKE_X, rates.TAKE_Y, rates.OWN_ZONE[kind])
    put(draft, event, _same_end(draft, event, place), before=before)


def _attempt(draft: Draft, stretch: Stretch, kind: str, side: int, *, before: bool, close: bool) -> None:
    """A shot that does not score."""
    rng, period, second = draft.rng, stretch.period, stretch.start
    ours, _ = out_there(draft, side, period, second, before=before)
    theirs, goalie = out_there(draft, 1 - side, period, second, before=before)
    shooter = pick(draft, side, ours, "shoot", "close" if close else kind)
    event = blank(draft, period, second, kind, code(spell(draft, period, second, before=before)))
    event = event._replace(side=side, player=shooter)
    if kind == "blocked-shot":
        _blocked(draft, event, (ours, theirs), before=before)
        return
    role = "D" if draft.teams[side].players[shooter].position == "D" else "F"
    event = event._replace(shot_type=shot_type(draft, role, goal=False, close=close), goalie=goalie)
    if kind == "missed-shot":
        event = event._replace(reason=rng.choices([m for m, _ in rates.MISSES], [n for _, n in rates.MISSES])[0])
    else:
        draft.sog[side] += 1
        event = event._replace(sog=(draft.sog[HOME], draft.sog[AWAY]))
    place = rink.shot(rng, role, event.shot_type or "wrist", goal=False, empty=goalie is None, close=close)
    put(draft, event, place, before=before)


def shot_type(draft: Draft, role: str, *, goal: bool, close: bool = False) -> str:
    """Wrist, snap, slap ... by position."""
    table = (rates.GOAL_TYPES if goal else rates.SHOT_TYPES)["F" if close else role]
    chosen = draft.rng.choices([t for t, _ in table], [n for _, n in table])[0]
    return "wrist" if close and chosen == "slap" else chosen


def _blocked(
    draft: Draft, event: Event, skaters: tuple[tuple[Skater, ...], tuple[Skater, ...]], *, before: bool
) -> None:
    """The row belongs to the shooter's team, its zone is the blocker's; muddled for blocks by team-mates."""
    rng, (ours, theirs) = draft.rng, skaters
    side = event.side or 0
    place = rink.block(rng)
    mates = tuple(s for s in ours if s.player != event.player)
    if mates and rng.random() < rates.TEAMMATE_BLOCK:
        zone = rng.choice("DO") if place.zone() == "O" else place.zone()
        event = event._replace(other=rng.choice(mates).player, reason="teammate-blocked", zone=zone)
    else:
        blocker = pick(draft, 1 - side, theirs, "block", "block")
        event = event._replace(other=blocker, reason="blocked", zone=place.turned().zone())
    put(draft, event, place, before=before)
