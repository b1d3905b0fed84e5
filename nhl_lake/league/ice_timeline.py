"""Who is on the ice at each second, by the shifts of both teams."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple

from nhl_lake.league.rotation import ShiftInterval


class OnIceSkater(NamedTuple):
    """A player on the ice, and the second of the period in which their shift started."""

    player: int
    since: int


class IceTimeline(NamedTuple):
    """One team in one period: the players on the ice from each second in `times` on."""

    times: list[int]
    players: list[tuple[OnIceSkater, ...]]  # without the goalie
    goalies: list[int | None]


TeamTimelines = tuple[dict[int, IceTimeline], dict[int, IceTimeline]]  # home and away: period -> timeline


def build_timelines(stays: Iterable[ShiftInterval], goalies: Collection[int]) -> dict[int, IceTimeline]:
    """Return a team's timelines by period."""
    by_period: dict[int, list[ShiftInterval]] = {}
    for stay in stays:
        by_period.setdefault(stay.period, []).append(stay)
    return {period: _build_timeline(rows, goalies) for period, rows in sorted(by_period.items())}


def _build_timeline(rows: list[ShiftInterval], goalies: Collection[int]) -> IceTimeline:
    begin: dict[int, list[int]] = {}
    finish: dict[int, list[int]] = {}
    for row in rows:
        begin.setdefault(row.start, []).append(row.player)
        finish.setdefault(row.end, []).append(row.player)
    on: dict[int, int] = {}
    track = IceTimeline([], [], [])
    for second in sorted({*begin, *finish}):
        for player in finish.get(second, ()):
            del on[player]
        for player in begin.get(second, ()):
            on[player] = second
        track.times.append(second)
        track.players.append(tuple(OnIceSkater(p, s) for p, s in sorted(on.items()) if p not in goalies))
        track.goalies.append(next((p for p in on if p in goalies), None))
    return track


def find_index(track: IceTimeline, second: int, *, before: bool) -> int:
    """Return the index in a timeline: before a second (goals, penalties, stoppages), or from the second on."""
    return max(0, bisect_right(track.times, second - before) - 1)
