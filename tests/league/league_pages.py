"""A league for the tests of its pages, and short functions to fetch them."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from nhl_lake.league import League, quirks

SEASONS = (20242025, 20252026)
AFTER_SEASONS = datetime(2027, 1, 1, tzinfo=UTC)  # both seasons are over and corrected


@cache
def get_league() -> League:
    return League(seed=1, seasons=SEASONS)


def get_page(target: str, as_of: datetime = AFTER_SEASONS) -> Any:
    answer = get_league().answer(target, as_of)
    assert answer.status == 200, (target, as_of, answer)
    return json.loads(answer.body) if answer.content_type == "application/json" else answer.body.decode()


def get_status(target: str, as_of: datetime = AFTER_SEASONS) -> int:
    return get_league().answer(target, as_of).status


def get_game_page(game_id: int, kind: str, as_of: datetime = AFTER_SEASONS) -> Any:
    return get_page(f"/v1/gamecenter/{game_id}/{kind}", as_of)


def get_shift_chart(game_id: int, as_of: datetime = AFTER_SEASONS) -> Any:
    return get_page(f"/stats/rest/en/shiftcharts?cayenneExp=gameId={game_id}", as_of)


def get_shift_report(game_id: int, side: str, as_of: datetime = AFTER_SEASONS) -> str:
    year = game_id // 1_000_000
    return str(get_page(f"/scores/htmlreports/{year}{year + 1}/T{side}{game_id % 1_000_000:06d}.HTM", as_of))


def list_played_games(season: int, game_type: int = 2) -> list[int]:
    engine = get_league().engine
    games = engine.playoffs(season) if game_type == 3 else engine.schedule(season)
    return [game.game_id for game in games if game.game_type == game_type and game.is_played]


def filter_reported_games(games: list[int]) -> list[int]:
    """Return the games that have shift reports."""
    return [game for game in games if quirks.has_shift_reports(1, game)]


@cache
def sample_games() -> tuple[int, ...]:
    """Return games of every kind with all pages: both seasons, preseason, playoffs, overtimes, shootouts."""
    found: list[int] = []
    for season in SEASONS:
        regular, preseason = (
            filter_reported_games(list_played_games(season)),
            filter_reported_games(list_played_games(season, 1)),
        )
        late = [game for game in regular[8:400] if get_last_period_type(game) == "OT"]
        shootouts = [game for game in regular[8:400] if get_last_period_type(game) == "SO"]
        found += [*regular[:8], *regular[500:504], *late[:3], *shootouts[:3], *preseason[:2]]
    playoffs = filter_reported_games(list_played_games(SEASONS[0], 3))
    found += [*playoffs[:3], *[game for game in playoffs[3:] if get_last_period_type(game) == "OT"][:3]]
    return tuple(found)


SAMPLE_SIZE = 46


def get_last_period_type(game_id: int) -> str:
    return get_league().engine.get_outcome(game_id).last_period_type


def get_end_time(game_id: int) -> datetime:
    return get_league().engine.get_end_time(game_id)


def make_minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
