"""Request rules: when a run requests a page of the API. An endpoint declares one, and the planner follows it.

A rule is data. It names the pages of its table by the columns in `parameters`, from which the path of the endpoint is
filled. All rules except `EveryRun` and `WithSchedule` share one list of reasons in the planner: a page is missing,
not found (404), not official yet, empty or incomplete, older than its rule allows, or due a second look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, NamedTuple

import polars as pl

Parameters = Mapping[str, type[pl.DataType]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerGame:
    """One page for each final game.

    first_season: games of earlier seasons have no such page. fallback_for: the name of another game page; this one is
    requested only when that one is empty, incomplete or not found. second_look_after: the name of another game page;
    this one gets a second look when that one has changed, and not at the ages of `NHL_LAKE_SECOND_LOOKS`.
    confirms_final: this page says whether a game is over. It is also requested for a game that must be over although
    the schedule does not say so.
    """

    parameters: ClassVar[Parameters] = {
        "season": pl.Int32, "game_id": pl.Int64, "game_date": pl.Date, "state": pl.String, "report_number": pl.String,
    }  # fmt: skip
    first_season: int | None = None
    fallback_for: str | None = None
    second_look_after: str | None = None
    confirms_final: bool = False

    def describe(self) -> str:
        """Say when a page is requested."""
        since = f", from season {self.first_season} on" if self.first_season else ""
        if self.fallback_for:
            since += f", when its page in `{self.fallback_for}` is empty, incomplete or not found"
        looks = (
            f"when its page in `{self.second_look_after}` has changed"
            if self.second_look_after
            else "at the ages of `NHL_LAKE_SECOND_LOOKS`"
        )
        return f"once for each final game{since}; again until it is official and complete, and {looks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerDay:
    """One page for each day whose regular-season games are all final.

    settle_time: after the start of the day's last game; a page fetched earlier is requested once more.
    """

    parameters: ClassVar[Parameters] = {"season": pl.Int32, "game_date": pl.Date}
    settle_time: timedelta

    def describe(self) -> str:
        """Say when a page is requested."""
        return (
            "once for each day whose regular-season games are all final; once more if it was fetched less than "
            f"{format_interval(self.settle_time)} after the start of the last game"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerTeamSeason:
    """One page for each team with regular-season games in a season, renewed until these are over.

    after_first_game: there is no page before the team has played one of them.
    """

    parameters: ClassVar[Parameters] = {"season": pl.Int32, "team_abbrev": pl.String}
    refresh_every: timedelta
    after_first_game: bool = False

    def describe(self) -> str:
        """Say when a page is requested."""
        begins = ", after its first regular-season game" if self.after_first_game else ""
        return (
            f"for each team and season{begins}; again every {format_interval(self.refresh_every)} until the regular "
            "season is over"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerPlayer:
    """One page for each player in the lineups and rosters of the seasons of a run."""

    parameters: ClassVar[Parameters] = {"player_id": pl.Int64}
    refresh_every: timedelta

    def describe(self) -> str:
        """Say when a page is requested."""
        return f"for each player in a lineup or on a roster; again every {format_interval(self.refresh_every)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerSeason:
    """One page for each season of a run, renewed until the season is over."""

    parameters: ClassVar[Parameters] = {"season": pl.Int32}
    refresh_every: timedelta

    def describe(self) -> str:
        """Say when a page is requested."""
        return f"for each season; again every {format_interval(self.refresh_every)} until the season is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerYear:
    """One page for each calendar year that the seasons of a run touch, renewed until the year is over."""

    parameters: ClassVar[Parameters] = {"year": pl.Int32}
    refresh_every: timedelta

    def describe(self) -> str:
        """Say when a page is requested."""
        interval = format_interval(self.refresh_every)
        return f"for each calendar year of a season; again every {interval} until the year is over"


class Subject(NamedTuple):
    """What `AfterGames` has a page of: its name in text, its parameters, and the game types that it has pages of."""

    name: str
    parameters: Parameters
    game_types: tuple[int, ...]


SEASON_AND_TYPE: Parameters = {"season": pl.Int32, "game_type": pl.Int16}
SKATER = Subject("skater", {**SEASON_AND_TYPE, "player_id": pl.Int64}, (2, 3))
GOALIE = Subject("goalie", {**SEASON_AND_TYPE, "player_id": pl.Int64}, (2, 3))
TEAM = Subject("team", {**SEASON_AND_TYPE, "team_id": pl.Int32}, (2, 3))
PLAYOFFS = Subject("playoffs", {"season": pl.Int32, "year": pl.Int32}, (3,))


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterGames:
    """One page for each subject and season (of players and teams: and game type), renewed after days with games.

    It is renewed once after each day on which the subject has played, however many runs a day has. settle_time: after
    the start of a game; a page fetched earlier may lack the game. first_season: earlier seasons have no such page. A
    page that was not found is requested again when the subject has played since.
    """

    subject: Subject
    settle_time: timedelta
    refresh_every: timedelta
    first_season: int | None = None

    @property
    def parameters(self) -> Parameters:
        """The columns that name a page."""
        return self.subject.parameters

    def describe(self) -> str:
        """Say when a page is requested."""
        since = f", from season {self.first_season} on" if self.first_season else ""
        pages = (
            "for each season whose playoffs have begun"
            if self.subject is PLAYOFFS
            else f"for each {self.subject.name} that has played, by season and game type{since}"
        )
        again = "new games" if self.subject is PLAYOFFS else f"the {self.subject.name} has played"
        return f"once {pages}; again after {again}, at most every {format_interval(self.refresh_every)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerValue:
    """One page for each of a few fixed values of a parameter, renewed for ever."""

    parameter: str
    values: tuple[str, ...]
    refresh_every: timedelta

    @property
    def parameters(self) -> Parameters:
        """The column that names a page."""
        return {self.parameter: pl.String}

    def describe(self) -> str:
        """Say when a page is requested."""
        return f"for {' and '.join(self.values)}; again every {format_interval(self.refresh_every)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryRun:
    """A list with one address: every run fetches it before it reads the schedule."""

    parameters: ClassVar[Parameters] = {}

    def describe(self) -> str:
        """Say when a page is requested."""
        return "in every run"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithSchedule:
    """A week of the schedule: `nhl_lake.ingest.schedule` reads it, and `schedule_plan` says which weeks are due."""

    parameters: ClassVar[Parameters] = {"day": pl.Date}

    def describe(self) -> str:
        """Say when a page is requested."""
        return "week by week: the weeks around today in every run, the rest of the season once a week"


RequestRule = (
    OnePerGame
    | OnePerDay
    | OnePerTeamSeason
    | OnePerPlayer
    | OnePerSeason
    | OnePerYear
    | AfterGames
    | OnePerValue
    | EveryRun
    | WithSchedule
)


def format_interval(interval: timedelta) -> str:
    """Return an interval as text: `20 hours`, `7 days`."""
    hours = round(interval / timedelta(hours=1))
    if hours == 1:
        return "hour"
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"
