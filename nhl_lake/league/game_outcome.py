"""Simulate the outcome of a game: goals, penalties, pulled goalies, overtime and shootout, event by event.

In each state of the game, each kind of event has a rate. The next step is whatever comes first: an event, or a boundary
(a penalty expires, a goalie leaves, a period ends). No event is in the second of a boundary, so the state before an
event is always clear.
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
    """Simulate a game between two lineups; `factors` are the teams' goals relative to the average."""
    teams = (build_bench(lineups[0]), build_bench(lineups[1]))
    game_state = GameState(rng, teams, playoffs, factors, goalie=[teams[0].goalies[0], teams[1].goalies[0]])
    update_segments(game_state)
    while True:
        _play_period(game_state)
        if game_state.overtime_winner is not None or (
            game_state.period >= 3 and game_state.score[0] != game_state.score[1]
        ):
            break
        if game_state.period == 4 and not playoffs:
            break
        _start_next_period(game_state)
    return _build_outcome(game_state, lineups, officials)


def _build_outcome(
    game_state: GameState, lineups: tuple[Lineup, Lineup], officials: tuple[LocalizedText, ...]
) -> GameOutcome:
    attempts: tuple[ShootoutAttempt, ...] = ()
    score, last, kind = list(game_state.score), game_state.period, "REG" if game_state.period == 3 else "OT"
    if score[0] == score[1]:
        out = (frozenset(game_state.box.find_unavailable(0)), frozenset(game_state.box.find_unavailable(1)))
        attempts = shootout.simulate_shootout(
            game_state.rng, game_state.teams, (game_state.goalie[0], game_state.goalie[1]), out
        )
        score[next(a.side for a in attempts if a.winner)] += 1
        last, kind = 5, "SO"
    winner = 0 if score[0] > score[1] else 1
    decisive = [i for i, goal in enumerate(game_state.goals) if goal.side == winner]
    index = None if kind == "SO" else decisive[min(score[1 - winner], len(decisive) - 1)]
    of_record = (
        game_state.goalies_at_goals[index] if index is not None else (game_state.goalie[0], game_state.goalie[1])
    )
    return GameOutcome(
        game_id=0,
        lineups=lineups,
        goals=tuple(game_state.goals),
        penalties=tuple(game_state.penalties),
        cancelled_penalties=tuple(game_state.cancelled_penalties),
        shootout=attempts,
        segments=tuple(game_state.segments),
        whistles=tuple(game_state.whistles),
        score=(score[0], score[1]),
        last_period=last,
        last_period_type=kind,
        last_second=game_state.now - game_state.start,
        winning_goalie=of_record[winner],
        losing_goalie=of_record[1 - winner],
        winning_goal=None if index is None else game_state.goals[index].scorer,
        referees=officials[:2],
        linesmen=officials[2:4],
    )


def _start_next_period(game_state: GameState) -> None:
    """Start the next period. Running penalties continue."""
    game_state.period += 1
    game_state.start = game_state.now = game_state.faceoff = game_state.end
    game_state.end = game_state.start + (
        PERIOD_SECONDS if game_state.playoffs or game_state.period <= 3 else OVERTIME_SECONDS
    )
    (
        game_state.goalie_pulled,
        game_state.pull_at,
        game_state.delayed_penalty,
        game_state.off_for_delay,
        game_state.return_whistle,
    ) = (
        [False, False],
        [None, None],
        None,
        False,
        None,
    )
    game_state.box.base_skaters = (
        OVERTIME_SKATERS if game_state.period == 4 and not game_state.playoffs else FULL_STRENGTH
    )
    game_state.box.stop_play(game_state.now)
    if game_state.period == 3:
        _plan_goalie_pulls(game_state)
    update_segments(game_state)


def _play_period(game_state: GameState) -> None:
    while game_state.now < game_state.end and game_state.overtime_winner is None:
        goal, penalty = compute_goal_rates(game_state), compute_penalty_rate(game_state)
        total = goal[0] + goal[1] + penalty
        wait = game_state.rng.expovariate(total) if total else float("inf")
        when = max(int(game_state.now + wait) + 1, game_state.faceoff + 4)
        boundary = _find_next_boundary(game_state)
        if when >= boundary:
            _cross_boundary(game_state, boundary)
            continue
        game_state.now = when
        drawn = game_state.rng.random() * total
        if drawn < goal[0] + goal[1]:
            _score_goal(game_state, 0 if drawn < goal[0] else 1)
        else:
            _start_penalty(game_state)


def _find_next_boundary(game_state: GameState) -> int:
    times = [game_state.end, game_state.box.find_next_expiry(), game_state.return_whistle, *game_state.pull_at]
    if game_state.delayed_penalty is not None:
        times.append(game_state.delayed_penalty.whistle)
        if (
            not game_state.off_for_delay
            and game_state.delayed_penalty.whistle - game_state.now > rates.EXTRA_ATTACKER_AFTER
        ):
            times.append(game_state.now + rates.EXTRA_ATTACKER_AFTER)
    if game_state.return_whistle is None:
        times.append(game_state.box.find_next_return(game_state.now))
    return min(t for t in times if t is not None)


def _cross_boundary(game_state: GameState, boundary: int) -> None:
    """Process everything in this second: expired penalties first, then the whistles."""
    raised = game_state.now
    game_state.now = boundary
    game_state.box.expire_penalties(boundary)
    for side in (0, 1):
        if game_state.pull_at[side] == boundary:
            _pull_goalie(game_state, side)
    if boundary == game_state.end:
        return
    if game_state.delayed_penalty is not None and game_state.delayed_penalty.whistle == boundary:
        rows, state = game_state.delayed_penalty.penalties, get_situation_code(game_state)
        game_state.delayed_penalty, game_state.off_for_delay = None, False
        _call_penalties(game_state, rows, state)
    elif (
        game_state.delayed_penalty is not None
        and not game_state.off_for_delay
        and boundary == raised + rates.EXTRA_ATTACKER_AFTER
    ):
        game_state.off_for_delay = True
    if game_state.return_whistle == boundary:
        _blow_whistle(game_state)
    if (
        game_state.return_whistle is None
        and game_state.delayed_penalty is None
        and game_state.box.needs_whistle(boundary)
    ):
        wait = 12 + int(game_state.rng.expovariate(1 / 40))
        game_state.return_whistle = boundary + wait if boundary + wait < game_state.end - 3 else None
        game_state.whistles.append((game_state.period, boundary - game_state.start, None))
    update_segments(game_state)


def _pull_goalie(game_state: GameState, side: int) -> None:
    """Pull the goalie; while the team is shorthanded, wait until the penalty ends."""
    short = game_state.box.skaters[side] < game_state.box.skaters[1 - side]
    later = game_state.box.find_next_expiry() or game_state.end
    game_state.goalie_pulled[side] = not short
    game_state.pull_at[side] = later if short and later < game_state.end - 5 else None


def _blow_whistle(game_state: GameState) -> None:
    """Stop play so that players can leave the box; the reason is chosen later."""
    game_state.return_whistle = None
    game_state.faceoff = game_state.now
    game_state.box.stop_play(game_state.now)
    game_state.whistles[-1] = (*game_state.whistles[-1][:2], game_state.now - game_state.start)


def _score_goal(game_state: GameState, side: int) -> None:
    scorer, assists = draw_scorers(game_state, side)
    against = None if has_empty_net(game_state, 1 - side) else game_state.goalie[1 - side]
    state = get_situation_code(game_state)
    _record_goal(
        game_state,
        Goal(
            game_state.period,
            game_state.now - game_state.start,
            side,
            scorer,
            assists,
            against,
            state,
            penalty_shot=False,
        ),
    )
    if game_state.delayed_penalty is not None:
        arm, game_state.delayed_penalty, game_state.off_for_delay = game_state.delayed_penalty, None, False
        # rule 15.4: the goal cancels this minor; if the team is already shorthanded, it ends the running one instead
        if len(game_state.box.list_running_penalties(arm.side)) > len(game_state.box.list_running_penalties(side)):
            game_state.box.apply_goal_against(1 - side, game_state.now)
            _call_penalties(game_state, arm.penalties, state)
            _update_after_goal(game_state, side)
            return
        game_state.cancelled_penalties.extend(
            row._replace(second=game_state.now - game_state.start) for row in arm.penalties
        )
    game_state.box.apply_goal_against(1 - side, game_state.now)
    _update_after_goal(game_state, side)


def _record_goal(game_state: GameState, goal: Goal) -> None:
    game_state.goalies_at_goals.append((game_state.goalie[0], game_state.goalie[1]))
    game_state.goals.append(goal)


def _update_after_goal(game_state: GameState, side: int) -> None:
    game_state.score[side] += 1
    game_state.return_whistle, game_state.faceoff = None, game_state.now
    if game_state.period > 3:
        game_state.overtime_winner = side
        game_state.segments[-1] = game_state.segments[-1]._replace(end=game_state.now - game_state.start)
        return
    loser = 1 - side
    if not has_empty_net(game_state, loser):
        game_state.goals_against[loser] += 1
        alone = game_state.goalie[loser] == game_state.teams[loser].goalies[0]
        if alone and game_state.rng.random() < rates.GOALIE_CHANGE_CHANCE.get(game_state.goals_against[loser], 0.0):
            game_state.goalie[loser] = game_state.teams[loser].goalies[1]
    if game_state.period == 3:
        _plan_goalie_pulls(game_state)
    update_segments(game_state)


def _plan_goalie_pulls(game_state: GameState) -> None:
    """Plan when each goalie would leave at the current score; a pulled goalie often stays off."""
    for side in (0, 1):
        behind = game_state.score[1 - side] - game_state.score[side]
        stays_off = game_state.goalie_pulled[side] and 0 < behind < 4 and game_state.rng.random() < 0.8
        game_state.goalie_pulled[side], game_state.pull_at[side] = stays_off, None
        share, deciles = rates.PULL_SECONDS_LEFT.get(behind, (0.0, (0,)))
        if not stays_off and game_state.rng.random() < share:
            left = draw_from_deciles(game_state.rng, deciles)
            at = max(game_state.end - round(left), game_state.now + 15)
            game_state.pull_at[side] = at if at < game_state.end - 5 else None


def _start_penalty(game_state: GameState) -> None:
    """Start a penalty: called at once, or delayed until the penalized team has the puck."""
    short = (len(game_state.box.list_running_penalties(0)), len(game_state.box.list_running_penalties(1)))
    rows = incidents.draw_incident(
        game_state.rng,
        game_state.teams,
        (game_state.box.find_unavailable(0), game_state.box.find_unavailable(1)),
        (game_state.goalie[0], game_state.goalie[1]),
        short,
    )
    at = game_state.now - game_state.start
    # a goal cancels a single minor, but only half of a double one, which no page could show
    single = len(rows) == 1 and (rows[0].type_code, rows[0].minutes) == ("MIN", 2)
    side = rows[0].side
    # a shorthanded team rarely has the puck for long enough
    puck = game_state.box.skaters[1 - side] >= game_state.box.skaters[side]
    if (
        single
        and puck
        and not any(game_state.goalie_pulled)
        and game_state.return_whistle is None
        and game_state.rng.random() < rates.DELAYED_PENALTY_SHARE
    ):
        whistle = game_state.now + max(1, round(draw_from_deciles(game_state.rng, rates.DELAYED_PENALTY_SECONDS)))
        if whistle < game_state.end - 1 and whistle not in (game_state.box.find_next_expiry(), *game_state.pull_at):
            game_state.delayed_penalty = DelayedPenalty(
                side, whistle, [row._replace(period=game_state.period, delayed_from=at) for row in rows]
            )
            return
    _call_penalties(game_state, rows)


def _call_penalties(game_state: GameState, rows: list[Penalty], before: str | None = None) -> None:
    """Stop play for penalties: record them, start them, and take a penalty shot if one was awarded."""
    state = before or get_situation_code(game_state)
    at = game_state.now - game_state.start
    for row in rows:
        game_state.penalties.append(row._replace(period=game_state.period, second=at, situation=state))
    calls = [PenaltyCall(r.side, r.type_code, r.minutes, r.player, r.served_by) for r in rows if r.type_code != "PS"]
    game_state.faceoff, game_state.return_whistle = game_state.now, None
    game_state.box.assess_penalties(calls, game_state.now)
    for side in (0, 1):
        if game_state.goalie_pulled[side]:
            _pull_goalie(game_state, side)
    shot = next((r for r in rows if r.type_code == "PS"), None)
    if shot is not None and shot.drawn_by is not None and game_state.rng.random() < rates.PENALTY_SHOT_GOAL:
        side = 1 - shot.side
        code = "1010" if side == 0 else "0101"
        _record_goal(
            game_state,
            Goal(game_state.period, at, side, shot.drawn_by, (), game_state.goalie[shot.side], code, penalty_shot=True),
        )
        _update_after_goal(game_state, side)
        return
    update_segments(game_state)
