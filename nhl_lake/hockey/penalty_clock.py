"""The penalty clock: how many players each team is short, computed from penalties and goals alone.

Rules: Two penalties of a team run at the same time; further ones wait. A goal against a team with fewer players ends
its minor that would end first, or the running half of a double minor. At a stoppage, equal numbers of majors of both
teams cancel each other, and so do equal numbers of minors. One exception: with one minor each, no other penalty and
full strength, both are served and no goal ends them. In the last five minutes or later, a minor and a major cancel to
three minutes. Misconducts and penalty shots do not leave a team short.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

MINOR_S, MAJOR_S = 120, 300
LATE_PENALTY_S = 3300
MAX_CONCURRENT_PENALTIES = 2
MINORS, MAJORS = ("MIN", "BEN"), ("MAJ", "MAT")
START_OF_SECOND = -1  # order within a second: a penalty ends before the events of its last second
END_OF_TIME = 10**9


class PenaltyOrGoal(NamedTuple):
    """A penalty or a goal in play, in order, with the team (0 home, 1 away) that scored or is penalized."""

    seconds: int
    order: int
    is_goal: bool
    team: int
    player: int | None = None
    server: int | None = None
    kind: str | None = None
    minutes: int | None = None


class ClockChange(NamedTuple):
    """How many players each team is short after an event, given by its second and number."""

    seconds: int
    order: int
    home_short: int
    away_short: int


@dataclass(slots=True)
class PlayerPenalties:
    """The penalties that one player serves one after another: their lengths in seconds, and when the first ends."""

    durations: list[int]
    is_coincidental: bool = False
    end_seconds: int = 0


@dataclass(slots=True)
class PenaltyBox:
    """The penalty box of a team: running penalties, and penalties that wait."""

    running: list[PlayerPenalties] = field(default_factory=list)
    waiting: list[PlayerPenalties] = field(default_factory=list)

    def start_waiting(self, seconds: int) -> None:
        """Start waiting penalties while fewer than two run."""
        while self.waiting and len(self.running) < MAX_CONCURRENT_PENALTIES:
            penalties = self.waiting.pop(0)
            penalties.end_seconds = seconds + penalties.durations[0]
            self.running.append(penalties)

    def end_current(self, penalties: PlayerPenalties, seconds: int) -> None:
        """End a player's running penalty; their next one, or the next waiting one, starts at once."""
        penalties.durations.pop(0)
        if penalties.durations:
            penalties.end_seconds = seconds + penalties.durations[0]
        else:
            self.running.remove(penalties)
        self.start_waiting(seconds)

    def count_short_after(self, seconds: int) -> int:
        """Count how many players short the team is after all penalties that end by a second."""
        remaining = sum(penalties.end_seconds > seconds or len(penalties.durations) > 1 for penalties in self.running)
        return min(remaining + len(self.waiting), MAX_CONCURRENT_PENALTIES)


PenaltyBoxes = tuple[PenaltyBox, PenaltyBox]


def run_clock(rows: Iterable[PenaltyOrGoal]) -> list[ClockChange]:
    """Return the state at the start of a game and after each change, from its penalties and goals in order."""
    boxes = (PenaltyBox(), PenaltyBox())
    found = [ClockChange(START_OF_SECOND, START_OF_SECOND, 0, 0)]
    for group in group_by_stoppage(rows):
        seconds, order = group[0].seconds, group[-1].order
        found += end_penalties(boxes, seconds - 1)
        if not is_scored_as_penalty_ends(boxes, group[0]):
            found += end_penalties(boxes, seconds)
        if group[0].is_goal:
            end_minor(boxes, group[0].team, seconds)
        else:
            add_penalties(boxes, group)
        found.append(get_clock_state(boxes, seconds, order))
    found += end_penalties(boxes, END_OF_TIME)
    return list({change[:2]: change for change in found}.values())


def group_by_stoppage(rows: Iterable[PenaltyOrGoal]) -> Iterator[list[PenaltyOrGoal]]:
    """Yield each goal alone, and the penalties of a second together."""
    group: list[PenaltyOrGoal] = []
    for row in rows:
        if group and (row.is_goal or group[0].is_goal or row.seconds != group[0].seconds):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def get_clock_state(boxes: PenaltyBoxes, seconds: int, order: int) -> ClockChange:
    """Return how many players each team is short."""
    return ClockChange(seconds, order, len(boxes[0].running), len(boxes[1].running))


def end_penalties(boxes: PenaltyBoxes, until: int) -> Iterator[ClockChange]:
    """End the penalties that end by a second, in order, and yield each change."""
    while running := [(penalties.end_seconds, box, penalties) for box in boxes for penalties in box.running]:
        end, box, penalties = min(running, key=itemgetter(0))
        if end > until:
            return
        box.end_current(penalties, end)
        yield get_clock_state(boxes, end, START_OF_SECOND)


def is_scored_as_penalty_ends(boxes: PenaltyBoxes, row: PenaltyOrGoal) -> bool:
    """Whether a goal is scored on the power play in the second in which the penalty ends."""
    ours, theirs = boxes[row.team], boxes[1 - row.team]
    if not row.is_goal or not theirs.running:
        return False
    was_ahead, is_ahead = (
        theirs.count_short_after(second) > ours.count_short_after(second) for second in (row.seconds - 1, row.seconds)
    )
    return was_ahead and not is_ahead


def end_minor(boxes: PenaltyBoxes, scorer: int, seconds: int) -> None:
    """End the minor that would end first, if the team was scored on while it had fewer players."""
    short = boxes[1 - scorer]
    minors = [one for one in short.running if one.durations[0] == MINOR_S and not one.is_coincidental]
    if minors and len(short.running) > len(boxes[scorer].running):
        short.end_current(min(minors, key=lambda penalties: penalties.end_seconds), seconds)


def add_penalties(boxes: PenaltyBoxes, group: list[PenaltyOrGoal]) -> None:
    """Add the penalties of a stoppage to the penalty boxes, without those that cancel each other."""
    seconds = group[0].seconds
    if len({row.team for row in group}) == 1:  # the usual case: nothing cancels
        box = boxes[group[0].team]
        box.waiting += [
            PlayerPenalties(sorted(durations, reverse=True))
            for durations in collect_durations(group).values()
            if durations
        ]
        box.start_waiting(seconds)
        return
    teams = [collect_durations(row for row in group if row.team == team) for team in (0, 1)]
    is_one_each = all(list(chain(*team.values())) == [MINOR_S] for team in teams)
    is_coincidental = is_one_each and not any(box.running for box in boxes)
    cancel_penalties(teams, MAJOR_S)
    if not is_coincidental:
        cancel_penalties(teams, MINOR_S)
    if seconds >= LATE_PENALTY_S:
        cancel_late_penalties(teams)
    for box, team in zip(boxes, teams, strict=True):
        box.waiting += [
            PlayerPenalties(sorted(durations, reverse=True), is_coincidental)
            for durations in team.values()
            if durations
        ]
        box.start_waiting(seconds)


def collect_durations(rows: Iterable[PenaltyOrGoal]) -> dict[object, list[int]]:
    """Return the penalty lengths that each player serves; a bench minor counts for the player who serves it."""
    found: dict[object, list[int]] = {}
    for row in rows:
        found.setdefault(row.player or row.server or row.order, []).extend(get_durations(row))
    return found


def get_durations(row: PenaltyOrGoal) -> list[int]:
    """Return the lengths of a penalty in seconds; empty if it does not leave the team short."""
    if row.kind in MAJORS:
        return [MAJOR_S]
    is_minor = row.kind in MINORS and row.minutes in (2, 4)
    return [MINOR_S] * ((row.minutes or 0) // 2) if is_minor else []


def cancel_penalties(teams: list[dict[object, list[int]]], seconds: int) -> None:
    """Cancel equal numbers of penalties of a length, first those of the players with the fewest."""
    count = min(sum(durations.count(seconds) for durations in team.values()) for team in teams)
    for team in teams:
        by_count = sorted(team.values(), key=lambda durations: durations.count(seconds))
        for durations in [one for one in by_count for length in one if length == seconds][:count]:
            durations.remove(seconds)


def cancel_late_penalties(teams: list[dict[object, list[int]]]) -> None:
    """Cancel a minor of one team against a major of the other: the rest of the major is served."""
    for ours, theirs in (teams, teams[::-1]):
        major = next((durations for durations in ours.values() if MAJOR_S in durations), None)
        minor = next((durations for durations in theirs.values() if MINOR_S in durations), None)
        if major and minor:
            major[major.index(MAJOR_S)] -= MINOR_S
            minor.remove(MINOR_S)


CLOCK_CHANGE_DTYPE = pl.Struct(dict.fromkeys(("game_id", *ClockChange._fields), pl.Int64))


def count_players_short(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per state of the penalty clock: game_id, seconds, order, home_short, away_short.

    `seconds` and `order` are game_seconds and event_number of the event after which the state is valid.
    """
    is_goal = pl.col("is_goal") & ~pl.col("is_penalty_shot")
    values = (
        pl.col("game_id", "game_seconds", "event_number"),
        is_goal.alias("is_goal"),
        (~pl.col("is_home")).cast(pl.Int64).alias("team"),
        pl.col("penalised_player_id", "served_by_player_id", "penalty_type_code", "penalty_minutes"),
    )
    return (
        plays.filter(is_goal | (pl.col("event") == "penalty"), pl.col("game_seconds", "is_home").is_not_null())
        .sort("game_id", "game_seconds", "event_number")
        .select(change=pl.struct(*values).map_batches(run_clocks, return_dtype=CLOCK_CHANGE_DTYPE))
        .unnest("change")
    )


def run_clocks(rows: pl.Series) -> pl.Series:
    """Run the penalty clock of each game."""
    games = groupby(rows.struct.unnest().iter_rows(), key=itemgetter(0))
    found = [(game, *change) for game, group in games for change in run_clock(PenaltyOrGoal(*row[1:]) for row in group)]
    return pl.DataFrame(found, CLOCK_CHANGE_DTYPE.to_schema(), orient="row").to_struct(rows.name)
