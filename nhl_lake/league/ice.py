"""Who is on the ice, second by second, as the stays of both teams say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple

from .rotation import Stay


class Skater(NamedTuple):
    """A player on the ice and the second of the period since when."""

    player: int
    since: int


class Track(NamedTuple):
    """One team in one period: from each second in `times` on, these players."""

    times: list[int]
    players: list[tuple[Skater, ...]]  # without the goalie
    goalies: list[int | None]


Ice = tuple[dict[int, Track], dict[int, Track]]  # home and away: period -> track


def tracks(stays: Iterable[Stay], goalies: Collection[int]) -> dict[int, Track]:
    """A team's tracks by period."""
    by_period: dict[int, list[Stay]] = {}
    for stay in stays:
        by_period.setdefault(stay.period, []).append(stay)
    return {period: _track(rows, goalies) for period, rows in sorted(by_period.items())}


def _track(rows: list[Stay], goalies: Collection[int]) -> Track:
    begin: dict[int, list[int]] = {}
    finish: dict[int, list[int]] = {}
    for row in rows:
        begin.setdefault(row.start, []).append(row.player)
        finish.setdefault(row.end, []).append(row.player)
    on: dict[int, int] = {}
    track = Track([], [], [])
    for second in sorted({*begin, *finish}):
        for player in finish.get(second, ()):
            del on[player]
        for player in begin.get(second, ()):
            on[player] = second
        track.times.append(second)
        track.players.append(tuple(Skater(p, s) for p, s in sorted(on.items()) if p not in goalies))
        track.goalies.append(next((p for p in on if p in goalies), None))
    return track


def index(track: Track, second: int, *, before: bool) -> int:
    """The place in a track at a second: what was before it (goals, penalties, stoppages), or what is from it on."""
    return max(0, bisect_right(track.times, second - before) - 1)
