"""The types of the simulated league: `engine.Engine` creates them, and the pages are written from them.

They are immutable data. Times in a game are seconds since the period began; instants are datetimes in UTC; dates are
Eastern. `side` is 0 for the home team and 1 for the away team, and so is the index in each pair.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, TypeAlias

LocalizedText: TypeAlias = tuple[tuple[str, str], ...]
"""Localized text: (language, words) pairs, ("default", ...) first, others only where they differ. Use dict(text)."""

HOME, AWAY = 0, 1


class Team(NamedTuple):
    """A club in one season. A club that moves gets a new team id and keeps its franchise id."""

    team_id: int  # above 100
    franchise_id: int  # stays when the club moves
    abbrev: str  # three capitals that no NHL team has
    place: LocalizedText
    place_with_preposition: LocalizedText
    common_name: LocalizedText  # "Herons"
    arena: LocalizedText
    city: LocalizedText  # of the arena
    timezone: str  # IANA name: "America/New_York"
    venue_timezone: str  # as the schedule writes it: "US/Eastern"
    conference: str  # "Eastern"
    division: str  # "Atlantic"
    coach: LocalizedText


class Skills(NamedTuple):
    """The skills of a player; 1.0 is average unless stated."""

    shoot: float  # shot attempts per minute, relative to the position
    finish: float  # goals per shot, relative
    make: float  # assists, relative
    faceoff: float  # share of faceoffs won against an average center, 0.5 is average
    hit: float
    block: float
    temper: float  # penalties taken
    save: float  # goalies: goals against, relative, lower is better
    rank: float  # orders lines, pairs and goalies: higher plays more


class DraftPick(NamedTuple):
    """The draft pick of a player; undrafted players have none."""

    year: int
    team_abbrev: str
    round: int
    pick_in_round: int
    overall_pick: int


class Player(NamedTuple):
    """An invented player, the same in all seasons; team, number and age depend on the season."""

    player_id: int  # 7 digits, 89xxxxx
    first: LocalizedText
    last: LocalizedText
    position: str  # "C" "L" "R" "D" "G", as on the landing page; for a game see RosterSpot.position
    shoots: str  # "L" or "R"; catches for goalies
    birth_date: date
    birth_city: LocalizedText
    birth_state: LocalizedText  # () if the country has none
    country: str  # "CAN"
    height_in: int
    weight_lb: int
    draft: DraftPick | None
    debut: int  # first season in the league, 20182019
    skills: Skills


class RosterSpot(NamedTuple):
    """A player of a club, with the number and, for a game, the position in it."""

    player: Player
    team_id: int
    number: int
    position: str


class Season(NamedTuple):
    """One season: its clubs and its dates (Eastern)."""

    season: int  # 20242025
    teams: tuple[Team, ...]
    preseason_start: date
    start: date  # first day of the regular season
    end: date  # last day of the regular season
    playoff_end: date  # last day on which a game may be played


class Series(NamedTuple):
    """The series of a playoff game; its game id is 03 0 round letter game."""

    round: int  # 1 to 4
    letter: str  # "A" to "O"
    number: int  # of the series inside the round, from 1
    game: int  # 1 to 7
    top_seed_id: int  # team with home ice in games 1, 2, 5 and 7
    bottom_seed_id: int


class ScheduledGame(NamedTuple):
    """A game of the calendar, played or not."""

    game_id: int
    season: int
    game_type: int  # 1 preseason, 2 regular season, 3 playoffs
    home_id: int
    away_id: int
    start: datetime  # UTC; as played, or as planned if it never was
    day: date  # Eastern date of `start`
    first_start: datetime  # UTC; as first announced; differs from `start` only for postponed games
    first_day: date
    arena: LocalizedText
    city: LocalizedText
    neutral_site: bool
    timezone: str  # IANA name of the arena's time zone
    venue_timezone: str  # "US/Eastern"
    shown_from: datetime  # when the schedule first shows it: long before the season, except for playoffs
    removed_at: datetime | None  # when the schedule stops showing it: an "if necessary" game that was not needed
    postponed_at: datetime | None  # when it becomes PPD on `first_day`
    rescheduled_at: datetime | None  # when it moves to `day`
    cancelled_at: datetime | None  # when it becomes CNCL, permanently
    if_necessary: bool
    series: Series | None

    @property
    def is_played(self) -> bool:
        """Whether the game is ever played."""
        return self.cancelled_at is None and self.removed_at is None


class Lineup(NamedTuple):
    """The dressed players of one team."""

    team_id: int
    lines: tuple[tuple[RosterSpot, ...], ...]  # four times three forwards
    pairs: tuple[tuple[RosterSpot, ...], ...]  # three times two defensemen
    goalies: tuple[RosterSpot, ...]  # starter first, then the backup
    scratches: tuple[RosterSpot, ...]  # healthy or injured, not dressed
    coach: LocalizedText

    @property
    def dressed_players(self) -> tuple[RosterSpot, ...]:
        """Return all twenty: forwards, defensemen, goalies."""
        return (*(spot for line in (*self.lines, *self.pairs) for spot in line), *self.goalies)


class Goal(NamedTuple):
    """A goal, not in a shootout."""

    period: int
    second: int
    side: int  # HOME or AWAY, of the scorers
    scorer: int  # player ids throughout
    assists: tuple[int, ...]
    goalie: int | None  # who was scored on; None for an empty net
    situation: str  # before the goal
    penalty_shot: bool


class Penalty(NamedTuple):
    """One row of the penalty summary."""

    period: int
    second: int  # of the whistle
    side: int  # penalized
    type_code: str  # MIN MAJ BEN MIS GAM MAT PS
    desc: str  # "hooking"
    minutes: int
    player: int | None  # None for bench minors
    drawn_by: int | None
    served_by: int | None
    delayed_from: int | None  # for a delayed penalty, the second of the signal; same period
    situation: str  # before the penalty


class ShootoutAttempt(NamedTuple):
    """One attempt of a shootout, in order."""

    side: int
    shooter: int
    goalie: int
    outcome: str  # "goal", "shot-on-goal", "missed-shot", "failed-shot-attempt"
    winner: bool  # the goal that decides


class StrengthSegment(NamedTuple):
    """A part of a period in which the strength does not change: seconds start to end - 1."""

    period: int
    start: int
    end: int
    skaters: tuple[int, int]  # home, away
    goalies: tuple[int | None, int | None]  # player ids; None for an empty net
    unavailable: tuple[tuple[int, ...], tuple[int, ...]]  # players who cannot play now: penalized, serving or ejected
    off_for_delay: bool = False  # a goalie is off for a delayed penalty, not to tie the game late


class GameOutcome(NamedTuple):
    """The outcome of a game: all that scores, standings and schedules need. It is cheap to simulate."""

    game_id: int
    lineups: tuple[Lineup, Lineup]
    goals: tuple[Goal, ...]  # by time
    penalties: tuple[Penalty, ...]  # by time
    cancelled_penalties: tuple[
        Penalty, ...
    ]  # delayed penalties that a goal of the other team cancelled: the page has the signal, but no penalty
    shootout: tuple[ShootoutAttempt, ...]
    segments: tuple[StrengthSegment, ...]  # by time, without gaps
    # (period, since, second): players wait in the box since `since`, and the next stoppage is at `second`, or None if a
    # goal, a penalty or the end of the period comes first
    whistles: tuple[tuple[int, int, int | None], ...]
    score: tuple[int, int]  # including the goal for a shootout win
    last_period: int  # 3, 4 (overtime), 5 (shootout; or the second overtime of a playoff game) ...
    last_period_type: str  # "REG" "OT" "SO"
    last_second: int  # seconds of the last period with a clock
    winning_goalie: int
    losing_goalie: int
    winning_goal: int | None  # scorer of the winning goal; None after a shootout (see shootout)
    referees: tuple[LocalizedText, ...]
    linesmen: tuple[LocalizedText, ...]


class Event(NamedTuple):
    """One row of the play-by-play page in its newest format, in which a block belongs to the shooter's team."""

    event_id: int  # unique in the game, not ordered
    sort_order: int  # increasing, with gaps
    period: int
    period_type: str  # "REG" "OT" "SO"
    second: int  # elapsed in the period
    kind: str  # typeDescKey: "faceoff", "hit", "goal", "shot-on-goal", "delayed-penalty" ...
    type_code: int  # 502 ...
    situation: str | None  # "1551": away goalie, away skaters, home skaters, home goalie, before the event
    home_defending_side: str  # "left" or "right"
    side: int | None = None  # acting team: winner, hitter, shooter, penalized; None for stoppages and periods
    x: int | None = None  # feet from center, as on the page
    y: int | None = None
    zone: str | None = None  # "O" "N" "D" from the acting team's view; for blocked shots from the blocker's
    player: int | None = None  # shooter, scorer, hitter, faceoff winner, committed by, player of giveaway or takeaway
    other_player: int | None = None  # hittee, faceoff loser, blocker, drawn by
    served_by: int | None = None
    assists: tuple[int, ...] = ()
    goalie: int | None = None  # goalieInNetId; None for an empty net
    shot_type: str | None = None
    reason: str | None = None  # of a miss, a block ("blocked", "teammate-blocked") or a stoppage
    secondary_reason: str | None = None  # secondaryReason of a stoppage
    penalty_type: str | None = None  # MIN ...
    desc: str | None = None  # descKey of a penalty
    minutes: int | None = None
    score: tuple[int, int] | None = None  # (home, away) after a goal
    sog: tuple[int, int] | None = None  # (home, away) after a shot on goal that was saved
    penalty_shot: bool = False
    rebound: bool = False  # truth, not on the page
    rush: bool = False  # truth, not on the page


class Shift(NamedTuple):
    """A player's shift: seconds start to end - 1 of a period."""

    player_id: int
    team_id: int
    number: int  # counts from 1 over the game, per player
    period: int
    start: int
    end: int


class Game(NamedTuple):
    """A game in full."""

    scheduled: ScheduledGame
    outcome: GameOutcome
    events: tuple[Event, ...]  # by sort_order
    shifts: tuple[Shift, ...]  # by player, then time


class Result(NamedTuple):
    """The outcome of a finished game."""

    game_id: int
    day: date
    home_id: int
    away_id: int
    home_goals: int
    away_goals: int
    last_period_type: str  # "REG" "OT" "SO"
    ended_at: datetime  # UTC
