"""Lineups: the healthy players of a team in lines and pairs, and the goalie who starts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random

from nhl_lake.league.contracts import SeasonContracts, get_position_group, is_injured, list_roster
from nhl_lake.league.model import Lineup, RosterSpot, Team


def pick_lineup(rng: Random, known: SeasonContracts, team: Team, day: date, *, tired: bool, playoffs: bool) -> Lineup:
    """Return the lineup of a team on a day. tired: the second game in two days, in which the backup often starts."""
    spots = list_roster(known, team.team_id, day)
    healthy = [spot for spot in spots if not is_injured(known, spot.player.player_id, day)]
    healthy += [spot for spot in spots if spot not in healthy]  # with too many injuries, some injured players play
    skaters = _pick_best(rng, (s for s in healthy if get_position_group(s.position) == "F"), 12)
    defense = _pick_best(rng, (s for s in healthy if s.position == "D"), 6)
    goalies = [s for s in healthy if s.position == "G"][:2]
    goalies.sort(key=lambda s: -s.player.skills.rank)
    if not playoffs and rng.random() < (0.62 if tired else 0.24):
        goalies.reverse()
    dressed = {s.player.player_id for s in (*skaters, *defense, *goalies)}
    return Lineup(
        team_id=team.team_id,
        lines=_form_lines(skaters),
        pairs=tuple(tuple(defense[i : i + 2]) for i in (0, 2, 4)),
        goalies=tuple(goalies),
        scratches=tuple(s for s in spots if s.player.player_id not in dressed),
        coach=team.coach,
    )


def _pick_best(rng: Random, spots: Iterable[RosterSpot], count: int) -> list[RosterSpot]:
    """Return the best `count` players by their rank, which varies a little by day; injured players come last."""
    able = list(spots)[: count + 1]
    rank = {s.player.player_id: s.player.skills.rank * rng.lognormvariate(0, 0.05) for s in able}
    return sorted(able, key=lambda s: -rank[s.player.player_id])[:count]


def _form_lines(forwards: list[RosterSpot]) -> tuple[tuple[RosterSpot, ...], ...]:
    """Form four lines of a center and two wingers; a player may change position for the game."""
    centres = [s for s in forwards if s.position == "C"][:4]
    wings = [s for s in forwards if s not in centres]
    while len(centres) < 4:
        centres.append(wings.pop()._replace(position="C"))
    left, right = [s for s in wings if s.position == "L"], [s for s in wings if s.position != "L"]
    while len(left) < 4:
        left.append(right.pop()._replace(position="L"))
    while len(right) < 4:
        right.append(left.pop()._replace(position="R"))
    return tuple((centres[i], left[i], right[i]) for i in range(4))
