"""Shootouts: three rounds, then more rounds until a team leads after one."""

from __future__ import annotations

from random import Random
from typing import Final

from nhl_lake.league.bench import Bench
from nhl_lake.league.model import ShootoutAttempt
from nhl_lake.league.parameters import SHOOTOUT_OUTCOMES

SHOOTOUT_ROUNDS: Final = 3


def simulate_shootout(
    rng: Random, teams: tuple[Bench, Bench], goalies: tuple[int, int], out: tuple[frozenset[int], frozenset[int]]
) -> tuple[ShootoutAttempt, ...]:
    """Return the attempts in order, with the deciding goal marked."""
    order = [_order_shooters(team, gone) for team, gone in zip(teams, out, strict=True)]
    first = rng.randrange(2)
    goals, taken = [0, 0], [0, 0]
    rows: list[ShootoutAttempt] = []
    names, shares = [n for n, _ in SHOOTOUT_OUTCOMES], [s for _, s in SHOOTOUT_OUTCOMES]
    while not _is_decided(goals, taken):
        side = first if taken[first] == taken[1 - first] else 1 - first
        shooter = order[side][taken[side] % len(order[side])]
        outcome = rng.choices(names, shares)[0]
        taken[side] += 1
        goals[side] += outcome == "goal"
        rows.append(ShootoutAttempt(side, shooter, goalies[1 - side], outcome, winner=False))
    # the deciding goal is the first one beyond the losers' final count
    side = 0 if goals[0] > goals[1] else 1
    scored = [i for i, row in enumerate(rows) if row.side == side and row.outcome == "goal"]
    decider = scored[goals[1 - side]]
    rows[decider] = rows[decider]._replace(winner=True)
    return tuple(rows)


def _order_shooters(team: Bench, gone: frozenset[int]) -> list[int]:
    able = [p for p in (*team.forwards, *team.defense) if p not in gone]
    return sorted(able, key=lambda p: -team.players[p].skills.finish * team.players[p].skills.rank)


def _is_decided(goals: list[int], taken: list[int]) -> bool:
    """Whether the rest of the attempts cannot change the winner."""
    if max(taken) > SHOOTOUT_ROUNDS or min(taken) == SHOOTOUT_ROUNDS:
        return taken[0] == taken[1] and goals[0] != goals[1]
    left = [SHOOTOUT_ROUNDS - n for n in taken]
    return goals[0] > goals[1] + left[1] or goals[1] > goals[0] + left[0]
