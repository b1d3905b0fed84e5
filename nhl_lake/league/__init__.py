"""A small simulated NHL, deterministic from a seed, that answers like the NHL's API.

Everything is invented: teams, arenas, players. A game depends only on seed, season and game id; a page only on the
league, the URL and the time. `quirks` and `defects` list where pages are wrong on purpose. Nothing here imports the
rest of the package.
"""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from nhl_lake.league import routes
from nhl_lake.league.engine import Engine
from nhl_lake.league.errors import InvalidLeagueOption
from nhl_lake.league.pages.page_source import PageSource
from nhl_lake.league.quirks import FEW_DEFECTS, DefectShares

__all__ = ["Answer", "InvalidLeagueOption", "League"]

FIRST_YEAR, LAST_YEAR = 2010, 2060
NOT_FOUND = b'{"message":"Not Found"}'


class Answer(NamedTuple):
    """The response to a request."""

    status: int
    body: bytes
    content_type: str


class League:
    """A league of some seasons that answers like the API.

    Seasons have eight digits. Raises InvalidLeagueOption.

    shares: the share of games whose pages are wrong at first: few by default, many with `quirks.MANY_DEFECTS`.
    """

    def __init__(
        self, seed: int = 1, seasons: Sequence[int] = (20242025, 20252026), shares: DefectShares = FEW_DEFECTS
    ) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise InvalidLeagueOption(f"a seed is a whole number, not {seed!r}.")
        if not seasons:
            raise InvalidLeagueOption("a league needs at least one season, like 20252026.")
        for season in seasons:
            _check_season(season)
        self.seed = seed
        self.seasons = tuple(sorted(set(seasons)))
        self.shares = shares
        self.engine = Engine(seed)
        self._source = PageSource(self.engine, seed, self.seasons, shares)
        self._lock = threading.Lock()  # the engine's caches are not thread-safe

    def answer(self, target: str, as_of: datetime) -> Answer:
        """Return the page at a path and query as of a time; 404 if it does not exist."""
        with self._lock:
            found = routes.find_page(self._source, target, as_of.astimezone(UTC))
        if found is None:
            return Answer(404, NOT_FOUND, "application/json")
        if isinstance(found, str):
            return Answer(200, found.encode(), "text/html")
        return Answer(200, json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode(), "application/json")


def _check_season(season: object) -> None:
    year = season // 10_000 if isinstance(season, int) else 0
    if season != year * 10_000 + year + 1:
        raise InvalidLeagueOption(f"a season is two consecutive years, like 20252026, not {season!r}.")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidLeagueOption(f"this league plays from {FIRST_YEAR} to {LAST_YEAR}, not in {season}.")
