"""Contracts: which player belongs to which club, by season and day.

Careers are simulated from FIRST_SEASON on, so the rosters of a season do not depend on which seasons are requested. A
career has six values; names and skills of the player are drawn from the id on demand.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

from nhl_lake.league.model import DraftPick, Player, RosterSpot, Skills, Team
from nhl_lake.league.names import draw_person
from nhl_lake.league.seeds import create_rng
from nhl_lake.league.teams import TEAM_IDENTITIES, build_teams

FIRST_SEASON: Final = 19901991
FIRST_ID: Final = 8900001
SLOT_POSITIONS: Final = (
    "C", "L", "R", "C", "L", "R", "C", "L", "R", "C", "L", "R", "C", "L", *"DDDDDDD", *"GG", *"CLRCLR", *"DDD", "G",
)  # fmt: skip
NAMESAKE_SLOTS: Final = (3, 16)  # slots of the two namesakes
SHOOTS_RIGHT: Final = {"R": 0.62, "L": 0.1}
ROSTER_SLOTS: Final = 23  # slots of the club itself; the others are in the minors
RANK_BY_DEPTH: Final = {
    "F": (1.5, 1.4, 1.35, 1.2, 1.15, 1.1, 1.0, 0.95, 0.9, 0.8, 0.75, 0.7, 0.62, 0.6),
    "D": (1.4, 1.25, 1.1, 1.0, 0.85, 0.75, 0.65),
    "G": (1.2, 0.9),
}


class Career(NamedTuple):
    """One contract: player, position, skill and first season."""

    player_id: int
    position: str
    rank: float
    birth_year: int
    debut: int
    namesake: int  # the id of another player with the same name, or the player's own id


class Trade(NamedTuple):
    """A trade of two players."""

    day: date
    clubs: tuple[int, int]  # franchises
    slots: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class SeasonContracts:
    """The players of a season: rosters, injuries, and the strength of each club."""

    seed: int
    season: int
    teams: tuple[Team, ...]
    rosters: dict[int, list[tuple[date, tuple[RosterSpot, ...]]]]  # team id -> states of all slots, by first day
    injuries: dict[int, tuple[tuple[date, date], ...]]  # player id -> absences, last day included
    players: dict[int, Player]
    strength: dict[int, float]  # team id -> goals for and against, relative, 1 is average


def get_first_year(season: int) -> int:
    """Return the first year of a season: 2024 for 20242025."""
    return season // 10000


def get_next_season(season: int) -> int:
    """Return the season after this one: 20252026 for 20242025."""
    return season + 10001


@lru_cache(maxsize=64)
def _build_contracts(seed: int, season: int) -> dict[int, tuple[Career, ...]]:
    """Return each franchise's careers in slot order on the first day of a season."""
    franchises = sorted({home.franchise_id for home in TEAM_IDENTITIES})
    if season <= FIRST_SEASON:
        rng = create_rng(seed, "founders")
        ids = iter(range(FIRST_ID, FIRST_ID + len(franchises) * len(SLOT_POSITIONS)))
        slots_ = range(len(SLOT_POSITIONS))
        clubs = {f: [_create_career(rng, next(ids), slot, season, young=False) for slot in slots_] for f in franchises}
        _add_namesake(seed, season, clubs, rng)
        return {f: tuple(careers) for f, careers in clubs.items()}
    before = season - 10001
    clubs = {f: list(careers) for f, careers in _build_contracts(seed, before).items()}
    for trade in _draw_trades(seed, before):
        (one, other), (a, b) = trade.clubs, trade.slots
        clubs[one][a], clubs[other][b] = clubs[other][b], clubs[one][a]
    return _replace_retired(seed, season, clubs)


def _replace_retired(seed: int, season: int, clubs: dict[int, list[Career]]) -> dict[int, tuple[Career, ...]]:
    """Replace retired players by rookies; one rookie has the same name as a teammate."""
    rng = create_rng(seed, "summer", season)
    number = _find_last_id(clubs) + 1
    for careers in clubs.values():
        for slot, career in enumerate(careers):
            age = get_first_year(season) - career.birth_year
            if rng.random() < (0.09 if age < 33 else 0.15 + 0.08 * (age - 33)):
                careers[slot] = _create_career(rng, number, slot, season, young=True)
                number += 1
    _add_namesake(seed, season, clubs, rng)
    return {f: tuple(careers) for f, careers in clubs.items()}


def _create_career(rng: Random, number: int, slot: int, season: int, *, young: bool) -> Career:
    position = SLOT_POSITIONS[slot]
    group = "F" if position in "CLR" else position
    depth = sum(1 for s in SLOT_POSITIONS[:slot] if (s in "CLR") == (group == "F") and (group == "F" or s == position))
    table = RANK_BY_DEPTH[group]
    rank = (table[depth] if depth < len(table) else table[-1] * 0.9) * rng.lognormvariate(0, 0.06)
    age = rng.randint(19, 24) if young else rng.randint(19, 36)
    return Career(number, position, round(rank, 3), get_first_year(season) - age, season, number)


def _draw_trades(seed: int, season: int) -> tuple[Trade, ...]:
    """Draw the trades between November and the deadline in March: one for one, in the same position group."""
    rng = create_rng(seed, "trades", season)
    franchises = sorted({home.franchise_id for home in TEAM_IDENTITIES})
    rows = []
    for _ in range(rng.randint(12, 18)):
        day = date(get_first_year(season), 11, 10) + timedelta(days=rng.randint(0, 115))
        one, other = rng.sample(franchises, 2)
        slot = rng.choice((3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19))
        rows.append(Trade(day, (one, other), (slot, slot)))
    return tuple(sorted(rows))


@lru_cache(maxsize=20000)
def build_player(seed: int, career: Career) -> Player:
    """Return the player of a career, with names and skills."""
    rng = create_rng(seed, "player", career.player_id)
    who = draw_person(create_rng(seed, "name", career.namesake))
    skater = career.position != "G"
    born = date(career.birth_year, 1, 1) + timedelta(days=rng.randrange(365))
    return Player(
        player_id=career.player_id,
        first=who.first,
        last=who.last,
        position=career.position,
        shoots="R" if rng.random() < SHOOTS_RIGHT.get(career.position, 0.38) else "L",
        birth_date=born,
        birth_city=who.city,
        birth_state=who.state,
        country=who.country,
        height_in=round(rng.gauss(73 if skater else 75, 2)),
        weight_lb=round(rng.gauss(200, 14)),
        draft=_draw_draft_pick(rng, born.year + 18) if rng.random() < 0.85 else None,
        debut=career.debut,
        skills=_draw_skills(rng, career),
    )


def _draw_draft_pick(rng: Random, summer: int) -> DraftPick:
    number, pick = rng.choices((1, 2, 3, 4, 5, 6, 7), (9, 6, 4, 3, 2, 2, 1))[0], rng.randint(1, 32)
    return DraftPick(summer, rng.choice(TEAM_IDENTITIES).abbrev, number, pick, (number - 1) * 32 + pick)


def _draw_skills(rng: Random, career: Career) -> Skills:
    spread = rng.lognormvariate
    return Skills(
        shoot=spread(0, 0.2) * career.rank**0.35,
        finish=spread(0, 0.18) * career.rank**0.5,
        make=spread(0, 0.2) * career.rank**0.5,
        faceoff=min(0.62, max(0.36, rng.gauss(0.5 if career.position == "C" else 0.45, 0.035))),
        hit=spread(0, 0.55) * career.rank**-0.6,
        block=spread(0, 0.3),
        temper=spread(0, 0.4),
        save=spread(0, 0.05) if career.position == "G" else 1.0,
        rank=career.rank,
    )


@lru_cache(maxsize=4)
def build_season_contracts(seed: int, season: int) -> SeasonContracts:
    """Return the players of a season: rosters by day, injuries, and all players by id."""
    clubs = {f: list(careers) for f, careers in _build_contracts(seed, season).items()}
    now = build_teams(seed, season)
    by_franchise = {team.franchise_id: team.team_id for team in now}
    opening = date(get_first_year(season), 7, 1)
    states = {f: [(opening, _build_roster_spots(seed, by_franchise[f], careers, ()))] for f, careers in clubs.items()}
    for trade in _draw_trades(seed, season):
        (one, other), (a, b) = trade.clubs, trade.slots
        clubs[one][a], clubs[other][b] = clubs[other][b], clubs[one][a]
        for f in trade.clubs:
            states[f].append((trade.day, _build_roster_spots(seed, by_franchise[f], clubs[f], states[f][-1][1])))
    people = {spot.player.player_id: spot.player for club in states.values() for _, spots in club for spot in spots}
    return SeasonContracts(
        seed, season, now, {by_franchise[f]: club for f, club in states.items()}, _draw_injuries(seed, season, people),
        people,
        {team.team_id: _compute_strength(seed, season, team.franchise_id) for team in now},
    )  # fmt: skip


def _add_namesake(seed: int, season: int, clubs: dict[int, list[Career]], rng: Random) -> None:
    """Give a forward and a defenseman of one club the same name: names are not keys."""
    club = clubs[sorted(clubs)[seed % len(clubs)]]
    forward, defense = club[NAMESAKE_SLOTS[0]], club[NAMESAKE_SLOTS[1]]
    if defense.namesake != forward.namesake:
        recruit = _create_career(rng, _find_last_id(clubs) + 1, NAMESAKE_SLOTS[1], season, young=True)
        club[NAMESAKE_SLOTS[1]] = recruit._replace(namesake=forward.namesake)


def _find_last_id(clubs: dict[int, list[Career]]) -> int:
    return max(c.player_id for careers in clubs.values() for c in careers)


def _compute_strength(seed: int, season: int, franchise: int) -> float:
    """Return how good a club is; two thirds of it carries over from season to season."""
    luck = [create_rng(seed, "strength", franchise, season - 10001 * ago).gauss(0, 0.07) for ago in range(3)]
    return 1 + 0.8 * luck[0] + 0.5 * luck[1] + 0.3 * luck[2]


def _build_roster_spots(
    seed: int, team_id: int, careers: list[Career], before: tuple[RosterSpot, ...]
) -> tuple[RosterSpot, ...]:
    """Return the club's players with numbers: the one they have, a favorite, or the next free one."""
    stays = {career.player_id for career in careers}
    old_numbers = {spot.player.player_id: spot.number for spot in before if spot.player.player_id in stays}
    taken = set(old_numbers.values())
    spots = []
    for career in careers:
        number = old_numbers.get(career.player_id, 0)
        if not number:
            number = _choose_number(career.player_id, career.position)
            while number in taken:
                number = number % 98 + 1
            taken.add(number)
        spots.append(RosterSpot(build_player(seed, career), team_id, number, career.position))
    return tuple(spots)


def _choose_number(player_id: int, position: str) -> int:
    mixed = (player_id * 2654435761) % 997
    if position == "G":
        return (1, 29, 30, 31, 32, 33, 35, 37, 39, 40, 41, 70, 72, 74)[mixed % 14]
    return 2 + mixed % 27 if position == "D" and mixed % 3 else 8 + mixed % 90


def _draw_injuries(seed: int, season: int, people: dict[int, Player]) -> dict[int, tuple[tuple[date, date], ...]]:
    """Draw absences by injury: four in ten players have one, of one to eight weeks."""
    rng = create_rng(seed, "injuries", season)
    opening = date(get_first_year(season), 10, 1)
    spells = {}
    for number in sorted(people):
        rows = []
        while rng.random() < 0.4:
            first = opening + timedelta(days=rng.randrange(260))
            rows.append((first, first + timedelta(days=3 + int(rng.expovariate(1 / 18)))))
        if rows:
            spells[number] = tuple(sorted(rows))
    return spells


def list_contracts(known: SeasonContracts, team_id: int, day: date) -> tuple[RosterSpot, ...]:
    """Return all contracts of a club on a day, in slot order, the minors last."""
    states = known.rosters[team_id]
    return states[bisect_right(states, day, key=lambda state: state[0]) - 1][1]


def is_injured(known: SeasonContracts, player_id: int, day: date) -> bool:
    """Whether a player is injured on a day."""
    return any(first <= day <= last for first, last in known.injuries.get(player_id, ()))


def list_roster(known: SeasonContracts, team_id: int, day: date) -> tuple[RosterSpot, ...]:
    """Return the club's players on a day: its own, injured or not, and those called up for the injured."""
    spots = list_contracts(known, team_id, day)
    own, minors = spots[:ROSTER_SLOTS], spots[ROSTER_SLOTS:]
    missing = {"F": 13, "D": 7, "G": 2}
    for spot in own:
        missing[get_position_group(spot.position)] -= not is_injured(known, spot.player.player_id, day)
    called = []
    for spot in minors:
        if missing[get_position_group(spot.position)] > 0 and not is_injured(known, spot.player.player_id, day):
            missing[get_position_group(spot.position)] -= 1
            called.append(spot)
    return (*own, *called)


def get_position_group(position: str) -> str:
    """Return the position group: F, D or G."""
    return "F" if position in "CLR" else position
