"""The story of a game: goals, penalties, pulled goalies, overtime and shoot-out, told event by event.

A race in continuous time: in every state of the game each kind of event has a rate, and the next thing to happen is
whichever comes first, an event or a boundary (a penalty runs out, a goalie leaves, a period ends). Events never fall
on a boundary's second, so that the state "before" an event is never in doubt.
"""

from __future__ import annotations

from random import Random

from . import incidents, shootout
from . import parameters as rates
from .bench import bench
from .box import FULL, OVERTIME, Call
from .game_state import (
    PERIOD,
    SHORT_PERIOD,
    Arm,
    Tale,
    goal_rates,
    keep_spell,
    no_goalie,
    penalty_rate,
    quantile,
    scorers,
    situation,
)
from .model import Attempt, Goal, Lineup, Penalty, Story, Text


def story(
    rng: Random,
    lineups: tuple[Lineup, Lineup],
    factors: tuple[float, float],
    *,
    playoffs: bool,
    officials: tuple[Text, ...],
) -> Story:
    """Tell the game of these two line-ups; `factors` are the teams' goals relative to the average."""
    teams = (bench(lineups[0]), bench(lineups[1]))
    tale = Tale(rng, teams, playoffs, factors, goalie=[teams[0].goalies[0], teams[1].goalies[0]])
    keep_spell(tale)
    while True:
        _play_period(tale)
        if tale.won is not None or (tale.period >= 3 and tale.score[0] != tale.score[1]):
            break
        if tale.period == 4 and not playoffs:
            break
        _next_period(tale)
    return _told(tale, lineups, officials)


def _told(tale: Tale, lineups: tuple[Lineup, Lineup], officials: tuple[Text, ...]) -> Story:
    attempts: tuple[Attempt, ...] = ()
    score, last, kind = list(tale.score), tale.period, "REG" if tale.period == 3 else "OT"
    if score[0] == score[1]:
        out = (frozenset(tale.box.out(0)), frozenset(tale.box.out(1)))
        attempts = shootout.attempts(tale.rng, tale.teams, (tale.goalie[0], tale.goalie[1]), out)
        score[next(a.side for a in attempts if a.winner)] += 1
        last, kind = 5, "SO"
    winner = 0 if score[0] > score[1] else 1
    decisive = [i for i, goal in enumerate(tale.goals) if goal.side == winner]
    index = None if kind == "SO" else decisive[min(score[1 - winner], len(decisive) - 1)]
    of_record = tale.record[index] if index is not None else (tale.goalie[0], tale.goalie[1])
    return Story(
        game_id=0,
        lineups=lineups,
        goals=tuple(tale.goals),
        penalties=tuple(tale.penalties),
        washed=tuple(tale.washed),
        shootout=attempts,
        spells=tuple(tale.spells),
        whistles=tuple(tale.whistles),
        score=(score[0], score[1]),
        last_period=last,
        last_type=kind,
        last_second=tale.now - tale.start,
        winning_goalie=of_record[winner],
        losing_goalie=of_record[1 - winner],
        winning_goal=None if index is None else tale.goals[index].scorer,
        referees=officials[:2],
        linesmen=officials[2:4],
    )


def _next_period(tale: Tale) -> None:
    """Teams change ends; penalties run on."""
    tale.period += 1
    tale.start = tale.now = tale.faceoff = tale.end
    tale.end = tale.start + (PERIOD if tale.playoffs or tale.period <= 3 else SHORT_PERIOD)
    tale.pulled, tale.leaving, tale.arm, tale.lifted, tale.back = [False, False], [None, None], None, False, None
    tale.box.base = OVERTIME if tale.period == 4 and not tale.playoffs else FULL
    tale.box.whistle(tale.now)
    if tale.period == 3:
        _plan_pulls(tale)
    keep_spell(tale)


def _play_period(tale: Tale) -> None:
    while tale.now < tale.end and tale.won is None:
        goal, penalty = goal_rates(tale), penalty_rate(tale)
        total = goal[0] + goal[1] + penalty
        wait = tale.rng.expovariate(total) if total else float("inf")
        when = max(int(tale.now + wait) + 1, tale.faceoff + 4)
        boundary = _next_boundary(tale)
        if when >= boundary:
            _cross(tale, boundary)
            continue
        tale.now = when
        drawn = tale.rng.random() * total
        if drawn < goal[0] + goal[1]:
            _goal(tale, 0 if drawn < goal[0] else 1)
        else:
            _penalty(tale)


def _next_boundary(tale: Tale) -> int:
    times = [tale.end, tale.box.next_end(), tale.back, *tale.leaving]
    if tale.arm is not None:
        times.append(tale.arm.whistle)
        if not tale.lifted and tale.arm.whistle - tale.now > rates.EXTRA_ATTACKER_AFTER:
            times.append(tale.now + rates.EXTRA_ATTACKER_AFTER)
    if tale.back is None:
        times.append(tale.box.next_return(tale.now))
    return min(t for t in times if t is not None)


def _cross(tale: Tale, boundary: int) -> None:
    """Everything that falls on this second happens: releases first, then the whistles."""
    raised = tale.now
    tale.now = boundary
    tale.box.expire(boundary)
    for side in (0, 1):
        if tale.leaving[side] == boundary:
            _leave(tale, side)
    if boundary == tale.end:
        return
    if tale.arm is not None and tale.arm.whistle == boundary:
        rows, state = tale.arm.rows, situation(tale)
        tale.arm, tale.lifted = None, False
        _call(tale, rows, state)
    elif tale.arm is not None and not tale.lifted and boundary == raised + rates.EXTRA_ATTACKER_AFTER:
        tale.lifted = True
    if tale.back == boundary:
        _blow(tale)
    if tale.back is None and tale.arm is None and tale.box.waiting(boundary):
        wait = 12 + int(tale.rng.expovariate(1 / 40))
        tale.back = boundary + wait if boundary + wait < tale.end - 3 else None
        tale.whistles.append((tale.period, boundary - tale.start, None))
    keep_spell(tale)


def _leave(tale: Tale, side: int) -> None:
    """The goalie makes for the bench; while his team is short he waits for the penalty to end."""
    short = tale.box.skaters[side] < tale.box.skaters[1 - side]
    later = tale.box.next_end() or tale.end
    tale.pulled[side] = not short
    tale.leaving[side] = later if short and later < tale.end - 5 else None


def _blow(tale: Tale) -> None:
    """A whistle at which players come back from the box; the reason is left to the details."""
    tale.back = None
    tale.faceoff = tale.now
    tale.box.whistle(tale.now)
    tale.whistles[-1] = (*tale.whistles[-1][:2], tale.now - tale.start)


def _goal(tale: Tale, side: int) -> None:
    scorer, assists = scorers(tale, side)
    against = None if no_goalie(tale, 1 - side) else tale.goalie[1 - side]
    state = situation(tale)
    _write(tale, Goal(tale.period, tale.now - tale.start, side, scorer, assists, against, state, penalty_shot=False))
    if tale.arm is not None:
        arm, tale.arm, tale.lifted = tale.arm, None, False
        # rule 15.4: the minor is wiped out, unless its team is short already: then that one ends and this one is served
        if len(tale.box.served(arm.side)) > len(tale.box.served(side)):
            tale.box.goal_against(1 - side, tale.now)
            _call(tale, arm.rows, state)
            _after_goal(tale, side)
            return
        tale.washed.extend(row._replace(second=tale.now - tale.start) for row in arm.rows)
    tale.box.goal_against(1 - side, tale.now)
    _after_goal(tale, side)


def _write(tale: Tale, goal: Goal) -> None:
    tale.record.append((tale.goalie[0], tale.goalie[1]))
    tale.goals.append(goal)


def _after_goal(tale: Tale, side: int) -> None:
    tale.score[side] += 1
    tale.back, tale.faceoff = None, tale.now
    if tale.period > 3:
        tale.won = side
        tale.spells[-1] = tale.spells[-1]._replace(end=tale.now - tale.start)
        return
    loser = 1 - side
    if not no_goalie(tale, loser):
        tale.beaten[loser] += 1
        alone = tale.goalie[loser] == tale.teams[loser].goalies[0]
        if alone and tale.rng.random() < rates.RELIEF.get(tale.beaten[loser], 0.0):
            tale.goalie[loser] = tale.teams[loser].goalies[1]
    if tale.period == 3:
        _plan_pulls(tale)
    keep_spell(tale)


def _plan_pulls(tale: Tale) -> None:
    """When each goalie would leave at the present score; a goalie who is off stays off while there is hope."""
    for side in (0, 1):
        behind = tale.score[1 - side] - tale.score[side]
        stays_off = tale.pulled[side] and 0 < behind < 4 and tale.rng.random() < 0.8
        tale.pulled[side], tale.leaving[side] = stays_off, None
        share, deciles = rates.PULL_SECONDS_LEFT.get(behind, (0.0, (0,)))
        if not stays_off and tale.rng.random() < share:
            left = quantile(tale.rng, deciles)
            at = max(tale.end - round(left), tale.now + 15)
            tale.leaving[side] = at if at < tale.end - 5 else None


def _penalty(tale: Tale) -> None:
    """An incident: called at once, or with the arm up until the penalised team has the puck."""
    short = (len(tale.box.served(0)), len(tale.box.served(1)))
    rows = incidents.incident(
        tale.rng, tale.teams, (tale.box.out(0), tale.box.out(1)), (tale.goalie[0], tale.goalie[1]), short
    )
    at = tale.now - tale.start
    # a goal would wipe out a single minor whole; of a double one only half, which no page could tell
    single = len(rows) == 1 and (rows[0].type_code, rows[0].minutes) == ("MIN", 2)
    side = rows[0].side
    # a team that is short hardly ever has the puck long enough
    puck = tale.box.skaters[1 - side] >= tale.box.skaters[side]
    if single and puck and not any(tale.pulled) and tale.back is None and tale.rng.random() < rates.ARM_UP:
        whistle = tale.now + max(1, round(quantile(tale.rng, rates.ARM_UP_SECONDS)))
        if whistle < tale.end - 1 and whistle not in (tale.box.next_end(), *tale.leaving):
            tale.arm = Arm(side, whistle, [row._replace(period=tale.period, delayed=at) for row in rows])
            return
    _call(tale, rows)


def _call(tale: Tale, rows: list[Penalty], before: str | None = None) -> None:
    """The whistle: write the rows, put the penalties on the board, and take the penalty shot if there is one."""
    state = before or situation(tale)
    at = tale.now - tale.start
    for row in rows:
        tale.penalties.append(row._replace(period=tale.period, second=at, situation=state))
    calls = [Call(r.side, r.type_code, r.minutes, r.player, r.served_by) for r in rows if r.type_code != "PS"]
    tale.faceoff, tale.back = tale.now, None
    tale.box.assess(calls, tale.now)
    for side in (0, 1):
        if tale.pulled[side]:
            _leave(tale, side)
    shot = next((r for r in rows if r.type_code == "PS"), None)
    if shot is not None and shot.drawn_by is not None and tale.rng.random() < rates.PENALTY_SHOT_GOAL:
        side = 1 - shot.side
        code = "1010" if side == 0 else "0101"
        _write(tale, Goal(tale.period, at, side, shot.drawn_by, (), tale.goalie[shot.side], code, penalty_shot=True))
        _after_goal(tale, side)
        return
    keep_spell(tale)
