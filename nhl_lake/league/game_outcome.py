"""The story of a game: goals, penalties, pulled goalies, overtime and shootout, told event by event.

A race in continuous time: in every state of the game each kind of event has a rate, and the next thing to happen is
whichever comes first, an event or a boundary (a penalty runs out, a goalie leaves, a period ends). Events never fall
on a boundary's second, so that the state "before" an event is never in doubt.
"""

from __future__ import annotations

from random import Random

from nhl_lake.league import incidents, shootout
from nhl_lake.league import parameters as rates
from nhl_lake.league.bench import build_bench
from nhl_lake.league.game_state import (
    OVERTIME_SECONDS,
    PERIOD_SECONDS,
    DelayedPenalty,
    GameState,
    compute_goal_rates,
    compute_penalty_rate,
    draw_from_deciles,
    draw_scorers,
    get_situation_code,
    has_empty_net,
    update_segments,
)
from nhl_lake.league.model import GameOutcome, Goal, Lineup, LocalizedText, Penalty, ShootoutAttempt
from nhl_lake.league.penalty_box import FULL_STRENGTH, OVERTIME_SKATERS, PenaltyCall


def simulate_outcome(
    rng: Random,
    lineups: tuple[Lineup, Lineup],
    factors: tuple[float, float],
    *,
    playoffs: bool,
    officials: tuple[LocalizedText, ...],
) -> GameOutcome:
    """Tell the game of these two line-ups; `factors` are the teams' goals relative to the average."""
    teams = (build_bench(lineups[0]), build_bench(lineups[1]))
    tale = GameState(rng, teams, playoffs, factors, goalie=[teams[0].goalies[0], teams[1].goalies[0]])
    update_segments(tale)
    while True:
        _play_period(tale)
        if tale.overtime_winner is not None or (tale.period >= 3 and tale.score[0] != tale.score[1]):
            break
        if tale.period == 4 and not playoffs:
            break
        _start_next_period(tale)
    return _build_outcome(tale, lineups, officials)


def _build_outcome(
    tale: GameState, lineups: tuple[Lineup, Lineup], officials: tuple[LocalizedText, ...]
) -> GameOutcome:
    attempts: tuple[ShootoutAttempt, ...] = ()
    score, last, kind = list(tale.score), tale.period, "REG" if tale.period == 3 else "OT"
    if score[0] == score[1]:
        out = (frozenset(tale.box.find_unavailable(0)), frozenset(tale.box.find_unavailable(1)))
        attempts = shootout.simulate_shootout(tale.rng, tale.teams, (tale.goalie[0], tale.goalie[1]), out)
        score[next(a.side for a in attempts if a.winner)] += 1
        last, kind = 5, "SO"
    winner = 0 if score[0] > score[1] else 1
    decisive = [i for i, goal in enumerate(tale.goals) if goal.side == winner]
    index = None if kind == "SO" else decisive[min(score[1 - winner], len(decisive) - 1)]
    of_record = tale.goalies_at_goals[index] if index is not None else (tale.goalie[0], tale.goalie[1])
    return GameOutcome(
        game_id=0,
        lineups=lineups,
        goals=tuple(tale.goals),
        penalties=tuple(tale.penalties),
        cancelled_penalties=tuple(tale.cancelled_penalties),
        shootout=attempts,
        segments=tuple(tale.segments),
        whistles=tuple(tale.whistles),
        score=(score[0], score[1]),
        last_period=last,
        last_period_type=kind,
        last_second=tale.now - tale.start,
        winning_goalie=of_record[winner],
        losing_goalie=of_record[1 - winner],
        winning_goal=None if index is None else tale.goals[index].scorer,
        referees=officials[:2],
        linesmen=officials[2:4],
    )


def _start_next_period(tale: GameState) -> None:
    """Teams change ends; penalties run on."""
    tale.period += 1
    tale.start = tale.now = tale.faceoff = tale.end
    tale.end = tale.start + (PERIOD_SECONDS if tale.playoffs or tale.period <= 3 else OVERTIME_SECONDS)
    tale.goalie_pulled, tale.pull_at, tale.delayed_penalty, tale.off_for_delay, tale.return_whistle = (
        [False, False],
        [None, None],
        None,
        False,
        None,
    )
    tale.box.base_skaters = OVERTIME_SKATERS if tale.period == 4 and not tale.playoffs else FULL_STRENGTH
    tale.box.stop_play(tale.now)
    if tale.period == 3:
        _plan_goalie_pulls(tale)
    update_segments(tale)


def _play_period(tale: GameState) -> None:
    while tale.now < tale.end and tale.overtime_winner is None:
        goal, penalty = compute_goal_rates(tale), compute_penalty_rate(tale)
        total = goal[0] + goal[1] + penalty
        wait = tale.rng.expovariate(total) if total else float("inf")
        when = max(int(tale.now + wait) + 1, tale.faceoff + 4)
        boundary = _find_next_boundary(tale)
        if when >= boundary:
            _cross_boundary(tale, boundary)
            continue
        tale.now = when
        drawn = tale.rng.random() * total
        if drawn < goal[0] + goal[1]:
            _score_goal(tale, 0 if drawn < goal[0] else 1)
        else:
            _start_penalty(tale)


def _find_next_boundary(tale: GameState) -> int:
    times = [tale.end, tale.box.find_next_expiry(), tale.return_whistle, *tale.pull_at]
    if tale.delayed_penalty is not None:
        times.append(tale.delayed_penalty.whistle)
        if not tale.off_for_delay and tale.delayed_penalty.whistle - tale.now > rates.EXTRA_ATTACKER_AFTER:
            times.append(tale.now + rates.EXTRA_ATTACKER_AFTER)
    if tale.return_whistle is None:
        times.append(tale.box.find_next_return(tale.now))
    return min(t for t in times if t is not None)


def _cross_boundary(tale: GameState, boundary: int) -> None:
    """Everything that falls on this second happens: releases first, then the whistles."""
    raised = tale.now
    tale.now = boundary
    tale.box.expire_penalties(boundary)
    for side in (0, 1):
        if tale.pull_at[side] == boundary:
            _pull_goalie(tale, side)
    if boundary == tale.end:
        return
    if tale.delayed_penalty is not None and tale.delayed_penalty.whistle == boundary:
        rows, state = tale.delayed_penalty.penalties, get_situation_code(tale)
        tale.delayed_penalty, tale.off_for_delay = None, False
        _call_penalties(tale, rows, state)
    elif (
        tale.delayed_penalty is not None and not tale.off_for_delay and boundary == raised + rates.EXTRA_ATTACKER_AFTER
    ):
        tale.off_for_delay = True
    if tale.return_whistle == boundary:
        _blow_whistle(tale)
    if tale.return_whistle is None and tale.delayed_penalty is None and tale.box.needs_whistle(boundary):
        wait = 12 + int(tale.rng.expovariate(1 / 40))
        tale.return_whistle = boundary + wait if boundary + wait < tale.end - 3 else None
        tale.whistles.append((tale.period, boundary - tale.start, None))
    update_segments(tale)


def _pull_goalie(tale: GameState, side: int) -> None:
    """The goalie makes for the bench; while the team is shorthanded, the goalie waits for the penalty to end."""
    short = tale.box.skaters[side] < tale.box.skaters[1 - side]
    later = tale.box.find_next_expiry() or tale.end
    tale.goalie_pulled[side] = not short
    tale.pull_at[side] = later if short and later < tale.end - 5 else None


def _blow_whistle(tale: GameState) -> None:
    """A whistle at which players come back from the box; the reason is left to the details."""
    tale.return_whistle = None
    tale.faceoff = tale.now
    tale.box.stop_play(tale.now)
    tale.whistles[-1] = (*tale.whistles[-1][:2], tale.now - tale.start)


def _score_goal(tale: GameState, side: int) -> None:
    scorer, assists = draw_scorers(tale, side)
    against = None if has_empty_net(tale, 1 - side) else tale.goalie[1 - side]
    state = get_situation_code(tale)
    _record_goal(
        tale, Goal(tale.period, tale.now - tale.start, side, scorer, assists, against, state, penalty_shot=False)
    )
    if tale.delayed_penalty is not None:
        arm, tale.delayed_penalty, tale.off_for_delay = tale.delayed_penalty, None, False
        # rule 15.4: the minor is wiped out, unless its team is short already: then that one ends and this one is served
        if len(tale.box.list_running_penalties(arm.side)) > len(tale.box.list_running_penalties(side)):
            tale.box.apply_goal_against(1 - side, tale.now)
            _call_penalties(tale, arm.penalties, state)
            _update_after_goal(tale, side)
            return
        tale.cancelled_penalties.extend(row._replace(second=tale.now - tale.start) for row in arm.penalties)
    tale.box.apply_goal_against(1 - side, tale.now)
    _update_after_goal(tale, side)


def _record_goal(tale: GameState, goal: Goal) -> None:
    tale.goalies_at_goals.append((tale.goalie[0], tale.goalie[1]))
    tale.goals.append(goal)


def _update_after_goal(tale: GameState, side: int) -> None:
    tale.score[side] += 1
    tale.return_whistle, tale.faceoff = None, tale.now
    if tale.period > 3:
        tale.overtime_winner = side
        tale.segments[-1] = tale.segments[-1]._replace(end=tale.now - tale.start)
        return
    loser = 1 - side
    if not has_empty_net(tale, loser):
        tale.goals_against[loser] += 1
        alone = tale.goalie[loser] == tale.teams[loser].goalies[0]
        if alone and tale.rng.random() < rates.GOALIE_CHANGE_CHANCE.get(tale.goals_against[loser], 0.0):
            tale.goalie[loser] = tale.teams[loser].goalies[1]
    if tale.period == 3:
        _plan_goalie_pulls(tale)
    update_segments(tale)


def _plan_goalie_pulls(tale: GameState) -> None:
    """When each goalie would leave at the present score; a goalie who is off stays off while there is hope."""
    for side in (0, 1):
        behind = tale.score[1 - side] - tale.score[side]
        stays_off = tale.goalie_pulled[side] and 0 < behind < 4 and tale.rng.random() < 0.8
        tale.goalie_pulled[side], tale.pull_at[side] = stays_off, None
        share, deciles = rates.PULL_SECONDS_LEFT.get(behind, (0.0, (0,)))
        if not stays_off and tale.rng.random() < share:
            left = draw_from_deciles(tale.rng, deciles)
            at = max(tale.end - round(left), tale.now + 15)
            tale.pull_at[side] = at if at < tale.end - 5 else None


def _start_penalty(tale: GameState) -> None:
    """An incident: called at once, or with the arm up until the penalised team has the puck."""
    short = (len(tale.box.list_running_penalties(0)), len(tale.box.list_running_penalties(1)))
    rows = incidents.draw_incident(
        tale.rng,
        tale.teams,
        (tale.box.find_unavailable(0), tale.box.find_unavailable(1)),
        (tale.goalie[0], tale.goalie[1]),
        short,
    )
    at = tale.now - tale.start
    # a goal would wipe out a single minor whole; of a double one only half, which no page could tell
    single = len(rows) == 1 and (rows[0].type_code, rows[0].minutes) == ("MIN", 2)
    side = rows[0].side
    # a team that is short hardly ever has the puck long enough
    puck = tale.box.skaters[1 - side] >= tale.box.skaters[side]
    if (
        single
        and puck
        and not any(tale.goalie_pulled)
        and tale.return_whistle is None
        and tale.rng.random() < rates.DELAYED_PENALTY_SHARE
    ):
        whistle = tale.now + max(1, round(draw_from_deciles(tale.rng, rates.DELAYED_PENALTY_SECONDS)))
        if whistle < tale.end - 1 and whistle not in (tale.box.find_next_expiry(), *tale.pull_at):
            tale.delayed_penalty = DelayedPenalty(
                side, whistle, [row._replace(period=tale.period, delayed_from=at) for row in rows]
            )
            return
    _call_penalties(tale, rows)


def _call_penalties(tale: GameState, rows: list[Penalty], before: str | None = None) -> None:
    """The whistle: write the rows, put the penalties on the board, and take the penalty shot if there is one."""
    state = before or get_situation_code(tale)
    at = tale.now - tale.start
    for row in rows:
        tale.penalties.append(row._replace(period=tale.period, second=at, situation=state))
    calls = [PenaltyCall(r.side, r.type_code, r.minutes, r.player, r.served_by) for r in rows if r.type_code != "PS"]
    tale.faceoff, tale.return_whistle = tale.now, None
    tale.box.assess_penalties(calls, tale.now)
    for side in (0, 1):
        if tale.goalie_pulled[side]:
            _pull_goalie(tale, side)
    shot = next((r for r in rows if r.type_code == "PS"), None)
    if shot is not None and shot.drawn_by is not None and tale.rng.random() < rates.PENALTY_SHOT_GOAL:
        side = 1 - shot.side
        code = "1010" if side == 0 else "0101"
        _record_goal(
            tale, Goal(tale.period, at, side, shot.drawn_by, (), tale.goalie[shot.side], code, penalty_shot=True)
        )
        _update_after_goal(tale, side)
        return
    update_segments(tale)
