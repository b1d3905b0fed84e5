"""The state of a game during the simulation of its outcome, and what follows from it."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from random import Random

from nhl_lake.league import parameters as rates
from nhl_lake.league.bench import DEFENSE_UNIT_SHARES, FORWARD_UNIT_SHARES, Bench, choose_unit_shape, pick_unit
from nhl_lake.league.model import Goal, Penalty, StrengthSegment
from nhl_lake.league.penalty_box import PenaltyBox

PERIOD_SECONDS, OVERTIME_SECONDS = 1200, 300


@dataclass(slots=True)
class DelayedPenalty:
    """A delayed penalty: the referee's arm is up until the whistle."""

    side: int  # to be penalized
    whistle: int
    penalties: list[Penalty]


@dataclass(slots=True)
class GameState:
    """The state of a game. Times are seconds of the game, not of the period."""

    rng: Random
    teams: tuple[Bench, Bench]
    playoffs: bool
    goal_factors: tuple[float, float]  # goals, relative to the average team
    box: PenaltyBox = field(default_factory=PenaltyBox)
    now: int = 0
    faceoff: int = 0
    period: int = 1
    start: int = 0
    end: int = PERIOD_SECONDS
    score: list[int] = field(default_factory=lambda: [0, 0])
    goalie: list[int] = field(default_factory=list)
    goals_against: list[int] = field(default_factory=lambda: [0, 0])
    goalie_pulled: list[bool] = field(default_factory=lambda: [False, False])  # for a sixth skater, late in the game
    pull_at: list[int | None] = field(default_factory=lambda: [None, None])  # when the goalie will be pulled
    delayed_penalty: DelayedPenalty | None = None
    off_for_delay: bool = False  # the goalie of the team with the puck is off during a delayed penalty
    return_whistle: int | None = None  # a whistle that lets players out of the box
    overtime_winner: int | None = None  # side, in overtime
    deciders: tuple[int, int] = (0, 0)
    goals: list[Goal] = field(default_factory=list)
    penalties: list[Penalty] = field(default_factory=list)
    cancelled_penalties: list[Penalty] = field(default_factory=list)
    segments: list[StrengthSegment] = field(default_factory=list)
    whistles: list[tuple[int, int, int | None]] = field(default_factory=list)
    goalies_at_goals: list[tuple[int, int]] = field(default_factory=list)  # goalies in the game at each goal


def count_skaters(game_state: GameState) -> tuple[int, int]:
    """Return the number of skaters of both teams, including extra attackers."""
    return game_state.box.skaters[0] + has_empty_net(game_state, 0), game_state.box.skaters[1] + has_empty_net(
        game_state, 1
    )


def has_empty_net(game_state: GameState, side: int) -> bool:
    """Whether a team has pulled its goalie: late in the game, or during a delayed penalty of the other team."""
    return game_state.goalie_pulled[side] or (
        game_state.off_for_delay and game_state.delayed_penalty is not None and game_state.delayed_penalty.side != side
    )


def get_situation_code(game_state: GameState) -> str:
    """Return the situation code: away goalie, away skaters, home skaters, home goalie."""
    home, away = count_skaters(game_state)
    return f"{int(not has_empty_net(game_state, 1))}{away}{home}{int(not has_empty_net(game_state, 0))}"


def update_segments(game_state: GameState) -> None:
    """End the current strength segment if the state has changed, and start the next."""
    state = (
        count_skaters(game_state),
        (
            None if has_empty_net(game_state, 0) else game_state.goalie[0],
            None if has_empty_net(game_state, 1) else game_state.goalie[1],
        ),
        (game_state.box.find_unavailable(0), game_state.box.find_unavailable(1)),
    )
    at = game_state.now - game_state.start
    if game_state.segments and game_state.segments[-1].period == game_state.period:
        last = game_state.segments[-1]
        if (last.skaters, last.goalies, last.unavailable) == state:
            return
        if last.start == at:
            game_state.segments.pop()
        else:
            game_state.segments[-1] = last._replace(end=at)
    game_state.segments.append(
        StrengthSegment(
            game_state.period, at, game_state.end - game_state.start, *state, off_for_delay=game_state.off_for_delay
        )
    )


def compute_goal_rates(game_state: GameState) -> tuple[float, float]:
    """Return the goals per second of the home and of the away team in the current state."""
    rate = [0.0, 0.0]
    player_counts = count_skaters(game_state)
    late = (
        game_state.period == 3 and game_state.score[0] == game_state.score[1] and game_state.end - game_state.now < 480
    )
    for side in (0, 1):
        if game_state.delayed_penalty is not None:
            rate[side] = 0.0 if game_state.delayed_penalty.side == side else rates.DELAYED_GOALS_PER_60
        elif has_empty_net(game_state, 1 - side):
            rate[side] = rates.EMPTY_NET_GOALS_PER_60
        else:
            rate[side] = rates.GOALS_PER_60.get((player_counts[side], player_counts[1 - side]), 2.5)
        rate[side] *= game_state.goal_factors[side] * rates.PERIOD_GOALS.get(game_state.period, 1.0) / 3600
        rate[side] *= (rates.LATE_TIED_GOALS if late else 1.0) * (rates.PLAYOFF_GOALS if game_state.playoffs else 1.0)
    return rate[0], rate[1]


def compute_penalty_rate(game_state: GameState) -> float:
    """Return the rate of penalties per second; 0 during a delayed penalty."""
    if game_state.delayed_penalty is not None:
        return 0.0
    uneven = rates.UNEVEN_PENALTIES if game_state.box.skaters[0] != game_state.box.skaters[1] else 1.0
    period = rates.PERIOD_PENALTIES.get(game_state.period, rates.OVERTIME_PENALTIES)
    return rates.PENALTY_WHISTLES_PER_60 / 3600 * uneven * period


def draw_scorers(game_state: GameState, side: int) -> tuple[int, tuple[int, ...]]:
    """Draw the scorer and the assists from one unit of the kind that plays in this state."""
    rng, team, box = game_state.rng, game_state.teams[side], game_state.box
    formed = choose_unit_shape(box.skaters[side], box.skaters[1 - side], pulled=game_state.goalie_pulled[side])
    line, pair = draw_index(rng, FORWARD_UNIT_SHARES[formed.kind]), draw_index(rng, DEFENSE_UNIT_SHARES[formed.kind])
    five = pick_unit(team, formed, line, pair, box.find_unavailable(side))
    skill = {p: team.players[p] for p in five}
    defense = {p for p in five if skill[p].position == "D"}
    shots = [skill[p].skills.shoot * skill[p].skills.finish * (rates.GOAL_BY_D if p in defense else 1.0) for p in five]
    scorer = rng.choices(five, shots)[0]
    count = rng.choices([n for n, _ in rates.ASSIST_COUNTS], [share for _, share in rates.ASSIST_COUNTS])[0]
    helpers: list[int] = []
    for _ in range(count):
        mates = [p for p in five if p != scorer and p not in helpers]
        weights = [skill[p].skills.make * (rates.ASSIST_BY_D if p in defense else 1.0) for p in mates]
        if not has_empty_net(game_state, side) and game_state.goalie[side] not in helpers:
            mates.append(game_state.goalie[side])
            weights.append(rates.ASSIST_BY_G)
        helpers.append(rng.choices(mates, weights)[0])
    return scorer, tuple(helpers)


def draw_from_deciles(rng: Random, deciles: tuple[int, ...]) -> float:
    """Draw from a distribution given by equally spaced quantiles."""
    place = rng.random() * (len(deciles) - 1)
    low = int(place)
    return deciles[low] + (place - low) * (deciles[min(low + 1, len(deciles) - 1)] - deciles[low])


def draw_index(rng: Random, shares: tuple[float, ...]) -> int:
    """Draw an index by its share."""
    total, sums = 0.0, []
    for share in shares:
        total += share
        sums.append(total)
    return min(bisect(sums, rng.random() * total), len(shares) - 1)
