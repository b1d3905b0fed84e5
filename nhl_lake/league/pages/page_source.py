"""The data that every page is written from."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nhl_lake.league.defects import PageDefects
from nhl_lake.league.engine import Engine
from nhl_lake.league.model import ScheduledGame, Season, Team
from nhl_lake.league.quirks import FEW_DEFECTS, DefectShares

EASTERN = ZoneInfo("America/New_York")

Page = dict[str, object]


class PageSource(NamedTuple):
    """The engine, the seed of the quirks, the seasons in order, and the shares of games with defects."""

    engine: Engine
    seed: int
    seasons: tuple[int, ...]
    shares: DefectShares = FEW_DEFECTS

    def get_page_defects(self, game_id: int) -> PageDefects:
        """Return the defects of the pages of a game that is played."""
        return PageDefects(self.seed, self.shares, game_id, self.engine.get_end_time(game_id))

    def find_game(self, game_id: int) -> ScheduledGame | None:
        """Return a game of these seasons, or None."""
        return (
            self.engine.find_game(game_id)
            if game_id // 1_000_000 in {season // 10_000 for season in self.seasons}
            else None
        )

    def find_team(self, season: int, team_id: int) -> Team:
        """Return a club in a season."""
        return next(team for team in self.engine.season(season).teams if team.team_id == team_id)

    def list_games(self, season: int, as_of: datetime) -> list[ScheduledGame]:
        """Return the games before the playoffs that the schedule shows at a time."""
        return [game for game in self.engine.schedule(season) if is_shown(game, as_of)]

    def list_playoff_games(self, season: int, as_of: datetime) -> list[ScheduledGame]:
        """Return the playoff games that the schedule shows at a time. Slow: it simulates the whole season."""
        over = to_eastern_date(as_of) >= self.engine.season(season).end
        return [game for game in self.engine.playoffs(season) if is_shown(game, as_of)] if over else []

    def find_meetings(self, game: ScheduledGame, as_of: datetime) -> list[ScheduledGame]:
        """Return the games of two teams in a regular season or series; a preseason page shows them too."""
        games = (
            self.list_playoff_games(game.season, as_of) if game.game_type == 3 else self.list_games(game.season, as_of)
        )
        teams = {game.home_id, game.away_id}
        found = [other for other in games if other.game_type != 1 and {other.home_id, other.away_id} == teams]
        return sorted(found, key=lambda other: (other.start, other.game_id))

    def find_season(self, day: date) -> Season:
        """Return the season on a day, or the next one; the last one if none follows."""
        seasons = [self.engine.season(season) for season in self.seasons]
        return next((season for season in seasons if day <= season.playoff_end), seasons[-1])


def is_shown(game: ScheduledGame, as_of: datetime) -> bool:
    """Whether the schedule shows a game at a time; a game that was not needed disappears permanently."""
    return game.shown_from <= as_of and (game.removed_at is None or as_of < game.removed_at)


def to_eastern_date(moment: datetime) -> date:
    """Return the date in New York."""
    return moment.astimezone(EASTERN).date()
