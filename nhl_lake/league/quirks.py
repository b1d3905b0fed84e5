"""Where the league's pages are wrong, late or odd on purpose, as the real ones are. Everything else agrees.

    corrections       in CORRECTED of the games some details are first published wrong and put right 1 to 5 days later
    empty charts      CHART_EMPTY of the shift charts stay empty for good, CHART_LATE are filled 2 to 5 days later
    no reports        REPORTS_MISSING of the games have no shift reports (404), whether or not their chart is empty
    repeated shifts   CHART_REPEATS of the charts list some shifts again under the next shift number
    placeholders      CHART_PLACEHOLDER of the charts have a row without an end, "00:00" long
    old blocks        up to OLD_BLOCKS_UNTIL a blocked shot belongs to the blocker's team and has no reason
    season totals     the totals beside a goal's names are drawn, not counted: serving a game must not simulate others

Real rates: one chart in 23 of 2024-25 is empty for good, and many were late in 2025-26; repeats are in many charts of
2023-24; placeholders in 174 charts of 2019-20. The shares of corrected games and of those without reports are invented.
"""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from nhl_lake.league.model import Event, Game, ScheduledGame, Season, Shift
from nhl_lake.league.seeds import source as dice

CORRECTED = 0.12
CHART_EMPTY = 0.03
CHART_LATE = 0.05
REPORTS_MISSING = 0.01
CHART_REPEATS = 0.25
CHART_PLACEHOLDER = 0.02
OLD_BLOCKS_UNTIL = 20242025


class Correction(NamedTuple):
    """A detail that is first published wrong: the row as it was then (None: it was not there), and until when."""

    event_id: int
    was: Event | None
    until: datetime


def corrections(seed: int, game: Game, ended: datetime) -> tuple[Correction, ...]:
    """What is put right in a game after its end, and when."""
    draw = dice("corrections", seed, game.scheduled.game_id)
    if draw.random() >= CORRECTED:
        return ()
    kinds = ("goal", "shot-on-goal", "hit")
    rows = [e for e in game.events if e.kind in kinds and e.period_type != "SO" and not e.penalty_shot]
    found = []
    for event in draw.sample(rows, k=min(len(rows), draw.randint(1, 3))):
        until = ended + timedelta(days=draw.randint(1, 5), minutes=draw.randint(-300, 300))
        found.append(Correction(event.event_id, _first_version(draw, event, game), until))
    assisted = [event for event in rows if len(event.assists) == 2]
    if assisted and draw.random() < 0.5:
        event = draw.choice(assisted)
        until = ended + timedelta(days=draw.randint(1, 5))
        found.append(Correction(event.event_id, event._replace(assists=event.assists[::-1]), until))
    return tuple({correction.event_id: correction for correction in found}.values())


def _first_version(draw: Random, event: Event, game: Game) -> Event | None:
    """A hit that nobody counted, a goal with one name too few or too many, a shot that a team-mate got."""
    mates = team_mates(game, event)
    if event.kind == "hit" or not mates:
        return None if event.kind == "hit" else event
    if event.kind == "goal":
        return event._replace(assists=event.assists[:-1] if event.assists else (draw.choice(mates),))
    return event._replace(player=draw.choice(mates))


def team_mates(game: Game, event: Event) -> list[int]:
    """The skaters on the ice with the one who acts."""
    lineup = game.story.lineups[event.side or 0]
    goalies = {spot.player.player_id for spot in lineup.goalies}
    on = {
        shift.player_id
        for shift in game.shifts
        if shift.team_id == lineup.team_id and shift.period == event.period and shift.start < event.second <= shift.end
    }
    return sorted(on - goalies - {event.player or 0})


def as_published(seed: int, game: Game, ended: datetime, as_of: datetime) -> tuple[Event, ...]:
    """The rows of a game as the feed has them at a moment: before its corrections, or after."""
    wrong = {c.event_id: c.was for c in corrections(seed, game, ended) if as_of < c.until}
    rows = (wrong.get(event.event_id, event) for event in game.events)
    return tuple(event for event in rows if event is not None)


def chart_from(seed: int, game_id: int, ended: datetime) -> datetime | None:
    """From when a finished game's shift chart has rows; None is never."""
    draw = dice("chart", seed, game_id)
    share = draw.random()
    if share < CHART_EMPTY:
        return None
    if share < CHART_EMPTY + CHART_LATE:
        return ended + timedelta(days=draw.randint(2, 5))
    return ended - timedelta(days=1)


def reported(seed: int, game_id: int) -> bool:
    """Whether a game has shift reports."""
    return dice("reports", seed, game_id).random() >= REPORTS_MISSING


def repeated(seed: int, game: Game) -> frozenset[Shift]:
    """The shifts that a chart lists twice, the second time under the next number."""
    draw = dice("repeats", seed, game.scheduled.game_id)
    if not game.shifts or draw.random() >= CHART_REPEATS:
        return frozenset()
    return frozenset(draw.sample(game.shifts, k=min(len(game.shifts), draw.randint(1, 8))))


def placeholder(seed: int, game_id: int) -> float | None:
    """How far down a chart, as a share of its rows, there is a row without an end."""
    draw = dice("placeholder", seed, game_id)
    return draw.random() if draw.random() < CHART_PLACEHOLDER else None


def old_blocks(season: int) -> bool:
    """Whether a season's feed is of the old generation: a block belongs to the blocker's team, without a reason."""
    return season <= OLD_BLOCKS_UNTIL


def season_total(seed: int, season: Season, game: ScheduledGame, *, player_id: int, what: str) -> int:
    """Goals or assists of a player before a game, drawn: growing through the season, small in the others."""
    most = dice(what, seed, season.season, player_id).randint(2, 45)
    if game.game_type != 2:
        return most // 15
    played = (game.day - season.start) / (season.end - season.start)
    return int(most * min(max(played, 0.0), 1.0))
