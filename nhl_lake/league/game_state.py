"""A game in the telling: the state that a story changes, event by event, and what follows from it."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from random import Random

from . import parameters as rates
from .bench import SHARES, SHARES_D, Bench, shape, unit
from .box import Box
from .model import Goal, Penalty, Spell

PERIOD, SHORT_PERIOD = 1200, 300


@dataclass(slots=True)
class Arm:
    """A delayed penalty: the referee's arm is up until the whistle."""

    side: int  # to be penalised
    whistle: int
    rows: list[Penalty]


@dataclass(slots=True)
class Tale:
    """A game in the telling. Times in here are seconds of the game."""

    rng: Random
    teams: tuple[Bench, Bench]
    playoffs: bool
    factors: tuple[float, float]  # goals, relative to the average team
    box: Box = field(default_factory=Box)
    now: int = 0
    faceoff: int = 0
    period: int = 1
    start: int = 0
    end: int = PERIOD
    score: list[int] = field(default_factory=lambda: [0, 0])
    goalie: list[int] = field(default_factory=list)
    beaten: list[int] = field(default_factory=lambda: [0, 0])
    pulled: list[bool] = field(default_factory=lambda: [False, False])  # for a sixth skater, late in the game
    leaving: list[int | None] = field(default_factory=lambda: [None, None])  # when the goalie is going to
    arm: Arm | None = None
    lifted: bool = False  # the goalie of the team with the puck is off during a delayed penalty
    back: int | None = None  # a whistle that lets players out of the box
    won: int | None = None  # side, in overtime
    deciders: tuple[int, int] = (0, 0)
    goals: list[Goal] = field(default_factory=list)
    penalties: list[Penalty] = field(default_factory=list)
    washed: list[Penalty] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    whistles: list[tuple[int, int, int | None]] = field(default_factory=list)
    record: list[tuple[int, int]] = field(default_factory=list)  # goalies in the game at each goal


def skaters(tale: Tale) -> tuple[int, int]:
    """Skaters on the ice, extra attackers counted."""
    return tale.box.skaters[0] + no_goalie(tale, 0), tale.box.skaters[1] + no_goalie(tale, 1)


def no_goalie(tale: Tale, side: int) -> bool:
    """Whether a team has taken its goalie off: late in the game, or while a penalty to the other team is delayed."""
    return tale.pulled[side] or (tale.lifted and tale.arm is not None and tale.arm.side != side)


def situation(tale: Tale) -> str:
    """Away goalie, away skaters, home skaters, home goalie."""
    home, away = skaters(tale)
    return f"{int(not no_goalie(tale, 1))}{away}{home}{int(not no_goalie(tale, 0))}"


def keep_spell(tale: Tale) -> None:
    """Close the running spell if the state differs, and open the next."""
    state = (
        skaters(tale),
        (None if no_goalie(tale, 0) else tale.goalie[0], None if no_goalie(tale, 1) else tale.goalie[1]),
        (tale.box.out(0), tale.box.out(1)),
    )
    at = tale.now - tale.start
    if tale.spells and tale.spells[-1].period == tale.period:
        last = tale.spells[-1]
        if (last.skaters, last.goalies, last.box) == state:
            return
        if last.start == at:
            tale.spells.pop()
        else:
            tale.spells[-1] = last._replace(end=at)
    tale.spells.append(Spell(tale.period, at, tale.end - tale.start, *state, lifted=tale.lifted))


def goal_rates(tale: Tale) -> tuple[float, float]:
    """Goals per second of the home and of the away team, as things stand."""
    rate = [0.0, 0.0]
    men = skaters(tale)
    late = tale.period == 3 and tale.score[0] == tale.score[1] and tale.end - tale.now < 480
    for side in (0, 1):
        if tale.arm is not None:
            rate[side] = 0.0 if tale.arm.side == side else rates.DELAYED_GOALS_PER_60
        elif no_goalie(tale, 1 - side):
            rate[side] = rates.EMPTY_NET_GOALS_PER_60
        else:
            rate[side] = rates.GOALS_PER_60.get((men[side], men[1 - side]), 2.5)
        rate[side] *= tale.factors[side] * rates.PERIOD_GOALS.get(tale.period, 1.0) / 3600
        rate[side] *= (rates.LATE_TIED if late else 1.0) * (rates.PLAYOFF_GOALS if tale.playoffs else 1.0)
    return rate[0], rate[1]


def penalty_rate(tale: Tale) -> float:
    """Incidents per second; the referee does not look twice while his arm is up."""
    if tale.arm is not None:
        return 0.0
    uneven = rates.UNEVEN_PENALTIES if tale.box.skaters[0] != tale.box.skaters[1] else 1.0
    period = rates.PERIOD_PENALTIES.get(tale.period, rates.OVERTIME_PENALTIES)
    return rates.PENALTY_WHISTLES_PER_60 / 3600 * uneven * period


def scorers(tale: Tale, side: int) -> tuple[int, tuple[int, ...]]:
    """Who scores and who assists, from one unit of the kind that is out in this state."""
    rng, team, box = tale.rng, tale.teams[side], tale.box
    formed = shape(box.skaters[side], box.skaters[1 - side], pulled=tale.pulled[side])
    line, pair = choose(rng, SHARES[formed.kind]), choose(rng, SHARES_D[formed.kind])
    five = unit(team, formed, line, pair, box.out(side))
    skill = {p: team.players[p] for p in five}
    defence = {p for p in five if skill[p].position == "D"}
    shots = [skill[p].skills.shoot * skill[p].skills.finish * (rates.GOAL_BY_D if p in defence else 1.0) for p in five]
    scorer = rng.choices(five, shots)[0]
    count = rng.choices([n for n, _ in rates.ASSISTS], [share for _, share in rates.ASSISTS])[0]
    helpers: list[int] = []
    for _ in range(count):
        mates = [p for p in five if p != scorer and p not in helpers]
        weights = [skill[p].skills.make * (rates.ASSIST_BY_D if p in defence else 1.0) for p in mates]
        if not no_goalie(tale, side) and tale.goalie[side] not in helpers:
            mates.append(tale.goalie[side])
            weights.append(rates.ASSIST_BY_G)
        helpers.append(rng.choices(mates, weights)[0])
    return scorer, tuple(helpers)


def quantile(rng: Random, deciles: tuple[int, ...]) -> float:
    """A draw from a distribution given by equally spaced quantiles."""
    place = rng.random() * (len(deciles) - 1)
    low = int(place)
    return deciles[low] + (place - low) * (deciles[min(low + 1, len(deciles) - 1)] - deciles[low])


def choose(rng: Random, shares: tuple[float, ...]) -> int:
    """An index, by its share."""
    total, sums = 0.0, []
    for share in shares:
        total += share
        sums.append(total)
    return min(bisect(sums, rng.random() * total), len(shares) - 1)
