"""What the referee blows for: the penalties of one whistle."""

from __future__ import annotations

from random import Random
from typing import Final

from . import parameters as rates
from .bench import Bench
from .model import Penalty

KINDS: Final = [name for name, _ in rates.INCIDENTS]
WEIGHTS: Final = [share for _, share in rates.INCIDENTS]


class _Referee:
    """Draws the offenders of one incident; nobody is named twice."""

    def __init__(self, rng: Random, teams: tuple[Bench, Bench], out: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        self.rng, self.teams = rng, teams
        self.taken = [set(out[0]), set(out[1])]

    def word(self, table: tuple[tuple[str, float], ...]) -> str:
        return self.rng.choices([w for w, _ in table], [n for _, n in table])[0]

    def skater(self, side: int, *, hot: bool = True) -> int:
        """One who is not in the box: by temper, or by chance."""
        team = self.teams[side]
        able = [p for p in (*team.forwards, *team.defence) if p not in self.taken[side]]
        weights = [
            (team.players[p].skills.temper if hot else 1.0)
            * (1.0 if team.players[p].position != "D" else rates.D_WEIGHTS["penalty"] * 1.3)
            for p in able
        ]
        chosen = self.rng.choices(able, weights)[0]
        self.taken[side].add(chosen)
        return chosen

    def server(self, side: int) -> int:
        """A forward who sits for somebody else."""
        team = self.teams[side]
        able = [p for p in team.forwards if p not in self.taken[side]]
        chosen = self.rng.choice(able)
        self.taken[side].add(chosen)
        return chosen

    def victim(self, side: int) -> int:
        """The player who was fouled."""
        team = self.teams[side]
        able = [p for p in (*team.forwards, *team.defence) if p not in self.taken[side]]
        return self.rng.choices(
            able, [1.0 if team.players[p].position != "D" else rates.D_WEIGHTS["drawn"] for p in able]
        )[0]


def incident(
    rng: Random,
    teams: tuple[Bench, Bench],
    out: tuple[tuple[int, ...], tuple[int, ...]],
    goalies: tuple[int, int],
    short: tuple[int, int],
) -> list[Penalty]:
    """The rows of one whistle in the order in which they are announced; time and situation are still open."""
    kind = rng.choices(KINDS, WEIGHTS)[0]
    referee = _Referee(rng, teams, out)
    home = rates.HOME_PENALTIES * (rates.SHORT_TEAM_PENALTIES if short[0] > short[1] else 1.0)
    away = rates.SHORT_TEAM_PENALTIES if short[1] > short[0] else 1.0
    side = 0 if rng.random() * (home + away) < home else 1
    if kind in ("fight", "fight-and-minor"):
        return _fight(referee, side, instigator=kind == "fight-and-minor")
    if kind in ("coincidental", "two-for-one", "two-each"):
        return _scrum(referee, side, kind)
    if kind == "minor":
        return [_minor(referee, side, goalies)]
    return _rarity(referee, side, kind)


def row(
    side: int,
    code: str,
    desc: str,
    minutes: int,
    player: int | None,
    drawn: int | None = None,
    served: int | None = None,
) -> Penalty:
    """A penalty whose time is not yet known."""
    return Penalty(0, 0, side, code, desc, minutes, player, drawn, served, None, "")


def _minor(referee: _Referee, side: int, goalies: tuple[int, int]) -> Penalty:
    desc = referee.word(rates.MINORS)
    drawn = None if desc in rates.NOT_DRAWN else referee.victim(1 - side)
    if referee.rng.random() < rates.GOALIE_MINORS:
        return row(side, "MIN", desc, 2, goalies[side], drawn, referee.server(side))
    return row(side, "MIN", desc, 2, referee.skater(side), drawn)


def _fight(referee: _Referee, side: int, *, instigator: bool) -> list[Penalty]:
    one, other = referee.skater(side), referee.skater(1 - side)
    rows = [row(side, "MAJ", "fighting", 5, one, other), row(1 - side, "MAJ", "fighting", 5, other, one)]
    if not instigator:
        return rows
    if referee.rng.random() < 0.4:
        rows.append(row(side, "MIN", "instigator", 2, one, other, referee.server(side)))
        rows.append(row(side, "MIS", "instigator-misconduct", 10, one))
    else:
        rows.append(row(side, "MIN", "roughing", 2, one, other, referee.server(side)))
    return rows


def _scrum(referee: _Referee, side: int, kind: str) -> list[Penalty]:
    """Minors to both teams at once."""
    extra = kind in ("two-for-one", "two-each")
    ours = [referee.skater(side) for _ in range(1 + extra)]
    theirs = [referee.skater(1 - side) for _ in range(1 + (kind == "two-each"))]
    rows = [row(side, "MIN", referee.word(rates.SCRUM_MINORS), 2, p, theirs[0]) for p in ours]
    return rows + [row(1 - side, "MIN", referee.word(rates.SCRUM_MINORS), 2, p, ours[0]) for p in theirs]


def _rarity(referee: _Referee, side: int, kind: str) -> list[Penalty]:
    if kind == "bench":
        return [row(side, "BEN", referee.word(rates.BENCH), 2, None, None, referee.server(side))]
    if kind == "misconduct":
        return [row(s, "MIS", "misconduct", 10, referee.skater(s)) for s in (side, 1 - side)]
    player, drawn = referee.skater(side), referee.victim(1 - side)
    if kind == "two-minors":
        return [row(side, "MIN", referee.word(rates.MINORS), 2, p, drawn) for p in (player, referee.skater(side))]
    if kind in ("double-minor", "penalty-shot"):
        code, desc, minutes = ("MIN", "high-sticking-double-minor", 4)
        if kind == "penalty-shot":
            code, desc, minutes = ("PS", referee.word(rates.PENALTY_SHOTS), 0)
        return [row(side, code, desc, minutes, player, drawn)]
    served = referee.server(side)
    return {
        "minor-and-misconduct": [
            row(side, "MIN", "roughing", 2, player, drawn, served),
            row(side, "MIS", "misconduct", 10, player),
        ],
        "match": [row(side, "MAT", "match-penalty", 15, player, drawn, served)],
        "major": [
            row(side, "MAJ", referee.word(rates.MAJORS), 5, player, drawn, served),
            row(side, "GAM", "game-misconduct", 10, player),
        ],
    }[kind]
