"""What the world has seen of a game by a moment: its rows and shifts so far, before or after their corrections."""

from datetime import datetime
from typing import NamedTuple

from nhl_lake.league import quirks
from nhl_lake.league.model import AWAY, HOME, Event, Game, ScheduledGame, Shift, Spell, Spot, Story, Team
from nhl_lake.league.pages.headers import broadcasts, clock, outcome, period_descriptor, team_block, times, words
from nhl_lake.league.pages.moment import PER_ATTEMPT, Listing, Moment, listing, moment, score
from nhl_lake.league.pages.source import Page, Source

TAKEN = ("goal", "shot-on-goal", "missed-shot", "failed-shot-attempt")
CLOSING = ("shootout-complete", "period-end", "game-end")


class Seen(NamedTuple):
    """A game as far as it has come."""

    now: Moment
    listing: Listing
    game: ScheduledGame
    teams: tuple[Team, Team]  # home, away
    story: Story | None  # None as long as nobody knows who will be dressed: FUT
    events: tuple[Event, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def score(self) -> tuple[int, int]:
        """Goals, home and away."""
        return score(self.story, self.now) if self.story else (0, 0)

    @property
    def sog(self) -> tuple[int, int]:
        """Shots on goal outside shoot-outs, home and away."""
        sides = [event.side for event in self.events if on_goal(event)]
        return sides.count(HOME), sides.count(AWAY)

    @property
    def result(self) -> tuple[tuple[int, int], tuple[int, int]] | tuple[None, None]:
        """(score, shots) of the home and of the away team, or nothing before the game."""
        if not self.now.begun:
            return None, None
        return (self.score[HOME], self.sog[HOME]), (self.score[AWAY], self.sog[AWAY])

    def dressed(self, side: int) -> tuple[Spot, ...]:
        """Who is dressed."""
        return self.story.lineups[side].dressed if self.story else ()


def on_goal(event: Event) -> bool:
    """Whether a row is a shot on goal as teams count them: goals among them, shoot-outs not."""
    return event.kind in ("shot-on-goal", "goal") and event.period_type != "SO"


def look(source: Source, game: ScheduledGame, as_of: datetime) -> Seen:
    """The head of a game at a moment: enough for pages without rows; cheap."""
    now = moment(source, game, as_of)
    teams = (source.team(game.season, game.home_id), source.team(game.season, game.away_id))
    return Seen(
        now, listing(game, as_of), game, teams, None if now.state == "FUT" else source.engine.story(game.game_id)
    )


def watch(source: Source, game: ScheduledGame, as_of: datetime) -> Seen:
    """A game at a moment, with rows and shifts."""
    seen = look(source, game, as_of)
    if not seen.now.begun:
        return seen
    whole = source.engine.game(game.game_id)
    events = quirks.as_published(source.seed, whole, source.engine.ended(game.game_id), as_of, source.shares)
    if seen.now.over:
        return seen._replace(events=events, shifts=whole.shifts)
    return seen._replace(events=_so_far(events, seen.now), shifts=_begun(whole, seen.now))


def _so_far(events: tuple[Event, ...], now: Moment) -> tuple[Event, ...]:
    attempts = now.second // PER_ATTEMPT + 1
    found, taken = [], 0
    for event in events:
        if event.period_type != "SO":
            shown = (event.period, event.second) <= (now.period, now.second)
        else:
            taken += event.kind in TAKEN
            shown = now.period == event.period and taken <= attempts and event.kind not in CLOSING
        if shown:
            found.append(event)
    return tuple(found)


def _begun(whole: Game, now: Moment) -> tuple[Shift, ...]:
    """The shifts that have begun, cut off at this second."""
    return tuple(
        shift if (shift.period, shift.end) <= (now.period, now.second) else shift._replace(end=now.second)
        for shift in whole.shifts
        if (shift.period, shift.start) < (now.period, now.second)
    )


def spells(seen: Seen) -> tuple[Spell, ...]:
    """The stretches of equal strength so far."""
    return seen.story.spells if seen.story else ()


def head(source: Source, seen: Seen) -> Page:
    """What play-by-play and boxscore begin with, up to the teams."""
    game, now = seen.game, seen.now
    page: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "limitedScoring": False,
        "gameDate": f"{seen.listing.day}",
        "venue": words(game.arena),
        "venueLocation": words(game.city),
        **times(game, seen.listing.start),
        "tvBroadcasts": broadcasts(source, game),
        "gameState": now.state,
        "gameScheduleState": seen.listing.state,
    }
    if now.begun:
        page["periodDescriptor"] = period_descriptor(game, now.period)
    return page


def sides(seen: Seen) -> Page:
    """The two teams at the head of a page."""
    home, away = seen.result
    return {"awayTeam": team_block(seen.teams[AWAY], away), "homeTeam": team_block(seen.teams[HOME], home)}


def ending(seen: Seen) -> Page:
    """The outcome, once there is one."""
    return {"gameOutcome": outcome(seen.story)} if seen.story and seen.now.over else {}


def game_clock(seen: Seen) -> Page:
    """The clock at the head of a page."""
    return {"clock": clock(seen.game, seen.now)}
