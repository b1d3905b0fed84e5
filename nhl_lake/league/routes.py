"""Routes: which function builds the page at a URL."""

import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import parse_qs, unquote

from nhl_lake.league.model import AWAY, HOME, ScheduledGame
from nhl_lake.league.pages import edge
from nhl_lake.league.pages.boxscore import build_boxscore_page
from nhl_lake.league.pages.bracket import build_bracket_page
from nhl_lake.league.pages.draft import build_draft_page
from nhl_lake.league.pages.glossary import build_glossary_page
from nhl_lake.league.pages.landing import build_game_landing_page
from nhl_lake.league.pages.lists import build_seasons_page, build_teams_page, list_announced_seasons
from nhl_lake.league.pages.odds import build_odds_page
from nhl_lake.league.pages.page_source import Page, PageSource, is_shown
from nhl_lake.league.pages.play_by_play import build_play_by_play_page
from nhl_lake.league.pages.players import build_landing_page, build_roster_page
from nhl_lake.league.pages.reports import build_game_report
from nhl_lake.league.pages.right_rail import build_right_rail_page
from nhl_lake.league.pages.schedule import build_schedule_page
from nhl_lake.league.pages.shift_charts import build_shift_chart_page
from nhl_lake.league.pages.shift_reports import render_shift_report
from nhl_lake.league.pages.standings import build_standings_page

PageContent = Page | str | None
GAME_PAGE_BUILDERS: dict[str, Callable[[PageSource, ScheduledGame, datetime], Page]] = {
    "play-by-play": build_play_by_play_page,
    "boxscore": build_boxscore_page,
    "right-rail": build_right_rail_page,
    "landing": build_game_landing_page,
}


def find_page(source: PageSource, target: str, as_of: datetime) -> PageContent:
    """Return the page at a path and query, JSON or HTML; None if it does not exist."""
    path, _, query = target.partition("?")
    query = " ".join(parse_qs(query).get("cayenneExp", []))
    for pattern, route in ROUTES.items():
        if match := re.fullmatch(pattern, unquote(path), re.ASCII):
            return route(source, as_of, {**match.groupdict(), "query": query})
    return None


def _route_schedule(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    day = _parse_date(parameters["day"])
    return build_schedule_page(source, day, as_of) if day else None


def _route_game_page(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    game = _find_shown_game(source, as_of, int(parameters["game_id"]))
    return GAME_PAGE_BUILDERS[parameters["kind"]](source, game, as_of) if game else None


def _route_shift_chart(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    """Return a shift chart. As with the NHL, it is empty for an unknown game, and the query must name a game."""
    wanted = re.search(r"gameId\s*=\s*(\d{10})\b", parameters["query"])
    if not wanted:
        return None
    game = _find_shown_game(source, as_of, int(wanted[1]))
    return build_shift_chart_page(source, game, as_of) if game else {"data": [], "total": 0}


def _route_report(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    """Return a report on a game; as with the NHL, it is empty for an unknown game."""
    wanted = re.search(r"gameId\s*=\s*(\d{10})\b", parameters["query"])
    if not wanted:
        return None
    game = _find_shown_game(source, as_of, int(wanted[1]))
    return build_game_report(source, parameters["subject"], game, as_of) if game else {"data": [], "total": 0}


def _route_edge(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    number, season, game_type = (int(parameters[name]) for name in ("id", "season", "type"))
    if parameters["kind"] == "team":
        return edge.build_team_page(source, number, season, game_type, as_of)
    return edge.build_player_page(source, parameters["kind"], number, season, game_type, as_of)


def _route_shift_report(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    game = _find_shown_game(source, as_of, int(parameters["season"][:4] + parameters["number"]))
    if game is None or f"{game.season}" != parameters["season"]:
        return None
    return render_shift_report(source, game, as_of, side=HOME if parameters["side"] == "H" else AWAY)


def _route_roster(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    if int(parameters["season"]) not in list_announced_seasons(source, as_of):
        return None
    season = source.engine.season(int(parameters["season"]))
    team = next((team for team in season.teams if team.abbrev == parameters["abbrev"]), None)
    return build_roster_page(source, team, season, as_of) if team else None


def _route_standings(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    day = _parse_date(parameters["day"])
    return build_standings_page(source, day, as_of) if day else None


def _route_landing(source: PageSource, as_of: datetime, parameters: dict[str, str]) -> PageContent:
    return build_landing_page(source, int(parameters["player_id"]), as_of)


ROUTES: dict[str, Callable[[PageSource, datetime, dict[str, str]], PageContent]] = {
    r"/v1/schedule/(?P<day>\d{4}-\d\d-\d\d)": _route_schedule,
    r"/v1/gamecenter/(?P<game_id>\d{10})/(?P<kind>play-by-play|boxscore|right-rail|landing)": _route_game_page,
    r"/v1/roster/(?P<abbrev>[A-Z]{3})/(?P<season>\d{8})": _route_roster,
    r"/v1/standings/(?P<day>\d{4}-\d\d-\d\d)": _route_standings,
    r"/v1/player/(?P<player_id>\d{7})/landing": _route_landing,
    r"/v1/edge/(?P<kind>skater|goalie|team)-detail/(?P<id>\d{1,7})/(?P<season>\d{8})/(?P<type>\d)": _route_edge,
    r"/v1/playoff-bracket/(?P<year>\d{4})": lambda source, as_of, parameters: build_bracket_page(
        source, int(parameters["year"]), as_of
    ),
    r"/v1/draft/picks/(?P<year>\d{4})/all": lambda source, as_of, parameters: build_draft_page(
        source, int(parameters["year"]), as_of
    ),
    r"/v1/partner-game/(?P<country>US|CA)/now": lambda source, as_of, parameters: build_odds_page(
        source, parameters["country"], as_of
    ),
    r"/stats/rest/en/glossary": lambda source, as_of, parameters: build_glossary_page(),
    r"/stats/rest/en/(?P<subject>skater|goalie|team)/summary": _route_report,
    r"/stats/rest/en/shiftcharts": _route_shift_chart,
    r"/stats/rest/en/team": lambda source, as_of, parameters: build_teams_page(source, as_of),
    r"/stats/rest/en/season": lambda source, as_of, parameters: build_seasons_page(source, as_of),
    r"/scores/htmlreports/(?P<season>\d{8})/T(?P<side>[HV])(?P<number>\d{6})\.HTM": _route_shift_report,
}


def _find_shown_game(source: PageSource, as_of: datetime, game_id: int) -> ScheduledGame | None:
    game = source.find_game(game_id)
    return game if game and is_shown(game, as_of) else None


def _parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
