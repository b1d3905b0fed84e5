"""A game in full: the story with shifts, faceoffs and play around it, written as the feed would."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from . import parameters as rates
from . import plays, rink
from .bench import bench
from .draft import Draft, Row, blank, code, out_there, put, spell
from .ice import Ice, tracks
from .model import AWAY, HOME, Event, Game, Goal, Penalty, ScheduledGame, Shift, Story
from .rotation import Stay, stays
from .whistles import Whistle, lengths, whistles

STOPS_ALONE: Final = ("goal", "penalty", "period-start", "period-end")
UNBLOCKED: Final = ("shot-on-goal", "missed-shot", "goal")
PENALTY_SHOT: Final = (("shot-on-goal", 0.62), ("missed-shot", 0.33), ("failed-shot-attempt", 0.05))


class Played(NamedTuple):
    """A game, and what only the engine knows of it."""

    game: Game
    ice: Ice
    rows: tuple[Row, ...]  # as the game's events, with the side of the boundary that each stands on


def play(rng: Random, scheduled: ScheduledGame, story: Story) -> Played:
    """Play out the details of a story."""
    playoffs = scheduled.game_type == 3
    teams = (bench(story.lineups[0]), bench(story.lineups[1]))
    rows = whistles(rng, story, lengths(story, playoffs=playoffs))
    out = (stays(rng, HOME, teams[0], story, rows), stays(rng, AWAY, teams[1], story, rows))
    ice = (tracks(out[0], teams[0].goalies), tracks(out[1], teams[1].goalies))
    draft = Draft(rng, story, teams, ice, rows, left_first=rng.random() < 0.5, playoffs=playoffs)
    for here, after in zip(rows, [*rows[1:], None], strict=True):
        _at(draft, here)
        if after is not None and after.period == here.period:
            _arms(draft, here, after)
            plays.play(draft, here, after)
    _shootout(draft)
    written = _numbered(rng, draft.rows, story)
    shifts = tuple(shift for side in (0, 1) for shift in _shifts(out[side], story.lineups[side].team_id))
    return Played(Game(scheduled, story, tuple(row.event for row in written), shifts), ice, written)


def _at(draft: Draft, here: Whistle) -> None:
    """All rows of a whistle's second: goal, stoppage, penalties, penalty shot, faceoff."""
    period, second = here.period, here.second
    before, after = (code(spell(draft, period, second, before=b)) for b in (True, False))
    if here.reason == "period-start":
        put(draft, blank(draft, period, 0, "period-start", after), before=False)
    goals = [goal for goal in draft.story.goals if (goal.period, goal.second) == (period, second)]
    for goal in [goal for goal in goals if not goal.penalty_shot]:
        _goal(draft, goal, order=1)
    if here.reason not in STOPS_ALONE:
        put(
            draft,
            blank(draft, period, second, "stoppage", before)._replace(reason=here.reason, secondary=here.secondary),
        )
    for row in [row for row in draft.story.penalties if (row.period, row.second) == (period, second)]:
        _penalty(draft, row)
    if here.reason == "penalty" and here.secondary:
        put(draft, blank(draft, period, second, "stoppage", before)._replace(reason=here.secondary), order=6)
    last = here is draft.whistles[-1]
    if here.reason == "period-end":
        for kind in ("period-end", "game-end") if last and draft.story.last_type != "SO" else ("period-end",):
            put(draft, blank(draft, period, second, kind, before))
    elif draft.story.last_type != "OT" or (period, second) != (draft.story.last_period, draft.story.last_second):
        _faceoff(draft, here, after)


def _faceoff(draft: Draft, here: Whistle, situation: str) -> None:
    """The centre who wins it owns the row."""
    rng = draft.rng
    takers = []
    for side in (HOME, AWAY):
        skaters, _ = out_there(draft, side, here.period, here.second, before=False)
        team = draft.teams[side]
        takers.append(
            max((s.player for s in skaters), key=lambda p: (p in team.centres, team.players[p].skills.faceoff))
        )
    skill = [draft.teams[side].players[takers[side]].skills.faceoff for side in (HOME, AWAY)]
    winner = HOME if rng.random() < 0.507 + skill[0] - skill[1] else AWAY
    place = rink.dot(rng, here)
    event = blank(draft, here.period, here.second, "faceoff", situation)
    event = event._replace(side=winner, player=takers[winner], other=takers[1 - winner])
    put(draft, event, place if winner == HOME else place.turned(), before=False)


def _goal(draft: Draft, goal: Goal, order: int) -> None:
    draft.score[goal.side] += 1
    draft.sog[goal.side] += 1
    role = "D" if draft.teams[goal.side].players[goal.scorer].position == "D" else "F"
    kind = "wrist" if goal.goalie is None else plays.shot_type(draft, role, goal=True)
    place = (
        _breakaway(draft.rng)
        if goal.penalty_shot
        else rink.shot(draft.rng, role, kind, goal=True, empty=goal.goalie is None)
    )
    event = blank(draft, goal.period, goal.second, "goal", goal.situation)._replace(
        side=goal.side, player=goal.scorer, assists=goal.assists, goalie=goal.goalie, shot_type=kind,
        score=(draft.score[HOME], draft.score[AWAY]), penalty_shot=goal.penalty_shot,
    )  # fmt: skip
    put(draft, event, place, order=order)


def _breakaway(rng: Random) -> rink.Place:
    return rink.Place(rng.randint(68, 83), rng.randint(-8, 8))


def _penalty(draft: Draft, row: Penalty) -> None:
    event = blank(draft, row.period, row.second, "penalty", row.situation)._replace(
        side=row.side,
        player=row.player,
        other=row.drawn_by,
        served_by=row.served_by,
        penalty_type=row.type_code,
        desc=row.desc,
        minutes=row.minutes,
    )
    put(draft, event, rink.anywhere(draft.rng, rates.PENALTY_X, rates.PENALTY_Y, rates.OWN_ZONE["penalty"]))
    if row.type_code == "PS" and row.drawn_by is not None:
        scored = [g for g in draft.story.goals if g.penalty_shot and (g.period, g.second) == (row.period, row.second)]
        if scored:
            _goal(draft, scored[0], order=5)
            return
        # a goalie who was off may come back for it
        goalie = next(
            g for s in reversed(draft.story.spells) if (g := s.goalies[row.side]) is not None and s.period <= row.period
        )
        outcome = draft.rng.choices([o for o, _ in PENALTY_SHOT], [n for _, n in PENALTY_SHOT])[0]
        _alone(draft, (row.period, row.second), 1 - row.side, (row.drawn_by, goalie), outcome)


def _alone(draft: Draft, at: tuple[int, int], side: int, players: tuple[int, int | None], outcome: str) -> None:
    """A penalty shot, or an attempt of a shoot-out: one shooter, one goalie."""
    shooter, goalie = players
    situation = "1010" if side == HOME else "0101"
    event = blank(draft, *at, outcome, situation)._replace(side=side, player=shooter, goalie=goalie, penalty_shot=True)
    if outcome != "failed-shot-attempt":
        event = event._replace(shot_type=draft.rng.choices(("wrist", "snap", "backhand"), (6, 2, 2))[0])
    if outcome == "missed-shot":
        event = event._replace(reason=draft.rng.choices([m for m, _ in rates.MISSES], [n for _, n in rates.MISSES])[0])
    if outcome == "shot-on-goal":
        draft.sog[side] += 1
        event = event._replace(sog=(draft.sog[HOME], draft.sog[AWAY]))
    if outcome == "goal":
        event = event._replace(score=(draft.score[HOME], draft.score[AWAY]))  # a shoot-out goal does not move the score
    put(draft, event, _breakaway(draft.rng), order=5)


def _arms(draft: Draft, here: Whistle, after: Whistle) -> None:
    """Delayed penalties: the row says whose player is going to sit."""
    for row in dict.fromkeys((r.period, r.delayed, r.side) for r in (*draft.story.penalties, *draft.story.washed)):
        period, delayed, side = row
        if period == here.period and delayed is not None and here.second <= delayed < after.second:
            situation = code(spell(draft, period, delayed, before=True))
            put(draft, blank(draft, period, delayed, "delayed-penalty", situation)._replace(side=side), order=0.5)


def _shootout(draft: Draft) -> None:
    if not draft.story.shootout:
        return
    first = draft.story.shootout[0]
    put(draft, blank(draft, 5, 0, "period-start", "1010" if first.side == HOME else "0101"), before=False)
    for attempt in draft.story.shootout:
        _alone(draft, (5, 0), attempt.side, (attempt.shooter, attempt.goalie), attempt.outcome)
    for kind in ("shootout-complete", "period-end", "game-end"):
        put(draft, blank(draft, 5, 0, kind, draft.rows[-1].event.situation))


def _numbered(rng: Random, rows: list[Row], story: Story) -> tuple[Row, ...]:
    """Order the rows and give them ids: sort orders grow with gaps, event ids are unique and jump about."""
    ordered = sorted(rows, key=lambda row: (row.event.period, row.event.second, row.order))
    numbers = rng.sample(range(6, 6 + 4 * len(ordered)), len(ordered))
    sort_order, previous = 7, None
    written: list[Row] = []
    for row, number in zip(ordered, numbers, strict=True):
        sort_order += rng.choices((1, 2, 3, 5, 9), (60, 18, 12, 6, 4))[0]
        event = row.event._replace(event_id=number, sort_order=sort_order)
        if event.kind in UNBLOCKED and previous is not None and not event.penalty_shot:
            event = event._replace(rebound=_is_rebound(previous, event), rush=_is_rush(previous, event))
        if event.kind != "delayed-penalty":
            previous = event
        written.append(row._replace(event=event))
    return tuple(written)


def _is_rebound(previous: Event, event: Event) -> bool:
    """The row before is an unblocked attempt of the same team, three seconds ago at most."""
    near = previous.period == event.period and event.second - previous.second <= 3
    return (
        near
        and previous.kind in ("shot-on-goal", "missed-shot")
        and previous.side == event.side
        and not previous.penalty_shot
    )


def _is_rush(previous: Event, event: Event) -> bool:
    """The row before is play outside the shooter's offensive zone, four seconds ago at most."""
    if previous.period != event.period or event.second - previous.second > 4 or previous.x is None:
        return False
    attacks_right = (event.side == HOME) == (event.home_defends == "left")
    return previous.kind not in ("faceoff", "penalty") and (previous.x if attacks_right else -previous.x) < 25


def _shifts(rows: list[Stay], team_id: int) -> list[Shift]:
    """Number a team's stays per player, in the order of time."""
    count: dict[int, int] = {}
    shifts = []
    for row in sorted(rows, key=lambda stay: (stay.player, stay.period, stay.start)):
        count[row.player] = count.get(row.player, 0) + 1
        shifts.append(Shift(row.player, team_id, count[row.player], row.period, row.start, row.end))
    return shifts
