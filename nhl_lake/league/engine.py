"""The engine's one door: a league from a seed. Pages are written from what it answers."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta

from . import calendar, playoffs, world
from .game import play
from .game_outcome import story
from .lineup import lineup
from .model import HOME, Game, Lineup, Player, Result, ScheduledGame, Season, Spot, Story, Text
from .names import official
from .parameters import HOME_GOALS
from .seeds import source
from .truth import Truth, truth

STORIES, GAMES = 3000, 24  # kept in memory: 6 kB and 300 kB each
PACE = 1.85  # seconds on the wall for one on the clock
INTERMISSION, BEFORE_OVERTIME, CEREMONY = timedelta(minutes=18), timedelta(minutes=3), timedelta(minutes=8)


class Engine:
    """Games, rosters and calendars of every season, made when asked for; `model` says what the answers mean."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._stories: OrderedDict[int, Story] = OrderedDict()
        self._games: OrderedDict[int, tuple[Game, Truth]] = OrderedDict()
        self._results: dict[int, tuple[Result, ...]] = {}
        self._playoffs: dict[int, tuple[ScheduledGame, ...]] = {}
        self._found: dict[int, dict[int, ScheduledGame]] = {}
        self._days: dict[int, frozenset[tuple[int, date]]] = {}

    def season(self, number: int) -> Season:
        """The clubs and dates of a season."""
        return calendar.season(self.seed, number)

    def schedule(self, number: int) -> tuple[ScheduledGame, ...]:
        """Preseason and regular season, in the order of ids."""
        return calendar.schedule(self.seed, number)

    def playoffs(self, number: int) -> tuple[ScheduledGame, ...]:
        """The playoffs, games that vanished included."""
        if number not in self._playoffs:
            games = playoffs.playoffs(self.seed, self.season(number), self._season_results(number), self._play_now)
            self._playoffs[number] = games
        return self._playoffs[number]

    def find(self, game_id: int) -> ScheduledGame | None:
        """A game of the calendar by its id; playoff games need the whole season's stories."""
        first = game_id // 1_000_000
        number = first * 10_000 + first + 1
        kind = game_id // 10_000 % 100
        if kind == 3:
            return next((game for game in self.playoffs(number) if game.game_id == game_id), None)
        if kind not in (1, 2):
            return None
        if number not in self._found:
            self._found[number] = {game.game_id: game for game in self.schedule(number)}
        return self._found[number].get(game_id)

    def story(self, game_id: int) -> Story:
        """The story of a game that is played some day."""
        if game_id not in self._stories:
            self._keep(self._scheduled(game_id))
        self._stories.move_to_end(game_id)
        return self._stories[game_id]

    def game(self, game_id: int) -> Game:
        """A game in full."""
        return self._both(game_id)[0]

    def truth(self, game_id: int) -> Truth:
        """What a perfect observer knows of a game."""
        return self._both(game_id)[1]

    def results(self, number: int, as_of: datetime) -> tuple[Result, ...]:
        """The regular-season games that have ended by a moment, in the order in which they ended."""
        games = (game for game in self.schedule(number) if game.game_type == 2 and game.played)
        started = [game for game in games if game.start <= as_of]
        if number in self._results:
            return tuple(result for result in self._results[number] if result.ended <= as_of)
        ended = [result for result in map(self._result, started) if result.ended <= as_of]
        return tuple(sorted(ended, key=lambda result: (result.ended, result.game_id)))

    def ended(self, game_id: int) -> datetime:
        """When a game ends."""
        return self._result(self._scheduled(game_id)).ended

    def wall(self, game: ScheduledGame, period: int, second: int) -> datetime:
        """When a second of a game is played; in a shoot-out seconds are those since it began."""
        start = game.start + CEREMONY + (min(period, 4) - 1) * (timedelta(seconds=1200 * PACE) + INTERMISSION)
        if game.game_type == 3:
            start += max(0, period - 4) * (timedelta(seconds=1200 * PACE) + INTERMISSION)
        elif period >= 4:
            start -= INTERMISSION - BEFORE_OVERTIME
        if period == 5 and game.game_type != 3:
            return start + timedelta(seconds=300 * PACE) + BEFORE_OVERTIME + timedelta(seconds=second)
        return start + timedelta(seconds=second * PACE)

    def roster(self, number: int, team_id: int, day: date) -> tuple[Spot, ...]:
        """The players of a club on an Eastern date."""
        return world.roster(world.year(self.seed, number), team_id, day)

    def people(self, number: int) -> dict[int, Player]:
        """Everybody under contract at some time in a season."""
        return world.year(self.seed, number).people

    def club_of(self, number: int, player_id: int, day: date) -> int | None:
        """The club of a player on an Eastern date."""
        known = world.year(self.seed, number)
        for team in known.teams:
            if any(spot.player.player_id == player_id for spot in world.slots(known, team.team_id, day)):
                return team.team_id
        return None

    def _scheduled(self, game_id: int) -> ScheduledGame:
        game = self.find(game_id)
        if game is None or not game.played:
            raise KeyError(game_id)
        return game

    def _keep(self, game: ScheduledGame) -> Story:
        if game.game_id not in self._stories:
            self._stories[game.game_id] = self._tell(game)
            if len(self._stories) > STORIES:
                self._stories.popitem(last=False)
        return self._stories[game.game_id]

    def _both(self, game_id: int) -> tuple[Game, Truth]:
        if game_id not in self._games:
            game = self._scheduled(game_id)
            played = play(source(self.seed, "detail", game_id), game, self.story(game_id))
            self._games[game_id] = (played.game, truth(played))
            if len(self._games) > GAMES:
                self._games.popitem(last=False)
        self._games.move_to_end(game_id)
        return self._games[game_id]

    def _tell(self, game: ScheduledGame) -> Story:
        rng = source(self.seed, "story", game.game_id)
        lineups = (self._lineup(game, game.home_id), self._lineup(game, game.away_id))
        strength = world.year(self.seed, game.season).strength
        edge = strength[game.home_id] - strength[game.away_id]
        saves = [max(0.8, line.goalies[0].player.skills.save) for line in lineups]
        factors = (HOME_GOALS * max(0.6, 1 + edge) * saves[1], max(0.6, 1 - edge) * saves[0] / HOME_GOALS)
        told = story(rng, lineups, factors, playoffs=game.game_type == 3, officials=self._officials(game))
        return told._replace(game_id=game.game_id)

    def _lineup(self, game: ScheduledGame, team_id: int) -> Lineup:
        known = world.year(self.seed, game.season)
        team = next(team for team in known.teams if team.team_id == team_id)
        rng = source(self.seed, "lineup", game.game_id, team_id)
        tired = (team_id, game.day - timedelta(days=1)) in self._game_days(game.season)
        return lineup(rng, known, team, game.day, tired=tired, playoffs=game.game_type == 3)

    def _game_days(self, number: int) -> frozenset[tuple[int, date]]:
        if number not in self._days:
            games = self.schedule(number)
            self._days[number] = frozenset((team, g.day) for g in games for team in (g.home_id, g.away_id))
        return self._days[number]

    def _officials(self, game: ScheduledGame) -> tuple[Text, ...]:
        """Two referees and two linesmen out of some forty each."""
        rng = source(self.seed, "officials", game.game_id)
        crew = [("referee", n) for n in rng.sample(range(40), 2)] + [("linesman", n) for n in rng.sample(range(36), 2)]
        return tuple(official(source(self.seed, kind, n)) for kind, n in crew)

    def _play_now(self, game: ScheduledGame) -> Result:
        """The result of a playoff game while the bracket is still being worked out."""
        self._keep(game)
        return self._result(game)

    def _result(self, game: ScheduledGame) -> Result:
        told = self._keep(game)
        last = 40 * len(told.shootout) if told.last_type == "SO" else told.last_second
        ended = self.wall(game, told.last_period, last) + timedelta(seconds=90)
        home, away = told.score[HOME], told.score[1 - HOME]
        return Result(game.game_id, game.day, game.home_id, game.away_id, home, away, told.last_type, ended)

    def _season_results(self, number: int) -> tuple[Result, ...]:
        if number not in self._results:
            self._results[number] = self.results(number, datetime.max.replace(tzinfo=UTC))
        return self._results[number]
