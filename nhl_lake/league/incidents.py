"""The penalties of one whistle."""

from __future__ import annotations

from random import Random
from typing import Final

from nhl_lake.league import parameters as rates
from nhl_lake.league.bench import Bench
from nhl_lake.league.model import Penalty

INCIDENT_KINDS: Final = [name for name, _ in rates.INCIDENTS]
INCIDENT_WEIGHTS: Final = [share for _, share in rates.INCIDENTS]


class _Referee:
    """Draws the players of one incident; no player twice."""

    def __init__(self, rng: Random, teams: tuple[Bench, Bench], out: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        self.rng, self.teams = rng, teams
        self.taken = [set(out[0]), set(out[1])]

    def draw_infraction(self, table: tuple[tuple[str, float], ...]) -> str:
        return self.rng.choices([w for w, _ in table], [n for _, n in table])[0]

    def draw_skater(self, side: int, *, hot: bool = True) -> int:
        """Draw a skater who is not in the box: by temper, or at random."""
        team = self.teams[side]
        able = [p for p in (*team.forwards, *team.defense) if p not in self.taken[side]]
        weights = [
            (team.players[p].skills.temper if hot else 1.0)
            * (1.0 if team.players[p].position != "D" else rates.D_WEIGHTS["penalty"] * 1.3)
            for p in able
        ]
        chosen = self.rng.choices(able, weights)[0]
        self.taken[side].add(chosen)
        return chosen

    def draw_server(self, side: int) -> int:
        """Draw a forward who serves the penalty of another player."""
        team = self.teams[side]
        able = [p for p in team.forwards if p not in self.taken[side]]
        chosen = self.rng.choice(able)
        self.taken[side].add(chosen)
        return chosen

    def draw_victim(self, side: int) -> int:
        """Draw the player who drew the penalty."""
        team = self.teams[side]
        able = [p for p in (*team.forwards, *team.defense) if p not in self.taken[side]]
        return self.rng.choices(
            able, [1.0 if team.players[p].position != "D" else rates.D_WEIGHTS["drawn"] for p in able]
        )[0]


def draw_incident(
    rng: Random,
    teams: tuple[Bench, Bench],
    out: tuple[tuple[int, ...], tuple[int, ...]],
    goalies: tuple[int, int],
    short: tuple[int, int],
) -> list[Penalty]:
    """Draw the penalties of one whistle, in the order of announcement; time and situation are set later."""
    kind = rng.choices(INCIDENT_KINDS, INCIDENT_WEIGHTS)[0]
    referee = _Referee(rng, teams, out)
    home = rates.HOME_PENALTIES * (rates.SHORT_TEAM_PENALTIES if short[0] > short[1] else 1.0)
    away = rates.SHORT_TEAM_PENALTIES if short[1] > short[0] else 1.0
    side = 0 if rng.random() * (home + away) < home else 1
    if kind in ("fight", "fight-and-minor"):
        return _draw_fight(referee, side, instigator=kind == "fight-and-minor")
    if kind in ("coincidental", "two-for-one", "two-each"):
        return _draw_scrum(referee, side, kind)
    if kind == "minor":
        return [_draw_minor(referee, side, goalies)]
    return _draw_rare_incident(referee, side, kind)


def create_penalty(
    side: int,
    code: str,
    desc: str,
    minutes: int,
    player: int | None,
    drawn: int | None = None,
    served: int | None = None,
) -> Penalty:
    """Return a penalty without its time."""
    return Penalty(0, 0, side, code, desc, minutes, player, drawn, served, None, "")


def _draw_minor(referee: _Referee, side: int, goalies: tuple[int, int]) -> Penalty:
    desc = referee.draw_infraction(rates.MINORS)
    drawn = None if desc in rates.PENALTIES_NOT_DRAWN else referee.draw_victim(1 - side)
    if referee.rng.random() < rates.GOALIE_MINORS:
        return create_penalty(side, "MIN", desc, 2, goalies[side], drawn, referee.draw_server(side))
    return create_penalty(side, "MIN", desc, 2, referee.draw_skater(side), drawn)


def _draw_fight(referee: _Referee, side: int, *, instigator: bool) -> list[Penalty]:
    one, other = referee.draw_skater(side), referee.draw_skater(1 - side)
    rows = [
        create_penalty(side, "MAJ", "fighting", 5, one, other),
        create_penalty(1 - side, "MAJ", "fighting", 5, other, one),
    ]
    if not instigator:
        return rows
    if referee.rng.random() < 0.4:
        rows.append(create_penalty(side, "MIN", "instigator", 2, one, other, referee.draw_server(side)))
        rows.append(create_penalty(side, "MIS", "instigator-misconduct", 10, one))
    else:
        rows.append(create_penalty(side, "MIN", "roughing", 2, one, other, referee.draw_server(side)))
    return rows


def _draw_scrum(referee: _Referee, side: int, kind: str) -> list[Penalty]:
    """Draw simultaneous minors for both teams."""
    extra = kind in ("two-for-one", "two-each")
    ours = [referee.draw_skater(side) for _ in range(1 + extra)]
    theirs = [referee.draw_skater(1 - side) for _ in range(1 + (kind == "two-each"))]
    rows = [create_penalty(side, "MIN", referee.draw_infraction(rates.SCRUM_MINORS), 2, p, theirs[0]) for p in ours]
    return rows + [
        create_penalty(1 - side, "MIN", referee.draw_infraction(rates.SCRUM_MINORS), 2, p, ours[0]) for p in theirs
    ]


def _draw_rare_incident(referee: _Referee, side: int, kind: str) -> list[Penalty]:
    if kind == "bench":
        return [
            create_penalty(
                side, "BEN", referee.draw_infraction(rates.BENCH_MINORS), 2, None, None, referee.draw_server(side)
            )
        ]
    if kind == "misconduct":
        return [create_penalty(s, "MIS", "misconduct", 10, referee.draw_skater(s)) for s in (side, 1 - side)]
    player, drawn = referee.draw_skater(side), referee.draw_victim(1 - side)
    if kind == "two-minors":
        return [
            create_penalty(side, "MIN", referee.draw_infraction(rates.MINORS), 2, p, drawn)
            for p in (player, referee.draw_skater(side))
        ]
    if kind in ("double-minor", "penalty-shot"):
        code, desc, minutes = ("MIN", "high-sticking-double-minor", 4)
        if kind == "penalty-shot":
            code, desc, minutes = ("PS", referee.draw_infraction(rates.PENALTY_SHOTS), 0)
        return [create_penalty(side, code, desc, minutes, player, drawn)]
    served = referee.draw_server(side)
    return {
        "minor-and-misconduct": [
            create_penalty(side, "MIN", "roughing", 2, player, drawn, served),
            create_penalty(side, "MIS", "misconduct", 10, player),
        ],
        "match": [create_penalty(side, "MAT", "match-penalty", 15, player, drawn, served)],
        "major": [
            create_penalty(side, "MAJ", referee.draw_infraction(rates.MAJORS), 5, player, drawn, served),
            create_penalty(side, "GAM", "game-misconduct", 10, player),
        ],
    }[kind]
