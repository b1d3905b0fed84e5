"""partner-game/{country}/now: invented odds on the games that begin within a day."""

from datetime import datetime, timedelta

from nhl_lake.league.model import ScheduledGame
from nhl_lake.league.pages.headers import build_logo_url, build_place_names, format_instant
from nhl_lake.league.pages.page_source import EASTERN, Page, PageSource, to_eastern_date
from nhl_lake.league.seeds import create_rng

AHEAD = timedelta(days=1)
LOCALE = {"US": 1, "CA": 2}


def build_odds_page(source: PageSource, country: str, as_of: datetime) -> Page:
    """Return the odds of a country's betting partner, which change every six hours; no past day has any."""
    season = source.find_season(to_eastern_date(as_of)).season
    games = source.list_games(season, as_of)
    if to_eastern_date(as_of) >= source.engine.season(season).end:
        games += source.list_playoff_games(season, as_of)
    coming = sorted((game for game in games if as_of < game.start <= as_of + AHEAD), key=lambda game: game.game_id)
    return {
        "currentOddsDate": f"{as_of.astimezone(EASTERN):%Y-%m-%d}",
        "lastUpdatedUTC": format_instant(as_of),
        "bettingPartner": {"partnerId": LOCALE[country], "country": country, "name": "Fairline"},
        "games": [_build_game(source, country, game, as_of) for game in coming],
    }


def _build_game(source: PageSource, country: str, game: ScheduledGame, as_of: datetime) -> Page:
    quarter = int(as_of.timestamp()) // 21_600
    lead = create_rng("odds", source.seed, country, game.game_id, quarter).randint(-90, 90)
    page: Page = {
        "gameId": game.game_id,
        "gameType": game.game_type,
        "startTimeUTC": format_instant(game.start),
    }
    for name, team_id, side in (("homeTeam", game.home_id, lead), ("awayTeam", game.away_id, -lead)):
        team = source.find_team(game.season, team_id)
        price = -110 - abs(side) if side > 0 else 100 + abs(side)
        page[name] = {
            "id": team.team_id,
            "name": build_place_names(team)["placeName"],
            "abbrev": team.abbrev,
            "logo": build_logo_url(team, "light"),
            "odds": [{"description": "MONEY_LINE_2_WAY", "value": price, "qualifier": ""}],
        }
    return page
