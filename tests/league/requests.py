"""A league for the tests of its pages, and short ways to ask it."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from nhl_lake.league import League, quirks

SEASONS = (20242025, 20252026)
LATER = datetime(2027, 1, 1, tzinfo=UTC)  # both seasons are over and corrected


@cache
def league() -> League:
    return League(seed=1, seasons=SEASONS)


def get(target: str, as_of: datetime = LATER) -> Any:
    answer = league().answer(target, as_of)
    assert answer.status == 200, (target, as_of, answer)
    return json.loads(answer.body) if answer.content_type == "application/json" else answer.body.decode()


def status(target: str, as_of: datetime = LATER) -> int:
    return league().answer(target, as_of).status


def game_page(game_id: int, kind: str, as_of: datetime = LATER) -> Any:
    return get(f"/v1/gamecenter/{game_id}/{kind}", as_of)


def chart(game_id: int, as_of: datetime = LATER) -> Any:
    return get(f"/stats/rest/en/shiftcharts?cayenneExp=gameId={game_id}", as_of)


def report(game_id: int, side: str, as_of: datetime = LATER) -> str:
    year = game_id // 1_000_000
    return str(get(f"/scores/htmlreports/{year}{year + 1}/T{side}{game_id % 1_000_000:06d}.HTM", as_of))


def played(season: int, game_type: int = 2) -> list[int]:
    engine = league().engine
    games = engine.playoffs(season) if game_type == 3 else engine.schedule(season)
    return [game.game_id for game in games if game.game_type == game_type and game.played]


def complete(games: list[int]) -> list[int]:
    """Those that have shift reports."""
    return [game for game in games if quirks.reported(1, game)]


@cache
def sample() -> tuple[int, ...]:
    """Games of every kind that have all pages: both seasons, preseason, playoffs, overtimes, shoot-outs."""
    found: list[int] = []
    for season in SEASONS:
        regular, preseason = complete(played(season)), complete(played(season, 1))
        late = [game for game in regular[8:400] if ending(game) == "OT"]
        shootouts = [game for game in regular[8:400] if ending(game) == "SO"]
        found += [*regular[:8], *regular[500:504], *late[:3], *shootouts[:3], *preseason[:2]]
    playoffs = complete(played(SEASONS[0], 3))
    found += [*playoffs[:3], *[game for game in playoffs[3:] if ending(game) == "OT"][:3]]
    return tuple(found)


SAMPLED = 46


def ending(game_id: int) -> str:
    return league().engine.story(game_id).last_type


def ended(game_id: int) -> datetime:
    return league().engine.ended(game_id)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
