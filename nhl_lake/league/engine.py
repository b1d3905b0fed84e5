"""The engine: a league simulated from a seed. Pages are written from its results."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta

from nhl_lake.league import calendar, contracts, playoffs
from nhl_lake.league.game import simulate_game
from nhl_lake.league.game_outcome import simulate_outcome
from nhl_lake.league.lineup import pick_lineup
from nhl_lake.league.model import (
    HOME,
    Game,
    GameOutcome,
    Lineup,
    LocalizedText,
    Player,
    Result,
    RosterSpot,
    ScheduledGame,
    Season,
)
from nhl_lake.league.names import draw_official_name
from nhl_lake.league.parameters import HOME_GOALS
from nhl_lake.league.seeds import create_rng
from nhl_lake.league.truth import Truth, compute_truth

OUTCOME_CACHE_SIZE, GAME_CACHE_SIZE = 3000, 24  # kept in memory: 6 kB and 300 kB each
REAL_TIME_FACTOR = 1.85  # real seconds for one second of the game clock
INTERMISSION, OVERTIME_BREAK, OPENING_CEREMONY = timedelta(minutes=18), timedelta(minutes=3), timedelta(minutes=8)


class Engine:
    """Games, rosters and calendars of every season, simulated on demand; see `model` for the types."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._outcomes: OrderedDict[int, GameOutcome] = OrderedDict()
        self._games: OrderedDict[int, tuple[Game, Truth]] = OrderedDict()
        self._results: dict[int, tuple[Result, ...]] = {}
        self._playoffs: dict[int, tuple[ScheduledGame, ...]] = {}
        self._games_by_id: dict[int, dict[int, ScheduledGame]] = {}
        self._team_days: dict[int, frozenset[tuple[int, date]]] = {}

    def season(self, number: int) -> Season:
        """Return the clubs and dates of a season."""
        return calendar.plan_season(self.seed, number)

    def schedule(self, number: int) -> tuple[ScheduledGame, ...]:
        """Return the preseason and regular season, in the order of ids."""
        return calendar.plan_schedule(self.seed, number)

    def playoffs(self, number: int) -> tuple[ScheduledGame, ...]:
        """Return the games of the playoffs, also those that were not needed."""
        if number not in self._playoffs:
            games = playoffs.plan_playoffs(
                self.seed, self.season(number), self._list_season_results(number), self._play_playoff_game
            )
            self._playoffs[number] = games
        return self._playoffs[number]

    def find_game(self, game_id: int) -> ScheduledGame | None:
        """Return a game of the calendar by its id. Playoff games need the results of the whole season."""
        first = game_id // 1_000_000
        number = first * 10_000 + first + 1
        kind = game_id // 10_000 % 100
        if kind == 3:
            return next((game for game in self.playoffs(number) if game.game_id == game_id), None)
        if kind not in (1, 2):
            return None
        if number not in self._games_by_id:
            self._games_by_id[number] = {game.game_id: game for game in self.schedule(number)}
        return self._games_by_id[number].get(game_id)

    def get_outcome(self, game_id: int) -> GameOutcome:
        """Return the outcome of a game that is played at some time."""
        if game_id not in self._outcomes:
            self._cache_outcome(self._require_game(game_id))
        self._outcomes.move_to_end(game_id)
        return self._outcomes[game_id]

    def get_game(self, game_id: int) -> Game:
        """Return a game in full."""
        return self._simulate_game(game_id)[0]

    def get_truth(self, game_id: int) -> Truth:
        """Return the truth about a game: who was on the ice, and at which strength."""
        return self._simulate_game(game_id)[1]

    def list_results(self, number: int, as_of: datetime) -> tuple[Result, ...]:
        """Return the regular-season games that ended by a time, in the order in which they ended."""
        games = (game for game in self.schedule(number) if game.game_type == 2 and game.is_played)
        started = [game for game in games if game.start <= as_of]
        if number in self._results:
            return tuple(result for result in self._results[number] if result.ended_at <= as_of)
        ended = [result for result in map(self._build_result, started) if result.ended_at <= as_of]
        return tuple(sorted(ended, key=lambda result: (result.ended_at, result.game_id)))

    def get_end_time(self, game_id: int) -> datetime:
        """Return when a game ends."""
        return self._build_result(self._require_game(game_id)).ended_at

    def compute_real_time(self, game: ScheduledGame, period: int, second: int) -> datetime:
        """Return when a second of a game is played; in a shootout, seconds count from its start."""
        start = (
            game.start
            + OPENING_CEREMONY
            + (min(period, 4) - 1) * (timedelta(seconds=1200 * REAL_TIME_FACTOR) + INTERMISSION)
        )
        if game.game_type == 3:
            start += max(0, period - 4) * (timedelta(seconds=1200 * REAL_TIME_FACTOR) + INTERMISSION)
        elif period >= 4:
            start -= INTERMISSION - OVERTIME_BREAK
        if period == 5 and game.game_type != 3:
            return start + timedelta(seconds=300 * REAL_TIME_FACTOR) + OVERTIME_BREAK + timedelta(seconds=second)
        return start + timedelta(seconds=second * REAL_TIME_FACTOR)

    def roster(self, number: int, team_id: int, day: date) -> tuple[RosterSpot, ...]:
        """Return the players of a club on an Eastern date."""
        return contracts.list_roster(contracts.build_season_contracts(self.seed, number), team_id, day)

    def get_players(self, number: int) -> dict[int, Player]:
        """Return all players who are under contract at some time in a season."""
        return contracts.build_season_contracts(self.seed, number).players

    def find_team_id(self, number: int, player_id: int, day: date) -> int | None:
        """Return the club of a player on an Eastern date."""
        known = contracts.build_season_contracts(self.seed, number)
        for team in known.teams:
            if any(spot.player.player_id == player_id for spot in contracts.list_contracts(known, team.team_id, day)):
                return team.team_id
        return None

    def _require_game(self, game_id: int) -> ScheduledGame:
        game = self.find_game(game_id)
        if game is None or not game.is_played:
            raise KeyError(game_id)
        return game

    def _cache_outcome(self, game: ScheduledGame) -> GameOutcome:
        if game.game_id not in self._outcomes:
            self._outcomes[game.game_id] = self._simulate_outcome(game)
            if len(self._outcomes) > OUTCOME_CACHE_SIZE:
                self._outcomes.popitem(last=False)
        return self._outcomes[game.game_id]

    def _simulate_game(self, game_id: int) -> tuple[Game, Truth]:
        if game_id not in self._games:
            game = self._require_game(game_id)
            played = simulate_game(create_rng(self.seed, "detail", game_id), game, self.get_outcome(game_id))
            self._games[game_id] = (played.game, compute_truth(played))
            if len(self._games) > GAME_CACHE_SIZE:
                self._games.popitem(last=False)
        self._games.move_to_end(game_id)
        return self._games[game_id]

    def _simulate_outcome(self, game: ScheduledGame) -> GameOutcome:
        rng = create_rng(self.seed, "story", game.game_id)
        lineups = (self._pick_lineup(game, game.home_id), self._pick_lineup(game, game.away_id))
        strength = contracts.build_season_contracts(self.seed, game.season).strength
        edge = strength[game.home_id] - strength[game.away_id]
        saves = [max(0.8, line.goalies[0].player.skills.save) for line in lineups]
        factors = (HOME_GOALS * max(0.6, 1 + edge) * saves[1], max(0.6, 1 - edge) * saves[0] / HOME_GOALS)
        outcome = simulate_outcome(
            rng, lineups, factors, playoffs=game.game_type == 3, officials=self._draw_officials(game)
        )
        return outcome._replace(game_id=game.game_id)

    def _pick_lineup(self, game: ScheduledGame, team_id: int) -> Lineup:
        known = contracts.build_season_contracts(self.seed, game.season)
        team = next(team for team in known.teams if team.team_id == team_id)
        rng = create_rng(self.seed, "lineup", game.game_id, team_id)
        tired = (team_id, game.day - timedelta(days=1)) in self._find_team_days(game.season)
        return pick_lineup(rng, known, team, game.day, tired=tired, playoffs=game.game_type == 3)

    def _find_team_days(self, number: int) -> frozenset[tuple[int, date]]:
        if number not in self._team_days:
            games = self.schedule(number)
            self._team_days[number] = frozenset((team, g.day) for g in games for team in (g.home_id, g.away_id))
        return self._team_days[number]

    def _draw_officials(self, game: ScheduledGame) -> tuple[LocalizedText, ...]:
        """Draw two referees and two linesmen out of about forty each."""
        rng = create_rng(self.seed, "officials", game.game_id)
        crew = [("referee", n) for n in rng.sample(range(40), 2)] + [("linesman", n) for n in rng.sample(range(36), 2)]
        return tuple(draw_official_name(create_rng(self.seed, kind, n)) for kind, n in crew)

    def _play_playoff_game(self, game: ScheduledGame) -> Result:
        """Return the result of a playoff game while the bracket is still being computed."""
        self._cache_outcome(game)
        return self._build_result(game)

    def _build_result(self, game: ScheduledGame) -> Result:
        outcome = self._cache_outcome(game)
        last = 40 * len(outcome.shootout) if outcome.last_period_type == "SO" else outcome.last_second
        ended = self.compute_real_time(game, outcome.last_period, last) + timedelta(seconds=90)
        home, away = outcome.score[HOME], outcome.score[1 - HOME]
        return Result(game.game_id, game.day, game.home_id, game.away_id, home, away, outcome.last_period_type, ended)

    def _list_season_results(self, number: int) -> tuple[Result, ...]:
        if number not in self._results:
            self._results[number] = self.list_results(number, datetime.max.replace(tzinfo=UTC))
        return self._results[number]
