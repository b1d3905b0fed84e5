"""The status of a game at a time: its state and its clock."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from nhl_lake.league.model import GameOutcome, ScheduledGame
from nhl_lake.league.pages.page_source import PageSource

WARM_UP = timedelta(minutes=30)
FINAL_AFTER = timedelta(minutes=10)  # OVER until then
OFFICIAL_AT = time(12, tzinfo=UTC)  # of the next day: OFF from then
SECONDS_PER_ATTEMPT = 40  # seconds of a shootout that one attempt takes, as the engine has it


class ScheduleListing(NamedTuple):
    """The listing of a game in the schedule. A postponed game stays on its first day until it has a new one."""

    day: date
    start: datetime
    state: str  # gameScheduleState


def find_listing(game: ScheduledGame, as_of: datetime) -> ScheduleListing:
    """Return when a game is to be played, as announced at a time."""
    if game.cancelled_at and game.cancelled_at <= as_of:
        return ScheduleListing(game.day, game.start, "CNCL")
    if game.rescheduled_at is None or game.rescheduled_at <= as_of:
        return ScheduleListing(game.day, game.start, "OK")
    off = game.postponed_at is not None and game.postponed_at <= as_of
    return ScheduleListing(game.first_day, game.first_start, "PPD" if off else "OK")


class GameStatus(NamedTuple):
    """The state of a game, its period (0 before the game), and the seconds since the period began.

    In a shootout, whose clock does not run, the seconds since it began.
    """

    state: str
    period: int = 0
    second: int = 0
    intermission: bool = False

    @property
    def has_started(self) -> bool:
        """Whether the game has started."""
        return self.period > 0

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return self.state in ("OVER", "FINAL", "OFF")

    @property
    def is_final(self) -> bool:
        """Whether the score is final."""
        return self.state in ("FINAL", "OFF")


def find_game_status(source: PageSource, game: ScheduledGame, as_of: datetime) -> GameStatus:
    """Return the status of a game."""
    if not game.is_played or as_of < game.start - WARM_UP:
        return GameStatus("FUT")
    if as_of < game.start:
        return GameStatus("PRE")
    outcome = source.engine.get_outcome(game.game_id)
    ended = source.engine.get_end_time(game.game_id)
    if as_of < ended:
        return _find_live_status(source, game, outcome, as_of)
    last = GameStatus("OVER", outcome.last_period, get_period_length(game, outcome, outcome.last_period))
    if as_of < ended + FINAL_AFTER:
        return last
    official = max(datetime.combine(game.day + timedelta(days=1), OFFICIAL_AT), ended + timedelta(hours=1))
    return last._replace(state="FINAL" if as_of < official or game.game_type == 1 else "OFF")


def _find_live_status(source: PageSource, game: ScheduledGame, outcome: GameOutcome, as_of: datetime) -> GameStatus:
    wall = source.engine.compute_real_time
    begun = [period for period in range(1, outcome.last_period + 1) if wall(game, period, 0) <= as_of]
    period = begun[-1] if begun else 1
    seconds = range(get_period_length(game, outcome, period) + 1)
    second = max(bisect_right(seconds, as_of, key=lambda s: wall(game, period, s)) - 1, 0)
    now = GameStatus("LIVE", period, second, intermission=second == seconds[-1] and period < outcome.last_period)
    home, away = count_goals(outcome, now)
    late = period > 3 or (period == 3 and second >= 900)
    return now._replace(state="CRIT") if late and abs(home - away) <= 1 else now


def get_period_length(game: ScheduledGame, outcome: GameOutcome, period: int) -> int:
    """Return the length of a period as played, in seconds."""
    if get_period_type(game, period) == "SO":
        return SECONDS_PER_ATTEMPT * len(outcome.shootout)
    if period == outcome.last_period or (outcome.last_period_type == "SO" and period == 4):
        return outcome.last_second
    return 1200


def get_period_type(game: ScheduledGame, period: int) -> str:
    """Return REG, OT or SO. Only a playoff game has more than one overtime."""
    if period <= 3:
        return "REG"
    return "SO" if period == 5 and game.game_type != 3 else "OT"


def get_full_length(game: ScheduledGame, period: int) -> int:
    """Return the seconds on the clock when a period begins."""
    kind = get_period_type(game, period)
    if kind == "SO":
        return 0
    return 300 if kind == "OT" and game.game_type != 3 else 1200


def count_goals(outcome: GameOutcome, now: GameStatus) -> tuple[int, int]:
    """Return the goals of both teams by now; a shootout win adds one when it is over."""
    if now.is_over:
        return outcome.score
    sides = [goal.side for goal in outcome.goals if (goal.period, goal.second) <= (now.period, now.second)]
    return sides.count(0), sides.count(1)
