"""A bench: which forwards and defensemen the coach sends out together, in every state of the game."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from nhl_lake.league.model import Lineup, Player
from nhl_lake.league.parameters import LINE_SHARES, PAIR_SHARES, PP_SHARES


class UnitShape(NamedTuple):
    """What kind of unit plays, and how many forwards and defensemen it has."""

    kind: str  # "even" "power" "kill" "four" "three" "six"
    forwards: int
    defense: int


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """The units of one team in one game, as player ids; the first units play most."""

    players: dict[int, Player]
    forwards: tuple[int, ...]  # best first
    defense: tuple[int, ...]
    goalies: tuple[int, ...]
    forward_units: dict[str, tuple[tuple[int, ...], ...]]
    defense_units: dict[str, tuple[tuple[int, ...], ...]]
    centers: frozenset[int]


FORWARD_UNIT_SHARES: dict[str, tuple[float, ...]] = {
    "even": LINE_SHARES, "power": PP_SHARES, "kill": (0.42, 0.35, 0.23), "four": (0.34, 0.28, 0.22, 0.16),
    "three": (0.42, 0.33, 0.25), "six": (0.75, 0.25),
}  # fmt: skip
DEFENSE_UNIT_SHARES: dict[str, tuple[float, ...]] = {
    "even": PAIR_SHARES, "power": PP_SHARES, "kill": (0.44, 0.38, 0.18), "four": (0.45, 0.35, 0.20),
    "three": (0.5, 0.3, 0.2), "six": (0.7, 0.3),
}  # fmt: skip


def choose_unit_shape(own: int, theirs: int, *, pulled: bool) -> UnitShape:
    """Return the kind of unit for a number of skaters; `pulled` adds an extra attacker late in the game."""
    if pulled:
        return UnitShape("six", own, 1)
    if own > theirs:
        return UnitShape("power", own - 1, 1)
    if own < theirs:
        return UnitShape("kill", own - 2, 2)
    return {5: UnitShape("even", 3, 2), 4: UnitShape("four", 2, 2), 3: UnitShape("three", 2, 1)}[own]


def build_bench(lineup: Lineup) -> Bench:
    """Return the units of a lineup."""
    lines = tuple(tuple(s.player.player_id for s in line) for line in lineup.lines)
    pairs = tuple(tuple(s.player.player_id for s in pair) for pair in lineup.pairs)
    players = {s.player.player_id: s.player for s in lineup.dressed_players}
    by_rank = sorted((p for line in lines for p in line), key=lambda p: -players[p].skills.rank)
    offence = sorted(by_rank, key=lambda p: -players[p].skills.rank * players[p].skills.finish)
    points = sorted((d for pair in pairs for d in pair), key=lambda d: -players[d].skills.make * players[d].skills.rank)
    killers = [lines[1][0], lines[0][1], lines[2][0], lines[2][1], lines[3][0], lines[3][1]]
    duos = tuple(line[:2] for line in lines)
    single = tuple((d,) for d in points[:3])
    return Bench(
        players=players,
        forwards=tuple(by_rank),
        defense=tuple(d for pair in pairs for d in pair),
        goalies=tuple(s.player.player_id for s in lineup.goalies),
        forward_units={
            "even": lines, "power": (tuple(offence[:4]), tuple(offence[4:8])), "four": duos, "three": duos[:3],
            "kill": (tuple(killers[:2]), tuple(killers[2:4]), tuple(killers[4:])),
            "six": (tuple(offence[:5]), tuple(offence[5:10])),
        },
        defense_units={
            "even": pairs, "power": single[:2], "four": pairs, "kill": pairs, "three": tuple((p[0],) for p in pairs),
            "six": single[:2],
        },
        centers=frozenset(s.player.player_id for line in lineup.lines for s in line if s.position == "C"),
    )  # fmt: skip


def pick_players(wanted: Iterable[int], others: Iterable[int], count: int, out: Collection[int]) -> tuple[int, ...]:
    """Return the first `count` of the wanted players who may play; the others fill empty places."""
    chosen: list[int] = []
    for player in (*wanted, *others):
        if len(chosen) == count:
            break
        if player not in out and player not in chosen:
            chosen.append(player)
    return tuple(chosen)


def pick_unit(team: Bench, formed: UnitShape, line: int, pair: int, out: Collection[int]) -> tuple[int, ...]:
    """Return the skaters of a unit: forwards of `line`, defensemen of `pair`, and substitutes for the unavailable."""
    return pick_forwards(team, formed, line, out, ()) + pick_defense(team, formed, pair, out, ())


def pick_forwards(
    team: Bench, formed: UnitShape, line: int, out: Collection[int], tired: Collection[int]
) -> tuple[int, ...]:
    """Return the forwards of a line; substitutes come from the next line, rested players first."""
    lines = team.forward_units[formed.kind]
    spare = (*lines[(line + 1) % len(lines)], *team.forwards)
    return pick_players(lines[line], sorted(spare, key=lambda p: p in tired), formed.forwards, out)


def pick_defense(
    team: Bench, formed: UnitShape, pair: int, out: Collection[int], tired: Collection[int]
) -> tuple[int, ...]:
    """Return the defensemen of a pair; rested players substitute first."""
    spare = sorted(team.defense, key=lambda p: p in tired)
    return pick_players(team.defense_units[formed.kind][pair], spare, formed.defense, out)
