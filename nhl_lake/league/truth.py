"""The truth about a simulated game: the players on the ice at every event, and the strength at every second."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from nhl_lake.league.game import PlayedGame
from nhl_lake.league.game_draft import format_situation_code
from nhl_lake.league.ice_timeline import IceTimeline, find_index
from nhl_lake.league.model import AWAY, HOME, Event, GameOutcome


class OnIcePlayers(NamedTuple):
    """The players on the ice at an event, on the right side of a line change; ids ascending."""

    skaters: tuple[tuple[int, ...], tuple[int, ...]]  # home, away
    goalies: tuple[int | None, int | None]


class IceTime(NamedTuple):
    """Seconds of one player on the ice by strength, which counts goalies as the officials do."""

    total: int
    even: int
    power_play: int
    shorthanded: int


class Truth(NamedTuple):
    """The truth about a game."""

    on_ice: dict[int, OnIcePlayers]  # by event id; for penalty shots and shootouts only shooter and goalie
    strength: dict[int, tuple[str, ...]]  # by period: the situation code of every second, index = elapsed
    toi: dict[int, IceTime]  # by player id
    toi_by_situation: dict[int, dict[str, int]]  # by player id, then situation code: seconds


def compute_truth(played: PlayedGame) -> Truth:
    """Compute the truth about a game from the simulation, not from its pages."""
    by_situation: dict[int, dict[str, int]] = {}
    toi: dict[int, list[int]] = {}
    for period, home in played.timelines[HOME].items():
        away = played.timelines[AWAY][period]
        times = sorted({*home.times, *away.times})
        for start, end in pairwise(times):
            _add_ice_time((home, away), start, end - start, (toi, by_situation))
    return Truth(
        on_ice={row.event.event_id: _find_on_ice(played, row.event, before=row.before_boundary) for row in played.rows},
        strength=_list_situation_codes(played.game.outcome),
        toi={player: IceTime(sum(row), *row) for player, row in sorted(toi.items())},
        toi_by_situation=by_situation,
    )


def _add_ice_time(
    tracks: tuple[IceTimeline, IceTimeline],
    start: int,
    seconds: int,
    books: tuple[dict[int, list[int]], dict[int, dict[str, int]]],
) -> None:
    """Add the time of one strength segment: even, power play or shorthanded, by players including goalies."""
    toi, by_situation = books
    at = [find_index(track, start, before=False) for track in tracks]
    skaters = [track.players[i] for track, i in zip(tracks, at, strict=True)]
    goalies = [track.goalies[i] for track, i in zip(tracks, at, strict=True)]
    player_counts = [len(skaters[side]) + (goalies[side] is not None) for side in (HOME, AWAY)]
    situation = f"{int(goalies[1] is not None)}{len(skaters[1])}{len(skaters[0])}{int(goalies[0] is not None)}"
    for side in (HOME, AWAY):
        state = 0 if player_counts[0] == player_counts[1] else 1 if player_counts[side] > player_counts[1 - side] else 2
        out = [s.player for s in skaters[side]]
        goalie = goalies[side]
        for player in out if goalie is None else [*out, goalie]:
            toi.setdefault(player, [0, 0, 0])[state] += seconds
            book = by_situation.setdefault(player, {})
            book[situation] = book.get(situation, 0) + seconds


def _find_on_ice(played: PlayedGame, event: Event, *, before: bool) -> OnIcePlayers:
    """Return the players on the ice at an event; in a penalty shot or shootout only the shooter and the goalie."""
    if event.penalty_shot or event.period_type == "SO":
        shooter = () if event.player is None else (event.player,)
        empty: tuple[int, ...] = ()
        home = event.side == HOME
        skaters = (shooter if home else empty, empty if home or event.side is None else shooter)
        return OnIcePlayers(skaters, (None if home else event.goalie, event.goalie if home else None))
    found = []
    for side in (HOME, AWAY):
        track = played.timelines[side][event.period]
        i = find_index(track, event.second, before=before)
        found.append((tuple(s.player for s in track.players[i]), track.goalies[i]))
    return OnIcePlayers((found[0][0], found[1][0]), (found[0][1], found[1][1]))


def _list_situation_codes(outcome: GameOutcome) -> dict[int, tuple[str, ...]]:
    """Return the situation code of every second."""
    codes: dict[int, list[str]] = {}
    for segment in outcome.segments:
        codes.setdefault(segment.period, []).extend([format_situation_code(segment)] * (segment.end - segment.start))
    return {period: tuple(row) for period, row in codes.items()}
