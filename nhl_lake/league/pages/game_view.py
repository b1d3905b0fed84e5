"""A game as published at a time: its rows and shifts so far, before or after their corrections."""

from datetime import datetime
from typing import NamedTuple

from nhl_lake.league import quirks
from nhl_lake.league.model import (
    AWAY,
    HOME,
    Event,
    Game,
    GameOutcome,
    RosterSpot,
    ScheduledGame,
    Shift,
    StrengthSegment,
    Team,
)
from nhl_lake.league.pages.game_status import (
    SECONDS_PER_ATTEMPT,
    GameStatus,
    ScheduleListing,
    count_goals,
    find_game_status,
    find_listing,
)
from nhl_lake.league.pages.headers import (
    build_broadcasts,
    build_clock,
    build_outcome,
    build_period_descriptor,
    build_start_times,
    build_team_block,
    localize_text,
)
from nhl_lake.league.pages.page_source import Page, PageSource

SHOOTOUT_ATTEMPT_KINDS = ("goal", "shot-on-goal", "missed-shot", "failed-shot-attempt")
CLOSING_KINDS = ("shootout-complete", "period-end", "game-end")


class GameView(NamedTuple):
    """A game as published at a time."""

    status: GameStatus
    listing: ScheduleListing
    game: ScheduledGame
    teams: tuple[Team, Team]  # home, away
    outcome: GameOutcome | None  # None until the lineups are known: FUT
    events: tuple[Event, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def score(self) -> tuple[int, int]:
        """Return the goals, home and away."""
        return count_goals(self.outcome, self.status) if self.outcome else (0, 0)

    @property
    def sog(self) -> tuple[int, int]:
        """Return the shots on goal without the shootout, home and away."""
        sides = [event.side for event in self.events if is_shot_on_goal(event)]
        return sides.count(HOME), sides.count(AWAY)

    @property
    def score_and_shots(self) -> tuple[tuple[int, int], tuple[int, int]] | tuple[None, None]:
        """Return (score, shots) of the home and of the away team; nothing before the game."""
        if not self.status.has_started:
            return None, None
        return (self.score[HOME], self.sog[HOME]), (self.score[AWAY], self.sog[AWAY])

    def list_dressed_players(self, side: int) -> tuple[RosterSpot, ...]:
        """Return the dressed players."""
        return self.outcome.lineups[side].dressed_players if self.outcome else ()


def is_shot_on_goal(event: Event) -> bool:
    """Whether a row is a shot on goal: goals count, shootouts do not."""
    return event.kind in ("shot-on-goal", "goal") and event.period_type != "SO"


def view_game_header(source: PageSource, game: ScheduledGame, as_of: datetime) -> GameView:
    """Return a game without rows and shifts; this is fast, and enough for some pages."""
    now = find_game_status(source, game, as_of)
    teams = (source.find_team(game.season, game.home_id), source.find_team(game.season, game.away_id))
    return GameView(
        now,
        find_listing(game, as_of),
        game,
        teams,
        None if now.state == "FUT" else source.engine.get_outcome(game.game_id),
    )


def view_game(source: PageSource, game: ScheduledGame, as_of: datetime) -> GameView:
    """Return a game at a time, with rows and shifts."""
    view = view_game_header(source, game, as_of)
    if not view.status.has_started:
        return view
    whole = source.engine.get_game(game.game_id)
    events = quirks.select_published_events(
        source.seed, whole, source.engine.get_end_time(game.game_id), as_of, source.shares
    )
    if view.status.is_over:
        return view._replace(events=events, shifts=whole.shifts)
    return view._replace(events=_select_events_so_far(events, view.status), shifts=_cut_off_shifts(whole, view.status))


def _select_events_so_far(events: tuple[Event, ...], now: GameStatus) -> tuple[Event, ...]:
    attempts = now.second // SECONDS_PER_ATTEMPT + 1
    found, taken = [], 0
    for event in events:
        if event.period_type != "SO":
            shown = (event.period, event.second) <= (now.period, now.second)
        else:
            taken += event.kind in SHOOTOUT_ATTEMPT_KINDS
            shown = now.period == event.period and taken <= attempts and event.kind not in CLOSING_KINDS
        if shown:
            found.append(event)
    return tuple(found)


def _cut_off_shifts(whole: Game, now: GameStatus) -> tuple[Shift, ...]:
    """Return the shifts that have started; the running ones end at this second."""
    return tuple(
        shift if (shift.period, shift.end) <= (now.period, now.second) else shift._replace(end=now.second)
        for shift in whole.shifts
        if (shift.period, shift.start) < (now.period, now.second)
    )


def get_segments(view: GameView) -> tuple[StrengthSegment, ...]:
    """Return the strength segments of the game, or none if there is no outcome yet."""
    return view.outcome.segments if view.outcome else ()


def build_header(source: PageSource, view: GameView) -> Page:
    """Return the header of play-by-play and boxscore pages, up to the teams."""
    game, now = view.game, view.status
    page: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "limitedScoring": False,
        "gameDate": f"{view.listing.day}",
        "venue": localize_text(game.arena),
        "venueLocation": localize_text(game.city),
        **build_start_times(game, view.listing.start),
        "tvBroadcasts": build_broadcasts(source, game),
        "gameState": now.state,
        "gameScheduleState": view.listing.state,
    }
    if now.has_started:
        page["periodDescriptor"] = build_period_descriptor(game, now.period)
    return page


def build_team_blocks(view: GameView) -> Page:
    """Return the two teams in the header of a page."""
    home, away = view.score_and_shots
    return {"awayTeam": build_team_block(view.teams[AWAY], away), "homeTeam": build_team_block(view.teams[HOME], home)}


def build_game_outcome(view: GameView) -> Page:
    """Return the outcome, if the game is over."""
    return {"gameOutcome": build_outcome(view.outcome)} if view.outcome and view.status.is_over else {}


def build_game_clock(view: GameView) -> Page:
    """Return the clock in the header of a page."""
    return {"clock": build_clock(view.game, view.status)}
