"""The penalty clock: how many players each team is short, worked out from penalties and goals alone.

Rules: two penalties of a team run at once, the next waits. A goal against a team with fewer players ends its minor that
would end first, or that half of a double minor. As many majors as both teams get at a stoppage cancel each other, and
as many minors. But one minor each, with nothing else and at full strength, is served by both, and no goal ends it. A
minor and a major of the last five minutes, or later, cancel to three minutes. Misconducts and penalty shots leave a
team its players.
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
START_OF_SECOND = -1  # in the order of a second: what ends in a second is over before the events of that second
END_OF_TIME = 10**9


class PenaltyOrGoal(NamedTuple):
    """A penalty or a goal in play: its place in the game, the team (0 home, 1 away) that scored or is penalized."""

    seconds: int
    order: int
    is_goal: bool
    team: int
    player: int | None = None
    server: int | None = None
    kind: str | None = None
    minutes: int | None = None


class ClockChange(NamedTuple):
    """From after an event (its second and number) on, how many players each team is short."""

    seconds: int
    order: int
    home_short: int
    away_short: int


@dataclass(slots=True)
class PlayerPenalties:
    """What one player serves: minors and majors one after another, in seconds, and when the first of them ends."""

    durations: list[int]
    is_coincidental: bool = False
    end_seconds: int = 0


@dataclass(slots=True)
class PenaltyBox:
    """The penalty bench of a team: whose penalty runs, and who waits."""

    running: list[PlayerPenalties] = field(default_factory=list)
    waiting: list[PlayerPenalties] = field(default_factory=list)

    def start_waiting(self, seconds: int) -> None:
        """Start the penalties that waited, as far as there is room."""
        while self.waiting and len(self.running) < MAX_CONCURRENT_PENALTIES:
            sentence = self.waiting.pop(0)
            sentence.end_seconds = seconds + sentence.durations[0]
            self.running.append(sentence)

    def end_current(self, sentence: PlayerPenalties, seconds: int) -> None:
        """End the part that runs; the next part, or the next penalty that waits, starts at once."""
        sentence.durations.pop(0)
        if sentence.durations:
            sentence.end_seconds = seconds + sentence.durations[0]
        else:
            self.running.remove(sentence)
        self.start_waiting(seconds)

    def count_short_after(self, seconds: int) -> int:
        """Count the players missing when all that ends by a second has ended."""
        left = sum(sentence.end_seconds > seconds or len(sentence.durations) > 1 for sentence in self.running)
        return min(left + len(self.waiting), MAX_CONCURRENT_PENALTIES)


PenaltyBoxes = tuple[PenaltyBox, PenaltyBox]


def run_clock(rows: Iterable[PenaltyOrGoal]) -> list[ClockChange]:
    """Return the players short at the start of a game, and each change, from its penalties and goals in order."""
    benches = (PenaltyBox(), PenaltyBox())
    found = [ClockChange(START_OF_SECOND, START_OF_SECOND, 0, 0)]
    for group in group_by_stoppage(rows):
        seconds, order = group[0].seconds, group[-1].order
        found += end_penalties(benches, seconds - 1)
        if not is_scored_as_penalty_ends(benches, group[0]):
            found += end_penalties(benches, seconds)
        if group[0].is_goal:
            end_minor(benches, group[0].team, seconds)
        else:
            add_penalties(benches, group)
        found.append(get_clock_state(benches, seconds, order))
    found += end_penalties(benches, END_OF_TIME)
    return list({change[:2]: change for change in found}.values())


def group_by_stoppage(rows: Iterable[PenaltyOrGoal]) -> Iterator[list[PenaltyOrGoal]]:
    """Yield goals one by one, and the penalties of a second together."""
    group: list[PenaltyOrGoal] = []
    for row in rows:
        if group and (row.is_goal or group[0].is_goal or row.seconds != group[0].seconds):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def get_clock_state(benches: PenaltyBoxes, seconds: int, order: int) -> ClockChange:
    """Return how many players both teams are short."""
    return ClockChange(seconds, order, len(benches[0].running), len(benches[1].running))


def end_penalties(benches: PenaltyBoxes, until: int) -> Iterator[ClockChange]:
    """End what has run its time, in order, and yield each change."""
    while running := [(sentence.end_seconds, bench, sentence) for bench in benches for sentence in bench.running]:
        end, bench, sentence = min(running, key=itemgetter(0))
        if end > until:
            return
        bench.end_current(sentence, end)
        yield get_clock_state(benches, end, START_OF_SECOND)


def is_scored_as_penalty_ends(benches: PenaltyBoxes, row: PenaltyOrGoal) -> bool:
    """Whether a goal is the last act of a power play: in the second in which the penalty ends."""
    ours, theirs = benches[row.team], benches[1 - row.team]
    if not row.is_goal or not theirs.running:
        return False
    was_ahead, is_ahead = (
        theirs.count_short_after(second) > ours.count_short_after(second) for second in (row.seconds - 1, row.seconds)
    )
    return was_ahead and not is_ahead


def end_minor(benches: PenaltyBoxes, scorer: int, seconds: int) -> None:
    """End the first minor of a team that was scored on while it had fewer players."""
    short = benches[1 - scorer]
    minors = [one for one in short.running if one.durations[0] == MINOR_S and not one.is_coincidental]
    if minors and len(short.running) > len(benches[scorer].running):
        short.end_current(min(minors, key=lambda sentence: sentence.end_seconds), seconds)


def add_penalties(benches: PenaltyBoxes, group: list[PenaltyOrGoal]) -> None:
    """Put the penalties of a stoppage on the benches, less those that cancel each other."""
    seconds = group[0].seconds
    if len({row.team for row in group}) == 1:  # as it mostly is: nothing cancels
        bench = benches[group[0].team]
        bench.waiting += [
            PlayerPenalties(sorted(parts, reverse=True)) for parts in collect_durations(group).values() if parts
        ]
        bench.start_waiting(seconds)
        return
    teams = [collect_durations(row for row in group if row.team == team) for team in (0, 1)]
    is_one_each = all(list(chain(*team.values())) == [MINOR_S] for team in teams)
    is_coincidental = is_one_each and not any(bench.running for bench in benches)
    cancel_penalties(teams, MAJOR_S)
    if not is_coincidental:
        cancel_penalties(teams, MINOR_S)
    if seconds >= LATE_PENALTY_S:
        cancel_late_penalties(teams)
    for bench, team in zip(benches, teams, strict=True):
        bench.waiting += [
            PlayerPenalties(sorted(parts, reverse=True), is_coincidental) for parts in team.values() if parts
        ]
        bench.start_waiting(seconds)


def collect_durations(rows: Iterable[PenaltyOrGoal]) -> dict[object, list[int]]:
    """Return what each penalized player has to serve; a bench minor is served by whoever sits for it."""
    found: dict[object, list[int]] = {}
    for row in rows:
        found.setdefault(row.player or row.server or row.order, []).extend(get_durations(row))
    return found


def get_durations(row: PenaltyOrGoal) -> list[int]:
    """Return the parts of a penalty in seconds; none if the team keeps its players."""
    if row.kind in MAJORS:
        return [MAJOR_S]
    is_minor = row.kind in MINORS and row.minutes in (2, 4)
    return [MINOR_S] * ((row.minutes or 0) // 2) if is_minor else []


def cancel_penalties(teams: list[dict[object, list[int]]], seconds: int) -> None:
    """Take as many penalties of a length from both teams as both have; first from who has the fewest."""
    left = min(sum(parts.count(seconds) for parts in team.values()) for team in teams)
    for team in teams:
        by_count = sorted(team.values(), key=lambda parts: parts.count(seconds))
        for parts in [one for one in by_count for length in one if length == seconds][:left]:
            parts.remove(seconds)


def cancel_late_penalties(teams: list[dict[object, list[int]]]) -> None:
    """Cancel a minor of one team and a major of the other: what is left of the major is served."""
    for ours, theirs in (teams, teams[::-1]):
        major = next((parts for parts in ours.values() if MAJOR_S in parts), None)
        minor = next((parts for parts in theirs.values() if MINOR_S in parts), None)
        if major and minor:
            major[major.index(MAJOR_S)] -= MINOR_S
            minor.remove(MINOR_S)


CLOCK_CHANGE_DTYPE = pl.Struct(dict.fromkeys(("game_id", *ClockChange._fields), pl.Int64))


def count_players_short(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a change of the penalty clock, and its start: game_id, seconds, order, home_short, away_short.

    `seconds` and `order` are game_seconds and event_number of the event after which it holds.
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
    """Run the clock of each game."""
    games = groupby(rows.struct.unnest().iter_rows(), key=itemgetter(0))
    found = [(game, *change) for game, part in games for change in run_clock(PenaltyOrGoal(*row[1:]) for row in part)]
    return pl.DataFrame(found, CLOCK_CHANGE_DTYPE.to_schema(), orient="row").to_struct(rows.name)
