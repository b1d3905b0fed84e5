"""stats/rest/en/team and season: every club and every season of the league."""

from datetime import date, datetime

from nhl_lake.league.pages.headers import build_full_name
from nhl_lake.league.pages.page_source import Page, PageSource, to_eastern_date

LEAGUE_ID = 133
MAX_PLAYOFF_GAMES = 105  # fifteen series of seven: the true number would need every game of the season
NON_TEAM_ROWS = ((70, "To be determined", "TBD"), (99, "NHL", "NHL"))  # rows of the NHL's list that are not clubs


def build_teams_page(source: PageSource, as_of: datetime) -> Page:
    """Return the clubs of the announced seasons; a club that moved has a row per id."""
    rows: dict[int, Page] = {}
    for number in list_announced_seasons(source, as_of):
        for team in source.engine.season(number).teams:
            rows[team.team_id] = _build_team(
                team.team_id, team.franchise_id, build_full_name(team)["default"], team.abbrev
            )
    for team_id, name, code in NON_TEAM_ROWS:
        rows[team_id] = _build_team(team_id, None, name, code)
    return {"data": list(rows.values()), "total": len(rows)}


def _build_team(team_id: int, franchise_id: int | None, name: str, code: str) -> Page:
    return {
        "id": team_id,
        "franchiseId": franchise_id,
        "fullName": name,
        "leagueId": LEAGUE_ID,
        "rawTricode": code,
        "triCode": code,
    }


def list_announced_seasons(source: PageSource, as_of: datetime) -> list[int]:
    """Return the announced seasons: always the first, each later one from the July before it."""
    today = to_eastern_date(as_of)
    return [s for n, s in enumerate(source.seasons) if n == 0 or date(s // 10_000, 7, 1) <= today]


def build_seasons_page(source: PageSource, as_of: datetime) -> Page:
    """Return the announced seasons."""
    rows = [_build_season(source, number) for number in list_announced_seasons(source, as_of)]
    return {"data": rows, "total": len(rows)}


def _build_season(source: PageSource, number: int) -> Page:
    season = source.engine.season(number)
    games = sum(game.game_type == 2 for game in source.engine.schedule(number))
    return {
        "id": number,
        "allStarGameInUse": 0,
        "conferencesInUse": 1,
        "divisionsInUse": 1,
        "endDate": f"{season.playoff_end}T00:00:00",
        "entryDraftInUse": 1,
        "formattedSeasonId": f"{number // 10_000}-{number % 100:02d}",
        "minimumPlayoffMinutesForGoalieStatsLeaders": 240,
        "minimumRegularGamesForGoalieStatsLeaders": 25,
        "nhlStanleyCupOwner": 1,
        "numberOfGames": 2 * games // len(season.teams),
        "olympicsParticipation": 0,
        "pointForOTLossInUse": 1,
        "preseasonStartdate": f"{season.preseason_start}T19:00:00",
        "regularSeasonEndDate": f"{season.end}T21:30:00",
        "rowInUse": 1,
        "seasonOrdinal": number // 10_000 - 1917,
        "startDate": f"{season.start}T19:00:00",
        "supplementalDraftInUse": 0,
        "tiesInUse": 0,
        "totalPlayoffGames": MAX_PLAYOFF_GAMES,
        "totalRegularSeasonGames": games,
        "wildcardInUse": 1,
    }
