"""The playoffs: sixteen teams by the standings, best of seven, with games that may not be needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final

from nhl_lake.league.calendar import EASTERN, plan_series
from nhl_lake.league.model import Result, ScheduledGame, Season, Series, Team

SERIES_LETTERS: Final = "ABCDEFGHIJKLMNO"
PlayGame = Callable[[ScheduledGame], Result]


def plan_playoffs(seed: int, about: Season, results: Iterable[Result], play: PlayGame) -> tuple[ScheduledGame, ...]:
    """Return all games of the playoffs, also those that are not needed; `play` simulates a game."""
    order = rank_teams(about, results)
    rank = {team.team_id: i for i, team in enumerate(order)}
    known = datetime.combine(about.end + timedelta(days=1), time(6), EASTERN).astimezone(UTC)
    pairs = [(pair, known) for pair in _pair_first_round(order)]
    games: list[ScheduledGame] = []
    for number in range(1, 5):
        through: list[tuple[Team, datetime]] = []
        for i, (pair, appears) in enumerate(pairs, 1):
            top, bottom = sorted(pair, key=lambda team: rank[team.team_id])
            letter = SERIES_LETTERS[len({g.series.letter for g in games if g.series})]
            series = Series(number, letter, i, 1, top.team_id, bottom.team_id)
            planned, winner, over = _play_series(plan_series(seed, about, series, (top, bottom), appears), play)
            games += planned
            through.append((top if winner == top.team_id else bottom, over))
        morning = [_find_next_morning(over) for _, over in through]
        pairs = [((through[i][0], through[i + 1][0]), max(morning[i : i + 2])) for i in range(0, len(through) - 1, 2)]
    return tuple(games)


def _find_next_morning(moment: datetime) -> datetime:
    """Return nine o'clock in New York on the morning after a series ends."""
    day = moment.astimezone(EASTERN).date() + timedelta(days=1)
    return datetime.combine(day, time(9), EASTERN).astimezone(UTC)


def _play_series(planned: list[ScheduledGame], play: PlayGame) -> tuple[list[ScheduledGame], int, datetime]:
    """Play a series until one team has four wins; the other games disappear when the last one ends."""
    wins: dict[int, int] = {}
    rows: list[ScheduledGame] = []
    winner, over = 0, planned[0].start
    for game in planned:
        if winner:
            rows.append(game._replace(removed_at=over))
            continue
        rows.append(game)
        result = play(game)
        won = result.home_id if result.home_goals > result.away_goals else result.away_id
        wins[won] = wins.get(won, 0) + 1
        if wins[won] == 4:
            winner, over = won, result.ended_at
    return rows, winner, over


def rank_teams(about: Season, results: Iterable[Result]) -> list[Team]:
    """Rank the clubs by points, then regulation wins, then goal difference."""
    table = {team.team_id: [0, 0, 0] for team in about.teams}
    for result in results:
        for own, theirs, team in (
            (result.home_goals, result.away_goals, result.home_id),
            (result.away_goals, result.home_goals, result.away_id),
        ):
            row = table[team]
            row[0] += 2 if own > theirs else int(result.last_period_type != "REG")
            row[1] += own > theirs and result.last_period_type == "REG"
            row[2] += own - theirs
    return sorted(about.teams, key=lambda team: (*(-n for n in table[team.team_id]), team.team_id))


def _pair_first_round(order: list[Team]) -> list[tuple[Team, Team]]:
    """Pair the first round: the top three of each division, and two wild cards per conference."""
    pairs: list[tuple[Team, Team]] = []
    for conference in ("Eastern", "Western"):
        clubs = [team for team in order if team.conference == conference]
        divisions = list(dict.fromkeys(team.division for team in clubs))
        tops = {d: [team for team in clubs if team.division == d][:3] for d in divisions}
        wild = [team for team in clubs if team not in tops[divisions[0]] and team not in tops[divisions[1]]][:2]
        for division, guest in zip(divisions, reversed(wild), strict=True):
            first, second, third = tops[division]
            pairs += [(first, guest), (second, third)]
    return pairs
