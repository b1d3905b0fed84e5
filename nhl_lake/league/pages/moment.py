"""Where a game stands at a moment: its state, and the clock on the wall of the arena."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from nhl_lake.league.model import ScheduledGame, Story
from nhl_lake.league.pages.source import Source

WARM_UP = timedelta(minutes=30)
SCORE_CHECKED = timedelta(minutes=10)  # OVER until then
OFFICIAL_AT = time(12, tzinfo=UTC)  # of the next day: OFF from then
PER_ATTEMPT = 40  # seconds of a shoot-out that one attempt takes, as the engine has it


class Listing(NamedTuple):
    """Where a game stands in the calendar: a postponed one on its first day until it has a new one."""

    day: date
    start: datetime
    state: str  # gameScheduleState


def listing(game: ScheduledGame, as_of: datetime) -> Listing:
    """When a game is to be played, as announced at a moment."""
    if game.cancelled and game.cancelled <= as_of:
        return Listing(game.day, game.start, "CNCL")
    if game.rescheduled is None or game.rescheduled <= as_of:
        return Listing(game.day, game.start, "OK")
    off = game.postponed is not None and game.postponed <= as_of
    return Listing(game.first_day, game.first_start, "PPD" if off else "OK")


class Moment(NamedTuple):
    """State of a game, and how far it has come: period 0 is before the game, second is elapsed in the period.

    In a shoot-out the second counts the time since it began; its clock stands still.
    """

    state: str
    period: int = 0
    second: int = 0
    intermission: bool = False

    @property
    def begun(self) -> bool:
        """Whether the puck has been dropped."""
        return self.period > 0

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self.state in ("OVER", "FINAL", "OFF")

    @property
    def final(self) -> bool:
        """Whether the score is final."""
        return self.state in ("FINAL", "OFF")


def moment(source: Source, game: ScheduledGame, as_of: datetime) -> Moment:
    """Where a game stands."""
    if not game.played or as_of < game.start - WARM_UP:
        return Moment("FUT")
    if as_of < game.start:
        return Moment("PRE")
    story = source.engine.story(game.game_id)
    ended = source.engine.ended(game.game_id)
    if as_of < ended:
        return _under_way(source, game, story, as_of)
    last = Moment("OVER", story.last_period, length(game, story, story.last_period))
    if as_of < ended + SCORE_CHECKED:
        return last
    official = max(datetime.combine(game.day + timedelta(days=1), OFFICIAL_AT), ended + timedelta(hours=1))
    return last._replace(state="FINAL" if as_of < official or game.game_type == 1 else "OFF")


def _under_way(source: Source, game: ScheduledGame, story: Story, as_of: datetime) -> Moment:
    wall = source.engine.wall
    begun = [period for period in range(1, story.last_period + 1) if wall(game, period, 0) <= as_of]
    period = begun[-1] if begun else 1
    seconds = range(length(game, story, period) + 1)
    second = max(bisect_right(seconds, as_of, key=lambda s: wall(game, period, s)) - 1, 0)
    now = Moment("LIVE", period, second, intermission=second == seconds[-1] and period < story.last_period)
    home, away = score(story, now)
    late = period > 3 or (period == 3 and second >= 900)
    return now._replace(state="CRIT") if late and abs(home - away) <= 1 else now


def length(game: ScheduledGame, story: Story, period: int) -> int:
    """Seconds of a period as played."""
    if period_type(game, period) == "SO":
        return PER_ATTEMPT * len(story.shootout)
    if period == story.last_period or (story.last_type == "SO" and period == 4):
        return story.last_second
    return 1200


def period_type(game: ScheduledGame, period: int) -> str:
    """REG, OT or SO: only a playoff game has overtimes beyond the first."""
    if period <= 3:
        return "REG"
    return "SO" if period == 5 and game.game_type != 3 else "OT"


def full_length(game: ScheduledGame, period: int) -> int:
    """Seconds on the clock when a period begins."""
    kind = period_type(game, period)
    if kind == "SO":
        return 0
    return 300 if kind == "OT" and game.game_type != 3 else 1200


def score(story: Story, now: Moment) -> tuple[int, int]:
    """Goals of the home and the away team by now; who wins a shoot-out gets one when it is over."""
    if now.over:
        return story.score
    sides = [goal.side for goal in story.goals if (goal.period, goal.second) <= (now.period, now.second)]
    return sides.count(0), sides.count(1)
