"""draft/picks/{year}/all: the picks of a draft, all of invented players who are in no lineup."""

from datetime import date, datetime

from nhl_lake.league.names import draw_person
from nhl_lake.league.pages.headers import build_full_name, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource, to_eastern_date
from nhl_lake.league.pages.players import JUNIOR_LEAGUES
from nhl_lake.league.seeds import create_rng

ROUNDS = 7
MONTH, DAY = 6, 27  # of the draft


def build_draft_page(source: PageSource, year: int, as_of: datetime) -> Page | None:
    """Return the picks of a year; None before its draft, and for years in which this league did not play."""
    season = next((season for season in source.seasons if year in divmod(season, 10_000)), None)
    if season is None or to_eastern_date(as_of) <= date(year, MONTH, DAY):
        return None
    rng = create_rng("draft", source.seed, year)
    teams = sorted(
        source.engine.season(season).teams, key=lambda team: create_rng("order", year, team.team_id).random()
    )
    picks: list[Page] = []
    for number in range(1, ROUNDS + 1):
        for n, team in enumerate(teams, 1):
            person = draw_person(rng)
            picks.append({
                "round": number,
                "pickInRound": n,
                "overallPick": len(picks) + 1,
                "teamId": team.team_id,
                "teamAbbrev": team.abbrev,
                "teamName": build_full_name(team),
                "teamPickHistory": team.abbrev,
                "firstName": localize_text(person.first),
                "lastName": localize_text(person.last),
                "positionCode": rng.choice("CCLLRRDDDG"),
                "countryCode": person.country,
                "height": rng.randint(68, 79),
                "weight": rng.randint(160, 225),
                "amateurLeague": rng.choice(JUNIOR_LEAGUES),
                "amateurClubName": f"{dict(person.city)['default']} Juniors",
            })  # fmt: skip
    return {
        "broadcastStartTimeUTC": f"{year}-{MONTH:02d}-{DAY}T23:00:00Z",
        "draftYear": year,
        "draftYears": [year],
        "selectableRounds": list(range(1, ROUNDS + 1)),
        "state": "over",
        "picks": picks,
    }
