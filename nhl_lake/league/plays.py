"""Simulate play between whistles: attempts, hits, giveaways and takeaways by strength, score and fatigue."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league import rink
from nhl_lake.league.game_draft import (
    GameDraft,
    add_event,
    create_event,
    find_on_ice,
    find_segment,
    format_situation_code,
)
from nhl_lake.league.ice_timeline import OnIceSkater
from nhl_lake.league.model import AWAY, HOME, Event, StrengthSegment
from nhl_lake.league.whistles import Whistle

ATTEMPT_KINDS: Final = ("shot-on-goal", "missed-shot", "blocked-shot")
FRESH_SHIFT_SECONDS, MAX_FATIGUE_FACTOR = (
    25,
    1.25,
)  # the shift length in seconds with no effect of fatigue; the largest effect


class EventRates(NamedTuple):
    """The events that may happen in a state: kinds and sides, with their rates per second."""

    kinds: tuple[tuple[str, int], ...]
    weights: tuple[float, ...]
    total: float


class PlayInterval(NamedTuple):
    """The play between two whistles."""

    period: int
    start: int
    end: int


def simulate_play(draft: GameDraft, first: Whistle, last: Whistle) -> None:
    """Simulate the play between two whistles, including the shot that the goalie freezes."""
    now, held = first.second, _find_frozen_shot(draft, first, last)
    limit = held - 1 if held is not None else last.second - (last.reason in ("period-end", "goal"))
    while True:
        state = find_segment(draft, first.period, now, before=False)
        menu = _get_event_rates(
            state, _find_delayed_side(draft, first.period, now), max(-3, min(3, draft.score[HOME] - draft.score[AWAY]))
        )
        when = now + max(1, round(draft.rng.expovariate(menu.total)))
        if when >= state.end and state.end < last.second:
            now = state.end
            continue
        now = when
        if now > limit:
            break
        kind, side = draft.rng.choices(menu.kinds, menu.weights)[0]
        now = _play_event(draft, PlayInterval(first.period, now, limit), kind, side, before=now == last.second)
    if held is not None and last.side is not None:
        _add_shot_attempt(
            draft,
            PlayInterval(first.period, held, held),
            "shot-on-goal",
            last.side,
            before=held == last.second,
            close=False,
        )


def _find_frozen_shot(draft: GameDraft, first: Whistle, last: Whistle) -> int | None:
    """Return the second of the shot that the goalie freezes."""
    if last.reason != "goalie-stopped-after-sog":
        return None
    second = max(first.second + 1, last.second - draft.rng.choices((0, 1, 2, 3), (2, 21, 56, 21))[0])
    # the goalie must have been in the net by then
    same = find_segment(draft, last.period, second, before=False) == find_segment(
        draft, last.period, last.second, before=True
    )
    return second if same else last.second


def _find_delayed_side(draft: GameDraft, period: int, now: int) -> int | None:
    """Return the side with a delayed penalty against it."""
    for row in (*draft.outcome.penalties, *draft.outcome.cancelled_penalties):
        if row.period == period and row.delayed_from is not None and row.delayed_from <= now < row.second:
            return row.side
    return None


@lru_cache(maxsize=4096)
def _compute_rates(skaters: tuple[int, int], nets: tuple[bool, bool], armed: int | None, lead: int) -> EventRates:
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
        tilt *= rates.SHOT_SCALE * MAX_FATIGUE_FACTOR * (rates.HOME_SHOTS if side == HOME else 1 / rates.HOME_SHOTS)
        for kind, (table, uneven, home) in rates.NON_SHOT_RATES.items():
            kinds.append((kind, side))
            weights.append(table.get((own, theirs), uneven) * (home if side == HOME else 1 - home) / 3600)
        for kind, rate in zip(ATTEMPT_KINDS, shots, strict=True):
            free = rates.SAVES_WITHOUT_FREEZE if kind == "shot-on-goal" else 1.0
            kinds.append((kind, side))
            weights.append(rate * tilt * free / 3600)
    return EventRates(tuple(kinds), tuple(weights), sum(weights))


def _get_event_rates(state: StrengthSegment, armed: int | None, lead: int) -> EventRates:
    nets = (state.goalies[0] is not None, state.goalies[1] is not None)
    return _compute_rates(state.skaters, nets, armed, lead)


def _play_event(draft: GameDraft, stretch: PlayInterval, kind: str, side: int, *, before: bool) -> int:
    """Simulate one event; return the second at which it is over."""
    if kind not in ATTEMPT_KINDS:
        _add_non_shot_event(draft, stretch, kind, side, before=before)
        return stretch.start
    others, _ = find_on_ice(draft, 1 - side, stretch.period, stretch.start, before=before)
    age = stretch.start - sum(s.since for s in others) / len(others)
    legs = min(MAX_FATIGUE_FACTOR, max(0.8, 1 + rates.FATIGUE * (age - FRESH_SHIFT_SECONDS)))
    if draft.rng.random() * MAX_FATIGUE_FACTOR > legs or _is_too_far(draft, stretch, side):
        return stretch.start
    _add_shot_attempt(draft, stretch, kind, side, before=before, close=False)
    again = stretch.start + draft.rng.randint(1, 3)
    if kind != "blocked-shot" and draft.rng.random() < rates.REBOUND_SHARE and again < stretch.end:
        state = find_segment(draft, stretch.period, again, before=False)
        if state.goalies[1 - side] is not None and _find_delayed_side(draft, stretch.period, again) != side:
            kind = draft.rng.choices(ATTEMPT_KINDS, (0.62, 0.28, 0.1))[0]
            _add_shot_attempt(draft, stretch._replace(start=again), kind, side, before=False, close=True)
            return again
    return stretch.start


def _is_too_far(draft: GameDraft, stretch: PlayInterval, side: int) -> bool:
    """Whether the puck was too far away just before; a rush is the exception."""
    last = draft.rows[-1].event
    if last.x is None or last.kind == "faceoff" or last.period != stretch.period or stretch.start - last.second > 4:
        return False
    toward = last.x if (side == HOME) == (last.home_defending_side == "left") else -last.x
    return toward <= rink.BLUE_LINE and draft.rng.random() > rates.RUSH_CHANCE


def _keep_same_end(draft: GameDraft, event: Event, place: rink.RinkPoint) -> rink.RinkPoint:
    """Keep play in one half: soon after an event, the next one is in the same half of the ice."""
    last = draft.rows[-1].event
    if last.x is None or last.period != event.period or event.second - last.second > 4:
        return place
    toward = last.x if (event.side == HOME) == (last.home_defending_side == "left") else -last.x
    return rink.RinkPoint(abs(place.x) if toward > 0 else -abs(place.x), place.y)


def pick_player(draft: GameDraft, side: int, skaters: tuple[OnIceSkater, ...], skill: str, weight: str) -> int:
    """Draw one of the skaters, by skill and position."""
    players = draft.teams[side].players
    by_d = rates.D_WEIGHTS[weight]
    chosen = [players[s.player] for s in skaters]
    weights = [getattr(p.skills, skill) * (by_d if p.position == "D" else 1.0) for p in chosen]
    return draft.rng.choices(skaters, weights)[0].player


def _add_non_shot_event(draft: GameDraft, stretch: PlayInterval, kind: str, side: int, *, before: bool) -> None:
    """Add a hit, a giveaway or a takeaway."""
    rng, period, second = draft.rng, stretch.period, stretch.start
    ours, goalie = find_on_ice(draft, side, period, second, before=before)
    event = create_event(
        draft, period, second, kind, format_situation_code(find_segment(draft, period, second, before=before))
    )._replace(side=side)
    if kind == "hit":
        theirs, _ = find_on_ice(draft, 1 - side, period, second, before=before)
        event = event._replace(
            player=pick_player(draft, side, ours, "hit", "hit"), other_player=rng.choice(theirs).player
        )
        place = rink.draw_point(rng, rates.HIT_X, rates.HIT_Y, rates.OWN_ZONE[kind])
    elif kind == "giveaway":
        by_goalie = goalie is not None and rng.random() < rates.GIVEAWAY_BY_G
        event = event._replace(player=goalie if by_goalie else pick_player(draft, side, ours, "make", kind))
        place = rink.draw_point(rng, rates.GIVEAWAY_X, rates.GIVEAWAY_Y, rates.OWN_ZONE[kind])
        if by_goalie:
            place = rink.RinkPoint(-abs(place.x) // 4 - 74, place.y // 2)
            add_event(draft, event, place, before=before)
            return
    else:
        event = event._replace(player=pick_player(draft, side, ours, "make", kind))
        place = rink.draw_point(rng, rates.TAKEAWAY_X, rates.TAKEAWAY_Y, rates.OWN_ZONE[kind])
    add_event(draft, event, _keep_same_end(draft, event, place), before=before)


def _add_shot_attempt(
    draft: GameDraft, stretch: PlayInterval, kind: str, side: int, *, before: bool, close: bool
) -> None:
    """Add a shot attempt that is not a goal."""
    rng, period, second = draft.rng, stretch.period, stretch.start
    ours, _ = find_on_ice(draft, side, period, second, before=before)
    theirs, goalie = find_on_ice(draft, 1 - side, period, second, before=before)
    shooter = pick_player(draft, side, ours, "shoot", "close" if close else kind)
    event = create_event(
        draft, period, second, kind, format_situation_code(find_segment(draft, period, second, before=before))
    )
    event = event._replace(side=side, player=shooter)
    if kind == "blocked-shot":
        _add_blocked_shot(draft, event, (ours, theirs), before=before)
        return
    role = "D" if draft.teams[side].players[shooter].position == "D" else "F"
    event = event._replace(shot_type=draw_shot_type(draft, role, goal=False, close=close), goalie=goalie)
    if kind == "missed-shot":
        event = event._replace(
            reason=rng.choices([m for m, _ in rates.MISS_REASONS], [n for _, n in rates.MISS_REASONS])[0]
        )
    else:
        draft.sog[side] += 1
        event = event._replace(sog=(draft.sog[HOME], draft.sog[AWAY]))
    place = rink.draw_shot_point(rng, role, event.shot_type or "wrist", goal=False, empty=goalie is None, close=close)
    add_event(draft, event, place, before=before)


def draw_shot_type(draft: GameDraft, role: str, *, goal: bool, close: bool = False) -> str:
    """Draw the type of a shot by position: wrist, snap, slap …"""
    table = (rates.GOAL_TYPES if goal else rates.SHOT_TYPES)["F" if close else role]
    chosen = draft.rng.choices([t for t, _ in table], [n for _, n in table])[0]
    return "wrist" if close and chosen == "slap" else chosen


def _add_blocked_shot(
    draft: GameDraft, event: Event, skaters: tuple[tuple[OnIceSkater, ...], tuple[OnIceSkater, ...]], *, before: bool
) -> None:
    """Add a blocked shot: its row belongs to the shooter's team, its zone is from the blocker's view."""
    rng, (ours, theirs) = draft.rng, skaters
    side = event.side or 0
    place = rink.draw_block_point(rng)
    mates = tuple(s for s in ours if s.player != event.player)
    if mates and rng.random() < rates.TEAMMATE_BLOCK_SHARE:
        zone = rng.choice("DO") if place.find_zone() == "O" else place.find_zone()
        event = event._replace(other_player=rng.choice(mates).player, reason="teammate-blocked", zone=zone)
    else:
        blocker = pick_player(draft, 1 - side, theirs, "block", "block")
        event = event._replace(other_player=blocker, reason="blocked", zone=place.flip().find_zone())
    add_event(draft, event, place, before=before)
