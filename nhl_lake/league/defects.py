"""Defects of the pages of a finished game, and when each is fixed for good.

Each kind of defect has its own random numbers for each game, so the share of one kind does not affect another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from random import Random

from nhl_lake.league.model import Event, Game, RosterSpot
from nhl_lake.league.quirks import DefectShares, change_scorer_names
from nhl_lake.league.seeds import create_rng

FIX_DELAY_DAYS = (1, 2, 3, 5, 9)  # days, give or take five hours
PERIOD_SECONDS = 1200  # seconds of a period
SECOND_PAST_PERIOD = PERIOD_SECONDS + 5


class Defect(StrEnum):
    """A kind of defect; the value is the name of its share in `DefectShares`."""

    PARTIAL_CHART = "partial_chart"  # the shift chart has only the first period or two
    NO_PLAYS = "no_plays"  # the play-by-play page has no plays
    PLAYS_CUT = "plays_cut"  # the plays end before the game does
    NO_LINES = "no_lines"  # the box score has no players
    PLAYS_DISAGREE = "plays_disagree"  # a goal's scorer or assists differ from the box score
    FOREIGN_ROSTER = "foreign_roster"  # the play-by-play page lists the players of another game
    NO_GOALIE = "no_goalie"  # some shots do not name the goalie
    TWIN_GOAL = "twin_goal"  # a goal is listed again a second later with another id
    GOALIE_NUMBER = "goalie_number"  # a goalie's number in the shift report differs from the roster
    PENALTY_CLOCK = "penalty_clock"  # a penalty at 20:05 of a period of 20:00


@dataclass(frozen=True)
class PageDefects:
    """The defects of the pages of a game. Each kind has its own random numbers and its own time of the fix."""

    seed: int
    shares: DefectShares
    game_id: int
    ended_at: datetime

    def find_fix_time(self, kind: Defect) -> datetime | None:
        """Return when a defect is fixed; None if the game never has it."""
        rng = self._create_rng(kind)
        if rng.random() >= getattr(self.shares, kind):
            return None
        return self.ended_at + timedelta(days=rng.choice(FIX_DELAY_DAYS), minutes=rng.randint(-300, 300))

    def open_rng(self, kind: Defect, as_of: datetime) -> Random | None:
        """Return the random numbers of a defect, the same each time; None if the pages do not have it at this time."""
        fixed_at = self.find_fix_time(kind)
        return self._create_rng(f"{kind} details") if fixed_at and self.ended_at <= as_of < fixed_at else None

    def _create_rng(self, name: str) -> Random:
        return create_rng("broken", name, self.seed, self.game_id)


def apply_play_defects(defects: PageDefects, game: Game, events: Sequence[Event], as_of: datetime) -> list[Event]:
    """Return the rows of a play-by-play page at a time, with its defects."""
    if defects.open_rng(Defect.NO_PLAYS, as_of):
        return []
    rows = list(events)
    if rng := defects.open_rng(Defect.PLAYS_DISAGREE, as_of):
        _change_one_event(rng, rows, "goal", lambda rng, event: change_scorer_names(rng, event, game))
    if rng := defects.open_rng(Defect.NO_GOALIE, as_of):
        _remove_goalies(rng, rows)
    if rng := defects.open_rng(Defect.PENALTY_CLOCK, as_of):
        _change_one_event(rng, rows, "penalty", lambda _, event: event._replace(second=SECOND_PAST_PERIOD))
    if rng := defects.open_rng(Defect.TWIN_GOAL, as_of):
        _duplicate_goal(rng, rows, game)
    if rng := defects.open_rng(Defect.PLAYS_CUT, as_of):
        last = game.events[int(len(game.events) * rng.uniform(0.3, 0.9))]
        rows = [event for event in rows if event.sort_order <= last.sort_order]
    return rows


def _change_one_event(rng: Random, rows: list[Event], kind: str, change: Callable[[Random, Event], Event]) -> None:
    """Change one row of a kind before overtime, if there is one."""
    found = [n for n, event in enumerate(rows) if event.kind == kind and event.period_type == "REG"]
    if found:
        n = rng.choice(found)
        rows[n] = change(rng, rows[n])


def _remove_goalies(rng: Random, rows: list[Event]) -> None:
    """Remove the goalie from some shots."""
    shots = [n for n, event in enumerate(rows) if event.goalie and not event.penalty_shot and event.period_type != "SO"]
    for n in rng.sample(shots, k=min(len(shots), rng.randint(1, 4))):
        rows[n] = rows[n]._replace(goalie=None)


def _duplicate_goal(rng: Random, rows: list[Event], game: Game) -> None:
    """List a goal twice: again a second later, with another id, where the sort order has a gap."""
    found = [
        event
        for event, after in pairwise(game.events)
        if event.kind == "goal" and event.second < PERIOD_SECONDS and after.sort_order > event.sort_order + 1
    ]
    found = [event for event in found if event.period_type == "REG"]
    if found:
        goal = rng.choice(found)
        n = next(n for n, event in enumerate(rows) if event.event_id == goal.event_id)
        number = max(event.event_id for event in game.events) + 1
        twin = rows[n]._replace(event_id=number, sort_order=goal.sort_order + 1, second=goal.second + 1)
        rows.insert(n + 1, twin)


def find_last_chart_period(defects: PageDefects, as_of: datetime) -> int | None:
    """Return the last period that a shift chart has at a time; None if it has all."""
    rng = defects.open_rng(Defect.PARTIAL_CHART, as_of)
    return rng.randint(1, 2) if rng else None


def apply_number_defects(defects: PageDefects, spots: Sequence[RosterSpot], as_of: datetime) -> dict[int, int]:
    """Return the sweater numbers in a team's shift report at a time, by player id; those of goalies may be wrong."""
    numbers = {spot.player.player_id: spot.number for spot in spots}
    if rng := defects.open_rng(Defect.GOALIE_NUMBER, as_of):
        goalies = [spot.player.player_id for spot in spots if spot.position == "G"]
        free = sorted(set(range(30, 99)) - set(numbers.values()))
        numbers |= zip(goalies, rng.sample(free, k=len(goalies)), strict=True)
    return numbers
