"""Every stoppage: those of the outcome (goals, penalties, ends of periods) and all others."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league.model import GameOutcome, StrengthSegment

STOPPAGE_REASONS = tuple(reason for reason, _ in rates.STOPPAGES)
STOPPAGE_WEIGHTS = tuple(weight for _, weight in rates.STOPPAGES)
MIN_GAP, CLEAR_BEFORE_EVENT = (
    3,
    5,
)  # minimum seconds from a faceoff to a stoppage, and from a stoppage to the next goal or penalty


class Whistle(NamedTuple):
    """A stoppage. Play continues with a faceoff in the same second."""

    period: int
    second: int
    reason: str  # the reason of a stoppage, or "goal", "penalty", "period-start", "period-end"
    side: int | None = None  # who scored, was penalized, iced the puck, shot it at the goalie, or attacked
    secondary_reason: str | None = None


def get_period_lengths(outcome: GameOutcome, *, playoffs: bool) -> dict[int, int]:
    """Return the length of each period with a clock, in seconds."""
    last = 4 if outcome.last_period_type == "SO" else outcome.last_period
    return {p: 1200 if p <= 3 or playoffs else 300 for p in range(1, last)} | {last: outcome.last_second}


def draw_whistles(rng: Random, outcome: GameOutcome, clock: dict[int, int]) -> list[Whistle]:
    """Draw all whistles in order, each period between its start and its end."""
    rows: list[Whistle] = []
    for period, length in clock.items():
        known = _list_known_whistles(outcome, period, length)
        quiet = _find_quiet_intervals(outcome, period, known)
        segments = [s for s in outcome.segments if s.period == period]
        taken = {s.start for s in segments}
        commercials = list(rates.TV_TIMEOUTS) if period <= 3 else []
        rows.append(Whistle(period, 0, "period-start"))
        for whistle in known:
            at = rows[-1].second
            while True:
                at = _draw_next_second(rng, at, quiet)
                if at > whistle.second - CLEAR_BEFORE_EVENT:
                    break
                if at not in taken:
                    rows.append(_draw_stoppage(rng, period, at, _find_segment(segments, at), commercials))
            rows.append(_fill_in_reason(rng, whistle, segments, commercials))
    return rows


def _list_known_whistles(outcome: GameOutcome, period: int, length: int) -> list[Whistle]:
    """Return the whistles of the outcome, at most one per second: a goal before a penalty."""
    found: dict[int, Whistle] = {}
    for row in outcome.penalties:
        if row.period == period:
            found.setdefault(row.second, Whistle(period, row.second, "penalty", row.side))
    for goal in outcome.goals:
        if goal.period == period:
            found[goal.second] = Whistle(period, goal.second, "goal", goal.side)
    for where, _, second in outcome.whistles:
        if where == period and second is not None:
            found.setdefault(second, Whistle(period, second, "free"))
    found.pop(length, None)  # a goal in overtime: the end of the period is its whistle
    rows = sorted(found.values(), key=lambda row: row.second)
    return [*rows, Whistle(period, length, "period-end")]


def _find_quiet_intervals(outcome: GameOutcome, period: int, known: list[Whistle]) -> list[tuple[int, int]]:
    """Return the intervals without other stoppages: delayed penalties, and the wait for a stoppage to leave the box."""
    arms = [(p.delayed_from, p.second) for p in outcome.penalties if p.period == period and p.delayed_from is not None]
    wiped = [
        (p.delayed_from, p.second)
        for p in outcome.cancelled_penalties
        if p.period == period and p.delayed_from is not None
    ]
    waits = [since for where, since, _ in outcome.whistles if where == period]
    return arms + wiped + [(since, next(row.second for row in known if row.second > since)) for since in waits]


def _draw_next_second(rng: Random, at: int, quiet: list[tuple[int, int]]) -> int:
    """Draw the second of the next stoppage, if nothing comes before it."""
    at += MIN_GAP + int(rng.expovariate(rates.STOPPAGES_PER_60 / 3600))
    while any(since <= at <= until for since, until in quiet):
        at = max(until for since, until in quiet if since <= at <= until) + MIN_GAP + 1
    return at


def _find_segment(segments: list[StrengthSegment], second: int) -> StrengthSegment:
    return next(s for s in reversed(segments) if s.start < second or s is segments[0])


def _draw_stoppage(rng: Random, period: int, second: int, segment: StrengthSegment, commercials: list[int]) -> Whistle:
    reason = rng.choices(STOPPAGE_REASONS, STOPPAGE_WEIGHTS)[0]
    home, away = segment.skaters
    if reason == "icing" and (home != away or home == 3) and rng.random() < 0.7:
        reason = "goalie-stopped-after-sog"
    pressure = [rates.SHOTS_PER_60.get(pair, (25.0,))[0] for pair in ((home, away), (away, home))]
    side = int(rng.random() * sum(pressure) > pressure[0])  # the side with more of the play
    if reason == "icing":
        side = 1 - side  # the team under pressure ices it
        if home != away:
            side = 0 if home > away else 1
    if reason == "goalie-stopped-after-sog" and segment.goalies[1 - side] is None:
        side = 1 - side
    if reason == "goalie-stopped-after-sog" and segment.goalies[1 - side] is None:
        reason = "puck-in-netting"
    secondary = None
    if reason.endswith("timeout") or reason.startswith("chlg"):
        secondary = reason
    elif commercials and second > commercials[0] and reason != "icing" and home == away:
        commercials.pop(0)
        secondary = "tv-timeout"
    return Whistle(period, second, reason, side, secondary)


def _fill_in_reason(rng: Random, whistle: Whistle, segments: list[StrengthSegment], commercials: list[int]) -> Whistle:
    """Fill in the reason of a whistle that has none; add a commercial break after a penalty if one is overdue."""
    if whistle.reason == "free":
        return _draw_stoppage(rng, whistle.period, whistle.second, _find_segment(segments, whistle.second), commercials)
    if whistle.reason == "penalty" and commercials and whistle.second > commercials[0]:
        commercials.pop(0)
        return whistle._replace(secondary_reason="tv-timeout")
    return whistle
