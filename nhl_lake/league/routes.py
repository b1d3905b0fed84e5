"""Which page answers which address."""

import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import parse_qs, unquote

from nhl_lake.league.model import AWAY, HOME, ScheduledGame
from nhl_lake.league.pages.boxscore import boxscore
from nhl_lake.league.pages.charts import shift_chart
from nhl_lake.league.pages.lists import announced, seasons, teams
from nhl_lake.league.pages.people import landing, roster
from nhl_lake.league.pages.play_by_play import play_by_play
from nhl_lake.league.pages.reports import report
from nhl_lake.league.pages.right_rail import right_rail
from nhl_lake.league.pages.schedule import schedule
from nhl_lake.league.pages.source import Page, Source, shown
from nhl_lake.league.pages.standings import standings

Found = Page | str | None
GAME_PAGES: dict[str, Callable[[Source, ScheduledGame, datetime], Page]] = {
    "play-by-play": play_by_play,
    "boxscore": boxscore,
    "right-rail": right_rail,
}


def page(source: Source, target: str, as_of: datetime) -> Found:
    """The page at a path and query, JSON or HTML; None for what does not exist."""
    path, _, query = target.partition("?")
    query = " ".join(parse_qs(query).get("cayenneExp", []))
    for pattern, route in ROUTES.items():
        if match := re.fullmatch(pattern, unquote(path), re.ASCII):
            return route(source, as_of, {**match.groupdict(), "query": query})
    return None


def _week(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    day = _date(asked["day"])
    return schedule(source, day, as_of) if day else None


def _game_page(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    game = _shown(source, as_of, int(asked["game_id"]))
    return GAME_PAGES[asked["kind"]](source, game, as_of) if game else None


def _chart(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    """Like the real one, this page is empty for games that do not exist, and needs to be told which game."""
    wanted = re.search(r"gameId\s*=\s*(\d{10})\b", asked["query"])
    if not wanted:
        return None
    game = _shown(source, as_of, int(wanted[1]))
    return shift_chart(source, game, as_of) if game else {"data": [], "total": 0}


def _report(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    game = _shown(source, as_of, int(asked["season"][:4] + asked["number"]))
    if game is None or f"{game.season}" != asked["season"]:
        return None
    return report(source, game, as_of, side=HOME if asked["side"] == "H" else AWAY)


def _roster(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    if int(asked["season"]) not in announced(source, as_of):
        return None
    season = source.engine.season(int(asked["season"]))
    team = next((team for team in season.teams if team.abbrev == asked["abbrev"]), None)
    return roster(source, team, season, as_of) if team else None


def _standings(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    day = _date(asked["day"])
    return standings(source, day, as_of) if day else None


def _landing(source: Source, as_of: datetime, asked: dict[str, str]) -> Found:
    return landing(source, int(asked["player_id"]), as_of)


ROUTES: dict[str, Callable[[Source, datetime, dict[str, str]], Found]] = {
    r"/v1/schedule/(?P<day>\d{4}-\d\d-\d\d)": _week,
    r"/v1/gamecenter/(?P<game_id>\d{10})/(?P<kind>play-by-play|boxscore|right-rail)": _game_page,
    r"/v1/roster/(?P<abbrev>[A-Z]{3})/(?P<season>\d{8})": _roster,
    r"/v1/standings/(?P<day>\d{4}-\d\d-\d\d)": _standings,
    r"/v1/player/(?P<player_id>\d{7})/landing": _landing,
    r"/stats/rest/en/shiftcharts": _chart,
    r"/stats/rest/en/team": lambda source, as_of, asked: teams(source, as_of),
    r"/stats/rest/en/season": lambda source, as_of, asked: seasons(source, as_of),
    r"/scores/htmlreports/(?P<season>\d{8})/T(?P<side>[HV])(?P<number>\d{6})\.HTM": _report,
}


def _shown(source: Source, as_of: datetime, game_id: int) -> ScheduledGame | None:
    game = source.game(game_id)
    return game if game and shown(game, as_of) else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
