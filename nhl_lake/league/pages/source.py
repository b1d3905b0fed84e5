"""What every page is written from."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nhl_lake.league.broken import Troubles
from nhl_lake.league.engine import Engine
from nhl_lake.league.model import ScheduledGame, Season, Team
from nhl_lake.league.quirks import CALM, Shares

EASTERN = ZoneInfo("America/New_York")

Page = dict[str, object]


class Source(NamedTuple):
    """The engine, the seed of the quirks, the seasons that exist, in order, and how many games are wrong at first."""

    engine: Engine
    seed: int
    seasons: tuple[int, ...]
    shares: Shares = CALM

    def troubles(self, game_id: int) -> Troubles:
        """How the pages of a game that is played are broken at first."""
        return Troubles(self.seed, self.shares, game_id, self.engine.ended(game_id))

    def game(self, game_id: int) -> ScheduledGame | None:
        """A game of these seasons, or None."""
        return (
            self.engine.find(game_id) if game_id // 1_000_000 in {season // 10_000 for season in self.seasons} else None
        )

    def team(self, season: int, team_id: int) -> Team:
        """A club as it is in a season."""
        return next(team for team in self.engine.season(season).teams if team.team_id == team_id)

    def games(self, season: int, as_of: datetime) -> list[ScheduledGame]:
        """The games of a season before the playoffs that the schedule shows at a moment."""
        return [game for game in self.engine.schedule(season) if shown(game, as_of)]

    def playoffs(self, season: int, as_of: datetime) -> list[ScheduledGame]:
        """The playoff games that the schedule shows at a moment: they take the whole season, so ask for them last."""
        over = eastern(as_of) >= self.engine.season(season).end
        return [game for game in self.engine.playoffs(season) if shown(game, as_of)] if over else []

    def meetings(self, game: ScheduledGame, as_of: datetime) -> list[ScheduledGame]:
        """The games of two teams in a regular season, or in a series: also what a preseason page shows."""
        games = self.playoffs(game.season, as_of) if game.game_type == 3 else self.games(game.season, as_of)
        teams = {game.home_id, game.away_id}
        found = [other for other in games if other.game_type != 1 and {other.home_id, other.away_id} == teams]
        return sorted(found, key=lambda other: (other.start, other.game_id))

    def season_on(self, day: date) -> Season:
        """The season that runs on a day, or the next one; the last one when none comes after."""
        seasons = [self.engine.season(season) for season in self.seasons]
        return next((season for season in seasons if day <= season.playoff_end), seasons[-1])


def shown(game: ScheduledGame, as_of: datetime) -> bool:
    """Whether the schedule shows a game at a moment; one that was not necessary goes for good."""
    return game.appears <= as_of and (game.vanishes is None or as_of < game.vanishes)


def eastern(moment: datetime) -> date:
    """The date in New York."""
    return moment.astimezone(EASTERN).date()
