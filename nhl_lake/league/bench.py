"""A bench: which forwards and defencemen the coach sends out together, in every state of the game."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .model import Lineup, Player
from .parameters import LINE_SHARES, PAIR_SHARES, PP_SHARES


class Shape(NamedTuple):
    """What kind of unit plays, and how many forwards and defencemen it has."""

    kind: str  # "even" "power" "kill" "four" "three" "six"
    forwards: int
    defence: int


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """The units of one team in one game, as player ids; the first units play most."""

    players: dict[int, Player]
    forwards: tuple[int, ...]  # best first
    defence: tuple[int, ...]
    goalies: tuple[int, ...]
    units_f: dict[str, tuple[tuple[int, ...], ...]]
    units_d: dict[str, tuple[tuple[int, ...], ...]]
    centres: frozenset[int]


SHARES: dict[str, tuple[float, ...]] = {
    "even": LINE_SHARES, "power": PP_SHARES, "kill": (0.42, 0.35, 0.23), "four": (0.34, 0.28, 0.22, 0.16),
    "three": (0.42, 0.33, 0.25), "six": (0.75, 0.25),
}  # fmt: skip
SHARES_D: dict[str, tuple[float, ...]] = {
    "even": PAIR_SHARES, "power": PP_SHARES, "kill": (0.44, 0.38, 0.18), "four": (0.45, 0.35, 0.20),
    "three": (0.5, 0.3, 0.2), "six": (0.7, 0.3),
}  # fmt: skip


def shape(own: int, theirs: int, *, pulled: bool) -> Shape:
    """The kind of unit for this many skaters by penalties; `pulled` adds an extra attacker late in the game."""
    if pulled:
        return Shape("six", own, 1)
    if own > theirs:
        return Shape("power", own - 1, 1)
    if own < theirs:
        return Shape("kill", own - 2, 2)
    return {5: Shape("even", 3, 2), 4: Shape("four", 2, 2), 3: Shape("three", 2, 1)}[own]


def bench(lineup: Lineup) -> Bench:
    """The units of a line-up."""
    lines = tuple(tuple(s.player.player_id for s in line) for line in lineup.lines)
    pairs = tuple(tuple(s.player.player_id for s in pair) for pair in lineup.pairs)
    players = {s.player.player_id: s.player for s in lineup.dressed}
    by_rank = sorted((p for line in lines for p in line), key=lambda p: -players[p].skills.rank)
    offence = sorted(by_rank, key=lambda p: -players[p].skills.rank * players[p].skills.finish)
    points = sorted((d for pair in pairs for d in pair), key=lambda d: -players[d].skills.make * players[d].skills.rank)
    killers = [lines[1][0], lines[0][1], lines[2][0], lines[2][1], lines[3][0], lines[3][1]]
    duos = tuple(line[:2] for line in lines)
    single = tuple((d,) for d in points[:3])
    return Bench(
        players=players,
        forwards=tuple(by_rank),
        defence=tuple(d for pair in pairs for d in pair),
        goalies=tuple(s.player.player_id for s in lineup.goalies),
        units_f={
            "even": lines, "power": (tuple(offence[:4]), tuple(offence[4:8])), "four": duos, "three": duos[:3],
            "kill": (tuple(killers[:2]), tuple(killers[2:4]), tuple(killers[4:])),
            "six": (tuple(offence[:5]), tuple(offence[5:10])),
        },
        units_d={
            "even": pairs, "power": single[:2], "four": pairs, "kill": pairs, "three": tuple((p[0],) for p in pairs),
            "six": single[:2],
        },
        centres=frozenset(s.player.player_id for line in lineup.lines for s in line if s.position == "C"),
    )  # fmt: skip


def fill(wanted: Iterable[int], others: Iterable[int], count: int, out: Collection[int]) -> tuple[int, ...]:
    """The first `count` of the wanted who may play, made up from the others."""
    chosen: list[int] = []
    for player in (*wanted, *others):
        if len(chosen) == count:
            break
        if player not in out and player not in chosen:
            chosen.append(player)
    return tuple(chosen)


def unit(team: Bench, formed: Shape, line: int, pair: int, out: Collection[int]) -> tuple[int, ...]:
    """The skaters of one unit: forwards of `line`, defencemen of `pair`, with substitutes for those who cannot play."""
    return forwards_of(team, formed, line, out, ()) + defence_of(team, formed, pair, out, ())


def forwards_of(team: Bench, formed: Shape, line: int, out: Collection[int], tired: Collection[int]) -> tuple[int, ...]:
    """The forwards of a line; substitutes come from the next line, and rather from those who have rested."""
    lines = team.units_f[formed.kind]
    spare = (*lines[(line + 1) % len(lines)], *team.forwards)
    return fill(lines[line], sorted(spare, key=lambda p: p in tired), formed.forwards, out)


def defence_of(team: Bench, formed: Shape, pair: int, out: Collection[int], tired: Collection[int]) -> tuple[int, ...]:
    """The defencemen of a pair; substitutes as for forwards."""
    spare = sorted(team.defence, key=lambda p: p in tired)
    return fill(team.units_d[formed.kind][pair], spare, formed.defence, out)
