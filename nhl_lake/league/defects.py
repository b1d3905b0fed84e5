"""How pages of a finished game are broken when they first come out, and until when; then they are whole for good.

Each way is drawn game by game from a seed stream of its own, so that a share of one way changes nothing in another.
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
    """A way in which pages are broken; the value is the name of its share in `Shares`."""

    PARTIAL_CHART = "partial_chart"  # the shift chart has the first period or two only
    NO_PLAYS = "no_plays"  # the play-by-play page has no plays
    PLAYS_CUT = "plays_cut"  # the plays end before the game does
    NO_LINES = "no_lines"  # the box score has no players
    PLAYS_DISAGREE = "plays_disagree"  # a goal's scorer or assists are not those of the box score
    FOREIGN_ROSTER = "foreign_roster"  # the players of the play-by-play page are those of another game
    NO_GOALIE = "no_goalie"  # some shots do not say which goalie was in net
    TWIN_GOAL = "twin_goal"  # a goal stands again a second later under another id
    GOALIE_NUMBER = "goalie_number"  # a goalie's number in the shift report is not that of the roster
    PENALTY_CLOCK = "penalty_clock"  # a penalty at 20:05 of a period of 20:00


@dataclass(frozen=True)
class PageDefects:
    """How the pages of one game are broken, each way with a random source of its own and the moment it is healed."""

    seed: int
    shares: DefectShares
    game_id: int
    ended_at: datetime

    def find_fix_time(self, way: Defect) -> datetime | None:
        """When a way of being broken is healed; None if the game never was broken in this way."""
        rng = self._create_rng(way)
        if rng.random() >= getattr(self.shares, way):
            return None
        return self.ended_at + timedelta(days=rng.choice(FIX_DELAY_DAYS), minutes=rng.randint(-300, 300))

    def open_rng(self, way: Defect, as_of: datetime) -> Random | None:
        """A random source for what is broken at a moment, the same each time; None if nothing is, or not any more."""
        healed = self.find_fix_time(way)
        return self._create_rng(f"{way} details") if healed and self.ended_at <= as_of < healed else None

    def _create_rng(self, name: str) -> Random:
        return create_rng("broken", name, self.seed, self.game_id)


def apply_play_defects(defects: PageDefects, game: Game, events: Sequence[Event], as_of: datetime) -> list[Event]:
    """The rows of a play-by-play page at a moment, of the rows that it would have if it were whole."""
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
    """Change a row of a kind before overtime, if there is one."""
    found = [n for n, event in enumerate(rows) if event.kind == kind and event.period_type == "REG"]
    if found:
        n = rng.choice(found)
        rows[n] = change(rng, rows[n])


def _remove_goalies(rng: Random, rows: list[Event]) -> None:
    """Do not say who was in net at some shots."""
    shots = [n for n, event in enumerate(rows) if event.goalie and not event.penalty_shot and event.period_type != "SO"]
    for n in rng.sample(shots, k=min(len(shots), rng.randint(1, 4))):
        rows[n] = rows[n]._replace(goalie=None)


def _duplicate_goal(rng: Random, rows: list[Event], game: Game) -> None:
    """Publish a goal again: under an id of its own, a second later, where the numbers of the order leave a gap."""
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
    """The last period that a shift chart has at a moment; None is all."""
    rng = defects.open_rng(Defect.PARTIAL_CHART, as_of)
    return rng.randint(1, 2) if rng else None


def apply_number_defects(defects: PageDefects, spots: Sequence[RosterSpot], as_of: datetime) -> dict[int, int]:
    """The numbers of a team's players in a shift report at a moment, by id: those of its goalies may be nobody's."""
    numbers = {spot.player.player_id: spot.number for spot in spots}
    if rng := defects.open_rng(Defect.GOALIE_NUMBER, as_of):
        goalies = [spot.player.player_id for spot in spots if spot.position == "G"]
        free = sorted(set(range(30, 99)) - set(numbers.values()))
        numbers |= zip(goalies, rng.sample(free, k=len(goalies)), strict=True)
    return numbers
